"""TLS with clients and with nodes: certificates, names, versions, sessions, what is refused."""

import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading

import pytest

from certificates import Authority
from harness import PROXY, weir_only
from node import Node
from wire import LIMIT, reply


@pytest.fixture(scope="module")
def files():
    with tempfile.TemporaryDirectory() as directory:
        authority = Authority(directory)
        for name, kind in (("a.example", "ec"), ("b.example", "ec"), ("node.example", "ec"),
                           ("client", "ec")):
            authority.sign(name, kind=kind)
        authority.sign("rsa", host="a.example", kind="rsa")
        Authority(directory, "other").sign("stranger")
        yield pathlib.Path(directory)


def trusting(files, **options):
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    context.check_hostname = options.get("check", True)
    if "version" in options:
        context.minimum_version = context.maximum_version = options["version"]
    if "certificate" in options:
        name = options["certificate"]
        context.load_cert_chain(files / f"{name}.crt", files / f"{name}.key")
    if "alpn" in options:
        context.set_alpn_protocols(options["alpn"])
    if "ciphers" in options:
        context.set_ciphers(options["ciphers"])
    return context


def connect(port, files, name="a.example", session=None, context=None, **options):
    sock = socket.create_connection(("127.0.0.1", port), LIMIT)
    context = context or trusting(files, **options)
    return context.wrap_socket(sock, server_hostname=name, session=session)


def receive(sock):
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def get(port, files, path="/", name="a.example", host=None, **options):
    with connect(port, files, name, **options) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host or name}\r\nConnection: close\r\n\r\n"
                     .encode())
        head, _, body = receive(sock).partition(b"\r\n\r\n")
        return int(head.split()[1]), body


def pair(files, name):
    return f"ssl_certificate {files}/{name}.crt; ssl_certificate_key {files}/{name}.key;"


def server(files, name, text="", own=""):
    return f"""server {{ listen @listen@ ssl; server_name {own or name}; {pair(files, name)} {text}
        location / {{ return 200 "{name} $scheme $https $ssl_server_name"; }} }}"""


# ---- clients


def test_a_request_over_tls_is_answered(files, start):
    proxy = start.proxy(server(files, "a.example"))
    assert get(proxy.port, files) == (200, b"a.example https on a.example")


@pytest.mark.parametrize("version, name", [(ssl.TLSVersion.TLSv1_2, b"TLSv1.2"),
                                           (ssl.TLSVersion.TLSv1_3, b"TLSv1.3")])
def test_both_versions_are_spoken(files, start, version, name):
    proxy = start.proxy(server(files, "a.example", 'location /v { return 200 "$ssl_protocol"; }'))
    assert get(proxy.port, files, "/v", version=version) == (200, name)


def test_sni_chooses_server_and_certificate(files, start):
    proxy = start.proxy(server(files, "a.example") + server(files, "b.example"))
    assert get(proxy.port, files, name="a.example")[1].startswith(b"a.example ")
    assert get(proxy.port, files, name="b.example")[1].startswith(b"b.example ")


def test_an_unknown_name_gets_the_default_server(files, start):
    proxy = start.proxy(server(files, "a.example") + server(files, "b.example"))
    assert get(proxy.port, files, name="c.example", check=False)[1].startswith(b"a.example ")


def test_a_wildcard_is_found_by_sni(files, start):
    proxy = start.proxy(server(files, "a.example") + server(files, "b.example", own="*.w.example"))
    with connect(proxy.port, files, "x.w.example", check=False) as sock:
        assert dict(sock.getpeercert()["subject"][0])["commonName"] == "b.example"


def test_two_certificates_serve_two_kinds_of_clients(files, start):
    proxy = start.proxy(server(files, "a.example", pair(files, "rsa")))
    for algorithm in ("ECDSA", "RSA"):
        with connect(proxy.port, files, version=ssl.TLSVersion.TLSv1_2,
                     ciphers=f"ECDHE-{algorithm}-AES128-GCM-SHA256") as sock:
            assert algorithm in sock.cipher()[0]


def test_alpn_agrees_on_http_1_1(files, start):
    proxy = start.proxy(server(files, "a.example"))
    with connect(proxy.port, files, alpn=["h2", "http/1.1"]) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
    with pytest.raises(ssl.SSLError):
        connect(proxy.port, files, alpn=["h2"])


def test_plain_http_is_told_of_tls(files, start):
    proxy = start.proxy(server(files, "a.example"))
    with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        answer = receive(sock)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"The plain HTTP request was sent to HTTPS port" in answer


def test_handshakes_for_unknown_names_can_be_refused(files, start):
    proxy = start.proxy("server { listen @listen@ ssl default_server; ssl_reject_handshake on; }" +
                        server(files, "a.example"))
    assert get(proxy.port, files)[0] == 200
    with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
        connect(proxy.port, files, "b.example")


def test_a_slow_handshake_is_ended(files, start):
    proxy = start.proxy(server(files, "a.example", "client_header_timeout 300ms;"))
    with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as sock:
        sock.sendall(b"\x16\x03\x01")
        assert receive(sock) == b""


def test_a_large_answer_comes_whole(files, start):
    data = os.urandom(5 << 20)
    node = start.node(lambda *_: reply(200, data))
    proxy = start.proxy(f"""server {{ listen @listen@ ssl; {pair(files, "a.example")}
        location / {{ proxy_pass http://{node.address}; }} }}""")
    status, body = get(proxy.port, files)
    assert (status, body == data) == (200, True)


def test_a_large_answer_comes_whole_to_a_slow_client(files, start):
    data = os.urandom(3 << 20)
    node = start.node(lambda *_: reply(200, data))
    proxy = start.proxy(f"""server {{ listen @listen@ ssl sndbuf=16k; {pair(files, "a.example")}
        location / {{ proxy_pass http://{node.address}; }} }}""")
    with connect(proxy.port, files) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
        threading.Event().wait(0.5)
        body = receive(sock).partition(b"\r\n\r\n")[2]
    assert body == data


def test_a_file_comes_whole(files, start):
    data = os.urandom(1 << 20)
    (files / "data").write_bytes(data)
    proxy = start.proxy(f"""server {{ listen @listen@ ssl; {pair(files, "a.example")}
        location /data {{ root {files}; }} }}""")
    assert get(proxy.port, files, "/data") == (200, data)


def test_a_large_body_is_taken(files, start):
    node = start.node(lambda connection, request: reply(200, str(len(request.body)).encode()))
    proxy = start.proxy(f"""server {{ listen @listen@ ssl; {pair(files, "a.example")}
        client_max_body_size 10m; location / {{ proxy_pass http://{node.address}; }} }}""")
    body = os.urandom(4 << 20)
    with connect(proxy.port, files) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert receive(sock).endswith(b"%d" % len(body))


def test_requests_are_kept_alive_and_pipelined(files, start):
    proxy = start.proxy(server(files, "a.example"))
    with connect(proxy.port, files) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" * 3 +
                     b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
        assert receive(sock).count(b"HTTP/1.1 200 ") == 4


def test_the_port_443_of_a_reload_keeps_connections(files, start):
    proxy = start.proxy(server(files, "a.example"))
    with connect(proxy.port, files) as sock:
        for _ in range(2):
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
            assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
            proxy.process.send_signal(1)
            threading.Event().wait(0.3)


@weir_only
@pytest.mark.parametrize("sent", [0, 1])
def test_a_reload_before_the_handshake_is_none_of_its_business(files, start, sent):
    """What was configured when the client came is gone when its first bytes do."""
    proxy = start.proxy(server(files, "a.example", "http2 on;"))
    socks = [socket.create_connection(("127.0.0.1", proxy.port), LIMIT) for _ in range(4)]
    proxy.wait_for_log("generation 1 is in force", "error.log")
    get(proxy.port, files)  # the others have been accepted by now
    context = trusting(files)
    streams = []
    for sock in socks:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        stream = context.wrap_bio(incoming, outgoing, server_hostname="a.example")
        with pytest.raises(ssl.SSLWantReadError):
            stream.do_handshake()
        hello = outgoing.read()
        sock.sendall(hello[:sent])
        streams.append((sock, stream, incoming, outgoing, hello[sent:]))
    for generation in (2, 3):
        proxy.process.send_signal(1)
        proxy.wait_for_log(f"generation {generation} is in force", "error.log")
    for sock, stream, incoming, outgoing, rest in streams:
        sock.sendall(rest)
        for _ in range(20):
            incoming.write(sock.recv(65536))
            try:
                stream.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
        stream.write(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        sock.sendall(outgoing.read())
        answer = b""
        while b"a.example https" not in answer:
            incoming.write(sock.recv(65536))
            try:
                answer += stream.read(65536)
            except ssl.SSLWantReadError:
                pass
        assert answer.startswith(b"HTTP/1.1 200 ")
        sock.close()


# ---- sessions


def resumed(proxy, files, first, second, context):
    with connect(proxy.port, files, first, context=context) as sock:
        sock.sendall(f"GET / HTTP/1.1\r\nHost: {first}\r\nConnection: close\r\n\r\n".encode())
        receive(sock)
        session = sock.session
    with connect(proxy.port, files, second, context=context, session=session) as sock:
        return sock.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("rules, want", [
    ("", True), ("ssl_session_tickets off;", False),
    ("ssl_session_tickets off; ssl_session_cache shared:one:1m;", True),
    ("ssl_session_tickets off; ssl_session_cache builtin;", True),
    ("ssl_session_tickets off; ssl_session_cache off;", False)])
def test_sessions_are_resumed(files, start, version, rules, want):
    proxy = start.proxy(server(files, "a.example", rules), workers=2)
    context = trusting(files, version=version)
    assert resumed(proxy, files, "a.example", "a.example", context) is want


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_is_resumed_under_another_name(files, start, version):
    cache = "ssl_session_cache shared:one:1m;"
    proxy = start.proxy(server(files, "a.example", cache) + server(files, "b.example", cache))
    context = trusting(files, version=version)
    assert resumed(proxy, files, "a.example", "a.example", context)
    assert not resumed(proxy, files, "a.example", "b.example", context)


def test_a_shared_cache_outlives_a_reload(files, start):
    proxy = start.proxy(server(files, "a.example", "ssl_session_cache shared:one:1m;"))
    context = trusting(files, version=ssl.TLSVersion.TLSv1_2)
    with connect(proxy.port, files, context=context) as sock:
        session = sock.session
    proxy.process.send_signal(1)
    threading.Event().wait(0.5)
    with connect(proxy.port, files, context=context, session=session) as sock:
        assert sock.session_reused


# ---- certificates of clients


def verifying(files, mode, text=""):
    return server(files, "a.example", f"""ssl_verify_client {mode};
        ssl_client_certificate {files}/ca.crt; {text}
        location /who {{ return 200 "$ssl_client_verify $ssl_client_s_dn"; }}""")


@pytest.mark.parametrize("mode, certificate, status, body", [
    ("on", "client", 200, b"SUCCESS CN=client"),
    ("on", None, 400, b"No required SSL certificate was sent"),
    ("on", "stranger", 400, b"The SSL certificate error"),
    ("optional", None, 200, b"NONE "),
    ("optional", "stranger", 400, b"The SSL certificate error"),
    ("optional_no_ca", "stranger", 200, b"FAILED:unable to verify the first certificate CN="),
])
def test_clients_show_certificates(files, start, mode, certificate, status, body):
    proxy = start.proxy(verifying(files, mode))
    options = {"certificate": certificate} if certificate else {}
    got, text = get(proxy.port, files, "/who", **options)
    assert got == status and body in text


def test_a_host_with_other_rules_than_the_name_in_sni_is_misdirected(files, start):
    proxy = start.proxy(server(files, "b.example") + verifying(files, "on"))
    assert get(proxy.port, files, name="b.example", host="a.example")[0] == 421


def test_a_reload_with_other_rules_ends_connections_that_came_by_the_old_ones(files, start):
    """They would be misdirected for each request."""
    proxy = start.proxy(verifying(files, "on"))
    with connect(proxy.port, files, certificate="client") as sock:
        sock.sendall(b"GET /who HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert b"SUCCESS" in sock.recv(65536)
        proxy.conf.write_text(proxy.conf.read_text().replace(
            "ssl_verify_client on;", "ssl_verify_client on; ssl_verify_depth 3;"))
        proxy.process.send_signal(1)
        assert sock.recv(65536) == b""
    assert get(proxy.port, files, "/who", certificate="client")[0] == 200


# ---- nodes


class TlsNode:
    """Passes what comes over TLS on to a node."""

    def __init__(self, node, files, name="node.example", authority=None):
        self.names = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(files / f"{name}.crt", files / f"{name}.key")
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        if authority:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(authority)
        self.node = node
        self.connections = 0
        self.resumed = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(raw,), daemon=True).start()

    def serve(self, raw):
        try:
            with self.context.wrap_socket(raw, server_side=True) as client, \
                    socket.create_connection(("127.0.0.1", self.node.port)) as inner:
                self.connections += 1
                self.resumed.append(client.session_reused)
                back = threading.Thread(target=self.copy, args=(inner, client), daemon=True)
                back.start()
                self.copy(client, inner)
                back.join(LIMIT)
        except OSError:
            pass

    @staticmethod
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def tls_node(files, start):
    made = []

    def make(handler=None, **options):
        made.append(TlsNode(start.node(handler), files, **options))
        return made[-1]
    yield make
    for one in made:
        one.listener.close()


def plain_get(port, path="/"):
    with socket.create_connection(("127.0.0.1", port), LIMIT) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = receive(sock).partition(b"\r\n\r\n")
        return int(head.split()[1]), body


def before(node, rules=""):
    return f"""upstream app {{ server {node.address}; keepalive 8; }}
    server {{ listen @listen@; location / {{ proxy_pass https://app; proxy_http_version 1.1;
        proxy_set_header Connection ""; {rules} }} }}"""


def test_a_node_is_spoken_to_in_tls_and_kept(tls_node, start):
    data = os.urandom(2 << 20)
    node = tls_node(lambda *_: reply(200, data))
    proxy = start.proxy(before(node))
    for _ in range(3):
        assert plain_get(proxy.port) == (200, data)
    assert node.connections == 1


def test_a_node_is_told_the_name(tls_node, start):
    node = tls_node()
    proxy = start.proxy(before(node, "proxy_ssl_server_name on; proxy_ssl_name x.example;"))
    assert plain_get(proxy.port)[0] == 200
    assert node.names == ["x.example"]


@pytest.mark.parametrize("rules, status", [
    ("proxy_ssl_name node.example;", 200), ("proxy_ssl_name other.example;", 502)])
def test_a_node_must_show_a_certificate_for_its_name(files, tls_node, start, rules, status):
    node = tls_node()
    proxy = start.proxy(before(node, f"""proxy_ssl_verify on;
        proxy_ssl_trusted_certificate {files}/ca.crt; {rules}"""))
    assert plain_get(proxy.port)[0] == status


def test_a_node_of_a_strange_authority_is_refused(files, tls_node, start):
    node = tls_node(name="stranger")
    proxy = start.proxy(before(node, f"""proxy_ssl_verify on; proxy_ssl_name stranger;
        proxy_ssl_trusted_certificate {files}/ca.crt;"""))
    assert plain_get(proxy.port)[0] == 502
    if PROXY == "weir":
        proxy.wait_for_log("certificate is not accepted.*unable to get local issuer", "error.log")


def test_a_node_is_shown_a_certificate(files, tls_node, start):
    node = tls_node(authority=files / "ca.crt")
    rules = f"""proxy_ssl_certificate {files}/client.crt;
        proxy_ssl_certificate_key {files}/client.key;"""
    assert plain_get(start.proxy(before(node, rules)).port)[0] == 200


def test_sessions_with_nodes_are_resumed(tls_node, start):
    node = tls_node(lambda *_: reply(200, b"", "Connection: close"))
    proxy = start.proxy(before(node))
    assert [plain_get(proxy.port)[0] for _ in range(2)] == [200, 200]
    assert node.resumed == [False, True]


def test_a_node_that_speaks_no_tls_is_a_bad_gateway(start):
    listener = socket.create_server(("127.0.0.1", 0))

    class Plain:
        address = "127.0.0.1:%d" % listener.getsockname()[1]

    def answer():
        with listener.accept()[0] as connection:
            connection.sendall(reply(400))
            receive(connection)
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    assert plain_get(start.proxy(before(Plain)).port)[0] == 502
    thread.join(LIMIT)
    listener.close()


def test_a_node_whose_handshake_hangs_is_timed_out(start):
    node = start.node()  # waits for the end of a head
    assert plain_get(start.proxy(before(node, "proxy_connect_timeout 300ms;")).port)[0] == 504


def test_the_scheme_may_be_a_variable(tls_node, start):
    node = tls_node()
    proxy = start.proxy(f"""server {{ listen @listen@; location / {{
        set $where https; proxy_pass $where://{node.address}; }} }}""")
    assert plain_get(proxy.port)[0] == 200


@weir_only
def test_checks_of_a_node_with_tls_go_over_tls(tls_node, start):
    node = tls_node()
    proxy = start.proxy(f"""upstream app {{ server {node.address};
            health_check mandatory interval=100ms uri=/check; }}
        server {{ listen @listen@; location / {{ proxy_pass https://app; }} }}""")
    deadline = threading.Event()
    for _ in range(50):
        if plain_get(proxy.port)[0] == 200:
            break
        deadline.wait(0.1)
    assert plain_get(proxy.port)[0] == 200
    assert "/check" in node.node.targets


# ---- what is wrong with a configuration


@weir_only
@pytest.mark.parametrize("text, error", [
    ("ssl_certificate @f@/none.crt; ssl_certificate_key @f@/none.key;",
     r'ssl_certificate: cannot read ".*/none.crt": No such file'),
    ("ssl_certificate @f@/a.example.crt; ssl_certificate_key @f@/b.example.key;",
     "ssl_certificate_key: .*the key does not belong to the certificate"),
    ("ssl_certificate @f@/a.example.key; ssl_certificate_key @f@/a.example.key;",
     "ssl_certificate: .*there is no certificate in it"),
    ("ssl_certificate @f@/a.example.crt; ssl_certificate_key @f@/a.example.crt;",
     "ssl_certificate_key: .*there is no private key in it"),
    ("ssl_certificate @f@/a.example.crt;", "there is no ssl_certificate_key for"),
    ("", "there is no ssl_certificate for"),
])
def test_mistakes_are_told_with_their_place(files, tmp_path, start, text, error):
    import re
    conf = tmp_path / "x.conf"
    conf.write_text(f"server {{ listen 127.0.0.1:1443 ssl;\n{text.replace('@f@', str(files))} }}")
    from harness import weir_binary
    done = subprocess.run([weir_binary(), "-t", "-c", conf], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 1
    assert re.search(r"x\.conf:[12]:\d+: .*" + error, done.stderr), done.stderr


@weir_only
def test_keys_are_shown_to_nobody(files, tmp_path):
    from harness import weir_binary
    conf = tmp_path / "x.conf"
    conf.write_text(server(files, "a.example").replace("@listen@", "127.0.0.1:1443"))
    done = subprocess.run([weir_binary(), "-T", "-c", conf], capture_output=True, text=True,
                          timeout=20)
    assert "a.example.key" in done.stdout and "PRIVATE" not in done.stdout


@weir_only
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_keys_are_read_by_the_master_alone(files, start):
    os.chmod(files / "a.example.key", 0o600)
    proxy = start.proxy(server(files, "a.example"), main="user nobody;")
    assert get(proxy.port, files)[0] == 200
