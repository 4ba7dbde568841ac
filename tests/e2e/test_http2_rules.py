"""What RFC 9113 forbids, frame by frame: a connection error, a stream error, or neither."""

import struct

import pytest

from http2 import ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, \
    FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS, PADDED, PING, PREFACE, PRIORITY, \
    PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, \
    Http2Client, frame, reset, settings, window_update
from wire import Client, reply

GET = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
POST = [(":method", "POST")] + GET[1:]


@pytest.fixture(name="proxy", scope="module")
def proxy_fixture(start_once):
    node = start_once.node(lambda connection, message: reply())
    return start_once.before(node, server="http2 on;")


def block(fields):
    """Without the dynamic table, so that it can stand anywhere."""
    out = b""
    for name, value in fields:
        name, value = name.encode(), value.encode()
        out += b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
    return out


def head(fields=None, flags=END_HEADERS | END_STREAM, stream=1, padding=b""):
    return frame(HEADERS, flags, stream, block(GET if fields is None else fields) + padding)


def setting(key, value):
    return frame(SETTINGS, 0, 0, struct.pack(">HI", key, value))


OPEN = head(POST, END_HEADERS)  # stream 1, whose body has not ended
DONE = head()                   # stream 1, closed by both

# section, what, bytes behind preface and SETTINGS, codes of GOAWAY (an end without one will do)
CONNECTION_ERRORS = [
    ("4.2", "a frame beyond the greatest size", frame(DATA, 0, 1, b"x" * 16385),
     {FRAME_SIZE_ERROR}),
    ("4.3", "a block that is no HPACK", frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff"),
     {COMPRESSION_ERROR}),
    ("4.2", "HEADERS beyond the greatest size", frame(HEADERS, 5, 1, b"x" * 16385),
     {FRAME_SIZE_ERROR}),
    ("4.3", "a field that is nowhere", frame(HEADERS, 5, 1, b"\xff\x70"), {COMPRESSION_ERROR}),
    ("4.3", "field 0", frame(HEADERS, 5, 1, block(GET) + b"\x80"), {COMPRESSION_ERROR}),
    ("4.3", "a table larger than allowed", frame(HEADERS, 5, 1, b"\x3f\xe2\x1f" + block(GET)),
     {COMPRESSION_ERROR}),
    ("4.3", "a table's size behind a field", frame(HEADERS, 5, 1, block(GET) + b"\x20"),
     {COMPRESSION_ERROR}),
    ("4.3", "Huffman's code padded by zeros", frame(HEADERS, 5, 1, block(GET) + b"\0\x01a\x81\x18"),
     {COMPRESSION_ERROR}),
    ("4.3", "Huffman's end within a text",
     frame(HEADERS, 5, 1, block(GET) + b"\0\x01a\x84\xff\xff\xff\xff"), {COMPRESSION_ERROR}),
    ("4.3", "a text longer than its block", frame(HEADERS, 5, 1, block(GET) + b"\0\x01a\x09b"),
     {COMPRESSION_ERROR}),
    ("4.3", "HEADERS of another stream inside a block", head(flags=END_STREAM) + head(stream=3),
     {PROTOCOL_ERROR}),
    ("5.5", "a frame of unknown type inside a block",
     head(flags=END_STREAM) + frame(0x77, 0, 1, b"x"), {PROTOCOL_ERROR}),
    ("4.3", "another frame inside a block", head(flags=END_STREAM) + frame(PING, 0, 0, b"x" * 8),
     {PROTOCOL_ERROR}),
    ("5.1", "DATA on an idle stream", frame(DATA, 1, 1, b"x"), {PROTOCOL_ERROR}),
    ("5.1", "RST_STREAM on an idle stream", frame(RST_STREAM, 0, 1, b"\0\0\0\x08"),
     {PROTOCOL_ERROR}),
    ("5.1", "WINDOW_UPDATE on an idle stream", window_update(1, 10), {PROTOCOL_ERROR}),
    ("5.1", "CONTINUATION on an idle stream", frame(CONTINUATION, END_HEADERS, 1, block(GET)),
     {PROTOCOL_ERROR}),
    ("5.1.1", "a stream of even number", head(stream=2), {PROTOCOL_ERROR}),
    ("5.1.1", "a stream below one before", head(stream=5) + head(stream=3), {PROTOCOL_ERROR}),
    ("6.1", "DATA on stream 0", frame(DATA, 0, 0, b"x"), {PROTOCOL_ERROR}),
    ("6.1", "padding beyond the frame", OPEN + frame(DATA, PADDED, 1, b"\x06xxxxx"),
     {PROTOCOL_ERROR}),
    ("6.2", "HEADERS on stream 0", head(stream=0), {PROTOCOL_ERROR}),
    ("6.2", "padding of HEADERS beyond the frame",
     frame(HEADERS, PADDED | 5, 1, b"\xff" + block(GET)), {PROTOCOL_ERROR}),
    ("6.3", "PRIORITY on stream 0", frame(PRIORITY, 0, 0, b"\0\0\0\1\1"), {PROTOCOL_ERROR}),
    ("6.4", "RST_STREAM on stream 0", frame(RST_STREAM, 0, 0, b"\0" * 4), {PROTOCOL_ERROR}),
    ("6.4", "RST_STREAM of 3 bytes", OPEN + frame(RST_STREAM, 0, 1, b"\0" * 3),
     {FRAME_SIZE_ERROR}),
    ("6.5", "SETTINGS on a stream", frame(SETTINGS, 0, 1, b""), {PROTOCOL_ERROR}),
    ("6.5", "an acknowledgement with settings", frame(SETTINGS, ACK, 0, b"\0" * 6),
     {FRAME_SIZE_ERROR}),
    ("6.5", "SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, b"\0" * 5), {FRAME_SIZE_ERROR}),
    ("6.5.2", "ENABLE_PUSH of 2", setting(2, 2), {PROTOCOL_ERROR}),
    ("6.5.2", "INITIAL_WINDOW_SIZE of 2^31", setting(4, 1 << 31), {FLOW_CONTROL_ERROR}),
    ("6.5.2", "MAX_FRAME_SIZE of 16383", setting(5, 16383), {PROTOCOL_ERROR}),
    ("6.5.2", "MAX_FRAME_SIZE of 2^24", setting(5, 1 << 24), {PROTOCOL_ERROR}),
    ("6.5.2", "ENABLE_CONNECT_PROTOCOL of 2", setting(8, 2), {PROTOCOL_ERROR}),
    ("6.6", "PUSH_PROMISE of a client", OPEN + frame(PUSH_PROMISE, END_HEADERS, 1,
                                                      b"\0\0\0\2" + block(GET)), {PROTOCOL_ERROR}),
    ("6.7", "PING on a stream", frame(PING, 0, 1, b"x" * 8), {PROTOCOL_ERROR}),
    ("6.7", "PING of 6 bytes", frame(PING, 0, 0, b"x" * 6), {FRAME_SIZE_ERROR}),
    ("6.8", "GOAWAY on a stream", frame(GOAWAY, 0, 1, b"\0" * 8), {PROTOCOL_ERROR}),
    ("6.9", "WINDOW_UPDATE of 0", window_update(0, 0), {PROTOCOL_ERROR}),
    ("6.8", "GOAWAY of 7 bytes", frame(GOAWAY, 0, 0, b"\0" * 7), {FRAME_SIZE_ERROR}),
    ("6.9", "WINDOW_UPDATE of 3 bytes", frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"),
     {FRAME_SIZE_ERROR}),
    ("6.9.1", "a window beyond 2^31-1", window_update(0, 0x7fffffff), {FLOW_CONTROL_ERROR}),
    ("6.10", "CONTINUATION of nothing", frame(CONTINUATION, END_HEADERS, 1, b""),
     {PROTOCOL_ERROR}),
    ("6.10", "CONTINUATION of another stream",
     OPEN + head(stream=3, flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 1, b""),
     {PROTOCOL_ERROR}),
]


@pytest.mark.parametrize("section,what,data,codes", CONNECTION_ERRORS,
                         ids=[f"{row[0]} {row[1]}" for row in CONNECTION_ERRORS])
def test_a_connection_error(proxy, section, what, data, codes):
    with Http2Client(proxy.port, PREFACE + settings() + data) as client:
        goaway = client.read_to_end()
    assert goaway is None or goaway.code in codes, (section, what)


MALFORMED = [
    ("8.2.1", "a name in upper case", GET + [("X-A", "b")]),
    ("8.2.1", "a line break in a value", GET + [("a", "b\r\nc: d")]),
    ("8.2.1", "a NUL in a value", GET + [("a", "b\0c")]),
    ("8.2.1", "a blank before a value", GET + [("a", " b")]),
    ("8.2.1", "a blank behind a value", GET + [("a", "b ")]),
    ("8.2.1", "a name without a character", GET + [("", "b")]),
    ("8.2.1", "a blank in a name", GET + [("a b", "c")]),
    ("8.2.1", "a colon in a name", GET + [("a:b", "c")]),
    ("8.2.2", "Keep-Alive", GET + [("keep-alive", "timeout=5")]),
    ("8.2.2", "Proxy-Connection", GET + [("proxy-connection", "keep-alive")]),
    ("8.2.2", "Upgrade", GET + [("upgrade", "websocket")]),
    ("8.2.2", "Connection", GET + [("connection", "close")]),
    ("8.2.2", "Transfer-Encoding", POST + [("transfer-encoding", "chunked")]),
    ("8.2.2", "TE but trailers", GET + [("te", "gzip")]),
    ("8.3", "an unknown pseudo-header field", GET + [(":x", "y")]),
    ("8.3", "a pseudo-header field of answers", GET + [(":status", "200")]),
    ("8.3", "a pseudo-header field behind a field", GET[:3] + [("a", "b"), (":authority", "a")]),
    ("8.3", "one twice", GET + [(":path", "/b")]),
    ("8.3.1", "no method", GET[1:]),
    ("8.3.1", "no scheme", [GET[0]] + GET[2:]),
    ("8.3.1", "no path", GET[:2] + GET[3:]),
    ("8.3.1", "an empty path", GET[:2] + [(":path", "")] + GET[3:]),
    ("8.3.1", "a method twice", [GET[0]] + GET),
    ("8.3.1", "a path without a slash", GET[:2] + [(":path", "x"), GET[3]]),
    ("8.1.1", "two lengths", POST + [("content-length", "0")] * 2),
    ("8.1.1", "a length that is no number", POST + [("content-length", "+0")]),
    ("8441", "a protocol without CONNECT", [(":protocol", "websocket")] + GET),
    ("8.5", "CONNECT to nowhere", [(":method", "CONNECT")]),
    ("8.1.1", "a length without a body", POST + [("content-length", "1")]),
    ("8.5", "CONNECT with a path", [(":method", "CONNECT")] + GET[1:]),
]


@pytest.mark.parametrize("section,what,fields", MALFORMED,
                         ids=[f"{row[0]} {row[1]}" for row in MALFORMED])
def test_a_malformed_request_is_a_stream_error(proxy, section, what, fields):
    with Http2Client(proxy.port, PREFACE + settings() + head(fields)) as client:
        assert client.answer(1).reset == PROTOCOL_ERROR, (section, what)
        client.send(head(stream=3))
        assert client.answer(3).status == 200


STREAM_ERRORS = [
    ("6.9", "WINDOW_UPDATE of 0 on a stream", OPEN + window_update(1, 0), {PROTOCOL_ERROR}),
    ("6.9.1", "a stream's window beyond 2^31-1", OPEN + window_update(1, 0x7fffffff),
     {FLOW_CONTROL_ERROR}),
    ("5.1", "DATA after the end", DONE + frame(DATA, 0, 1, b"x"), {STREAM_CLOSED}),
    ("5.1", "HEADERS after the end", DONE + head(), {STREAM_CLOSED, PROTOCOL_ERROR}),
    ("5.1", "DATA after the client's reset", OPEN + reset(1) + frame(DATA, 1, 1, b"x"),
     {STREAM_CLOSED}),
    ("5.1", "HEADERS after the client's reset", OPEN + reset(1) + head(), {STREAM_CLOSED}),
    ("5.1", "CONTINUATION after the end", DONE + frame(CONTINUATION, END_HEADERS, 1, block(GET)),
     {STREAM_CLOSED, PROTOCOL_ERROR}),
    ("6.3", "PRIORITY of 4 bytes", OPEN + frame(PRIORITY, 0, 1, b"\0" * 4), {FRAME_SIZE_ERROR}),
    ("6.9.2", "a setting that makes a window too large",
     OPEN + window_update(1, 0x7fffffff - 65535) + setting(4, 65536), {FLOW_CONTROL_ERROR}),
    ("8.1.1", "a body longer than said",
     head(POST + [("content-length", "1")], END_HEADERS) + frame(DATA, 1, 1, b"xx"),
     {PROTOCOL_ERROR}),
    ("8.1.1", "a body shorter than said",
     head(POST + [("content-length", "3")], END_HEADERS) + frame(DATA, 1, 1, b"xx"),
     {PROTOCOL_ERROR}),
    ("8.1", "trailers that do not end the stream",
     OPEN + frame(HEADERS, END_HEADERS, 1, block([("a", "b")])), {PROTOCOL_ERROR}),
    ("8.1", "pseudo-header fields in trailers",
     OPEN + frame(HEADERS, END_HEADERS | END_STREAM, 1, block([(":path", "/")])),
     {PROTOCOL_ERROR}),
]


@pytest.mark.parametrize("section,what,data,codes", STREAM_ERRORS,
                         ids=[f"{row[0]} {row[1]}" for row in STREAM_ERRORS])
def test_a_stream_error(proxy, section, what, data, codes):
    """As a reset of the stream, or with the connection (section 5.4.2 allows either)."""
    with Http2Client(proxy.port, PREFACE + settings() + data) as client:
        answer = client.answer_of(1)
        while answer.reset is None and client.goaway is None:
            if client.read_frame() is None:
                break
            if answer.ended and section == "5.1":
                break  # the answer was complete before the offence was read
        code = answer.reset if answer.reset is not None else client.goaway and client.goaway.code
        assert code in codes or code is None and (answer.ended or client.goaway is None)


FINE = [
    ("5.5", "a frame of unknown type", frame(0x77, 0xff, 0, b"x" * 20)),
    ("5.5", "one on a stream", frame(0x77, 0xff, 1, b"x")),
    ("6.5.2", "an unknown setting", setting(0x99, 1)),
    ("6.7", "flags that mean nothing", frame(PING, 0xfe, 0, b"x" * 8)),
    ("6.3", "PRIORITY on an idle stream", frame(PRIORITY, 0, 99, b"\0\0\0\0\1")),
    ("6.5", "no settings", settings()),
    ("4.2", "a frame of the greatest size",
     OPEN + frame(DATA, END_STREAM, 1, b"x" * 16384)),
    ("4.3", "a table that is given up", frame(HEADERS, 5, 1, b"\x20" + block(GET))),
    ("5.1", "WINDOW_UPDATE after the end", DONE + window_update(1, 10)),
    ("5.1", "RST_STREAM after the end", DONE + reset(1)),
    ("5.1", "PRIORITY after the end", DONE + frame(PRIORITY, 0, 1, b"\0\0\0\0\1")),
    ("5.1.1", "streams that are passed over", head(stream=7)),
    ("6.1", "DATA that is padding alone",
     OPEN + frame(DATA, PADDED | END_STREAM, 1, b"\x04\0\0\0\0")),
    ("6.2", "HEADERS with a priority", frame(HEADERS, 0x25, 1, b"\0\0\0\0\x10" + block(GET))),
    ("6.5.3", "several settings in one frame", frame(SETTINGS, 0, 0, struct.pack(
        ">HIHIHI", 4, 100000, 5, 20000, 4, 65535))),
    ("6.7", "an answer to no ping", frame(PING, ACK, 0, b"x" * 8)),
    ("7", "a reset with a code that nobody knows", OPEN + reset(1, 0xdead)),
    ("8.2.2", "TE: trailers", head(GET + [("te", "trailers")])),
]


@pytest.mark.parametrize("section,what,data", FINE, ids=[f"{row[0]} {row[1]}" for row in FINE])
def test_what_is_no_error(proxy, section, what, data):
    with Http2Client(proxy.port, PREFACE + settings() + data) as client:
        client.next_stream = 101
        assert client.ask("/").status == 200, (section, what)


def test_padding_and_continuations_are_taken(proxy):
    whole = block(GET)
    with Http2Client(proxy.port) as client:
        client.send(frame(HEADERS, PADDED | END_STREAM, 1, b"\x05" + whole[:10] + b"\0" * 5) +
                    frame(CONTINUATION, 0, 1, whole[10:20]) +
                    frame(CONTINUATION, END_HEADERS, 1, whole[20:]))
        assert client.answer(1).status == 200
        client.send(head(POST, END_HEADERS, 3) +
                    frame(DATA, PADDED | END_STREAM, 3, b"\x09" + b"body" + b"\0" * 9))
        assert client.answer(3).status == 200


@pytest.mark.parametrize("data", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", PREFACE[:10] + b"x" * 30,
                                  PREFACE + frame(DATA, 0, 0, b"")])
def test_a_bad_beginning_ends_the_connection(proxy, data):
    with Client(proxy.port) as client:
        client.send(data)
        client.to_end()


def test_an_acknowledgement_will_do_for_settings(proxy):
    """nginx serves clients that send none of their own."""
    with Http2Client(proxy.port, PREFACE) as client:
        client.until_that(lambda: client.settings, "the settings")  # which it acknowledges
        assert client.ask("/").status == 200


def test_a_preface_byte_by_byte(proxy):
    with Http2Client(proxy.port, b"") as client:
        for byte in PREFACE + settings():
            client.send(bytes([byte]))
        assert client.ask("/").status == 200


@pytest.mark.parametrize("first,rest", [(b"P", b"OST"), (b"PR", b"OPFIND"), (b"GET", b"")])
def test_http1_is_served_beside_it(proxy, first, rest):
    with Client(proxy.port) as client:
        client.send(first)
        answer = client.exchange(rest + b" / HTTP/1.1\r\nHost: a\r\n\r\n", "GET")
        assert answer.status == 200


def test_settings_are_acknowledged_in_order(proxy):
    with Http2Client(proxy.port, PREFACE + settings()) as client:
        client.ping()  # behind which the first acknowledgement has come
        client.send(setting(4, 1) + setting(4, 2) + frame(PING, 0, 0, b"12345678"))
        acknowledged = []
        while len(acknowledged) < 2:
            got = client.read_frame()
            assert got is not None
            if got.kind == SETTINGS:
                assert got.flags == ACK and got.payload == b""
                acknowledged.append(got)


def test_a_window_below_zero_is_filled_first(proxy_of):
    """RFC 9113 section 6.9.2: a setting takes away what has been used already."""
    proxy, _ = proxy_of(lambda connection, message: reply(200, b"x" * 30))
    with Http2Client(proxy.port, PREFACE + settings(INITIAL_WINDOW_SIZE=20),
                     greedy=False) as client:
        stream = client.request("/")
        answer = client.answer_of(stream)
        client.until_that(lambda: len(answer.body) == 20, "a window full")
        client.send(settings(INITIAL_WINDOW_SIZE=5) + window_update(stream, 15))
        client.ping()
        assert len(answer.body) == 20
        client.send(window_update(stream, 3))
        client.until_that(lambda: len(answer.body) == 23, "three more")
        client.send(settings(INITIAL_WINDOW_SIZE=100))
        assert client.answer(stream).body == b"x" * 30


def test_pings_are_answered_with_what_they_say(proxy):
    with Http2Client(proxy.port) as client:
        client.send(frame(PING, 0, 0, b"first  1") + frame(PING, 0, 0, b"second 2"))
        client.until_that(lambda: len(client.pongs) == 2, "both answers")
        assert client.pongs == [b"first  1", b"second 2"]
