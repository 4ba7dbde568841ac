"""Reading HTTP/1.1 messages off a socket exactly, for both ends of a test."""

import dataclasses
import socket

LIMIT = 5.0  # seconds that any single wait of a test may take


class Ended(Exception):
    """The peer closed or reset before what was expected had come."""


@dataclasses.dataclass
class Message:
    """A request or an answer: `head` is exactly what was received, up to the empty line."""

    head: bytes
    body: bytes = b""
    raw_body: bytes = b""  # with the chunk framing
    trailers: list = dataclasses.field(default_factory=list)
    complete: bool = False
    connection: int = -1  # of a node: which of its connections, counted from 0
    informational: list = dataclasses.field(default_factory=list)  # of an answer: 1xx before it

    @property
    def lines(self):
        return self.head.decode("latin-1").split("\r\n")

    @property
    def start(self):
        return self.lines[0]

    @property
    def fields(self):
        """[(lower-case name, value), ...] in the order received."""
        return [(name.lower(), value.strip()) for name, _, value in
                (line.partition(":") for line in self.lines[1:] if line)]

    def all(self, name):
        return [value for key, value in self.fields if key == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    # of a request
    @property
    def method(self):
        return self.start.split(" ")[0]

    @property
    def target(self):
        return self.start.split(" ")[1]

    # of an answer
    @property
    def status(self):
        return int(self.start.split(" ")[1])


class Stream:
    """A socket with a buffer of what was received and not yet asked for."""

    def __init__(self, sock, limit=LIMIT):
        self.sock = sock
        self.sock.settimeout(limit)
        if sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.received = 0
        self.open = True

    def fill(self):
        """Receives once; False at the end of the stream (a reset counts as that)."""
        try:
            data = self.sock.recv(262144)
        except (ConnectionResetError, BrokenPipeError):
            return False
        self.buffer += data
        self.received += len(data)
        return bool(data)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise Ended(bytes(self.buffer))
        at = self.buffer.index(mark) + len(mark)
        return self.take(at)

    def take(self, n):
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def exactly(self, n):
        while len(self.buffer) < n:
            if not self.fill():
                raise Ended(bytes(self.buffer))
        return self.take(n)

    def to_end(self):
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def at_end(self):
        """True when the peer closes and sends nothing more; waits for one or the other."""
        return not self.buffer and not self.fill()

    def send(self, data):
        self.sock.sendall(data)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self):
        if self.open:
            self.open = False
            try:
                # Wakes a thread that waits in recv, which close alone does not.
                if not self._lingers():
                    self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.sock.close()

    def _lingers(self):
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[0] == 1

    # Messages

    def read_head(self):
        """None at the end of the stream between two messages."""
        try:
            return Message(self.until(b"\r\n\r\n"))
        except Ended:
            if self.buffer:
                raise
            return None

    def read_body(self, message, until_end=False):
        """Fills in body and trailers; `complete` stays False when it was cut short."""
        try:
            if "chunked" in message.get("transfer-encoding", "").lower():
                self._read_chunks(message)
            elif message.get("content-length") is not None:
                self._read_counted(message, int(message.get("content-length")))
            elif until_end:
                message.body = message.raw_body = self.to_end()
            message.complete = True
        except Ended:
            message.body += self.take(len(self.buffer))
        return message

    def _read_counted(self, message, size):
        message.body = message.raw_body = self.exactly(size)

    def _read_chunks(self, message):
        body, raw = bytearray(), bytearray()
        try:
            while True:
                line = self.until(b"\r\n")
                raw += line
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    break
                data = self.exactly(size)
                end = self.exactly(2)
                assert end == b"\r\n", f"chunk of {size} bytes ends with {end!r}"
                body += data
                raw += data + end
            while (line := self.until(b"\r\n")) != b"\r\n":
                raw += line
                message.trailers.append(line.decode("latin-1").strip())
            raw += b"\r\n"
        finally:
            message.body, message.raw_body = bytes(body), bytes(raw)


class Client(Stream):
    """A client that sends exactly the bytes it is told to."""

    def __init__(self, port, limit=LIMIT):
        super().__init__(socket.create_connection(("127.0.0.1", port), timeout=limit), limit)

    def read_response(self, method="GET"):
        """The final answer, with the 1xx before it; None when the peer closed without one."""
        informational = []
        while (answer := self.read_head()) is not None:
            if answer.status < 200 and answer.status != 101:
                informational.append(answer)
                continue
            answer.informational = informational
            if method == "HEAD" or answer.status in (101, 204, 304):
                answer.complete = True
                return answer
            return self.read_body(answer, until_end=True)
        return None

    def exchange(self, data, method=None):
        self.send(data)
        return self.read_response(method or data.split(b" ")[0].decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(target="/", *fields, method="GET", body=None, version="1.1", host="example.com"):
    """A well-formed request; a body that is a list is sent as one chunk an element."""
    lines = [f"{method} {target} HTTP/{version}", f"Host: {host}", *fields]
    if isinstance(body, list):
        lines.append("Transfer-Encoding: chunked")
    elif body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (
        chunks(*body) if isinstance(body, list) else body or b"")


def reply(status=200, body=b"ok", *fields, reason="Reason", version="1.1"):
    lines = [f"HTTP/{version} {status} {reason}", *fields]
    if isinstance(body, list):
        lines.append("Transfer-Encoding: chunked")
    elif body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (
        chunks(*body) if isinstance(body, list) else body or b"")


def chunks(*pieces, end=True, trailers=()):
    data = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    if end:
        data += b"0\r\n" + b"".join(line.encode() + b"\r\n" for line in trailers) + b"\r\n"
    return data


def send_once(port, data, method=None):
    """One request on a connection of its own."""
    with Client(port) as client:
        return client.exchange(data, method)
