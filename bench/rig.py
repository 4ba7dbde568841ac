"""What bench/run and bench/allocations share: programs, peers, processes, the load.

Only processes started here are signalled, by their pid or by the process group they were given.
"""

import ctypes
import fcntl
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / "build" / "bench" / "tools"
RELEASE_WEIR = ROOT / "build" / "release" / "weir"

START_LIMIT = 10.0  # seconds a peer may take until it accepts connections
STOP_LIMIT = 5.0  # seconds between SIGTERM and SIGKILL
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PR_SET_PDEATHSIG = 1

LIBC = ctypes.CDLL(None, use_errno=True)


class RigError(Exception):
    """A reason to stop, or to leave a peer out, in words for the user."""


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)


# Building


def need(program, package):
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise RigError(f"{program} is missing; install it with: apt-get install {package}")
    return path


def build(preset, *targets):
    need("cmake", "cmake")
    need("ninja", "ninja-build")
    command = ["cmake", "--build", "--preset", preset]
    if targets:
        command += ["--target", *targets]
    for step in (["cmake", "--preset", preset], command):
        done = subprocess.run(step, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        if done.returncode != 0:
            raise RigError(f"{' '.join(step)} failed:\n{done.stdout[-3000:]}")


def build_tools():
    build("bench", "bench_tools")


def find_weir(path):
    """The binary to measure, built when none is named; None when it cannot be built."""
    if path:
        if not os.access(path, os.X_OK):
            raise RigError(f"--weir {path}: not an executable file")
        return pathlib.Path(path).resolve()
    try:
        build("release", "weir")
    except RigError as why:
        note(f"weir is left out: {why}")
        return None
    return RELEASE_WEIR


# The machine


def enter_network_namespace():
    """Own loopback, own ports, `reno`: nothing else on the machine can disturb. Needs root."""
    if os.geteuid() != 0 or LIBC.unshare(CLONE_NEWNET) != 0:
        note("no network namespace of its own (needs root): results are noisier")
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lo:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(lo, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(lo, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
    for name, value in (("tcp_congestion_control", "reno"),
                        ("ip_local_port_range", "10000 65000")):
        try:
            pathlib.Path("/proc/sys/net/ipv4", name).write_text(value)
        except OSError as why:
            note(f"{name} stays as it is: {why}")


def raise_descriptor_limit(wanted=65536):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


_ports = set()


def free_port():
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _ports:
            _ports.add(port)
            return port


def certificate(directory):
    """Of P-256, with its key, for the proxies' TLS."""
    path = directory / "certificate.pem"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [need("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=app.example.com",
             "-keyout", path.with_suffix(".key"), "-out", path.with_suffix(".crt")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RigError(f"openssl made no certificate: {done.stdout}")
        path.write_text(path.with_suffix(".crt").read_text() + path.with_suffix(".key").read_text())
    return path


# Processes


class Process:
    """A child in a process group of its own that ends with this program, whatever happens."""

    def __init__(self, command, cores, env=None, log=None, **streams):
        def before_exec():
            os.sched_setaffinity(0, cores)
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

        out = open(log, "ab") if log else None
        try:
            self.popen = subprocess.Popen(
                [str(part) for part in command], preexec_fn=before_exec, start_new_session=True,
                env=env, stderr=out or None, stdout=streams.get("stdout", out),
                stdin=streams.get("stdin", subprocess.DEVNULL), text=True)
        finally:
            if out:
                out.close()

    def pids(self):
        """This process and its descendants."""
        found, frontier = [], [self.popen.pid]
        while frontier:
            pid = frontier.pop()
            found.append(pid)
            for task in _tasks(pid):
                try:
                    frontier += map(int, (task / "children").read_text().split())
                except OSError:
                    pass
        return found

    def schedule_ns(self):
        """(time on a core, time ready but waiting for one) of all threads of all its processes."""
        ran = waited = 0
        for pid in self.pids():
            for task in _tasks(pid):
                try:
                    on_core, in_queue = (task / "schedstat").read_text().split()[:2]
                except OSError:
                    continue
                ran += int(on_core)
                waited += int(in_queue)
        return ran, waited

    def rss_kib(self):
        """Resident memory; pages that processes share are counted once a process."""
        total = 0
        for pid in self.pids():
            try:
                for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmRSS:"):
                        total += int(line.split()[1])
            except OSError:
                pass
        return total

    def stop(self):
        """Ends the group; returns what the process itself ended with."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                note(f"pid {self.popen.pid} ignores SIGTERM: killed")
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return self.popen.wait()


def _tasks(pid):
    try:
        return list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def wait_for_port(port, process, log=None):
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if process.popen.poll() is not None:
            said = pathlib.Path(log).read_text(errors="replace")[-600:] if log else ""
            raise RigError(f"ended with {process.popen.returncode} at its start: {said.strip()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RigError(f"accepts no connection on port {port} after {START_LIMIT:.0f} s")


# The load


class Load:
    """A run of the load generator, held at its two barriers: warm, and measured."""

    def __init__(self, port, request, cores, connections=64, warm=50, reconnect=False, tunnel=0,
                 seconds=0, requests=0, handshakes=""):
        if handshakes:
            command = [TOOLS / "handshakes", "--port", port, "--request", request, "--connections",
                       connections, "--warm", warm, "--seconds", seconds]
            command += ["--resume"] if handshakes == "resumed" else []
            return self._start(command, cores)
        command = [TOOLS / "load", "--port", port, "--request", request, "--connections",
                   connections, "--warm", warm, "--tunnel", tunnel]
        command += ["--requests", requests] if requests else ["--seconds", seconds]
        command += ["--reconnect"] if reconnect else []
        self._start(command, cores)

    def _start(self, command, cores):
        self.process = Process(command, cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._line() != "ready":
            self.close()
            raise RigError("the load found no peer that answers")

    def measure(self):
        self.process.popen.stdin.write("go\n")
        self.process.popen.stdin.flush()
        line = self._line()
        if not line.startswith("{"):
            raise RigError("the load ended without a result")
        return json.loads(line)

    def close(self):
        try:
            self.process.popen.stdin.close()
            self.process.popen.wait(STOP_LIMIT)
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.process.stop()
        self.process.popen.stdout.close()

    def _line(self):
        # The load gives up by itself when nothing answers, so this ends.
        return self.process.popen.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class H2load:
    """h2load for so many seconds: HTTP/2 over TLS, or with streams=0 HTTP/1.1 over it. It has no
    barrier: its few handshakes are measured, too."""

    def __init__(self, port, path, cores, directory, connections, streams, seconds):
        self.log = directory / "h2load.log"
        self.log.unlink(missing_ok=True)
        self.seconds = seconds
        url = f"https://127.0.0.1:{port}{path}"
        self.command = [need("h2load", "nghttp2-client"), "-t", "1", "-c", connections, "-D",
                        f"{seconds * 1000:.0f}ms", "--log-file", self.log,
                        *(["-m", streams] if streams else ["--h1"]), url]
        self.cores = cores

    def measure(self):
        process = Process(self.command, self.cores, stdout=subprocess.PIPE)
        try:
            out = process.popen.communicate(timeout=self.seconds + 20)[0]
        except subprocess.TimeoutExpired as why:
            raise RigError("h2load does not end") from why
        finally:
            process.stop()
        found = re.search(r"(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", out)
        if found is None:
            raise RigError(f"h2load: {out[-600:]}")
        done, good, _, _ = map(int, found.groups())
        times = sorted(int(line.split()[2]) for line in self.log.read_text().splitlines())
        if not times:
            raise RigError("no request was answered")
        return {"requests": good, "errors": done - good, "seconds": self.seconds,
                "p50_us": times[len(times) // 2], "p99_us": times[len(times) * 99 // 100]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
