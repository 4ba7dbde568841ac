"""Access and error log lines: what a reader needs to know is in them."""

import re

import pytest

from wire import Client, reply, request, send_once

DATE = r"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"


def test_combined(start):
    proxy = start.before(start.node(lambda *_: reply(404, b"none!")))
    send_once(proxy.port, request("/a?b=%20", 'Referer: http://r/"x"', "User-Agent: curl/8 \xe4"
                                  .encode("utf-8").decode("latin-1")))
    line = proxy.wait_for_log("GET")
    want = (rf'127\.0\.0\.1 - - \[{DATE}\] "GET /a\?b=%20 HTTP/1\.1" 404 5 '
            r'"http://r/\\x22x\\x22" "curl/8 [^"]*"')
    assert re.fullmatch(want, line), line


def test_one_line_an_exchange(start):
    proxy = start.before(start.node())
    with Client(proxy.port) as client:
        for i in range(3):
            assert client.exchange(request(f"/{i}")).status == 200
    proxy.wait_for_log('"GET /2 ')
    assert [re.search(r'"GET (\S+) ', line).group(1) for line in proxy.log()] == ["/0", "/1", "/2"]


FORMAT = """log_format custom '$request_method|$uri|$args|$status|$body_bytes_sent|$host|'
    '$upstream_addr|$upstream_status|$request_length|$http_x_id|$scheme|$server_protocol|'
    '$remote_addr|$sent_http_x_out|$request_time|$upstream_response_time|$bytes_sent';
    access_log @dir@/access.log custom;"""


def test_custom_format(start):
    node = start.node(lambda *_: reply(201, b"made", "X-Out: out"))
    proxy = start.before(node, http=FORMAT)
    data = request("/a%20b?x=1", "X-Id: id 7", method="POST", body=b"12345", host="Shop.example")
    assert send_once(proxy.port, data).status == 201
    got = proxy.wait_for_log("POST").split("|")
    assert got[:14] == ["POST", "/a b", "x=1", "201", "4", "shop.example", node.address, "201",
                        str(len(data)), "id 7", "http", "HTTP/1.1", "127.0.0.1", "out"]
    assert re.fullmatch(r"\d+\.\d{3}", got[14]) and re.fullmatch(r"\d+\.\d{3}", got[15])
    assert int(got[16]) > 4


def test_every_attempt_is_in_the_line(start):
    refused, bad = start.refused(), start.node(lambda *_: reply(503, b"busy"))
    good = start.node(lambda *_: reply(200, b"fine"))
    proxy = start.before([refused, bad, good], http=FORMAT,
                         location="proxy_next_upstream error http_503;")
    assert send_once(proxy.port, request()).body == b"fine"
    got = proxy.wait_for_log("GET").split("|")
    assert got[6] == f"{refused.address}, {bad.address}, {good.address}"
    assert got[7] == "502, 503, 200"
    assert len(got[15].split(", ")) == 3


@pytest.mark.parametrize("variable, field, want", [
    ("$http_x_a", 'X-A: a"b\\c', r"a\x22b\x5Cc"),
    ("$http_x_a", "X-Other: 1", "-"),
    ("$http_user_agent", "User-Agent: a\tb", r"a\x09b"),
])
def test_what_a_client_sends_cannot_forge_a_line(start, variable, field, want):
    proxy = start.before(start.node(), http=f"""log_format one '[{variable}]';
        access_log @dir@/access.log one;""")
    send_once(proxy.port, request("/", field))
    assert proxy.wait_for_log(r"\[") == f"[{want}]"


def test_json_escape(start):
    proxy = start.before(start.node(), http="""log_format one escape=json '{"a":"$http_x_a"}';
        access_log @dir@/access.log one;""")
    send_once(proxy.port, request("/", 'X-A: a"b\\c'))
    assert proxy.wait_for_log("a") == '{"a":"a\\"b\\\\c"}'


def test_refused_requests_are_logged_too(start):
    proxy = start.before(start.node())
    with Client(proxy.port) as client:
        assert client.exchange(b"GET / HTTP/1.1\r\n\r\n", "GET").status == 400
    assert ' 400 ' in proxy.wait_for_log("GET")


def test_off_writes_nothing(start):
    node = start.node()
    proxy = start.proxy(f"""
        access_log @dir@/access.log;
        server {{ listen @listen@;
            location /quiet {{ proxy_pass http://{node.address}; access_log off; }}
            location / {{ proxy_pass http://{node.address}; }} }}""")
    send_once(proxy.port, request("/quiet"))
    send_once(proxy.port, request("/loud"))
    proxy.wait_for_log("/loud")
    assert len(proxy.log()) == 1


@pytest.mark.parametrize("fault, word", [
    ("refused", "refused"),
    ("reset", "reset"),
    ("close", "closed"),
    ("hang", "timed out"),
])
def test_error_line_says_who_and_why(start, fault, word):
    def handler(connection, _):
        if fault == "hang":
            connection.wait_for_end()
        else:
            getattr(connection, fault)()
    node = start.refused() if fault == "refused" else start.node(handler)
    proxy = start.before(node, server="server_name shop.example;",
                         location="proxy_read_timeout 300ms;")
    assert send_once(proxy.port, request("/x?y=1", host="shop.example")).status in (502, 504)
    line = proxy.wait_for_log(f"(?i){word}.* upstream: ", "error.log")
    for part in ("client: 127.0.0.1", "server: shop.example", 'request: "GET /x?y=1 HTTP/1.1"',
                 f'upstream: "http://{node.address}/x?y=1"', 'host: "shop.example"'):
        assert part in line, part


def test_no_error_line_for_what_went_well(start):
    proxy = start.before(start.node(lambda *_: reply(404, b"")))
    with Client(proxy.port) as client:
        for _ in range(3):
            assert client.exchange(request()).status == 404
    assert not [line for line in proxy.log("error.log")
                if re.search(r"\[(error|crit|alert|emerg)\]", line)]
