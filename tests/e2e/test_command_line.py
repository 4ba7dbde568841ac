"""The command line: every option as nginx has it, under any name."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from harness import PROXY, free_port, weir_binary
from program import LIMIT, MAIN, SERVER, Program, alive
from wire import request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="of weir's own form")


@pytest.mark.parametrize("name", ["weir", "nginx", "other"])
def test_version(tmp_path, name):
    program = Program(tmp_path, name=name)
    short, long = program.run("-v", "-c-"), program.run("-V", "-c-")
    assert short.returncode == long.returncode == 0
    assert short.stdout == long.stdout == ""
    assert re.fullmatch(r"nginx version: nginx/1\.31\.5 \(weir/\d+\.\d+\.\d+\)\n", short.stderr)
    lines = long.stderr.splitlines()
    assert lines[0] + "\n" == short.stderr
    assert re.match(r"built with OpenSSL \d+\.\d+\.\d+ ", lines[1])
    assert lines[-1].startswith("configure arguments: --prefix=")
    own = "nginx" if name == "nginx" else "weir"
    for option, path in (("prefix", f"/etc/{own}"), ("conf-path", f"/etc/{own}/{own}.conf"),
                         ("pid-path", f"/run/{own}.pid"),
                         ("error-log-path", f"/var/log/{own}/error.log"),
                         ("http-log-path", f"/var/log/{own}/access.log")):
        assert f" --{option}={path} " in lines[-1]
    assert " --with-http_realip_module" in lines[-1]
    assert " --without-http_fastcgi_module" in lines[-1]


def test_version_and_test_together(program):
    done = program.run("-vt")
    assert done.returncode == 0
    assert done.stderr.startswith("nginx version: ") and "test is successful" in done.stderr


@pytest.mark.parametrize("option", ["-h", "-?", "-hv"])
def test_help(program, option):
    done = program.run(option)
    assert done.returncode == 0 and done.stderr == ""
    assert "Usage: nginx [-?hvVtTq]" in done.stdout and "daemon off" in done.stdout


def test_help_on_a_topic(program):
    for topic in ("directives", "variables", "metrics", "errors"):
        done = program.run("-h", topic)
        assert done.returncode == 0 and "\n|---|" in done.stdout and not done.stderr, topic
    assert "| `daemon" in program.run("-h", "directives").stdout
    assert program.run("-h", "nothing").returncode == 1


@pytest.mark.parametrize("arguments, says", [
    (["-x"], 'nginx: invalid option: "x"'), (["file"], 'nginx: invalid option: "file"'),
    (["-s", "halt"], 'nginx: invalid option: "-s halt"'),
    (["-c"], 'nginx: option "-c" requires file name'),
])
def test_wrong_options(program, arguments, says):
    done = subprocess.run([program.binary, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=10, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(says)


@pytest.mark.parametrize("name, own", [("weir", "weir"), ("nginx", "nginx"), ("other", "weir")])
def test_a_good_configuration(tmp_path, name, own):
    program = Program(tmp_path, name=name)
    done = program.run("-t")
    assert done.returncode == 0 and done.stdout == ""
    assert done.stderr.splitlines()[-2:] == [
        f"{own}: the configuration file {program.conf} syntax is ok",
        f"{own}: configuration file {program.conf} test is successful"]
    assert program.run("-tq").stderr == "" and program.run("-t", "-q").returncode == 0
    assert not program.pid_path.exists()


@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_a_bad_configuration(program, quiet):
    program.rewrite("return", "retrun")
    done = program.run("-t", *quiet)
    assert done.returncode == 1 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert re.match(rf"nginx: \[emerg\] {program.conf}:1:\d+: unknown directive", lines[0]), lines
    assert lines[-1] == f"nginx: configuration file {program.conf} test failed"
    started = program.run()
    assert started.returncode == 1 and "[emerg]" in started.stderr
    assert not program.pid_path.exists()


@pytest.mark.parametrize("edit, says", [
    (("listen", "listen 192.0.2.1:80; listen"), "bind() to 192.0.2.1:80 failed (99: "),
    (("access_log off", "access_log /no/such/directory/log"), '"/no/such/directory/log"'),
    (("user root", "user nosuchuser"), '"nosuchuser"'),
])
def test_what_the_machine_has_against_it(program, edit, says):
    if edit[0] not in program.conf.read_text():
        pytest.skip("only root changes users")
    program.rewrite(*edit)
    for arguments in (["-t"], []):
        done = program.run(*arguments)
        assert done.returncode == 1
        assert says in done.stderr, done.stderr
    assert not program.pid_path.exists()


def test_an_address_in_use_is_no_fault_of_the_configuration(program):
    with socket.create_server(("127.0.0.1", program.port)):
        assert program.run("-t").returncode == 0
        done = program.run()
        assert done.returncode == 1
        assert f"bind() to 127.0.0.1:{program.port} failed (98: Address already in use)" in done.stderr


def test_dump(program):
    included = program.directory / "a.conf"
    included.write_text("# no newline at the end")
    deeper = program.directory / "b.conf"
    deeper.write_text("include a.conf;\n")
    program.rewrite("events", "include a.conf; include b.conf; include a*.conf; events")
    done = program.run("-T")
    assert done.returncode == 0
    assert done.stdout == "".join(f"# configuration file {path}:\n{path.read_text()}\n"
                                  for path in (program.conf, included, deeper))
    assert done.stderr.endswith("test is successful\n")
    assert program.run("-Tq").stdout == done.stdout
    deeper.unlink()
    done = program.run("-T")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.endswith(f"{program.conf} test failed\n")


def test_paths_are_relative_to_the_prefix_and_includes_to_the_file(program, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    (prefix / "conf").mkdir()
    (prefix / "conf/part.conf").write_text("access_log access.log;")
    (prefix / "conf/main.conf").write_text(
        f"pid run.pid; events {{ }} http {{ include part.conf; server {{ "
        f"listen 127.0.0.1:{program.port}; return 200; }} }}"
        + ("user root;" if os.geteuid() == 0 else ""))
    arguments = ["-p", str(prefix), "-cconf/main.conf", "-e", "own.log"]
    assert program.run(*arguments).returncode == 0
    assert send_once(program.port, request("/here")).status == 200
    assert program.run(*arguments, "-s", "stop").returncode == 0
    assert "/here" in (prefix / "access.log").read_text()
    assert (prefix / "own.log").exists() and not (prefix / "run.pid").exists()


def test_directives_of_the_command_line(program):
    program.write(SERVER % "return 200;" + "events { }")
    main = MAIN.replace("@dir@", str(program.directory))
    program.start("-g", main + " worker_processes 2")
    assert "with 2 workers" in program.log()
    again = program.run("-t", "-g", "worker_processes 2; worker_processes 3;")
    assert again.returncode == 1 and "duplicate" in again.stderr
    # Its pid file is that of the directives, which -s has to be told, too.
    assert program.run("-s", "stop", "-g", main).returncode == 0


def test_closed_standard_descriptors(program):
    def close():
        for fd in (0, 1, 2):
            os.close(fd)

    done = subprocess.run([program.binary, "-c", program.conf], preexec_fn=close, timeout=10,
                          stdin=None, stdout=None, stderr=None, check=False)
    assert done.returncode == 0
    pid = program.pid()
    worker = int(send_once(program.port, request()).body)
    for process in (pid, worker):
        for fd in (0, 1):
            assert os.readlink(f"/proc/{process}/fd/{fd}") == "/dev/null"
        assert os.readlink(f"/proc/{process}/fd/2") == str(program.directory / "error.log")
    assert program.pid_path.read_text() == f"{pid}\n"


def test_standard_error_stays_where_errors_go_to_it(tmp_path):
    program = Program(tmp_path, main=MAIN.replace("@dir@/error.log", "stderr") + "daemon off;")
    with subprocess.Popen([program.binary, "-c", program.conf], stderr=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, text=True) as process:
        for line in process.stderr:
            if "serves" in line:
                break
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0 and rest.endswith(": exit\n")


@pytest.mark.parametrize("signal_name", ["stop", "quit", "reload", "reopen"])
def test_signals_to_nobody(program, signal_name):
    def says(text):
        done = program.run("-s", signal_name)
        assert done.returncode == 1 and text in done.stderr, done.stderr

    says(f'open() "{program.pid_path}" failed (2: No such file or directory)')
    program.pid_path.write_text("many\n")
    says('invalid PID number "many"')
    with subprocess.Popen(["sleep", "60"]) as other:
        program.pid_path.write_text(f"{other.pid}\n")
        says("is another program")
        assert other.poll() is None
        other.kill()
    says("is not running")
    program.rewrite("return", "retrun")
    says("unknown directive")
    program.pid_path.unlink()


def test_signals_are_sent(program):
    pid = program.start()
    assert program.run("-s", "reload").returncode == 0
    program.wait_for_log("is in force", 2)
    log = program.directory / "error.log"
    log.rename(program.directory / "error.log.1")
    assert program.run("-s", "reopen").returncode == 0
    program.wait_for_log("logs reopened")
    assert program.run("-s", "quit").returncode == 0
    assert not program.pid_path.exists() and not alive(pid)
    program.start()
    assert program.run("-s", "stop").returncode == 0
    assert not program.pid_path.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", program.port)) != 0


def test_stop_waits_for_a_process_that_takes_its_time(program):
    pid = program.start()
    os.kill(pid, signal.SIGSTOP)
    with subprocess.Popen([program.binary, "-c", program.conf, "-s", "stop"]) as stop:
        with pytest.raises(subprocess.TimeoutExpired):
            stop.wait(0.3)
        os.kill(pid, signal.SIGCONT)
        assert stop.wait(10) == 0
    assert not program.pid_path.exists()


def test_yaml_stays_in_the_foreground(tmp_path):
    program = Program(tmp_path, name="weir", text=f"""
pid: @dir@/p.pid
{"user: root" if os.geteuid() == 0 else ""}
servers:
  - listen: @listen@
    return: 204
""")
    with subprocess.Popen([program.binary, "-c", program.conf], stderr=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, text=True) as process:
        for line in process.stderr:
            if "serves" in line:
                break
        assert program.pid() == process.pid
        assert send_once(program.port, request()).status == 204
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs an account without rights to the usual places")
def test_files_that_nobody_named_matter_in_the_background_only():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        port = free_port()
        conf = pathlib.Path(directory) / "weir.conf"
        conf.write_text(f"events {{ }} http {{ server {{ listen 127.0.0.1:{port}; return 200; }} }}")
        binary = shutil.copy(weir_binary(), directory + "/weir")

        def as_nobody(*arguments):
            return subprocess.Popen([binary, "-c", conf, *arguments], text=True,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    user="nobody", group="nogroup", extra_groups=[])

        with as_nobody() as background:
            assert background.wait(LIMIT) == 1
            assert "Permission denied" in background.stderr.read()
        with as_nobody("-t") as test:
            assert test.wait(LIMIT) == 0
            assert "[warn]" in test.stderr.read()
        with as_nobody("-g", "daemon off; error_log stderr notice;") as process:
            said = ""
            for line in process.stderr:
                said += line
                if "serves" in line:
                    break
            assert "pid: " in said and "access_log: " in said
            assert send_once(port, request()).status == 200
            process.send_signal(signal.SIGTERM)
        assert process.returncode == 0
