"""Clients that browsers' users and applications have: Node's own of HTTP/2, and `ws`."""

import json
import os
import pathlib
import subprocess

import pytest

from certificates import Authority
from harness import weir_only
from wire import LIMIT, reply

pytestmark = weir_only
SCRIPTS = pathlib.Path(__file__).parent / "node_js"
# Debian's packages of modules lie here; it is where its node looks, too.
ENVIRONMENT = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    authority.sign("a.example")
    return authority.directory


def script(name, *arguments, **options):
    return subprocess.Popen(["node", str(SCRIPTS / name), *map(str, arguments)], text=True,
                            stdout=subprocess.PIPE, env=ENVIRONMENT, **options)


def result(name, *arguments):
    with script(name, *arguments, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=6 * LIMIT)
    assert process.returncode == 0, err
    return json.loads(out)


def before(start, address, files, more=""):
    return start.proxy(f"""upstream nodes {{ server {address}; }}
        server {{
          listen @listen@ ssl; http2 on; server_name a.example; client_max_body_size 8m;
          ssl_certificate {files}/a.example.crt; ssl_certificate_key {files}/a.example.key;
          location / {{ proxy_pass http://nodes; {more} }}
        }}""")


def handler(connection, message):
    if message.target == "/echo":
        return reply(200, message.body)
    if message.target == "/trailers":
        return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                b"1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n")
    if message.target == "/endless":
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        return connection.wait_for_end()
    return reply(200, message.target.encode())


def test_http2_of_node(start, files):
    proxy = before(start, start.node(handler).address, files, "proxy_pass_trailers on;")
    assert result("http2_client.js", proxy.port, files / "ca.crt") == {
        "right": 100, "echoed": True, "abandoned": 8, "trailer": "7", "last": "/last",
        "protocol": "h2"}


def test_ws(start, files):
    with script("websocket.js", "serve", stdin=subprocess.PIPE) as server:
        port = server.stdout.readline().strip()
        proxy = before(start, f"127.0.0.1:{port}", files,
                       'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; '
                       'proxy_set_header Connection "upgrade";')
        url = f"wss://127.0.0.1:{proxy.port}/ws?x=1"
        assert result("websocket.js", "ask", url, files / "ca.crt") == {
            "uri": "/ws?x=1", "ponged": "are you there", "echoed": True, "closed": [4001, "gone"]}
        server.stdin.close()
        server.wait(LIMIT)
