"""What the answer to a check must be: `match`, in both syntaxes; checks by TCP; kept connections."""
import socket
import threading

import pytest

from harness import PROXY, eventually, free_port, site
from test_health import ask, served, wait_for_state
from wire import reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx has no active checks")

NGINX = """
    match ready { status 200; header Content-Type = text/plain; header ! X-Draining;
                  require $upstream_http_x_ready $status; body ~ "^re+ady"; body !~ maintenance; }
    upstream app { server %s; server %s;
                   health_check uri=/health interval=50ms fast=50ms timeout=500ms fails=1 match=ready; }
    server { listen @listen@; location / { proxy_pass http://app; } }"""
INLINE = """
    upstream app { server %s; server %s;
        health_check uri=/health interval=50ms fast=50ms timeout=500ms fails=1 {
            status 200; header Content-Type = text/plain; header ! X-Draining;
            require $upstream_http_x_ready; body ~ "^re+ady"; body !~ maintenance; } }
    server { listen @listen@; location / { proxy_pass http://app; } }"""
YAML = """upstreams:
  app:
    servers: ["%s", "%s"]
    health_check:
      uri: /health
      interval: 50ms
      fast: 50ms
      timeout: 500ms
      fails: 1
      match:
        status: 200
        header: [Content-Type = text/plain, "! X-Draining"]
        require: [$upstream_http_x_ready, $status]
        body: [~ ^re+ady, "!~ maintenance"]
servers: {listen: "@listen@", locations: {path: /, proxy_pass: http://app}}
error_log: "@dir@/error.log notice"
"""

PLAIN = ("Content-Type: text/plain", "X-Ready: yes")
GOOD = reply(200, b"ready", *PLAIN)
# What a node may answer to its check: the layer and the reason of its being down.
BAD = [
    (reply(503, b"ready", *PLAIN), "status", "got 503, want 200"),
    (reply(200, b"ready", "Content-Type: text/html"), "header",
     'field "Content-Type" is "text/html", want "text/plain"'),
    (reply(200, b"ready", *PLAIN, "X-Draining: 1"), "header",
     'field "X-Draining" is "1", want none'),
    (reply(200, b"ready", "Content-Type: text/plain", "X-Ready: 0"), "header",
     "requires $upstream_http_x_ready, is 0"),
    (reply(200, b"ready", "Content-Type: text/plain"), "header",
     "requires $upstream_http_x_ready, the field is missing"),
    (reply(200, b"waiting", *PLAIN), "body",
     'body must match ~ "^re+ady", begins with "waiting"'),
    (reply(200, [b"re", b"ady, in ", b"maintenance"], *PLAIN), "body",
     'body must not match ~ "maintenance", begins with "ready, in maintenance"'),
]


@pytest.mark.parametrize("text", [NGINX, INLINE, YAML], ids=["nginx", "inline", "yaml"])
def test_the_tests_of_a_match(start, text):
    state = {"answer": GOOD}
    node = start.node(lambda _, seen: state["answer"] if seen.target == "/health" else reply())
    other = start.node(lambda _, seen: GOOD)
    admin = free_port()
    listen = f"127.0.0.1:{admin}"
    text = text % (node.address, other.address)
    if text.startswith("upstreams:"):
        proxy = start.proxy(text + f'admin: {{listen: "{listen}"}}\n')
    else:
        proxy = start.proxy(text, main=f"admin {{ listen {listen}; }}")
    for answer, layer, reason in BAD:
        wait_for_state(admin, node, "up")
        state["answer"] = answer
        peer = wait_for_state(admin, node, "down")
        assert peer["reason"] == f"{layer}: {reason} (1/1)"
        assert peer["last_check"]["layer"] == layer and peer["last_check"]["detail"] == reason
        before = served(node)
        for _ in range(4):
            assert send_once(proxy.port, request()).status == 200
        assert served(node) == before
        assert any(f"down: {layer}: {reason}" in line for line in proxy.log("error.log"))
        metrics = ask(admin, "/metrics")[1]
        count = next(line for line in metrics.splitlines() if line.startswith(
            f'weir_upstream_checks_failed_total{{upstream="app",peer="{node.address}",layer="{layer}"}}'))
        assert float(count.split()[-1]) >= 1
        state["answer"] = GOOD
    wait_for_state(admin, node, "up")


class Greeter:
    """Answers the lines it gets on raw connections with a text that a test chooses."""

    def __init__(self):
        self.answer = b"+PONG\r\n"
        self.received = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self.received.append(connection.recv(100))
                    connection.sendall(self.answer)
                    connection.recv(100)  # its end
                except OSError:
                    pass

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


def test_send_and_expect_at_another_port(start):
    node = start.node()
    greeter = Greeter()
    admin = free_port()
    try:
        start.proxy(
            site([node], http='match pong { send "PING\\r\\n\\x41"; expect "+PONG"; }', upstream=
                 f"health_check type=tcp port={greeter.port} match=pong interval=50ms fast=50ms "
                 "timeout=300ms;"),
            main=f"admin {{ listen 127.0.0.1:{admin}; }}")
        peer = wait_for_state(admin, node, "up")
        assert peer["last_check"]["detail"] == 'got "+PONG\\r\\n"'
        assert greeter.received[0] == b"PING\r\nA"
        greeter.answer = b"-LOADING\r\n"
        peer = wait_for_state(admin, node, "down")
        assert '-LOADING' in peer["reason"] and "+PONG" in peer["reason"]
        assert not node.requests
    finally:
        greeter.stop()


def test_checks_over_one_connection(start):
    node = start.node()
    admin = free_port()
    start.proxy(site([node], upstream="health_check interval=20ms keepalive_time=1h;"),
                main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    node.wait_for_requests(5)
    assert len(node.connections) == 1
    # A node that is stopped for a moment: its connections end, and it answers over new ones.
    node.connections[0].close()
    seen = len(node.requests)
    eventually(lambda: len(node.requests) > seen + 2, "checks go on")
    assert len(node.connections) == 2
    peer = wait_for_state(admin, node, "up")
    assert peer["failed_checks"] == 0


# What NocoBase answers before it is ready, and when it is.
STARTING = b'{"error":{"status":503,"maintaining":true,"code":"APP_COMMANDING"}}'


def test_a_node_that_starts_as_nocobase_does_is_ready_at_its_200(start):
    state = {"answer": reply(404, b'{"error":{"maintaining":true,"code":"APP_NOT_FOUND"}}')}
    node = start.node(lambda _, seen: state["answer"] if seen.target == "/api/__health_check"
                      else reply())
    other = start.node(lambda *_: reply(200, b"ok"))
    admin = free_port()
    proxy = start.proxy(f"""upstreams:
  app:
    servers: ["{node.address}", "{other.address}"]
    health_check: {{ uri: /api/__health_check, interval: 50ms, fast: 20ms }}
servers: {{listen: "@listen@", locations: {{path: /, proxy_pass: http://app}}}}
error_log: "@dir@/error.log notice"
admin: {{ listen: "127.0.0.1:{admin}" }}
""")
    for answer, reason in [(state["answer"], "got 404"), (reply(503, STARTING), "got 503")]:
        state["answer"] = answer
        eventually(lambda: reason in wait_for_state(admin, node, "down")["last_check"]["detail"],
                   reason)
        for _ in range(4):
            assert send_once(proxy.port, request()).status == 200
    assert not any(target == "/" for target in node.targets)
    state["answer"] = reply(200, b"ok")
    wait_for_state(admin, node, "up")
    for _ in range(4):
        assert send_once(proxy.port, request()).status == 200
    assert any(target == "/" for target in node.targets)
