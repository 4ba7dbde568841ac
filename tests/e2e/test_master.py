"""Master and engine: background, replacement, signals, users."""

import grp
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import threading
import time

import pytest

from harness import PROXY, eventually, free_port
from program import (MAIN, SLOW, Load, alive, children, exits, refuses, status_of, worker_of)
from wire import Client, reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="of weir's own form")
ROOT = os.geteuid() == 0


# ---- start


def test_the_command_ends_when_it_serves(program):
    pid = program.start()
    assert send_once(program.port, request()).status == 200
    assert os.getsid(pid) == pid != os.getsid(0)
    assert children(pid) == [worker_of(program)]
    title = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()
    assert title == f"nginx: master process {program.binary} -c {program.conf}"
    worker = pathlib.Path(f"/proc/{worker_of(program)}/cmdline").read_bytes()
    assert worker.rstrip(b"\0") == b"nginx: worker process"
    log = program.log()
    assert re.search(r"\[notice\] \d+#0: nginx/1\.31\.5 ", log)
    assert not re.search(r"\[(warn|error|crit|alert|emerg)\]", log)


def test_a_start_that_fails_leaves_nothing(make):
    program = make(answer="access_log /no/such/directory/log; location / { return 200; }")
    done = program.run()
    assert done.returncode == 1 and "/no/such/directory/log" in done.stderr
    assert "[emerg]" in done.stderr
    assert not program.pid_path.exists() and refuses(program.port)


def test_a_pid_file_that_cannot_be_written(make):
    program = make(main=MAIN.replace("@dir@/p.pid", "@dir@/none/p.pid"))
    done = program.run()
    assert done.returncode == 1 and "none/p.pid" in done.stderr
    assert refuses(program.port)


def test_no_pipe_of_the_caller_is_kept(program):
    # Until all who have the pipes close them, this does not return.
    began = time.monotonic()
    assert program.run().returncode == 0
    assert time.monotonic() - began < 5 * SLOW
    for pid in (program.pid(), worker_of(program)):
        targets = [os.readlink(entry) for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
        assert not any(target.startswith("pipe:") for target in targets) or pid != program.pid()


# ---- replacement


def test_an_engine_that_is_killed_is_replaced_at_once(make):
    node = make.node()
    program = make(answer=f"location / {{ proxy_pass http://{node.address}; }} "
                          "location /pid { return 200 $pid; }")
    master = program.start()

    def worker():
        return int(send_once(program.port, request("/pid")).body)

    gaps = []
    for i in range(5):
        pid = worker()
        with Load(program.port, keep=True) as load:
            eventually(lambda load=load: load.answers > 20, "load")
            os.kill(pid, signal.SIGKILL)
            began = time.monotonic()
            while True:
                # In the queue of the dead engine's sockets, or of the new one's: never refused.
                try:
                    if (answer := send_once(program.port, request("/pid"))) is not None:
                        break
                except ConnectionResetError:
                    pass  # accepted by the one that died
            gaps.append(time.monotonic() - began)
        assert int(answer.body) != pid
        program.wait_for_log(rf"\[alert\] {master}#0: worker process {pid} exited on signal 9")
        time.sleep(0.1 if i else 0)  # the back-off's first step is for those that die at once
    assert program.pid() == master
    # Later ones wait for longer: they all died young.
    assert gaps[0] < 0.1 * SLOW, gaps


def test_term_to_the_engine_is_no_end(program):
    program.start()
    pid = worker_of(program)
    os.kill(pid, signal.SIGTERM)
    program.wait_for_log(f"worker process {pid} exited with code 0")
    assert worker_of(program) != pid


def test_an_engine_that_keeps_dying_is_started_less_and_less_often_but_always(program):
    program.start()
    for _ in range(4):
        os.kill(worker_of(program), signal.SIGKILL)
    program.wait_for_log(r"4 in a row; the next one starts in 400 ms")
    assert send_once(program.port, request()).status == 200


def test_without_its_master_the_engine_ends(make):
    gate = threading.Event()
    node = make.node(lambda *_: reply(200, b"late" if gate.wait(10) else b"too late"))
    program = make(answer=f"location / {{ proxy_pass http://{node.address}; }}")
    master = program.start()
    worker = children(master)[0]
    with Client(program.port) as client:
        client.send(request())
        node.wait_for_requests(1)
        os.kill(master, signal.SIGKILL)
        eventually(lambda: refuses(program.port), "nobody listens")
        assert alive(worker)
        gate.set()
        assert client.read_response().body == b"late"
    program.gone(worker)


# ---- signals


def test_quit_lets_requests_end_and_has_an_end_itself(make):
    gate = threading.Event()
    node = make.node(lambda connection, message: connection.wait_for_end()
                     if message.target == "/hang" else reply(200, b"late" if gate.wait(10) else b"too late"))
    program = make(main=MAIN + f"worker_shutdown_timeout {min(SLOW, 3)}s;",
                   answer=f"location / {{ proxy_pass http://{node.address}; }}")
    pid = program.start()
    with Client(program.port) as busy, Client(program.port) as idle, Client(program.port) as hung:
        busy.send(request("/"))
        hung.send(request("/hang"))
        node.wait_for_requests(2)
        program.signal(signal.SIGQUIT)
        assert idle.to_end() == b""
        eventually(lambda: refuses(program.port), "nobody listens")
        assert program.pid_path.exists()
        gate.set()
        answer = busy.read_response()
        assert answer.body == b"late" and answer.get("Connection") == "close"
        hung.to_end()
        program.gone(pid)
    assert not program.pid_path.exists()
    assert program.log().endswith(": exit\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_term_and_int_end_at_once(make, number):
    node = make.node(lambda connection, _: connection.wait_for_end())
    program = make(answer=f"location / {{ proxy_pass http://{node.address}; }}")
    pid = program.start()
    with Client(program.port) as client:
        client.send(request("/"))
        node.wait_for_requests(1)
        program.signal(number)
        client.to_end()
        program.gone(pid)
    assert not program.pid_path.exists() and exits(program) == 1


def test_an_engine_that_does_not_end_is_killed(program):
    pid = program.start()
    worker = worker_of(program)
    os.kill(worker, signal.SIGSTOP)
    program.signal(signal.SIGTERM)
    program.gone(pid)
    assert not alive(worker)
    assert f"worker process {worker} does not end; it is killed" in program.log()


@pytest.mark.skipif(not ROOT, reason="only root has files of its own")
def test_usr1_opens_logs_again_that_the_engine_may_not(make):
    program = make(main=MAIN.replace("user root;", "user nobody;"))
    program.rewrite("access_log off", f"access_log {program.directory}/access.log")
    assert program.directory.stat().st_mode & 0o077 == 0
    program.start()
    for i in range(3):
        send_once(program.port, request(f"/{i}"))
        log = program.directory / "access.log"
        eventually(lambda i=i, log=log: log.exists() and f"/{i}" in log.read_text(), "the line")
        log.rename(program.directory / f"access.{i}")
        (program.directory / "error.log").rename(program.directory / f"error.{i}")
        program.signal(signal.SIGUSR1)
        program.wait_for_log("logs reopened")
        assert log.exists()
        for pid in (program.pid(), worker_of(program)):
            assert os.readlink(f"/proc/{pid}/fd/2") == str(program.directory / "error.log")


def test_winch_ends_the_engine_and_hup_starts_one(make):
    gate = threading.Event()
    node = make.node(lambda *_: reply(200, b"late" if gate.wait(10) else b"too late"))
    program = make(answer=f"location /slow {{ proxy_pass http://{node.address}; }} "
                          "location / { return 200 $pid; }")
    master = program.start()
    first = worker_of(program)
    with Client(program.port) as busy:
        busy.send(request("/slow"))
        node.wait_for_requests(1)
        program.signal(signal.SIGWINCH)
        program.wait_for_log("requests and tunnels are let to end")
        # Still listened on, by nobody who serves.
        with Client(program.port) as waiting:
            waiting.send(request("/"))
            program.signal(signal.SIGHUP)
            second = int(waiting.read_response().body)
        assert second != first and alive(first)
        gate.set()
        assert busy.read_response().body == b"late"
    program.wait_for_log(f"worker process {first} exited with code 0")
    assert children(master) == [second]


def test_winch_of_a_terminal_means_nothing(program):
    with subprocess.Popen([program.binary, "-c", program.conf, "-g", "daemon off;"]) as process:
        eventually(program.pid_path.exists, "the pid file")
        process.send_signal(signal.SIGWINCH)
        process.send_signal(signal.SIGHUP)
        program.wait_for_log("is in force", 2)
        assert "stop accepting" not in program.log()
        assert send_once(program.port, request()).status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


# ---- what the engine is


@pytest.mark.skipif(not ROOT, reason="only root changes users")
@pytest.mark.parametrize("directive, user, group", [
    ("user daemon;", "daemon", "daemon"), ("user daemon www-data;", "daemon", "www-data"),
    ("user nobody;", "nobody", "nogroup"), ("", "nobody", "nogroup"),
])
def test_the_engine_runs_as_user(make, directive, user, group):
    program = make(main=MAIN.replace("user root;", directive))
    program.conf.chmod(0o600)
    master = program.start()
    worker = worker_of(program)
    uid, gid = pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
    assert status_of(worker, "Uid").split() == [str(uid)] * 4
    assert status_of(worker, "Gid").split() == [str(gid)] * 4
    assert str(gid) in status_of(worker, "Groups").split()
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status_of(worker, name), 16) == 0, name
    assert status_of(worker, "NoNewPrivs") == "1"
    assert status_of(master, "Uid").split()[0] == "0"
    # It needs none of what it may not read: the next configuration and the next engine work, too.
    program.rewrite("return 200", "return 201")
    program.reload()
    assert send_once(program.port, request()).status == 201
    os.kill(worker, signal.SIGKILL)
    program.wait_for_log("exited on signal 9")
    assert send_once(program.port, request()).status == 201


def test_limits_priority_directory_and_environment(make):
    program = make(main=MAIN + "worker_priority 5; worker_rlimit_nofile 300; "
                   "worker_rlimit_core 1m; working_directory @dir@; env TZ=XXX-05:00;")
    program.rewrite("access_log off", f"access_log {program.directory}/access.log")
    program.start()
    worker = worker_of(program)
    assert os.getpriority(os.PRIO_PROCESS, worker) == 5
    assert os.getpriority(os.PRIO_PROCESS, program.pid()) == os.getpriority(os.PRIO_PROCESS, 0)
    limits = pathlib.Path(f"/proc/{worker}/limits").read_text()
    assert re.search(r"Max open files\s+300 ", limits)
    assert re.search(r"Max core file size\s+1048576 ", limits)
    assert os.readlink(f"/proc/{worker}/cwd") == str(program.directory)
    log = program.directory / "access.log"
    eventually(lambda: "+0500]" in log.read_text(), "the time zone of the directive")


def test_one_process_without_a_master(make):
    gate = threading.Event()
    node = make.node(lambda *_: reply(200, b"late" if gate.wait(10) else b"too late"))
    program = make(main=MAIN + "master_process off;",
                   answer=f"location /slow {{ proxy_pass http://{node.address}; }} "
                          "location / { return 200 $pid; }")
    pid = program.start()
    assert worker_of(program) == pid and children(pid) == []
    program.rewrite("return 200", "return 201")
    program.reload()
    assert send_once(program.port, request()).status == 201
    program.wait_for_log("exited with code 0")
    program.rewrite("return 201", "retrun 201")
    program.signal(signal.SIGHUP)
    program.wait_for_log("stays as it is")
    (program.directory / "error.log").rename(program.directory / "error.1")
    program.signal(signal.SIGUSR1)
    program.wait_for_log("logs reopened")
    with Client(program.port) as client:
        client.send(request("/slow"))
        node.wait_for_requests(1)
        program.signal(signal.SIGQUIT)
        eventually(lambda: refuses(program.port), "nobody listens")
        gate.set()
        assert client.read_response().body == b"late"
    program.gone(pid)
    assert not program.pid_path.exists()


def test_a_failed_reload_is_known_to_the_next_engine_as_well(make):
    admin = free_port()
    program = make(main=MAIN + f"admin {{ listen 127.0.0.1:{admin}; }}")
    program.start()

    def last_reload():
        text = send_once(admin, request("/metrics", host="localhost")).body.decode()
        return re.search(r"^weir_config_last_reload_successful (\d)", text, re.M).group(1)

    assert last_reload() == "1"
    program.rewrite("return", "retrun")
    program.signal(signal.SIGHUP)
    eventually(lambda: last_reload() == "0", "the metric")
    os.kill(worker_of(program), signal.SIGKILL)
    program.wait_for_log("exited on signal")
    eventually(lambda: last_reload() == "0", "the metric")
    program.rewrite("retrun", "return")
    program.signal(signal.SIGHUP)
    eventually(lambda: last_reload() == "1", "the metric")
    assert json.loads(send_once(admin, request("/upstreams", host="localhost")).body) is not None
