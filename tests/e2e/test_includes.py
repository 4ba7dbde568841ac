"""Pages with server side includes, and answers that are stored as files."""

import threading

import pytest

from wire import LIMIT, Client, request, reply, send_once
from harness import eventually, weir_only

PAGE = "Content-Type: text/html"


def pages(texts, *fields):
    """A node that has these pages; functions among them are handlers."""
    def handler(connection, message):
        text = texts.get(message.target.split("?")[0])
        if callable(text):
            return text(connection, message)
        return reply(404, b"no such page") if text is None else reply(200, text, PAGE, *fields)
    return handler


def test_a_page_of_includes(start):
    node = start.node(pages({
        "/page": b'1<!--#include virtual="/a?x=1" -->2<!--#include file="b" -->3'
                 b'<!--#set var="v" value="<$arg_q>" --><!--#echo var="v" -->',
        "/a": b'(a <!--#echo var="arg_x" --><!--#include virtual="/b" -->)',
        "/b": b"(b)",
    }, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", 'ETag: "x"'))
    proxy = start.before(node, location="ssi on;")
    with Client(proxy.port) as client:
        for _ in range(2):
            got = client.exchange(request("/page?q=z"))
            assert (got.status, got.body, got.complete) == (200, b"1(a 1(b))2(b)3&lt;z&gt;", True)
            assert got.get("last-modified") is got.get("etag") is got.get("content-length") is None
        head = client.exchange(request("/page", method="HEAD"), "HEAD")
        assert (head.status, head.get("content-length")) == (200, None)
        assert node.targets[-1] == "/page"


def test_what_is_no_page(start):
    text = b'<!--#echo var="x" -->'
    node = start.node(lambda _, message: reply(
        200, text, *([PAGE, "Content-Encoding: x"] if "coded" in message.target
                     else ["Content-Type: text/plain"])))
    proxy = start.before(node, location="ssi on;")
    assert send_once(proxy.port, request("/plain")).body == text


@weir_only  # nginx looks for commands in coded bodies too
def test_a_coded_page_is_not_looked_into(start):
    text = b'<!--#echo var="x" -->'
    proxy = start.before(start.node(lambda *_: reply(200, text, PAGE, "Content-Encoding: x")),
                         location="ssi on;")
    got = send_once(proxy.port, request())
    assert (got.body, got.get("content-length")) == (text, str(len(text)))


def test_includes_run_beside_each_other_and_stay_in_order(start):
    all_there = threading.Barrier(3)
    big = bytes(range(256)) * 1200

    def meet(body):
        def handler(*_):
            all_there.wait(LIMIT)
            return reply(200, body)
        return handler

    node = start.node(pages({
        "/page": b"".join(b'<!--#include virtual="/%d" -->|' % i for i in (1, 2, 3)),
        "/1": meet(b"one"), "/2": meet(big), "/3": meet([b"th", b"ree"])}))
    proxy = start.before(node, location="ssi on; gzip on;")
    got = send_once(proxy.port, request("/page"))
    assert (got.body, got.complete) == (b"one|" + big + b"|three|", True)


def test_an_include_that_is_waited_for(start):
    order = []

    def note(name, body):
        def handler(*_):
            order.append(name)
            return reply(200, body, PAGE)
        return handler

    node = start.node(pages({
        "/page": b'<!--#include virtual="/1" wait="yes" --><!--#include virtual="/2" set="v" -->'
                 b'<!--#if expr="$v = /w(.)/" -->[<!--#echo var="1" -->]<!--#endif -->'
                 b'<!--#include virtual="/3" -->',
        "/1": note(1, b"one"), "/2": note(2, b"two"), "/3": note(3, b"three")}))
    proxy = start.before(node, location="ssi on;")
    assert send_once(proxy.port, request("/page")).body == b"one[o]three"
    assert order == [1, 2, 3]


def test_a_stub_stands_for_an_empty_body_and_for_an_error(start):
    node = start.node(pages({
        "/page": b'<!--#block name="s" -->(<!--#echo var="uri" -->)<!--#endblock -->'
                 b'<!--#include virtual="/empty" stub="s" -->'
                 b'<!--#include virtual="/none/x" stub="s" -->'
                 b'<!--#include virtual="/full" stub="s" -->',
        "/full": b"full", "/empty": lambda *_: reply(200, [], PAGE)}))
    proxy = start.before(node, location="ssi on;", server="location /none/ { ssi on; return 404; }")
    assert send_once(proxy.port, request("/page")).body == b"(/empty)(/none/x)full"


def test_an_error_in_a_page(start):
    node = start.node(pages({
        "/page": b'<!--#config errmsg="!" -->a<!--#exec cmd="x" -->b<!--#include virtual="/../x" -->c'
                 b'<!--#if expr="$x ~ y" -->d<!--#endif -->e<!--#echo var=x -->f'}))
    proxy = start.proxy(f"""server {{ listen @listen@; ssi on;
        location / {{ proxy_pass http://{node.address}; }}
        location /quiet/ {{ ssi_silent_errors on; proxy_pass http://{node.address}/; }} }}""")
    assert send_once(proxy.port, request("/page")).body == b"a!b!c!d!e!f"
    assert send_once(proxy.port, request("/quiet/page")).body == b"abcdef"


def test_a_page_that_includes_itself_ends(start):
    node = start.node(pages({"/page": b'x<!--#include virtual="/page" -->'}))
    proxy = start.before(node, location="ssi on; ssi_silent_errors on;")
    got = send_once(proxy.port, request("/page"))
    assert got.status == 200 and got.complete
    assert set(got.body) == set(b"x") and 40 < len(got.body) < 60


def cut(connection, _):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    connection.close()


@weir_only  # nginx ends the page as if it were whole
@pytest.mark.parametrize("before", [b"", b'<!--#include virtual="/whole" -->'],
                         ids=["first", "second"])
def test_an_include_that_is_cut_off_cuts_off_the_page(start, before):
    node = start.node(pages({
        "/page": b"text" + before + b'<!--#include virtual="/cut" -->'
                 b'<!--#include virtual="/whole" -->end',
        "/cut": cut, "/whole": b"whole"}))
    proxy = start.before(node, location="ssi on;")
    with Client(proxy.port) as client:
        got = client.exchange(request("/page"))
    assert not got.complete and b"end" not in got.body


def test_includes_end_when_the_client_leaves(start):
    ended = []

    def hang(connection, _):
        connection.wait_for_end()
        ended.append(connection)

    node = start.node(pages({
        "/page": b'text<!--#include virtual="/hang" --><!--#include virtual="/hang" -->',
        "/hang": hang}))
    proxy = start.before(node, location="ssi on;")
    with Client(proxy.port) as client:
        client.send(request("/page"))
        node.wait_for_requests(3)
        client.reset()
    eventually(lambda: len(ended) == 2, "the includes have ended")
    assert send_once(proxy.port, request("/none")).status == 404


# ---- proxy_store


@weir_only  # nginx stores an empty answer to HEAD, and 1.22 leaves the temporary file of one to POST
@pytest.mark.parametrize("body", [b"stored", b"", [b"in", b"chunks"], b"0123456789" * 20_000],
                         ids=["small", "empty", "chunked", "large"])
def test_an_answer_is_stored(start, body):
    node = start.node(lambda *_: reply(200, body, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"))
    proxy = start.before(node, location="proxy_store @dir@/store$uri;"
                                        "proxy_store_access user:rw group:r all:r;"
                                        "proxy_temp_path @dir@/temp;")
    want = b"".join(body) if isinstance(body, list) else body
    path = proxy.directory / "store/a/b"
    with Client(proxy.port) as client:
        for target, method in (("/a/b", "HEAD"), ("/a/b", "POST")):
            client.exchange(request(target, method=method), method)
            assert method == "POST" or not path.exists()
        assert client.exchange(request("/a/b?x")).body == want
    eventually(lambda: path.exists() and path.read_bytes() == want, "the file is there")
    assert path.stat().st_mode & 0o777 == 0o644
    assert (proxy.directory / "store/a").stat().st_mode & 0o777 == 0o755
    assert path.stat().st_mtime == 784111777
    assert not list((proxy.directory / "temp").iterdir())


def test_only_whole_answers_of_200_are_stored(start):
    node = start.node(lambda connection, message: cut(connection, message) if "cut" in message.target
                      else reply(404, b"none"))
    proxy = start.before(node, location="root @dir@; proxy_store on; proxy_temp_path @dir@/temp;")
    with Client(proxy.port) as client:
        assert not client.exchange(request("/cut")).complete
    assert send_once(proxy.port, request("/none")).status == 404
    temp = proxy.directory / "temp"
    eventually(lambda: not temp.exists() or not list(temp.iterdir()), "no temporary file is left")
    assert not (proxy.directory / "cut").exists() and not (proxy.directory / "none").exists()


def test_an_answer_is_stored_though_its_client_leaves(start):
    body = bytes(range(256)) * 12_000
    gone = threading.Event()

    def handler(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:1000])
        gone.wait(LIMIT)
        connection.send(body[1000:])

    proxy = start.before(start.node(handler),
                         location="root @dir@; proxy_store on; proxy_temp_path @dir@/temp;")
    with Client(proxy.port) as client:
        client.send(request("/kept"))
        client.read_head()
        client.reset()
    gone.set()
    path = proxy.directory / "kept"
    eventually(lambda: path.exists() and path.read_bytes() == body, "the file is there")
