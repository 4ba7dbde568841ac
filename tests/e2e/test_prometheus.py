"""The rules of deploy/prometheus, with promtool and with a real Prometheus that watches weir being
hurt: every alert fires, and clears. And the dashboard of deploy/grafana: each query is understood,
each metric exists."""

import functools
import json
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from certificates import Authority
from dns_server import DnsServer
from harness import PROXY, ROOT, eventually, free_port, weir_binary
from operators import kill_engine
from prometheus import FOLDER, Prometheus, alert_names
from redis_server import RedisServer
from wire import reply, request, send_once

pytestmark = [pytest.mark.skipif(PROXY == "nginx", reason="of weir alone"),
              pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus here")]

SUFFIX = re.compile(r"_(bucket|sum|count)$")


@functools.cache
def metric_names():
    done = subprocess.run([weir_binary(), "-h", "metrics"], capture_output=True, text=True,
                          check=True, timeout=20)
    table = re.findall(r"^\| `(\w+)` \| (\w+)", done.stdout, re.M)
    assert len(table) > 50
    return {name for name, _ in table}, {name for name, kind in table if kind == "histogram"}


def check_names(text, where):
    """All metrics that a query speaks of exist, histograms by the names of their series."""
    known, histograms = metric_names()
    text = re.sub(r"\{[^}]*\}|\"[^\"]*\"", "", text)
    for name in re.findall(r"\b(?:weir|process)_\w+", text):
        base = SUFFIX.sub("", name)
        if base in histograms:
            assert name != base, f"{where}: {name} is a histogram"
        else:
            assert name in known, f"{where}: there is no {name}"


# ---- promtool

@pytest.mark.parametrize("arguments", [
    ("check", "config", "prometheus.yml"), ("check", "rules", "weir.rules.yml", "weir.alerts.yml"),
    ("test", "rules", "weir.tests.yml")])
def test_promtool(arguments):
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0 and "FAILED" not in done.stdout, done.stdout + done.stderr


def test_every_alert_has_a_test_with_its_own_times():
    tested = set(re.findall(r"alertname: (\w+)", (FOLDER / "weir.tests.yml").read_text()))
    assert tested == alert_names()


@pytest.mark.parametrize("name", ["weir.rules.yml", "weir.alerts.yml"])
def test_metrics_of_the_rules_exist(name):
    text = (FOLDER / name).read_text()
    assert "\t" not in text
    for expression in re.findall(r"expr: (?:\|\n((?:\s{10,}.*\n)+)|(.*))", text):
        check_names("".join(expression), name)


# ---- weir that is hurt

class Hurt:
    """A weir with something wrong for each alert, to be switched on and off."""

    def __init__(self, start, directory):
        self.start, self.directory = start, directory
        self.healthy, self.admin, self.tls, self.redis_port = True, free_port(), free_port(), free_port()
        self.no_port = free_port()
        self.nodes = [start.node(self.check) for _ in range(3)]
        self.slow = start.node(self.answer_late)
        self.breaking = start.node(lambda connection, _: connection.close())
        self.authority = Authority(directory)
        self.certificate, self.key = self.authority.sign("shop.example", days=1)
        self.redis = RedisServer(directory, port=self.redis_port)
        self.dns = DnsServer()
        self.dns.set("known.test", "127.0.0.1")
        self.proxy = start.proxy(self.text(), main=f"""certificate_watch 100ms;
            stream {{ server {{ listen 127.0.0.1:{free_port()}; return x; }} }}
            admin {{ listen 127.0.0.1:{self.admin}; }}""")
        self.text_of_conf = self.proxy.conf.read_text()
        self.threads = []

    def text(self):
        servers = " ".join(f"server {node.address};" for node in self.nodes)
        return f"""
            upstream app {{ {servers} health_check interval=100ms jitter=0 fast=100ms fails=1
                            passes=1 uri=/check; }}
            upstream late {{ server {self.slow.address} max_conns=1; queue 1 timeout=4s; }}
            upstream retries {{ server {self.breaking.address} max_fails=0;
                                server {self.slow.address} backup; retry_budget 1% least=1; }}
            upstream nodes {{ server {self.nodes[0].address};
                              registry redis://127.0.0.1:{self.redis_port} app=main; }}
            upstream named {{ server {self.nodes[0].address}; server nosuch.invalid:80; }}
            upstream known {{ server known.test:{self.nodes[0].port} resolve; resolver {self.dns.address}; }}
            server {{ listen @listen@; server_name app; location / {{ proxy_pass http://app; }}
                location /full {{ access_log /dev/full combined gzip buffer=1; return 204; }} }}
            server {{ listen @listen@; server_name late; proxy_read_timeout 10s;
                location / {{ proxy_pass http://late; }}
                location /retries {{ proxy_pass http://retries; }}
                location /nodes {{ proxy_pass http://nodes; }}
                location /known {{ proxy_pass http://known; }}
                location /named {{ proxy_pass http://named; }} }}
            server {{ listen 127.0.0.1:{self.tls} ssl; ssl_certificate {self.certificate};
                      ssl_certificate_key {self.key}; return 204; }}
            {self.ordered()}"""

    def ordered(self):
        """A certificate of an ACME server, and a responder of OCSP, that are not there."""
        certificate, key = self.authority.sign("asked.example")
        return f"""acme_issuer none {{ uri https://127.0.0.1:{self.no_port}/;
                                      state_path {self.directory}/acme; }}
            server {{ listen @listen@; server_name ordered.example;
                      acme_certificate none; }}
            server {{ listen 127.0.0.1:{self.tls} ssl; server_name asked.example;
                      ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_stapling on;
                      ssl_stapling_responder http://127.0.0.1:{self.no_port}/;
                      ssl_trusted_certificate {self.authority.certificate}; }}"""

    def check(self, _, message):
        return reply(200 if self.healthy or message.target != "/check" else 503)

    @staticmethod
    def answer_late(*_):
        time.sleep(2.7)
        return reply()

    def ask(self, count, target, host):
        """So many clients at once; nobody waits for what they get."""
        def client():
            try:
                send_once(self.proxy.port, request(target, host=host))
            except (OSError, AssertionError):
                pass
        for _ in range(count):
            self.threads.append(threading.Thread(target=client, daemon=True))
            self.threads[-1].start()

    def live_peers(self):
        page = send_once(self.admin, request("/metrics", host="localhost")).body.decode()
        return int(re.search(r'^weir_upstream_live_peers\{upstream="app"\} (\d)', page, re.M).group(1))

    def hurt(self):
        self.proxy.conf.write_text(self.text_of_conf + "nonsense;")
        self.proxy.process.send_signal(signal.SIGHUP)
        self.key.write_text("no key")
        self.dns.drop("known.test")
        for healthy in (False, True, False, True, False):
            self.healthy = healthy
            eventually(lambda live=3 * healthy: self.live_peers() == live, "checks find out")

    def keep_hurting(self):
        self.ask(4, "/", "app")
        self.ask(3, "/full", "app")
        self.ask(4, "/", "late")
        self.ask(4, "/retries", "late")
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", self.tls), 5) as client:
                client.sendall(b"\x16\x03\x01\x00\x05hello")
                client.settimeout(5)
                client.recv(100)

    def heal(self):
        self.healthy = True
        self.redis.start()
        self.dns.set("known.test", "127.0.0.1")
        self.authority.sign("shop.example")
        text = self.text_of_conf.replace("server nosuch.invalid:80;", "")
        self.proxy.conf.write_text(re.sub(r"acme_issuer .*", "}", text, flags=re.S))
        self.proxy.process.send_signal(signal.SIGHUP)

    def stop(self):
        for thread in self.threads:
            thread.join(20)
        self.redis.stop()


def exhaust(port):
    """Holds so many connections that no descriptor is left; they are returned."""
    clients = []
    try:
        for _ in range(120):
            clients.append(socket.create_connection(("127.0.0.1", port), 2))
            clients[-1].sendall(b"GET /hold HTTP/1.1\r\nHost: a\r\n")
    except OSError:
        pass
    return clients


def small_weir(start, descriptors):
    """One that answers by itself, and its admin port."""
    admin = free_port()
    limit = f"worker_rlimit_nofile {descriptors};" if descriptors else ""
    return start.proxy("server { listen @listen@; return 204; }",
                       main=f"{limit} admin {{ listen 127.0.0.1:{admin}; }}"), admin


def test_every_alert_fires_and_clears(start, tmp_path):
    hurt = Hurt(start, tmp_path)
    small, small_admin = small_weir(start, 90)
    restless, restless_admin = small_weir(start, None)
    prometheus = Prometheus(tmp_path, [hurt.admin, small_admin, restless_admin]).start()
    try:
        eventually(lambda: len(prometheus.query("weir_build_info")) == 3, "a first scrape", 20)
        # All descriptors are taken; then nine of ten, since a scrape wants one as well.
        clients = exhaust(small.port)
        for client in clients[60:]:
            client.close()
        hurt.hurt()
        wanted = alert_names() - {"WeirDown"}
        deadline = time.monotonic() + 30
        while not wanted <= prometheus.seen and time.monotonic() < deadline:
            hurt.keep_hurting()
            if "WeirRestarts" not in prometheus.seen:
                kill_engine(restless)
            time.sleep(0.6)  # a scrape is to see each
            prometheus.firing()
        assert wanted <= prometheus.seen, sorted(wanted - prometheus.seen)
        restless.stop()
        for client in clients[:60]:
            client.close()
        hurt.heal()
        prometheus.wait_firing({"WeirDown"})
        restless.start()
        prometheus.wait_quiet()
        assert prometheus.seen == alert_names()
        check_dashboard(prometheus)
    finally:
        hurt.stop()
        prometheus.stop()


# ---- the dashboard

DASHBOARD = ROOT / "deploy/grafana/weir.json"
VALUES = {"$__rate_interval": "1m", "$job": ".*", "$instance": ".*", "$server": ".*",
          "$upstream": ".*"}


def expressions():
    dashboard = json.loads(DASHBOARD.read_text())
    found = [(panel["title"], target["expr"]) for panel in dashboard["panels"]
             for target in panel.get("targets", [])]
    found += [("annotation", each["expr"]) for each in dashboard["annotations"]["list"]]
    return found


def check_dashboard(prometheus):
    empty = []
    for title, expression in expressions():
        for name, value in VALUES.items():
            expression = expression.replace(name, value)
        assert "$" not in expression, (title, expression)
        result = prometheus.query(expression)
        assert isinstance(result, list), (title, expression, result)
        if not result:
            empty.append(title)
    # Weir was hurt in nearly all ways there are.
    assert len(set(empty)) <= 4, empty


def test_the_dashboard_is_what_its_tables_say():
    done = subprocess.run([DASHBOARD.parent / "make", "--check"], capture_output=True, text=True,
                          check=False, timeout=20)
    assert done.returncode == 0, done.stderr


def test_metrics_of_the_dashboard_exist():
    dashboard = json.loads(DASHBOARD.read_text())
    assert len(expressions()) > 40
    for title, expression in expressions():
        check_names(expression, title)
    for variable in dashboard["templating"]["list"]:
        check_names(variable.get("definition", ""), variable["name"])
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    # No panel covers another.
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, panel["title"]
                taken.add((x, y))
