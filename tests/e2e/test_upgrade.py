"""Upgrade to a tunnel: only on a 101 that was asked for, and then byte for byte."""

import base64
import hashlib
import os
import threading

import pytest

from harness import weir_only
from wire import Client, Ended, reply, request

KEY = base64.b64encode(b"0123456789abcdef").decode()
ACCEPT = base64.b64encode(hashlib.sha1(
    (KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
FIELDS = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}",
          "Sec-WebSocket-Version: 13"]
SWITCH = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n").encode()
LOCATION = """proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";"""


def frame(payload, mask=None, opcode=1):
    """A WebSocket frame, RFC 6455 section 5.2; clients mask."""
    size = len(payload)
    length = (bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
              if size < 65536 else b"\x7f" + size.to_bytes(8, "big"))
    head = bytes([0x80 | opcode, length[0] | (0x80 if mask else 0)]) + length[1:]
    if not mask:
        return head + payload
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def echo_node(connection, message):
    """Unmasks and sends back every frame of up to 125 bytes until the client ends."""
    assert message.get("sec-websocket-key") == KEY
    connection.send(SWITCH)
    try:
        while True:
            first, size = connection.exactly(2)
            mask = connection.exactly(4)
            data = connection.exactly(size & 0x7F)
            connection.send(bytes([first]) +
                            frame(bytes(b ^ mask[i % 4] for i, b in enumerate(data)))[1:])
    except Ended:
        pass


@pytest.fixture(name="upgraded")
def upgraded_fixture(start):
    def make(handler, location=LOCATION):
        node = start.node(handler)
        return start.before(node, location=location), node
    return make


def open_tunnel(proxy, early=b""):
    client = Client(proxy.port)
    client.send(request("/ws", *FIELDS) + early)
    answer = client.read_response()
    assert answer.status == 101
    assert answer.get("upgrade").lower() == "websocket"
    assert "upgrade" in answer.get("connection").lower()
    assert answer.get("sec-websocket-accept") == ACCEPT
    return client


def test_websocket_echo(upgraded):
    proxy, node = upgraded(echo_node)
    with open_tunnel(proxy) as client:
        for i in range(100):
            text = b"message %d" % i
            client.send(frame(text, mask=os.urandom(4)))
            assert client.exactly(len(frame(text))) == frame(text)
    assert len(node.requests) == 1


def test_bytes_sent_with_the_request_reach_the_node_after_the_switch(upgraded):
    proxy, _ = upgraded(echo_node)
    with open_tunnel(proxy, early=frame(b"early", mask=b"mask")) as client:
        assert client.exactly(7) == frame(b"early")


def test_bytes_sent_with_the_101_reach_the_client(upgraded):
    def handler(connection, _):
        connection.send(SWITCH + frame(b"hello"))
        connection.wait_for_end()
    proxy, _ = upgraded(handler)
    with open_tunnel(proxy) as client:
        assert client.exactly(7) == frame(b"hello")


def test_both_directions_at_once(upgraded):
    size = 2_000_000

    def handler(connection, _):
        connection.send(SWITCH + b"d" * size)
        connection.exactly(size)
        connection.send(b"done")
        connection.close()
    proxy, _ = upgraded(handler)
    with open_tunnel(proxy) as client:
        sender = threading.Thread(target=client.send, args=(b"u" * size,))
        sender.start()
        assert client.exactly(size + 4) == b"d" * size + b"done"
        sender.join()
        assert client.at_end()


def test_end_of_the_node_ends_the_client(upgraded):
    def handler(connection, _):
        connection.send(SWITCH + b"bye")
        connection.close()
    proxy, _ = upgraded(handler)
    with open_tunnel(proxy) as client:
        assert client.exactly(3) == b"bye"
        assert client.at_end()


@pytest.mark.parametrize("how", ["close", "reset"])
def test_end_of_the_client_ends_the_node(upgraded, how):
    ended = []

    def handler(connection, _):
        connection.send(SWITCH)
        connection.wait_for_end()
        ended.append(True)
    proxy, node = upgraded(handler)
    client = open_tunnel(proxy)
    getattr(client, how)()
    node.wait_for(lambda: ended or not node.connections[0].open, "end")


@weir_only
def test_half_close_of_the_client_is_kept(upgraded):
    def handler(connection, _):
        connection.send(SWITCH)
        got = connection.to_end()
        connection.send(b"all of: " + got)
    proxy, _ = upgraded(handler)
    with open_tunnel(proxy) as client:
        client.send(b"abc")
        client.half_close()
        assert client.to_end() == b"all of: abc"


@weir_only
def test_half_close_of_the_node_is_kept(upgraded):
    got = []

    def handler(connection, _):
        connection.send(SWITCH + b"last")
        connection.half_close()
        got.append(connection.to_end())
    proxy, node = upgraded(handler)
    with open_tunnel(proxy) as client:
        assert client.exactly(4) == b"last"
        assert client.at_end()
        client.send(b"still here")
        client.half_close()
        node.wait_for(lambda: not node.connections[0].open, "end")
    assert got == [b"still here"]


@pytest.mark.parametrize("status", [200, 403, 404, 426, 503])
def test_refused_upgrade_is_an_answer_like_any_other(upgraded, status):
    proxy, _ = upgraded(lambda *_: reply(status, b"no"))
    with Client(proxy.port) as client:
        for _ in range(2):
            got = client.exchange(request("/ws", *FIELDS))
            assert (got.status, got.body, got.complete) == (status, b"no", True)


def test_without_the_directives_no_upgrade_is_asked_for(upgraded):
    proxy, node = upgraded(lambda *_: reply(200), location="")
    with Client(proxy.port) as client:
        assert client.exchange(request("/ws", *FIELDS)).status == 200
    assert node.requests[0].all("upgrade") == []
    assert "upgrade" not in (node.requests[0].get("connection") or "").lower()


@weir_only
def test_a_101_that_nobody_asked_for_is_a_502(upgraded):
    def handler(connection, _):
        connection.send(SWITCH + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmugg")
        connection.wait_for_end()
    proxy, _ = upgraded(handler, location="")
    with Client(proxy.port) as client:
        assert client.exchange(request("/")).status == 502
