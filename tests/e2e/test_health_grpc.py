"""Checks by gRPC (type=grpc), against nginx's HTTP/2 with a scripted node behind it."""
import shutil

import pytest

from certificates import Authority
from harness import PROXY, free_port
from test_health import wait_for_state
from wire import reply

pytestmark = [pytest.mark.skipif(PROXY == "nginx", reason="nginx has no active checks"),
              pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx for HTTP/2")]

# What makes an answer of gRPC of one in HTTP/1.
FRONT = """
    server {{ listen @listen@ http2; default_type application/grpc;
             location / {{ proxy_pass http://{node}; proxy_http_version 1.1;
                           add_trailer grpc-status $upstream_http_x_grpc; }} }}"""


def message(status):
    """HealthCheckResponse with its prefix."""
    return b"\0\0\0\0\2\x08" + bytes([status])


class Peer:
    """The address of what stands in front of a node."""

    def __init__(self, port):
        self.address = f"127.0.0.1:{port}"


def test_a_service_that_is_asked_whether_it_serves(start):
    state = {"answer": reply(200, message(1), "X-Grpc: 0")}
    node = start.node(lambda *_: state["answer"])
    front = start.proxy(FRONT.format(node=node.address), kind="nginx")
    peer = Peer(front.port)
    admin = free_port()
    start.proxy(f"""
        upstream app {{ server {peer.address};
            health_check type=grpc grpc_service=my.Service interval=50ms fast=50ms timeout=1s; }}
        server {{ listen @listen@; location / {{ proxy_pass http://app; }} }}""",
                main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    assert wait_for_state(admin, peer, "up")["last_check"]["detail"] == "got SERVING"
    seen = node.requests[0]
    assert seen.method == "POST" and seen.target == "/grpc.health.v1.Health/Check"
    assert seen.get("Content-Type") == "application/grpc"
    assert seen.body == b"\0\0\0\0\x0c\x0a\x0amy.Service"
    for answer, layer, detail in [
            (reply(200, message(2), "X-Grpc: 0"), "status", "got NOT_SERVING, want SERVING"),
            (reply(200, b"", "X-Grpc: 5"), "status", "got grpc-status 5 (NOT_FOUND), want 0"),
            (reply(404, b"no"), "status", 'got HTTP status "404", want 200'),
            (reply(200, message(1)), "response", "invalid answer: no grpc-status")]:
        state["answer"] = answer
        peer_state = wait_for_state(admin, peer, "down")
        assert peer_state["last_check"]["layer"] == layer
        assert peer_state["last_check"]["detail"] == detail
        state["answer"] = reply(200, message(1), "X-Grpc: 0")
        wait_for_state(admin, peer, "up")


def test_a_server_without_the_protocol_may_do(start):
    node = start.node(lambda *_: reply(200, b"", "X-Grpc: 12"))
    front = start.proxy(FRONT.format(node=node.address), kind="nginx")
    peer = Peer(front.port)
    admin = free_port()
    start.proxy(f"""upstreams:
  app:
    servers: ["{peer.address}"]
    health_check: {{ type: grpc, grpc_status: 12, interval: 50ms }}
servers: {{listen: "@listen@", locations: {{path: /, proxy_pass: http://app}}}}
error_log: "@dir@/error.log notice"
admin: {{ listen: "127.0.0.1:{admin}" }}
""")
    detail = wait_for_state(admin, peer, "up")["last_check"]["detail"]
    assert detail == "got grpc-status 12 (UNIMPLEMENTED)"


def test_a_node_that_speaks_http_1_is_told_apart(start):
    node = start.node(lambda *_: reply(400, b""))
    admin = free_port()
    start.proxy(f"""
        upstream app {{ server {node.address};
            health_check type=grpc interval=50ms timeout=1s; }}
        server {{ listen @listen@; location / {{ proxy_pass http://app; }} }}""",
                main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    reason = wait_for_state(admin, node, "down")["reason"]
    assert reason.startswith("response: ")


def test_over_tls_it_asks_for_http_2_and_mistrust_has_a_layer_of_its_own(start, tmp_path):
    authority = Authority(tmp_path)
    stranger = Authority(tmp_path, "stranger")
    certificate, key = authority.sign("node.example")
    node = start.node(lambda *_: reply(200, message(1), "X-Grpc: 0"))
    front = start.proxy(FRONT.format(node=node.address).replace(
        "http2;", f"ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key};"),
        kind="nginx")
    peer = Peer(front.port)
    for trusted, state in [(authority, "up"), (stranger, "down")]:
        admin = free_port()
        start.proxy(f"""
            upstream app {{ server {peer.address}; health_check type=grpc interval=50ms; }}
            server {{ listen @listen@; location / {{
                proxy_pass https://app; proxy_ssl_name node.example; proxy_ssl_verify on;
                proxy_ssl_trusted_certificate {trusted.certificate}; }} }}""",
                    main=f"admin {{ listen 127.0.0.1:{admin}; }}")
        last = wait_for_state(admin, peer, state)["last_check"]
        assert last["layer"] == ("ok" if state == "up" else "tls")
    assert "certificate" in last["detail"]
