"""`weir explain` against where requests really go."""

import random

import pytest

from harness import PROXY, eventually, free_port, site
from operators import api, served, weir
from wire import Client, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx explains nothing")

REAL_IP = "set_real_ip_from 127.0.0.1; real_ip_header X-Client;"


def where(proxy, nodes, target, *fields, host="example.com"):
    """The node that a request really goes to."""
    before = [len(node.requests) for node in nodes]
    assert send_once(proxy.port, request(target, *fields, host=host)).status == 200
    gone = [len(node.requests) - seen for node, seen in zip(nodes, before)]
    assert sum(gone) == 1
    return nodes[gone.index(1)].address


def clients(count, seed=1):
    draw = random.Random(seed)
    for i in range(count):
        yield (".".join(str(draw.randrange(1, 255)) for _ in range(4)) if i % 4 else
               f"2001:db8::{draw.randrange(1, 0xffff):x}:{draw.randrange(1, 0xffff):x}")


@pytest.mark.parametrize("balance", ["ip_hash;", "ip_hash full;"])
def test_a_hundred_clients_by_their_addresses(start, balance):
    nodes = [start.node() for _ in range(4)]
    proxy = start.before(nodes, upstream=balance, http=REAL_IP,
                         parameters=["weight=2", "", "down", ""])
    api(proxy, "drain", target=f"app/{nodes[3].address}")
    for client in clients(100):
        told = api(proxy, "explain", client=client, uri="/x")
        by_field = api(proxy, "explain", client="127.0.0.1", uri="/x", header=f"X-Client: {client}")
        assert by_field["client"] == client
        assert told["peer"] == by_field["peer"] == where(proxy, nodes, "/x", f"X-Client: {client}")
        named = told["pool"]["named"]
        assert named[-1]["taken"] and named[-1]["peer"] == told["peer"]
        assert all(one["why_not"] for one in named[:-1])
        whys = {one["address"]: one["why_not"] for one in told["pool"]["peers"]}
        assert "down in the configuration" in whys[nodes[2].address]
        assert "draining" in whys[nodes[3].address]


@pytest.mark.parametrize("balance", ["hash $arg_k;", "hash $arg_k consistent;",
                                     "hash $http_x_key$uri;"])
def test_a_hundred_keys(start, balance):
    nodes = [start.node() for _ in range(4)]
    proxy = start.before(nodes, upstream=balance)
    api(proxy, "down", target=f"app/{nodes[1].address}")
    draw = random.Random(2)
    for i in range(100):
        key = f"k{draw.randrange(10 ** 9)}"
        target, field = f"/p{i % 3}?k={key}", f"X-Key: {key}"
        told = api(proxy, "explain", uri=target, header=field)
        assert key in told["pool"]["key"]
        assert told["peer"] == where(proxy, nodes, target, field)


def test_the_turns_of_round_robin_are_told_and_not_taken(start):
    nodes = [start.node() for _ in range(3)]
    proxy = start.before(nodes, parameters=["weight=3", "weight=2"])
    for _ in range(12):
        for _ in range(3):
            told = api(proxy, "explain", uri="/")["peer"]
        assert where(proxy, nodes, "/") == told
    before = api(proxy, "status")
    for _ in range(10):
        api(proxy, "explain", uri="/nowhere", method="POST")
    after = api(proxy, "status")
    for one, other in zip(before["upstreams"][0]["peers"], after["upstreams"][0]["peers"]):
        assert one["requests"] == other["requests"] and one["in_flight"] == other["in_flight"] == 0


def test_explaining_counts_and_logs_nothing(start):
    node = start.node()
    admin = free_port()
    proxy = start.proxy(site([node]), main=f"admin {{ listen 127.0.0.1:{admin}; }}")

    def counters():
        with Client(admin) as client:
            text = client.exchange(request("/metrics")).body.decode()
        return [line for line in text.splitlines()
                if line.startswith(("weir_requests", "weir_client", "weir_upstream",
                                    "weir_connections"))]
    # The harness has connected to see whether it listens; the end of that is noticed first.
    eventually(lambda: not any("idle" in line and not line.endswith(" 0") for line in counters()),
               "nobody is connected")
    before = counters()
    for _ in range(5):
        api(proxy, "explain", uri="/")
        api(proxy, "explain", uri="/x y".replace(" ", "%20"), method="POST")
    assert counters() == before
    assert proxy.log() == []
    assert not node.requests


SITE = """
    upstream one { server @a@; }
    upstream two { server @b@; server @a@ backup; }
    map $http_x_to $chosen { default one; b two; }
    server { listen @listen@; server_name first.example; location / { return 204; } }
    server {
        listen @listen@; server_name *.wild.example ~^re\\d+$;
        rewrite ^/old/(.*)$ /new/$1;
        error_page 404 = @last;
        location / { proxy_pass http://one; }
        location = /exact { proxy_pass http://two; }
        location /new/ { proxy_pass http://two; location ~ \\.png$ { return 301 /moved; } }
        location ~ \\.gif$ { deny all; proxy_pass http://one; }
        location ^~ /plain/ { proxy_pass http://$chosen; }
        location /gone { return 404; }
        location @last { proxy_pass http://two; }
        location /lost { root /nonexistent; }
    }"""


@pytest.fixture(name="routed", scope="module")
def routed_fixture(start_once):
    nodes = [start_once.node(), start_once.node()]
    text = SITE.replace("@a@", nodes[0].address).replace("@b@", nodes[1].address)
    return start_once.proxy(text), nodes


@pytest.mark.parametrize("host, target, fields, location, outcome", [
    ("first.example", "/", (), "/", 204),
    ("unknown", "/", (), "/", 204),
    ("a.wild.example", "/", (), "/", 0),
    ("re7", "/exact", (), "= /exact", 1),
    ("re7", "/exact?x=1", (), "= /exact", 1),
    ("re7", "/old/x", (), "/new/", 1),
    ("re7", "/new/x.png", (), "~ \\.png$", 301),
    ("re7", "/x.gif", (), "~ \\.gif$", 403),
    ("re7", "/plain/x.gif", (), "^~ /plain/", 0),
    ("re7", "/plain/x", ("X-To: b",), "^~ /plain/", 1),
    ("re7", "/lost/x", (), "@last", 1),
])
def test_the_way_to_a_location(routed, host, target, fields, location, outcome):
    proxy, nodes = routed
    told = api(proxy, "explain", uri=target, host=host, header=list(fields))
    assert told["location"]["location"] == location
    answer = send_once(proxy.port, request(target, *fields, host=host))
    if outcome in (0, 1):
        assert answer.status == 200
        assert told["peer"] == nodes[outcome].address
        assert told["peer"] == where(proxy, nodes, target, *fields, host=host)
    else:
        assert answer.status == told["status"] == outcome
        assert told["peer"] is None
    assert any(tried["location"] == location for tried in told["tried"]) or location == "@last"


def test_servers_are_told_with_the_name_they_were_found_by(routed):
    proxy, _ = routed
    for host, by in (("first.example", "its name first.example"), ("x", "the default server"),
                     ("a.wild.example", ".wild.example"), ("re1", "^re\\d+$")):
        assert by in api(proxy, "explain", uri="/", host=host)["server"]["by"], host


def test_the_text_for_people(start):
    nodes = [start.node(), start.node()]
    proxy = start.before(nodes, upstream="ip_hash;")
    weir(proxy, "drain", f"app/{nodes[0].address}")
    text = weir(proxy, "explain", "--client", "10.1.2.3", "--uri", "/a?b=c", "--host", "x.example",
                "--header", "X-A: 1", "--header", "X-B: 2")
    assert "client    10.1.2.3" in text
    assert "pool      app (ip_hash)" in text
    assert " % 2 = " in text
    assert f"peer      {nodes[1].address}" in text
    assert "draining, set at run time" in text
    assert served(nodes, proxy, 1) == [0, 1]
    weir(proxy, "maintenance", "on", "app")
    assert "503, it is in maintenance" in weir(proxy, "explain", "--uri=/")
    assert "invalid uri" in api_error(proxy, uri="/a b")


def api_error(proxy, **options):
    from operators import run
    done = run(proxy, "explain", *(f"--{name}={value}" for name, value in options.items()))
    assert done.returncode == 1
    return done.stderr


def test_least_conn_and_random_and_backups(start):
    nodes = [start.node() for _ in range(3)]
    for balance in ("least_conn;", "random;", "random two least_conn;", "least_time header;"):
        proxy = start.before(nodes, upstream=balance, parameters=["", "", "backup"])
        told = api(proxy, "explain", uri="/")
        assert told["peer"] in (nodes[0].address, nodes[1].address), balance
        for node in nodes[:2]:
            api(proxy, "drain", target=f"app/{node.address}")
        told = api(proxy, "explain", uri="/")
        assert told["peer"] == nodes[2].address, balance
        assert told["pool"]["reason"] == "backup"
        api(proxy, "drain", target=f"app/{nodes[2].address}")
        told = api(proxy, "explain", uri="/")
        assert told["peer"] is None and told["status"] == 502
        assert send_once(proxy.port, request()).status == 502
