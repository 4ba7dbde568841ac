"""pebble, an ACME server for tests, on free ports of loopback, with a name server that has every name
at 127.0.0.1."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.request

import pytest

from certificates import Authority
from harness import eventually, free_port
from wire import LIMIT


class NameServer:
    """Answers each question for an A record with 127.0.0.1, any other with nothing."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                question, sender = self.sock.recvfrom(512)
            except OSError:
                return
            if not question:
                return
            end = question.index(b"\0", 12) + 5
            is_a = question[end - 4:end - 2] == b"\0\1"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1" if is_a else b""
            self.sock.sendto(question[:2] + b"\x81\x80\0\1\0" + bytes([is_a]) + b"\0\0\0\0" +
                             question[12:end] + answer, sender)

    def stop(self):
        if self.sock.fileno() < 0:
            return
        self.sock.sendto(b"", self.sock.getsockname())
        self.sock.close()


class Pebble:
    """`http` and `tls` are the ports where it looks for the answers to its challenges."""

    def __init__(self, directory, http=None, tls=None, validity=None, reject=0, reuse=0):
        binary = shutil.which("pebble")
        if binary is None:
            pytest.skip("pebble is missing: apt-get install pebble")
        self.directory = pathlib.Path(directory)
        self.authority = Authority(self.directory, "pebble-ca")
        self.http, self.tls = http or free_port(), tls or free_port()
        self.port, self.management = free_port(), free_port()
        certificate, key = self.authority.sign("pebble", host="localhost")
        settings = {"listenAddress": f"127.0.0.1:{self.port}",
                    "managementListenAddress": f"127.0.0.1:{self.management}",
                    "certificate": str(certificate), "privateKey": str(key),
                    "httpPort": self.http, "tlsPort": self.tls, "ocspResponderURL": "",
                    "externalAccountBindingRequired": False}
        if validity:
            settings["certificateValidityPeriod"] = validity
        config = self.directory / "pebble.json"
        config.write_text(json.dumps({"pebble": settings}))
        self.names = NameServer()
        self.output = self.directory / "pebble.log"
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1",
                       "PEBBLE_WFE_NONCEREJECT": str(reject), "PEBBLE_AUTHZREUSE": str(reuse)}
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(
                [binary, "-config", str(config), "-strict", "-dnsserver", self.names.address],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment,
                cwd=self.directory)
        eventually(self._accepts, "pebble accepts connections", 20)

    def _accepts(self):
        assert self.process.poll() is None, self.log()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def uri(self):
        return f"https://localhost:{self.port}/dir"

    def log(self):
        return self.output.read_text(errors="replace")

    def root(self):
        """The authority that issues."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        url = f"https://localhost:{self.management}/roots/0"
        with urllib.request.urlopen(url, timeout=LIMIT, context=context) as page:
            return page.read().decode()

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)
        self.names.stop()
