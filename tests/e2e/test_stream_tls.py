"""stream { } and TLS: passed on by name without being ended, ended here, begun here."""

import socket
import ssl
import tempfile
import pathlib

import pytest

from certificates import Authority
from services import echo, receive_all, says
from wire import LIMIT


@pytest.fixture(scope="module")
def files():
    with tempfile.TemporaryDirectory() as directory:
        authority = Authority(directory)
        for name in ("a.example", "b.example", "client"):
            authority.sign(name)
        yield pathlib.Path(directory)


@pytest.fixture
def stream(stream, files):
    """As that of all files, with the certificates' directory for @files@."""
    def begin(text, ports=1):
        return stream(text.replace("@files@", str(files)), ports)
    return begin


def ends_tls(files, name, answer):
    """A handler that speaks TLS with the certificate of that name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / f"{name}.crt", files / f"{name}.key")

    def handle(sock):
        with context.wrap_socket(sock, server_side=True) as tls:
            tls.sendall(answer)
            echo(tls)
    return handle


def connect(port, files, name, version=None, certificate=None, alpn=()):
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    if version:
        context.minimum_version = context.maximum_version = version
    if certificate:
        context.load_cert_chain(files / f"{certificate}.crt", files / f"{certificate}.key")
    if alpn:
        context.set_alpn_protocols(alpn)
    sock = socket.create_connection(("127.0.0.1", port), LIMIT)
    return context.wrap_socket(sock, server_hostname=name)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_is_passed_on_by_name(stream, service, files, version):
    a = service(ends_tls(files, "a.example", b"a"))
    b = service(ends_tls(files, "b.example", b"b"))
    proxy = stream(f"""map $ssl_preread_server_name $to {{ a.example {a.address};
                                                           b.example {b.address}; }}
                       log_format f '$ssl_preread_server_name $ssl_preread_protocol '
                                     '$ssl_preread_alpn_protocols';
                       server {{ listen @0@; ssl_preread on; proxy_pass $to;
                                 access_log @dir@/s.log f; }}""")
    for name in ("a.example", "b.example"):
        with connect(proxy.ports[0], files, name, version, alpn=["x", "y"]) as sock:
            assert sock.recv(1) == name[:1].encode()
            sock.sendall(b"more")
            assert sock.recv(4) == b"more"
    proxy.wait_for_log(f"b.example {version.name.replace('_', '.')} x,y",
                       "s.log")


def test_a_hello_in_single_bytes_and_what_is_no_hello(stream, service, files):
    a = service(ends_tls(files, "a.example", b"a"))
    plain = service(says(b"plain"))
    proxy = stream(f"""map $ssl_preread_server_name $to {{ a.example {a.address};
                                                           default {plain.address}; }}
                       server {{ listen @0@; ssl_preread on; proxy_pass $to; }}
                       server {{ listen @1@; ssl_preread on; preread_timeout 300ms;
                                 proxy_pass {plain.address}; }}
                       server {{ listen @2@; ssl_preread on; preread_buffer_size 100;
                                 proxy_pass {plain.address}; }}""", ports=3)
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    with socket.create_connection(("127.0.0.1", proxy.ports[0]), LIMIT) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in hello:
            sock.sendall(bytes([byte]))
        assert sock.recv(1) == b"\x16"  # the peer's handshake
    with socket.create_connection(("127.0.0.1", proxy.ports[0]), LIMIT) as sock:
        sock.sendall(b"G")
        data = b""
        while len(data) < 6:
            data += sock.recv(6)
        assert data == b"plainG"
    with socket.create_connection(("127.0.0.1", proxy.ports[1]), LIMIT) as sock:
        sock.sendall(hello[:50])
        assert receive_all(sock) == b""  # it waits no longer than preread_timeout
    with socket.create_connection(("127.0.0.1", proxy.ports[2]), LIMIT) as sock:
        sock.sendall(hello[:150])
        try:
            assert receive_all(sock) == b""
        except ConnectionResetError:
            pass


def test_tls_is_ended(stream, service, files):
    node = service(says(b"hi"))
    proxy = stream(f"""log_format f '$status $ssl_protocol $ssl_server_name $bytes_sent';
           ssl_certificate @files@/a.example.crt; ssl_certificate_key @files@/a.example.key;
           server {{ listen @0@ ssl; proxy_pass {node.address}; access_log @dir@/s.log f; }}
           server {{ listen @1@ ssl; ssl_verify_client on;
                     ssl_client_certificate @files@/ca.crt; return $ssl_client_s_dn; }}""", ports=2)
    with connect(proxy.ports[0], files, "a.example") as sock:
        got = sock.recv(2)
        for size in (1, 16384, 60000, 100000):
            sock.sendall(b"x" * size)
            while len(got) < size + 2:
                got += sock.recv(65536)
            assert got == b"hi" + b"x" * size
            got = b"hi"
    proxy.wait_for_log("200 TLSv1.3 a.example 176387", "s.log")
    with socket.create_connection(("127.0.0.1", proxy.ports[0]), LIMIT) as sock:
        sock.sendall(b"no TLS at all\r\n\r\n")
        receive_all(sock)
    proxy.wait_for_log("^500", "s.log")
    with connect(proxy.ports[1], files, "a.example", certificate="client") as sock:
        assert receive_all(sock) == b"CN=client"
    with connect(proxy.ports[1], files, "a.example") as sock:
        try:
            assert receive_all(sock) == b""
        except (ssl.SSLError, ConnectionResetError):
            pass


def test_bytes_count_once_where_tls_begins_behind_the_proxy_protocol(stream, service, files):
    node = service(says(b"hi"))
    proxy = stream(f"""log_format f '$status $bytes_received';
           ssl_certificate @files@/a.example.crt; ssl_certificate_key @files@/a.example.key;
           server {{ listen @0@ ssl proxy_protocol; proxy_pass {node.address};
                     access_log @dir@/s.log f; }}""")
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="a.example")
    with socket.create_connection(("127.0.0.1", proxy.ports[0]), LIMIT) as sock:
        header = b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 80\r\n"
        for step in (tls.do_handshake, lambda: tls.write(b"abc"), lambda: tls.read(2)):
            while True:
                try:
                    step()
                    break
                except ssl.SSLWantReadError:
                    sock.sendall(header + outgoing.read())  # in one piece with the hello
                    header = b""
                    incoming.write(sock.recv(65536))
            sock.sendall(outgoing.read())
        got = b""
        while got != b"abc":
            try:
                got += tls.read(3)
            except ssl.SSLWantReadError:
                incoming.write(sock.recv(65536))
    proxy.wait_for_log("^200 3$", "s.log")


def test_tls_is_begun(stream, service, files):
    node = service(ends_tls(files, "b.example", b"b"))
    plain = service(says(b"p"))
    proxy = stream(f"""upstream u {{ server {plain.address}; server {node.address}; }}
           server {{ listen @0@; proxy_ssl on; proxy_ssl_verify on; proxy_ssl_name b.example;
                     proxy_ssl_trusted_certificate @files@/ca.crt; proxy_pass u; }}
           server {{ listen @1@; proxy_ssl on; proxy_ssl_verify on; proxy_ssl_name a.example;
                     proxy_ssl_trusted_certificate @files@/ca.crt;
                     proxy_pass {node.address}; }}""", ports=2)
    # A peer that does not speak TLS is passed over.
    with socket.create_connection(("127.0.0.1", proxy.ports[0]), LIMIT) as sock:
        assert sock.recv(1) == b"b"
    with socket.create_connection(("127.0.0.1", proxy.ports[1]), LIMIT) as sock:
        assert receive_all(sock) == b""
    proxy.wait_for_log("certificate is not accepted", "error.log")
