"""Starting: what is wrong with a configuration is said, with its place, and nothing half-starts."""

import os
import socket
import subprocess

import pytest

from harness import PROXY, Proxy, site, weir_only
from wire import request, send_once

LIMIT = 10


def run(directory, http, *arguments, main="", edit=None):
    """The proxy with a configuration that ends it at once: (exit status, what it said)."""
    proxy = Proxy(directory, http, main)
    if edit:
        edit(proxy.conf)
    done = subprocess.run(proxy.command(*arguments), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, text=True, cwd=directory)
    return done.returncode, done.stdout, proxy


SERVER = "server { listen @listen@; %s }"
PASS = "location / { proxy_pass http://127.0.0.1:1; }"

BAD = [
    ("unknown directive", SERVER % f"proxy_pas x; {PASS}", ["proxy_pas"]),
    ("misplaced directive", f"worker_processes 2; {SERVER % PASS}", ["worker_processes"]),
    ("duplicate", SERVER % ("keepalive_requests 1; keepalive_requests 2;" + PASS),
     ["keepalive_requests"]),
    ("bad port", SERVER % ("listen 127.0.0.1:99999;" + PASS), ["99999"]),
    ("bad address", SERVER % ("listen 1.2.3.4.5:80;" + PASS), ["1.2.3.4.5"]),
    ("unknown pool parameter", "upstream a { server 127.0.0.1:1 wieght=2; }" + SERVER % PASS,
     ["wieght"]),
    ("empty pool", "upstream a { }" + SERVER % "location / { proxy_pass http://a; }", ["a"]),
    ("missing include", "include @dir@/none.conf; " + SERVER % PASS, ["none.conf"]),
    ("missing semicolon", SERVER % "keepalive_requests 1 location / { }", []),
    ("missing brace", "server { listen @listen@; ", []),
    ("bad time", SERVER % ("keepalive_timeout soon;" + PASS), ["keepalive_timeout"]),
    ("bad size", SERVER % ("client_max_body_size 1x;" + PASS), ["client_max_body_size"]),
    ("unknown variable", SERVER % ("add_header X $nosuch_thing;" + PASS), ["nosuch_thing"]),
    ("bad regex", SERVER % "location ~ ( { return 200; }", ["("]),
    ("same location twice", SERVER % (PASS + PASS), ["/"]),
]


@pytest.mark.parametrize("http, words", [row[1:] for row in BAD], ids=[row[0] for row in BAD])
@pytest.mark.parametrize("how", ["-t", "start"])
def test_bad_configuration(tmp_path, http, words, how):
    status, said, proxy = run(tmp_path, http, *(["-t"] if how == "-t" else []))
    assert status == 1, said
    for word in words:
        assert word in said, said
    if PROXY != "nginx" or "variable" not in said:
        assert f"{PROXY}.conf:" in said, "no place in: " + said
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", proxy.port)) != 0


@weir_only
@pytest.mark.parametrize("wrong, right", [
    ("proxy_pas http://127.0.0.1:1;", "proxy_pass"),
    ("proxy_read_timout 3s;", "proxy_read_timeout"),
])
def test_did_you_mean(tmp_path, wrong, right):
    _, said, _ = run(tmp_path, SERVER % f"location / {{ {wrong} }}", "-t")
    assert right in said and "mean" in said


def test_good_configuration(tmp_path):
    status, said, _ = run(tmp_path, site(["127.0.0.1:1"]), "-t")
    assert status == 0, said
    assert "syntax is ok" in said and "test is successful" in said


def test_missing_configuration(tmp_path):
    status, said, _ = run(tmp_path, site(["127.0.0.1:1"]), edit=lambda path: path.unlink())
    assert status == 1 and f"{PROXY}.conf" in said


def test_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said, proxy = run(tmp_path, f"server {{ listen 127.0.0.1:{port}; "
                                            f"listen @listen@; {PASS} }}")
        assert status == 1 and str(port) in said and "in use" in said
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", proxy.port)) != 0


@pytest.mark.parametrize("directive", ["access_log", "error_log"])
def test_log_that_cannot_be_written(tmp_path, directive):
    status, said, _ = run(tmp_path, f"{directive} @dir@/no/such/dir/x.log; {SERVER % PASS}")
    assert status == 1 and "/no/such/dir/x.log" in said


@weir_only
def test_name_that_does_not_resolve(start):
    config = "upstream lost { server nosuch.invalid:80; }"
    proxy = start.before(start.node(), http=config,
                         server="location /lost { proxy_pass http://lost; }")
    assert send_once(proxy.port, request()).status == 200
    assert send_once(proxy.port, request("/lost")).status == 502
    assert 'server: host not found in upstream "nosuch.invalid:80"' in proxy.output()


@weir_only
def test_without_the_http_block(start, tmp_path):
    node = start.node()
    proxy = Proxy(tmp_path, "")
    proxy.conf.write_text(f"daemon off; pid {tmp_path}/weir.pid; user root;" +
                          site([node]).replace("@listen@", f"127.0.0.1:{proxy.port}"))
    proxy.start()
    try:
        assert send_once(proxy.port, request()).status == 200
    finally:
        proxy.stop()


@weir_only
def test_yaml(start):
    node = start.node()
    proxy = start.proxy(f"""upstreams:
  app:
    servers: [{node.address}]
servers:
  - listen: @listen@
    locations:
      - path: /
        proxy_pass: http://app
""")
    assert send_once(proxy.port, request("/y", host="kept.example")).status == 200
    assert node.requests[0].get("host") == "kept.example"


def test_unix_sockets_on_both_sides(start):
    node = start.node()
    inner = start.proxy(f"""
        server {{ listen unix:@dir@/in.sock; listen @listen@;
            location / {{ proxy_pass http://{node.address}; }} }}""")
    outer = start.before([f"unix:{inner.directory}/in.sock"])
    assert send_once(outer.port, request("/u")).status == 200
    assert node.targets == ["/u"]
    assert os.path.exists(inner.directory / "in.sock")


def test_servers_by_name_and_default(start):
    proxy = start.proxy("""
        server { listen @listen@; server_name a.example; return 200 a; }
        server { listen @listen@ default_server; server_name b.example; return 200 b; }
        server { listen @listen@; server_name *.c.example; return 200 c; }
        server { listen @listen@; server_name ~^d\\d+\\.example$; return 200 d; }""")
    for host, want in (("a.example", b"a"), ("A.example:80", b"a"), ("other", b"b"),
                       ("x.y.c.example", b"c"), ("d42.example", b"d"), ("d.example", b"b")):
        assert send_once(proxy.port, request(host=host)).body == want, host


def test_locations(start):
    proxy = start.proxy("""
        server { listen @listen@;
            location = /exact { return 200 exact; }
            location / { return 200 prefix; }
            location /long { return 200 long; }
            location ^~ /strong { return 200 strong; }
            location ~ \\.php$ { return 200 regex; }
            location ~* \\.JPG$ { return 200 caseless; } }""")
    for target, want in (("/exact", b"exact"), ("/exact/", b"prefix"), ("/longer", b"long"),
                         ("/long/x.php", b"regex"), ("/strong/x.php", b"strong"),
                         ("/a.jpg", b"caseless"), ("/a.PHP", b"prefix"),
                         ("/x/../exact", b"exact"), ("//exact", b"exact"),
                         ("/%65xact", b"exact")):
        assert send_once(proxy.port, request(target)).body == want, target


def test_return(start):
    proxy = start.proxy("""
        server { listen @listen@;
            location /text { return 200 "uri $uri"; }
            location /move { return 301 /text?x=1; }
            location /away { return 302 https://other.example$request_uri; }
            location /gone { return 410; } }""")
    assert send_once(proxy.port, request("/text/a")).body == b"uri /text/a"
    moved = send_once(proxy.port, request("/move", host="h.example"))
    assert moved.status == 301
    assert moved.get("location") == f"http://h.example:{proxy.port}/text?x=1"
    assert send_once(proxy.port, request("/away?q")).get("location") == (
        "https://other.example/away?q")
    assert send_once(proxy.port, request("/gone")).status == 410
