"""A real Prometheus on the rules of deploy/prometheus, made quick: what takes minutes there takes
seconds here."""

import json
import pathlib
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

from harness import ROOT, eventually, free_port

FOLDER = ROOT / "deploy/prometheus"
WINDOW = "5s"


def rules(name, quick=True):
    text = (FOLDER / name).read_text()
    if quick:
        text = re.sub(r"\[\d+[smh]\]", f"[{WINDOW}]", text)
        text = re.sub(r"for: \d+[smh]", "for: 0s", text)
    return text


def alert_names():
    return set(re.findall(r"- alert: (\w+)", rules("weir.alerts.yml")))


class Prometheus:
    """Scrapes `ports` twice a second."""

    def __init__(self, directory, ports):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        for name in ("weir.rules.yml", "weir.alerts.yml"):
            (self.directory / name).write_text(rules(name))
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        (self.directory / "prometheus.yml").write_text(f"""
global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}
rule_files: [weir.rules.yml, weir.alerts.yml]
scrape_configs:
  - job_name: weir
    static_configs: [{{ targets: [{targets}] }}]
""")
        self.process = None
        self.seen = set()

    def start(self):
        with open(self.directory / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                [shutil.which("prometheus") or "prometheus",
                 f"--config.file={self.directory}/prometheus.yml",
                 f"--storage.tsdb.path={self.directory}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        eventually(self._ready, "prometheus is ready", 20)
        return self

    def _ready(self):
        assert self.process.poll() is None, (self.directory / "prometheus.log").read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2):
                return True
        except OSError:
            return False

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as why:
            return json.load(why)

    def query(self, text):
        """The result, or what is wrong with the text."""
        answer = self.get("query", query=text)
        return answer["data"]["result"] if answer["status"] == "success" else answer["error"]

    def firing(self):
        """Names of the alerts that fire; `seen` gathers all that ever did."""
        names = {alert["labels"]["alertname"] for alert in self.get("alerts")["data"]["alerts"]
                 if alert["state"] == "firing"}
        self.seen |= names
        return names

    def wait_firing(self, names, limit=30):
        missing = set(names)

        def fired():
            missing.difference_update(self.firing())
            return not missing
        try:
            eventually(fired, "alerts", limit)
        except AssertionError:
            raise AssertionError(f"within {limit} s these did not fire: {sorted(missing)}") from None

    def wait_quiet(self, limit=40):
        try:
            eventually(lambda: not self.firing(), "no alert fires", limit)
        except AssertionError:
            raise AssertionError(f"after {limit} s these still fire: {self.firing()}") from None

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
