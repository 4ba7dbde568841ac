"""The process: reload, signals, several workers, running out of descriptors."""
import os
import resource
import select
import signal
import threading
import time

import pytest

from harness import PROXY, eventually, free_port, site
from wire import Client, reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="weir's own")


def rewrite(proxy, old, new):
    text = proxy.conf.read_text()
    assert old in text
    proxy.conf.write_text(text.replace(old, new))


def reload(proxy, wait_for):
    seen = len(proxy.log("error.log"))
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: any(wait_for in line for line in proxy.log("error.log")[seen:]),
               f"{wait_for!r} in the error log")


def descriptors(proxy):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in proxy.pids())


def test_reload_closes_no_connection_and_serves_the_new_file(start):
    old, new = start.node(lambda *_: reply(200, b"old")), start.node(lambda *_: reply(200, b"new"))
    proxy = start.before(old)
    with Client(proxy.port) as client:
        assert client.exchange(request("/")).body == b"old"
        rewrite(proxy, old.address, new.address)
        reload(proxy, "is in force")
        assert client.exchange(request("/")).body == b"new"


def test_a_request_ends_under_the_configuration_it_began_with(start):
    gate = threading.Event()

    def slow(*_):
        assert gate.wait(10)
        return reply(200, b"old")

    old, new = start.node(slow), start.node(lambda *_: reply(200, b"new"))
    proxy = start.before(old)
    with Client(proxy.port) as client:
        client.send(request("/"))
        old.wait_for_requests(1)
        rewrite(proxy, old.address, new.address)
        reload(proxy, "is in force")
        gate.set()
        assert client.read_response().body == b"old"
        assert client.exchange(request("/")).body == b"new"


@pytest.mark.parametrize("change, says", [
    (("proxy_pass", "proxy_pas"), "did you mean"),
    (("server {", "server { listen 192.0.2.1:80;"), "bind()"),
    (("access_log /", "access_log /no/such/directory/"), "/no/such/directory"),
])
def test_a_bad_file_changes_nothing_and_is_told(start, change, says):
    node = start.node()
    proxy = start.before(node)
    before = descriptors(proxy)
    rewrite(proxy, *change)
    reload(proxy, "stays as it is")
    assert any(says in line for line in proxy.log("error.log"))
    assert send_once(proxy.port, request()).status == 200
    rewrite(proxy, change[1], change[0])
    reload(proxy, "is in force")
    eventually(lambda: descriptors(proxy) <= before + 2, "what was opened is closed")


def test_many_reloads_under_load_fail_no_request(start):
    nodes = [start.node(), start.node()]
    proxy = start.before(nodes, http="keepalive_requests 10000000;")
    bad = []
    stop = threading.Event()

    def load():
        with Client(proxy.port) as client:
            while not stop.is_set():
                got = client.exchange(request("/"))
                if got is None or got.status != 200:
                    bad.append(got)
                    return

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    memory = []
    for i in range(60):
        reload(proxy, "is in force")
        if i >= 20:
            memory.append(proxy.resident_kib())
    stop.set()
    for thread in threads:
        thread.join()
    assert not bad
    # Flat, but for what the allocator keeps.
    assert memory[-1] < memory[0] * 1.1 + 2048, memory


def test_a_listener_comes_and_goes_with_a_reload(start):
    node = start.node()
    proxy = start.before(node)
    spare = free_port()
    listen = f"listen 127.0.0.1:{proxy.port};"
    rewrite(proxy, listen, f"{listen} listen 127.0.0.1:{spare};")
    reload(proxy, "is in force")
    assert send_once(spare, request()).status == 200
    rewrite(proxy, f" listen 127.0.0.1:{spare};", "")
    reload(proxy, "is in force")

    def refused():
        try:
            return send_once(spare, request()) is None
        except OSError:
            return True
    eventually(refused, "the port is closed")
    assert send_once(proxy.port, request()).status == 200


def test_quit_lets_requests_end_and_closes_idle_connections(start):
    gate = threading.Event()

    def slow(*_):
        assert gate.wait(10)
        return reply(200, b"late")

    node = start.node(slow)
    proxy = start.before(node)
    with Client(proxy.port) as busy, Client(proxy.port) as idle:
        busy.send(request("/"))
        node.wait_for_requests(1)
        proxy.process.send_signal(signal.SIGQUIT)
        assert idle.to_end() == b""
        gate.set()
        got = busy.read_response()
        assert got.body == b"late" and got.get("Connection") == "close"
        assert proxy.process.wait(5) == 0
        proxy.process = None


def test_usr1_reopens_the_logs(start):
    proxy = start.before(start.node())
    assert send_once(proxy.port, request("/one")).status == 200
    proxy.wait_for_log("/one")
    log = proxy.directory / "access.log"
    log.rename(proxy.directory / "access.log.1")
    proxy.process.send_signal(signal.SIGUSR1)
    eventually(log.exists, "a new access log")
    assert send_once(proxy.port, request("/two")).status == 200
    proxy.wait_for_log("/two")
    assert "/two" not in (proxy.directory / "access.log.1").read_text()


def test_two_workers_share_one_order(start):
    nodes = [start.node() for _ in range(3)]
    proxy = start.proxy(site(nodes), workers=2)
    for _ in range(30):
        assert send_once(proxy.port, request("/", "Connection: close")).status == 200
    assert [len(node.requests) for node in nodes] == [10, 10, 10]


def test_without_descriptors_idle_connections_make_room(start):
    node = start.node()
    proxy = start.proxy(site([node]), main="worker_rlimit_nofile 64;")
    idle = [Client(proxy.port) for _ in range(80)]
    try:
        began = time.monotonic()
        assert send_once(proxy.port, request()).status == 200
        assert time.monotonic() - began < 1
    finally:
        for client in idle:
            client.close()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 64


def test_without_descriptors_whoever_has_just_connected_keeps_its_place(start):
    """Its first request will be on its way, and would end in a reset."""
    proxy = start.proxy(site([start.node()]), main="worker_rlimit_nofile 64;")
    clients, opened = [], {}
    poll = select.poll()
    try:
        for _ in range(80):
            before = time.monotonic()
            clients.append(Client(proxy.port))
            opened[clients[-1].sock.fileno()] = before
            poll.register(clients[-1].sock, select.POLLIN)
        closed = poll.poll(5000)
        assert closed, "none makes room"
        assert time.monotonic() - max(opened[fd] for fd, _ in closed) >= 0.03
    finally:
        for client in clients:
            client.close()


def test_without_descriptors_requests_wait_for_one(start):
    """Clients do not take the last ones, and whoever needs one for a node gets it in time."""
    proxy = start.proxy(site([start.node()]), main="worker_rlimit_nofile 64;")
    for pid in proxy.pids():
        os.kill(pid, signal.SIGSTOP)
    clients = [Client(proxy.port) for _ in range(120)]
    try:
        for client in clients:
            client.send(request("/"))
        for pid in proxy.pids():
            os.kill(pid, signal.SIGCONT)
        assert [client.read_response().status for client in clients] == [200] * 120
    finally:
        for client in clients:
            client.close()
