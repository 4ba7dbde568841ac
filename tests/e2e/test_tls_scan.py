"""What scanners of TLS find: nothing weak, no renegotiation, no sessions across names, no endless
handshakes."""

import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from certificates import Authority
from harness import weir_only
from wire import LIMIT

pytestmark = weir_only
DIALECTS = ["nginx", "yaml"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    for name in ("a.example", "b.example"):
        authority.sign(name)
    authority.sign("rsa", host="a.example", kind="rsa")
    return authority.directory


@pytest.fixture(scope="module", params=DIALECTS)
def port(request, start_once, files):
    """weir with the default settings of either dialect, an ECDSA and an RSA certificate."""
    pairs = [(files / f"{name}.crt", files / f"{name}.key") for name in ("a.example", "rsa")]
    if request.param == "yaml":
        certificates, keys = ([str(pair[i]) for pair in pairs] for i in (0, 1))
        text = f"""upstreams: {{}}
servers:
  - listen: {{ address: "@listen@", ssl: true }}
    server_name: a.example
    ssl_certificate: {certificates}
    ssl_certificate_key: {keys}
    locations: [{{ path: /, return: 200 ok }}]
"""
    else:
        text = "server { listen @listen@ ssl; server_name a.example;" + "".join(
            f"ssl_certificate {certificate}; ssl_certificate_key {key};"
            for certificate, key in pairs) + " return 200 ok; }"
    return start_once.proxy(text).port


def run(*command, limit=120):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is missing: apt-get install {command[0]}")
    return subprocess.run(command, capture_output=True, text=True, timeout=limit,
                          stdin=subprocess.DEVNULL, check=False).stdout


def test_sslscan_finds_nothing_weak(port):
    found = run("sslscan", "--no-colour", f"--sni-name=a.example", f"127.0.0.1:{port}")
    versions = dict(re.findall(r"^(SSLv\d|TLSv1\.\d)\s+(enabled|disabled)$", found, re.M))
    assert versions == {"SSLv2": "disabled", "SSLv3": "disabled", "TLSv1.0": "disabled",
                        "TLSv1.1": "disabled", "TLSv1.2": "enabled", "TLSv1.3": "enabled"}, found
    ciphers = re.findall(r"^(?:Preferred|Accepted)\s+TLSv1\.\d\s+(\d+) bits\s+(\S+)", found, re.M)
    assert len(ciphers) >= 5, found
    weak = [name for bits, name in ciphers
            if int(bits) < 128 or re.search("RC4|DES|NULL|EXP|MD5|ADH|AECDH|anon", name)]
    assert weak == []
    for line in ("Session renegotiation not supported", "Server supports TLS Fallback SCSV"):
        assert line in found, found
    assert "Compression enabled" not in found, found
    assert "vulnerable" not in re.sub("not vulnerable", "", found), found


@pytest.mark.parametrize("port", ["yaml"], indirect=True)  # nginx's defaults have CBC, too
def test_testssl_finds_no_weakness(port):
    found = run("testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none",
                "-p", "-s", "-f", "-U", f"127.0.0.1:{port}")
    assert "TLS 1.3    offered (OK): final" in found, found
    assert found.count("not vulnerable (OK)") > 10, found
    assert not re.search(r"NOT ok|potentially VULNERABLE|WARNING", found), found


def context_for(files, **options):
    context = ssl.create_default_context(cafile=str(files / "ca.crt"))
    context.check_hostname = False
    if "version" in options:
        context.maximum_version = options["version"]
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("cache", ["", "ssl_session_cache shared:x:1m;"])
def test_sessions_are_not_resumed_across_names(start, files, version, cache):
    proxy = start.proxy(cache + "".join(
        f"""server {{ listen @listen@ ssl; server_name {name};
        ssl_certificate {files}/{name}.crt; ssl_certificate_key {files}/{name}.key;
        return 200 ok; }}""" for name in ("a.example", "b.example")))
    context = context_for(files, version=version)

    def visit(name, session=None):
        with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as sock, \
                context.wrap_socket(sock, server_hostname=name, session=session) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while tls.recv(4096):
                pass
            return tls.session, tls.session_reused

    session, _ = visit("a.example")
    assert visit("a.example", session)[1] is True
    session, _ = visit("a.example")
    assert visit("b.example", session)[1] is False


def test_renegotiation_is_refused(port):
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-servername",
         "a.example"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    try:
        found, _ = client.communicate("R\n", timeout=20)
    except subprocess.TimeoutExpired:
        client.kill()
        found, _ = client.communicate()
    assert "RENEGOTIATING" in found
    assert re.search("no renegotiation|unexpected eof|handshake failure|write:errno", found), found


def test_a_handshake_has_a_deadline(start, files):
    proxy = start.proxy(f"""server {{ listen @listen@ ssl; ssl_certificate {files}/a.example.crt;
        ssl_certificate_key {files}/a.example.key; ssl_handshake_timeout 300ms; }}""")
    with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as sock:
        began = time.monotonic()
        sock.sendall(b"\x16\x03\x01")  # the start of a record, and then nothing
        assert sock.recv(1) == b""
        assert time.monotonic() - began < LIMIT
    proxy.wait_for_log("timed out in the TLS handshake", "error.log")


def test_an_answer_of_ocsp_is_sent_with_its_certificate(start, files, tmp_path):
    authority = files / "ca.crt"
    index = tmp_path / "index.txt"
    serial = subprocess.run(["openssl", "x509", "-in", files / "a.example.crt", "-noout",
                             "-serial"], capture_output=True, text=True, check=True,
                            timeout=LIMIT).stdout.strip().partition("=")[2]
    index.write_text(f"V\t991231235959Z\t\t{serial}\tunknown\t/CN=a.example\n")

    def answer(name):
        subprocess.run(["openssl", "ocsp", "-index", index, "-rsigner", authority, "-rkey",
                        files / "ca.key", "-CA", authority, "-issuer", authority, "-cert",
                        files / "a.example.crt", "-ndays", "1", "-respout", tmp_path / name,
                        "-noverify"], check=True, capture_output=True, timeout=20)
        return tmp_path / name

    proxy = start.proxy(f"""server {{ listen @listen@ ssl; server_name a.example;
        ssl_certificate {files}/a.example.crt; ssl_certificate_key {files}/a.example.key;
        ssl_certificate {files}/rsa.crt; ssl_certificate_key {files}/rsa.key;
        ssl_stapling on; ssl_stapling_verify on; ssl_trusted_certificate {authority};
        ssl_stapling_file {answer("a.der")}; return 200 ok; }}""")

    def status(*more):
        return run("openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername",
                   "a.example", "-status", *more, limit=20)

    assert "OCSP Response Status: successful" in status()
    assert "Cert Status: good" in status("-tls1_2")
    # It does not tell of the other certificate.
    assert "OCSP response: no response sent" in status("-tls1_2", "-sigalgs", "RSA+SHA256")


def test_an_answer_of_ocsp_for_the_certificate_before_is_not_sent(start, files, tmp_path):
    (tmp_path / "index.txt").write_text("")
    subprocess.run(["openssl", "ocsp", "-index", tmp_path / "index.txt", "-rsigner",
                    files / "ca.crt", "-rkey", files / "ca.key", "-CA", files / "ca.crt",
                    "-issuer", files / "ca.crt", "-cert", files / "b.example.crt", "-ndays", "1",
                    "-respout", tmp_path / "b.der", "-noverify"], check=True,
                   capture_output=True, timeout=20)
    proxy = start.proxy(f"""server {{ listen @listen@ ssl; server_name a.example;
        ssl_certificate {files}/a.example.crt; ssl_certificate_key {files}/a.example.key;
        ssl_stapling on; ssl_stapling_file {tmp_path}/b.der; return 200 ok; }}""")
    assert "is for another certificate; it is not sent" in proxy.output()
    shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername",
                "a.example", "-status", limit=20)
    assert "OCSP response: no response sent" in shown and "CN = a.example" in shown


@pytest.mark.parametrize("content, error", [
    (b"", "there is no answer of OCSP in it"), (b"\x30\x03\x0a\x01\x06", "refused to answer")])
def test_an_answer_of_ocsp_that_is_none_is_an_error(make, files, tmp_path, content, error):
    path = tmp_path / "answer"
    path.write_bytes(content)
    program = make(f"""events {{ }} http {{ server {{ listen @listen@ ssl; ssl_stapling on;
        ssl_stapling_file {path}; ssl_certificate {files}/a.example.crt;
        ssl_certificate_key {files}/a.example.key; }} }}""")
    done = program.run("-t")
    assert done.returncode == 1
    assert f'ssl_stapling_file: "{path}": ' in done.stderr and error in done.stderr
