"""weir as a service of systemd: readiness, reloads, watchdog, socket activation, the units."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import PROXY, ROOT
from program import KEEP_ENV, SLOW, Program, children, worker_of
from wire import request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="of weir's own form")
MAIN = "daemon off; pid @dir@/p.pid; error_log @dir@/error.log info;" + (
    " user root;" if os.geteuid() == 0 else "") + KEEP_ENV


class Manager:
    """Plays the service manager: a datagram socket that gets the notices."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(10 * SLOW)

    def next(self, ignoring="WATCHDOG=1"):
        while (text := self.socket.recv(4096).decode()) == ignoring:
            pass
        return text


@pytest.fixture(name="started")
def started_fixture(tmp_path):
    """started(environment, ...) runs weir under a Manager: (program, process, manager)."""
    processes = []

    def start(environment=(), before=None, main=MAIN, **options):
        program = Program(tmp_path, main=main)
        manager = Manager(tmp_path)
        process = subprocess.Popen(
            [program.binary, "-c", program.conf], preexec_fn=before,
            env={**os.environ, "NOTIFY_SOCKET": manager.path, **dict(environment)}, **options)
        processes.append((program, process))
        return program, process, manager

    yield start
    for program, process in processes:
        process.terminate()
        assert process.wait(10 * SLOW) is not None
        program.stop()


@pytest.mark.parametrize("main", [MAIN, MAIN + "master_process off;"])
def test_a_service_tells_what_it_does(started, main):
    program, process, manager = started(main=main)
    text = manager.next()
    assert text.startswith("READY=1\nSTATUS=serving ") and program.pid() == process.pid
    before = time.monotonic_ns() // 1000
    process.send_signal(signal.SIGHUP)
    text = manager.next()
    assert text.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert before <= int(re.search(r"USEC=(\d+)", text).group(1)) <= time.monotonic_ns() // 1000
    assert manager.next().startswith("READY=1\n")
    program.rewrite("return", "retrun")
    process.send_signal(signal.SIGHUP)
    assert manager.next().startswith("RELOADING=1\n")
    assert manager.next() == "READY=1\nSTATUS=serving; the last reload failed"
    process.send_signal(signal.SIGQUIT)
    assert manager.next().startswith("STOPPING=1")
    assert process.wait(10 * SLOW) == 0


def test_an_abstract_socket(tmp_path):
    program = Program(tmp_path, main=MAIN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"weir-test-{os.getpid()}"
        manager.bind("\0" + name)
        manager.settimeout(10 * SLOW)
        with subprocess.Popen([program.binary, "-c", program.conf],
                              env={**os.environ, "NOTIFY_SOCKET": "@" + name}) as process:
            assert manager.recv(4096).startswith(b"READY=1")
            process.terminate()
    program.stop()


@pytest.mark.parametrize("main", [MAIN, MAIN + "master_process off;"])
def test_the_watchdog_hears_of_an_engine_that_answers(started, main):
    program, process, manager = started({"WATCHDOG_USEC": str(300000 * SLOW)}, main=main)
    assert manager.next().startswith("READY=1")
    for _ in range(5):
        assert manager.next(ignoring="") == "WATCHDOG=1"
    if "master_process off" in main:
        return
    worker = worker_of(program)
    os.kill(worker, signal.SIGSTOP)
    manager.socket.settimeout(SLOW)
    with pytest.raises(TimeoutError):
        for _ in range(10):
            manager.next(ignoring="")
    os.kill(worker, signal.SIGCONT)
    assert manager.next(ignoring="") == "WATCHDOG=1"
    assert process.poll() is None


def test_the_watchdog_of_another_process_is_not_ours(started):
    _, _, manager = started({"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    assert manager.next().startswith("READY=1")
    manager.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        manager.next(ignoring="")


def test_an_upgrade_passes_the_service_on(started):
    program, process, manager = started()
    assert manager.next().startswith("READY=1")
    process.send_signal(signal.SIGUSR2)
    assert manager.next().startswith("READY=1")  # the new one
    process.send_signal(signal.SIGQUIT)
    assert manager.next().startswith("STOPPING=1")
    assert manager.next() == f"MAINPID={program.pid()}"
    assert process.wait(10 * SLOW) == 0
    assert send_once(program.port, request()).status == 200


def test_socket_activation(started, tmp_path):
    """Sockets that listen already are taken; one that nobody asks for is told of and closed."""
    listening = socket.create_server(("127.0.0.1", 0))
    unwanted = socket.create_server(("127.0.0.1", 0))
    path = socket.socket(socket.AF_UNIX)
    path.bind(str(tmp_path / "s"))
    path.listen()
    # Connected before there is anybody to serve.
    early = socket.create_connection(listening.getsockname())
    early.sendall(request())

    def before():
        passed = [os.dup(each.fileno()) for each in (listening, unwanted, path)]
        high = [os.dup2(fd, 100 + i) for i, fd in enumerate(passed)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)

    program = Program(tmp_path, main=MAIN.replace("daemon off;", "worker_processes 2; daemon off;"))
    program.port = listening.getsockname()[1]
    program.rewrite(re.search(r"listen [\d.:]+;", program.conf.read_text()).group(0),
                    f"listen 127.0.0.1:{program.port}; listen unix:{tmp_path}/s;")
    script = ("import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); "
              "os.execv(sys.argv[1], sys.argv[1:])")
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", script, program.binary, "-c", program.conf], preexec_fn=before,
        env={**os.environ, "LISTEN_FDS": "3"}, pass_fds=(3, 4, 5))
    try:
        program.wait_for_log("serves")
        assert early.recv(1000).startswith(b"HTTP/1.1 200")
        unwanted_text = "%s:%d" % unwanted.getsockname()
        assert f"nothing listens on the inherited socket {unwanted_text}" in program.log()
        for _ in range(10):
            assert send_once(program.port, request()).status == 200
        # The manager's own copies go; what serves has its own.
        for each in (listening, unwanted, path):
            each.close()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "s"))
            client.sendall(request())
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        program.rewrite("return 200", "return 201")
        process.send_signal(signal.SIGHUP)
        program.wait_for_log("is in force", 2)
        assert send_once(program.port, request()).status == 201
    finally:
        early.close()
        process.terminate()
        assert process.wait(10 * SLOW) == 0
        program.stop()


def test_sockets_for_another_process_are_not_taken(started, tmp_path):
    program, _, manager = started({"LISTEN_FDS": "1", "LISTEN_PID": "1"})
    assert manager.next().startswith("READY=1")
    assert "inherited" not in program.log()
    assert children(program.pid())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_the_units(tmp_path):
    units = []
    for unit in sorted((ROOT / "deploy").glob("weir.s*")):
        copy = tmp_path / unit.name
        # Verification wants the program to be there.
        copy.write_text(unit.read_text().replace("/usr/bin/weir", "/bin/true"))
        units.append(copy)
    assert [unit.name for unit in units] == ["weir.service", "weir.socket"]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    complaints = [line for line in done.stdout.splitlines()
                  if any(unit.name in line for unit in units)]
    assert not complaints, complaints
