"""HTTP/2 from clients: the same answers as HTTP/1.1 gets, over streams."""

import subprocess
import threading

import pytest

from certificates import Authority
from http2 import DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, NO_ERROR, PREFACE, \
    PROTOCOL_ERROR, Http2Client, frame, settings, window_update
from wire import Client, chunks, reply


# ---- clients of others

def curl(*arguments):
    done = subprocess.run(["curl", "-sS", "-m", "10", *arguments], capture_output=True, timeout=20,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl_asks_by_prior_knowledge(proxy_of):
    proxy, node = proxy_of(lambda connection, message: reply(200, b"hello", "X-Node: 1"))
    url = f"http://127.0.0.1:{proxy.port}"
    out = curl("--http2-prior-knowledge", "-w", "%{http_version} %{http_code}",
               "-H", "Cookie: a=1; b=2", url + "/a/b?c=d")
    assert out == b"hello2 200"
    assert node.requests[0].start == "GET /a/b?c=d HTTP/1.1"
    assert node.requests[0].get("cookie") == "a=1; b=2"
    assert node.requests[0].all("host") == ["app"]
    # Whoever does not ask gets HTTP/1.1.
    assert curl("-w", "%{http_version}", url + "/") == b"hello1.1"


def test_curl_and_nghttp_ask_by_alpn(start, tmp_path):
    certificate, key = Authority(tmp_path).sign("example.com")
    node = start.node(lambda connection, message: reply(200, b"x" * 300000))
    proxy = start.proxy(f"""
    upstream app {{ server {node.address}; }}
    server {{
        listen @listen@ ssl;
        http2 on;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            proxy_pass http://app;
            add_header X-Seen "$http2 $server_protocol $ssl_alpn_protocol $scheme";
        }}
    }}""")
    url = f"https://127.0.0.1:{proxy.port}/"
    head = curl("-k", "--http2", "-D", "-", "-o", "/dev/null", url).decode()
    assert head.startswith("HTTP/2 200")
    assert "x-seen: h2 HTTP/2.0 h2 https" in head
    assert curl("-k", "--http1.1", "-o", "/dev/null", "-w", "%{http_version}", url) == b"1.1"
    done = subprocess.run(["nghttp", "-ns", "--no-verify-peer", "-m", "20", url],
                          capture_output=True, timeout=20, check=False)
    assert done.stdout.count(b" 200 ") == 20, done.stdout + done.stderr


@pytest.mark.parametrize("default,named", [("on", "off"), ("off", "on")])
def test_the_server_that_sni_names_decides(start, tmp_path, default, named):
    certificate, key = Authority(tmp_path).sign("example.com")
    proxy = start.proxy(f"""
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    server {{ listen @listen@ ssl; http2 {default}; return 200 default; }}
    server {{ listen @listen@ ssl; http2 {named}; server_name example.com; return 200 named; }}""")
    version = {"on": b"2", "off": b"1.1"}
    for name, text, spoken in [("other", b"default", default), ("example.com", b"named", named)]:
        assert curl("-k", "--http2", "-w", " %{http_version}", "--connect-to",
                    f"{name}:1:127.0.0.1:{proxy.port}",
                    f"https://{name}:1/") == text + b" " + version[spoken]


def test_a_listener_of_tls_serves_no_plain_http2(start, tmp_path):
    certificate, key = Authority(tmp_path).sign("example.com")
    proxy = start.proxy(f"""server {{
        listen @listen@ ssl; http2 on; ssl_certificate {certificate}; ssl_certificate_key {key};
        return 200 secret;
    }}""")
    with Client(proxy.port) as client:
        client.send(PREFACE + settings() + frame(HEADERS, 5, 1, b"\x82\x86\x84\x41\x01a"))
        assert b"secret" not in client.to_end()


def test_many_streams_of_h2load(proxy_of):
    proxy, node = proxy_of(lambda connection, message: reply(200, b"x" * 1024))
    done = subprocess.run(["h2load", "-n", "400", "-c", "4", "-m", "20",
                           f"http://127.0.0.1:{proxy.port}/"],
                          capture_output=True, timeout=60, check=False, text=True)
    assert "400 succeeded, 0 failed" in done.stdout, done.stdout
    assert len(node.requests) == 400


# ---- requests and answers

def test_a_request_and_its_answer(proxy_of):
    proxy, node = proxy_of(lambda connection, message: reply(
        201, b"made", "X-Node: Yes", "Connection: close", "Keep-Alive: timeout=5"))
    with Http2Client(proxy.port) as client:
        answer = client.ask("/x", ("a", "1"), ("cookie", "b=1"), ("cookie", "c=2"))
        names = [name for name, _ in answer.fields]
        assert answer.status == 201 and answer.body == b"made"
        assert answer.get("x-node") == "Yes" and answer.get("content-length") == "4"
        assert not {"connection", "keep-alive", "transfer-encoding"} & set(names)
        assert names[:3] == [":status", "server", "date"]
    seen = node.requests[0]
    assert seen.get("a") == "1" and seen.all("cookie") == ["b=1; c=2"]
    assert proxy.wait_for_log('"GET /x HTTP/2.0" 201 4')


@pytest.mark.parametrize("method,status,body", [
    ("HEAD", 200, b""), ("GET", 204, None), ("GET", 304, None)])
def test_answers_without_a_body(proxy_of, method, status, body):
    text = reply(status, body) if body is None else reply(status, b"").replace(
        b"Content-Length: 0", b"Content-Length: 5")
    proxy, _ = proxy_of(lambda connection, message: text)
    with Http2Client(proxy.port) as client:
        stream = client.request("/", method=method)
        client.until_that(lambda: client.answer_of(stream).fields, "the head")
        answer = client.answer_of(stream)
        assert answer.ended and answer.status == status and answer.body == b""


@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("size", [0, 1, 100000, 900000])
def test_bodies_both_ways(proxy_of, buffering, counted, size):
    body = bytes(i * 7 % 251 for i in range(size))
    proxy, node = proxy_of(lambda connection, message: reply(200, message.body),
                           location=f"proxy_request_buffering {buffering};")
    with Http2Client(proxy.port) as client:
        fields = [("content-length", str(size))] if counted else []
        stream = client.headers(client.fields_of("/", *fields, method="POST"), end=False)
        sent = 0
        # As much as the windows allow, which the proxy opens while it reads.
        windows = {0: 65535, stream: 65535}
        while sent < size or size == 0:
            piece = body[sent:sent + min(16384, *windows.values())]
            if piece or size == 0:
                client.send(frame(DATA, END_STREAM if sent + len(piece) == size else 0, stream,
                                  piece))
                sent += len(piece)
                windows = {key: value - len(piece) for key, value in windows.items()}
                if size == 0:
                    break
                continue
            got = client.read_frame()
            if got.kind == 8:
                windows[got.stream] += int.from_bytes(got.payload, "big")
        answer = client.answer(stream)
        assert answer.status == 200 and answer.body == body
    assert node.requests[0].body == body
    if counted or buffering == "on":
        assert node.requests[0].get("content-length") == str(size)
    else:
        assert node.requests[0].get("transfer-encoding") == "chunked"


def test_streams_do_not_wait_for_each_other(proxy_of):
    go = threading.Event()

    def handler(connection, message):
        if message.target == "/slow":
            assert go.wait(5)
        return reply(200, message.target.encode())

    proxy, _ = proxy_of(handler)
    with Http2Client(proxy.port) as client:
        slow = client.request("/slow")
        assert client.ask("/fast").body == b"/fast"
        assert not client.answer_of(slow).fields
        go.set()
        assert client.answer(slow).body == b"/slow"


def test_chunked_answers_and_trailers_of_nodes(proxy_of):
    answer = reply(200, None, "Transfer-Encoding: chunked") + chunks(
        b"one", b"two", trailers=["X-Sum: 6"])
    proxy, _ = proxy_of(lambda connection, message: answer, location="proxy_pass_trailers on;")
    with Http2Client(proxy.port) as client:
        got = client.ask("/")
        assert got.body == b"onetwo" and got.trailers == [("x-sum", "6")]
        assert got.get("content-length") is None


def test_trailers_of_clients(proxy_of):
    proxy, node = proxy_of(location="proxy_request_buffering off;")
    with Http2Client(proxy.port) as client:
        stream = client.headers(client.fields_of("/", method="POST"), end=False)
        client.data(stream, b"body", end=False)
        client.headers([("x-sum", "4")], stream=stream)
        assert client.answer(stream).status == 200
    assert node.requests[0].body == b"body" and node.requests[0].trailers == ["x-sum: 4"]


def test_own_trailers_and_pages(proxy_of):
    proxy, _ = proxy_of(server='add_trailer X-End "$status"; location /own { return 200 "own"; }')
    with Http2Client(proxy.port) as client:
        got = client.ask("/own")
        assert got.body == b"own" and got.trailers == [("x-end", "200")]


def test_files_and_compression(proxy_of, tmp_path):
    (tmp_path / "big.txt").write_bytes(b"0123456789" * 50000)
    tmp_path.chmod(0o755)
    proxy, _ = proxy_of(server=f"gzip on; gzip_types text/plain; location /big.txt {{ root {tmp_path}; }}")
    with Http2Client(proxy.port) as client:
        assert client.ask("/big.txt").body == b"0123456789" * 50000
        part = client.ask("/big.txt", ("range", "bytes=10-19"))
        assert part.status == 206 and part.body == b"0123456789"
        small = client.ask("/big.txt", ("accept-encoding", "gzip"))
        assert small.get("content-encoding") == "gzip" and len(small.body) < 5000
        assert client.ask("/none", ("a", "b")).status == 200


def test_early_hints_and_continue_pass(proxy_of):
    def handler(connection, message):
        connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        connection.read_body(message)
        return reply(200, message.body)

    proxy, _ = proxy_of(handler, whole=False,
                        location="early_hints 1; proxy_request_buffering off;")
    with Http2Client(proxy.port) as client:
        stream = client.headers(client.fields_of(
            "/", ("expect", "100-continue"), ("content-length", "4"), method="POST"), end=False)
        answer = client.answer_of(stream)
        client.until_that(lambda: any((":status", "100") in fields
                                      for fields in answer.informational), "100")
        client.data(stream, b"body")
        assert client.answer(stream).body == b"body"
        assert [(":status", "103"), ("link", "</a.css>")] in answer.informational


def test_heads_that_are_too_large(proxy_of):
    proxy, _ = proxy_of(server="large_client_header_buffers 2 1k;")
    with Http2Client(proxy.port) as client:
        assert client.ask("/", ("a", "x" * 900)).status == 200
        assert client.ask("/", ("a", "x" * 1100)).status == 400  # nginx's 494
        assert client.ask("/", *[("a", "x" * 500)] * 5).status == 400
        assert client.ask("/" + "x" * 1100).status == 414
        assert client.ask("/").status == 200


def test_trailers_that_are_too_large_end_their_stream_only(proxy_of):
    proxy, node = proxy_of(lambda connection, message: reply() if message.target == "/"
                           else connection.wait_for_end(),
                           server="large_client_header_buffers 2 1k;",
                           location="proxy_request_buffering off;")
    with Http2Client(proxy.port) as client:
        stream = client.headers(client.fields_of("/cut", method="POST"), end=False)
        client.data(stream, b"body", end=False)
        node.wait_for_requests(1)
        client.headers([("x-a", "y" * 900)] * 3, stream=stream)
        assert client.answer(stream).reset == ENHANCE_YOUR_CALM
        assert client.ask("/").status == 200
    assert proxy.wait_for_log("client sent too large trailers", "error.log")


def test_trailers_without_measure_end_the_connection(proxy_of):
    proxy, _ = proxy_of()
    with Http2Client(proxy.port) as client:
        stream = client.headers(client.fields_of("/", ("x", "y" * 3900), method="POST"), end=False)
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\xbe" * 12000))
        assert client.read_to_end().code == ENHANCE_YOUR_CALM


def test_the_number_of_fields_is_limited_as_in_http1(proxy_of):
    proxy, _ = proxy_of(server="max_headers 5; location /up { proxy_pass http://app; }")
    with Http2Client(proxy.port) as client:
        for path, how in [("/", {}), ("/up", {"method": "POST", "body": b"chunked"})]:
            assert client.ask(path, *[("a", "b")] * 5, **how).status == 200
            assert client.ask(path, *[("a", "b")] * 6, **how).status == 400


def test_a_large_head_of_an_answer_passes(proxy_of):
    proxy, _ = proxy_of(server="""large_client_header_buffers 2 64k;
        location /own { add_header X-A $arg_a; add_header X-B $arg_a; add_header X-C $arg_a;
                        add_header X-D $arg_a; add_header X-E $arg_a; add_header X-F $arg_a;
                        return 200 own; }""")
    with Http2Client(proxy.port) as client:
        got = client.ask("/own?a=" + "x" * 15000)
        assert got.body == b"own" and got.get("x-f") == "x" * 15000


def test_bytes_in_a_frame_are_limited(proxy_of):
    proxy, _ = proxy_of(server="location /own { http2_chunk_size 2; return 200 body; }")
    with Http2Client(proxy.port) as client:
        stream = client.request("/own")
        sizes = []
        while not client.answer_of(stream).ended:
            got = client.read_frame()
            if got.kind == DATA:
                sizes.append(len(got.payload))
        assert sizes == [2, 2]


def test_a_server_without_http2_is_not_served_over_it(start):
    proxy = start.proxy("""
    server { listen @listen@; http2 on; return 200 on; }
    server { listen @listen@; server_name off; return 200 off; }""")
    with Http2Client(proxy.port) as client:
        assert client.ask("/", authority="off").status == 421
        assert client.ask("/").status == 200
    with Client(proxy.port) as client:
        assert client.exchange(b"GET / HTTP/1.1\r\nHost: off\r\n\r\n", "GET").body == b"off"


def test_a_body_beyond_the_limit_is_refused(proxy_of):
    proxy, _ = proxy_of(server="client_max_body_size 10;")
    with Http2Client(proxy.port) as client:
        stream = client.headers(client.fields_of("/", ("content-length", "11"), method="POST"),
                                end=False)
        answer = client.answer_of(stream)
        client.until_that(lambda: answer.reset is not None, "the end of the request")
        assert answer.status == 413 and answer.ended and answer.reset == NO_ERROR
        assert client.ask("/").status == 200


@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_an_answer_without_a_body_does_not_wait_for_the_requests(proxy_of, method):
    proxy, node = proxy_of(server="location /own { return 204; }")
    with Http2Client(proxy.port) as client:
        stream = client.headers(client.fields_of("/own", method=method), end=False)
        answer = client.answer_of(stream)
        client.until_that(lambda: answer.reset is not None, "the end of the request")
        assert answer.status == 204 and answer.ended and answer.reset == NO_ERROR
        client.data(stream, b"late")  # was on its way
        assert client.ask("/").status == 200
    assert len(node.requests) == 1


def test_two_hosts_are_refused(proxy_of):
    proxy, node = proxy_of()
    with Http2Client(proxy.port) as client:
        assert client.ask("/", ("host", "other")).status == 400
        assert client.ask("/", ("host", "a"), ("host", "b")).reset == PROTOCOL_ERROR
        assert client.ask("/", ("host", "example.com")).status == 200
        assert client.ask("/", ("host", "example.com"), authority=None).status == 200
    assert len(node.requests) == 2


def test_connect_is_refused(proxy_of):
    proxy, node = proxy_of()
    with Http2Client(proxy.port) as client:
        stream = client.headers([(":method", "CONNECT"), (":authority", "example.com:443")])
        assert client.answer(stream).status == 405
    assert not node.requests


# ---- flow control

def test_an_answer_waits_for_the_window(proxy_of):
    body = b"x" * 100000
    proxy, _ = proxy_of(lambda connection, message: reply(200, body))
    with Http2Client(proxy.port, PREFACE + settings(INITIAL_WINDOW_SIZE=10), greedy=False) as client:
        stream = client.request("/")
        answer = client.answer_of(stream)
        client.until_that(lambda: len(answer.body) == 10, "ten bytes")
        client.ping()
        assert len(answer.body) == 10
        client.send(window_update(stream, 5))
        client.until_that(lambda: len(answer.body) == 15, "five more")
        client.send(window_update(stream, 200000))
        client.until_that(lambda: len(answer.body) == 65535, "the connection's window")
        client.send(window_update(0, 200000))
        assert client.answer(stream).body == body


def test_a_body_waits_for_the_node(proxy_of):
    go = threading.Event()

    def handler(connection, message):
        assert go.wait(5)
        connection.read_body(message)
        return reply(200, str(len(message.body)).encode())

    proxy, _ = proxy_of(handler, whole=False,
                        server="client_max_body_size 0; proxy_request_buffering off;")
    with Http2Client(proxy.port) as client:
        stream = client.headers(client.fields_of("/", method="POST"), end=False)
        window, sent = 65535, 0
        client.sock.settimeout(0.5)
        try:
            while True:  # until no more is asked for: sockets and windows are full
                while window >= 16384:
                    client.send(frame(DATA, 0, stream, b"x" * 16384))
                    window, sent = window - 16384, sent + 16384
                got = client.read_frame()
                if got.kind == 8 and got.stream == stream:
                    window += int.from_bytes(got.payload, "big")
        except TimeoutError:
            pass
        assert sent < 64 << 20
        client.sock.settimeout(5)
        go.set()
        client.send(frame(DATA, END_STREAM, stream, b""))
        assert client.answer(stream).body == str(sent).encode()
