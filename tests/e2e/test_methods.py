"""The methods of choice as a client meets them; which peer exactly is in tests/differential."""

import pytest

from harness import eventually, weir_only
from wire import Client, reply, request, send_once

TELL = "add_header X-Reason $upstream_reason always;"


def named(start, names="abc"):
    return [start.node(lambda *_, name=name: reply(200, name.encode())) for name in names]


@weir_only
@pytest.mark.parametrize("method, reason", [
    ("", "rr"), ("ip_hash;", "hash"), ("ip_hash full;", "hash"), ("hash $arg_k;", "hash"),
    ("hash $arg_k consistent;", "hash"), ("hash $arg_none;", "rr"), ("least_conn;", "least_conn"),
    ("random;", "random"), ("random two;", "random"), ("least_time header;", "least_time"),
    ("least_time last_byte inflight;", "least_time"), ("balance least_conn;", "least_conn"),
    ("balance hash $arg_k consistent;", "hash")])
def test_each_method_says_why(start, method, reason):
    proxy = start.before(named(start), location=TELL, upstream=method)
    for key in range(5):
        answer = send_once(proxy.port, request(f"/?k={key}"))
        assert answer.status == 200
        # Two draws may come to nothing more than 20 times in a row: with three peers never.
        assert answer.get("x-reason") == reason


@pytest.mark.parametrize("method", ["hash $arg_k$cookie_s;", "hash $arg_k$cookie_s consistent;"])
def test_a_key_keeps_its_node(start, method):
    nodes = named(start)
    proxy = start.before(nodes, upstream=method)
    for key in range(20):
        got = {send_once(proxy.port, message).body
               for message in [request(f"/{i}?k={key}") for i in range(3)] +
               [request("/", f"Cookie: s={key}")]}
        assert len(got) == 1
    assert all(node.requests for node in nodes)


@weir_only
def test_a_node_more_takes_keys_from_each_and_moves_no_others(start):
    nodes = named(start, "abcd")
    homes = []
    for some in (nodes[:3], nodes):
        proxy = start.before(some, upstream="hash $arg_k consistent;")
        homes.append([send_once(proxy.port, request(f"/?k={key}")).body for key in range(200)])
    moved = {(before, after) for before, after in zip(*homes) if before != after}
    assert moved == {(name, b"d") for name in (b"a", b"b", b"c")}
    assert 20 < sum(before != after for before, after in zip(*homes)) < 90


def test_a_key_written_anew_for_each_request_of_a_connection(start):
    proxy = start.before(named(start), upstream="hash $arg_k;")
    with Client(proxy.port) as client:
        alone = [send_once(proxy.port, request(f"/?k={key}")).body for key in range(10)]
        assert [client.exchange(request(f"/?k={key}")).body for key in range(10)] == alone


@weir_only
def test_ip_hash_full_tells_neighbours_apart(start):
    proxy = start.before(named(start), upstream="ip_hash full;", server="""
        set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For;""")
    first, second = [[send_once(proxy.port, request("/", f"X-Forwarded-For: 10.1.7.{host}")).body
                      for host in range(1, 40)] for _ in range(2)]
    assert first == second
    assert set(first) == {b"a", b"b", b"c"}


def hold(connection, message):
    """What asks for /hold waits; the others are answered."""
    return connection.wait_for_end() if message.target == "/hold" else reply(200, b"ok")


@pytest.mark.parametrize("method", ["least_conn;", "random two;"])
def test_a_busy_node_gets_no_more(start, method):
    nodes = [start.node(hold) for _ in range(2)]
    proxy = start.before(nodes, upstream=method)
    with Client(proxy.port) as client:
        client.send(request("/hold"))
        eventually(lambda: any(node.requests for node in nodes), "a node is asked")
        busy, free = sorted(nodes, key=lambda node: -len(node.requests))
        for _ in range(20):
            assert send_once(proxy.port, request("/")).status == 200
    # Two draws out of two peers are the same one 20 times over once in ten thousand runs.
    assert (len(busy.requests), len(free.requests)) == (1, 20)


@weir_only
@pytest.mark.parametrize("method", ["least_time header;", "least_time last_byte;",
                                    "least_time header inflight;",
                                    "least_time last_byte inflight;"])
def test_a_slow_node_gets_no_more(start, method):
    """Measured, so by waits: a node that takes 300 ms and one that does not."""
    def slow(connection, _):
        try:
            connection.sock.settimeout(0.3)
            connection.sock.recv(1)  # nothing comes: a wait
        except TimeoutError:
            pass
        connection.sock.settimeout(None)
        return reply(200, b"slow")
    nodes = [start.node(slow), start.node()]
    proxy = start.before(nodes, upstream=method)
    for _ in range(10):
        assert send_once(proxy.port, request("/")).status == 200
    assert 1 <= len(nodes[0].requests) <= 2


@weir_only
def test_methods_in_yaml(start):
    nodes = named(start)
    servers = ", ".join(node.address for node in nodes)
    proxy = start.proxy(f"""upstreams:
  app: {{balance: [hash, $arg_k, consistent], servers: [{servers}], health_check: false}}
servers:
  - listen: "@listen@"
    locations:
      - {{path: /, proxy_pass: "http://app", add_header: {{X-Reason: $upstream_reason}}}}
""")
    for key in range(5):
        answers = [send_once(proxy.port, request(f"/?k={key}")) for _ in range(3)]
        assert {answer.get("x-reason") for answer in answers} == {"hash"}
        assert len({answer.body for answer in answers}) == 1
