"""stream { }: the same bytes through nginx and through weir, and what each logged of them.

Needs nginx's module for stream (Debian: libnginx-mod-stream).
"""

import errno
import os
import pathlib
import socket
import ssl

import pytest

from harness import eventually, free_port
from services import TcpService, UdpService, echo, receive_all, says
from wire import LIMIT

MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")
HTTP = "server { listen @listen@; location / { return 200; } }"

pytestmark = pytest.mark.skipif(not MODULE.exists(),
                                reason="no stream module of nginx: install libnginx-mod-stream")


class Side:
    """One of the two, with ports of its own for @0@, @1@, ..."""

    def __init__(self, start, kind, text, ports):
        self.ports = [free_port() for _ in range(ports)]
        for i, port in enumerate(self.ports):
            text = text.replace(f"@{i}@", f"127.0.0.1:{port}")
        load = f"load_module {MODULE};" if kind == "nginx" else ""
        self.proxy = start.proxy(HTTP, kind=kind, main=f"{load} stream {{ {text} }}")

    def tcp(self, data=b"", port=0, half=True):
        with socket.create_connection(("127.0.0.1", self.ports[port]), LIMIT) as sock:
            try:
                sock.sendall(data)
                if half:
                    sock.shutdown(socket.SHUT_WR)
                return receive_all(sock)
            except OSError as why:
                # nginx closes where bytes of the client are unread; weir lets them come first. Which
                # call learns of the reset is a matter of time.
                if why.errno not in (errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE):
                    raise
                return b""

    def udp(self, data, port=0):
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.settimeout(LIMIT)
            sock.connect(("127.0.0.1", self.ports[port]))
            sock.send(data)
            return sock.recv(65536)

    def lines(self, count):
        eventually(lambda: len(self.proxy.log("s.log")) >= count, "lines of the log")
        return self.proxy.log("s.log")


@pytest.fixture
def sides(start):
    return lambda text, ports=1: [Side(start, kind, text, ports) for kind in ("nginx", "weir")]


@pytest.fixture
def service(request):
    def make(kind, *arguments):
        made = kind(*arguments)
        request.addfinalizer(made.stop)
        return made
    return make


def hello(name=None, alpn=(), version=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version:
        context.maximum_version = version
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def both(sides, ask):
    theirs, ours = (ask(side) for side in sides)
    assert ours == theirs
    return ours


def test_what_servers_return(sides):
    pair = sides("""
        map $protocol $m { TCP tcp; default other; }
        map $remote_addr $r { ~^127\\.(?<rest>.*)$ $rest; }
        geo $g { default no; 127.0.0.0/8 yes; }
        geo $protocol $g2 { default none; }
        split_clients "fixed" $half { 50% a; * b; }
        server { listen @0@; return $m:$r:$rest:$g:$g2:$half; }
        server { listen @1@; set $x a$protocol; set $y $x$x; return $y; }
        server { listen @2@; return $status:$bytes_received:$bytes_sent:$remote_addr:$server_addr; }
        server { listen @3@; deny 127.0.0.1; return x; }
        server { listen @4@; deny 10.0.0.0/8; allow 127.0.0.1; deny all; return x; }
        server { listen @5@ proxy_protocol; set_real_ip_from 127.0.0.1;
                 return $remote_addr:$proxy_protocol_addr:$realip_remote_addr; }
        server { listen @6@ udp; return $protocol-$m; }""", 7)
    for port in range(5):
        both(pair, lambda side, port=port: side.tcp(port=port, half=False))
    header = b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 80\r\n"
    for data in (header, b"PROXY UNKNOWN\r\n", b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", b"junk\r\n\r\n"):
        both(pair, lambda side, data=data: side.tcp(data, 5, half=False))
    both(pair, lambda side: side.udp(b"?", 6))


def test_which_peer_gets_which_connection(sides, service):
    nodes = [service(TcpService, says(bytes([65 + i]))) for i in range(4)]
    servers = [f"server {node.address}" for node in nodes]
    for method in ("", "least_conn;", "hash $remote_addr;", "hash $remote_addr consistent;",
                   "hash $server_addr$protocol;"):
        for parameters in (["", "", "", ""], ["weight=3", "", "weight=2", ""],
                           ["down", "", "", "weight=2"]):
            lines = "".join(f"{s} {p};" for s, p in zip(servers, parameters))
            pair = sides(f"upstream u {{ {method} {lines} }} proxy_half_close on; "
                         f"server {{ listen @0@; proxy_pass u; }}")
            both(pair, lambda side: [side.tcp() for _ in range(14)])


def test_failover_and_its_log(sides, service):
    node = service(TcpService, says(b"n"))
    dead = [free_port() for _ in range(2)]
    pair = sides(f"""
        log_format f '$status $protocol $bytes_received $bytes_sent $upstream_addr '
                      '$upstream_bytes_sent $upstream_bytes_received';
        access_log @dir@/s.log f;
        upstream u {{ server 127.0.0.1:{dead[0]}; server 127.0.0.1:{dead[1]} max_fails=2;
                      server {node.address}; }}
        upstream b {{ server 127.0.0.1:{dead[0]}; server {node.address} backup; }}
        upstream none {{ server 127.0.0.1:{dead[0]}; server 127.0.0.1:{dead[1]}; }}
        proxy_half_close on;
        server {{ listen @0@; proxy_pass u; }}
        server {{ listen @1@; proxy_pass b; }}
        server {{ listen @2@; proxy_pass none; }}
        server {{ listen @3@; proxy_pass u; proxy_next_upstream off; }}""", 4)
    for port in (0, 0, 0, 1, 1, 2, 2, 3):
        both(pair, lambda side, port=port: side.tcp(b"abc", port))
    both(pair, lambda side: side.lines(8))


def test_what_a_client_asks_for(sides):
    pair = sides("""server { listen @0@; ssl_preread on;
        return $ssl_preread_server_name:$ssl_preread_protocol:$ssl_preread_alpn_protocols; }""")
    rows = [hello("app.example"), hello(), hello("b.example", ["h2", "http/1.1"]),
            hello("a.example", version=ssl.TLSVersion.TLSv1_2), b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x00\x05\x02\x00\x00\x01x", b"\x80\x2e\x01\x03\x01" + b"x" * 41,
            b"\x16\x02\x01\x00\x05"]
    whole = hello("app.example")
    message = whole[5:]

    def record(part):
        return b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
    rows.append(record(message[:60]) + record(message[60:]))
    for data in rows:
        both(pair, lambda side, data=data: side.tcp(data, half=False))


def test_datagrams_and_their_log(sides, service):
    node = service(UdpService, lambda data, _: [data + b"!"])
    pair = sides(f"""
        log_format f '$status $protocol $bytes_received $bytes_sent $upstream_bytes_sent';
        access_log @dir@/s.log f;
        server {{ listen @0@ udp; proxy_pass {node.address}; proxy_responses 1; }}
        server {{ listen @1@ udp; proxy_pass {node.address}; proxy_timeout 300ms; }}""", 2)
    for data in (b"a", b"b" * 1400):
        both(pair, lambda side, data=data: side.udp(data, 0))
    both(pair, lambda side: side.udp(b"x", 1))
    both(pair, lambda side: sorted(side.lines(3)))


def test_the_proxy_protocol_to_peers(sides, service):
    node = service(TcpService, echo)
    pair = sides(f"server {{ listen @0@; proxy_protocol on; proxy_half_close on; "
                 f"proxy_pass {node.address}; }}")
    kinds = [side.tcp(b"abc").split(b" ")[:4] + [side.tcp(b"abc")[-3:]] for side in pair]
    assert kinds[0] == kinds[1]


def test_bulk(sides, service):
    node = service(TcpService, echo)
    pair = sides(f"server {{ listen @0@; proxy_pass {node.address}; proxy_half_close on; }}")
    data = os.urandom(1 << 18)
    both(pair, lambda side: side.tcp(data) == data)
