"""Which node gets a request: nginx and weir go the same way, request by request, attempts on dead
nodes included.

`$upstream_addr` tells all peers that a request was sent to; $upstream_status what each said.
"""

import random

import pytest

from harness import eventually
from wire import Client, reply

# Long enough that no ban ends within a test; what happens when one does is a test of virtual time.
BAN = "fail_timeout=600s"

SITE = """
    set_real_ip_from 127.0.0.1;
    upstream app {{ {balance} {peers} keepalive 8; }}
    server {{ listen @listen@;
        location / {{ proxy_pass http://app; {location}
            add_header X-Way "$upstream_addr $upstream_status" always; }} }}"""


def clients(n4=600, n6=200, seed=1):
    """Addresses of all over; the same in each run."""
    rng = random.Random(seed)
    v4 = [".".join(str(rng.randrange(256)) for _ in range(4)) for _ in range(n4)]
    v6 = [":".join(f"{rng.randrange(65536):x}" for _ in range(8)) for _ in range(n6)]
    every = [address for address in v4 + v6 if address != "255.255.255.255"]
    rng.shuffle(every)
    return every


def ways(proxy, addresses, method="GET"):
    """For each request, one after the other: its status and the peers it was sent to."""
    found = []
    client = Client(proxy.port)
    for address in addresses:
        client.send(f"{method} / HTTP/1.1\r\nHost: h\r\nX-Real-IP: {address}\r\n"
                    "Content-Length: 0\r\n\r\n".encode())
        answer = client.read_response()
        # Where nobody was asked, nginx writes the upstream's name and weir says why.
        found.append((answer.status, answer.get("x-way").replace("no-live", "app")))
        if "close" in answer.get("connection", ""):
            client.close()
            client = Client(proxy.port)
    client.close()
    return found


# Each node: its parameters, and what it does: False answers 200, True refuses connections, a number
# is the status it answers.
ROWS = [
    # name, balance, [(parameters, dead)], location, method
    ("ip_hash", "ip_hash;", [("", False)] * 3, "", "GET"),
    ("ip_hash of two", "ip_hash;", [("", False)] * 2, "", "GET"),
    ("ip_hash of one", "ip_hash;", [("", False)], "", "GET"),
    ("ip_hash, weights", "ip_hash;", [("weight=5", False), ("", False), ("weight=2", False)], "",
     "GET"),
    ("ip_hash, one down", "ip_hash;", [("", False), ("down", False), ("weight=3", False)], "",
     "GET"),
    ("ip_hash, one dead and banned", "ip_hash;", [(BAN, False), (BAN, True), (BAN, False)], "",
     "GET"),
    ("ip_hash, one dead and never banned", "ip_hash;",
     [("", False), ("max_fails=0", True), ("", False), ("", False)], "", "GET"),
    ("ip_hash, two dead of four", "ip_hash;",
     [(f"{BAN} max_fails=3", False), (f"{BAN} max_fails=2", True), (f"{BAN} max_fails=3", True),
      (BAN, False)], "", "GET"),
    ("ip_hash, all but a light one dead: the fall-back after 20 misses", "ip_hash;",
     [(f"{BAN} weight=50", True), (f"{BAN} weight=50", True), (BAN, False)], "", "GET"),
    ("ip_hash, all dead", "ip_hash;", [(BAN, True)] * 3, "", "GET"),
    ("ip_hash, all dead and never banned", "ip_hash;", [("max_fails=0", True)] * 3, "", "GET"),
    ("ip_hash, tries limited", "ip_hash;", [("max_fails=0", True)] * 3 + [("", False)],
     "proxy_next_upstream_tries 2;", "GET"),
    ("ip_hash, POST", "ip_hash;", [(BAN, False), (f"{BAN} max_fails=5", True), (BAN, False)], "",
     "POST"),
    ("round robin", "", [("", False)] * 3, "", "GET"),
    ("round robin, weights", "", [("weight=5", False), ("", False), ("", False)], "", "GET"),
    ("round robin, odd weights", "",
     [("weight=7", False), ("weight=3", False), ("weight=2", False), ("weight=11", False)], "",
     "GET"),
    ("round robin, down", "", [("weight=2", False), ("down weight=4", False), ("", False)], "",
     "GET"),
    ("round robin, one dead", "", [(BAN, False), (BAN, True), (BAN, False)], "", "GET"),
    ("round robin, one dead, weights sink and rise", "",
     [("weight=4 max_fails=0", True), ("weight=4 max_fails=0", False), ("weight=2", False)], "",
     "GET"),
    ("round robin, weights sink by failures", "",
     [(f"{BAN} weight=10 max_fails=4", True), (f"{BAN} weight=5 max_fails=2", True),
      (f"{BAN} weight=3", False)], "", "GET"),
    ("round robin, all dead", "", [(BAN, True)] * 2, "", "GET"),
    ("one dead node alone is asked each time", "", [(BAN, True)], "", "GET"),
    ("backup while the others are dead", "",
     [(BAN, True), (BAN, True), ("backup weight=2", False), ("backup", False)], "", "GET"),
    ("backup at rest", "", [("", False), ("", False), ("backup", False)], "", "GET"),
    ("dead backups too", "", [(BAN, True), (f"backup {BAN}", True)], "", "GET"),
    ("a status that counts as a failure", "",
     [(f"{BAN} max_fails=3 weight=3", 503), (BAN, False), (f"{BAN} max_fails=2", 500)],
     "proxy_next_upstream http_503 http_500;", "GET"),
    ("a status that moves on and does not count", "", [(BAN, 404), (BAN, False), (BAN, 403)],
     "proxy_next_upstream http_404 http_403;", "GET"),
    ("all answer with a status that moves on", "ip_hash;", [(f"{BAN} max_fails=2", 503)] * 3,
     "proxy_next_upstream http_503;", "GET"),
    ("a status that is not asked for", "ip_hash;", [(BAN, 502), (BAN, False), (BAN, 200)], "",
     "GET"),
    ("a POST stays where it was sent", "", [(f"{BAN} max_fails=3", 503), (BAN, False)],
     "proxy_next_upstream http_503;", "POST"),
    ("a POST moves on when told to", "", [(f"{BAN} max_fails=3", 503), (BAN, False)],
     "proxy_next_upstream http_503 non_idempotent;", "POST"),
    ("ip_hash, dead and failing", "ip_hash;",
     [(f"{BAN} max_fails=4", 503), (BAN, False), (f"{BAN} max_fails=3", True), (BAN, False)],
     "proxy_next_upstream error http_503; proxy_next_upstream_tries 3;", "GET"),
    *[(f"{name}, {what}", balance, *rest)
      for name, balance in (("hash", "hash $http_x_real_ip;"),
                            ("consistent", "hash $http_x_real_ip consistent;"),
                            ("least_conn", "least_conn;"))
      for what, *rest in [
          ("three", [("", False)] * 3, "", "GET"),
          ("weights", [("weight=5", False), ("", False), ("weight=2", False)], "", "GET"),
          ("one down", [("", False), ("down", False), ("weight=3", False)], "", "GET"),
          ("one", [("", False)], "", "GET"),
          ("one dead and banned", [(BAN, False), (BAN, True), (BAN, False)], "", "GET"),
          ("one dead and never banned",
           [("", False), ("max_fails=0", True), ("", False), ("", False)], "", "GET"),
          ("two dead of four",
           [(f"{BAN} max_fails=3", False), (f"{BAN} max_fails=2 weight=2", True),
            (f"{BAN} max_fails=3", True), (BAN, False)], "", "GET"),
          ("all but a light one dead",
           [("max_fails=0 weight=50", True), ("max_fails=0 weight=50", True), ("", False)], "",
           "GET"),
          ("all dead", [(BAN, True)] * 3, "", "GET"),
          ("all dead and never banned", [("max_fails=0", True)] * 3, "", "GET"),
          ("tries limited", [("max_fails=0", True)] * 3 + [("", False)],
           "proxy_next_upstream_tries 2;", "GET"),
          ("dead and failing",
           [(f"{BAN} max_fails=4", 503), (BAN, False), (f"{BAN} max_fails=3", True), (BAN, False)],
           "proxy_next_upstream error http_503; proxy_next_upstream_tries 3;", "GET"),
      ]],
    ("hash, a key of several parts, most of them empty", "hash $http_x_none$arg_none$is_args;",
     [("", False), ("weight=2", False)], "", "GET"),
    ("consistent, an empty key", "hash $http_x_none consistent;",
     [("", False), ("weight=2", False)], "", "GET"),
    ("least_conn, backup while the others are dead", "least_conn;",
     [(BAN, True), (BAN, True), ("backup weight=2", False), ("backup", False)], "", "GET"),
    ("no next", "", [(f"{BAN} max_fails=3", True), ("", False)], "proxy_next_upstream off;", "GET"),
]


@pytest.mark.parametrize("balance, peers, location, method", [row[1:] for row in ROWS],
                         ids=[row[0] for row in ROWS])
def test_same_way(pair, start, balance, peers, location, method):
    def node(does):
        if does is True:
            return start.refused()
        return start.node(lambda *_: reply(does or 200, b""))
    nodes = [node(does) for _, does in peers]
    lines = " ".join(f"server {node.address} {parameters};"
                     for node, (parameters, _) in zip(nodes, peers))
    both = pair(SITE.format(balance=balance, peers=lines, location=location))
    addresses = clients() if balance else clients()[:200]
    nginx, weir = (ways(proxy, addresses, method) for proxy in (both.nginx, both.weir))
    for i, (address, theirs, ours) in enumerate(zip(addresses, nginx, weir)):
        assert theirs == ours, f"request {i} of {len(addresses)}, client {address}"
    if balance and len([does for _, does in peers if does is False]) > 1:
        assert len({way for status, way in nginx if status == 200}) > 1, "all went one way"


METHODS = {"round robin": "", "ip_hash": "ip_hash;", "hash": "hash $http_x_real_ip;",
           "consistent": "hash $http_x_real_ip consistent;", "least_conn": "least_conn;"}


@pytest.mark.parametrize("balance", METHODS.values(), ids=METHODS)
def test_max_conns(pair, start, balance):
    """Requests that are held fill the peers up one by one, until nobody is left."""
    nodes = [start.node(lambda connection, _: connection.wait_for_end()) for _ in range(3)]
    lines = " ".join(f"server {node.address} max_conns={most};"
                     for node, most in zip(nodes, (2, 3, 1)))
    both = pair(SITE.format(balance=balance, peers=lines, location=""))
    addresses = clients(8, 0)
    found = []
    for proxy in (both.nginx, both.weir):
        held, order, before = [], [], [len(node.requests) for node in nodes]
        for address in addresses:
            client = Client(proxy.port)
            client.send(f"GET / HTTP/1.1\r\nHost: h\r\nX-Real-IP: {address}\r\n\r\n".encode())
            held.append(client)
            if len(order) == 6:  # all are full: an answer of the proxy's own
                assert client.read_response().status == 502
                continue
            eventually(lambda: sum(len(node.requests) for node in nodes) > sum(before) + len(order),
                       "a node is asked")
            now = [len(node.requests) - skip for node, skip in zip(nodes, before)]
            order.append(next(i for i in range(3) if now[i] > order.count(i)))
        found.append(order)
        for client in held:
            client.close()
    assert found[0] == found[1]
    assert sorted(found[0]) == [0, 0, 1, 1, 1, 2]


@pytest.mark.parametrize("weights", [(1, 1, 1), (5, 1, 2, 1)], ids=str)
def test_least_conn_under_load(pair, start, weights):
    """Requests that stay and end in any order: each goes to the same peer in both."""
    nodes = [start.node(lambda connection, _: connection.wait_for_end()) for _ in weights]
    lines = " ".join(f"server {node.address} weight={weight};"
                     for node, weight in zip(nodes, weights))
    both = pair(SITE.format(balance="least_conn;", peers=lines, location=""))

    def in_use():
        return sum(connection.open for node in nodes for connection in list(node.connections))
    found = []
    for proxy in (both.nginx, both.weir):
        rng, held, order = random.Random(3), [], []
        for _ in range(120):
            if held and rng.random() < 0.4:
                held.pop(rng.randrange(len(held))).close()
                eventually(lambda: in_use() == len(held), "the proxy lets go of a node")
                continue
            before = [len(node.requests) for node in nodes]
            client = Client(proxy.port)
            client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            held.append(client)
            eventually(lambda: sum(len(node.requests) for node in nodes) > sum(before),
                       "a node is asked")
            order.append(next(i for i, node in enumerate(nodes)
                              if len(node.requests) > before[i]))
        found.append(order)
        for client in held:
            client.close()
        eventually(lambda: in_use() == 0, "the proxy lets go of all nodes")
    assert found[0] == found[1]
    assert len(found[0]) > 60


def test_random_shares_the_requests(pair, start):
    """Nobody can say which peer it is; the shares are the same."""
    nodes = [start.node(lambda *_: reply(200, b"")) for _ in range(3)]
    lines = " ".join(f"server {node.address} {parameters};"
                     for node, parameters in zip(nodes, ("weight=3", "", "down")))
    for balance in ("random;", "random two least_conn;"):
        both = pair(SITE.format(balance=balance, peers=lines, location=""))
        for proxy in (both.nginx, both.weir):
            found = [way.split()[0] for _, way in ways(proxy, clients(400, 0))]
            first = found.count(nodes[0].address)
            assert first + found.count(nodes[1].address) == 400
            # One by one, two peers are equally busy: the second that was drawn gets the request.
            assert first in (range(250, 350) if balance == "random;" else range(40, 360))


@pytest.mark.parametrize("balance", ["hash $http_x_real_ip;", "hash $http_x_real_ip consistent;",
                                     "random;", "random two;"])
def test_backup_behind_a_method_at_the_end(pair, start, balance):
    dead, backup = [start.refused() for _ in range(2)], start.node(lambda *_: reply(200, b""))
    lines = " ".join(f"server {node.address} max_fails=0;" for node in dead)
    both = pair(SITE.format(balance="", location="",
                            peers=f"{lines} server {backup.address} backup; {balance}"))
    for proxy in (both.nginx, both.weir):
        for status, way in ways(proxy, clients(50, 0)):
            peers = way.split(" 502")[0].split(", ")
            assert status == 200 and sorted(peers[:2]) == sorted(node.address for node in dead)
            assert peers[2].split()[0] == backup.address


def test_backup_behind_ip_hash_at_the_end(pair, start):
    """Accepted only when ip_hash stands last; reached by the fall-back."""
    dead, backup = [start.refused() for _ in range(2)], start.node(lambda *_: reply(200, b""))
    lines = " ".join(f"server {node.address} {BAN};" for node in dead)
    both = pair(SITE.format(balance="", location="",
                            peers=f"{lines} server {backup.address} backup; ip_hash;"))
    addresses = clients(100, 0)
    assert ways(both.nginx, addresses) == ways(both.weir, addresses)


@pytest.mark.parametrize("balance", [METHODS[name] for name in METHODS if name != "consistent"],
                         ids=[name for name in METHODS if name != "consistent"])
def test_a_node_that_dies_midway(pair, start, balance):
    """The same requests before and after one node stops to listen."""
    for_nginx, for_weir = ([], [])
    addresses = clients(200, 50)
    found = []
    # Nodes of their own for each, since they die at a request of each one's own.
    for kind, nodes in (("nginx", for_nginx), ("weir", for_weir)):
        nodes.extend(start.node(lambda *_: reply(200, b"")) for _ in range(3))
        lines = " ".join(f"server {node.address} {BAN} max_fails=2;" for node in nodes)
        text = SITE.format(balance=balance, peers=lines, location="").replace("keepalive 8;", "")
        proxy = start.proxy(text, kind=kind)
        before = ways(proxy, addresses)
        nodes[1].stop()
        after = ways(proxy, addresses)
        names = {node.address: f"node{i}" for i, node in enumerate(nodes)}
        found.append([(status, *(names.get(word.rstrip(","), word) for word in way.split()))
                      for status, way in before + after])
    assert found[0] == found[1]
