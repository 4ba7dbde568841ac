"""Flow control of bodies that clients send over HTTP/2 (RFC 9113 section 5.2)."""

import threading

import pytest

from http2 import DATA, END_STREAM, FLOW_CONTROL_ERROR, WINDOW_UPDATE, Http2Client, frame
from wire import reply

FIRST = 65535  # a window that nobody has changed


class Uploads:
    """What a client may send on its streams, and does."""

    def __init__(self, client):
        self.client = client
        self.whole = FIRST
        self.of = {}

    def begin(self, path):
        stream = self.client.headers(self.client.fields_of(path, method="POST"), end=False)
        self.of[stream] = FIRST
        return stream

    def room(self, stream):
        return min(self.whole, self.of[stream], 16384)

    def send(self, stream, size, end=False):
        """A frame, which must be within the windows."""
        self.client.send(frame(DATA, END_STREAM if end else 0, stream, b"x" * size))
        self.whole -= size
        self.of[stream] -= size

    def read(self):
        got = self.client.read_frame()
        assert got is not None, "the connection ended"
        if got.kind == WINDOW_UPDATE and got.stream == 0:
            self.whole += int.from_bytes(got.payload, "big")
        elif got.kind == WINDOW_UPDATE and got.stream in self.of:
            self.of[got.stream] += int.from_bytes(got.payload, "big")

    def send_all(self, stream, size, end=True):
        """As soon as the windows let it pass."""
        while size > 0:
            while (piece := min(size, self.room(stream))) == 0:
                self.read()
            size -= piece
            self.send(stream, piece, end and size == 0)


@pytest.mark.parametrize("streams", [20, 60])
def test_uploads_that_are_stuck_stop_no_other(start, streams):
    """They wait for their node, each with a window full of its body."""
    go = threading.Event()

    def handler(connection, message):
        assert go.wait(5)
        return reply(200, str(len(message.body)).encode())

    stuck, node = start.node(handler), start.node(
        lambda connection, message: reply(200, str(len(message.body)).encode()))
    proxy = start.proxy(f"""
    upstream stuck {{ zone stuck 64k; server {stuck.address} max_conns=1; queue 100 timeout=10s; }}
    proxy_request_buffering off;
    server {{
        listen @listen@; http2 on;
        location / {{ proxy_pass http://stuck; }}
        location /free {{ proxy_pass http://{node.address}; }}
    }}""")
    with Http2Client(proxy.port) as client:
        uploads = Uploads(client)
        first = uploads.begin("/")
        uploads.send_all(first, FIRST - 1, end=False)
        stuck.wait_for(lambda: stuck.received > 0, "the first upload")
        waiting = [uploads.begin("/") for _ in range(streams)]
        for stream in waiting:
            uploads.send_all(stream, FIRST, end=False)
        free = uploads.begin("/free")
        uploads.send_all(free, 300000)
        assert client.answer(free).body == b"300000"
        client.ping()
        while uploads.room(waiting[0]) > 0:
            uploads.send_all(waiting[0], uploads.room(waiting[0]), end=False)
        # None of the others was asked for more than it may have on hand.
        assert all(uploads.of[stream] <= FIRST for stream in waiting)
        # And who sends more nevertheless breaks the rules (section 6.9.1).
        over = waiting.pop()
        client.send(frame(DATA, 0, over, b"x" * 10))
        assert client.answer(over).reset == FLOW_CONTROL_ERROR
        go.set()
        for stream in [first, *waiting]:
            uploads.send_all(stream, 1)
            assert client.answer(stream).status == 200
