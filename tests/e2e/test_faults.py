"""What clients notice when a node fails, under steady load: short forms of bench/faults.

Counts are asserted, not times: the machine may be busy. Each node is a fake NocoBase in a process of
its own, so that it can be killed and stopped; each POST that it executes is counted there.
"""

import asyncio
import os
import signal
import time

import pytest

from fake_nocobase import FakeNocobase
from harness import PROXY, eventually, free_port
from steady_load import Client, Result, SteadyLoad, twice
from wire import Client as WireClient
from wire import request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="weir in YAML, with its checks")

CONF = """upstreams:
  app:
    profile: nocobase
    servers: [{servers}]
    keepalive_timeout: 4s
    health_check: {{ uri: /api/__health_check, status: 200, interval: 200ms, fast: 50ms, timeout: 1s }}
servers:
  - listen: @listen@
    access_log: off
    locations:
      - path: /
        proxy_pass: http://app
        proxy_connect_timeout: 1s
        proxy_read_timeout: 1s
admin: {{ listen: 127.0.0.1:{admin} }}
error_log: @dir@/error.log notice
"""


class Cluster:
    """Three nodes and weir before them."""

    def __init__(self, start, directory):
        self.nodes = [FakeNocobase(free_port(), directory) for _ in range(3)]
        self.proxy = None
        self._start = start

    def start(self):
        self.proxy = self._start.proxy(CONF.format(
            admin=free_port(), servers=", ".join(node.address for node in self.nodes)))
        for node in self.nodes:
            self.wait_for_state(node, "up")
        return self

    def wait_for_state(self, node, state, count=1):
        """Until the proxy has said so of the node, `count` times since its start."""
        eventually(lambda: "\n".join(self.proxy.log("error.log")).count(
            f"peer {node.address} of \"app\" {state}") >= count, f"{node.address} is {state}", 15)

    def load(self, act, seconds=3.0):
        """Steady load, with `act(result)` in the midst of it; its result."""
        async def both():
            load = SteadyLoad(self.proxy.port, seconds=seconds)
            running = asyncio.create_task(load.run())
            await asyncio.sleep(0.5)
            await asyncio.to_thread(act, load.result)
            return await running
        return asyncio.run(both())

    def stop(self):
        for node in self.nodes:
            node.stop()


@pytest.fixture(name="cluster")
def cluster_fixture(start, tmp_path):
    made = Cluster(start, tmp_path)
    try:
        yield made.start()
    finally:
        made.stop()


def test_a_node_is_killed_and_comes_back(cluster):
    node = cluster.nodes[0]

    def act(_):
        node.kill()
        cluster.wait_for_state(node, "down")
        node.start()
        cluster.wait_for_state(node, "up", 2)

    result = cluster.load(act)
    # A POST that the node had got when it died cannot be known not to have been executed.
    assert result.count("GET") == 0 and result.count("POST") <= 2 and not result.cut, result.ends()
    assert twice(cluster.nodes) == 0


def test_a_node_that_hangs_costs_only_the_posts_that_it_has(cluster):
    node = cluster.nodes[0]

    def act(_):
        node.send_signal(signal.SIGSTOP)
        cluster.wait_for_state(node, "down")

    result = cluster.load(act, 4.0)
    assert result.count("GET") == 0 and not result.cut, result.ends()
    # One a client, at the very most.
    assert result.count("POST") <= 20, result.ends()
    # Later the node executes what it has got meanwhile: nobody else may have done so.
    node.send_signal(signal.SIGCONT)
    cluster.wait_for_state(node, "up", 2)
    assert twice(cluster.nodes) == 0


def test_packets_that_vanish_cost_no_safe_request(cluster):
    node = cluster.nodes[0]

    def act(_):
        node.tell("drop on")
        cluster.wait_for_state(node, "down")

    result = cluster.load(act, 4.0)
    assert result.count("GET") == 0 and not result.cut, result.ends()
    node.tell("drop off")
    cluster.wait_for_state(node, "up", 2)
    assert twice(cluster.nodes) == 0


def test_a_node_that_resets_inside_bodies_is_taken_out(cluster):
    result = cluster.load(lambda _: cluster.nodes[0].tell("reset on"))
    # Its checks are fine all the time; a third of 500 requests would be cut.
    assert 1 <= result.cut <= 10, result.ends()
    assert len(result.failures) == result.cut, result.ends()
    assert twice(cluster.nodes) == 0


def test_all_are_down_and_come_back(cluster):
    up = []

    def act(_):
        for node in cluster.nodes:
            node.kill()
        for node in cluster.nodes:
            cluster.wait_for_state(node, "down")
        for node in cluster.nodes:
            node.start()
        for node in cluster.nodes:
            cluster.wait_for_state(node, "up", 2)
        up.append(time.monotonic())  # the clients' clock, too

    result = cluster.load(act, 4.0)
    assert result.failures and all(done.end in ("502", "503", "504", "reset")
                                   for done in result.failures), result.ends()
    # None that began after the last node was up.
    assert not [done for done in result.failures if done.sent > up[0]], result.ends()
    assert result.all[-1].end == "ok"
    assert twice(cluster.nodes) == 0


def test_maintenance_of_a_node_is_not_noticed(cluster):
    node = cluster.nodes[0]

    def act(_):
        for phase in ("commanding", "not_found", "stopped", "running"):
            node.tell(f"phase {phase}")
        node.tell("phase commanding")
        cluster.wait_for_state(node, "down")
        node.tell("phase running")

    result = cluster.load(act)
    # It says that it has executed nothing: POSTs go elsewhere, too.
    assert result.failures == [], result.ends()
    assert twice(cluster.nodes) == 0


def test_a_storm_of_reloads(cluster):
    async def storm():
        idle = Result()
        clients = [Client(cluster.proxy.port, idle) for _ in range(50)]
        for client in clients:
            await client.request()
        load = SteadyLoad(cluster.proxy.port, seconds=3.0)
        running = asyncio.create_task(load.run())
        for _ in range(20):
            cluster.proxy.process.send_signal(signal.SIGHUP)
            await asyncio.sleep(0.1)
        result = await running
        closed = sum(client.is_closed() for client in clients)
        for client in clients:
            client.close()
        return idle, result, closed

    idle, result, closed = asyncio.run(storm())
    assert idle.failures == [] and result.failures == [], result.ends()
    assert closed == 0 and result.reconnects == 0
    assert twice(cluster.nodes) == 0


def test_the_engine_is_killed(cluster):
    def act(_):
        os.kill(cluster.proxy.pids()[1], signal.SIGKILL)

    result = cluster.load(act)
    # Its connections die with it; one a client may have been in use.
    assert len(result.failures) <= 20, result.ends()
    assert result.all[-1].end == "ok"
    assert twice(cluster.nodes) == 0


def test_websockets_of_a_node_that_has_stopped_are_ended(cluster):
    """It leaves them open by itself, and browsers would wait for ever."""
    upgrade = request("/ws", "Upgrade: websocket", "Connection: Upgrade",
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    sockets = [WireClient(cluster.proxy.port, limit=20) for _ in range(6)]
    try:
        for socket in sockets:
            assert socket.exchange(upgrade).status == 101
        node = cluster.nodes[0]
        node.send_signal(signal.SIGTERM)
        # Only when the last of its WebSockets has ended does it end itself.
        eventually(lambda: node.process.poll() is not None, "its end", 20)
        closed = 0
        for socket in sockets:
            socket.send(b"\x81\x82\0\0\0\0hi")
            if (first := socket.exactly(4)) == b"\x81\x02hi":
                continue
            assert first == b"\x88" + bytes([first[1]]) + (1012).to_bytes(2, "big"), first
            closed += 1
        assert closed == 2, closed
    finally:
        for socket in sockets:
            socket.close()


def test_the_node_itself_behaves_as_nocobase(tmp_path):
    node = FakeNocobase(free_port(), tmp_path)
    try:
        def status(target, *fields, method="GET"):
            answer = send_once(node.port, request(target, *fields, method=method), method)
            return answer.status, answer.body

        health = "/api/__health_check"
        assert status(health) == (200, b"ok")
        assert status(health, method="HEAD") == (200, b"")
        assert status(health + "?x=1") == (404, b"Not Found")
        assert status(health, "X-App: other")[0] == 404
        for phase, code, name in (("not_found", 404, b"APP_NOT_FOUND"),
                                  ("preparing", 503, b"APP_PREPARING"),
                                  ("commanding", 503, b"APP_COMMANDING")):
            node.tell(f"phase {phase}")
            got, body = status("/api/users:list")
            assert got == code and name in body and b'"maintaining": true' in body
            assert status(health)[0] == code
            assert status("/admin")[0] == 200  # a file
        node.tell("phase running")
        post = request("/api/x:create", "X-Post-Id: one", method="POST", body=b"x")
        assert send_once(node.port, post).status == 200 and node.posts() == ["one"]
        with WireClient(node.port) as socket:
            upgrade = request("/ws", "Upgrade: websocket", "Connection: Upgrade",
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
            answer = socket.exchange(upgrade)
            assert answer.status == 101
            assert answer.get("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
            # `ping` is not answered.
            socket.send(b"\x81\x84\0\0\0\0ping" + b"\x81\x82\0\0\0\0hi")
            assert socket.exactly(4) == b"\x81\x02hi"
            # SIGTERM closes the port; the WebSocket stays, and the process with it.
            node.send_signal(signal.SIGTERM)
            eventually(lambda: _refused(node.port), "the closed port")
            socket.send(b"\x81\x82\0\0\0\0hi")
            assert socket.exactly(4) == b"\x81\x02hi"
            assert node.process.poll() is None
        eventually(lambda: node.process.poll() is not None, "its end")
    finally:
        node.stop()


def _refused(port):
    try:
        with WireClient(port):
            return False
    except OSError:
        return True
