"""Every size and wait has its limit, and what runs into one is told so."""

import threading

import pytest

from harness import PROXY
from wire import Client, chunks, reply, request, send_once

HEAD_ENDED = b"\r\n\r\n"


@pytest.mark.parametrize("limit, size, status", [
    ("client_max_body_size 1k;", 1024, 200),
    ("client_max_body_size 1k;", 1025, 413),
    ("client_max_body_size 0;", 3_000_000, 200),
    ("", 1_048_576, 200),
    ("", 1_048_577, 413),
])
@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("shape", ["counted", "chunked"])
def test_body_size(start, limit, size, status, shape, buffering):
    node = start.node()
    proxy = start.before(node, location=f"{limit} proxy_request_buffering {buffering};")
    body = b"x" * size
    with Client(proxy.port) as client:
        data = request(method="POST", body=[body] if shape == "chunked" else body)
        # The answer may come, and the connection end, before all was sent.
        sender = threading.Thread(target=quietly, args=(client.send, data))
        sender.start()
        got = client.read_response("POST")
        sender.join()
    assert got is not None and got.status == status
    if status == 413:
        assert not any(message.complete for message in node.requests)
        if shape == "counted":
            assert node.received == 0


def quietly(function, *args):
    try:
        function(*args)
    except OSError:
        pass


def test_refused_body_is_not_asked_for(start):
    proxy = start.before(start.node(), location="client_max_body_size 10;")
    with Client(proxy.port) as client:
        client.send(request("/", "Expect: 100-continue", "Content-Length: 11", method="POST"))
        got = client.read_response("POST")
        assert (got.status, got.informational) == (413, [])


@pytest.mark.parametrize("part", [b"", b"GET /slow", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "],
                         ids=["nothing", "request line", "fields"])
def test_slow_head(start, part):
    """The time is for the whole head: bytes that trickle in do not prolong it."""
    node = start.node()
    proxy = start.before(node, server="client_header_timeout 1s;")
    with Client(proxy.port) as client:
        client.send(part)
        stop = threading.Event()

        def trickle():
            while not stop.wait(0.2):
                client.send(b"x")
        dripping = threading.Thread(target=quietly, args=(trickle,))
        if part:
            dripping.start()
        answer = client.to_end()
        stop.set()
        if part:
            dripping.join()
    assert answer == b"" or b" 408 " in answer.split(b"\r\n")[0]
    assert node.received == 0


def test_slow_body(start):
    node = start.node()
    proxy = start.before(node, location="client_body_timeout 1s;")
    with Client(proxy.port) as client:
        client.send(request(method="POST", body=b"x" * 100)[:-50])
        answer = client.to_end()
    assert answer == b"" or b" 408 " in answer.split(b"\r\n")[0]
    assert not any(message.complete for message in node.requests)


def test_idle_connection_is_closed(start):
    proxy = start.before(start.node(), server="keepalive_timeout 1s;")
    with Client(proxy.port) as client:
        assert client.exchange(request()).status == 200
        assert client.at_end()


def test_requests_a_connection(start):
    proxy = start.before(start.node(), server="keepalive_requests 3;")
    with Client(proxy.port) as client:
        answers = [client.exchange(request()) for _ in range(3)]
        assert [answer.get("connection") for answer in answers] in (
            [None, None, "close"], ["keep-alive", "keep-alive", "close"])
        assert client.at_end()


def test_no_keep_alive(start):
    proxy = start.before(start.node(), server="keepalive_timeout 0;")
    with Client(proxy.port) as client:
        assert client.exchange(request()).get("connection") == "close"
        assert client.at_end()


@pytest.mark.parametrize("data, statuses", [
    (request("/" + "u" * 70000), {414, 400}),
    (request("/", "X-Long: " + "v" * 70000), {431, 400}),
    (request("/", *("X-%d: %s" % (i, "v" * 100) for i in range(1000))), {431, 400}),
], ids=["target", "field", "fields"])
def test_head_size(start, data, statuses):
    node = start.node()
    proxy = start.before(node)
    with Client(proxy.port) as client:
        sender = threading.Thread(target=quietly, args=(client.send, data))
        sender.start()
        got = client.read_response()
        sender.join()
        assert got is None or got.status in statuses
        assert got is None or client.at_end()
    assert node.received == 0


def test_head_of_an_answer_has_a_limit(start):
    node = start.node(lambda *_: reply(200, b"", "X-Long: " + "v" * 300_000))
    proxy = start.before(node)
    assert send_once(proxy.port, request()).status == 502


def test_read_timeout_is_between_two_reads(start):
    """A node that is slow but alive may take longer in all."""
    gate = threading.Event()

    def handler(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            gate.wait(0.3)
            connection.send(chunks(b"tick", end=False))
        connection.send(chunks())
    proxy = start.before(start.node(handler), location="proxy_read_timeout 1s;")
    assert send_once(proxy.port, request()).body == b"tick" * 5


def test_read_timeout_inside_the_body_cuts_the_answer(start):
    def handler(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        connection.wait_for_end()
    proxy = start.before(start.node(handler), location="proxy_read_timeout 500ms;")
    with Client(proxy.port) as client:
        got = client.exchange(request())
        assert (got is None) or (got.status == 200 and not got.complete) or (
            PROXY == "nginx" and got.status == 504)


@pytest.mark.parametrize("target", ["/", "/own"], ids=["a node's answer", "an answer of its own"])
def test_keep_alive_is_told_to_the_client(start, target):
    proxy = start.before(start.node(), server="keepalive_timeout 60s 33s; "
                                              "location /own { return 200 x; }")
    answer = send_once(proxy.port, request(target))
    assert answer.get("Keep-Alive") == "timeout=33"
