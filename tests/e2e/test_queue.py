"""Requests that nobody has executed wait in the queue for a node that takes them."""

import re
import time
import urllib.request

import pytest

from fake_nocobase import FakeNocobase
from harness import eventually, free_port, site, weir_only
from wire import Client, reply, request, send_once

pytestmark = weir_only


class Waited:
    """weir before nodes at these ports, with a queue."""

    def __init__(self, start, *ports, queue="queue 50 timeout=20s;", upstream="", location="",
                 **options):
        self.admin = free_port()
        self.proxy = start.proxy(
            site([f"127.0.0.1:{port}" for port in ports], upstream=queue + upstream,
                 parameters=["fail_timeout=1s"] * len(ports),
                 location="add_header X-Addr $upstream_addr always;" + location),
            main=f"admin {{ listen 127.0.0.1:{self.admin}; }}", **options)
        self.clients = []

    def waiting(self):
        page = f"http://127.0.0.1:{self.admin}/metrics"
        with urllib.request.urlopen(page, timeout=5) as answer:
            return int(re.search(r"^weir_upstream_queued_requests\{.*\} (\d+)$",
                                 answer.read().decode(), re.M).group(1))

    def send(self, count, **options):
        clients = [Client(self.proxy.port) for _ in range(count)]
        for i, client in enumerate(clients):
            client.send(request(f"/{len(self.clients) + i}", **options))
        self.clients += clients
        eventually(lambda: self.waiting() == len(self.clients), "all wait")

    def answers(self):
        found = [client.read_response() for client in self.clients]
        for client in self.clients:
            client.close()
        return found

    def attempts(self):
        return sum("connect() failed" in line or "onnection refused" in line
                   for line in self.proxy.log("error.log"))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_start_of_all_nodes_loses_no_request(start, count, workers):
    """Whatever the method; the one node is not asked all the time."""
    ports = [free_port() for _ in range(count)]
    waited = Waited(start, *ports, workers=workers)
    began = time.monotonic()
    waited.send(10, method="POST", body=b"x" * 100)
    node = start.node(lambda _, message: reply(200, message.body), port=ports[-1])
    answers = waited.answers()
    seconds = time.monotonic() - began
    assert [answer.status for answer in answers] == [200] * 10
    assert all(answer.body == b"x" * 100 for answer in answers)
    assert sorted(node.targets) == [f"/{i}" for i in range(10)]
    assert waited.waiting() == 0
    # Each looks again once a second.
    assert waited.attempts() <= 10 * count * (seconds + 1)
    tried = answers[0].get("x-addr").split(", ")
    assert tried[-1] == node.address and set(tried) <= {f"127.0.0.1:{port}" for port in ports}


def test_what_may_have_been_executed_does_not_wait(start):
    node = start.node(lambda connection, _: connection.reset())
    waited = Waited(start, node.port)
    for method in ("GET", "POST"):
        assert send_once(waited.proxy.port, request("/", method=method)).status == 502
    assert len(node.requests) == 2


@pytest.mark.parametrize("limit", ["proxy_next_upstream off;", "proxy_next_upstream timeout;",
                                   "proxy_next_upstream_tries 1;"])
def test_what_may_not_go_elsewhere_does_not_wait(start, limit):
    waited = Waited(start, free_port(), location=limit)
    assert send_once(waited.proxy.port, request()).status == 502
    assert waited.attempts() == 1


def test_the_wait_has_an_end(start):
    waited = Waited(start, free_port(), queue="queue 5 timeout=1500ms;")
    began = time.monotonic()
    assert send_once(waited.proxy.port, request()).status == 502
    assert time.monotonic() - began > 1.4
    assert waited.attempts() <= 3


def test_one_too_many_is_told_at_once(start):
    waited = Waited(start, free_port(), queue="queue 2 timeout=20s;")
    waited.send(2)
    assert send_once(waited.proxy.port, request()).status == 502
    assert any("is full" in line for line in waited.proxy.log("error.log"))
    for client in waited.clients:
        client.close()
    eventually(lambda: waited.waiting() == 0, "who has left does not wait")


def test_a_nocobase_that_starts_again_loses_no_request(start, tmp_path):
    """Its port is closed, then it says in two ways that it has executed nothing."""
    node = start._keep(FakeNocobase(free_port(), tmp_path))  # pylint: disable=protected-access
    waited = Waited(start, node.port, upstream="profile nocobase;")
    node.kill()
    for i in range(8):
        client = Client(waited.proxy.port)
        client.send(request("/api/a:create", f"X-Post-Id: {i}", method="POST", body=b"{}"))
        waited.clients.append(client)
    eventually(lambda: waited.waiting() == 8, "all wait")
    node.start("--boot", "0.5")
    assert [answer.status for answer in waited.answers()] == [200] * 8
    assert sorted(node.posts()) == [str(i) for i in range(8)]
