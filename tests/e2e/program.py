"""weir as a command: called under any name, with a directory of its own, its process told by its
pid file."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

from harness import eventually, free_port, weir_binary
from wire import Client, request, send_once

LIMIT = 20  # seconds that a command may take
# What a sanitizer makes slower.
SLOW = 10 if re.search(r"asan|tsan", str(weir_binary())) else 1
# `env` for the processes of a binary upgrade, which otherwise lose the sanitizers' options.
KEEP_ENV = "".join(f"env {name};" for name in os.environ if name.endswith("SAN_OPTIONS"))

MAIN = "pid @dir@/p.pid; error_log @dir@/error.log info;" + (
    " user root;" if os.geteuid() == 0 else "") + KEEP_ENV
SERVER = "http { access_log off; server { listen @listen@; %s } }"


def alive(pid):
    """A process that has ended but that nobody has waited for is not."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class Program:
    """A configuration and a name to call weir by; @listen@ and @dir@ are filled in."""

    def __init__(self, directory, text=None, name="nginx", main=MAIN, answer='return 200 "$pid";'):
        self.directory = pathlib.Path(directory)
        self.binary = self.directory / name
        self.binary.symlink_to(weir_binary())
        self.port = free_port()
        self.conf = self.directory / "nginx.conf"
        self.pid_path = self.directory / "p.pid"
        self.write(text if text is not None else f"{main} events {{ }} " + SERVER % answer)

    def write(self, text):
        # At once: a reload may be reading it.
        fresh = self.directory / "fresh"
        fresh.write_text(text.replace("@listen@", f"127.0.0.1:{self.port}")
                         .replace("@dir@", str(self.directory)))
        fresh.rename(self.conf)

    def rewrite(self, old, new):
        text = self.conf.read_text()
        assert old in text
        self.write(text.replace(old, new))

    def run(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "timeout": LIMIT, "text": True,
                   "cwd": self.directory, "check": False, **options}
        if not any(str(argument).startswith("-c") for argument in arguments):
            arguments = ("-c", str(self.conf), *arguments)
        return subprocess.run([str(self.binary), *arguments], **options)

    def start(self, *arguments):
        """As a daemon; its pid."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "" and done.stderr == "", (done.stdout, done.stderr)
        return self.pid()

    def pid(self):
        return int(self.pid_path.read_text())

    def log(self):
        path = self.directory / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for_log(self, pattern, count=1, limit=LIMIT):
        eventually(lambda: len(re.findall(pattern, self.log())) >= count,
                   f"{count} of {pattern!r} in the error log", limit)

    def signal(self, number, pid=None):
        os.kill(pid or self.pid(), number)

    def reload(self, count=1):
        """Returns when the new configuration is in force."""
        self.signal(signal.SIGHUP)
        self.wait_for_log("is in force", count + 1)

    def gone(self, pid):
        eventually(lambda: not alive(pid), f"process {pid} is gone", LIMIT)

    def stop(self):
        """Whatever of it still runs, by its pid files: an old binary takes its own name back when
        the new one has ended."""
        while (pid := self.running()) is not None:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + LIMIT
            while alive(pid) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not alive(pid), f"SIGTERM did not end {pid}"
            if list(self.directory.glob("*.oldbin")):
                eventually(lambda: not list(self.directory.glob("*.oldbin")), "the usual pid file")
        log = self.log()
        assert "Sanitizer" not in log and "runtime error:" not in log, log

    def running(self):
        for path in sorted(self.directory.glob("*.pid*")):
            try:
                pid = int(path.read_text())
            except (ValueError, OSError):
                continue
            if alive(pid) and self.is_ours(pid):
                return pid
        return None

    def is_ours(self, pid):
        try:
            return os.path.samefile(f"/proc/{pid}/exe", self.binary)
        except OSError:
            return False


class Load:
    """Clients that ask again and again; `failures` says what they did not get."""

    def __init__(self, port, clients=3, keep=False, want=200):
        self.port, self.keep, self.want = port, keep, want
        self.failures, self.answers, self.slowest = [], 0, 0.0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self):
        try:
            if self.keep:
                with Client(self.port, 30) as client:
                    while not self._stop.is_set():
                        self._count(client.exchange(request("/")))
            else:
                while not self._stop.is_set():
                    began = time.monotonic()
                    self._count(send_once(self.port, request("/", "Connection: close")))
                    self.slowest = max(self.slowest, time.monotonic() - began)
        except (OSError, AssertionError) as why:
            self.failures.append(repr(why))

    def _count(self, answer):
        assert answer is not None and answer.status == self.want, answer
        self.answers += 1

    def goes_on(self, more=3):
        """Waits for that many answers from now on, however slow the machine is."""
        answers = self.answers
        eventually(lambda: self.failures or self.answers >= answers + more, "answers under load")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def worker_of(program):
    return int(send_once(program.port, request()).body)


def children(pid):
    return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


def status_of(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return re.search(rf"^{name}:\s+(.*)$", text, re.M).group(1)


def exits(program):
    return len(re.findall("exited with code", program.log()))


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
