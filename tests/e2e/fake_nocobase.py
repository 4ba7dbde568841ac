#!/usr/bin/env python3
"""A node that behaves towards a balancer as NocoBase does, and fails as it is told to.

    fake_nocobase.py PORT --record FILE [--boot SCALE]

* `GET /api/__health_check` is 200 `ok` only while it runs; any method does; a query string makes it
  a 404. In another phase all below /api/ and /files/ is refused with `maintaining`, before the
  application sees it; other paths are files and 200 in every phase.
* It keeps connections for 5 s, opens WebSockets at exactly /ws, answers no `ping`, echoes the rest.
* SIGTERM: for some milliseconds all requests fail with 500 (the pool to the database is closed),
  then the port is closed. Open WebSockets stay, and keep the process alive until clients end them.
* Each POST whose body has come and that is executed is a line in FILE: its X-Post-Id.

It is told what to do by lines on standard input, and says `ok` when it has been done:
`phase NAME`, `reset on|off` (RST inside bodies), `drop on|off` (no packet arrives), `close`, `open`.
One thread; `FakeNocobase` is the handle of tests and of bench/faults on such a process.
"""

import argparse
import asyncio
import base64
import ctypes
import hashlib
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import uuid

KEEP_ALIVE = 5.0  # seconds an idle connection is kept
START = (3.9, 0.05, 1.2)  # seconds: the port is closed, APP_NOT_FOUND, APP_COMMANDING
STOPPING = 0.03  # seconds between SIGTERM and the closed port
BODY = 4096  # bytes of an answer of the application, about
PHASES = {"not_found": (404, "APP_NOT_FOUND"), "preparing": (503, "APP_PREPARING"),
          "initializing": (503, "APP_INITIALIZING"), "commanding": (503, "APP_COMMANDING"),
          "stopped": (503, "APP_STOPPED"), "error": (503, "APP_ERROR")}
REASONS = {200: "OK", 404: "Not Found", 500: "Internal Server Error", 501: "Not Implemented",
           503: "Service Unavailable"}
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: close() resets

# A socket filter that takes nothing: to TCP each packet looks lost on the way.
_nothing = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
_DROP_ALL = struct.pack("HxxxxxxP", 1, ctypes.addressof(_nothing))


def drop_packets(sock, on):
    try:
        if on:
            sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _DROP_ALL)
        else:
            sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
    except OSError:
        pass  # closed meanwhile, or without a filter


class Connection(asyncio.Protocol):
    """One connection of the balancer: HTTP/1.1, then perhaps a WebSocket."""

    def __init__(self, node):
        self.node = node
        self.buffer = bytearray()
        self.tunnel = False
        self.idle = None

    def connection_made(self, transport):
        self.transport = transport
        self.node.connections.add(self)
        self._wait()

    def connection_lost(self, _):
        self.node.connections.discard(self)
        if self.idle:
            self.idle.cancel()
        self.node.gone()

    def data_received(self, data):
        self.buffer += data
        if self.idle:
            self.idle.cancel()
        while self._frame() if self.tunnel else self._request():
            pass
        if not self.buffer and not self.tunnel:
            self._wait()

    def _wait(self):
        self.idle = asyncio.get_running_loop().call_later(KEEP_ALIVE, self.transport.close)

    def reset(self):
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    # HTTP

    def _request(self):
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in
                  (line.partition(":") for line in lines[1:])}
        size = int(fields.get("content-length", 0))
        if len(self.buffer) < end + 4 + size:
            return False
        del self.buffer[:end + 4 + size]
        method, target, _ = lines[0].split(" ")
        if "transfer-encoding" in fields:  # bodies of the tests are counted
            self._answer(method, 501, b"")
            self.transport.close()
        elif "upgrade" in fields:
            self._upgrade(target, fields)
        else:
            self._serve(method, target, fields)
            if fields.get("connection", "").lower() == "close":
                self.transport.close()
        return not self.transport.is_closing()

    def _serve(self, method, target, fields):
        node = self.node
        if not target.startswith(("/api/", "/files/")):
            return self._answer(method, 200, b"<!doctype html>\n")
        phase = "not_found" if fields.get("x-app", "main") != "main" else node.phase
        if phase in PHASES:
            return self._refuse(method, *PHASES[phase])
        if target.endswith("/__health_check"):
            return self._answer(method, 200, b"ok", kind=None)
        if "/__health_check?" in target:
            return self._answer(method, 404, b"Not Found")
        if node.stopping:
            return self._answer(method, 500, json.dumps({"errors": [{"message":
                "ConnectionManager.getConnection was called after the connection manager was "
                "closed!"}]}).encode())
        if method == "POST":
            node.record(fields.get("x-post-id", "none"))
        data = json.dumps({"node": node.port, "data": "x" * BODY}).encode()
        return self._answer(method, 200, data, cut=node.reset)

    def _refuse(self, method, status, code):
        self._answer(method, status, json.dumps({"error": {
            "status": status, "maintaining": True, "message": code.replace("_", " ").lower(),
            "command": {"name": "start"}, "code": code}}).encode())

    def _answer(self, method, status, body, kind="application/json", cut=False):
        head = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(body)}",
                f"X-Request-Id: {uuid.uuid4()}", f"X-Node: {self.node.port}",
                "Connection: keep-alive", "Keep-Alive: timeout=5"]
        head += [f"Content-Type: {kind}"] if kind else []
        if method == "HEAD":
            body = b""
        if cut and body:
            body = body[:len(body) // 2]
        self.transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        if cut:
            # Half of it has to be out before the reset, which takes with it what is not.
            asyncio.get_running_loop().call_later(0.002, self.reset)

    # WebSocket

    def _upgrade(self, target, fields):
        if target != "/ws" or "sec-websocket-key" not in fields:
            self.transport.abort()
            return
        accept = base64.b64encode(hashlib.sha1(
            (fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
            .digest()).decode()
        self.tunnel = True
        self.transport.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                              f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n")
                             .encode())

    def _frame(self):
        """One masked frame of less than 126 bytes: longer ones do not occur here."""
        if len(self.buffer) < 6 or len(self.buffer) < 6 + (size := self.buffer[1] & 127):
            return False
        kind, mask = self.buffer[0] & 15, self.buffer[2:6]
        text = bytes(b ^ mask[i % 4] for i, b in enumerate(self.buffer[6:6 + size]))
        del self.buffer[:6 + size]
        if kind == 8:
            self.transport.write(bytes([0x88, len(text)]) + text)
            self.transport.close()
            return False
        if b'"auth:token"' in text:
            text = b'{"type":"authorized"}'
        if text != b"ping":
            self.transport.write(bytes([0x81, len(text)]) + text)
        return True


class Node:
    def __init__(self, port, record):
        self.port = port
        self.phase = "running"
        self.reset = self.stopping = False
        self.connections = set()
        self.server = None
        self._dropping = False
        self._record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def record(self, post_id):
        os.write(self._record, f"{post_id}\n".encode())

    async def open(self):
        self.server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), "127.0.0.1", self.port, backlog=1024, reuse_address=True)

    async def boot(self, scale):
        await asyncio.sleep(START[0] * scale)
        self.phase = "not_found"
        await self.open()
        await asyncio.sleep(START[1] * scale)
        self.phase = "commanding"
        await asyncio.sleep(START[2] * scale)
        self.phase = "running"

    def close(self):
        if self.server:
            self.server.close()
            self.server = None
        for connection in list(self.connections):
            connection.reset()

    def drop(self, on):
        self._dropping = on
        for sock in self.server.sockets if self.server else ():
            # asyncio shows a listening socket through a proxy object.
            with socket.socket(fileno=os.dup(sock.fileno())) as listener:
                drop_packets(listener, on)
        for connection in self.connections:
            drop_packets(connection.transport.get_extra_info("socket"), on)

    def terminate(self):
        self.stopping = True
        asyncio.get_running_loop().call_later(STOPPING, self._stop)

    def _stop(self):
        if self.server:
            self.server.close()
            self.server = None
        for connection in list(self.connections):
            if not connection.tunnel:
                connection.transport.close()
        self.gone()

    def gone(self):
        if self.stopping and self.server is None and not self.connections:
            os._exit(0)

    async def obey(self, words):
        match words:
            case ["phase", name] if name in PHASES or name == "running":
                self.phase = name
            case ["reset", value]:
                self.reset = value == "on"
            case ["drop", value]:
                self.drop(value == "on")
            case ["close"]:
                self.close()
            case ["open"]:
                await self.open()
            case _:
                return f"unknown: {' '.join(words)}"
        return "ok"


async def serve(options):
    loop = asyncio.get_running_loop()
    node = Node(options.port, options.record)
    loop.add_signal_handler(signal.SIGTERM, node.terminate)
    if options.boot is None:
        await node.open()
    else:
        booting = loop.create_task(node.boot(options.boot))  # noqa: F841  kept from the collector
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ok", flush=True)
    while line := await commands.readline():
        print(await node.obey(line.decode().split()), flush=True)
    # Whoever gave the commands has ended: so does this, but for what SIGTERM lets finish.
    if not node.stopping:
        os._exit(0)
    await asyncio.sleep(3600)


class FakeNocobase:
    """Handle on a node in a process of its own; it can be started again on the same port."""

    def __init__(self, port, directory):
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.recorded = pathlib.Path(directory) / f"posts.{port}"
        self.process = None
        self.start()

    def start(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-E", __file__, str(self.port), "--record",
             str(self.recorded), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self._expect_ok("start")
        return self

    def tell(self, command):
        """Returns when the node has done it."""
        self.process.stdin.write(command + "\n")
        self._expect_ok(command)

    def _expect_ok(self, command):
        said = self.process.stdout.readline().strip()
        assert said == "ok", f"node {self.port}, {command}: {said or 'it has ended'}"

    def send_signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9, and gone when this returns."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None

    stop = kill

    def posts(self):
        """X-Post-Ids of what was executed, each as often as it was."""
        return self.recorded.read_text().split() if self.recorded.exists() else []


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    ap.add_argument("port", type=int)
    ap.add_argument("--record", required=True)
    ap.add_argument("--boot", type=float, metavar="SCALE",
                    help="the phases of a start first, SCALE times as long as NocoBase's")
    asyncio.run(serve(ap.parse_args()))


if __name__ == "__main__":
    main()
