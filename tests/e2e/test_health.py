"""Active checks, idle connections, and what the admin listener says of them."""
import json
import signal
import time
import urllib.error
import urllib.request

import pytest

from harness import PROXY, eventually, free_port, site
from wire import Client, reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx has no active checks")

CHECK = "health_check uri=/health interval=50ms timeout=500ms fails=2 passes=1"


class Switch:
    """A node's health path that a test turns on and off; other paths say 200."""

    def __init__(self):
        self.status = 200

    def __call__(self, _, seen):
        return reply(self.status if seen.target == "/health" else 200, b"ok")


def ask(admin, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def state_of(admin, node):
    pools = json.loads(ask(admin, "/upstreams")[1])["upstreams"]
    return next(peer for pool in pools for peer in pool["peers"] if peer["name"] == node.address)


def wait_for_state(admin, node, state):
    return eventually(lambda: (peer := state_of(admin, node))["state"] == state and peer,
                      f"{node.address} is {state}")


def served(node):
    return sum(target != "/health" for target in node.targets)


@pytest.fixture
def checked(start):
    switches = [Switch(), Switch()]
    nodes = [start.node(switch) for switch in switches]
    admin = free_port()
    proxy = start.proxy(site(nodes, location=CHECK + ";"),
                        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    for node in nodes:
        wait_for_state(admin, node, "up")
    return proxy, admin, nodes, switches


def test_a_node_that_fails_its_checks_gets_no_request_until_it_passes(checked):
    proxy, admin, nodes, switches = checked
    switches[0].status = 503
    peer = wait_for_state(admin, nodes[0], "down")
    assert "503" in peer["reason"] and peer["last_check"]["layer"] == "status"
    before = served(nodes[0])
    for _ in range(20):
        assert send_once(proxy.port, request()).status == 200
    assert served(nodes[0]) == before
    assert any("down: status" in line for line in proxy.log("error.log"))

    switches[0].status = 200
    began = time.monotonic()
    wait_for_state(admin, nodes[0], "up")
    assert time.monotonic() - began < 1
    for _ in range(4):
        assert send_once(proxy.port, request()).status == 200
    assert served(nodes[0]) > before


def test_readiness_and_metrics_follow(checked):
    proxy, admin, nodes, switches = checked
    assert ask(admin, "/healthz")[0] == ask(admin, "/readyz")[0] == 200
    assert send_once(proxy.port, request()).status == 200
    for switch in switches:
        switch.status = 500
    for node in nodes:
        wait_for_state(admin, node, "down")
    assert ask(admin, "/healthz")[0] == 200
    status, why = ask(admin, "/readyz")
    assert status == 503 and "app" in why
    assert send_once(proxy.port, request()).status == 502
    # A request is counted after its answer.
    counts = [f'weir_requests_total{{server="_",code="{code}"}} 1' for code in ("2xx", "5xx")]
    eventually(lambda: all(count in ask(admin, "/metrics")[1] for count in counts), "both are counted")
    text = ask(admin, "/metrics")[1]
    for node in nodes:
        assert f'weir_upstream_peer_up{{upstream="app",peer="{node.address}"}} 0' in text


def test_a_mandatory_check_is_waited_for(start):
    switch = Switch()
    switch.status = 503
    node, other = start.node(switch), start.node()
    admin = free_port()
    proxy = start.proxy(site([node, other], location=CHECK + " mandatory;"),
                        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    wait_for_state(admin, other, "up")
    for _ in range(10):
        assert send_once(proxy.port, request()).status == 200
    assert served(node) == 0


def test_health_outlives_a_reload(checked):
    proxy, admin, nodes, switches = checked
    switches[0].status = 503
    wait_for_state(admin, nodes[0], "down")
    since = state_of(admin, nodes[0])["since"]
    proxy.process.send_signal(1)
    eventually(lambda: json.loads(ask(admin, "/upstreams")[1])["generation"] == 2, "the reload")
    peer = state_of(admin, nodes[0])
    assert peer["state"] == "down" and peer["since"] >= since


def test_an_idle_connection_ends_before_the_node_would_end_it(start):
    ended = []

    def handler(connection, _):
        connection.send(reply(200, b"ok", "Keep-Alive: timeout=2"))
        began = time.monotonic()
        connection.wait_for_end()
        ended.append(time.monotonic() - began)

    node = start.node(handler)
    proxy = start.before(node)
    with Client(proxy.port) as client:
        assert client.exchange(request()).status == 200
        eventually(lambda: ended, "the proxy closes its idle connection")
    assert 0.5 < ended[0] < 2


def test_yaml_and_nginx_syntax_check_alike(start):
    switch = Switch()
    node, other = start.node(switch), start.node()
    admin = free_port()
    proxy = start.proxy(f"""upstreams:
  app:
    servers: ["{node.address}", "{other.address}"]
    health_check: {{ uri: /health, interval: 50ms, fails: 2, status: 200 }}
servers:
  - listen: "@listen@"
    locations:
      - path: /
        proxy_pass: http://app
error_log: "@dir@/error.log notice"
admin: {{ listen: "127.0.0.1:{admin}" }}
""")
    wait_for_state(admin, node, "up")
    switch.status = 404
    assert "404" in wait_for_state(admin, node, "down")["reason"]
    before = served(node)
    for _ in range(6):
        assert send_once(proxy.port, request()).status == 200
    assert served(node) == before


# ---- several checks

@pytest.fixture(name="twice")
def twice_fixture(start, request):
    """Two nodes that are asked for /health, and each for its port beside it as well."""
    switches = [Switch(), Switch()]
    nodes = [start.node(switch) for switch in switches]
    beside = start.node()
    admin = free_port()
    yaml = getattr(request, "param", "nginx") == "yaml"
    if yaml:
        proxy = start.proxy(f"""upstreams:
  app:
    servers: [{nodes[0].address}, {nodes[1].address}]
    health_check:
      - {{uri: /health, interval: 50ms, timeout: 500ms, fails: 2}}
      - {{type: tcp, port: {beside.port}, interval: 50ms, timeout: 500ms, fails: 2}}
servers: [{{listen: "@listen@", locations: [{{path: /, proxy_pass: "http://app"}}]}}]
admin: {{listen: "127.0.0.1:{admin}"}}
error_log: "@dir@/error.log info"
""")
    else:
        proxy = start.proxy(site(nodes, location=CHECK + ";", upstream=f"""
            health_check type=tcp port={beside.port} interval=50ms timeout=500ms fails=2;"""),
            main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    for node in nodes:
        wait_for_state(admin, node, "up")
    return proxy, admin, nodes, switches, beside


@pytest.mark.parametrize("twice", ["nginx", "yaml"], indirect=True)
def test_of_several_checks_all_must_pass(twice):
    proxy, admin, nodes, switches, beside = twice
    switches[0].status = 503
    peer = wait_for_state(admin, nodes[0], "down")
    assert peer["reason"] == "/health: status: got 503, want 200-399 (2/2)"
    found = {check["name"]: check for check in peer["health_checks"]}
    tcp = f"tcp at port {beside.port}"
    assert found["/health"]["state"] == "down" and found["/health"]["last"]["status"] == 503
    assert found[tcp]["state"] == "up"
    assert peer["checks"] == sum(check["checks"] for check in found.values())
    before = served(nodes[0])
    for _ in range(10):
        assert send_once(proxy.port, request()).status == 200
    assert served(nodes[0]) == before
    assert any(f'peer {nodes[0].address} of "app" down: /health: status: got 503' in line
               for line in proxy.log("error.log"))

    switches[0].status = 200
    wait_for_state(admin, nodes[0], "up")
    beside.stop()
    for node in nodes:
        peer = wait_for_state(admin, node, "down")
        assert peer["reason"].startswith(f"{tcp}: connect: connection refused")
    # Another bad check is not another state.
    switches[1].status = 503
    eventually(lambda: all(check["state"] == "down" for check in
                           state_of(admin, nodes[1])["health_checks"]), "both fail")
    assert sum(f"peer {nodes[1].address}" in line and "down" in line
               for line in proxy.log("error.log")) == 1


def test_a_reload_that_adds_a_check_asks_it_before_it_is_up(twice):
    proxy, admin, nodes, _, beside = twice
    text = proxy.conf.read_text()
    proxy.conf.write_text(text.replace("health_check uri=/health", "health_check uri=/more "
                                       "interval=50ms status=418; health_check uri=/health"))
    proxy.process.send_signal(signal.SIGHUP)
    for node in nodes:
        peer = wait_for_state(admin, node, "down")
        assert peer["reason"].startswith("/more: status: got 200, want 418")
    assert send_once(proxy.port, request()).status == 502
    proxy.conf.write_text(text)
    proxy.process.send_signal(signal.SIGHUP)
    for node in nodes:
        peer = wait_for_state(admin, node, "up")
        assert len(peer["health_checks"]) == 2
