"""USR2: a new binary takes over the listening sockets of a running one, and may give them back."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest

from harness import PROXY, eventually, weir_binary
from program import MAIN, SLOW, Load, alive, children, refuses
from wire import request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="of weir's own form")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@pytest.fixture(name="program")
def program_fixture(make):
    made = make()
    made.rewrite("listen", "listen unix:@dir@/s; listen")
    return made


def old_pid(program):
    return pathlib.Path(f"{program.pid_path}.oldbin")


def upgrade(program):
    """(old master, new master), both running."""
    old = program.pid()
    program.signal(signal.SIGUSR2)
    eventually(lambda: old_pid(program).exists() and program.pid_path.exists() and
               program.pid_path.read_text() and program.pid() != old, "the new one's pid file", 20)
    assert int(old_pid(program).read_text()) == old
    return old, program.pid()


def asks_unix(program):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(f"{program.directory}/s")
        client.sendall(request("/", "Connection: close"))
        return client.recv(1000).startswith(b"HTTP/1.1 200")


def test_there_and_on_without_a_failure(program):
    program.start()
    with Load(program.port) as load:
        old, new = upgrade(program)
        assert alive(old) and alive(new)
        program.signal(signal.SIGWINCH, old)
        program.wait_for_log("requests and tunnels are let to end")
        eventually(lambda: children(old) == [new], "the old engine is gone")
        load.goes_on(20)
        program.signal(signal.SIGQUIT, old)
        program.gone(old)
        assert not old_pid(program).exists() and program.pid() == new
        load.goes_on(20)
    assert not load.failures and asks_unix(program)
    program.signal(signal.SIGTERM)
    program.gone(new)
    assert not program.pid_path.exists() and not (program.directory / "s").exists()
    assert refuses(program.port)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGQUIT])
@pytest.mark.parametrize("winch", [False, True])
def test_there_and_back_without_a_failure(program, how, winch):
    program.start()
    with Load(program.port) as load:
        old, new = upgrade(program)
        if winch:
            program.signal(signal.SIGWINCH, old)
            eventually(lambda: children(old) == [new], "the old engine is gone")
        program.signal(signal.SIGWINCH, new)  # what it has accepted is let to end
        eventually(lambda: not children(new), "the new engine is gone")
        program.signal(how, new)
        program.gone(new)
        eventually(lambda: not old_pid(program).exists(), "the pid file has its name again")
        assert program.pid() == old
        load.goes_on(20)
    assert not load.failures and asks_unix(program)
    log = program.log()
    assert f"new binary process {new} exited with code 0" in log
    # And again.
    old, new = upgrade(program)
    program.signal(signal.SIGQUIT, old)
    program.gone(old)
    assert asks_unix(program)


def test_only_one_upgrade_at_a_time(program):
    program.start()
    old, new = upgrade(program)
    for pid in (old, new):
        program.signal(signal.SIGUSR2, pid)
    program.wait_for_log(r"\[crit\] .* the binary is not changed", 2)
    assert program.pid() == new and int(old_pid(program).read_text()) == old


def test_hup_takes_the_old_one_back_into_service(program):
    program.start()
    old, new = upgrade(program)
    program.signal(signal.SIGWINCH, old)
    eventually(lambda: children(old) == [new], "the old engine is gone")
    program.signal(signal.SIGHUP, old)
    eventually(lambda: len(children(old)) == 2, "an engine again")
    program.signal(signal.SIGTERM, new)
    program.gone(new)
    assert send_once(program.port, request()).status == 200


def test_a_new_binary_that_does_not_start(program):
    pid = program.start()
    program.rewrite("return", "retrun")
    program.signal(signal.SIGUSR2)
    program.wait_for_log(r"new binary process \d+ exited with code 1")
    eventually(lambda: program.pid_path.exists() and program.pid() == pid, "the pid file is back")
    assert not old_pid(program).exists()
    program.binary.unlink()
    program.signal(signal.SIGUSR2)
    program.wait_for_log("execve.*No such file")
    program.binary.symlink_to(weir_binary())
    eventually(lambda: program.pid_path.exists() and program.pid() == pid, "the pid file is back")
    assert send_once(program.port, request()).status == 200


def test_found_by_its_name_alone(program):
    environment = {**os.environ, "PATH": f"{program.directory}:{os.environ['PATH']}"}
    done = subprocess.run(["nginx", "-c", program.conf], env=environment, timeout=20, check=False,
                          executable=program.binary)
    assert done.returncode == 0
    upgrade(program)


@pytest.mark.skipif(NGINX is None, reason="no nginx")
@pytest.mark.parametrize("first, second", [("nginx", "weir"), ("weir", "nginx")])
def test_from_one_to_the_other(program, first, second):
    binaries = {"nginx": NGINX, "weir": weir_binary()}
    program.binary.unlink()
    program.binary.symlink_to(binaries[first])
    # What only the other one has to be told.
    temporary = "".join(f"{name}_temp_path @dir@/{name};" for name in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    program.rewrite("access_log off;", f"access_log off; {temporary}")
    assert program.run().returncode == 0
    with Load(program.port) as load:
        program.binary.unlink()
        program.binary.symlink_to(binaries[second])
        old, new = upgrade(program)
        program.signal(signal.SIGQUIT, old)
        program.gone(old)
        assert program.pid() == new
        assert os.path.samefile(f"/proc/{new}/exe", binaries[second])
        load.goes_on(20)
    # nginx's own workers close what waits in their accept queue; with one socket there is none.
    assert not load.failures
    assert asks_unix(program)
    program.signal(signal.SIGTERM)
    program.gone(new)


def test_several_workers_hand_over_all_their_sockets(make):
    program = make(main=MAIN + "worker_processes 3;")
    program.start()
    with Load(program.port, clients=4) as load:
        for _ in range(2 if SLOW > 1 else 4):
            old, _ = upgrade(program)
            program.signal(signal.SIGQUIT, old)
            program.gone(old)
            load.goes_on()
    assert not load.failures, load.failures


def test_verbs_are_the_new_ones_affair_and_come_back_with_the_old_one(make):
    nodes = [make.node(), make.node()]
    program = make(f"{MAIN} events {{ }} http {{ access_log off; upstream u {{ "
                   f"server {nodes[0].address}; server {nodes[1].address}; }} "
                   "server { listen @listen@; location / { proxy_pass http://u; } } }")
    program.start()
    old, new = upgrade(program)
    assert program.run("drain", f"u/{nodes[0].address}").returncode == 0
    for _ in range(10):
        assert "draining" in program.run("status").stdout
    program.signal(signal.SIGTERM, new)
    program.gone(new)
    # For a moment there is no file of that name.
    eventually(lambda: not old_pid(program).exists(), "the pid file has its name again")
    assert program.pid() == old
    for _ in range(3):
        done = program.run("status")
        assert done.returncode == 0 and nodes[1].address in done.stdout, done.stderr
    assert program.run("drain", f"u/{nodes[1].address}").returncode == 0
    assert send_once(program.port, request()).status == 200
