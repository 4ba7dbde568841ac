"""Reload: what changes, what goes on, and when the old configuration has ended."""

import os
import signal
import threading

import pytest

from harness import PROXY, eventually, free_port
from program import MAIN, SLOW, Load, children, exits, refuses, status_of, worker_of
from wire import Client, reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="of weir's own form")


def test_a_reload_is_told_once_when_the_last_old_request_has_ended(make):
    gate = threading.Event()
    node = make.node(lambda *_: reply(200, b"late" if gate.wait(10) else b"too late"))
    program = make(answer=f"location /slow {{ proxy_pass http://{node.address}; }} return 200;")
    program.rewrite("return 200;", "location / { return 200; }")
    program.start()
    for i in range(1, 4):
        program.reload(i)
        program.wait_for_log("exited with code 0", i)
    with Client(program.port) as client:
        client.send(request("/slow"))
        node.wait_for_requests(1)
        program.reload(4)
        assert send_once(program.port, request()).status == 200
        assert exits(program) == 3
        gate.set()
        assert client.read_response().status == 200
        program.wait_for_log("exited with code 0", 4)
    program.run("-s", "stop")
    assert exits(program) == 5  # and the engine itself


def test_reloads_under_load(make):
    nodes = [make.node(), make.node()]
    program = make(f"{MAIN} events {{ }} http {{ access_log off; keepalive_requests 10000000; "
                   f"upstream u {{ server {nodes[0].address}; server {nodes[1].address}; }} "
                   "server { listen @listen@; location / { proxy_pass http://u; } } }")
    master = program.start()
    worker = children(master)[0]

    def resident():
        return sum(int(status_of(pid, "VmRSS").split()[0]) for pid in (master, worker))

    memory = []
    with Load(program.port, keep=True) as kept, Load(program.port) as fresh:
        for i in range(1, 101):
            program.reload(i)
            if i >= 30:
                memory.append(resident())
            if i % 10 == 0:
                kept.goes_on()
                fresh.goes_on()
        program.rewrite("proxy_pass", "proxy_pas")
        for i in range(1, 101):
            program.signal(signal.SIGHUP)
            program.wait_for_log("stays as it is", i)
        memory.append(resident())
    assert not kept.failures and not fresh.failures
    assert children(master) == [worker]
    program.wait_for_log("exited with code 0", 100)
    assert exits(program) == 100
    # Flat, but for what the allocator keeps.
    assert memory[-1] < memory[0] * 1.1 + 2048 * SLOW, memory


def test_a_burst_of_reloads_ends_with_the_last_configuration(program):
    program.start()
    for i in range(20):
        program.rewrite("return 200", f"return 2{i:02}") if i == 0 else program.rewrite(
            f"return 2{i - 1:02}", f"return 2{i:02}")
        program.signal(signal.SIGHUP)
    eventually(lambda: send_once(program.port, request()).status == 219, "the last one")


def test_workers_come_and_go_with_a_reload(make):
    admin = free_port()
    node = make.node()
    program = make(f"{MAIN} worker_processes 1; events {{ }} admin {{ listen 127.0.0.1:{admin}; }} "
                   "http { access_log off; keepalive_requests 1000000; server { listen @listen@; "
                   f"location / {{ proxy_pass http://{node.address}; }} }} }}")
    master = program.start()
    worker = children(master)[0]

    def threads():
        return int(status_of(worker, "Threads"))

    one = threads()
    sent = 0
    with Load(program.port, keep=True) as kept, Load(program.port) as fresh:
        for i, (before, now) in enumerate(((1, 4), (4, 2), (2, 3), (3, 1), (1, 2)), 1):
            answers = fresh.answers
            program.rewrite(f"worker_processes {before}", f"worker_processes {now}")
            program.reload(i)
            eventually(lambda answers=answers: fresh.answers > answers + 20, "load")
            assert threads() >= one + now - 1
    # Kept connections have ended: what is too many has gone.
    eventually(lambda: threads() == one + 1, "two workers are left")
    assert not kept.failures and not fresh.failures
    sent = kept.answers + fresh.answers

    def counted():
        text = send_once(admin, request("/metrics", host="localhost")).body.decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("weir_requests_total{"))
    eventually(lambda: counted() >= sent, "the counters have all")
    assert counted() == sent


@pytest.mark.parametrize("wide", ["", "0.0.0.0:", "[::]:"])
def test_an_address_becomes_narrower_and_wider_again(make, wide):
    program = make(answer="location / { return 200 $pid; }")
    narrow = f"listen 127.0.0.1:{program.port};"
    wider = f"listen {wide}{program.port}{' ipv6only=off' if ':]' in wide else ''};"
    program.rewrite(narrow, wider)
    program.start()
    with Client(program.port) as kept, Load(program.port) as load:
        assert kept.exchange(request()).status == 200
        for i in range(1, 21, 2):
            program.rewrite(wider, narrow)
            program.reload(i)
            program.rewrite(narrow, wider)
            program.reload(i + 1)
            assert kept.exchange(request()).status == 200
            load.goes_on()
    assert not load.failures, load.failures
    # None was lost on the way: the system tries those again after a second.
    assert load.slowest < 0.9 * SLOW, load.slowest


def test_sockets_that_go_are_closed(program):
    spare = free_port()
    program.rewrite("listen", f"listen 127.0.0.1:{spare}; listen unix:{program.directory}/s; listen")
    program.start()
    assert send_once(spare, request()).status == 200
    assert (program.directory / "s").is_socket()
    program.rewrite(f"listen 127.0.0.1:{spare}; listen unix:{program.directory}/s; ", "")
    program.reload()
    eventually(lambda: refuses(spare), "the port is closed")
    eventually(lambda: not (program.directory / "s").exists(), "its file is gone")


def test_logs_and_pid_file_move_with_a_reload(program):
    program.start()
    old = program.log()
    program.rewrite("error.log", "other.log")
    program.rewrite("p.pid", "q.pid")
    program.rewrite("access_log off", f"access_log {program.directory}/access.log")
    program.signal(signal.SIGHUP)
    other = program.directory / "other.log"
    eventually(lambda: other.exists() and "is in force" in other.read_text(), "the new log")
    eventually(lambda: not program.pid_path.exists(), "the old pid file is gone")
    assert send_once(program.port, request("/new")).status == 200
    eventually(lambda: "/new" in (program.directory / "access.log").read_text(), "a line")
    assert "reload: reading" in program.log()[len(old):]
    program.pid_path = program.directory / "q.pid"
    for pid in (program.pid(), worker_of(program)):
        assert os.readlink(f"/proc/{pid}/fd/2") == str(other)


def test_a_reload_opens_logs_that_were_moved_again(program):
    program.rewrite("access_log off", f"access_log {program.directory}/access.log")
    program.start()
    send_once(program.port, request("/one"))
    log = program.directory / "access.log"
    eventually(lambda: "/one" in log.read_text(), "the line")
    log.rename(program.directory / "moved")
    program.reload()
    send_once(program.port, request("/two"))
    eventually(lambda: "/two" in log.read_text(), "the line")


def test_what_a_reload_cannot_change_is_said(program):
    program.rewrite("events", "worker_priority 0; events")
    program.start()
    program.rewrite("worker_priority 0", "worker_priority 5; env A; daemon off")
    program.reload()
    assert "changes with the next start only: daemon, env, worker_priority" in program.log()


def test_worker_shutdown_timeout_ends_what_an_old_configuration_still_serves(make):
    node = make.node(lambda connection, _: connection.wait_for_end())
    program = make(main=MAIN + "worker_shutdown_timeout 100ms;",
                   answer=f"location /slow {{ proxy_pass http://{node.address}; }}")
    program.start()
    with Client(program.port) as slow, Client(program.port) as idle:
        slow.send(request("/slow"))
        node.wait_for_requests(1)
        program.reload()
        slow.to_end()
        assert idle.to_end() == b""
    program.wait_for_log("exited with code 0", 1)
