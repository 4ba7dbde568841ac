"""Large bodies pass unchanged, and no faster than the slower side, in bounded memory."""

import hashlib
import threading
import time

import pytest

from harness import eventually, weir_only
from wire import Client, chunks, reply, request

SIZE = 10 * 1024 * 1024
HUGE = 64 * 1024 * 1024
# What a stalled transfer of HUGE may add to the proxy's memory: buffers, not the body. The
# kernel's socket buffers are not in it; the quarantine of AddressSanitizer is.
GROWTH_KIB = 24 * 1024


def content(size):
    """Bytes that differ at every offset of a 4 KiB page."""
    block = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(2048))
    return (block * (size // len(block) + 1))[:size]


BODY = content(SIZE)
UNLIMITED = "client_max_body_size 0;"


@pytest.mark.parametrize("shape", ["counted", "chunked", "small chunks", "until the end"])
def test_large_answer(start, shape):
    def handler(connection, _):
        if shape == "counted":
            return reply(200, BODY)
        if shape == "until the end":
            connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)
            connection.close()
            return None
        step = 65537 if shape == "chunked" else 1023
        return reply(200, [BODY[i:i + step] for i in range(0, SIZE, step)])
    proxy = start.before(start.node(handler))
    with Client(proxy.port) as client:
        got = client.exchange(request())
        assert got.complete
        assert got.body == BODY


@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("shape", ["counted", "chunked"])
def test_large_request(start, shape, buffering):
    node = start.node(lambda _, m: reply(200, hashlib.sha256(m.body).hexdigest().encode()))
    proxy = start.before(node, location=f"{UNLIMITED} proxy_request_buffering {buffering};")
    step = 65537
    body = BODY if shape == "counted" else [BODY[i:i + step] for i in range(0, SIZE, step)]
    with Client(proxy.port) as client:
        for _ in range(2):
            got = client.exchange(request(method="POST", body=body))
            assert got.body == hashlib.sha256(BODY).hexdigest().encode()
    assert node.requests[0].body == BODY


@weir_only
def test_both_ways_at_once(start):
    """A node that answers while it still reads, as a filter does. (nginx 1.22 stalls, one time in
    ten or so.)"""
    def handler(connection, message):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        left = int(message.get("content-length"))
        while left:
            data = connection.exactly(min(65536, left))
            left -= len(data)
            connection.send(chunks(data, end=False))
        connection.send(chunks())
    node = start.node(handler, whole=False)
    proxy = start.before(node, location=f"{UNLIMITED} proxy_request_buffering off;")
    with Client(proxy.port) as client:
        sender = threading.Thread(target=client.send,
                                  args=(request(method="POST", body=BODY),))
        sender.start()
        got = client.read_response("POST")
        sender.join()
        assert got.complete and got.body == BODY


def at_rest(progress):
    """True once the number stays the same for a while: nobody moves any more."""
    last, since = progress(), time.monotonic()

    def check():
        nonlocal last, since
        now = progress()
        if now != last:
            last, since = now, time.monotonic()
        return now > 0 and time.monotonic() - since > 0.25
    return check


def test_slow_client_holds_the_node_back(start):
    sent = [0]
    block = content(1024 * 1024)

    def handler(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE)
        for at in range(0, HUGE, 65536):
            connection.send(block[at % len(block):][:65536])
            sent[0] += 65536
    proxy = start.before(start.node(handler), location="proxy_max_temp_file_size 0;")
    before = proxy.resident_kib()
    with Client(proxy.port) as client:
        client.send(request())
        assert client.read_head().status == 200
        eventually(at_rest(lambda: sent[0]), "the node stops sending", 10)
        assert sent[0] < HUGE, "the node could send everything to a client that reads nothing"
        assert proxy.resident_kib() - before < GROWTH_KIB
        digest, left = hashlib.sha256(), HUGE
        while left:
            data = client.exactly(min(left, len(block)))
            digest.update(data)
            left -= len(data)
        assert digest.digest() == hashlib.sha256(block * (HUGE // len(block))).digest()


def test_slow_client_frees_the_node(start):
    """What a client does not take goes to a file, so that the node is done with it."""
    block = content(1024 * 1024)
    done = threading.Event()

    def handler(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 * len(block)))
        for _ in range(16):
            connection.send(block)
        done.set()
    proxy = start.before(start.node(handler))
    before = proxy.resident_kib()
    with Client(proxy.port) as client:
        client.send(request())
        assert client.read_head().status == 200
        assert done.wait(10), "the node waits for a client that reads nothing"
        assert proxy.resident_kib() - before < GROWTH_KIB
        assert client.exactly(16 * len(block)) == 16 * block


def test_slow_node_holds_the_client_back(start):
    go, sent = threading.Event(), [0]

    def handler(connection, message):
        go.wait(20)
        connection.read_body(message)
        return reply(200, hashlib.sha256(message.body).hexdigest().encode())
    node = start.node(handler, whole=False)
    proxy = start.before(node, location=f"{UNLIMITED} proxy_request_buffering off;")
    before = proxy.resident_kib()
    block = content(1024 * 1024)
    with Client(proxy.port, limit=20) as client:
        client.send(request(method="POST", body=b"")[:-len("Content-Length: 0\r\n\r\n")]
                    + b"Content-Length: %d\r\n\r\n" % HUGE)

        def push():
            for at in range(0, HUGE, 65536):
                client.send(block[at % len(block):][:65536])
                sent[0] += 65536
        sender = threading.Thread(target=push)
        sender.start()
        try:
            node.wait_for_requests(1)
            eventually(at_rest(lambda: sent[0]), "the client stops sending", 10)
            assert sent[0] < HUGE
            assert proxy.resident_kib() - before < GROWTH_KIB
        finally:
            go.set()
        got = client.read_response("POST")
        sender.join()
        assert got.body == hashlib.sha256(block * (HUGE // len(block))).hexdigest().encode()


# Answers cut short look cut short


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("head, part", [
    (b"Content-Length: 1000\r\n\r\n", b"x" * 100),
    (b"Content-Length: 1000\r\n\r\n", b""),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"64\r\n" + b"x" * 100 + b"\r\n"),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"64\r\n" + b"x" * 50),
    (b"Transfer-Encoding: chunked\r\n\r\n", b""),
], ids=["counted", "counted, nothing", "between chunks", "in a chunk", "chunked, nothing"])
def test_truncated_answer(start, head, part, end):
    def handler(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\n" + head + part)
        getattr(connection, end)()
    proxy = start.before(start.node(handler))
    with Client(proxy.port) as client:
        got = client.exchange(request())
        # A reset may overtake the head; then a 502 says it as well.
        assert got is None or got.status == 502 or not got.complete
        if got is not None and got.status == 200:
            assert client.at_end()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_answer_cut_inside_the_head_is_a_502(start, answer):
    def handler(connection, _):
        connection.send(answer)
        connection.close()
    node = start.node(handler)
    proxy = start.before(node)
    with Client(proxy.port) as client:
        assert client.exchange(request(method="POST", body=b"x")).status == 502
        assert len(node.requests) == 1


def test_client_that_leaves_ends_the_transfer(start):
    def handler(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE)
        block = bytes(65536)
        try:
            for _ in range(0, HUGE, len(block)):
                connection.send(block)
        finally:
            ended.append(True)
    ended = []
    node = start.node(handler)
    proxy = start.before(node)
    client = Client(proxy.port)
    client.send(request())
    assert client.read_head().status == 200
    client.reset()
    node.wait_for(lambda: not node.connections[0].open, "end")
    assert ended


def test_short_request_body_never_looks_whole_to_the_node(start):
    node = start.node()
    proxy = start.before(node, location="proxy_request_buffering off;")
    with Client(proxy.port) as client:
        client.send(request(method="POST", body=b"x" * 1000)[:-500])
        node.wait_for_requests(1)
    node.wait_for(lambda: not node.connections[0].open, "end")
    assert not node.requests[0].complete
