"""A real redis-server in a directory of its own, a client that is just enough for the tests, and a
server that gives bad answers."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import eventually, free_port, weir_binary

APP = "main"


def key(slot):
    return f"weir:{{{APP}}}:node:{slot}"


EVENTS = f"weir:{{{APP}}}:events"


def encode(*words):
    out = b"*%d\r\n" % len(words)
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        out += b"$%d\r\n%s\r\n" % (len(word), word)
    return out


class RedisError(Exception):
    pass


class RedisClient:
    """One command at a time; answers as text, int, None or list."""

    def __init__(self, where, password=None):
        if isinstance(where, int):
            self.sock = socket.create_connection(("127.0.0.1", where), 5)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(5)
            self.sock.connect(str(where))
        self.file = self.sock.makefile("rb")
        if password:
            self("AUTH", password)

    def __call__(self, *words):
        self.sock.sendall(encode(*words))
        return self.read()

    def read(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode()
        return None if rest == b"-1" else [self.read() for _ in range(int(rest))]

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RedisServer:
    def __init__(self, directory, *options, port=None, kind=()):
        self.directory = pathlib.Path(directory)
        self.port = port or free_port()
        self.socket = self.directory / "r.sock"
        self.options = options
        self.kind = kind
        self.process = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        log = open(self.directory / "redis.log", "ab")
        self.process = subprocess.Popen(
            [shutil.which("redis-server") or "redis-server", *self.kind, "--port", str(self.port),
             "--bind", "127.0.0.1", "--unixsocket", str(self.socket), "--save", "", "--appendonly",
             "no", "--dir", str(self.directory), *self.options],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        eventually(self._answers, "redis-server answers", 10)
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.directory / "redis.log").read_text()
        try:
            with RedisClient(self.socket) as client:
                client("PING")
        except RedisError as why:
            return str(why).startswith("NOAUTH")
        except OSError:
            return False
        return True

    def client(self, password=None):
        return RedisClient(self.socket, password)

    def do(self, *words):
        with self.client() as client:
            return client(*words)

    def add(self, slot, addr, state="ready", **fields):
        """Writes a node in, as one does itself."""
        with self.client() as client:
            words = [text for pair in fields.items() for text in pair]
            client("HSET", key(slot), "addr", addr, "state", state, "instance", f"i{slot}", *words)
            client("PUBLISH", EVENTS, f"{slot} {state}")

    def remove(self, slot):
        with self.client() as client:
            client("DEL", key(slot))
            client("PUBLISH", EVENTS, f"{slot} gone")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()


class Sentinels:
    """Two Sentinels that watch over `master`, called "app", and promote `replica` soon after the
    master's end."""

    def __init__(self, directories, master, replica):
        self.master, self.replica = master, replica
        replica.do("REPLICAOF", "127.0.0.1", master.port)
        self.servers = []
        for directory in directories:
            conf = directory / "s.conf"
            conf.write_text(f"sentinel monitor app 127.0.0.1 {master.port} {len(directories)}\n"
                            "sentinel down-after-milliseconds app 500\n"
                            "sentinel failover-timeout app 2000\n")
            self.servers.append(RedisServer(directory, kind=(str(conf), "--sentinel")).start())

    @property
    def url(self):
        """One of them is not there."""
        ports = (free_port(), *(server.port for server in self.servers))
        return f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in ports)}/app/0"

    def wait_for_replica(self):
        """The replica follows, and all know it: or there is nobody to promote."""
        eventually(lambda: f"slave0:ip=127.0.0.1,port={self.replica.port},state=online" in
                   self.master.do("INFO", "replication"), "the replica follows", 15)
        for server in self.servers:
            eventually(lambda: server.do("SENTINEL", "REPLICAS", "app") != [] and
                       server.do("SENTINEL", "SENTINELS", "app") != [],
                       "the sentinel knows the replica and the other sentinel", 20)

    def stop(self):
        for server in self.servers:
            server.stop()


class ScriptedServer:
    """Accepts, and answers every piece that comes with what `answer` makes of it: bytes, or None
    for silence; False closes."""

    def __init__(self, answer):
        self.answer = answer
        self.accepted = 0
        self.last = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._open = []
        self._stopping = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._stopping:
                sock.close()
                return
            self.accepted += 1
            self.last = time.monotonic()
            self._open.append(sock)
            self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
            self._threads[-1].start()

    def _serve(self, sock):
        try:
            while data := sock.recv(65536):
                answer = self.answer(data)
                if answer is False:
                    break
                if answer:
                    sock.sendall(answer)
        except OSError:
            pass
        finally:
            sock.close()

    def stop(self):
        self._stopping = True
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            pass
        self._listener.close()
        for sock in self._open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(5)


class WeirNode:
    """A `weir node` process."""

    def __init__(self, directory, url, addr, *options, command=(), env=None):
        self.directory = pathlib.Path(directory)
        self.addr = addr
        self.log_path = self.directory / "node.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(weir_binary()), "node", "--registry", url, "--app", APP, "--addr", addr,
                 "--settle", "0", *options, *(["--", *command] if command else [])],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})})

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_for(self, text, limit=10):
        eventually(lambda: text in self.log(), f"{text!r} in {self.log()!r}", limit)
        return self

    def id(self):
        self.wait_for("worker ID")
        eventually(lambda: f'of "{APP}"' in self.log(), "an ID", 10)
        return int(self.log().split("worker ID ")[-1].split()[0])

    def end(self, number=signal.SIGTERM, limit=15):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(limit)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
