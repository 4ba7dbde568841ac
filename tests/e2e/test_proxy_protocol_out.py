"""The PROXY protocol to nodes: whose connection it is, kept apart by client; checks speak for weir."""

import contextlib
import socket
import ssl
import struct
import tempfile
import threading

import pytest

from certificates import Authority
from harness import eventually, weir_only
from wire import Client, LIMIT, request

pytestmark = weir_only

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def read_header(stream):
    """What the header at the start says: (kind, client, server)."""
    start = stream.read(12)
    if start.startswith(b"PROXY "):
        words = (start + stream.readline()).decode().split()
        if words[1] == "UNKNOWN":
            return "v1", None, None
        return "v1", (words[2], int(words[4])), (words[3], int(words[5]))
    assert start == SIGNATURE, start
    command, family, size = struct.unpack("!BBH", stream.read(4))
    body = stream.read(size)
    if command == 0x20:
        return "local", None, None
    assert command == 0x21
    if family == 0:
        return "v2", None, None
    kind, width = {0x11: (socket.AF_INET, 4), 0x21: (socket.AF_INET6, 16)}[family]
    ports = struct.unpack("!HH", body[2 * width:2 * width + 4])
    return ("v2", (socket.inet_ntop(kind, body[:width]), ports[0]),
            (socket.inet_ntop(kind, body[width:2 * width]), ports[1]))


class ProxiedNode:
    """Takes a header, then (over TLS, with a context) HTTP; `connections` is what each header said
    with the paths that were asked for over it."""

    def __init__(self, context=None):
        self.context = context
        self.connections = []
        self.failures = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                sock.settimeout(LIMIT)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            with sock:
                header = read_header(sock.makefile("rb", buffering=0))
                paths = []
                self.connections.append((header, paths))
                if self.context:
                    sock = self.context.wrap_socket(sock, server_side=True)
                stream = sock.makefile("rb")
                while line := stream.readline():
                    paths.append(line.split()[1].decode())
                    while stream.readline() not in (b"\r\n", b""):
                        pass
                    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except AssertionError as why:
            self.failures.append(why)
        except OSError:
            pass

    def stop(self):
        self.listener.close()

    def requests(self):
        return [(header, paths) for header, paths in self.connections if paths]


@pytest.fixture
def node():
    started = ProxiedNode()
    yield started
    started.stop()
    assert not started.failures


def local(client):
    return client.sock.getsockname()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_node_is_told_whose_connection_it_is(start, node, version):
    proxy = start.before(node, upstream=f"proxy_protocol {version};")
    with Client(proxy.port) as client:
        assert client.exchange(request("/a")).status == 200
        assert client.exchange(request("/b")).status == 200
        mine = local(client)
    with Client(proxy.port) as client:
        assert client.exchange(request("/c")).status == 200
        other = local(client)
    # One client's connection carries both of its requests, and none of another client's.
    assert node.requests() == [
        ((version, mine, ("127.0.0.1", proxy.port)), ["/a", "/b"]),
        ((version, other, ("127.0.0.1", proxy.port)), ["/c"])]


def test_the_client_that_a_proxy_in_front_told_of_is_passed_on(start, node):
    proxy = start.proxy(f"""upstream app {{ server {node.address}; proxy_protocol v2; }}
        server {{ listen @listen@ proxy_protocol; set_real_ip_from 127.0.0.1;
        real_ip_header proxy_protocol; location / {{ proxy_pass http://app; }} }}""")
    with Client(proxy.port) as client:
        client.send(b"PROXY TCP6 2001:db8::1 2001:db8::2 1234 443\r\n" + request("/"))
        assert client.read_response().status == 200
    assert node.requests()[0][0] == ("v2", ("2001:db8::1", 1234), ("2001:db8::2", 443))


@pytest.mark.parametrize("upstream, server, version", [
    ("proxy_protocol v1;", "", "v1"), ("proxy_protocol v2;", "", "v2"),
    ("", "proxy_protocol on;", "v1"), ("", "proxy_protocol on; proxy_protocol_version 2;", "v2"),
    ("proxy_protocol v2;", "proxy_protocol on;", "v1")])
@pytest.mark.parametrize("target", ["app", "$named"])
def test_stream_tells_as_well(stream, node, upstream, server, version, target):
    checks = "health_check interval=50ms;" if upstream else ""
    proxy = stream(f"""map $protocol $named {{ default app; }}
        upstream app {{ server {node.address}; {upstream} {checks} }}
        server {{ listen @0@; {server} proxy_pass {target}; }}""")
    with Client(proxy.ports[0]) as client:
        assert client.exchange(request("/a")).status == 200
        assert node.requests() == [((version, local(client), ("127.0.0.1", proxy.ports[0])),
                                    ["/a"])]
    if upstream:
        own = {"v1": ("v1", None, None), "v2": ("local", None, None)}[upstream[-3:-1]]
        eventually(lambda: own in [header for header, _ in node.connections], "a check")


def test_datagrams_tell_of_no_client(make):
    done = make("""events { } stream { upstream app { server 127.0.0.1:1; proxy_protocol v2; }
        server { listen 127.0.0.1:1053 udp; proxy_pass app; } }""").run("-t")
    assert done.returncode == 1
    assert "proxy_protocol is told over TCP only" in done.stderr


@pytest.mark.parametrize("header", [
    b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\x00\x00\x00",
    SIGNATURE + b"\x20\x11\x00\x0c" + bytes(12), SIGNATURE + b"\x21\x00\x00\x00"],
    ids=["unknown", "local", "local with addresses", "unspecified"])
def test_a_proxy_in_front_that_speaks_for_itself_is_the_client(start, node, header):
    proxy = start.proxy(f"""upstream app {{ server {node.address}; proxy_protocol v1; }}
        server {{ listen @listen@ proxy_protocol; set_real_ip_from 127.0.0.1;
        real_ip_header proxy_protocol; location / {{ proxy_pass http://app; }}
        location /who {{ return 200 "$remote_addr $proxy_protocol_addr"; }} }}""")
    with Client(proxy.port) as client:
        client.send(header + request("/"))
        assert client.read_response().status == 200
        assert client.exchange(request("/who")).body == b"127.0.0.1 "
        assert node.requests()[0][0] == ("v1", local(client), ("127.0.0.1", proxy.port))


@pytest.mark.parametrize("check, path", [
    ("health_check uri=/check interval=1s;", "/check"), ("health_check type=tcp;", None)],
    ids=["http", "tcp"])
@pytest.mark.parametrize("version, kind", [("v1", "v1"), ("v2", "local")])
def test_checks_speak_for_weir(start, node, version, kind, check, path):
    start.before(node, upstream=f"proxy_protocol {version}; {check}")
    eventually(lambda: node.connections and (not path or node.connections[0][1]), "a check")
    header, paths = node.connections[0]
    assert header == (kind, None, None)
    assert not path or paths == [path]


def test_the_header_goes_ahead_of_tls(start):
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = Authority(directory).sign("node.example")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        node = ProxiedNode(context)
        proxy = start.proxy(f"""upstream app {{ server {node.address}; proxy_protocol v2;
            health_check uri=/check; }}
            server {{ listen @listen@; location / {{ proxy_pass https://app; }} }}""")
        with Client(proxy.port) as client:
            assert client.exchange(request("/")).status == 200
            assert (("v2", local(client), ("127.0.0.1", proxy.port)), ["/"]) in node.requests()
        eventually(lambda: (("local", None, None), ["/check"]) in node.requests(), "a check")
        node.stop()
        assert not node.failures


def test_a_client_of_a_unix_socket_is_unknown(start, node, tmp_path):
    path = tmp_path / "sock"
    start.proxy(f"""upstream app {{ server {node.address}; proxy_protocol v1; }}
        server {{ listen @listen@; listen unix:{path}; location / {{ proxy_pass http://app; }} }}""")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(LIMIT)
        sock.connect(str(path))
        sock.sendall(request("/", "Connection: close"))
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
    assert node.requests()[0][0] == ("v1", None, None)


def test_yaml_has_it_too(start, node):
    proxy = start.proxy(f"""upstreams:
  app: {{ servers: ["{node.address}"], proxy_protocol: v2 }}
servers:
  - listen: "@listen@"
    locations: [{{ path: /, proxy_pass: "http://app" }}]
""")
    with Client(proxy.port) as client:
        assert client.exchange(request("/")).status == 200
        assert any(header[0] == "v2" for header, _ in node.requests())


def test_another_version_is_refused(make):
    program = make("events { } http { upstream a { server b:1; proxy_protocol v3; } }")
    done = program.run("-t")
    assert done.returncode == 1
    assert 'proxy_protocol: invalid value "v3"; use v1, v2 or off' in done.stderr
