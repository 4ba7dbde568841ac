"""Certificates from an ACME server: ordered, kept, served, renewed; what is refused."""

import json
import os
import pathlib
import re
import signal
import socket
import ssl
import stat
import urllib.error
import urllib.request

import pytest

from certificates import Authority
from harness import eventually, free_port, weir_only
from pebble import Pebble
from wire import LIMIT

pytestmark = weir_only
PATIENCE = 30  # seconds that an order may take


class Site:
    """weir whose servers have certificates from `pebble`."""

    def __init__(self, start, pebble, folder, issuer="", server="", certificate="",
                 names="a.example", retry="1s", challenge="http-01", main="", trusted=None,
                 terms="accept_terms_of_service;"):
        self.pebble, self.state = pebble, pathlib.Path(folder) / "state"
        self.admin = free_port()
        self.tls = pebble.tls
        text = f"""acme_issuer pebble {{ uri {pebble.uri}; contact admin@a.example;
              ssl_trusted_certificate {trusted or pebble.authority.certificate};
              state_path {self.state}; {terms} challenge {challenge}; retry {retry}; {issuer} }}
            server {{ listen @listen@; listen 127.0.0.1:{pebble.http}; return 404; }}
            server {{ listen 127.0.0.1:{pebble.tls} ssl; server_name {names}; {server}
              acme_certificate pebble {certificate}; ssl_certificate $acme_certificate;
              ssl_certificate_key $acme_certificate_key;
              location / {{ return 200 ok; }} }}"""
        self.proxy = start.proxy(text, main=f"""certificate_watch 100ms; {main}
            admin {{ listen 127.0.0.1:{self.admin}; control off; }}
            error_log @dir@/error.log info;""")

    def context(self):
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=self.pebble.root())
        return context

    def certificate(self, name="a.example", context=None):
        """What is shown for the name; it must be good. None: the handshake is refused."""
        context = context or self.context()
        try:
            with socket.create_connection(("127.0.0.1", self.tls), LIMIT) as sock, \
                    context.wrap_socket(sock, server_hostname=name) as tls:
                return tls.getpeercert()
        except (ssl.SSLError, ConnectionError):
            return None

    def issued(self, name="a.example"):
        context = self.context()
        return eventually(lambda: self.certificate(name, context), f"a certificate for {name}:\n"
                          + self.log(), PATIENCE)

    def page(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=LIMIT) as page:
            return page.read().decode()

    def log(self):
        return "\n".join(self.proxy.log("error.log"))

    def rewrite(self, old, new):
        text = self.proxy.conf.read_text()
        assert old in text
        self.proxy.conf.write_text(text.replace(old, new))

    def reload(self):
        before = self.log().count("is in force")
        self.proxy.process.send_signal(signal.SIGHUP)
        eventually(lambda: self.log().count("is in force") > before, "a reload")

    def wait_for_log(self, pattern):
        return eventually(lambda: re.search(pattern, self.log()), f"{pattern!r} in the log",
                          PATIENCE)


@pytest.fixture
def pebble(tmp_path_factory):
    started = []

    def make(**options):
        started.append(Pebble(tmp_path_factory.mktemp("pebble"), **options))
        return started[-1]

    yield make
    for one in started:
        one.stop()


def names_of(certificate):
    return sorted(value for _, value in certificate["subjectAltName"])


@pytest.mark.parametrize("challenge, main", [("http-01", ""), ("tls-alpn-01", "master_process off;")],
                         ids=["master", "one process"])
def test_a_certificate_is_ordered_kept_and_served(start, pebble, tmp_path, challenge, main):
    # A fifth of the nonces is refused.
    site = Site(start, pebble(reject=20), tmp_path, challenge=challenge, main=main,
                names="a.example b.example")
    certificate = site.issued()
    assert names_of(certificate) == ["a.example", "b.example"]
    assert site.issued("b.example")["serialNumber"] == certificate["serialNumber"]
    assert stat.S_IMODE(site.state.stat().st_mode) == 0o700
    kept = sorted(path.name for path in site.state.iterdir())
    assert kept[1:] == ["account.key", "orders"] and kept[0].startswith("a.example-")
    for path in site.state.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_uid == os.geteuid()
    order, = json.loads(site.page("/certificates"))["orders"]
    assert order["names"] == ["a.example", "b.example"] and order["error"] is None
    assert "weir_acme_failing" in site.page("/metrics")
    assert "[emerg]" not in site.log()
    # What weir alone reads is no news to it.
    assert not re.search(r'(account.key|orders)" has changed', site.log())
    # Other requests below the challenges' path are served as ever.
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(f"http://127.0.0.1:{site.pebble.http}/.well-known/acme-challenge/x",
                               timeout=LIMIT)
    assert answer.value.code == 404


def test_until_it_has_come_handshakes_are_refused(start, pebble, tmp_path):
    server = pebble()
    server.stop()
    site = Site(start, server, tmp_path)
    context = ssl.create_default_context(cafile=str(server.authority.certificate))
    assert site.certificate(context=context) is None
    site.wait_for_log(r"\[warn\].*TLS handshake failed: there is no certificate yet")
    site.wait_for_log(r"acme: no certificate for a.example from pebble: localhost:\d+: connecting "
                      r"failed: Connection refused; tried again in 1 s")


def test_a_restart_uses_what_is_kept(start, pebble, tmp_path):
    server = pebble()
    site = Site(start, server, tmp_path)
    serial = site.issued()["serialNumber"]
    site.proxy.stop()
    context = site.context()
    server.stop()  # nobody needs it now
    again = Site(start, server, tmp_path)
    assert again.certificate(context=context)["serialNumber"] == serial  # from the first moment on
    assert "acme:" not in again.log()


def test_what_cannot_be_kept_is_kept_later_and_not_ordered_again(start, pebble, tmp_path):
    server = pebble()
    server.process.send_signal(signal.SIGSTOP)
    site = Site(start, server, tmp_path)
    eventually(lambda: "is ordered from" in site.log(), "an order")
    eventually(lambda: (site.state / "account.key").exists(), "the account's key")
    site.state.rename(tmp_path / "aside")
    site.state.write_text("in the way")
    server.process.send_signal(signal.SIGCONT)
    site.wait_for_log(r'acme: no certificate for a.example from pebble: it cannot be kept: open\(\) '
                      r'"[^"]*" failed .*; tried again in 1 s')
    site.state.unlink()
    (tmp_path / "aside").rename(site.state)
    site.issued()
    assert site.log().count("is ordered from") == 1
    order, = json.loads(site.page("/certificates"))["orders"]
    assert order["error"] is None


def test_a_file_that_is_damaged_is_not_taken_and_a_reload_orders_anew(start, pebble, tmp_path):
    site = Site(start, pebble(), tmp_path)
    serial = site.issued()["serialNumber"]
    kept, = site.state.glob("a.example-*.pem")
    kept.write_text("damaged")
    site.wait_for_log(r'"[^"]*" has changed and is not taken: there is no certificate with its key')
    assert site.certificate()["serialNumber"] == serial
    assert re.search("weir_certificate_stale{.*} 1", site.page("/metrics"))
    site.reload()
    context = site.context()
    eventually(lambda: (now := site.certificate(context=context)) and
               now["serialNumber"] != serial, "another certificate", PATIENCE)
    assert re.search("weir_certificate_stale{.*} 0", site.page("/metrics"))


def test_a_name_more_takes_no_certificate_away(start, pebble, tmp_path):
    server = pebble()
    site = Site(start, server, tmp_path)
    context = site.context()
    serial = site.issued()["serialNumber"]
    server.process.send_signal(signal.SIGSTOP)
    site.rewrite("server_name a.example;", "server_name a.example b.example;")
    site.reload()
    assert site.certificate(context=context)["serialNumber"] == serial
    assert re.search(r'\[warn\].*"[^"]*" is shown until a certificate for a.example is issued',
                     site.log())
    server.process.send_signal(signal.SIGCONT)
    certificate = eventually(lambda: site.certificate("b.example", context), "the other one",
                             PATIENCE)
    assert names_of(certificate) == ["a.example", "b.example"]


def test_a_reload_takes_no_certificate_away_whose_file_is_lost(start, pebble, tmp_path):
    server = pebble()
    site = Site(start, server, tmp_path)
    context = site.context()
    serial = site.issued()["serialNumber"]
    kept, = site.state.glob("a.example-*.pem")
    server.process.send_signal(signal.SIGSTOP)
    kept.unlink()
    for _ in range(2):
        site.reload()
        assert site.certificate(context=context)["serialNumber"] == serial
    assert "is lost; what was in force stays until a new certificate is issued" in site.log()
    # Whoever comes after a crash knows as much.
    before = site.log().count("is in force")
    os.kill(site.proxy.pids()[1], signal.SIGKILL)
    eventually(lambda: site.log().count("is in force") > before, "another engine")
    assert site.certificate(context=context)["serialNumber"] == serial
    server.process.send_signal(signal.SIGCONT)


def test_engines_and_programs_that_start_again_do_not_order_again(start, pebble, tmp_path):
    server = pebble()
    server.http = free_port()  # nobody answers where pebble asks
    site = Site(start, server, tmp_path, retry="1h")
    site.wait_for_log(r"the http-01 challenge for a.example failed: .*; tried again in 3[6-9]\d\d s")
    for _ in range(2):
        before = site.log().count("the last order for a.example from pebble has failed")
        os.kill(site.proxy.pids()[1], signal.SIGKILL)
        eventually(lambda: site.log().count("the last order for a.example from pebble has failed")
                   > before, "another engine knows")
    assert site.log().count("is ordered from") == 1
    site.proxy.stop()
    again = Site(start, server, tmp_path, retry="1h")
    # The first engine may have been killed before its failure was kept: then it counts as one that
    # has not come to an end.
    again.wait_for_log(r"the last order for a.example from pebble has failed: "
                       r"(the http-01 challenge|it has not come to an end).*; tried again in 3[5-9]\d\d s")
    order, = json.loads(again.page("/certificates"))["orders"]
    assert re.search("http-01 challenge|it has not come to an end", order["error"])
    assert "is ordered from" not in again.log()
    # An issuer that is another one may say something else.
    again.rewrite("contact admin@a.example", "contact other@a.example")
    again.reload()
    again.wait_for_log("is ordered from")


def test_addresses_have_certificates_too(start, pebble, tmp_path):
    site = Site(start, pebble(), tmp_path, challenge="tls-alpn-01", certificate="127.0.0.1")
    context = site.context()
    certificate = eventually(lambda: site.certificate("127.0.0.1", context), "a certificate",
                             PATIENCE)
    assert certificate["subjectAltName"] == (("IP Address", "127.0.0.1"),)


def test_it_is_renewed_after_two_thirds_of_its_life_and_stays_without_its_server(start, pebble,
                                                                                 tmp_path):
    server = pebble(validity=6)
    site = Site(start, server, tmp_path)
    context = site.context()
    first = eventually(lambda: site.certificate(context=context), "a certificate", PATIENCE)
    second = eventually(lambda: (now := site.certificate(context=context)) and
                        now["serialNumber"] != first["serialNumber"] and now,
                        "another certificate", PATIENCE)
    before, after = (ssl.cert_time_to_seconds(one["notBefore"]) for one in (first, second))
    assert 3 <= after - before <= 9, (before, after)
    key = (site.state / "account.key").read_text()
    assert "PRIVATE KEY" in key and site.log().count("account.key\" is written") == 1
    server.stop()
    for seconds in (1, 2):
        site.wait_for_log(rf"no certificate for a.example from pebble: .*tried again in {seconds} s")
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it may have expired
    with socket.create_connection(("127.0.0.1", site.tls), LIMIT) as sock, \
            context.wrap_socket(sock, server_hostname="a.example") as tls:
        shown = ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True))
    kept, = site.state.glob("a.example-*.pem")
    assert shown.strip() in kept.read_text()


def test_a_failed_validation_says_why_and_is_tried_again(start, pebble, tmp_path):
    # Nobody answers where pebble asks.
    server = pebble()
    asked, server.http = server.http, free_port()
    site = Site(start, server, tmp_path)
    site.wait_for_log(r"acme: no certificate for a.example from pebble: the http-01 challenge for "
                      r"a.example failed: .*\((connection|unauthorized)\); tried again in 1 s")
    site.wait_for_log(r"tried again in 2 s")
    order, = json.loads(site.page("/certificates"))["orders"]
    assert "http-01 challenge" in order["error"]
    assert re.search(r'weir_acme_failing{[^}]*issuer="pebble"} 1', site.page("/metrics"))
    # When somebody does, it comes.
    site.rewrite(f"127.0.0.1:{server.http};",
                 f"127.0.0.1:{server.http}; listen 127.0.0.1:{asked};")
    site.reload()
    site.issued()
    order, = json.loads(site.page("/certificates"))["orders"]
    assert order["error"] is None


def test_the_servers_certificate_is_checked(start, pebble, tmp_path):
    stranger = Authority(tmp_path, "stranger")
    site = Site(start, pebble(), tmp_path, trusted=stranger.certificate)
    site.wait_for_log(r"no certificate for a.example from pebble: localhost:\d+: the handshake of "
                      r"TLS failed: its certificate is not accepted")


def test_the_terms_of_service_have_to_be_accepted(start, pebble, tmp_path):
    site = Site(start, pebble(), tmp_path, terms="")
    site.wait_for_log(r"no certificate for a.example from pebble: the server asks that its terms "
                      r"of service are accepted: read \S+ and write accept_terms_of_service")


ISSUER = "acme_issuer i { uri https://ca.example/dir; state_path @dir@/state; } "


@pytest.mark.parametrize("text, error", [
    ("acme_issuer i { state_path @dir@/s; }", "acme_issuer: uri is missing"),
    ("acme_issuer i { uri http://ca/; state_path @dir@/s; }", 'uri: invalid URL "http://ca/"'),
    ("acme_issuer i { uri https://ca/; state_path off; }", "certificates and keys are always kept"),
    ("acme_issuer i { uri https://ca/; state_path @dir@/nginx.conf/s; }" +
     "server { listen @listen@; server_name a; acme_certificate i; }",
     'state_path: mkdir() "'),
    ("acme_issuer i { uri https://ca/; state_path @dir@/s; challenge dns-01; }", "challenge: "),
    ("acme_issuer i { uri https://ca/; state_path @dir@/s; account_key rsa:512; }",
     "account_key: no such key; use ecdsa:256"),
    ("acme_issuer i { uri https://ca/; state_path @dir@/s; preferred_chain X; }",
     "preferred_chain"),
    (ISSUER + ISSUER, 'issuer "i" is there already'),
    (ISSUER + "server { listen @listen@; server_name a; acme_certificate j; }",
     'there is no acme_issuer "j"'),
    (ISSUER + "server { listen @listen@; acme_certificate i; }", "the server has no name"),
    (ISSUER + "server { listen @listen@; server_name *.a.b; acme_certificate i; }",
     "a pattern or a wildcard"),
    (ISSUER + "server { listen @listen@; server_name a _; acme_certificate i; }",
     'name "_" is no host name and no address'),
    (ISSUER + "server { listen @listen@; server_name a; acme_certificate i *.a.b; }",
     "wildcards need the challenge dns-01"),
    (ISSUER + "server { listen @listen@; server_name a; acme_certificate i key=dsa; }",
     "no such key"),
    (ISSUER + "server { listen @listen@ ssl; server_name a; acme_certificate i; "
     "ssl_certificate $acme_certificate; ssl_certificate_key $acme_certificate_key; }",
     "http-01 is asked for over plain HTTP"),
    (ISSUER + "server { listen @listen@ ssl; server_name a; "
     "ssl_certificate $acme_certificate; ssl_certificate_key $acme_certificate_key; }",
     "there is no acme_certificate in this server"),
])
def test_what_cannot_be_is_an_error(make, text, error):
    program = make(f"events {{ }} pid @dir@/p.pid; error_log @dir@/error.log; http {{ {text} }}")
    done = program.run("-t")
    assert done.returncode == 1, done.stderr
    assert error in done.stderr, done.stderr


def test_what_can_be_passes_without_a_server(make):
    program = make("events { } pid @dir@/p.pid; error_log @dir@/error.log; http { " + ISSUER +
                   "server { listen @listen@; server_name a; acme_certificate i a 10.0.0.1 "
                   "key=rsa:2048; } }")
    done = program.run("-t")
    assert done.returncode == 0, done.stderr
    assert not (program.directory / "state").exists()
