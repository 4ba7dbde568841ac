"""A client of HTTP/2 that sends exactly the frames it is told to (RFC 9113), and reads answers."""

import dataclasses
import socket
import ssl
import struct

from hpack import Decoder, Encoder

from wire import LIMIT, Ended, Stream

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, ACK = 1, 4, 8, 1
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, \
    FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, \
    ENHANCE_YOUR_CALM = range(12)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, \
    MAX_HEADER_LIST_SIZE = range(1, 7)
ENABLE_CONNECT_PROTOCOL = 8


def frame(kind, flags=0, stream=0, payload=b""):
    return (struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) +
            struct.pack(">I", stream) + payload)


def settings(**values):
    """settings(INITIAL_WINDOW_SIZE=0): a frame."""
    names = globals()
    return frame(SETTINGS, payload=b"".join(
        struct.pack(">HI", names[name], value) for name, value in values.items()))


def window_update(stream, size):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


@dataclasses.dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self):
        """Of RST_STREAM and GOAWAY."""
        return struct.unpack(">I", self.payload[4 * (self.kind == GOAWAY):][:4])[0]


@dataclasses.dataclass
class Answer:
    fields: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)
    informational: list = dataclasses.field(default_factory=list)
    reset: int = None  # code of the RST_STREAM that ended it
    ended: bool = False

    @property
    def status(self):
        return int(self.get(":status", 0))

    def get(self, name, default=None):
        return next((value for key, value in self.fields if key == name), default)


class Http2Client(Stream):
    """`greeting`: what is sent first. Windows are opened for all that comes, unless `greedy` is
    false."""

    def __init__(self, port, greeting=PREFACE + settings(), tls=False, greedy=True, limit=LIMIT):
        sock = socket.create_connection(("127.0.0.1", port), timeout=limit)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            sock = context.wrap_socket(sock, server_hostname="example.com")
        super().__init__(sock, limit)
        self.encoder, self.decoder = Encoder(), Decoder(1 << 20)
        self.greedy = greedy
        self.silent = False  # nothing is answered any more
        self.answers = {}
        self.settings = {}
        self.goaway = None
        self.pongs = []
        self.next_stream = 1
        self.block = b""
        self.send(greeting)

    # ---- out

    def fields_of(self, path="/", *fields, method="GET", authority="example.com", scheme="http"):
        pseudo = [(":method", method), (":scheme", scheme), (":path", path)]
        if authority is not None:
            pseudo.append((":authority", authority))
        return pseudo + [tuple(field) for field in fields]

    def headers(self, fields, end=True, stream=None):
        """HEADERS with a block of these fields; the number of the stream."""
        if stream is None:
            stream, self.next_stream = self.next_stream, self.next_stream + 2
        block = self.encoder.encode(fields)
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block))
        return stream

    def request(self, path="/", *fields, body=None, end=True, **pseudo):
        """A request; its body goes whatever the windows are."""
        stream = self.headers(self.fields_of(path, *fields, **pseudo), end and body is None)
        if body is not None:
            self.data(stream, body, end)
        return stream

    def data(self, stream, body, end=True):
        pieces = [body[at:at + 16384] for at in range(0, len(body), 16384)] or [b""]
        for i, piece in enumerate(pieces):
            last = end and i == len(pieces) - 1
            self.send(frame(DATA, END_STREAM if last else 0, stream, piece))

    # ---- in

    def read_frame(self):
        """The next frame, noted; None when the connection ends between two of them."""
        try:
            head = self.exactly(9)
        except Ended:
            return None
        size = int.from_bytes(head[:3], "big")
        got = Frame(head[3], head[4], int.from_bytes(head[5:], "big") & 0x7fffffff,
                    self.exactly(size))
        self._note(got)
        return got

    def answer_of(self, stream):
        return self.answers.setdefault(stream, Answer())

    def _note(self, got):
        if got.kind == SETTINGS and not got.flags & ACK:
            for at in range(0, len(got.payload), 6):
                key, value = struct.unpack(">HI", got.payload[at:at + 6])
                self.settings[key] = value
            self._reply(frame(SETTINGS, ACK))
        elif got.kind == PING:
            (self.pongs.append(got.payload) if got.flags & ACK else
             self._reply(frame(PING, ACK, 0, got.payload)))
        elif got.kind == GOAWAY:
            self.goaway = got
        elif got.kind in (HEADERS, CONTINUATION):
            self._note_fields(got)
        elif got.kind == DATA:
            self.answer_of(got.stream).body += got.payload
            if self.greedy and got.payload:
                self._reply(window_update(0, len(got.payload)) +
                            window_update(got.stream, len(got.payload)))
        elif got.kind == RST_STREAM:
            self.answer_of(got.stream).reset = got.code
        if got.kind in (DATA, HEADERS) and got.flags & END_STREAM:
            self.answer_of(got.stream).ended = True

    def _note_fields(self, got):
        self.block += got.payload
        if not got.flags & END_HEADERS:
            return
        fields = [(str(name), str(value)) for name, value in self.decoder.decode(self.block)]
        self.block = b""
        answer = self.answer_of(got.stream)
        if answer.fields:
            answer.trailers = fields
        elif dict(fields).get(":status", "").startswith("1"):
            answer.informational.append(fields)
        else:
            answer.fields = fields

    def _reply(self, data):
        if self.silent:
            return
        try:
            self.send(data)
        except OSError:
            pass  # the connection is over: what it has sent is read on

    def until_that(self, condition, what):
        """Reads frames until the condition holds."""
        while not condition():
            assert self.read_frame() is not None, f"the connection ended before {what}"

    def answer(self, stream):
        """The whole answer, or what came before the stream was reset."""
        answer = self.answer_of(stream)
        self.until_that(lambda: answer.ended or answer.reset is not None,
                        f"the end of stream {stream}; so far {answer}")
        return answer

    def ask(self, path="/", *fields, **how):
        return self.answer(self.request(path, *fields, **how))

    def read_to_end(self):
        """All frames until the connection ends; the GOAWAY, if one came."""
        try:
            while self.read_frame() is not None:
                pass
        except (Ended, ConnectionError):
            pass
        return self.goaway

    def ping(self):
        """Whether the connection still answers."""
        self.send(frame(PING, 0, 0, b"are you "))
        self.until_that(lambda: b"are you " in self.pongs, "the answer to a ping")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
