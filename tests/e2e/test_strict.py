"""Doubtful input. Whatever is refused is refused before a node hears of it, and the connection
ends: what follows in it cannot be trusted to be where it seems to be."""

import pytest

from harness import PROXY, weir_only
from wire import Client, chunks, reply, request, send_once

REFUSED = "refused"  # nothing reaches the node, the connection ends
SERVED = "served"  # one request reaches the node, the connection goes on

# What a smuggled request would look like; a node must never see it.
EVIL = b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n"


def head(*lines, end=b"\r\n"):
    return b"".join((line if isinstance(line, bytes) else line.encode()) + end
                    for line in (*lines, ""))


def post(*fields, body=b""):
    return head("POST /x HTTP/1.1", "Host: h", *fields) + body


CHUNKED = "Transfer-Encoding: chunked"

# name, what the client sends, status and fate with weir, and with nginx 1.22 where it differs
# ("-" for: not compared)
ROWS = [
    # Transfer-Encoding
    ("unknown coding", post("Transfer-Encoding: xchunked", body=EVIL), 501, REFUSED, None),
    ("chunked, identity", post("Transfer-Encoding: chunked, identity", body=EVIL), 501, REFUSED,
     None),
    ("identity", post("Transfer-Encoding: identity", body=EVIL), 501, REFUSED, None),
    ("gzip, chunked", post("Transfer-Encoding: gzip, chunked", body=EVIL), 501, REFUSED, None),
    ("chunked twice", post(CHUNKED, CHUNKED, body=chunks(b"a")), (400, 501), REFUSED, None),
    ("chunked, chunked", post("Transfer-Encoding: chunked, chunked", body=chunks(b"a")),
     (400, 501), REFUSED, None),
    ("empty transfer-encoding", post("Transfer-Encoding:", body=EVIL), (400, 501), REFUSED, None),
    ("quoted chunked", post('Transfer-Encoding: "chunked"', body=EVIL), (400, 501), REFUSED, None),
    ("tab before chunked", post("Transfer-Encoding:\tchunked", body=chunks(b"a")), (200, 400),
     "-", "-"),
    ("CHUNKED in capitals", post("transfer-encoding: CHUNKED", body=chunks(b"a")), 200, SERVED,
     None),
    ("chunked in HTTP/1.0", head("POST /x HTTP/1.0", "Host: h", CHUNKED) + chunks(b"a"), 400,
     REFUSED, None),
    # Content-Length
    ("equal content-lengths", post("Content-Length: 3", "Content-Length: 3", body=b"abc"), 400,
     REFUSED, None),
    ("content-length list", post("Content-Length: 3, 3", body=b"abc"), 400, REFUSED, None),
    ("different content-lengths", post("Content-Length: 3", "Content-Length: 40",
                                       body=b"abc" + EVIL), 400, REFUSED, None),
    ("content-length and chunked", post("Content-Length: 3", CHUNKED, body=chunks(b"a")), 400,
     REFUSED, None),
    ("chunked and content-length", post(CHUNKED, "Content-Length: 6", body=chunks() + EVIL), 400,
     REFUSED, None),
    ("+3", post("Content-Length: +3", body=b"abc"), 400, REFUSED, None),
    ("-3", post("Content-Length: -3", body=b"abc"), 400, REFUSED, None),
    ("0x3", post("Content-Length: 0x3", body=b"abc"), 400, REFUSED, None),
    ("3 3", post("Content-Length: 3 3", body=b"abc"), 400, REFUSED, None),
    ("empty content-length", post("Content-Length:", body=EVIL), 400, REFUSED, None),
    ("content-length above 2^64", post("Content-Length: 18446744073709551619", body=b"abc"),
     (400, 413), REFUSED, None),
    ("leading zeros", post("Content-Length: 0003", body=b"abc"), 200, SERVED, None),
    # Host and target
    ("no host", head("GET / HTTP/1.1"), 400, REFUSED, None),
    ("two hosts", head("GET / HTTP/1.1", "Host: a", "Host: b"), 400, REFUSED, None),
    ("equal hosts", head("GET / HTTP/1.1", "Host: a", "Host: a"), 400, REFUSED, None),
    ("no host in HTTP/1.0", head("GET / HTTP/1.0", "Connection: keep-alive"), 200, SERVED, None),
    ("host with a space", head("GET / HTTP/1.1", "Host: a b"), 400, REFUSED, None),
    ("host with a slash", head("GET / HTTP/1.1", "Host: a/b"), 400, REFUSED, None),
    ("absolute target", head("GET http://b/x HTTP/1.1", "Host: a"), 200, SERVED, None),
    ("absolute target without host", head("GET http://b/x HTTP/1.1"), 400, REFUSED, None),
    ("target without slash", head("GET x HTTP/1.1", "Host: h"), 400, REFUSED, None),
    ("control byte in the target", head("GET /a\x01b HTTP/1.1", "Host: h"), 400, REFUSED, None),
    ("NUL in the target", head("GET /a\0b HTTP/1.1", "Host: h"), 400, REFUSED, None),
    ("escaped NUL in the path", head("GET /a%00b HTTP/1.1", "Host: h"), 400, REFUSED, None),
    ("half an escape", head("GET /a%4 HTTP/1.1", "Host: h"), 400, REFUSED, None),
    ("path above the root", head("GET /../x HTTP/1.1", "Host: h"), 400, REFUSED, None),
    # Lines
    ("folded field", head("GET / HTTP/1.1", "Host: h", "X-A: 1", " folded"), 400, REFUSED, None),
    ("folded by a tab", head("GET / HTTP/1.1", "Host: h", "X-A: 1", "\tfolded"), 400, REFUSED,
     None),
    ("space before the first field", head("GET / HTTP/1.1", " X-A: 1", "Host: h"), 400, REFUSED,
     None),
    ("empty lines before", b"\r\n\r\n" + request(), 200, SERVED, None),
    ("field lines ended by LF", head("GET / HTTP/1.1", "Host: h", end=b"\n"), 400, REFUSED,
     (200, SERVED)),
    ("one line ended by LF", b"GET / HTTP/1.1\r\nHost: h\nX-A: 1\r\n\r\n", 400, REFUSED,
     (200, SERVED)),
    ("CR in a value", head("GET / HTTP/1.1", "Host: h", "X-A: a\rb"), 400, REFUSED, "-"),
    ("CR alone ends a line", b"GET / HTTP/1.1\rHost: h\r\n\r\n", 400, REFUSED, None),
    ("NUL in a value", head("GET / HTTP/1.1", "Host: h", "X-A: a\0b"), 400, REFUSED, None),
    ("NUL in a name", head("GET / HTTP/1.1", "Host: h", "X\0A: b"), 400, REFUSED, None),
    ("space before the colon", head("GET / HTTP/1.1", "Host: h", "X-A : b"), 400, REFUSED, None),
    ("space before the colon of a length",
     post("Content-Length : 34", body=EVIL), 400, REFUSED, None),
    ("no colon", head("GET / HTTP/1.1", "Host: h", "nonsense"), 400, REFUSED, "-"),
    ("empty name", head("GET / HTTP/1.1", "Host: h", ": b"), 400, REFUSED, "-"),
    ("name with a non-token character", head("GET / HTTP/1.1", "Host: h", "X(y: 1"), 200, SERVED,
     None),
    # Request line
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, REFUSED, (200, SERVED)),
    ("space at its end", b"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400, REFUSED, (200, SERVED)),
    ("space at its begin", b" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, REFUSED, None),
    ("tab for space", b"GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", 400, REFUSED, None),
    ("space in the target", b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400, REFUSED, "-"),
    ("HTTP/1.2", head("GET / HTTP/1.2", "Host: h"), 200, SERVED, None),
    ("HTTP/2.0", head("GET / HTTP/2.0", "Host: h"), (400, 505), REFUSED, None),
    ("HTTP/1.1 in small letters", head("GET / http/1.1", "Host: h"), 400, REFUSED, None),
    ("HTTP/11", head("GET / HTTP/11", "Host: h"), (400, 505), REFUSED, None),
    ("HTTP/0.9", b"GET /\r\n", 400, REFUSED, (200, SERVED)),
    ("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 405, 505), REFUSED, None),
    ("CONNECT", head("CONNECT h:443 HTTP/1.1", "Host: h:443"), (400, 405, 501), REFUSED, None),
    ("TRACE", head("TRACE / HTTP/1.1", "Host: h"), 405, "-", None),
    ("method with a control byte", head("G\x01T / HTTP/1.1", "Host: h"), 400, REFUSED, None),
    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40, 400, REFUSED,
     None),
    # Chunks
    ("chunk size with LF", post(CHUNKED, body=b"1\na\r\n0\r\n\r\n"), 400, REFUSED, (200, SERVED)),
    ("chunk data ended by LF", post(CHUNKED, body=b"1\r\na\n0\r\n\r\n"), 400, REFUSED,
     (200, SERVED)),
    ("last chunk with LF", post(CHUNKED, body=b"1\r\na\r\n0\n\n"), 400, REFUSED, (200, SERVED)),
    ("chunk longer than its size", post(CHUNKED, body=b"1\r\nabc\r\n0\r\n\r\n"), 400, REFUSED,
     None),
    ("chunk size overflow", post(CHUNKED, body=b"10000000000000001\r\na\r\n0\r\n\r\n"),
     (400, 413), REFUSED, None),
    ("chunk size 0x1", post(CHUNKED, body=b"0x1\r\na\r\n0\r\n\r\n"), 400, REFUSED, None),
    ("chunk size -1", post(CHUNKED, body=b"-1\r\na\r\n0\r\n\r\n"), 400, REFUSED, None),
    ("chunk size +1", post(CHUNKED, body=b"+1\r\na\r\n0\r\n\r\n"), 400, REFUSED, None),
    ("no chunk size", post(CHUNKED, body=b"\r\na\r\n0\r\n\r\n"), 400, REFUSED, None),
    ("space before chunk size", post(CHUNKED, body=b" 1\r\na\r\n0\r\n\r\n"), 400, REFUSED, None),
    ("chunk extension", post(CHUNKED, body=b"1;a=b\r\na\r\n0\r\n\r\n"), 200, SERVED, None),
    ("LF in a chunk extension", post(CHUNKED, body=b"1;a\nb\r\na\r\n0\r\n\r\n"), 400, REFUSED,
     "-"),
    ("capital chunk size", post(CHUNKED, body=b"A\r\n0123456789\r\n0\r\n\r\n"), 200, SERVED, None),
]


@pytest.fixture(scope="module")
def shared(start_once):
    node = start_once.node(lambda _, m: reply(200, b"ok"))
    location = "proxy_set_header Host $host; proxy_set_header Connection '';"
    strict = "" if PROXY == "nginx" else "bare_line_feeds off;"
    return start_once.before(node, location=location,
                             server=f"client_header_timeout 2s; {strict}"), node


@pytest.mark.parametrize("data, status, fate, nginx", [row[1:] for row in ROWS],
                         ids=[row[0] for row in ROWS])
def test_request(shared, data, status, fate, nginx):
    if PROXY == "nginx" and nginx == "-":
        pytest.skip("not compared")
    if PROXY == "nginx" and nginx is not None:
        status, fate = nginx
    proxy, node = shared
    before = len(node.requests)
    with Client(proxy.port) as client:
        client.send(data)
        if data.startswith(b"GET /\r\n") and fate == SERVED:
            assert b"ok" in client.to_end()  # HTTP/0.9 has no head
            return
        got = client.read_response()
        assert got is not None, "closed without an answer"
        assert got.status in (status if isinstance(status, tuple) else (status,))
        if fate == REFUSED:
            assert client.at_end()
        elif fate == SERVED:
            assert client.exchange(request("/next")).status == 200
    # Had something been passed on, it would be before this one.
    assert send_once(proxy.port, request("/mark")).status == 200
    seen = [message.target for message in node.requests[before:] if message.complete]
    assert "/evil" not in seen
    if fate != "-":
        assert len(seen) == (1 if fate == REFUSED else 3), seen


@pytest.mark.parametrize("target, host, want", [
    ("http://b/x", "a", ("/x", "b")),
    ("http://b:81/x?y", "a", ("/x?y", "b")),
    ("http://b", "b", ("/", "b")),
    ("HTTP://B/x", "a", ("/x", "b")),
])
def test_absolute_target_wins_over_host(shared, target, host, want):
    proxy, node = shared
    assert send_once(proxy.port, request(target, host=host)).status == 200
    got = node.requests[-1]
    if PROXY == "nginx":  # passes the target's form on where it is not changed
        assert got.get("host") == want[1]
    else:
        assert (got.target, got.get("host")) == want
        assert len(got.all("host")) == 1


def test_lines_may_end_in_lf_alone_as_they_may_before_nginx(start):
    answer = b"HTTP/1.1 200 OK\nContent-Length: 2\nX-A: b\n\nok"
    node = start.node(lambda *_: answer)
    proxy = start.before(node)
    with Client(proxy.port) as client:
        client.send(b"POST /x HTTP/1.1\nHost: h\nContent-Length: 3\n\na\nb" + request("/next"))
        got = client.read_response()
        assert (got.status, got.get("x-a"), got.body) == (200, "b", b"ok")
        assert client.read_response().status == 200
    assert [message.target for message in node.requests] == ["/x", "/next"]
    assert node.requests[0].body == b"a\nb"


@weir_only
@pytest.mark.parametrize("fields", [
    ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"],
    ["X(y: 1"],
    ["Proxy: http://evil.example"],
])
def test_dropped_from_a_request_that_is_served(shared, fields):
    proxy, node = shared
    assert send_once(proxy.port, request("/", *fields)).status == 200
    names = {field.partition(":")[0].lower() for field in fields} - {"connection"}
    assert names.isdisjoint(name for name, _ in node.requests[-1].fields)


# What a node says is as doubtful

ANSWERS = [
    ("no HTTP at all", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ("HTTP/0.9", b"<html>hello</html>"),
    ("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("no status", b"HTTP/1.1 \r\nContent-Length: 2\r\n\r\nok"),
    ("status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("status 099", b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("different content-lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
     b"Content-Length: 3\r\n\r\nok"),
    ("content-length and chunked", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ("unknown coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nok"),
    ("NUL in a value", b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok"),
    ("CR in a value", b"HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok"),
    ("space before the colon", b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"),
    ("folded field", b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\nContent-Length: 2\r\n\r\nok"),
    ("negative content-length", b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"),
]


@weir_only
@pytest.mark.parametrize("answer", [row[1] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_answer_of_a_node(start_once, answer, shared_answers):
    proxy, node, answers = shared_answers
    answers[:] = [answer]
    with Client(proxy.port) as client:
        got = client.exchange(request())
        assert (got.status, got.complete) == (502, True)
        assert client.exchange(request("/fine")).body == b"fine"


@pytest.fixture(scope="module")
def shared_answers(start_once):
    answers = []

    def handler(connection, message):
        if message.target == "/fine":
            return reply(200, b"fine")
        connection.send(answers[0])
        connection.half_close()
        connection.wait_for_end()
        return None
    node = start_once.node(handler)
    return start_once.before(node), node, answers


@weir_only
@pytest.mark.parametrize("chunked", [
    b"2\nok\r\n0\r\n\r\n", b"2\r\nok\n0\r\n\r\n", b"zz\r\nok\r\n0\r\n\r\n",
    b"10000000000000002\r\nok\r\n0\r\n\r\n", b"2\r\nokok\r\n0\r\n\r\n"])
def test_bad_chunks_of_a_node_cut_the_answer(shared_answers, chunked):
    proxy, _, answers = shared_answers
    answers[:] = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked]
    with Client(proxy.port) as client:
        got = client.exchange(request())
        assert got is None or got.status == 502 or not got.complete
