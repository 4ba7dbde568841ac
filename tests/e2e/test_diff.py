"""`weir -t --diff`: what a reload would do to the clients, before it does it."""

import re

import pytest

from harness import PROXY
from program import MAIN
from wire import reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx has no such option")

SERVER = ("server { listen @listen@; set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP; "
          "location / { proxy_pass http://app; } }")
CLIENTS = [f"10.{i % 7}.{i}.1" for i in range(120)]


@pytest.fixture(name="running")
def running_fixture(make):
    nodes = [make.node() for _ in range(4)]
    for node in nodes:
        node.handler = lambda *_, name=node.address: reply(200, name.encode())
    servers = "".join(f"server {node.address}; " for node in nodes[:3])
    program = make(MAIN + "admin { control @dir@/c.sock; } events { } http { access_log off; "
                   f"upstream app {{ ip_hash; {servers}}} {SERVER} }}")
    program.start()
    return program, nodes


def diff(program, *more):
    done = program.run("-t", "-q", "--diff", *more)
    return done.returncode, done.stdout, done.stderr


def peers(program):
    """Where each of the clients goes."""
    return [send_once(program.port, request("/", f"X-Real-IP: {client}")).body
            for client in CLIENTS]


def test_the_share_it_tells_is_the_share_that_moves(running):
    program, nodes = running
    assert diff(program) == (0, 'upstream "app" (ip_hash): no client moves\n', "")
    before = peers(program)
    program.rewrite(f"server {nodes[2].address};",
                    f"server {nodes[2].address}; server {nodes[3].address};")
    status, told, _ = diff(program)
    share = float(re.search(r"([\d.]+) % of the clients move\n", told)[1])
    assert status == 0 and f"  + {nodes[3].address}: 0.0 %" in told, told
    assert peers(program) == before  # it has changed nothing
    program.reload()
    moved = sum(a != b for a, b in zip(before, peers(program)))
    assert abs(100 * moved / len(CLIENTS) - share) < 12, (moved, told)
    assert diff(program) == (0, 'upstream "app" (ip_hash): no client moves\n', "")


def test_a_peer_that_checks_found_down_has_no_clients(running):
    program, nodes = running
    program.rewrite("ip_hash;", "ip_hash; health_check interval=100ms fast=50ms;")
    for node in nodes[:3]:
        node.handler = lambda *_: reply(200, b"")
    program.reload()
    nodes[2].handler = lambda *_: reply(500, b"")
    program.rewrite(f"server {nodes[2].address};", f"server {nodes[2].address} down;")
    told = ""
    for _ in range(200):
        told = diff(program)[1]
        if "no client moves" in told:
            break
    assert told == ('upstream "app" (ip_hash): no client moves\n'
                    f"  - {nodes[2].address}: 0.0 % of the clients -> 0.0 %\n"), told


def test_a_configuration_with_a_mistake_is_not_compared(running):
    program, _ = running
    program.rewrite("ip_hash;", "ip_hsah;")
    status, told, why = diff(program)
    assert status == 1 and told == "" and "ip_hsah" in why


def test_nothing_to_compare_with_is_said(running):
    program, _ = running
    pid = program.pid()
    program.stop()
    program.gone(pid)
    status, told, why = diff(program)
    assert status == 1 and told == "" and "no weir runs here" in why
    status, told, why = diff(program, "--socket", str(program.directory / "none"))
    assert status == 1 and "none" in why
    program.rewrite("control @dir@/c.sock".replace("@dir@", str(program.directory)), "control off")
    assert "control off" in diff(program)[2]


def test_sticky_clients_are_known_by_what_they_bring(running):
    program, nodes = running
    program.rewrite("ip_hash;", "sticky cookie where;")
    program.rewrite(f"server {nodes[0].address};", f"server {nodes[0].address} route=a;")
    program.reload()
    assert diff(program)[1] == 'upstream "app" (round_robin, sticky cookie where): no client moves\n'
    program.rewrite("route=a", "route=b")
    told = diff(program)[1]
    assert "of the clients move" in told and nodes[0].address in told
    program.rewrite("route=b", "route=a")
    program.rewrite("cookie where", "cookie there")
    assert ("(round_robin, sticky cookie where -> round_robin, sticky cookie there): what binds "
            "clients changes") in diff(program)[1]
