"""The proxy under test: weir, or with PROXY=nginx a real nginx on the same configuration, which
shows whether a test asks for what nginx does.

WEIR_BINARY names the binary; without it the newest of the build presets' is taken.
"""

import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from wire import LIMIT

PROXY = os.environ.get("PROXY", "weir")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SANITIZER_WORDS = ("Sanitizer", "runtime error:")

weir_only = pytest.mark.skipif(PROXY != "weir", reason="weir differs from nginx here on purpose")


def weir_binary():
    if path := os.environ.get("WEIR_BINARY"):
        return pathlib.Path(path).resolve()
    built = [path for preset in ("asan", "dev", "release")
             if (path := ROOT / "build" / preset / "weir").exists()]
    if not built:
        pytest.exit("no weir binary: build it or set WEIR_BINARY", 2)
    return max(built, key=lambda path: path.stat().st_mtime)


def _ports():
    """Below those that the kernel gives to whoever connects, from one end of this worker's share of
    them (pytest-xdist) to the other."""
    first, last, shares = 10000, 32768, 8
    share = (last - first) // shares
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw7").removeprefix("gw")
    begin = first + int(worker) % shares * share
    start = random.randrange(share)
    while True:
        yield from (begin + (start + i) % share for i in range(share))


_candidates = _ports()


def free_port():
    """A port nobody listens on, by TCP or UDP; not given again for long."""
    for port in _candidates:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(type=kind) as probe:
                    probe.bind(("127.0.0.1", port))
            return port
        except OSError:
            continue


def eventually(condition, what, limit=LIMIT):
    """Polls what cannot be waited for otherwise (a file, a process); returns the true value."""
    deadline = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {limit} s: {what}"
        time.sleep(0.01)
    return value


def site(nodes, location="", server="", http="", upstream="", parameters=()):
    """http{} text: one server at @listen@ in front of a pool `app` of these nodes (or texts
    ADDRESS [parameters]); the other arguments are directives for the named blocks."""
    lines = []
    for i, node in enumerate(nodes):
        address = node if isinstance(node, str) else node.address
        extra = parameters[i] if i < len(parameters) else ""
        lines.append(f"server {address} {extra};")
    if PROXY == "nginx" and "keepalive" not in upstream:
        upstream += " keepalive 8;"  # the default since 1.29.7
    return f"""
    upstream app {{ {" ".join(lines)} {upstream} }}
    {http}
    server {{
        listen @listen@;
        {server}
        location / {{ proxy_pass http://app; {location} }}
    }}"""


class Proxy:
    """One running proxy with a directory of its own; `port` is where @listen@ went."""

    def __init__(self, directory, http, main="", kind=PROXY, workers=1):
        self.kind = kind
        self.workers = workers
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        self.conf = self.directory / f"{kind}.conf"
        self.conf.write_text(self._text(http, main).replace("@listen@", f"127.0.0.1:{self.port}")
                             .replace("@dir@", str(self.directory)))
        self.stderr = self.directory / "stderr"
        self.pid_file = self.directory / f"{kind}.pid"
        self.process = None

    def _text(self, http, main):
        # The directories of the tests are root's alone.
        root = os.geteuid() == 0
        if http.lstrip().startswith("upstreams:"):
            return http + f"\npid: @dir@/{self.kind}.pid\n" + ("user: root\n" if root else "")
        extra = ""
        own = "".join(f"{name} {value};" for name, value in (
            ("daemon", "off"), ("pid", f"@dir@/{self.kind}.pid"), ("user", "root" if root else ""))
            if value and not re.search(rf"(^|[\s;]){name} ", main))
        if self.kind == "nginx":
            # What newer nginx does by itself, and nothing on disk outside the test's directory.
            extra = ('proxy_http_version 1.1; proxy_set_header Connection "";'
                     "proxy_max_temp_file_size 0;" + "".join(
                         f"{name}_temp_path @dir@/{name};" for name in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")))
        if "access_log" not in http:
            extra += " access_log @dir@/access.log;"
        level = "" if "error_log" in main else "error_log @dir@/error.log info;"
        return f"""{own}
worker_processes {self.workers};
{level}
{main}
events {{ worker_connections 1024; }}
http {{
    {extra}
    {http}
}}
"""

    def command(self, *arguments):
        binary = (weir_binary() if self.kind == "weir" else
                  shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"))
        return [str(binary), "-c", str(self.conf), *arguments]

    def start(self):
        with open(self.stderr, "wb") as err:
            self.process = subprocess.Popen(self.command(), stdout=err, stderr=err,
                                            stdin=subprocess.DEVNULL, start_new_session=True,
                                            cwd=self.directory)
        eventually(self._accepts, "the proxy accepts connections", 10)
        return self

    def _accepts(self):
        assert self.process.poll() is None, (
            f"ended with {self.process.returncode} at its start: {self.output()}")
        # It listens before it serves.
        if str(self.pid_file) in self.conf.read_text() and not self.pid_file.exists():
            return False
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def output(self):
        return self.stderr.read_text(errors="replace")

    def log(self, name="access.log"):
        path = self.directory / name
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def wait_for_log(self, pattern, name="access.log"):
        """The first line with a match; lines are written when the exchange is over."""
        def found():
            return next((line for line in self.log(name) if re.search(pattern, line)), None)
        deadline = time.monotonic() + LIMIT
        while (line := found()) is None:
            assert time.monotonic() < deadline, f"no {pattern!r} in {name}: {self.log(name)}"
            time.sleep(0.01)
        return line

    def pids(self):
        """Of the process and its children, its own first."""
        found, frontier = [], [self.process.pid]
        while frontier:
            pid = frontier.pop()
            try:
                tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
            found.append(pid)
            for task in tasks:
                try:
                    frontier += map(int, (task / "children").read_text().split())
                except (FileNotFoundError, ProcessLookupError):
                    pass  # a thread that has just ended
        return found

    def resident_kib(self):
        """Of the process and its children."""
        return sum(int(re.search(r"VmRSS:\s+(\d+)",
                                 pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))
                   for pid in self.pids())

    def stop(self):
        """Ends it with SIGTERM and checks that it ended well."""
        if self.process is None:
            return
        early = self.process.poll()
        if early is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            # Its own group: whatever it left behind.
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.process = None
        text = self.output()
        # Once it serves, its standard error leads to the error log.
        logs = "".join(log.read_text(errors="replace") for log in self.directory.glob("*.log"))
        assert not any(word in text + logs for word in SANITIZER_WORDS), text + logs
        assert early is None, f"ended by itself with {early}: {text}"
        assert status == 0, f"SIGTERM ended it with {status}: {text}"
