"""What a failing node costs: nothing where the request can go elsewhere, and never a POST twice."""

import itertools
import re

import pytest

from harness import PROXY, eventually, weir_only
from operators import weir
from wire import Client, reply, request, send_once

GET = request("/x")
POST = request("/x", method="POST", body=b"once")


def resets(connection, _):
    connection.reset()


def closes(connection, _):
    connection.close()


def hangs(connection, _):
    connection.wait_for_end()


def garbage(connection, _):
    connection.send(b"HTTP/1.1 200 OK\r\nX-A: \0\r\n\r\n")
    connection.close()


def answers(status):
    return lambda *_: reply(status, b"status %d" % status)


TIMEOUT = "proxy_read_timeout 300ms;"


@pytest.mark.parametrize("data", [GET, POST], ids=["GET", "POST"])
def test_refused_connection_moves_on(start, data):
    node = start.node()
    proxy = start.before([start.refused(), node])
    for _ in range(4):
        assert send_once(proxy.port, data).status == 200
    assert len(node.requests) == 4


@pytest.mark.parametrize("fault", [resets, closes, hangs], ids=lambda f: f.__name__)
def test_get_moves_on(start, fault):
    bad, good = start.node(fault), start.node()
    proxy = start.before([bad, good], location=TIMEOUT)
    for _ in range(4):
        assert send_once(proxy.port, GET).status == 200
    assert len(bad.requests) == 1  # max_fails=1, fail_timeout=10s
    assert len(good.requests) == 4


@pytest.mark.parametrize("fault, status", [(resets, 502), (closes, 502), (hangs, 504)],
                         ids=["resets", "closes", "hangs"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "LOCK"])
def test_what_may_have_been_executed_is_not_sent_again(start, method, fault, status):
    bad, good = start.node(fault), start.node()
    proxy = start.before([bad, good], location=TIMEOUT)
    got = send_once(proxy.port, request("/x", method=method, body=b"once"))
    assert got.status == status
    assert (len(bad.requests), len(good.requests)) == (1, 0)
    assert bad.requests[0].body == b"once"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_idempotent_methods_move_on_with_their_body(start, method):
    bad, good = start.node(resets), start.node()
    proxy = start.before([bad, good])
    assert send_once(proxy.port, request("/x", method=method, body=b"again")).status == 200
    assert good.requests[0].body == b"again"


def test_non_idempotent_lets_a_post_move_on(start):
    bad, good = start.node(resets), start.node()
    proxy = start.before([bad, good], location="proxy_next_upstream error non_idempotent;")
    assert send_once(proxy.port, POST).status == 200
    assert good.requests[0].body == b"once"


@pytest.mark.parametrize("fault, status", [(resets, 502), (hangs, 504), (garbage, 502)],
                         ids=["resets", "hangs", "garbage"])
def test_status_when_all_fail(start, fault, status):
    nodes = [start.node(fault), start.node(fault)]
    proxy = start.before(nodes, location=TIMEOUT)
    got = send_once(proxy.port, GET)
    assert (got.status, got.complete) == (status, True)


@pytest.mark.parametrize("data", [GET, POST], ids=["GET", "POST"])
def test_status_when_all_refuse(start, data):
    proxy = start.before([start.refused(), start.refused()])
    for _ in range(3):  # later ones find no live peer
        assert send_once(proxy.port, data).status == 502


def test_the_client_keeps_its_connection_when_a_node_fails(start):
    proxy = start.before([start.node(lambda c, m: c.reset() if m.target == "/x" else reply())])
    with Client(proxy.port) as client:
        assert client.exchange(GET).status == 502
        assert client.exchange(request("/y")).status == 200


@pytest.mark.parametrize("directive, status", [
    ("", 503),
    ("proxy_next_upstream error timeout http_503;", 200),
    ("proxy_next_upstream error timeout http_500 http_502;", 503),
    ("proxy_next_upstream http_503; proxy_next_upstream_tries 1;", 503),
    ("proxy_next_upstream off;", 503),
])
def test_next_upstream_by_status(start, directive, status):
    busy, good = start.node(answers(503)), start.node()
    proxy = start.before([busy, good], location=directive)
    got = send_once(proxy.port, GET)
    assert got.status == status
    assert got.body == (b"ok" if status == 200 else b"status 503")
    assert len(good.requests) == (status == 200)


def test_status_of_the_last_node_passes_through(start):
    nodes = [start.node(answers(503)), start.node(answers(503))]
    proxy = start.before(nodes, location="proxy_next_upstream http_503;")
    assert send_once(proxy.port, GET).body == b"status 503"
    assert [len(node.requests) for node in nodes] == [1, 1]


def test_post_with_a_listed_status_is_not_sent_again(start):
    nodes = [start.node(answers(503)), start.node()]
    proxy = start.before(nodes, location="proxy_next_upstream http_503;")
    assert send_once(proxy.port, POST).status == 503
    assert len(nodes[1].requests) == 0


@pytest.mark.parametrize("directive, want", [
    ("proxy_next_upstream off;", [1, 0, 0]),
    ("proxy_next_upstream_tries 2;", [1, 1, 0]),
    ("", [1, 1, 1]),
])
def test_number_of_tries(start, directive, want):
    nodes = [start.node(resets) for _ in range(3)]
    proxy = start.before(nodes, location=directive)
    assert send_once(proxy.port, GET).status == 502
    assert [len(node.requests) for node in nodes] == want


def test_garbage_moves_on_only_when_asked(start):
    bad, good = start.node(garbage), start.node()
    proxy = start.before([bad, good], location="proxy_next_upstream error invalid_header;")
    assert send_once(proxy.port, GET).status == 200
    assert len(bad.requests) == 1


def test_a_node_that_does_not_answer_a_connection_times_out(start):
    """A listen queue that is full drops what comes: the connection is neither made nor refused."""
    import socket
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    address = "127.0.0.1:%d" % full.getsockname()[1]
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
        fillers.append(filler)
    good = start.node()
    proxy = start.before([address, good], location="proxy_connect_timeout 300ms;")
    assert send_once(proxy.port, POST).status == 200
    for sock in (*fillers, full):
        sock.close()


def test_round_robin(start):
    names = "abc"
    nodes = [start.node(lambda *_, name=name: reply(200, name.encode())) for name in names]
    proxy = start.before(nodes)
    got = b"".join(send_once(proxy.port, GET).body for _ in range(9))
    assert got == b"abcabcabc"


def test_weights(start):
    nodes = [start.node(lambda *_, name=name: reply(200, name.encode())) for name in "abc"]
    proxy = start.before(nodes, parameters=("weight=5", "weight=1", "weight=1"))
    got = b"".join(send_once(proxy.port, GET).body for _ in range(14))
    assert got == b"aabacaa" * 2


def test_backup_and_down(start):
    main, spare, off = start.node(resets), start.node(answers(200)), start.node()
    proxy = start.before([main, spare, off], parameters=("", "backup", "down"))
    for _ in range(3):
        assert send_once(proxy.port, GET).body == b"status 200"
    assert (len(main.requests), len(off.requests)) == (1, 0)


def test_ip_hash_keeps_a_client_on_its_node(start):
    nodes = [start.node(lambda *_, name=name: reply(200, name.encode())) for name in "abc"]
    proxy = start.before(nodes, upstream="ip_hash;", server="""
        set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For;""")
    for net in range(20):
        got = {send_once(proxy.port, request("/", f"X-Forwarded-For: 10.{net}.7.{host}")).body
               for host in (1, 99, 200)}
        assert len(got) == 1
    assert all(node.requests for node in nodes)


def test_banned_node_is_asked_again_after_fail_timeout(start):
    faults = itertools.chain([True], itertools.repeat(False))
    bad = start.node(lambda c, m: c.reset() if next(faults) else reply(200, b"back"))
    proxy = start.before([bad, start.node()], parameters=("fail_timeout=1s", ""))
    assert send_once(proxy.port, GET).status == 200
    assert send_once(proxy.port, GET).body == b"ok"
    eventually(lambda: send_once(proxy.port, GET).body == b"back", "the node is back", 4)


# A kept connection that the node closes


def close_after_answer(connection, message):
    """Closes without having said so, and waits until the proxy has noticed."""
    connection.send(reply(200, message.body or b"ok"))
    connection.half_close()
    connection.wait_for_end()


@pytest.mark.parametrize("data", [GET, POST], ids=["GET", "POST"])
def test_connection_closed_while_idle_is_not_used(start, data):
    node = start.node(close_after_answer)
    proxy = start.before(node)
    with Client(proxy.port) as client:
        for i in range(3):
            assert client.exchange(data).status == 200
            node.wait_for(lambda n=i: not node.connections[n].open, "end of the idle connection")
    assert [message.connection for message in node.requests] == [0, 1, 2]


def close_on_second(connection, message):
    """Answers the first request of a connection and drops the second, as one that timed out."""
    if connection.received > len(message.head) + len(message.raw_body):
        connection.reset()
        return None
    return reply()


def test_get_on_a_stale_connection_goes_out_again(start):
    node = start.node(close_on_second)
    proxy = start.before([node])
    with Client(proxy.port) as client:
        for _ in range(3):
            assert client.exchange(GET).status == 200


def test_post_on_a_stale_connection_is_sent_once(start):
    node = start.node(close_on_second)
    proxy = start.before(node)
    with Client(proxy.port) as client:
        assert client.exchange(GET).status == 200
        assert client.exchange(POST).status == 502
    assert [message.method for message in node.requests] == ["GET", "POST"]


@weir_only
def test_stale_connection_is_no_failure_of_the_node(start):
    """nginx counts it, and bans the node."""
    stale, other = start.node(close_on_second), start.node()
    proxy = start.before([stale, other])
    for _ in range(6):
        assert send_once(proxy.port, GET).status == 200
    assert len({message.connection for message in stale.requests}) >= 2


def test_bytes_after_an_answer_are_never_the_next_answer(start):
    def handler(connection, message):
        connection.send(reply(200, message.target.encode())
                        + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    node = start.node(handler)
    proxy = start.before(node)
    with Client(proxy.port) as client:
        for target in ("/a", "/b", "/c"):
            answer = client.exchange(request(target))
            assert (answer.status, answer.body) == (200, target.encode())
    assert len({message.connection for message in node.requests}) == 3


def test_connection_close_of_the_node_is_respected(start):
    node = start.node(lambda *_: reply(200, b"ok", "Connection: close"))
    proxy = start.before(node)
    with Client(proxy.port) as client:
        for _ in range(3):
            got = client.exchange(GET)
            assert got.status == 200 and got.get("connection") != "close"
    assert [message.connection for message in node.requests] == [0, 1, 2]


def test_reasons_are_in_the_error_log(start):
    bad, good = start.refused(), start.node()
    proxy = start.before([bad, good], server="server_name shop.example;")
    assert send_once(proxy.port, request("/x?a=b", host="shop.example")).status == 200
    line = proxy.wait_for_log("refused", "error.log")
    for part in ("client: 127.0.0.1", "server: shop.example", '"GET /x?a=b HTTP/1.1"',
                 f"upstream: \"http://{bad.address}/x?a=b\""):
        assert part in line
    assert PROXY == "nginx" or re.search(r"\[(error|warn)\]", line)
    assert PROXY == "nginx" or ", reason: rr; trying again" in line


@weir_only
def test_an_ejection_is_logged_and_shown_with_its_end(start):
    bad, good = start.refused(), start.node()
    proxy = start.before([f"{bad.address} max_fails=0", good], upstream="eject fails=3 time=40s;")
    for _ in range(8):
        assert send_once(proxy.port, request("/")).status == 200
    line = proxy.wait_for_log("is ejected for", "error.log")
    assert f'upstream "app": peer {bad.address} is ejected for 40000 ms' in line
    assert "ejected for failures of its requests, tried again in " in weir(proxy, "status")
