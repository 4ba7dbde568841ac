"""WebSockets over streams of HTTP/2 (RFC 8441)."""

import threading

import pytest

from http2 import PREFACE, Http2Client, settings, window_update
from operators import weir
from wire import reply

UPGRADE = """proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";"""


def extended(client, path="/ws"):
    return client.headers([(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
                           (":path", path), (":authority", "example.com"),
                           ("sec-websocket-version", "13")], end=False)


def test_a_websocket_goes_over_a_stream(proxy_of):
    def handler(connection, message):
        assert message.method == "GET" and message.get("sec-websocket-key")
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        b"Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello")
        while connection.fill():
            connection.send(connection.take(len(connection.buffer)))
        return connection.close()

    proxy, _ = proxy_of(handler, whole=False, location=UPGRADE)
    with Http2Client(proxy.port) as client:
        client.ping()
        assert client.settings[8] == 1
        stream = extended(client)
        answer = client.answer_of(stream)
        client.until_that(lambda: answer.body == b"hello", "the node's first bytes")
        assert answer.status == 200 and answer.get("sec-websocket-accept") is None
        client.data(stream, b"ping", end=False)
        client.until_that(lambda: answer.body == b"helloping", "the echo")
        client.data(stream, b"end")
        assert client.answer(stream).body == b"hellopingend"


SWITCHED = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
RESTART = b"\x88\x02" + (1012).to_bytes(2, "big")


def test_the_log_has_the_status_that_the_client_got(proxy_of):
    proxy, _ = proxy_of(lambda connection, message: SWITCHED, whole=False, location=UPGRADE)
    with Http2Client(proxy.port) as client:
        stream = extended(client)
        client.until_that(lambda: client.answer_of(stream).status == 200, "the tunnel")
        client.data(stream, b"")
    assert proxy.wait_for_log('"GET /ws HTTP/2.0" 200 ')


@pytest.mark.parametrize("filtered", ["", "sub_filter a b;"])
def test_a_node_that_does_not_switch_opens_no_tunnel(proxy_of, filtered):
    proxy, node = proxy_of(lambda connection, message: reply(200, b"page"), location=filtered)
    with Http2Client(proxy.port) as client:
        stream = extended(client)
        answer = client.answer_of(stream)
        client.until_that(lambda: answer.ended, "the answer")
        assert answer.status == 502 and b"502 Bad Gateway" in answer.body
        assert filtered or int(answer.get("content-length")) == len(answer.body)
        assert client.ask("/page").status == 200
    assert proxy.wait_for_log('"GET /ws HTTP/2.0" 502 ')
    assert len(node.connections) == 1  # it has done nothing wrong


def test_an_answer_of_weirs_own_opens_no_tunnel(proxy_of):
    proxy, _ = proxy_of(server="location /ws { return 200 own; } location /no { return 403; }")
    with Http2Client(proxy.port) as client:
        for path, status in [("/ws", 502), ("/no", 403)]:
            answer = client.answer_of(extended(client, path))
            client.until_that(lambda: answer.ended, "the answer")
            assert answer.status == status
            assert proxy.wait_for_log(f'"GET {path} HTTP/2.0" {status} ')


def test_a_node_that_switches_unasked_is_refused(proxy_of):
    proxy, _ = proxy_of(lambda connection, message: SWITCHED, whole=False,
                        location="proxy_set_header Upgrade websocket;"
                                 "proxy_set_header Connection upgrade;")
    with Http2Client(proxy.port) as client:
        assert client.ask("/").status == 502
    assert proxy.wait_for_log('"GET / HTTP/2.0" 502 ')


def test_a_head_of_a_node_that_cannot_be_passed_on_is_no_tunnel(proxy_of):
    options = ", ".join(f"x-{i}" for i in range(200))
    head = SWITCHED.replace(b"Connection: Upgrade", b"Connection: Upgrade, " + options.encode())
    proxy, _ = proxy_of(lambda connection, message: head, whole=False, location=UPGRADE)
    with Http2Client(proxy.port) as client:
        answer = client.answer_of(extended(client))
        client.until_that(lambda: answer.ended, "the answer")
        assert answer.status == 502
    assert proxy.wait_for_log('"GET /ws HTTP/2.0" 502 ')


def test_the_last_bytes_of_a_tunnel_wait_for_the_window(proxy_of):
    def handler(connection, message):
        connection.send(SWITCHED + b"x" * 100)
        connection.half_close()
        connection.wait_for_end()

    proxy, _ = proxy_of(handler, whole=False, location=UPGRADE)
    with Http2Client(proxy.port, PREFACE + settings(INITIAL_WINDOW_SIZE=0), greedy=False) as client:
        stream = extended(client)
        answer = client.answer_of(stream)
        client.send(window_update(stream, 100))
        client.until_that(lambda: len(answer.body) == 100, "all that the node has said")
        client.data(stream, b"")
        client.ping()
        assert not answer.ended and answer.reset is None
        client.send(window_update(stream, 1))
        client.until_that(lambda: answer.ended or answer.reset is not None, "the end")
        assert answer.ended and answer.reset is None


def test_what_a_node_said_before_it_went_waits_for_the_window(proxy_of):
    go = threading.Event()

    def handler(connection, message):
        connection.send(SWITCHED + b"x" * 100)
        assert go.wait(5)
        connection.send(b"y" * 100)
        connection.close()

    proxy, node = proxy_of(handler, whole=False, location=UPGRADE)
    with Http2Client(proxy.port, PREFACE + settings(INITIAL_WINDOW_SIZE=100),
                     greedy=False) as client:
        stream = extended(client)
        answer = client.answer_of(stream)
        client.until_that(lambda: len(answer.body) == 100, "the first bytes")
        go.set()
        node.wait_for(lambda: not node.connections[0].open, "end")
        for _ in range(3):  # which the node resets
            client.data(stream, b"ping", end=False)
            client.ping()
            client.pongs.clear()
        client.send(window_update(stream, 1000))
        client.until_that(lambda: answer.ended or answer.reset is not None, "the end")
        assert answer.body == b"x" * 100 + b"y" * 100 and answer.ended


def test_a_client_that_is_slow_hears_that_its_node_leaves(proxy_of):
    seen = []

    def handler(connection, message):
        connection.send(SWITCHED)
        connection.fill()
        seen.append(connection.take(len(connection.buffer)))
        node.changed()
        connection.wait_for_end()

    proxy, node = proxy_of(handler, whole=False, location=UPGRADE)
    with Http2Client(proxy.port, PREFACE + settings(INITIAL_WINDOW_SIZE=0), greedy=False,
                     limit=15) as client:
        stream = extended(client)
        answer = client.answer_of(stream)
        client.until_that(lambda: answer.status == 200, "the tunnel")
        weir(proxy, "down", f"app/{node.address}")
        node.wait_for(lambda: seen, "the close frame")
        client.send(window_update(stream, 3))
        client.until_that(lambda: len(answer.body) == 3, "what there was room for")
        client.send(window_update(stream, 100))
        client.until_that(lambda: answer.ended or answer.reset is not None, "the end")
        assert answer.body == RESTART and answer.ended
