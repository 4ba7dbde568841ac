"""The grace of a start: requests wait for the first word of the checks, and not longer than that."""
import threading
import time

import pytest

from harness import PROXY, free_port, site
from node import RefusedPort
from test_health import ask, served
from wire import LIMIT, Client, reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx has no active checks")

CHECK = "health_check uri=/health interval=1s timeout=5s"


class Slow:
    """A node whose checks are answered when the test says so; other requests at once."""

    def __init__(self, status):
        self.status = status
        self.let_go = threading.Event()

    def __call__(self, _, seen):
        if seen.target != "/health":
            return reply()
        self.let_go.wait(LIMIT)
        return reply(self.status)


def checked(node):
    node.wait_for(lambda: "/health" in node.targets, "check")


YAML = """upstreams:
  app:
    servers: ["{0}", "{1}"]
    health_check: {{ uri: /health, timeout: 5s {2} }}
servers: {{listen: "@listen@", locations: {{path: /, proxy_pass: http://app}}}}
error_log: "@dir@/error.log notice"
"""


def nginx_text(nodes, parameters):
    return site(nodes, upstream=f"{CHECK} {parameters};")


def yaml_text(nodes, parameters):
    return YAML.format(nodes[0].address, nodes[1].address, parameters)


@pytest.mark.parametrize("text, parameters", [
    (nginx_text, "grace=5s"), (nginx_text, "grace=5s mandatory"), (yaml_text, ", grace: 5s")],
    ids=["nginx", "mandatory", "yaml"])
def test_a_request_waits_for_the_first_word_and_goes_to_the_peer_that_passed(start, text, parameters):
    bad, good = Slow(503), Slow(200)
    nodes = [start.node(bad), start.node(good)]
    proxy = start.proxy(text(nodes, parameters))
    clients = [Client(proxy.port) for _ in range(4)]
    try:
        for client in clients:
            client.send(request())
        for node in nodes:
            checked(node)
        good.let_go.set()
        bad.let_go.set()
        for client in clients:
            assert client.read_response().status == 200
        assert served(nodes[0]) == 0 and served(nodes[1]) == 4
    finally:
        for client in clients:
            client.close()


def test_the_wait_ends_by_itself(start):
    silent = Slow(200)
    node = start.node(silent)
    proxy = start.proxy(site([node], upstream=CHECK + " grace=1s;"))
    began = time.monotonic()
    assert send_once(proxy.port, request()).status == 200
    assert 0.3 < time.monotonic() - began < 3
    began = time.monotonic()
    assert send_once(proxy.port, request()).status == 200  # a start is once
    assert time.monotonic() - began < 0.25
    silent.let_go.set()


def test_a_mandatory_check_that_says_nothing_ends_in_502_after_the_wait(start):
    silent = Slow(200)
    node = start.node(silent)
    proxy = start.proxy(site([node], upstream=CHECK + " mandatory;"))  # 1 s by itself
    began = time.monotonic()
    assert send_once(proxy.port, request()).status == 502
    assert 0.9 < time.monotonic() - began < 3
    silent.let_go.set()


def test_nobody_waits_when_all_have_failed(start):
    port = RefusedPort()
    try:
        proxy = start.proxy(site([port.address], upstream=CHECK + " grace=5s;"))
        began = time.monotonic()
        assert send_once(proxy.port, request()).status == 502
        assert time.monotonic() - began < 3
    finally:
        port.stop()


def test_without_grace_nobody_waits(start):
    silent = Slow(503)
    node = start.node(silent)
    proxy = start.proxy(site([node], upstream=CHECK + ";"))
    checked(node)
    assert send_once(proxy.port, request()).status == 200
    silent.let_go.set()


def test_a_reload_is_no_start(start):
    switch = Slow(200)
    switch.let_go.set()
    node = start.node(switch)
    admin = free_port()
    proxy = start.proxy(site([node], upstream=CHECK + " mandatory grace=5s;"),
                        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    assert send_once(proxy.port, request()).status == 200
    switch.let_go.clear()
    proxy.process.send_signal(1)
    deadline = time.monotonic() + LIMIT
    while '"generation":2' not in ask(admin, "/upstreams")[1]:
        assert time.monotonic() < deadline
    began = time.monotonic()
    assert send_once(proxy.port, request()).status == 200
    assert time.monotonic() - began < 1
    switch.let_go.set()
