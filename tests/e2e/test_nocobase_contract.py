"""NocoBase's command line drives a program called nginx, by these calls alone: `-V`, `-t`, `-s reload`,
`-s stop`, and no argument at all to start it. Here it finds weir under that name.

The calls name no file: all is where `-V` says. So each test has /etc/nginx, /run and /var/log/nginx
for itself, in a mount namespace.
"""

import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from harness import PROXY, eventually, free_port, weir_binary
from program import LIMIT, SLOW, Load, alive, refuses
from wire import Client, request, send_once

pytestmark = [
    pytest.mark.skipif(PROXY == "nginx", reason="of weir's own form"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has a mount namespace of its own"),
]

# Debian's, shortened, with the block that the command line puts in.
MAIN = """user www-data;
worker_processes auto;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
include /etc/nginx/modules-enabled/*.conf;

events {
    worker_connections 768;
}

http {
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    gzip on;
    include /etc/nginx/conf.d/*.conf;

    # BEGIN NocoBase proxy
    include @app@;
    # END NocoBase proxy
}
"""

APP = """map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
}
server {
    listen @listen@;
    server_name _;
    client_max_body_size 0;
    location / {
        return 200 "@answer@ $request_uri";
    }
}
"""


class Machine:
    """A mount namespace with directories of its own; `nb` makes the calls."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.places = {"/etc/nginx": self.directory / "etc", "/run": self.directory / "run",
                       "/var/log/nginx": self.directory / "log"}
        for place, own in self.places.items():
            own.mkdir()
            if not os.path.isdir(place):
                os.makedirs(place)
        self.binary = self.directory / "nginx"
        self.binary.symlink_to(weir_binary())
        self.app = self.directory / "nocobase.conf"
        (self.places["/etc/nginx"] / "nginx.conf").write_text(MAIN.replace("@app@", str(self.app)))
        self.port = free_port()
        self.listen(str(self.port))
        mounts = "".join(f"mount --bind {own} {place} && " for place, own in self.places.items())
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             f"{mounts} touch {self.directory}/ready && exec sleep 600"], stderr=subprocess.PIPE)
        eventually(lambda: (self.directory / "ready").exists() or self.holder.poll() is not None,
                   "the namespace")
        if self.holder.poll() is not None:
            pytest.skip(f"no mount namespace: {self.holder.stderr.read()}")

    def listen(self, address, answer="app"):
        fresh = self.directory / "fresh"
        fresh.write_text(APP.replace("@listen@", address).replace("@answer@", answer))
        fresh.rename(self.app)

    def call(self, *arguments, pipes=False):
        """As the command line does: pipes where it wants to read, /dev/null elsewhere. It waits
        until all who have the pipes have closed them."""
        stream = subprocess.PIPE if pipes else subprocess.DEVNULL
        return subprocess.run(
            ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", self.binary, *arguments],
            stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, text=True, timeout=LIMIT,
            check=False)

    # What the command line makes of it

    def path(self, option):
        done = self.call("-V", pipes=True)
        assert done.returncode == 0
        found = re.search(rf"--{option}=(?:\"([^\"]+)\"|'([^']+)'|([^\s]+))",
                          done.stdout + done.stderr)
        assert found, f"no {option} in -V"
        return next(filter(None, found.groups()))

    def pid(self):
        """The number in the pid file, if that process lives."""
        place = self.path("pid-path")
        assert place == "/run/nginx.pid"
        try:
            number = int((self.places["/run"] / "nginx.pid").read_text())
        except FileNotFoundError:
            return None
        return number if alive(number) else None

    def start(self):
        assert self.path("conf-path") == "/etc/nginx/nginx.conf"
        test = self.call("-t", pipes=True)
        assert test.returncode == 0, test.stderr
        assert self.pid() is None
        done = self.call()
        assert done.returncode == 0
        running = self.pid()
        assert running is not None
        return running

    def reload(self):
        test = self.call("-t", pipes=True)
        if test.returncode != 0:
            return test
        done = self.call("-s", "reload")
        assert done.returncode == 0
        return None

    def end(self):
        if self.pid() is not None:
            self.listen(str(self.port))  # a configuration that can be read
            assert self.call("-s", "stop").returncode == 0
        self.holder.kill()
        self.holder.wait()
        log = self.log()
        assert "Sanitizer" not in log and "runtime error:" not in log, log

    def log(self):
        path = self.places["/var/log/nginx"] / "error.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture(name="nb")
def nb_fixture(tmp_path):
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("no unshare")
    made = Machine(tmp_path)
    yield made
    made.end()


def served_by(port):
    answer = send_once(port, request("/x"))
    return answer is not None and answer.status == 200 and answer.body == b"app /x"


def test_start_status_stop(nb):
    pid = nb.start()
    assert served_by(nb.port)
    assert nb.call("-s", "stop").returncode == 0
    assert nb.pid() is None and not alive(pid)
    assert not (nb.places["/run"] / "nginx.pid").exists()
    assert refuses(nb.port)
    assert "GET /x" in (nb.places["/var/log/nginx"] / "access.log").read_text()


def test_a_mistake_is_told_and_nothing_starts(nb):
    nb.app.write_text("server { listn 80; }")
    done = nb.call("-t", pipes=True)
    assert done.returncode == 1
    assert f"nginx: [emerg] {nb.app}:1:10: unknown directive" in done.stderr
    assert nb.call().returncode == 1
    assert nb.pid() is None
    assert "unknown directive" in nb.log()


def test_a_port_that_is_taken(nb):
    with Client(nb.start() and nb.port):
        other = subprocess.run(
            ["nsenter", f"--mount=/proc/{nb.holder.pid}/ns/mnt", nb.binary],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=LIMIT, check=False)
        assert other.returncode == 1 and "Address already in use" in other.stderr
    assert nb.pid() is not None and served_by(nb.port)


def test_reload_takes_a_new_address_and_loses_nobody(nb):
    pid = nb.start()
    with Client(nb.port) as kept, Load(nb.port) as load:
        assert kept.exchange(request("/x")).body == b"app /x"
        for i, address in enumerate((f"127.0.0.1:{nb.port}", str(nb.port)) * 3, 1):
            nb.listen(address, f"app{i}")
            assert nb.reload() is None
            want = b"app%d /x" % i
            eventually(lambda want=want: send_once(nb.port, request("/x")).body == want,
                       "the reload")
            assert kept.exchange(request("/x")).body == want
    assert not load.failures, load.failures
    assert nb.pid() == pid and "bind()" not in nb.log()


def test_a_reload_to_another_port(nb):
    nb.start()
    other = free_port()
    nb.listen(str(other))
    assert nb.reload() is None
    eventually(lambda: not refuses(other) and served_by(other), "the new port")
    eventually(lambda: refuses(nb.port), "the old one is closed")


def test_a_reload_with_a_mistake(nb):
    pid = nb.start()
    nb.app.write_text("server { listn 80; }")
    assert nb.reload().returncode == 1
    assert nb.pid() == pid and served_by(nb.port)


def test_restart_right_after_stop(nb):
    pid = nb.start()
    for _ in range(5):
        with Client(nb.port) as open_connection:
            assert open_connection.exchange(request("/x")).status == 200
            assert nb.call("-s", "stop").returncode == 0
            began = time.monotonic()
            # What the command line looks at before it starts again.
            assert not (nb.places["/run"] / "nginx.pid").exists() and not alive(pid)
            assert nb.call().returncode == 0
            took = time.monotonic() - began
        assert served_by(nb.port) and nb.pid() != pid
        pid = nb.pid()
        assert took < 2 * SLOW, took


def test_the_containers_call(nb):
    """`nginx -g "daemon off;"`, as the image's entry point and compose files have it."""
    with subprocess.Popen(["nsenter", f"--mount=/proc/{nb.holder.pid}/ns/mnt", nb.binary, "-g",
                           "daemon off;"], stdin=subprocess.DEVNULL) as process:
        eventually(lambda: nb.pid() == process.pid, "the pid file")
        assert served_by(nb.port)
        process.terminate()
        assert process.wait(LIMIT) == 0
