"""How requests, connections and weir itself end while HTTP/2 is spoken; see test_http2.py."""

import re
import signal
import threading
import time

import pytest

from certificates import Authority
from harness import eventually
from http2 import CONTINUATION, END_HEADERS, END_STREAM, HEADERS, INTERNAL_ERROR, NO_ERROR, \
    PREFACE, PROTOCOL_ERROR, Http2Client, frame, reset, settings
from wire import Client, reply


def test_a_cancelled_request_ends_the_nodes(proxy_of):
    proxy, node = proxy_of(lambda connection, message: connection.wait_for_end())
    with Http2Client(proxy.port) as client:
        stream = client.request("/slow")
        node.wait_for_requests(1)
        client.send(reset(stream))
        assert proxy.wait_for_log('"GET /slow HTTP/2.0" 499')
        client.ping()


def test_an_answer_that_is_cut_short_resets_its_stream_only(proxy_of):
    def handler(connection, message):
        if message.target == "/cut":
            connection.send(reply(200, b"half").replace(b"4\r\n\r\n", b"9\r\n\r\n"))
            return connection.close()
        return reply()

    proxy, _ = proxy_of(handler)
    with Http2Client(proxy.port) as client:
        answer = client.ask("/cut")
        assert answer.reset == INTERNAL_ERROR and not answer.ended and answer.body == b"half"
        assert client.ask("/").status == 200


def test_requests_of_a_connection_are_counted(proxy_of):
    proxy, _ = proxy_of(server="keepalive_requests 3;")
    with Http2Client(proxy.port) as client:
        for _ in range(3):
            assert client.ask("/").status == 200
        goaway = client.read_to_end()
        assert goaway.code == NO_ERROR and goaway.payload[:4] == b"\0\0\0\5"


def test_an_idle_connection_ends(proxy_of):
    proxy, _ = proxy_of(server="keepalive_timeout 1s;")
    with Http2Client(proxy.port) as client:
        assert client.ask("/").status == 200
        assert client.read_to_end().code == NO_ERROR


@pytest.mark.parametrize("begun", [b"", frame(HEADERS, 1, 1, b"\x82")])
def test_a_head_has_its_time(proxy_of, begun):
    proxy, _ = proxy_of(server="client_header_timeout 1s;")
    with Http2Client(proxy.port, PREFACE + settings() + begun) as client:
        assert client.read_to_end() is not None


@pytest.mark.parametrize("begun", [b"", b"PRI", PREFACE + settings()])
def test_the_first_head_has_its_time_once(proxy_of, begun):
    """Whatever HTTP it is: until the first bytes tell, and from there on."""
    proxy, _ = proxy_of(server="client_header_timeout 2s;")
    began = time.monotonic()
    with Client(proxy.port) as client:
        time.sleep(1.5)
        client.send(begun)
        client.to_end()
    assert time.monotonic() < began + 3


def test_more_streams_than_allowed_are_refused(proxy_of):
    proxy, node = proxy_of(lambda connection, message: connection.wait_for_end(),
                           server="http2_max_concurrent_streams 2;")
    with Http2Client(proxy.port) as client:
        client.ping()
        assert client.settings[3] == 2
        for _ in range(2):
            client.request("/")
        node.wait_for_requests(2)
        # The client has acknowledged the limit: it breaks the protocol.
        client.request("/")
        assert client.read_to_end().code == PROTOCOL_ERROR
        assert len(node.requests) == 2


def test_the_end_of_weir_waits_for_streams(proxy_of):
    go = threading.Event()

    def handler(connection, message):
        assert go.wait(5)
        return reply(200, b"done")

    proxy, node = proxy_of(handler)
    with Http2Client(proxy.port) as client:
        stream = client.request("/")
        node.wait_for_requests(1)
        proxy.process.send_signal(3)
        client.until_that(lambda: client.goaway, "GOAWAY")
        go.set()
        assert client.answer(stream).body == b"done"
        client.read_to_end()
    eventually(lambda: proxy.process.poll() is not None, "weir ends")
    assert proxy.process.wait(5) == 0
    proxy.process = None


def test_the_end_of_weir_waits_for_a_head_that_has_begun(proxy_of):
    proxy, _ = proxy_of()
    with Http2Client(proxy.port) as client:
        client.ping()
        block = client.encoder.encode(client.fields_of())
        client.send(frame(HEADERS, END_STREAM, 1, block[:5]))
        client.silent = True  # nothing may come between
        proxy.process.send_signal(signal.SIGQUIT)
        client.until_that(lambda: client.goaway and client.goaway.payload[:4] == b"\0\0\0\1",
                          "the final GOAWAY")
        client.send(frame(CONTINUATION, END_HEADERS, 1, block[5:]))
        assert client.answer(1).status == 200
        client.read_to_end()
    assert proxy.process.wait(5) == 0
    proxy.process = None


def test_the_end_of_weir_waits_for_no_stream_whose_client_is_gone(proxy_of):
    proxy, node = proxy_of(lambda connection, message: connection.wait_for_end(),
                           location="proxy_ignore_client_abort on;")
    with Http2Client(proxy.port) as client:
        client.request("/")
        node.wait_for_requests(1)
    proxy.process.send_signal(15)
    assert proxy.process.wait(5) == 0
    proxy.process = None


def test_a_reload_ends_no_connection(proxy_of):
    proxy, _ = proxy_of(location='add_header X-Now "one";')
    with Http2Client(proxy.port) as client:
        assert client.ask("/").get("x-now") == "one"
        proxy.conf.write_text(proxy.conf.read_text().replace('"one"', '"two"'))
        proxy.process.send_signal(1)
        eventually(lambda: client.ask("/").get("x-now") == "two", "the new configuration")
        assert client.goaway is None


def reload(proxy, change):
    proxy.conf.write_text(change(proxy.conf.read_text()))
    proxy.process.send_signal(signal.SIGHUP)


def turned_off(text):
    return text.replace("http2 on;", "http2 off;", 1)


def test_a_reload_that_turns_http2_off_ends_its_connections_well(proxy_of):
    go = threading.Event()

    def handler(connection, message):
        assert message.target != "/slow" or go.wait(5)
        return reply(200, message.target.encode())

    proxy, node = proxy_of(handler)
    with Http2Client(proxy.port) as client, Http2Client(proxy.port) as idle:
        assert idle.ask("/").status == 200
        slow = client.request("/slow")
        node.wait_for_requests(2)
        reload(proxy, turned_off)
        assert idle.read_to_end().code == NO_ERROR
        client.until_that(lambda: client.goaway, "GOAWAY")
        go.set()
        assert client.answer(slow).body == b"/slow"
        assert client.read_to_end().code == NO_ERROR
    with Client(proxy.port) as client:
        client.send(PREFACE + settings())
        assert b"HTTP/1.1 505" in client.to_end()


def test_what_is_on_its_way_when_http2_is_turned_off_is_served(proxy_of):
    proxy, _ = proxy_of()
    with Http2Client(proxy.port) as client:
        assert client.ask("/").status == 200
        reload(proxy, turned_off)
        client.until_that(lambda: client.goaway, "GOAWAY")
        assert client.goaway.payload[:4] == b"\x7f\xff\xff\xff"
        # The client has not seen it yet, and has answered no ping.
        assert client.ask("/").status == 200


@pytest.mark.parametrize("off", ["default", "named"])
def test_with_tls_the_server_that_sni_names_is_asked(start, tmp_path, off):
    certificate, key = Authority(tmp_path).sign("example.com")
    proxy = start.proxy(f"""
    ssl_certificate {certificate}; ssl_certificate_key {key}; http2 on;
    server {{ listen @listen@ ssl; return 200; }}  # default
    server {{ listen @listen@ ssl; server_name example.com; return 200; }}  # named""")
    with Http2Client(proxy.port, tls=True) as client:
        assert client.ask("/", scheme="https").status == 200
        reload(proxy, lambda text: re.sub(rf"listen (\S+) ssl;(.*# {off})",
                                          r"listen \1 ssl; http2 off;\2", text))
        if off == "named":
            assert client.read_to_end().code == NO_ERROR
        else:
            proxy.wait_for_log("generation 2 is in force", "error.log")
            for _ in range(20):
                assert client.ask("/", scheme="https").status == 200
            assert client.goaway is None


def test_a_connection_that_begins_while_weir_ends_ends_well(proxy_of):
    proxy, _ = proxy_of()
    with Http2Client(proxy.port, greeting=b"") as client:
        with Http2Client(proxy.port) as other:
            assert other.ask("/").status == 200  # the first one was accepted before
        proxy.process.send_signal(signal.SIGQUIT)
        proxy.wait_for_log("signal 3", "error.log")
        try:
            client.send(PREFACE + settings())
        except OSError:
            pass
        goaway = client.read_to_end()
        assert goaway is None or goaway.code == NO_ERROR
    assert proxy.process.wait(10) == 0
    proxy.process = None
