"""A responder of OCSP on loopback: `openssl ocsp` makes each answer."""

import base64
import http.server
import pathlib
import subprocess
import tempfile
import threading
import urllib.parse


class Responder:
    """Answers about what `authority` has signed; its word is signed by `signer`, a pair of paths
    (the authority's own)."""

    def __init__(self, directory, port=0):
        self.index = directory / "index.txt"
        self.index.write_text("")
        self.authority = self.signer = None
        self.days = 1
        self.asked = 0
        self.methods = set()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self.answer = None  # in place of openssl's: (status, body)
        self._directory = directory
        self._server = None
        self.port = port
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/ocsp"

    def serve(self, authority, signer=None):
        self.authority = authority
        self.signer = signer or (authority.certificate, authority.key)

    def know(self, certificate, state="V"):
        """V: it is good; R: it is revoked."""
        serial = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"],
                                capture_output=True, text=True, check=True,
                                timeout=20).stdout.strip().partition("=")[2]
        revoked = "200101000000Z" if state == "R" else ""
        with self.index.open("a") as file:
            file.write(f"{state}\t991231235959Z\t{revoked}\t{serial}\tunknown\t/CN={serial}\n")

    def start(self):
        responder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                encoded = urllib.parse.unquote(self.path.rpartition("/")[2])
                self.tell(base64.b64decode(encoded, validate=True))

            def do_POST(self):
                assert self.headers["Content-Type"] == "application/ocsp-request"
                self.tell(self.rfile.read(int(self.headers["Content-Length"])))

            def tell(self, body):
                with responder._lock:  # pylint: disable=protected-access
                    responder.asked += 1
                    responder.methods.add(self.command)
                    responder.at_once += 1
                    responder.most_at_once = max(responder.most_at_once, responder.at_once)
                status, answer = responder.answer or (200, responder.made(body))
                with responder._lock:  # pylint: disable=protected-access
                    responder.at_once -= 1
                self.send_response(status)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def made(self, request):
        with tempfile.TemporaryDirectory(dir=self._directory) as folder:
            asked, answered = pathlib.Path(folder, "request"), pathlib.Path(folder, "answer")
            asked.write_bytes(request)
            certificate, key = self.signer
            subprocess.run(["openssl", "ocsp", "-index", self.index, "-CA",
                            self.authority.certificate, "-rsigner", certificate, "-rkey", key,
                            "-reqin", asked, "-respout", answered, "-ndays",
                            str(self.days)], check=True, capture_output=True, timeout=20)
            return answered.read_bytes()
