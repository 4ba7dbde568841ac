"""Host names among the servers: looked up again when their answers end, by a name server of the test's."""

import json
import pathlib
import signal
import socket
import time
import urllib.request

import pytest

from dns_server import SRV, DnsServer
from harness import PROXY, eventually, free_port
from wire import reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx without its subscription resolves once")


@pytest.fixture
def dns(request):
    server = DnsServer()
    request.addfinalizer(server.stop)
    return server


def named(make, name):
    return make.node(lambda *_: reply(200, name.encode()))


def ask(running):
    return send_once(running.port, request("/")).body.decode()


def seen(running, count=6):
    return {ask(running) for _ in range(count)}


def peers(running):
    with urllib.request.urlopen(f"http://127.0.0.1:{running.admin}/upstreams", timeout=5) as answer:
        return {peer["address"]: peer for peer in json.load(answer)["upstreams"][0]["peers"]}


def children(running):
    pid = running.pid()
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def before(make, dns, servers, more="", main=""):
    admin = free_port()
    running = make("pid @dir@/p.pid; error_log @dir@/error.log info; user root; events { }" + main +
                   f"admin {{ listen 127.0.0.1:{admin}; }}"
                   f"http {{ access_log off; upstream app {{ resolver {dns.address}; {servers} {more} }}"
                   "server { listen @listen@; location / { proxy_pass http://app; } } }")
    running.admin = admin
    done = running.run()
    assert done.returncode == 0 and ("host not found in upstream" in done.stderr) == (not dns.records)
    return running


def test_a_name_is_followed_by_the_lifetime_of_its_answers(make, dns):
    one = named(make, "one")
    dns.set("app.test", "127.0.0.1")
    running = before(make, dns, f"server app.test:{one.port} resolve;")
    assert seen(running) == {"one"}
    # Another address, with nobody behind it, takes the place of the first.
    dns.set("app.test", "127.0.0.7")
    eventually(lambda: f"127.0.0.7:{one.port}" in peers(running), "the new address")
    assert len(peers(running)) == 1
    dns.set("app.test", "127.0.0.1", lifetime=600)
    eventually(lambda: seen(running) == {"one"}, "it is back")
    # A long lifetime: nobody asks again.
    asked = dns.count("app.test")
    dns.set("app.test", "127.0.0.8")
    assert seen(running) == {"one"} and dns.count("app.test") == asked
    # A reload asks.
    running.reload()
    eventually(lambda: f"127.0.0.8:{one.port}" in peers(running), "what the reload found")


def test_srv_records_give_ports_weights_and_backups(make, dns):
    a, b, c = (named(make, name) for name in "abc")
    dns.set("node.test", "127.0.0.1")
    dns.set("_http._tcp.app.test", (10, 2, a.port, "node.test"), (10, 1, b.port, "node.test"),
            (20, 1, c.port, "node.test"))
    running = before(make, dns, "server app.test resolve service=http;")
    assert sorted(ask(running) for _ in range(6)) == list("aaaabb")
    found = peers(running)
    assert found[c.address]["backup"] and found[a.address]["weight"] == 2
    # Those of the first rank are gone: the others are no backups any more.
    dns.set("_http._tcp.app.test", (20, 1, c.port, "node.test"))
    eventually(lambda: seen(running) == {"c"}, "the one that is left")
    dns.set("_http._tcp.app.test", (5, 1, b.port, "node.test"), (20, 1, c.port, "node.test"))
    eventually(lambda: seen(running) == {"b"}, "one that came")


@pytest.mark.parametrize("how", ["silent", "gone"])
def test_a_look_up_that_fails_keeps_the_last_answer(make, dns, how):
    one = named(make, "one")
    dns.set("app.test", "127.0.0.1")
    running = before(make, dns, f"server app.test:{one.port} resolve;", "resolver_timeout 300ms;")
    assert seen(running) == {"one"}
    if how == "silent":
        dns.silent = True
    else:
        dns.drop("app.test")
    asked = dns.count("app.test")
    eventually(lambda: dns.count("app.test") > asked, "it is asked for again")
    assert seen(running) == {"one"}
    running.reload()
    assert seen(running) == {"one"}


def test_an_unknown_name_stops_no_start_and_is_found_later(make, dns):
    one = named(make, "one")
    running = before(make, dns, f"server app.test:{one.port} resolve;")
    assert send_once(running.port, request("/")).status == 502
    assert "; unresolved: app.test (" in running.run("status").stdout
    dns.set("app.test", "127.0.0.1")
    eventually(lambda: send_once(running.port, request("/")).status == 200, "it is found", 12)
    assert "unresolved" not in running.run("status").stdout
    assert dns.count("app.test", SRV) == 0


def test_clients_that_hold_all_descriptors_end_nobody(make, dns):
    one = named(make, "one")
    dns.set("app.test", "127.0.0.1")
    running = before(make, dns, f"server app.test:{one.port} resolve;", main="worker_rlimit_nofile 80;")
    assert seen(running, 1) == {"one"}
    engine = children(running)
    clients = []
    try:
        for _ in range(150):
            clients.append(socket.create_connection(("127.0.0.1", running.port), 2))
            clients[-1].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        time.sleep(1.5)  # the lifetime of the answer: it is asked for again meanwhile
        assert children(running) == engine
    finally:
        for client in clients:
            client.close()
    asked = dns.count("app.test")
    eventually(lambda: dns.count("app.test") > asked, "it is asked for again", 12)
    assert children(running) == engine
    eventually(lambda: seen(running, 1) == {"one"}, "it serves")


def test_a_reload_waits_for_no_name_that_is_known_and_holds_up_nobody_for_one_that_is_new(make, dns):
    one = named(make, "one")
    dns.set("app.test", "127.0.0.1")
    running = before(make, dns, f"server app.test:{one.port} resolve;")
    dns.silent = True
    began = time.monotonic()
    running.reload()
    assert time.monotonic() - began < 3 and seen(running) == {"one"}
    # One that is new is waited for, but meanwhile the control thread answers.
    running.rewrite("resolve;", f"resolve; server new.test:{one.port} resolve;")
    running.signal(signal.SIGHUP)
    eventually(lambda: dns.count("new.test") > 0, "it is asked for")
    began = time.monotonic()
    assert len(peers(running)) == 1 and time.monotonic() - began < 2
    dns.set("new.test", "127.0.0.3")
    dns.silent = False
    eventually(lambda: len(peers(running)) == 2, "it is there", 12)


def test_one_target_without_an_answer_keeps_its_peer(make, dns):
    a, b = (named(make, name) for name in "ab")
    dns.set("n1.test", "127.0.0.1")
    dns.set("n2.test", "127.0.0.1")
    dns.set("_http._tcp.app.test", (10, 1, a.port, "n1.test"), (10, 1, b.port, "n2.test"))
    running = before(make, dns, "server app.test resolve service=http;", "resolver_timeout 300ms;")
    assert seen(running) == {"a", "b"}
    dns.dead.add("n1.test")
    asked = dns.count("n1.test")
    eventually(lambda: dns.count("n1.test") >= asked + 2, "it is asked for again", 12)
    assert seen(running) == {"a", "b"}
