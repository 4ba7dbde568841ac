"""Requests and answers of every shape pass whole, and connections are kept."""

import threading

import pytest

from harness import PROXY, eventually, weir_only
from wire import Client, chunks, reply, request, send_once

BODY = b"0123456789" * 10


def echo(connection, message):
    return reply(200, message.body, f"X-Method: {message.method}")


@pytest.mark.parametrize("name, answer, want_body", [
    ("counted", reply(200, b"hello"), b"hello"),
    ("empty", reply(200, b""), b""),
    ("chunked", reply(200, [b"hel", b"lo"]), b"hello"),
    ("chunked without data", reply(200, []), b""),
    ("created", reply(201, b"made"), b"made"),
    ("not found", reply(404, b"none"), b"none"),
    ("server error", reply(500, b"broken"), b"broken"),
    ("unknown status", reply(299, b"odd"), b"odd"),
    ("no content", reply(204, None), b""),
    ("not modified", reply(304, None, 'ETag: "a"'), b""),
    ("not modified with the length of what it stands for",
     b'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "a"\r\n\r\n', b""),
    ("no reason phrase", b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", b"ok"),
])
def test_answer(start, name, answer, want_body):
    proxy = start.before(start.node(lambda *_: answer))
    with Client(proxy.port) as client:
        for _ in range(2):  # the second shows that the first ended where it should
            got = client.exchange(request())
            assert got.status == int(answer.split(b" ")[1])
            assert (got.body, got.complete) == (want_body, True)


def test_answer_that_ends_with_the_connection(start):
    def handler(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it")
        connection.close()
    proxy = start.before(start.node(handler))
    with Client(proxy.port) as client:
        for _ in range(2):
            got = client.exchange(request())
            assert (got.status, got.body, got.complete) == (200, b"all of it", True)
            # The client can tell the end without the connection's.
            assert got.get("transfer-encoding") == "chunked"


def test_answer_of_http_1_0_node(start):
    def handler(connection, _):
        connection.send(b"HTTP/1.0 200 OK\r\n\r\nold")
        connection.close()
    proxy = start.before(start.node(handler))
    assert send_once(proxy.port, request()).body == b"old"


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nX-A: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
])
def test_head(start, answer):
    proxy = start.before(start.node(lambda *_: answer))
    with Client(proxy.port) as client:
        for _ in range(2):
            got = client.exchange(request(method="HEAD"))
            assert got.status == 200
            if b"Content-Length" in answer:
                assert got.get("content-length") == "500"
        client.send(request(method="HEAD", target="/last", version="1.0"))
        assert client.read_response("HEAD").status == 200
        assert client.at_end()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("body", [b"", BODY, [BODY[:7], BODY[7:]]],
                         ids=["empty", "counted", "chunked"])
def test_request_body(shared_echo, method, body):
    proxy, node = shared_echo
    whole = b"".join(body) if isinstance(body, list) else body
    got = send_once(proxy.port, request("/b", method=method, body=body))
    assert (got.status, got.get("x-method"), got.body) == (200, method, whole)
    assert node.requests[-1].complete


@pytest.fixture(scope="module")
def shared_echo(start_once):
    node = start_once.node(echo)
    return start_once.before(node), node


def test_body_byte_by_byte(shared_echo):
    proxy, _ = shared_echo
    with Client(proxy.port) as client:
        for byte in request("/slow", method="POST", body=[b"ab", b"c"]):
            client.send(bytes([byte]))
        assert client.read_response("POST").body == b"abc"


def test_chunk_extensions_and_trailers_of_a_request_end_it(shared_echo):
    proxy, _ = shared_echo
    with Client(proxy.port) as client:
        head = request(method="POST", body=[])[:-len(chunks())]
        got = client.exchange(head + b'3;a=b;c="d"\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n')
        assert got.body == b"abc"
        assert client.exchange(request(method="POST", body=b"next")).body == b"next"


def test_connections_are_kept_on_both_sides(start):
    node = start.node(echo)
    proxy = start.before(node)
    with Client(proxy.port) as client:
        for i in range(5):
            assert client.exchange(request(f"/{i}")).status == 200
    assert node.targets == [f"/{i}" for i in range(5)]
    assert {message.connection for message in node.requests} == {0}


def test_pipelined_requests_are_answered_in_order(shared_echo):
    proxy, _ = shared_echo
    with Client(proxy.port) as client:
        client.send(b"".join(request(method="POST", body=b"%d" % i) for i in range(20)))
        assert [client.read_response().body for _ in range(20)] == [b"%d" % i for i in range(20)]


def test_pipelined_after_close_is_not_served(start):
    node = start.node()
    proxy = start.before(node)
    with Client(proxy.port) as client:
        client.send(request("/first", "Connection: close") + request("/second"))
        assert client.read_response().status == 200
        assert client.to_end() == b""
    assert node.targets == ["/first"]


@pytest.mark.parametrize("version, fields, kept", [
    ("1.1", [], True),
    ("1.1", ["Connection: close"], False),
    ("1.0", [], False),
    ("1.0", ["Connection: keep-alive"], True),
])
def test_connection_of_the_client(shared_echo, version, fields, kept):
    proxy, _ = shared_echo
    with Client(proxy.port) as client:
        got = client.exchange(request("/", *fields, version=version))
        assert got.status == 200
        if kept:
            assert client.exchange(request("/again")).status == 200
        else:
            assert got.get("connection") == "close"
            assert client.at_end()


def test_http_1_0_client_gets_no_chunks(start):
    proxy = start.before(start.node(lambda *_: reply(200, [b"one", b"two"])))
    with Client(proxy.port) as client:
        client.send(request(version="1.0"))
        head, _, body = client.to_end().partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in head.lower()
        assert body == b"onetwo"


def test_node_is_asked_with_http_1_1_whatever_the_client_speaks(start):
    node = start.node()
    proxy = start.before(node)
    send_once(proxy.port, request(version="1.0"))
    assert node.requests[0].start == "GET / HTTP/1.1"


def test_client_that_half_closes_after_its_request_gets_the_answer(start):
    # nginx may take the end for a client that left, and give the request up (499).
    location = "" if PROXY == "nginx" else "serve_half_closed on;"
    proxy = start.before(start.node(lambda *_: reply(200, BODY)), location=location)
    with Client(proxy.port) as client:
        client.send(request("/", "Connection: close"))
        client.half_close()
        got = client.read_response()
        assert (got is None and PROXY == "nginx") or got.body == BODY


def test_client_that_ends_its_side_has_left(start):
    arrived, go = threading.Event(), threading.Event()
    ended = threading.Event()

    def handler(connection, _):
        arrived.set()
        connection.wait_for_end()
        ended.set()
        go.wait(10)
    proxy = start.before(start.node(handler))
    with Client(proxy.port) as client:
        client.send(request("/slow"))
        assert arrived.wait(10)
        client.half_close()
        assert ended.wait(10), "the node goes on working for nobody"
        go.set()
        assert client.read_response() is None
    eventually(lambda: any(" 499 " in line for line in proxy.log()), "499 in the access log", 10)


# Expect and 1xx


def continuing(connection, message):
    """A node that keeps to RFC 9110 section 10.1.1."""
    if message.get("expect"):
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    connection.read_body(message)
    return reply(200, message.body)


def test_expect_continue(start):
    node = start.node(continuing, whole=False)
    proxy = start.before(node)
    with Client(proxy.port) as client:
        head = request("/", "Expect: 100-continue", method="POST", body=BODY)[:-len(BODY)]
        client.send(head)
        assert client.read_head().status == 100
        client.send(BODY)
        got = client.read_response("POST")
        assert (got.status, got.body, got.informational) == (200, BODY, [])
        assert client.exchange(request()).status == 200
    assert len(node.requests) == 2


def test_expect_continue_with_a_body_that_is_already_there(start):
    proxy = start.before(start.node(continuing, whole=False))
    got = send_once(proxy.port, request("/", "Expect: 100-continue", method="POST", body=BODY))
    assert (got.status, got.body) == (200, BODY)


def test_http_1_0_client_gets_no_100(start):
    proxy = start.before(start.node(continuing, whole=False))
    got = send_once(proxy.port, request("/", "Expect: 100-continue", method="POST", body=BODY,
                                        version="1.0"))
    assert (got.status, got.informational) == (200, [])


@weir_only
@pytest.mark.parametrize("before", [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3,
])
def test_informational_answers_never_end_the_exchange(start, before):
    proxy = start.before(start.node(lambda *_: before + reply(200, b"final")))
    with Client(proxy.port) as client:
        for _ in range(2):
            got = client.exchange(request())
            assert (got.status, got.body) == (200, b"final")


@weir_only
def test_trailers_of_an_answer_pass(start):
    answer = (b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
              + chunks(b"data", trailers=["X-Sum: 42"]))
    location = "" if PROXY == "nginx" else "proxy_pass_trailers on;"
    proxy = start.before(start.node(lambda *_: answer), location=location)
    with Client(proxy.port) as client:
        got = client.exchange(request("/", "TE: trailers"))
        assert (got.body, got.trailers) == (b"data", ["X-Sum: 42"])
        assert client.exchange(request()).body == b"data"


def test_answer_before_the_body_was_read(start):
    """A node may refuse a body it has not read; the client must get that answer."""
    def handler(connection, _):
        connection.send(reply(413, b"too big", "Connection: close"))
        connection.half_close()
        connection.wait_for_end()
    proxy = start.before(start.node(handler, whole=False),
                         location="proxy_request_buffering off;")
    with Client(proxy.port) as client:
        client.send(request(method="POST", body=b"x" * 1000)[:-990])
        got = client.read_response("POST")
        assert (got.status, got.body) == (413, b"too big")


@pytest.mark.parametrize("path, want", [
    ("/a/b?x=1&y=%20", "/a/b?x=1&y=%20"),
    ("/%C3%A4%2Fb", "/%C3%A4%2Fb"),
    ("/a//b/../c", "/a//b/../c"),
    ("/?", "/?"),
])
def test_target_passes_as_it_was_sent(shared_echo, path, want):
    proxy, node = shared_echo
    send_once(proxy.port, request(path))
    assert node.requests[-1].target == want


@pytest.mark.parametrize("uri, path, want", [
    ("/api/", "/app/x?y=1", "/api/x?y=1"),
    ("/", "/app/x", "/x"),
    ("/base", "/app/x", "/basex"),
])
def test_proxy_pass_with_a_uri_replaces_the_prefix(start, uri, path, want):
    node = start.node()
    proxy = start.proxy(f"""
        server {{ listen @listen@; location /app/ {{ proxy_pass http://{node.address}{uri}; }} }}
    """)
    assert send_once(proxy.port, request(path)).status == 200
    assert node.targets == [want]


def test_head_of_16_kib_passes(start):
    node = start.node()
    proxy = start.before(node, server="large_client_header_buffers 4 20k;")
    value = "v" * 15900
    assert send_once(proxy.port, request("/", f"X-Big: {value}")).status == 200
    assert node.requests[0].get("x-big") == value
