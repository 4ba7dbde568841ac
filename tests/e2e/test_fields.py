"""Which header fields reach the node and the client, and what the directives do to them."""

import pytest

from harness import PROXY, weir_only
from wire import Client, reply, request, send_once


@pytest.fixture(scope="module")
def shared(start_once):
    node = start_once.node(lambda *_: reply(
        200, b"ok", "Keep-Alive: timeout=5", "X-Powered-By: Express", "X-Secret: s",
        "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Empty:", "X-Accel-Redirect-Not: 1",
        'ETag: W/"1"'))
    return start_once.before(node, location="proxy_hide_header X-Secret;"), node


def seen(shared, *fields, **options):
    proxy, node = shared
    assert send_once(proxy.port, request("/", *fields, **options)).status == 200
    return node.requests[-1]


@pytest.mark.parametrize("field, names", [
    ("Connection: close", []),
    ("Connection: keep-alive", []),
    ("Keep-Alive: timeout=5", ["keep-alive"]),
    ("TE: trailers", ["te"]),
    ("Upgrade: h2c", ["upgrade"]),
    ("Expect: 100-continue", ["expect"]),
])
def test_hop_by_hop_fields_of_a_request_are_dropped(shared, field, names):
    message = seen(shared, field, "X-Kept: yes")
    for name in names:
        assert message.all(name) == []
    assert message.get("connection") in (None, "keep-alive")
    assert message.get("x-kept") == "yes"


@weir_only
@pytest.mark.parametrize("fields, names", [
    (["Connection: X-One, x-two", "X-One: 1", "X-Two: 2"], ["x-one", "x-two"]),
    (["Connection: close", "Connection: X-One", "X-One: 1"], ["x-one"]),
    (["Proxy: http://evil.example"], ["proxy"]),
    (["Proxy-Connection: keep-alive"], ["proxy-connection"]),
])
def test_fields_named_by_connection_and_dangerous_ones_are_dropped(shared, fields, names):
    message = seen(shared, *fields)
    for name in names:
        assert message.all(name) == []


def test_connection_cannot_take_away_what_the_proxy_sets(start):
    node = start.node()
    proxy = start.before(node, location="proxy_set_header X-Real-IP $remote_addr;")
    send_once(proxy.port, request("/", "Connection: X-Real-IP, Host", "X-Real-IP: 6.6.6.6"))
    assert node.requests[0].all("x-real-ip") == ["127.0.0.1"]
    assert len(node.requests[0].all("host")) == 1


def test_end_to_end_fields_pass_unchanged_and_in_order(shared):
    fields = ["Cookie: a=1; b=2", "X-A: 1", "x-b:2", "X-A: 3", "Accept: */*", "X-Latin: \xe4",
              "Authorization: Bearer t", "X-Tab: a\tb"]
    proxy, node = shared
    with Client(proxy.port) as client:
        client.send(("GET / HTTP/1.1\r\nHost: h\r\n" + "\r\n".join(fields) + "\r\n\r\n")
                    .encode("latin-1"))
        assert client.read_response().status == 200
    got = [pair for pair in node.requests[-1].fields if pair[0] not in ("host", "connection")]
    assert got == [("cookie", "a=1; b=2"), ("x-a", "1"), ("x-b", "2"), ("x-a", "3"),
                   ("accept", "*/*"), ("x-latin", "\xe4"), ("authorization", "Bearer t"),
                   ("x-tab", "a\tb")]


def test_fields_of_an_answer(shared):
    proxy, _ = shared
    got = send_once(proxy.port, request())
    assert got.all("keep-alive") in ([], ["timeout=5"] if PROXY == "nginx" else [])
    assert got.all("x-secret") == []
    assert got.get("x-powered-by") == "Express"
    assert got.all("set-cookie") == ["a=1", "b=2"]
    assert got.get("etag") == 'W/"1"'
    assert len(got.all("content-length")) == 1


def test_host_is_the_pool_by_default_and_the_clients_when_asked(start):
    node = start.node()
    assert send_once(start.before(node).port, request(host="a.example")).status == 200
    kept = start.before(node, location="proxy_set_header Host $host;")
    send_once(kept.port, request(host="a.example:81"))
    exact = start.before(node, location="proxy_set_header Host $http_host;")
    send_once(exact.port, request(host="a.example:81"))
    assert [message.all("host") for message in node.requests] == [
        ["app"], ["a.example"], ["a.example:81"]]


def test_set_header(start):
    node = start.node()
    proxy = start.before(node, location="""
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Text "a b-$request_method";
        proxy_set_header X-Gone "";""")
    send_once(proxy.port, request("/", "X-Forwarded-For: 10.0.0.1", "X-Real-IP: 6.6.6.6",
                                  "X-Gone: 1"))
    send_once(proxy.port, request())
    first, second = node.requests
    assert first.all("x-forwarded-for") == ["10.0.0.1, 127.0.0.1"]
    assert second.all("x-forwarded-for") == ["127.0.0.1"]
    assert first.all("x-real-ip") == ["127.0.0.1"]
    assert first.all("x-forwarded-proto") == ["http"]
    assert first.all("x-text") == ["a b-GET"]
    assert first.all("x-gone") == []


def test_set_header_is_inherited_only_without_own(start):
    node = start.node()
    proxy = start.proxy(f"""
        proxy_set_header X-Outer 1;
        server {{ listen @listen@;
            location /in {{ proxy_pass http://{node.address}; }}
            location /own {{ proxy_pass http://{node.address}; proxy_set_header X-Own 1; }}
        }}""")
    send_once(proxy.port, request("/in"))
    send_once(proxy.port, request("/own"))
    got = [(m.get("x-outer"), m.get("x-own")) for m in node.requests]
    assert got == [("1", None), (None, "1")] or (PROXY == "nginx" and got[1] == (None, "1"))


def test_add_header(start):
    node = start.node(lambda _, m: reply(int(m.target[1:]), b"x"))
    proxy = start.before(node, location="""
        add_header X-Some "$upstream_status"; add_header X-Every yes always;""")
    for status, some in ((200, ["200"]), (404, []), (500, [])):
        got = send_once(proxy.port, request(f"/{status}"))
        assert (got.all("x-some"), got.all("x-every")) == (some, ["yes"]), status


def test_map_of_a_field(start):
    node = start.node()
    proxy = start.before(node, http='map $http_x_kind $kind { default none; a first; ~^b second; }',
                         location="proxy_set_header X-Mapped $kind;")
    for value in ("a", "bb", "c"):
        send_once(proxy.port, request("/", f"X-Kind: {value}"))
    assert [m.get("x-mapped") for m in node.requests] == ["first", "second", "none"]


def test_real_ip(start):
    node = start.node()
    proxy = start.before(node, location="proxy_set_header X-Real-IP $remote_addr;", server="""
        set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For;
        real_ip_recursive on;""")
    rows = {"1.2.3.4": "1.2.3.4", "6.6.6.6, 1.2.3.4, 10.9.9.9": "1.2.3.4", "junk": "127.0.0.1"}
    for value in rows:
        send_once(proxy.port, request("/", f"X-Forwarded-For: {value}"))
    assert [m.get("x-real-ip") for m in node.requests] == list(rows.values())
