"""WebSockets over streams of HTTP/2 (RFC 8441)."""

from http2 import Http2Client
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


def test_a_node_that_does_not_switch_opens_no_tunnel(proxy_of):
    proxy, _ = proxy_of(lambda connection, message: reply(200, b"page"))
    with Http2Client(proxy.port) as client:
        stream = extended(client)
        answer = client.answer_of(stream)
        client.until_that(lambda: answer.ended, "the answer")
        assert answer.status == 502
