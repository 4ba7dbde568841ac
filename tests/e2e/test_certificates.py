"""Certificates that change on disk: taken without a reload, kept where they are broken, told of."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import urllib.request

import pytest

from certificates import Authority
from harness import eventually, free_port, weir_only
from wire import LIMIT

pytestmark = weir_only


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


class Site:
    """weir with an admin listener and TLS servers whose pairs lie in `folder`."""

    def __init__(self, start, folder, authority, names=("a.example",), **options):
        self.folder, self.authority = pathlib.Path(folder), authority
        self.admin = free_port()
        for name in names:
            self.put(name, authority.sign(name))
        servers = "".join(f"""server {{ listen @listen@ ssl; server_name {name};
            ssl_certificate {folder}/{name}.crt; ssl_certificate_key {folder}/{name}.key;
            location / {{ return 200 ok; }} }}""" for name in names)
        self.proxy = start.proxy(servers, main=f"""certificate_watch 100ms;
            admin {{ listen 127.0.0.1:{self.admin}; control off; }}
            error_log @dir@/error.log notice;""" + options.pop("main", ""), **options)

    def put(self, name, pair):
        for source, kind in zip(pair, ("crt", "key")):
            fresh = self.folder / "fresh"
            shutil.copy(source, fresh)
            fresh.rename(self.folder / f"{name}.{kind}")

    def connect(self, name="a.example"):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        sock = socket.create_connection(("127.0.0.1", self.proxy.port), LIMIT)
        return context.wrap_socket(sock, server_hostname=name)

    def serial(self, name="a.example"):
        with self.connect(name) as sock:
            return sock.getpeercert()["serialNumber"]

    def page(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=LIMIT) as page:
            return page.read().decode()

    def certificates(self):
        return {pathlib.Path(one["certificate"]).name: one
                for one in json.loads(self.page("/certificates"))["certificates"]}

    def log(self):
        return "\n".join(self.proxy.log("error.log"))


def serial_of(path):
    return ssl._ssl._test_decode_cert(str(path))["serialNumber"]


@pytest.mark.parametrize("main", ["", "master_process off;"], ids=["master", "one process"])
def test_a_renewed_pair_is_served_without_a_reload(start, authority, tmp_path, main):
    site = Site(start, tmp_path, authority, main="worker_shutdown_timeout 50ms;" + main)
    before = site.serial()
    kept = site.connect()
    pair = authority.sign("a.example")
    site.put("a.example", pair)
    eventually(lambda: site.serial() == serial_of(pair[0]), "the new certificate is served")
    assert site.serial() != before
    eventually(lambda: "it is in force" in site.log(), "the log says so")
    # The connection from before goes on, longer than a reload would let it.
    kept.settimeout(0.4)
    with pytest.raises(TimeoutError):
        kept.recv(1)
    kept.settimeout(LIMIT)
    kept.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
    assert kept.recv(65536).startswith(b"HTTP/1.1 200")
    kept.close()
    assert 'weir_config_reload_failures_total 0' in site.page("/metrics")


def test_a_broken_pair_keeps_the_old_one_and_says_so(start, authority, tmp_path):
    site = Site(start, tmp_path, authority, names=("a.example", "b.example"))
    before = site.serial()
    (tmp_path / "a.example.crt").write_text("broken")
    pair = authority.sign("b.example")
    site.put("b.example", pair)
    eventually(lambda: site.serial("b.example") == serial_of(pair[0]), "the good one is served")
    assert site.serial() == before
    eventually(lambda: "is not taken" in site.log(), "the log says so")
    stale = r'weir_certificate_stale{certificate="[^"]*a.example.crt",name="a.example"} '
    eventually(lambda: re.search(stale + "1", site.page("/metrics")), "the metric says so")
    problem = site.certificates()["a.example.crt"]["problem"]
    assert "there is no certificate in it" in problem
    assert site.certificates()["b.example.crt"]["problem"] is None

    pair = authority.sign("a.example")
    site.put("a.example", pair)
    eventually(lambda: site.serial() == serial_of(pair[0]), "mended")
    eventually(lambda: re.search(stale + "0", site.page("/metrics")), "no problem any more")


@pytest.mark.parametrize("main", ["", "master_process off;"], ids=["master", "one process"])
def test_a_reload_that_takes_what_was_mended_ends_the_problem(start, authority, tmp_path, main):
    site = Site(start, tmp_path, authority, main=main)
    key = (tmp_path / "a.example.key").read_text()
    (tmp_path / "a.example.key").write_text("broken")
    eventually(lambda: re.search(r"weir_certificate_stale{.*} 1", site.page("/metrics")),
               "it is told of")
    # The reload comes before a look at it.
    (tmp_path / "a.example.key").write_text(key)
    site.proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: re.search(r"weir_certificate_stale{.*} 0", site.page("/metrics")),
               "no problem any more")
    assert site.certificates()["a.example.crt"]["problem"] is None


def test_links_that_are_switched_as_kubernetes_does(start, authority, tmp_path):
    for version, days in (("..1", 10), ("..2", 20)):
        (tmp_path / version).mkdir()
        for source, kind in zip(authority.sign("a.example", days=days), ("crt", "key")):
            shutil.copy(source, tmp_path / version / f"tls.{kind}")
    (tmp_path / "..data").symlink_to("..1")
    for kind in ("crt", "key"):
        (tmp_path / f"tls.{kind}").symlink_to(f"..data/tls.{kind}")
    proxy = start.proxy(f"""server {{ listen @listen@ ssl; ssl_certificate {tmp_path}/tls.crt;
        ssl_certificate_key {tmp_path}/tls.key; return 200 ok; }}""",
                        main="certificate_watch 100ms; error_log @dir@/error.log notice;")
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")

    def serial():
        context = ssl.create_default_context(cafile=str(authority.certificate))
        with socket.create_connection(("127.0.0.1", proxy.port), LIMIT) as sock, \
                context.wrap_socket(sock, server_hostname="a.example") as tls:
            return tls.getpeercert()["serialNumber"]

    eventually(lambda: serial() == serial_of(tmp_path / "..2/tls.crt"), "the new one is served")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_key_is_for_root_alone(start, authority, tmp_path):
    site = Site(start, tmp_path, authority)
    for path in tmp_path.glob("*.key"):
        assert path.stat().st_uid == 0
    pair = authority.sign("a.example")
    os.chmod(pair[1], 0o600)
    site.put("a.example", pair)
    os.chmod(tmp_path / "a.example.key", 0o600)
    eventually(lambda: site.serial() == serial_of(pair[0]), "the new certificate is served")


def test_certificates_that_expire_are_told_of(start, authority, tmp_path):
    pairs = {"soon.example": 2, "later.example": 10, "late.example": 100}
    site = Site(start, tmp_path, authority, names=tuple(pairs))
    for name, days in pairs.items():
        site.put(name, authority.sign(name, days=days))
    eventually(lambda: "soon.example.crt\" for soon.example expires in 47 hours" in site.log()
               and "later.example.crt\" for later.example expires in 9 days" in site.log(),
               "the log warns")
    assert "late.example expires" not in site.log()
    certificates = site.certificates()
    assert certificates["soon.example.crt"]["days_left"] == 1
    assert certificates["late.example.crt"]["names"] == ["late.example"]
    assert certificates["late.example.crt"]["key_type"] == "EC 256"
    expiry = re.search(r'weir_certificate_expiry_timestamp_seconds{certificate="[^"]*/late'
                       r'.example.crt",name="late.example"} (\S+)', site.page("/metrics"))
    assert float(expiry[1]) == certificates["late.example.crt"]["not_after"]


def test_a_reload_still_refuses_a_broken_pair(make, authority, tmp_path):
    for source, kind in zip(authority.sign("a.example"), ("crt", "key")):
        shutil.copy(source, tmp_path / f"a.{kind}")
    program = make("pid @dir@/p.pid; error_log @dir@/error.log info; certificate_watch off;"
                   + (" user root;" if os.geteuid() == 0 else "") +
                   f"""events {{ }} http {{ access_log off; server {{ listen @listen@ ssl;
                   ssl_certificate {tmp_path}/a.crt; ssl_certificate_key {tmp_path}/a.key; }} }}""")
    program.start()
    (tmp_path / "a.crt").write_text("broken")
    program.signal(1)
    program.wait_for_log("reload failed")
    assert "has changed" not in program.log()
