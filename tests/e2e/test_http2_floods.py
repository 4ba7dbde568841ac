"""Floods of HTTP/2 end the connection, and cost little: tests/e2e/test_http2.py is about the rest."""

import struct
import time

import pytest

from harness import free_port, weir_only
from http2 import CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, PING, \
    PREFACE, PRIORITY, SETTINGS, Http2Client, frame, reset, settings, window_update
from wire import reply, request, send_once

EVENTS = 1000  # within which a flood has to end


@pytest.fixture(name="flooded", scope="module")
def flooded_fixture(start_once):
    node = start_once.node(lambda connection, message: reply(200, b"x" * 100000)
                           if message.target == "/big" else reply())
    admin = free_port()
    proxy = start_once.proxy(f"""
    upstream app {{ server {node.address}; }}
    server {{ listen @listen@; http2 on; location / {{ proxy_pass http://app; }}
              location /small/ {{ http2_chunk_size 100; proxy_pass http://app/; }} }}""",
                             main=f"admin {{ listen 127.0.0.1:{admin}; control off; }}")
    proxy.admin = admin
    return proxy


def rapid_resets(client):
    for _ in range(EVENTS):
        stream = client.request("/")
        yield reset(stream)


def malformed(client):
    for _ in range(EVENTS):
        stream, client.next_stream = client.next_stream, client.next_stream + 2
        block = client.encoder.encode([(":method", "GET"), ("no", "path")])
        yield frame(HEADERS, END_HEADERS | END_STREAM, stream, block)


def of_one_stream(make):
    def flood(client):
        stream = client.headers(client.fields_of("/", method="POST"), end=False)
        for _ in range(EVENTS):
            yield make(stream)
    return flood


def repeated(data):
    return lambda client: (data for _ in range(EVENTS))


def continuations(client):
    stream, client.next_stream = client.next_stream, client.next_stream + 2
    yield frame(HEADERS, END_STREAM, stream, client.encoder.encode(client.fields_of()))
    for _ in range(EVENTS):
        yield frame(CONTINUATION, 0, stream, b"")


FLOODS = {
    "reset": rapid_resets,
    "bad_stream": malformed,
    "empty_data": of_one_stream(lambda stream: frame(DATA, 0, stream, b"")),
    "continuation": continuations,
    "ping": repeated(frame(PING, 0, 0, b"12345678")),
    "settings": repeated(settings(INITIAL_WINDOW_SIZE=65535)),
    "window_update": repeated(window_update(0, 1)),
    "priority": repeated(frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 1))),
    "other": repeated(frame(0x42, 0, 0, b"")),
}


def metric(proxy, text):
    lines = send_once(proxy.admin, request("/metrics", host="localhost")).body.decode().splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(text))


def flood(client, pieces):
    """Sends them as long as the connection takes them; the GOAWAY it ends with."""
    try:
        for piece in pieces:
            client.send(piece)
    except OSError:
        pass
    return client.read_to_end()


@weir_only
@pytest.mark.parametrize("cause", FLOODS)
def test_a_flood_ends_the_connection(flooded, cause):
    name = f'weir_http2_floods_total{{cause="{cause}"}}'
    before = metric(flooded, name)
    with Http2Client(flooded.port) as client:
        goaway = flood(client, FLOODS[cause](client))
    assert goaway is None or goaway.code == ENHANCE_YOUR_CALM
    flooded.wait_for_log(rf"HTTP/2 flood \({cause}\).*client: 127.0.0.1", "error.log")
    assert metric(flooded, name) == before + 1
    with Http2Client(flooded.port) as client:
        assert client.ask("/").status == 200


@weir_only
def test_a_client_that_makes_an_answer_drip_is_ended(flooded):
    """CVE-2019-9511: a window of one byte, and an update for each."""
    with Http2Client(flooded.port, PREFACE + settings(INITIAL_WINDOW_SIZE=1)) as client:
        client.request("/big")
        assert client.read_to_end().code == ENHANCE_YOUR_CALM
        assert len(client.answer_of(1).body) < EVENTS


@weir_only
@pytest.mark.parametrize("size", [8, 100])
def test_window_updates_of_a_small_window_are_no_flood(flooded, size):
    with Http2Client(flooded.port, PREFACE + settings(INITIAL_WINDOW_SIZE=size)) as client:
        answer = client.answer_of(client.request("/big"))
        client.until_that(lambda: len(answer.body) >= 1000 * size, "a thousand frames")


@weir_only
def test_window_updates_for_small_pieces_are_no_flood(flooded):
    """As haproxy sends them: for each frame of an answer, to the stream and to the connection."""
    with Http2Client(flooded.port) as client:
        for _ in range(2):
            answer = client.ask("/small/big")  # a thousand frames
            assert answer.reset is None and len(answer.body) == 100000
        client.ping()


@weir_only
def test_acknowledgements_that_nobody_reads_take_no_memory(flooded):
    before = flooded.resident_kib()
    with Http2Client(flooded.port) as client:
        try:
            for _ in range(50):
                client.send(frame(PING, 0, 0, b"12345678") * 1000)
        except OSError:
            pass
        assert flooded.resident_kib() - before < 4096
        client.read_to_end()


def test_a_head_without_an_end_is_not_gathered(flooded):
    before = flooded.resident_kib()
    with Http2Client(flooded.port) as client:
        stream, client.next_stream = client.next_stream, client.next_stream + 2
        block = client.encoder.encode(client.fields_of())
        try:
            client.send(frame(HEADERS, 0, stream, block))
            for _ in range(2000):
                client.send(frame(CONTINUATION, 0, stream,
                                  b"\x00\x01a\x7f\x81\x7e" + b"x" * 16126))
        except OSError:
            pass
        client.read_to_end()
    assert flooded.resident_kib() - before < 4096


def test_a_small_block_that_unpacks_to_much_is_refused(flooded):
    """A field of 4 KiB in the dynamic table, named again and again by one byte."""
    before = flooded.resident_kib()
    with Http2Client(flooded.port) as client:
        block = client.encoder.encode(client.fields_of("/", ("x", "y" * 3900)))
        try:
            for stream in range(1, 101, 2):
                client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream,
                                  (block if stream == 1 else b"") + b"\xbe" * 12000))
        except OSError:
            pass
        assert client.read_to_end() is not None
    assert flooded.resident_kib() - before < 4096


def test_windows_that_stay_closed_hold_little(flooded):
    """A client that asks for much and takes nothing."""
    before = flooded.resident_kib()
    with Http2Client(flooded.port, PREFACE + settings(INITIAL_WINDOW_SIZE=0)) as client:
        for _ in range(100):
            client.request("/big")
        streams = range(1, 201, 2)
        client.until_that(lambda: all(client.answer_of(s).fields for s in streams), "all heads")
        held = flooded.resident_kib() - before
        assert held < 100 * 150
        client.ping()


def test_a_client_that_takes_much_in_small_frames_is_no_flood(flooded):
    with Http2Client(flooded.port) as client:
        for _ in range(100):
            assert len(client.ask("/big").body) == 100000
        assert client.goaway is None


def test_ordinary_pings_are_no_flood(flooded):
    with Http2Client(flooded.port) as client:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            client.ping()
            client.pongs.clear()
            time.sleep(0.05)
        assert client.goaway is None and SETTINGS is not None


# ---- many users on one connection

@pytest.fixture(name="shared", scope="module")
def shared_fixture(start_once):
    node = start_once.node(lambda connection, message: connection.wait_for_end()
                           if message.target == "/hangs" else reply())
    return start_once.before(node, server="http2 on; http2_flood_limit 20;")


@weir_only
def test_users_that_cancel_among_others_that_do_not_are_no_flood(shared):
    with Http2Client(shared.port) as client:
        for _ in range(200):
            cancelled = client.request("/hangs")
            assert client.ask("/").status == 200
            assert client.ask("/").status == 200
            client.send(reset(cancelled))
        client.ping()
        assert client.goaway is None


@weir_only
def test_users_that_lose_patience_are_no_flood(shared):
    """A stream of events ends like this each time."""
    with Http2Client(shared.port) as client:
        streams = [client.request("/hangs") for _ in range(60)]
        began = time.monotonic()
        while time.monotonic() < began + 1.2:
            client.ping()
            client.pongs.clear()
            time.sleep(0.1)
        client.send(b"".join(reset(stream) for stream in streams))
        client.ping()
        assert client.goaway is None


@weir_only
def test_answers_in_store_pay_for_no_flood_of_resets(shared):
    with Http2Client(shared.port) as client:
        for _ in range(200):
            assert client.ask("/").status == 200
        goaway = flood(client, rapid_resets(client))
    shared.wait_for_log(r"HTTP/2 flood \(reset\).*client: 127.0.0.1", "error.log")
    # What the client could send until it heard of the end is as much as buffers took.
    if goaway is not None:
        assert goaway.code == ENHANCE_YOUR_CALM
        assert int.from_bytes(goaway.payload[:4], "big") < 2 * (200 + 200)


@weir_only
def test_the_limit_of_floods_is_the_only_one_of_resets(start):
    """nghttp2 has one of its own: 1000 at once, and 33 a second."""
    proxy = start.proxy("server { listen @listen@; http2 on; http2_flood_limit 100000;"
                        "keepalive_requests 10000; return 204; }")
    with Http2Client(proxy.port) as client:
        for _ in range(1500):
            client.send(reset(client.request("/")))
        client.ping()
        assert client.goaway is None
