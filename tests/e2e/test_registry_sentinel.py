"""A Redis whose master dies and is followed by another: what the proxy reads and what nodes hold."""

import json
import sys
import urllib.request

import pytest

from harness import eventually, free_port, weir_only
from program import Load
from redis_server import RedisServer, Sentinels, WeirNode, key
from wire import reply, request, send_once

pytestmark = weir_only

SERVE = [sys.executable, "-u", "-c", """
import os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = os.environ["WORKER_ID"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""]


@pytest.fixture(name="sentinels")
def sentinels_fixture(tmp_path_factory):
    make = tmp_path_factory.mktemp
    first, second = (RedisServer(make("redis")).start() for _ in range(2))
    watchers = Sentinels([make("sentinel") for _ in range(2)], first, second)
    yield watchers
    watchers.stop()
    for server in (second, first):
        server.stop()


@pytest.fixture(name="node")
def node_fixture(sentinels, tmp_path_factory):
    started = []

    def make(*options):
        port = free_port()
        started.append(WeirNode(tmp_path_factory.mktemp("node"), sentinels.url,
                                f"127.0.0.1:{port}", "--drain", "100ms", "--check", "/", *options,
                                command=[*SERVE, str(port)]))
        return started[-1]

    yield make
    for one in started:
        one.stop()


def proxy(start, sentinels):
    admin = free_port()
    running = start.proxy(
        f"upstream app {{ registry {sentinels.url} app=main poll=200ms; }}"
        "server { listen @listen@; location / { proxy_pass http://app; } }",
        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    running.admin = admin
    return running


def registry_of(running):
    with urllib.request.urlopen(f"http://127.0.0.1:{running.admin}/upstreams", timeout=5) as answer:
        return json.load(answer)["upstreams"][0]["registry"]


def seen(running, count=12):
    return {send_once(running.port, request("/", "Connection: close")).body.decode()
            for _ in range(count)}


def read_from(running, server):
    def fresh():
        found = registry_of(running)
        return found["server"] == f"127.0.0.1:{server.port}" and found["fresh"]
    return fresh


def test_sentinels_lead_to_the_master_and_to_the_next_one(start, sentinels):
    a, b = (start.node(lambda *_, name=name: reply(body=name)) for name in (b"a", b"b"))
    first, second = sentinels.master, sentinels.replica
    first.add(0, a.address)
    sentinels.wait_for_replica()
    eventually(lambda: second.do("HGET", key(0), "addr") == a.address, "and has all", 15)
    running = proxy(start, sentinels)
    assert seen(running) == {"a"}
    assert registry_of(running)["server"] == f"127.0.0.1:{first.port}"
    with Load(running.port) as load:
        first.kill()
        eventually(read_from(running, second), "the new master is read", 40)
        second.add(1, b.address)
        eventually(lambda: seen(running) == {"a", "b"}, "both serve")
    assert load.failures == []


@pytest.mark.parametrize("lease", ["15s", "1500ms"])
def test_nodes_keep_their_ids_when_another_master_follows(start, sentinels, node, lease):
    """With the short lease it is over before there is another master: the IDs are free then, and
    each node takes its own again."""
    first, second = sentinels.master, sentinels.replica
    sentinels.wait_for_replica()
    nodes = [node("--lease", lease) for _ in range(3)]
    for one in nodes:
        one.wait_for("ready at", 20)
    held = [one.id() for one in nodes]
    assert sorted(held) == [0, 1, 2]
    running = proxy(start, sentinels)
    eventually(lambda: seen(running) == {"0", "1", "2"}, "all three serve", 10)

    def all_hold(server):
        return [server.do("HMGET", key(slot), "addr", "state") for slot in held] == [
            [one.addr, "ready"] for one in nodes]
    eventually(lambda: all_hold(second), "the replica has them all")
    with Load(running.port) as load:
        first.kill()
        eventually(read_from(running, second), "the new master is read", 40)
        eventually(lambda: all_hold(second) and
                   all(second.do("PTTL", key(slot)) > 0 for slot in held), "each has its ID", 20)
        eventually(lambda: seen(running) == {"0", "1", "2"}, "all three serve again", 10)
        load.goes_on()
    assert load.failures == []
    assert all(one.process.poll() is None for one in nodes)
    # They live on by the new master: one that ends gives its ID back there.
    nodes[1].wait_for("the registry is reached again", 30)
    assert nodes[1].end() is not None
    assert second.do("EXISTS", key(held[1])) == 0
