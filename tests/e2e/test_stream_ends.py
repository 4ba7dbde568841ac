"""stream { } over TCP: what ends a connection, what does not, and what is still passed on then."""

import os
import signal
import socket
import struct
import threading

import pytest

from harness import eventually, weir_only
from operators import weir
from services import echo, receive_all, says
from wire import LIMIT

RESET = struct.pack("ii", 1, 0)


def connect(port):
    return socket.create_connection(("127.0.0.1", port), LIMIT)


def goes_on(sock):
    for _ in range(20):
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"


def reload(proxy, count=2):
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: sum("is in force" in line for line in proxy.log("error.log")) == count,
               "the reload is in force", 10)


@weir_only
def test_who_was_let_in_with_fail_open_is_not_ended_by_other_events(stream, service):
    node, other = service(echo), service(echo)
    proxy = stream(f"""match pong {{ send PING; expect ~ PONG; }}
                       upstream u {{ server {node.address}; fail_open on;
                                     health_check match=pong interval=50ms; }}
                       upstream other {{ server {other.address}; }}
                       server {{ listen @0@; proxy_pass u; }}""")
    proxy.wait_for_log(r"\bdown\b", "error.log")
    with connect(proxy.ports[0]) as sock:
        goes_on(sock)
        weir(proxy, "drain", f"other/{other.address}")
        goes_on(sock)
        weir(proxy, "ready", f"other/{other.address}")
        goes_on(sock)


def test_a_server_that_a_reload_marks_down_keeps_its_connections(stream, service):
    a, b = service(echo), service(says(b"b"))
    proxy = stream(f"""upstream u {{ server {a.address}; server {b.address} backup; }}
                       server {{ listen @0@; proxy_pass u; }}""")
    with connect(proxy.ports[0]) as sock:
        goes_on(sock)
        text = proxy.conf.read_text()
        proxy.conf.write_text(text.replace(f"server {a.address};", f"server {a.address} down;"))
        reload(proxy)
        with connect(proxy.ports[0]) as fresh:
            assert fresh.recv(1) == b"b"
        goes_on(sock)
        # A second one looks at it again.
        reload(proxy, 3)
        goes_on(sock)


def test_the_rest_of_an_answer_reaches_a_client_that_goes_on_sending(stream, service):
    closed = threading.Event()

    def answer(sock):
        sock.sendall(b"x" * 30000)
        sock.close()  # with something to read left it would reset
        closed.set()
    node = service(answer)
    proxy = stream(f"server {{ listen @0@; proxy_pass {node.address}; "
                   f"proxy_download_rate 15000; }}")
    with connect(proxy.ports[0]) as sock:
        got = sock.recv(1000)
        assert closed.wait(LIMIT)
        while len(got) < 30000:
            sock.sendall(b"more")  # nobody takes it: the peer has closed
            piece = sock.recv(1000)
            assert piece, f"it ends after {len(got)} bytes"
            got += piece
        assert sock.recv(1) == b""


def test_a_client_that_is_gone_while_its_peer_takes_nothing_is_noticed(stream, service):
    ended = threading.Event()
    errors = []

    def stall(sock):
        sock.sendall(b"s")
        ended.wait(4 * LIMIT)
        try:
            receive_all(sock)
        except ConnectionResetError as why:
            errors.append(why)
    node = service(stall)
    proxy = stream(f"log_format f $status; server {{ listen @0@; proxy_pass {node.address}; "
                   f"access_log @dir@/s.log f; }}")
    sock = connect(proxy.ports[0])
    assert sock.recv(1) == b"s"
    sock.settimeout(0.3)
    with pytest.raises(socket.timeout):
        while True:
            sock.sendall(b"x" * 65536)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()
    proxy.wait_for_log("200", "s.log")
    ended.set()
    eventually(lambda: errors, "the peer is told by a reset")


def test_names_of_upstreams_have_no_case(stream, service):
    node = service(says(b"n"))
    proxy = stream(f"""upstream Second {{ server {node.address}; }}
                       map $remote_addr $to {{ default sEcond; }}
                       server {{ listen @0@; proxy_pass $to; }}""")
    with connect(proxy.ports[0]) as sock:
        assert sock.recv(1) == b"n"


@pytest.mark.parametrize("http", [False, True])
def test_a_client_that_ends_within_its_proxy_header_is_let_go(start, stream, http):
    if http:
        proxy = start.proxy("server { listen @listen@ proxy_protocol; return 200; }")
        port = proxy.port
    else:
        proxy = stream("server { listen @0@ proxy_protocol; return x; }")
        port = proxy.ports[0]
    # It finds the bytes and the end of them at once.
    for pid in proxy.pids():
        os.kill(pid, signal.SIGSTOP)
    with connect(port) as sock:
        sock.sendall(b"PROXY TCP4 192.0")
        sock.shutdown(socket.SHUT_WR)
        for pid in proxy.pids():
            os.kill(pid, signal.SIGCONT)
        assert receive_all(sock) == b""
