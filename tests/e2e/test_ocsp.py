"""Answers of OCSP that are sent with certificates: responders are asked for them."""

import json
import re
import signal
import socket
import subprocess
import urllib.request

import pytest

from certificates import Authority
from harness import PROXY, eventually, free_port, weir_only
from ocsp_responder import Responder
from wire import LIMIT

APPOINTED = "extendedKeyUsage=OCSPSigning"


@pytest.fixture
def responder(tmp_path):
    made = Responder(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def authority(tmp_path, responder):
    made = Authority(tmp_path)
    responder.serve(made)
    return made


def signed(authority, responder, name="a.example", state="V", **options):
    """A pair whose certificate names the responder, which knows it."""
    pair = authority.sign(name, extensions=[f"authorityInfoAccess=OCSP;URI:{responder.url}"],
                          **options)
    if state:
        responder.know(pair[0], state)
    return pair


def pair_text(pair):
    return f"ssl_certificate {pair[0]}; ssl_certificate_key {pair[1]};"


def stapling(pair, authority=None, more=""):
    trusted = f"ssl_trusted_certificate {authority.certificate};" if authority else ""
    return (f"server {{ listen @listen@ ssl; {pair_text(pair)} ssl_stapling on; {trusted} {more} "
            "return 200 ok; }")


def shown(port, *more):
    """What s_client tells of the answer that a handshake comes with."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername",
                           "a.example", "-status", *more], capture_output=True, text=True,
                          timeout=20, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def is_stapled(port, *more):
    found = shown(port, *more)
    assert ("Cert Status: good" in found) != ("OCSP response: no response sent" in found), found
    return "Cert Status: good" in found


class Admin:
    def __init__(self):
        self.port = free_port()
        self.main = f"admin {{ listen 127.0.0.1:{self.port}; control off; }}"

    def page(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=LIMIT) as page:
            return page.read().decode()

    def ocsp(self, certificate):
        for one in json.loads(self.page("/certificates"))["certificates"]:
            if one["certificate"] == str(certificate):
                return one["ocsp"]
        return None


@pytest.fixture
def admin():
    return Admin()


@pytest.mark.parametrize("where", ["the authorities", "its own file"])
def test_the_responder_that_a_certificate_names_is_asked(start, authority, responder, where):
    pair = signed(authority, responder)
    if where == "its own file":
        with open(pair[0], "a") as file:
            file.write(authority.certificate.read_text())
    proxy = start.proxy(stapling(pair, authority if where == "the authorities" else None))
    eventually(lambda: is_stapled(proxy.port), "an answer")
    assert is_stapled(proxy.port, "-tls1_2")
    if PROXY == "weir":
        proxy.wait_for_log(f'ocsp: "{pair[0]}": {responder.url} has answered', "error.log")


def test_each_of_several_certificates_has_its_answer(start, authority, responder):
    pairs = [signed(authority, responder),
             signed(authority, responder, "rsa", host="a.example", kind="rsa")]
    proxy = start.proxy(stapling(pairs[0], authority, pair_text(pairs[1])))
    for algorithm in ("ECDSA+SHA256", "RSA+SHA256"):
        eventually(lambda: is_stapled(proxy.port, "-tls1_2", "-sigalgs", algorithm), algorithm)


@weir_only
def test_servers_with_the_same_certificate_ask_once(start, authority, responder):
    pair = signed(authority, responder)
    second = free_port()
    proxy = start.proxy(stapling(pair, authority) + stapling(pair, authority).replace(
        "@listen@", f"127.0.0.1:{second}"))
    eventually(lambda: is_stapled(proxy.port), "an answer")
    assert is_stapled(second)
    assert responder.asked == 1


@weir_only
def test_many_certificates_do_not_ask_all_at_once(start, authority, responder):
    pairs = [signed(authority, responder, f"n{i}.example") for i in range(40)]
    proxy = start.proxy("\n".join(
        stapling(pair, authority).replace("ssl;", f"ssl; server_name n{i}.example;", 1)
        for i, pair in enumerate(pairs)))
    eventually(lambda: responder.asked == 40, "all are asked about", 20)
    eventually(lambda: len([line for line in proxy.log("error.log") if "has answered" in line]) == 40,
               "all are answered", 20)
    assert 1 < responder.most_at_once <= 16


@weir_only
def test_a_responder_that_is_down_is_asked_again(start, authority, responder, admin):
    responder.stop()
    pair = signed(authority, responder)
    proxy = start.proxy(stapling(pair, authority), main=admin.main)
    proxy.wait_for_log("connecting failed: Connection refused; nothing is sent with it; asked "
                       "again in [12] s", "error.log")
    assert not is_stapled(proxy.port)
    metric = f'weir_ocsp_failing{{certificate="{pair[0]}"}}'
    assert f"{metric} 1" in admin.page("/metrics")
    told = admin.ocsp(pair[0])
    assert "Connection refused" in told["error"] and not told["answered"]
    assert told["responder"] == responder.url
    responder.start()
    eventually(lambda: is_stapled(proxy.port), "an answer", 15)
    eventually(lambda: f"{metric} 0" in admin.page("/metrics"), "the metric")
    told = admin.ocsp(pair[0])
    assert told["error"] is None and told["answered"] and told["next_update"] > told["next"]
    assert len([line for line in proxy.log("error.log") if "ocsp: " in line]) == 2


@weir_only
@pytest.mark.parametrize("answer, error", [
    ((500, b""), "answers with status 500"), ((200, b"\x30\x03\x0a\x01\x00more"), "no answer of OCSP"), ((200, b"no"), "no answer of OCSP in it"),
    ((200, b"\x30\x03\x0a\x01\x03"), "refused to answer: trylater")])
def test_what_is_no_answer_is_not_sent(start, authority, responder, answer, error):
    responder.answer = answer
    proxy = start.proxy(stapling(signed(authority, responder), authority))
    proxy.wait_for_log(error, "error.log")
    assert not is_stapled(proxy.port)
    responder.answer = None
    eventually(lambda: is_stapled(proxy.port), "an answer", 15)


@weir_only
@pytest.mark.parametrize("state, error", [
    ("R", "the certificate is revoked since Jan  1 00:00:00 2020 GMT"),
    ("", "the responder does not know the certificate")])
def test_only_good_news_is_sent(start, authority, responder, state, error):
    proxy = start.proxy(stapling(signed(authority, responder, state=state), authority))
    proxy.wait_for_log(error, "error.log")
    assert not is_stapled(proxy.port)


@weir_only
def test_an_answer_about_another_certificate_is_not_sent(start, authority, responder, tmp_path):
    pair = signed(authority, responder)
    other, _ = signed(authority, responder, "b.example")
    request = tmp_path / "b.request"
    subprocess.run(["openssl", "ocsp", "-issuer", authority.certificate, "-cert", other, "-reqout",
                    request, "-no_nonce"], check=True, capture_output=True, timeout=20)
    responder.answer = (200, responder.made(request.read_bytes()))
    proxy = start.proxy(stapling(pair, authority))
    proxy.wait_for_log("the answer is about another certificate", "error.log")
    assert not is_stapled(proxy.port)


@weir_only
@pytest.mark.parametrize("extensions, good", [((APPOINTED,), True), ((), False)])
@pytest.mark.parametrize("verify", ["on", "off"])
def test_whom_the_issuer_has_appointed_may_answer(start, authority, responder, extensions, good,
                                                  verify):
    responder.serve(authority, authority.sign("responder", extensions=extensions))
    proxy = start.proxy(stapling(signed(authority, responder), authority,
                                 f"ssl_stapling_verify {verify};"))
    if good:
        eventually(lambda: is_stapled(proxy.port), "an answer")
    else:
        proxy.wait_for_log("its signature cannot be verified: missing ocspsigning usage",
                           "error.log")
        assert not is_stapled(proxy.port)


@weir_only
def test_an_answer_by_somebody_else_is_not_sent(start, authority, responder, tmp_path):
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")  # of the same name
    responder.serve(authority, (other.certificate, other.key))
    proxy = start.proxy(stapling(signed(authority, responder), authority))
    proxy.wait_for_log("its signature cannot be verified", "error.log")
    assert not is_stapled(proxy.port)


@weir_only
def test_who_has_made_it_must_be_trusted_where_that_is_asked_for(start, authority, responder,
                                                                 tmp_path):
    pair = signed(authority, responder)
    with open(pair[0], "a") as file:
        file.write(authority.certificate.read_text())
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "other")
    proxy = start.proxy(stapling(pair, other, "ssl_stapling_verify on;"))
    proxy.wait_for_log("its signature cannot be verified", "error.log")
    assert not is_stapled(proxy.port)
    conf = proxy.conf.read_text()
    proxy.conf.write_text(conf.replace(str(other.certificate), str(authority.certificate)))
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: is_stapled(proxy.port), "an answer")


@weir_only
def test_a_reload_keeps_the_answer(start, authority, responder):
    pair = signed(authority, responder)
    proxy = start.proxy(stapling(pair, authority))
    eventually(lambda: is_stapled(proxy.port), "an answer")
    responder.stop()
    proxy.conf.write_text(proxy.conf.read_text().replace("200 ok", "200 changed"))
    proxy.process.send_signal(signal.SIGHUP)
    proxy.wait_for_log("generation 2 is in force", "error.log")
    assert is_stapled(proxy.port)
    assert responder.asked == 1


@weir_only
def test_a_renewed_certificate_has_an_answer_of_its_own(start, authority, responder):
    pair = signed(authority, responder)
    proxy = start.proxy(stapling(pair, authority), main="certificate_watch 100ms;")
    eventually(lambda: is_stapled(proxy.port), "an answer")
    signed(authority, responder)
    eventually(lambda: responder.asked == 2, "a question")
    eventually(lambda: is_stapled(proxy.port), "an answer")
    serial = re.search(r"Serial Number: (\w+)", shown(proxy.port)).group(1)
    assert responder.index.read_text().split("\n")[1].split("\t")[3] == serial


@pytest.mark.parametrize("path, method", [
    ("", "GET"), ("/", "GET"), pytest.param("?by=query", "POST", marks=weir_only)])
def test_a_responder_can_be_named(start, authority, responder, path, method):
    pair = authority.sign("a.example")
    responder.know(pair[0])
    proxy = start.proxy(stapling(pair, authority,
                                 f"ssl_stapling_responder {responder.url}{path};"))
    eventually(lambda: is_stapled(proxy.port), "an answer")
    assert responder.methods == {method}


@weir_only
def test_of_several_responders_the_first_that_can_be_asked_is(start, authority, responder):
    pair = authority.sign("a.example", extensions=[
        f"authorityInfoAccess=OCSP;URI:ldap://127.0.0.1/x,OCSP;URI:{responder.url}"])
    responder.know(pair[0])
    proxy = start.proxy(stapling(pair, authority))
    eventually(lambda: is_stapled(proxy.port), "an answer")


@weir_only
def test_stream_sends_answers_as_well(start, authority, responder):
    pair = signed(authority, responder)
    port = free_port()
    proxy = start.proxy("server { listen @listen@; return 200 ok; }", main=f"""stream {{
        ssl_stapling on; ssl_trusted_certificate {authority.certificate};
        server {{ listen 127.0.0.1:{port} ssl; {pair_text(pair)} return ok; }} }}""")
    eventually(lambda: is_stapled(port), "an answer")
    assert proxy.process.poll() is None


@weir_only
def test_a_responder_that_says_nothing_keeps_no_end_back(start, authority, responder):
    silent = socket.create_server(("127.0.0.1", 0))
    proxy = start.proxy(stapling(
        signed(authority, responder), authority,
        f"ssl_stapling_responder http://127.0.0.1:{silent.getsockname()[1]}/;"))
    asking, _ = silent.accept()
    proxy.stop()
    asking.close()
    silent.close()


@weir_only
@pytest.mark.parametrize("url", ["https://a.example/", "http://", "http:///x", "a.example",
                                 "http://a b/"])
def test_a_responder_that_is_none_is_an_error(make, url):
    done = make(f'events {{}} http {{ ssl_stapling_responder "{url}"; }}').run("-t")
    assert done.returncode == 1
    assert "ssl_stapling_responder: invalid URL" in done.stderr and ":1:" in done.stderr


@weir_only
def test_who_cannot_be_asked_is_told_of(make, authority, responder, tmp_path):
    nameless = authority.sign("nameless")
    secure = authority.sign("secure", extensions=["authorityInfoAccess=OCSP;URI:https://a.example"])
    orphan = signed(authority, responder)

    def told(pair, trusted):
        done = make("events {} http {" + stapling(pair, trusted) + "}").run("-t")
        assert done.returncode == 0
        return done.stderr

    assert f'ssl_stapling: "{orphan[0]}": the certificate of its issuer is not there' in told(
        orphan, None)
    assert "it names no responder of OCSP; remove ssl_stapling" in told(nameless, authority)
    assert 'its responder is at "https://a.example"; only http:// is asked' in told(
        secure, authority)
    assert "warning" not in told(orphan, authority)
    assert responder.asked == 0
