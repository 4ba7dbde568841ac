"""HTTP/2 with nodes: proxy_http_version 2 and grpc_pass, frame by frame."""

import shutil
import struct

import pytest

from certificates import Authority
from harness import PROXY, eventually, free_port, site
from http2 import CANCEL, CONTINUATION, END_HEADERS, GOAWAY, HEADERS, INTERNAL_ERROR, PING, \
    REFUSED_STREAM, Http2Client, frame, reset, settings, window_update
from http2_node import Http2Node
from wire import Client, chunks, reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="Debian's nginx has no HTTP/2 to nodes")

TWO = "proxy_http_version 2;"
GRPC = ("content-type", "application/grpc")


@pytest.fixture(name="node_of")
def node_of_fixture(start):
    def make(handler=None, **options):
        return start._keep(Http2Node(handler, **options))  # pylint: disable=protected-access
    return make


def before(start, nodes, location="", server="", upstream="", passes="proxy_pass http://app;" + TWO):
    nodes = nodes if isinstance(nodes, (list, tuple)) else [nodes]
    text = site(nodes, location="@pass@" + location, server=server, upstream=upstream)
    return start.proxy(text.replace("proxy_pass http://app; @pass@", passes))


def goaway(last, code=0):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


# ---- requests and answers

def test_a_request_becomes_fields_and_its_answer_a_head(start, node_of):
    node = node_of(lambda c, r: c.answer(r, 201, b"hello", ("x-node", "1"), ("content-length", "5")))
    proxy = before(start, node, "proxy_set_header Host other.example;"
                                "proxy_set_header Connection upgrade;")
    with Client(proxy.port) as client:
        answer = client.exchange(request("/a?b=c", "X-Mixed: Case", "TE: gzip", "Keep-Alive: 5",
                                         method="POST", body=b"body"))
        assert answer.start == "HTTP/1.1 201 Created" and answer.body == b"hello"
        assert answer.get("content-length") == "5" and answer.get("x-node") == "1"
        assert client.exchange(request("/again")).body == b"hello"
    first, second = node.requests
    assert first.fields[:4] == [(":method", "POST"), (":scheme", "http"), (":path", "/a?b=c"),
                                (":authority", "other.example")]
    assert first.get("x-mixed") == "Case" and first.get("content-length") == "4"
    names = [name for name, _ in first.fields]
    assert not {"connection", "te", "keep-alive", "host", "transfer-encoding"} & set(names)
    assert first.body == b"body" and first.ended
    assert (first.connection, first.stream, second.connection, second.stream) == (0, 1, 0, 3)


@pytest.mark.parametrize("body", [[b"a" * 70000, b"b" * 30000], [b"x"], [b""]])
def test_chunks_both_ways(start, node_of, body):
    body = [piece for piece in body if piece]
    node = node_of(lambda c, r: c.answer(r, 200, r.body))
    proxy = before(start, node, "proxy_request_buffering off;")
    answer = send_once(proxy.port, request("/", method="POST", body=body))
    assert answer.body == b"".join(body) and answer.get("transfer-encoding") == "chunked"
    assert node.requests[0].get("content-length") is None


@pytest.mark.parametrize("buffered", ["on", "off"])
def test_large_bodies_keep_to_the_windows_of_both(start, node_of, buffered):
    body = b"0123456789abcdef" * (1 << 17)  # 2 MiB
    node = node_of(lambda c, r: None, whole=False)

    def serve(c, r):
        assert c.until(lambda: r.ended)
        c.head(r, 200, ("content-length", str(len(r.body))))
        for at in range(0, len(r.body), 60000):
            c.data(r, r.body[at:at + 60000], at + 60000 >= len(r.body))
    node.handler = serve
    proxy = before(start, node, f"proxy_request_buffering {buffered}; client_max_body_size 0;")
    answer = send_once(proxy.port, request("/", method="PUT", body=body))
    assert answer.status == 200 and answer.body == body


def test_a_window_of_a_few_bytes_is_no_deadlock(start, node_of):
    node = node_of(lambda c, r: c.answer(r, 200, r.body), greeting=settings(INITIAL_WINDOW_SIZE=7))
    proxy = before(start, node)
    body = bytes(range(256)) * 8
    assert send_once(proxy.port, request("/", method="POST", body=body)).body == body


def test_statuses_without_a_body_and_head(start, node_of):
    node = node_of(lambda c, r: c.head(r, int(r.target[1:]), ("content-length", "9"), end=True)
                   if r.get(":method") == "HEAD" or r.target != "/204"
                   else c.head(r, 204, end=True))
    proxy = before(start, node)
    with Client(proxy.port) as client:
        for target, method, status, length in [("/200", "HEAD", 200, "9"), ("/304", "GET", 304, "9"),
                                               ("/204", "GET", 204, None)]:
            answer = client.exchange(request(target, method=method))
            assert (answer.status, answer.get("content-length")) == (status, length)
    assert {r.connection for r in node.requests} == {0}


def test_interim_answers_are_no_answers(start, node_of):
    def serve(c, r):
        c.head(r, 103, ("link", "</a>; rel=preload"))
        c.answer(r)
    node = node_of(serve)
    answer = send_once(before(start, node, "early_hints 1;").port, request())
    assert answer.status == 200 and answer.body == b"ok"
    assert [hint.get("link") for hint in answer.informational] == ["</a>; rel=preload"]


def test_trailers_pass_both_ways(start, node_of):
    node = node_of(lambda c, r: c.answer(r, trailers=[("x-sum", "1"), ("x-more", "2")]))
    proxy = before(start, node, "proxy_request_buffering off; proxy_pass_trailers on;",
                   server="http2 on;")
    data = request("/", "Transfer-Encoding: chunked", method="POST") + \
        chunks(b"abc", trailers=["X-Sent: 3"])
    answer = send_once(proxy.port, data, "POST")
    assert answer.trailers == ["x-sum: 1", "x-more: 2"]
    assert node.requests[0].trailers == [("x-sent", "3")]
    with Http2Client(proxy.port) as client:
        answer = client.ask("/")
        assert answer.body == b"ok" and answer.trailers == [("x-sum", "1"), ("x-more", "2")]


def test_an_answer_before_the_end_of_the_request_keeps_the_connection(start, node_of):
    node = node_of(lambda c, r: c.answer(r, 413, b"no", ("content-length", "2")), whole=False)
    proxy = before(start, node, "proxy_request_buffering off;")
    with Client(proxy.port) as client:
        client.send(request("/", "Content-Length: 100000", method="POST") + b"some")
        assert client.read_response().status == 413
    node.wait_for(lambda: node.requests[0].reset is not None, "reset")
    assert node.requests[0].reset == CANCEL
    assert send_once(proxy.port, request("/")).status == 413
    assert node.requests[1].connection == 0


# ---- connections

def test_pools_of_both_protocols_do_not_mix(start):
    node = start.node(lambda c, m: reply(200, b"one", "Connection: keep-alive"))
    proxy = start.proxy(f"""
        upstream app {{ server {node.address}; keepalive 8; }}
        server {{ listen @listen@; location / {{ proxy_pass http://app; }}
                  location /two {{ proxy_pass http://app; {TWO} }} }}""")
    assert send_once(proxy.port, request("/")).body == b"one"
    assert send_once(proxy.port, request("/two")).status == 502
    assert "it speaks HTTP/1.1, not HTTP/2" in proxy.wait_for_log("HTTP/1.1, not", "error.log")
    assert send_once(proxy.port, request("/")).body == b"one"


def test_pings_and_settings_are_answered_while_idle(start, node_of):
    state = {}

    def serve(c, r):
        state["connection"] = c
        c.answer(r)
        if r.stream == 1:
            c.send(frame(PING, 0, 0, b"are you ") + settings(MAX_CONCURRENT_STREAMS=3))
            state["heard"] = c.until(lambda: c.pongs and c.settings_acks == 2)
    node = node_of(serve)
    proxy = before(start, node)
    with Client(proxy.port) as client:
        assert client.exchange(request("/")).status == 200
        eventually(lambda: "heard" in state, "an answer to the ping")
        assert state["heard"]
        assert client.exchange(request("/")).status == 200
    assert [r.connection for r in node.requests] == [0, 0]


def test_a_connection_that_allows_no_more_streams_gets_none(start, node_of):
    """A request would wait there until its time-out, as one that was sent."""
    node = node_of(lambda c, r: c.send(settings(MAX_CONCURRENT_STREAMS=0)) or c.answer(r))
    proxy = before(start, node)
    with Client(proxy.port) as client:
        assert client.exchange(request("/")).status == 200
        assert client.exchange(request("/")).status == 200
    assert [r.connection for r in node.requests] == [0, 1]


def test_an_idle_connection_that_is_retired_is_closed(start, node_of):
    state = {}

    def serve(c, r):
        c.answer(r)
        if c.index == 0:
            c.send(goaway(r.stream))
            state["ended"] = not c.until(lambda: False)
    node = node_of(serve)
    proxy = before(start, node)
    assert send_once(proxy.port, request("/")).status == 200
    eventually(lambda: state.get("ended"), "the end of the connection")
    assert send_once(proxy.port, request("/")).status == 200
    assert [r.connection for r in node.requests] == [0, 1]
    assert not [line for line in proxy.log("error.log") if "error" in line]


# ---- what was not executed goes elsewhere

@pytest.mark.parametrize("how", [lambda r: reset(r.stream, REFUSED_STREAM),
                                 lambda r: goaway(0)], ids=["refused", "goaway"])
def test_what_a_node_turns_away_goes_to_another_whatever_its_method(start, node_of, how):
    bad = node_of(lambda c, r: c.send(how(r)))
    good = node_of(lambda c, r: c.answer(r, 200, r.body))
    proxy = before(start, [bad, good])
    answer = send_once(proxy.port, request("/", method="POST", body=b"once"))
    assert answer.status == 200 and answer.body == b"once"
    assert len(bad.requests) == 1 and len(good.requests) == 1
    assert "unprocessed" in proxy.wait_for_log("trying again", "error.log")


def test_a_connection_retired_under_a_request_is_replaced_by_a_fresh_one(start, node_of):
    def serve(c, r):
        if c.index == 0 and r.stream > 1:
            c.send(goaway(1))
            return
        c.answer(r, 200, r.body)
    node = node_of(serve)
    proxy = before(start, node)
    assert send_once(proxy.port, request("/", method="POST", body=b"1")).body == b"1"
    assert send_once(proxy.port, request("/", method="POST", body=b"2")).body == b"2"
    assert [r.connection for r in node.requests] == [0, 0, 1]


def test_a_reset_may_have_been_executed(start, node_of):
    bad = node_of(lambda c, r: c.send(reset(r.stream, INTERNAL_ERROR)))
    good = node_of()
    proxy = before(start, [bad, good], upstream="least_conn;")
    assert send_once(proxy.port, request("/", method="POST", body=b"x")).status == 502
    assert "the stream was reset: INTERNAL_ERROR" in proxy.wait_for_log("was reset", "error.log")
    assert not good.requests


def test_a_reset_inside_an_answer_cuts_it(start, node_of):
    def serve(c, r):
        c.head(r, 200)
        c.data(r, b"half")
        c.send(reset(r.stream, INTERNAL_ERROR))
    proxy = before(start, node_of(serve), server="http2 on;")
    with Http2Client(proxy.port) as client:
        answer = client.ask("/")
        assert answer.body == b"half" and answer.reset is not None and not answer.ended
    proxy.wait_for_log("closed the connection inside its answer.*INTERNAL_ERROR", "error.log")


# ---- nodes that misbehave

def field(block):
    return lambda c, r: c.send(frame(HEADERS, END_HEADERS, r.stream, block))


BAD = {
    "garbage": lambda c, r: c.send(b"\xff" * 64),
    "pings": lambda c, r: c.send(frame(PING, 0, 0, b"12345678") * 2000),
    "settings": lambda c, r: c.send(settings() * 2000),
    "unknown frames": lambda c, r: c.send(frame(99, 0, 0, b"x") * 2000),
    "continuation": lambda c, r: c.send(frame(HEADERS, 0, r.stream, b"\x88") +
                                        frame(CONTINUATION, 0, r.stream, b"") * 2000),
    "large fields": lambda c, r: c.head(r, 200, *[("x", "y" * 8000)] * 20),
    "connection field": lambda c, r: c.head(r, 200, ("connection", "close")),
    "no status": field(b"\x0f\x0d\x013"),
    "101": lambda c, r: c.head(r, 101),
    "push": lambda c, r: c.send(frame(5, END_HEADERS, r.stream, b"\0\0\0\2\x82\x84\x86")),
    "window": lambda c, r: c.send(window_update(0, 0x7fffffff) * 3),
    "data first": lambda c, r: c.data(r, b"x"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_node_that_talks_nonsense_is_a_bad_one(start, node_of, what):
    def serve(c, r):
        try:
            BAD[what](c, r)
        except OSError:
            return
        c.until(lambda: r.reset is not None)
    node = node_of(serve)
    proxy = before(start, node)
    assert send_once(proxy.port, request("/")).status == 502
    line = proxy.wait_for_log("invalid answer head", "error.log")
    assert "head: " in line, line
    good = node_of()
    assert send_once(before(start, good).port, request("/")).status == 200


# ---- gRPC

def test_grpc_pass_says_te_and_keeps_the_status_of_the_call(start, node_of):
    node = node_of(lambda c, r: c.answer(r, 200, r.body, GRPC, trailers=[("grpc-status", "0")]))
    proxy = before(start, node, server="http2 on;", passes="grpc_pass grpc://app;")
    with Http2Client(proxy.port) as client:
        answer = client.ask("/a.B/C", GRPC, ("te", "trailers"), method="POST", body=b"\0\0\0\0\1x")
        assert answer.get("content-type") == "application/grpc"
        assert answer.body == b"\0\0\0\0\1x" and answer.trailers == [("grpc-status", "0")]
    seen = node.requests[0]
    assert seen.get("te") == "trailers" and seen.get(":path") == "/a.B/C"
    assert seen.get(":authority") == "app" and seen.get("content-length") is None


def test_an_answer_of_trailers_alone(start, node_of):
    node = node_of(lambda c, r: c.head(r, 200, GRPC, ("grpc-status", "12"), end=True))
    proxy = before(start, node, server="http2 on;", passes="grpc_pass app;")
    with Http2Client(proxy.port) as client:
        answer = client.ask("/a.B/C", GRPC, method="POST", body=b"")
        assert answer.get("grpc-status") == "12" and answer.body == b"" and answer.ended


def test_both_directions_flow_at_once(start, node_of):
    def serve(c, r):
        c.head(r, 200, GRPC)
        seen = 0
        while c.until(lambda seen=seen: len(r.body) > seen or r.ended) and not r.ended:
            c.data(r, r.body[seen:])
            seen = len(r.body)
        c.data(r, r.body[seen:])
        c.trailers(r, ("grpc-status", "0"))
    node = node_of(serve, whole=False)
    proxy = before(start, node, server="http2 on;", passes="grpc_pass grpc://app;")
    with Http2Client(proxy.port) as client:
        stream = client.request("/", GRPC, method="POST", end=False)
        answer = client.answer_of(stream)
        for i in range(5):
            said = b"message %d" % i
            client.data(stream, said, end=False)
            before_that = len(answer.body)
            client.until_that(lambda n=before_that, s=said: len(answer.body) == n + len(s), "echo")
        client.data(stream, b"", end=True)
        assert client.answer(stream).trailers == [("grpc-status", "0")]


def test_a_client_that_does_not_read_can_still_send(start, node_of):
    """Windows for the request open though the answer is not taken."""
    size = 1 << 20

    def serve(c, r):
        c.head(r, 200, GRPC)
        c.data(r, b"y" * 60000)
        c.until(lambda: r.ended)
        c.trailers(r, ("grpc-status", "0"))
    node = node_of(serve, whole=False)
    proxy = before(start, node, "client_max_body_size 0;", server="http2 on;",
                   passes="grpc_pass grpc://app;")
    with Http2Client(proxy.port, greedy=False) as client:
        client.send(settings(INITIAL_WINDOW_SIZE=0))
        stream = client.request("/", GRPC, method="POST", end=False)
        sent = 0
        while sent < size:
            client.data(stream, b"z" * 16384, end=False)
            sent += 16384
            node.wait_for(lambda n=sent: node.requests and len(node.requests[0].body) == n,
                          f"{sent} bytes")
        client.data(stream, b"", end=True)
        client.send(window_update(stream, 1 << 20))
        assert client.answer(stream).trailers == [("grpc-status", "0")]


def test_a_client_that_cancels_cancels_at_the_node(start, node_of):
    node = node_of(lambda c, r: (c.head(r, 200, GRPC), c.until(lambda: r.reset is not None)),
                   whole=False)
    proxy = before(start, node, server="http2 on;", passes="grpc_pass grpc://app;")
    with Http2Client(proxy.port) as client:
        stream = client.request("/", GRPC, method="POST", end=False)
        client.until_that(lambda: client.answer_of(stream).fields, "the head")
        client.send(reset(stream))
        node.wait_for(lambda: node.requests[0].reset is not None, "a reset")


def test_errors_of_the_proxy_stay_statuses_of_http(start):
    refused = start.refused()
    proxy = before(start, refused, server="http2 on;", passes="grpc_pass grpc://app;")
    with Http2Client(proxy.port) as client:
        assert client.ask("/", GRPC, method="POST", body=b"").status == 502
    assert '"grpc://' in proxy.wait_for_log("upstream:", "error.log")


def test_yaml_has_the_same_words(start, node_of):
    node = node_of(lambda c, r: c.answer(r, 200, b"x", GRPC, trailers=[("grpc-status", "0")]))
    proxy = start.proxy(f"""upstreams:
  app: {{ servers: ["{node.address}"] }}
servers:
  - listen: "@listen@"
    http2: on
    locations:
      - path: /
        grpc_pass: grpc://app
        grpc_set_header: {{ X-Extra: one }}
      - path: /two
        proxy_pass: http://app
        proxy_http_version: 2
error_log: "@dir@/error.log notice"
""")
    with Http2Client(proxy.port) as client:
        assert client.ask("/").trailers == [("grpc-status", "0")]
        assert client.ask("/two").body == b"x"
    assert node.requests[0].get("x-extra") == "one" and node.requests[0].get(":authority") == \
        "example.com"


# ---- real parts

needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")


@needs_nginx
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_nginx_as_a_node(start, tmp_path, tls):
    certificate, key = Authority(tmp_path).sign("node.example")
    secret = f"ssl_certificate {certificate}; ssl_certificate_key {key};" if tls else ""
    port = free_port()
    (tmp_path / "big").write_bytes(b"n" * 1000000)
    node = start.proxy(f"""server {{ listen @listen@; listen 127.0.0.1:{port} {"ssl" if tls else ""}
        http2; {secret} root {tmp_path};
        location /echo {{ return 200 "$http2 $host $request_method"; }} }}""", kind="nginx")
    assert node.port
    scheme = "https" if tls else "http"
    proxy = start.proxy(f"""server {{ listen @listen@; location / {{
        proxy_pass {scheme}://127.0.0.1:{port}; {TWO} }} }}""")
    with Client(proxy.port) as client:
        for _ in range(3):
            answer = client.exchange(request("/echo"))
            assert answer.body == (b"h2" if tls else b"h2c") + b" 127.0.0.1 GET"
        assert client.exchange(request("/big")).body == b"n" * 1000000
        assert client.exchange(request("/none")).status == 404


@needs_nginx
def test_a_websocket_goes_by_http_1_1(start):
    def serve(connection, message):
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                        b"Upgrade: websocket\r\n\r\nhello")
        connection.wait_for_end()
    node = start.node(serve)
    proxy = start.proxy(f"""upstreams: {{ app: {{ servers: ["{node.address}"] }} }}
servers:
  - listen: "@listen@"
    locations: [{{ path: /, proxy_pass: "http://app", proxy_http_version: 2 }}]
""")
    with Client(proxy.port) as client:
        client.send(request("/", "Connection: Upgrade", "Upgrade: websocket"))
        assert client.read_head().status == 101
        assert client.exactly(5) == b"hello"
