"""A node of HTTP/2 that does what a test tells it, frame by frame."""

import dataclasses
import struct

from hpack import Decoder, Encoder

from http2 import ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PING, PREFACE, \
    RST_STREAM, SETTINGS, WINDOW_UPDATE, Frame, frame, settings, window_update
from node import Node, NodeConnection
from wire import Ended


@dataclasses.dataclass
class Request:
    """Of a stream: what has come so far."""

    connection: int
    stream: int
    fields: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)
    ended: bool = False
    reset: int = None

    def get(self, name, default=None):
        return next((value for key, value in self.fields if key == name), default)

    @property
    def target(self):
        return self.get(":path")


class Http2Connection:
    """What a handler is given: frames out, and frames in until something has come."""

    def __init__(self, wire, node):
        self.wire, self.node, self.index = wire, node, wire.index
        self.encoder, self.decoder = Encoder(), Decoder(1 << 20)
        self.requests = {}
        self.block = b""
        self.settings_acks = 0
        self.window, self.windows = 65535, {}
        self.pongs = []
        self.goaway = None
        self.fresh = []  # requests whose head has come, and that no handler has had

    def send(self, data):
        self.wire.send(data)

    def close(self):
        self.wire.close()

    def head(self, request, status=200, *fields, end=False):
        block = self.encoder.encode([(":status", str(status)), *fields])
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), request.stream, block))

    def data(self, request, body, end=False):
        """As the windows allow."""
        pieces = [body[at:at + 16384] for at in range(0, len(body), 16384)] or [b""]
        for i, piece in enumerate(pieces):
            assert self.until(lambda p=piece: min(self._window(0), self._window(request.stream)) >=
                              len(p)), "the connection ended before its windows opened"
            for stream in (0, request.stream):
                self.windows[stream] = self._window(stream) - len(piece)
            last = end and i == len(pieces) - 1
            self.send(frame(DATA, END_STREAM if last else 0, request.stream, piece))

    def trailers(self, request, *fields):
        self.send(frame(HEADERS, END_HEADERS | END_STREAM, request.stream,
                        self.encoder.encode(list(fields))))

    def answer(self, request, status=200, body=b"ok", *fields, trailers=()):
        self.head(request, status, *fields)
        self.data(request, body, not trailers)
        if trailers:
            self.trailers(request, *trailers)

    def _window(self, stream):
        return self.windows.get(stream, self.window if stream else 65535)

    def read_frame(self):
        """None at the end of the connection."""
        try:
            head = self.wire.exactly(9)
        except Ended:
            return None
        got = Frame(head[3], head[4], int.from_bytes(head[5:], "big") & 0x7fffffff,
                    self.wire.exactly(int.from_bytes(head[:3], "big")))
        self._note(got)
        self.node.changed()
        return got

    def until(self, condition):
        """Reads frames until the condition holds; False if the connection ends before."""
        while not condition():
            if self.read_frame() is None:
                return False
        return True

    def _note(self, got):
        request = self.requests.get(got.stream)
        if got.kind == SETTINGS and not got.flags & ACK:
            for at in range(0, len(got.payload), 6):
                key, value = struct.unpack(">HI", got.payload[at:at + 6])
                self.window = value if key == INITIAL_WINDOW_SIZE else self.window
            self.send(frame(SETTINGS, ACK))
        elif got.kind == WINDOW_UPDATE:
            size = struct.unpack(">I", got.payload)[0]
            self.windows[got.stream] = self._window(got.stream) + size
        elif got.kind == SETTINGS:
            self.settings_acks += 1
        elif got.kind == PING and not got.flags & ACK:
            self.send(frame(PING, ACK, 0, got.payload))
        elif got.kind == PING:
            self.pongs.append(got.payload)
        elif got.kind == GOAWAY:
            self.goaway = got
        elif got.kind in (HEADERS, CONTINUATION):
            self.block += got.payload
            if got.flags & END_HEADERS:
                fields = [(str(n), str(v)) for n, v in self.decoder.decode(self.block)]
                self.block = b""
                if request is None:
                    request = Request(self.index, got.stream, fields)
                    self.requests[got.stream] = request
                    self.node.requests.append(request)
                    self.fresh.append(request)
                else:
                    request.trailers = fields
        elif got.kind == DATA:
            request.body += got.payload
            if self.node.greedy and got.payload:
                self.send(window_update(0, len(got.payload)) +
                          window_update(got.stream, len(got.payload)))
        elif got.kind == RST_STREAM and request is not None:
            request.reset = got.code
        if got.kind in (DATA, HEADERS) and got.flags & END_STREAM:
            request.ended = True


class Http2Node(Node):
    """Serves `handler(connection, request)`. With `whole=False` it is called when the head has
    come. `greedy`: windows are opened for all that comes."""

    def __init__(self, handler=None, whole=True, greeting=settings(), greedy=True):
        self.greeting, self.greedy = greeting, greedy
        super().__init__(handler or (lambda connection, request: connection.answer(request)), whole)

    @property
    def targets(self):
        return [request.target for request in self.requests]

    def _serve(self, wire: NodeConnection):
        try:
            assert wire.exactly(len(PREFACE)) == PREFACE
            connection = Http2Connection(wire, self)
            wire.send(self.greeting)
            while wire.open and connection.until(lambda: connection.fresh):
                request = connection.fresh.pop(0)
                if self.whole and not connection.until(
                        lambda: request.ended or request.reset is not None):
                    break
                self.handler(connection, request)
        except (OSError, Ended):
            pass
        except Exception as why:  # pylint: disable=broad-except
            if wire.open:
                self.failures.append(repr(why))
        finally:
            wire.close()
            self.changed()
