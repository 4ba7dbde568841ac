"""stream { } over UDP: sessions by client, their ends, choice, bounds."""

import os
import signal
import socket
import threading
import time

import pytest

from harness import eventually, free_port, weir_only
from services import UdpService
from wire import LIMIT

HTTP = "server { listen @listen@; location / { return 200; } }"


@pytest.fixture
def service(request):
    def make(answers=lambda data, _: [data]):
        made = UdpService(answers)
        request.addfinalizer(made.stop)
        return made
    return make


class Client:
    def __init__(self, port, host="127.0.0.1"):
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.settimeout(LIMIT)
        self.sock.connect((host, port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def ask(self, data):
        self.sock.send(data)
        return self.sock.recv(65536)

    def silent(self, seconds=0.3):
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(65536)
        except socket.timeout:
            return None
        finally:
            self.sock.settimeout(LIMIT)


def test_datagrams_go_both_ways_whole(stream, service):
    node = service()
    proxy = stream(f"server {{ listen @0@ udp; proxy_pass {node.address}; }}", workers=2)
    with Client(proxy.ports[0]) as one, Client(proxy.ports[0]) as two:
        for size in (1, 0, 1400, 9000, 60000):
            data = os.urandom(size)
            assert one.ask(data) == data
        assert two.ask(b"two") == b"two"
        # Of one client: one peer's socket, so long as its session lasts.
        assert len(set(node.clients)) == 2


def test_a_session_ends_with_its_answers(stream, service):
    node = service(lambda data, _: [data, data])
    proxy = stream(f"""log_format f '$protocol $status $bytes_received $bytes_sent $upstream_addr';
                       server {{ listen @0@ udp; proxy_pass {node.address}; proxy_responses 2;
                                 access_log @dir@/s.log f; }}
                       server {{ listen @1@ udp; proxy_pass {node.address}; proxy_responses 0;
                                 access_log @dir@/none.log f; }}
                       server {{ listen @2@ udp; proxy_pass {node.address}; proxy_timeout 200ms;
                                 access_log @dir@/late.log f; }}""", ports=3)
    with Client(proxy.ports[0]) as client:
        assert client.ask(b"abc") == b"abc"
        assert client.sock.recv(9) == b"abc"
    proxy.wait_for_log(f"UDP 200 3 6 {node.address}", "s.log")
    with Client(proxy.ports[1]) as client:
        client.sock.send(b"abc")
        proxy.wait_for_log("UDP 200 3 [036] ", "none.log")  # an answer may be quicker than the end
    with Client(proxy.ports[2]) as client:
        assert client.ask(b"abc") == b"abc"
        proxy.wait_for_log("UDP 200 3 6", "late.log")


def test_a_peer_that_does_not_answer_has_failed(stream, service):
    silent, node = service(lambda *_: []), service()
    proxy = stream(f"""log_format f '$status $upstream_addr';
                       upstream u {{ server {silent.address}; server {node.address}; }}
                       server {{ listen @0@ udp; proxy_pass u; proxy_responses 1;
                                 proxy_timeout 200ms; access_log @dir@/s.log f; }}""")
    with Client(proxy.ports[0]) as client:
        client.sock.send(b"1")
        proxy.wait_for_log(f"502 {silent.address}", "s.log")
        for _ in range(3):
            assert client.ask(b"2") == b"2"


def test_a_peer_that_refuses_has_failed(stream, service):
    node = service()
    dead = free_port()
    proxy = stream(f"""log_format f $status;
                       upstream u {{ server 127.0.0.1:{dead}; server {node.address}; }}
                       server {{ listen @0@ udp; proxy_pass u; access_log @dir@/s.log f; }}""")
    with Client(proxy.ports[0]) as client:
        client.sock.send(b"1")
        proxy.wait_for_log("502", "s.log")
        assert client.ask(b"2") == b"2"


def test_proxy_requests_begins_sessions_anew(stream, service):
    node = service()
    proxy = stream(f"server {{ listen @0@ udp; proxy_pass {node.address}; proxy_requests 2; }}")
    with Client(proxy.ports[0]) as client:
        for _ in range(4):
            client.ask(b"x")
        assert len(set(node.clients)) == 2


def test_balancing_and_return(stream, service):
    a, b = service(lambda *_: [b"a"]), service(lambda *_: [b"b"])
    proxy = stream(f"""upstream u {{ server {a.address} weight=2; server {b.address}; }}
                       server {{ listen @0@ udp; proxy_pass u; }}
                       server {{ listen @1@ udp; return $protocol:$remote_addr; }}""", ports=2)
    got = b""
    for _ in range(6):
        with Client(proxy.ports[0]) as client:
            got += client.ask(b"?")
    assert got == b"abaaba"
    with Client(proxy.ports[1]) as client:
        assert client.ask(b"?") == b"UDP:127.0.0.1"


def test_the_answer_comes_from_the_address_that_was_asked(start, service):
    node = service()
    port = free_port()
    start.proxy(HTTP, main=f"stream {{ server {{ listen {port} udp; "
                f"proxy_pass {node.address}; }} }}")
    # Connected sockets take nothing from another address.
    for host in ("127.0.0.1", "127.0.0.2"):
        with Client(port, host) as client:
            assert client.ask(b"x") == b"x"


def test_the_number_of_sessions_is_bounded(stream, service):
    node = service(lambda data, _: [] if data == b"silent" else [data])
    proxy = stream(f"server {{ listen @0@ udp; proxy_pass {node.address}; udp_sessions 3; }}")
    one, two, three, four, five, six = clients = [Client(proxy.ports[0]) for _ in range(6)]

    def is_new(client):
        """Whether the next datagram of the client begins a session."""
        before = set(node.clients)
        assert client.ask(b"x") == b"x"
        return node.clients[-1] not in before
    assert is_new(one)
    for client in (two, three):
        count = len(node.clients)
        client.sock.send(b"silent")
        eventually(lambda: len(node.clients) == count + 1, "it has come")
    # Those who never had an answer make room first, then the longest idle.
    assert is_new(four) and is_new(five)
    assert not is_new(one) and not is_new(four) and not is_new(five)
    assert is_new(six)
    assert not is_new(four) and not is_new(five) and is_new(one)
    assert sum("udp_sessions: there are as many as may be" in line
               for line in proxy.log("error.log")) == 1
    for client in clients:
        client.sock.close()


@weir_only
def test_sessions_leave_descriptors_for_others(start, service):
    node = service()
    port = free_port()
    proxy = start.proxy(HTTP, main="worker_rlimit_nofile 80; stream { server { "
                        f"listen 127.0.0.1:{port} udp; proxy_pass {node.address}; }} }}")
    clients = [Client(port) for _ in range(100)]
    for client in clients:
        assert client.ask(b"x") == b"x"
    with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert sock.recv(12) == b"HTTP/1.1 200"
    for client in clients:
        client.sock.close()


@weir_only
def test_without_a_descriptor_another_session_makes_room(start, service):
    node = service()
    udp, tcp = free_port(), free_port()
    proxy = start.proxy(HTTP, main=f"""worker_rlimit_nofile 80; stream {{
        server {{ listen 127.0.0.1:{udp} udp; proxy_pass {node.address}; }}
        server {{ listen 127.0.0.1:{tcp}; proxy_pass {start.node().address}; }} }}""")
    others = [Client(udp) for _ in range(6)]
    with Client(udp) as one:
        assert one.ask(b"x") == b"x"
        # Each of them, with its connection to the node, waits for what its client has to say.
        held = [socket.create_connection(("127.0.0.1", tcp), LIMIT) for _ in range(80)]
        eventually(lambda: any(len(os.listdir(f"/proc/{pid}/fd")) >= 76 for pid in proxy.pids()),
                   "TCP has taken what clients may take")
        for other in others:
            assert other.ask(b"x") == b"x"
        proxy.wait_for_log("no descriptor for a session of UDP", "error.log")
        for sock in held:
            sock.close()
        assert one.ask(b"y") == b"y"
    for other in others:
        other.sock.close()


def test_an_address_to_bind_to_that_is_none(stream, service):
    node = service()
    proxy = stream(f"""log_format f $status;
                       server {{ listen @0@ udp; set $from nonsense; proxy_bind $from;
                                 proxy_pass {node.address}; access_log @dir@/s.log f; }}""")
    with Client(proxy.ports[0]) as client:
        client.sock.send(b"x")
        proxy.wait_for_log("502", "s.log")
    proxy.wait_for_log('invalid local address "nonsense" in proxy_bind', "error.log")


def reload(proxy):
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: sum("is in force" in line for line in proxy.log("error.log")) == 2,
               "the reload is in force", 10)


def test_a_reload_concerns_the_next_datagram(stream, service):
    late = threading.Event()
    old = service(lambda data, count: (late.wait(LIMIT) if count > 1 else None, [b"old"])[1])
    new = service(lambda *_: [b"new"])
    proxy = stream(f"server {{ listen @0@ udp; proxy_pass {old.address}; }}")
    with Client(proxy.ports[0]) as client:
        assert client.ask(b"1") == b"old"
        client.sock.send(b"2")
        eventually(lambda: len(old.clients) == 2, "it has come")
        proxy.conf.write_text(proxy.conf.read_text().replace(old.address, new.address))
        reload(proxy)
        assert client.ask(b"3") == b"new"
        late.set()
        assert client.sock.recv(9) == b"old"  # what was still to come
        assert client.ask(b"4") == b"new"


def test_the_end_does_not_wait_for_sessions(stream, service):
    node = service()
    proxy = stream(f"server {{ listen @0@ udp; proxy_pass {node.address}; }}")
    with Client(proxy.ports[0]) as client:
        assert client.ask(b"1") == b"1"
        reload(proxy)
        assert client.ask(b"2") == b"2"
        proxy.process.send_signal(signal.SIGQUIT)
        began = time.monotonic()
        assert proxy.process.wait(10) == 0
        assert time.monotonic() - began < 5  # no session holds it up
        proxy.process = None  # there is nothing left to stop


def test_udp_and_tcp_on_one_port(start, service):
    node = service()
    port = free_port()
    start.proxy(HTTP, main=f"stream {{ server {{ listen 127.0.0.1:{port} udp; "
                f"proxy_pass {node.address}; }} server {{ listen 127.0.0.1:{port}; return tcp; }} }}")
    with Client(port) as client:
        assert client.ask(b"udp") == b"udp"
    with socket.create_connection(("127.0.0.1", port), LIMIT) as sock:
        assert sock.recv(3) == b"tcp"
