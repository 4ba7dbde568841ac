"""What users of nginx's modules rely on, in a few requests each."""

import threading

import pytest

from harness import PROXY, eventually, weir_only
from wire import Client, chunks, reply, request, send_once


def statuses(port, target, count):
    return [send_once(port, request(target)).status for _ in range(count)]


def test_rates_are_limited_without_delay(start):
    proxy = start.proxy("""
    limit_req_zone $arg_k zone=keys:1m rate=1r/m;
    server { listen @listen@;
        location /burst { limit_req zone=keys burst=2 nodelay; return 204; }
        location /hard { limit_req zone=keys; limit_req_status 429; error_page 429 =430 /page; }
        location = /page { return 430; }
        location /dry { limit_req zone=keys; limit_req_dry_run on; } }""")
    # `return` comes before limits: only what gets to them is limited.
    assert statuses(proxy.port, "/burst?k=a", 4) == [204] * 4
    assert statuses(proxy.port, "/hard?k=b", 3) == [404, 430, 430]
    assert statuses(proxy.port, "/dry?k=c", 3) == [404] * 3
    assert statuses(proxy.port, "/hard?k=", 3) == [404] * 3  # no key, no limit


def test_a_burst_is_served_at_once_and_then_refused(start):
    proxy = start.before(start.node(), http="limit_req_zone $arg_k zone=keys:1m rate=1r/m;",
                         location="limit_req zone=keys burst=2 nodelay;")
    assert statuses(proxy.port, "/?k=a", 5) == [200, 200, 200, 503, 503]
    assert statuses(proxy.port, "/?k=b", 1) == [200]


def test_names_of_upstreams_have_no_case(start):
    proxy = start.proxy(f"upstream App {{ server {start.node().address}; }} "
                        "map $host $to { default aPP; } "
                        "server { listen @listen@; location / { proxy_pass http://$to; } }")
    assert statuses(proxy.port, "/", 1) == [200]


def test_names_made_of_variables_are_looked_up(start):
    node = start.node()
    port = node.address.rpartition(":")[2]
    # Debian's nginx takes no names without `resolver`.
    if PROXY == "nginx":
        pytest.skip("needs a name server")
    proxy = start.proxy(f"""server {{ listen @listen@;
        location /name {{ set $to localhost; proxy_pass http://$to:{port}/x; }}
        location /address {{ set $to 127.0.0.1:{port}; proxy_pass http://$to$request_uri; }}
        location /nobody {{ set $to nobody.invalid; proxy_pass http://$to; }}
        location /bad {{ set $to a:b:c; proxy_pass http://$to; }}
        location /none {{ set $to ""; proxy_pass http://$to; }} }}""")
    assert send_once(proxy.port, request("/name")).status == 200
    assert send_once(proxy.port, request("/address?a=b")).status == 200
    assert node.targets == ["/x", "/address?a=b"]
    assert node.requests[0].get("host") == f"localhost:{port}"
    assert statuses(proxy.port, "/nobody", 1) == [502]
    assert statuses(proxy.port, "/bad", 1) == [500]
    assert statuses(proxy.port, "/none", 1) == [500]
    assert statuses(proxy.port, "/name", 3) == [200] * 3


def test_pools_of_variables_are_bounded(start):
    if PROXY == "nginx":
        pytest.skip("has no pools of that kind")
    node = start.node()
    port = node.address.rpartition(":")[2]
    proxy = start.proxy(f"""server {{ listen @listen@;
        location / {{ proxy_pass http://127.0.0.$arg_n:{port}; proxy_connect_timeout 1s; }} }}""")
    before = proxy.resident_kib()
    with Client(proxy.port) as client:
        for i in range(2, 254):
            client.exchange(request(f"/?n={i}"))
        for i in range(2, 254):
            client.exchange(request(f"/x?n={i}"))
        assert client.exchange(request("/?n=1")).status == 200
    assert proxy.resident_kib() - before < 24 * 1024


def test_a_peer_that_names_another_location_is_not_waited_for(start):
    go = threading.Event()

    def handler(connection, message):
        if message.target == "/slow":
            connection.send(b"HTTP/1.1 200 OK\r\nX-Accel-Redirect: /other\r\nSet-Cookie: a=b\r\n"
                            b"Content-Length: 100000\r\n\r\nx")
            go.wait(10)
            return None
        return reply(200, b"other")
    node = start.node(handler)
    proxy = start.before(node, server="""location /other { internal; proxy_pass http://app; }""")
    try:
        got = send_once(proxy.port, request("/slow"))
        assert (got.status, got.body, got.get("set-cookie")) == (200, b"other", "a=b")
        assert send_once(proxy.port, request("/other")).status == 404
    finally:
        go.set()


def test_twice_by_way_of_peers(start):
    """The second peer's head replaces the first one's."""
    def handler(_, message):
        if message.target == "/first":
            return reply(204, b"", "X-Accel-Redirect: /second")
        return reply(200, b"second", "X-Accel-Expires: 0")
    proxy = start.before(start.node(handler))
    got = send_once(proxy.port, request("/first"))
    assert (got.status, got.body) == (200, b"second")


@weir_only  # Debian's nginx passes what it does not look at
def test_second_fields_of_answers_are_left_out(start):
    answer = reply(200, b"ok", "Expires: one", "ETag: \"1\"", "X-A: 1", "Expires: two", "X-A: 2",
                   "ETag: \"2\"", "Set-Cookie: a=1", "Set-Cookie: b=2")
    proxy = start.before(start.node(lambda *_: answer))
    got = send_once(proxy.port, request())
    assert (got.all("expires"), got.all("etag")) == (["one"], ['"1"'])
    assert got.all("x-a") == ["1", "2"]
    assert got.all("set-cookie") == ["a=1", "b=2"]


@weir_only
@pytest.mark.parametrize("field", ["Authorization", "If-Match", "If-None-Match", "If-Range",
                                   "If-Modified-Since", "Content-Range"])
def test_fields_that_may_stand_once(start_once, field):
    proxy = start_once.before(start_once.node())
    assert send_once(proxy.port, request("/", f"{field}: a", f"{field}: a")).status == 400


def test_connections_from_an_address_are_used_from_that_one_only(start):
    node = start.node(lambda connection, _: reply(
        200, connection.sock.getpeername()[0].encode()))
    proxy = start.before(node, location="proxy_bind $arg_from; proxy_http_version 1.1; "
                                        "proxy_set_header Connection '';")
    with Client(proxy.port) as client:
        for last in "1232113":
            got = client.exchange(request(f"/?from=127.0.0.{last}"))
            assert got.body == f"127.0.0.{last}".encode()
    if PROXY != "nginx":
        assert {message.connection for message in node.requests} == {0, 1, 2}


def test_bodies_that_nobody_reads_do_not_end_the_connection(start):
    proxy = start.proxy("server { listen @listen@; location / { return 200 text; } }")
    body = b"3\r\nabc\r\n0\r\n\r\n"
    with Client(proxy.port) as client:
        client.send((request("/", "Transfer-Encoding: chunked", method="POST") + body) * 3
                    + request("/", method="POST", body=b"counted") + request("/"))
        for _ in range(5):
            assert client.read_response().body == b"text"


def test_what_filters_hold_back_is_sent_at_the_end(start, tmp_path):
    (tmp_path / "page.html").write_bytes(b"a ne<b>edl")
    tmp_path.chmod(0o755)
    node = start.node(lambda *_: reply(200, b"a need", "Content-Type: text/html"))
    proxy = start.before(node, server=f"""location /file {{ alias {tmp_path}/page.html;
        default_type text/html; sub_filter needle pin; sub_filter <b> [; }}""",
                         location="sub_filter needle pin; proxy_set_header Accept-Encoding '';")
    assert send_once(proxy.port, request("/file")).body == b"a ne[edl"
    assert send_once(proxy.port, request()).body == b"a need"
    with Client(proxy.port) as client:
        head = client.exchange(request("/", method="HEAD"), "HEAD")
        assert (head.status, head.get("content-length")) == (200, None)
        assert client.exchange(request()).body == b"a need"


def test_lists_of_trailers_see_those_before_them(start):
    proxy = start.before(start.node(), location="""add_trailer X-A one; add_trailer X-A two;
        add_trailer X-Seen $sent_trailer_x_a;""")
    if PROXY == "nginx":
        pytest.skip("knows $sent_trailer_ from 1.23 on")
    got = send_once(proxy.port, request())
    assert got.trailers == ["X-A: one", "X-A: two", "X-Seen: one, two"]


@weir_only
def test_the_body_in_a_file_has_a_name(start):
    proxy = start.before(start.node(), server="client_body_buffer_size 1k;",
                         location="add_header X-File $request_body_file; add_header X-Body "
                                  "$request_body;")
    small = send_once(proxy.port, request("/", method="POST", body=b"small"))
    assert (small.get("x-body"), small.get("x-file")) == ("small", None)
    with Client(proxy.port) as client:
        client.send(request("/", "Transfer-Encoding: chunked", method="POST")
                    + chunks(b"x" * 5000))
        large = client.read_response()
    assert large.get("x-body") is None and large.get("x-file").startswith("/proc/")


def test_a_client_is_told_to_go_on_with_nothing(start):
    proxy = start.before(start.node())
    with Client(proxy.port) as client:
        got = client.exchange(request("/", "Expect: 100-continue", "Content-Length: 0",
                                      method="POST"))
        assert got.status == 200
        assert [message.status for message in got.informational] == [100]
    eventually(lambda: proxy.process.poll() is None, "still there", 1)


# What once went wrong


def test_an_error_while_an_error_is_answered_has_an_end(start):
    proxy = start.proxy("""server { listen @listen@;
        location /break { add_header X-Uri $uri always; return 200 ok; }
        location /loop { recursive_error_pages on; error_page 500 /loop; return 500; }
        location /named { recursive_error_pages on; error_page 500 @again; return 500; }
        location @again { error_page 500 @again; return 500; }
        location / { return 200 fine; } }""")
    if PROXY != "nginx":  # sends the line break
        assert send_once(proxy.port, request("/break%0d%0aX:y")).status == 500
    assert send_once(proxy.port, request("/loop")).status == 500
    assert send_once(proxy.port, request("/named")).status == 500
    assert send_once(proxy.port, request("/")).body == b"fine"


@pytest.mark.parametrize("before", ["proxy_pass http://app/part", "alias @file@"])
def test_a_part_before_the_body_leaves_the_body_as_it_is(start, tmp_path, before):
    (tmp_path / "part").write_bytes(b"PART" * 100)
    tmp_path.chmod(0o755)
    node = start.node(lambda _, message: reply(
        200, b"PART" * 100 if message.target == "/part" else b"body" * 1000,
        "Content-Type: text/html"))
    text = before.replace("@file@", str(tmp_path / "part"))
    proxy = start.before(node, location="add_before_body /first;",
                         server=f"location = /first {{ {text}; default_type text/html; }}")
    for _ in range(3):
        assert send_once(proxy.port, request("/page")).body == b"PART" * 100 + b"body" * 1000


@weir_only
def test_a_body_that_is_gone_is_not_sent_again_in_part(start):
    def handler(connection, message):
        connection.exactly(200000)
        connection.close()
    first = start.node(handler, whole=False)
    second = start.node()
    proxy = start.before(first, http=f"upstream other {{ server {second.address}; }}",
                         location="proxy_request_buffering off; error_page 502 = @other;",
                         server="location @other { proxy_pass http://other; } "
                                "client_max_body_size 0;")
    with Client(proxy.port) as client:
        got = client.exchange(request("/", method="POST", body=b"x" * 1000000))
    assert got is None or got.status == 502
    assert second.requests == []


def test_no_line_is_added_to_a_request_by_its_target(start):
    node = start.node()
    port = node.address.rpartition(":")[2]
    proxy = start.proxy(f"""server {{ listen @listen@;
        location ~ ^/dyn/([^/]+) {{ proxy_pass http://$1; }} }}""")
    target = f"/dyn/[::ffff:127.0.0.1]%0d%0aContent-Length:{port}"
    assert send_once(proxy.port, request(target)).status in (400, 500, 502)
    assert node.requests == []


def test_head_has_no_body_whatever_the_node_was_asked(start):
    node = start.node()
    proxy = start.before(node, location="proxy_method GET;")
    with Client(proxy.port) as client:
        for _ in range(3):
            assert client.exchange(request("/", method="HEAD"), "HEAD").body == b""
        assert client.exchange(request("/")).body == b"ok"
    assert {message.method for message in node.requests} == {"GET"}


@weir_only
def test_no_line_is_added_to_an_answer_by_its_target(start):
    node = start.node(lambda *_: reply(200, b"ok", "Set-Cookie: a=b; path=/"))
    proxy = start.before(node, server="""
        location ~ ^/auth/([^/]+) { auth_basic "$1"; auth_basic_user_file /dev/null; }
        location ~ ^/cookie/(?<p>[^/]+) { proxy_cookie_path / /$p/; proxy_pass http://app; }""")
    for target in ("/auth/x%22%0d%0aEvil:%20yes%0d%0aY", "/cookie/x%0d%0aEvil:%20yes"):
        got = send_once(proxy.port, request(target))
        assert got.get("evil") is None and got.status == 500


def test_a_copy_of_a_request_has_its_body(start):
    main, copy = start.node(), start.node()
    proxy = start.before(main, location="mirror /copy;",
                         http=f"upstream copies {{ server {copy.address}; }}",
                         server="location = /copy { internal; proxy_pass http://copies; }")
    for size in (0, 10, 40000):
        assert send_once(proxy.port, request("/x", method="PUT", body=b"x" * size)).status == 200
    copy.wait_for_requests(3)
    assert sorted(len(message.body) for message in copy.requests) == [0, 10, 40000]
    assert all(message.complete for message in copy.requests)


def test_a_head_with_bare_lines_and_much_behind_it(start):
    answer = b"HTTP/1.1 200 OK\nContent-Length: 200000\n\n" + b"x" * 200000
    proxy = start.before(start.node(lambda *_: answer))
    assert len(send_once(proxy.port, request()).body) == 200000


@weir_only
def test_nonsense_with_line_ends_is_refused_at_once(start):
    proxy = start.before(start.node(), server="client_header_timeout 60s;")
    with Client(proxy.port) as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\n\x00\x03")
        assert client.read_response().status == 400
