"""Operators' verbs: who gets requests, what is set and kept, and who may."""

import json
import os
import signal
import stat
import threading

import pytest

from harness import PROXY, Proxy, eventually, free_port, site
from operators import (Control, api, control, kill_engine, peer, pool, refused, run, served,
                       serving_again, state_file, states, weir)
from test_upgrade import LOCATION, FIELDS, echo_node, frame
from wire import Client, reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx has no such verbs")

TOKEN = "0123456789abcdef0123"


@pytest.fixture
def two(start):
    nodes = [start.node(), start.node()]
    return start.before(nodes), nodes


# ---- drain, down, ready

def test_a_drained_peer_gets_no_new_requests_until_it_is_ready(two):
    proxy, nodes = two
    name = f"app/{nodes[0].address}"
    assert served(nodes, proxy, 4) == [2, 2]
    assert weir(proxy, "drain", name) == f"drain {name}\n"
    assert served(nodes, proxy, 4) == [0, 4]
    assert peer(proxy, nodes[0])["state"] == "draining"
    assert peer(proxy, nodes[0])["set"]["state"] == "draining"
    assert weir(proxy, "ready", name) == f"ready {name}\n"
    assert served(nodes, proxy, 4) == [2, 2]
    assert peer(proxy, nodes[0])["set"] is None
    weir(proxy, "down", name)
    assert states(proxy)[0] == "down by operator"
    assert served(nodes, proxy, 4) == [0, 4]
    weir(proxy, "ready", "app")
    assert served(nodes, proxy, 4) == [2, 2]


def test_a_pool_whose_only_peer_is_drained_has_nobody(start):
    node = start.node()
    proxy = start.before(node)
    weir(proxy, "drain", f"app/{node.address}")
    assert send_once(proxy.port, request()).status == 502
    weir(proxy, "ready", f"app/{node.address}")
    assert send_once(proxy.port, request()).status == 200


def test_what_is_in_flight_goes_on_and_wait_returns_when_it_has_ended(start):
    gate = threading.Event()
    node = start.node(lambda *_: reply(200, b"late" if gate.wait(10) else b"too late"))
    proxy = start.before(node)
    name = f"app/{node.address}"
    with Client(proxy.port) as client:
        client.send(request())
        node.wait_for_requests(1)
        done = run(proxy, "drain", name, "--wait", "--timeout", "300ms")
        assert done.returncode == 1 and "1 in flight" in done.stderr
        waiting = []
        thread = threading.Thread(target=lambda: waiting.append(run(proxy, "drain", name, "--wait")))
        thread.start()
        eventually(lambda: states(proxy) == ["draining"], "it drains")
        gate.set()
        assert client.read_response().body == b"late"
        thread.join()
    assert waiting[0].returncode == 0
    assert waiting[0].stdout == f"drain {name}\n{name}: nothing is left in flight\n"


@pytest.mark.parametrize("verb", ["drain", "down"])
def test_websockets_of_a_peer_that_goes_are_told_to_connect_elsewhere(start, verb):
    node = start.node(echo_node)
    proxy = start.before(node, location=LOCATION)
    with Client(proxy.port) as client:
        client.send(request("/ws", *FIELDS))
        assert client.read_response().status == 101
        weir(proxy, verb, f"app/{node.address}")
        client.sock.settimeout(15)
        assert client.exactly(4) == b"\x88\x02" + (1012).to_bytes(2, "big")
    weir(proxy, verb, f"app/{node.address}", "--wait")


def test_websockets_of_a_peer_that_a_reload_drains_are_told_to_connect_elsewhere(start):
    """Though the pool is sticky: by a route, and this client has brought none."""
    node = start.node(echo_node)
    proxy = start.before([node, start.node()], location=LOCATION, upstream="sticky route $arg_r;",
                         parameters=["route=a", "backup"])
    with Client(proxy.port) as free, Client(proxy.port) as bound:
        for client, uri in ((free, "/ws"), (bound, "/ws?r=a")):
            client.send(request(uri, *FIELDS))
            assert client.read_response().status == 101
        text = proxy.conf.read_text()
        proxy.conf.write_text(text.replace("route=a", "route=a drain"))
        proxy.process.send_signal(signal.SIGHUP)
        free.sock.settimeout(15)
        assert free.exactly(4) == b"\x88\x02" + (1012).to_bytes(2, "big")
        bound.send(frame(b"still", mask=b"abcd"))
        assert bound.exactly(7) == b"\x81\x05still"


def test_websockets_of_clients_bound_to_a_drained_peer_go_on(start):
    node = start.node(echo_node)
    proxy = start.before(node, location=LOCATION, upstream="sticky cookie route;")
    with Client(proxy.port) as client:
        client.send(request("/ws", *FIELDS))
        assert client.read_response().status == 101
        weir(proxy, "drain", f"app/{node.address}")
        assert peer(proxy, node)["in_flight"] == 1
        client.send(frame(b"still", mask=b"abcd"))
        assert client.exactly(7) == b"\x81\x05still"
    weir(proxy, "drain", f"app/{node.address}", "--wait")


def test_clients_bound_to_a_drained_peer_stay_and_new_ones_go_elsewhere(start):
    nodes = [start.node(), start.node()]
    proxy = start.before(nodes, upstream="sticky cookie route;")
    bound = {}
    while len(bound) < 2:
        before = [len(node.requests) for node in nodes]
        cookie = send_once(proxy.port, request()).get("set-cookie").split(";")[0]
        bound[[len(node.requests) - seen for node, seen in zip(nodes, before)].index(1)] = cookie
    weir(proxy, "drain", f"app/{nodes[0].address}")
    assert served(nodes, proxy, 3, f"Cookie: {bound[0]}") == [3, 0]
    assert served(nodes, proxy, 3) == [0, 3]
    told = api(proxy, "explain", uri="/", header=f"Cookie: {bound[0]}")
    assert told["peer"] == nodes[0].address and told["pool"]["reason"] == "sticky"
    weir(proxy, "down", f"app/{nodes[0].address}")
    assert served(nodes, proxy, 3, f"Cookie: {bound[0]}") == [0, 3]


def test_ready_waits_for_the_check_of_the_peer(start):
    healthy = threading.Event()
    node = start.node(lambda *_: reply(200 if healthy.is_set() else 503, b"x"))
    proxy = start.before([node, start.node()],
                         location="health_check uri=/h interval=50ms;")
    name = f"app/{node.address}"
    eventually(lambda: peer(proxy, node)["state"] == "down", "it fails its checks")
    weir(proxy, "drain", name)
    assert peer(proxy, node)["state"] == "draining"
    assert "status" in peer(proxy, node)["reason"]
    assert "before it passes its check" in weir(proxy, "ready", name)
    assert run(proxy, "ready", name, "--wait", "--timeout=200ms").returncode == 1
    healthy.set()
    assert "gets requests" in weir(proxy, "ready", name, "--wait")
    assert peer(proxy, node)["state"] == "up"


# ---- what is kept

@pytest.mark.parametrize("main", ["", "master_process off;"])
def test_what_is_set_outlives_reload_and_restart(start, main):
    nodes = [start.node(), start.node(), start.node()]
    proxy = start.proxy(site(nodes), main=main)
    weir(proxy, "drain", f"app/{nodes[0].address}")
    weir(proxy, "weight", f"app/{nodes[1].address}", "3")
    mode = stat.S_IMODE(state_file(proxy).stat().st_mode)
    assert mode == 0o600
    for _ in range(2):
        generation = api(proxy, "status")["generation"]
        proxy.process.send_signal(signal.SIGHUP)
        eventually(lambda g=generation: api(proxy, "status")["generation"] > g, "the reload")
        assert served(nodes, proxy, 8) == [0, 6, 2]
    if not main:
        kill_engine(proxy)
        serving_again(proxy)
        assert served(nodes, proxy, 8) == [0, 6, 2]
    proxy.stop()
    proxy.start()
    assert served(nodes, proxy, 8) == [0, 6, 2]
    assert peer(proxy, nodes[1])["set"]["weight"] == 3
    weir(proxy, "ready", "app")
    weir(proxy, "weight", f"app/{nodes[1].address}", "configured")
    assert not state_file(proxy).exists()
    assert served(nodes, proxy, 6) == [2, 2, 2]


@pytest.mark.parametrize("text, why", [
    ("{", "incomplete"), ("[]", "no JSON object"), ('{"version":7}', "another version"),
    ('{"version":1,"pools":{"app":{"peers":{"x":{"state":"dizzy"}}}}}', "invalid state"),
    ('{"version":1,"pools":{"app":{"peers":{"x":{"weight":0}}}}}', "invalid weight")])
def test_a_damaged_state_file_stops_no_start(two, text, why):
    proxy, nodes = two
    proxy.stop()
    state_file(proxy).write_text(text)
    proxy.start()
    assert served(nodes, proxy, 4) == [2, 2]
    assert why in proxy.wait_for_log("is damaged: ", "error.log")


def test_a_state_file_that_cannot_be_read_or_written_stops_nothing(two):
    proxy, nodes = two
    proxy.stop()
    state_file(proxy).mkdir()
    proxy.start()
    proxy.wait_for_log("state_file: .* is no file of weir's", "error.log")
    done = run(proxy, "drain", f"app/{nodes[0].address}")
    assert done.returncode == 0 and "it is not kept: " in done.stderr
    assert served(nodes, proxy, 4) == [0, 4]
    state_file(proxy).rmdir()


def test_paths_may_be_configured_and_change_with_a_reload(start):
    nodes = [start.node(), start.node()]
    proxy = start.proxy(site(nodes), main="admin { control @dir@/own.sock; state_file @dir@/s1; }")
    weir(proxy, "drain", f"app/{nodes[0].address}")
    assert not control(proxy).exists() and not state_file(proxy).exists()
    first = (proxy.directory / "s1").read_text()
    proxy.conf.write_text(proxy.conf.read_text().replace("s1", "s2"))
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: (proxy.directory / "s2").exists(), "the new file")
    assert (proxy.directory / "s2").read_text() == first
    proxy.conf.write_text(proxy.conf.read_text().replace(f"control {proxy.directory}/own.sock",
                                                         "control off"))
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: not (proxy.directory / "own.sock").exists(), "the socket is gone")
    assert "control off" in refused(proxy, "status")


# ---- weight, only, first

def test_a_weight_acts_as_a_reload_with_it_would(start):
    nodes = [start.node() for _ in range(3)]
    by_verb, by_reload = start.before(nodes), start.before(nodes)
    order = {}
    for proxy in by_verb, by_reload:
        assert sum(served(nodes, proxy, 4)) == 4
        if proxy is by_verb:
            weir(proxy, "weight", f"app/{nodes[1].address}", "5")
        else:
            text = proxy.conf.read_text()
            proxy.conf.write_text(text.replace(f"server {nodes[1].address} ;",
                                               f"server {nodes[1].address} weight=5;"))
            proxy.process.send_signal(signal.SIGHUP)
            eventually(lambda p=proxy: api(p, "status")["generation"] == 2, "the reload")
        order[proxy] = [served(nodes, proxy, 1).index(1) for _ in range(14)]
    assert order[by_verb] == order[by_reload]
    assert order[by_verb].count(1) == 10
    assert "5*" in weir(by_verb, "status")


def test_only_and_ready(start):
    nodes = [start.node() for _ in range(3)]
    proxy = start.before(nodes)
    assert "until `ready app`" in weir(proxy, "only", f"app/{nodes[2].address}")
    assert served(nodes, proxy, 6) == [0, 0, 6]
    assert states(proxy) == ["aside", "aside", "unchecked"]
    assert f"only* {nodes[2].address}" in weir(proxy, "status", "app")
    assert "only " in weir(proxy, "ready", f"app/{nodes[0].address}")
    assert served(nodes, proxy, 6) == [0, 0, 6]
    weir(proxy, "ready", "app")
    assert served(nodes, proxy, 6) == [2, 2, 2]


def test_the_others_wait_until_the_first_one_is_ready(start):
    healthy = threading.Event()
    node = start.node(lambda *_: reply(200 if healthy.is_set() else 503, b"x"))
    others = [start.node(), start.node()]
    nodes = [node, *others]
    proxy = start.before(nodes, location="health_check uri=/h interval=50ms;")
    eventually(lambda: states(proxy) == ["down", "up", "up"], "all are checked")
    weir(proxy, "first", f"app/{node.address}")
    assert states(proxy) == ["down", "waiting", "waiting"]
    assert send_once(proxy.port, request()).status == 502
    proxy.stop()
    proxy.start()
    eventually(lambda: states(proxy) == ["down", "waiting", "waiting"], "it is kept")
    healthy.set()
    eventually(lambda: states(proxy) == ["up", "up", "up"], "they need not wait any more")
    eventually(lambda: not state_file(proxy).exists(), "nothing is kept any more")
    assert "it is ready" in weir(proxy, "first", f"app/{node.address}")


def test_first_needs_checks(two):
    proxy, nodes = two
    assert "has no health_check" in refused(proxy, "first", f"app/{nodes[0].address}")


# ---- maintenance

def test_maintenance(start):
    node = start.node()
    proxy = start.before(node, http="set_real_ip_from 127.0.0.1; real_ip_header X-Client;")
    weir(proxy, "maintenance", "on", "app", "--allow", "10.1.0.0/16,::1", "--retry-after=120",
         "--message", 'Back at "noon" <soon>')
    page = send_once(proxy.port, request("/start"))
    assert page.status == 503 and page.get("retry-after") == "120"
    assert page.get("content-type").startswith("text/html")
    assert b'Back at "noon" &lt;soon&gt;' in page.body
    answer = send_once(proxy.port, request("/api/users:list", method="POST", body=b"x=1"), "POST")
    assert answer.status == 503 and answer.get("content-type") == "application/json"
    error = json.loads(answer.body)["error"]
    assert error["status"] == 503 and error["maintaining"] is True
    assert error["message"] == 'Back at "noon" <soon>'
    assert send_once(proxy.port, request("/", "X-Client: 10.1.2.3")).status == 200
    assert send_once(proxy.port, request("/", "X-Client: 10.2.2.3")).status == 503
    assert len(node.requests) == 1
    assert "in maintenance*" in weir(proxy, "status")
    proxy.stop()
    proxy.start()
    assert send_once(proxy.port, request()).status == 503
    weir(proxy, "maintenance", "off", "app")
    assert send_once(proxy.port, request()).status == 200
    assert not state_file(proxy).exists()


def test_maintenance_has_the_page_of_the_configuration(start):
    proxy = start.before(start.node(), server="error_page 503 @page;"
                         "location @page { return 503 'our own page'; }")
    weir(proxy, "maintenance", "on", "app", "--api", "/rest/")
    page = send_once(proxy.port, request("/api/x"))
    assert page.status == 503 and page.body == b"our own page"
    assert json.loads(send_once(proxy.port, request("/v1/rest/x")).body)["error"]["status"] == 503


# ---- who may, and what is wrong

@pytest.mark.parametrize("arguments, why", [
    (("drain", "apq/x"), 'unknown pool "apq"; did you mean "app"?'),
    (("drain", "x/x"), 'unknown pool "x"; there is app'),
    (("drain", "app/127.0.0.1:1"), 'unknown peer "127.0.0.1:1" of "app"; '),
    (("drain", "app"), "the peer is missing"),
    (("weight", "app/@node@", "0"), "from 1 to 65535"),
    (("weight", "app/@node@", "x"), "from 1 to 65535"),
    (("maintenance", "maybe", "app"), "`on POOL` or `off POOL`"),
    (("maintenance", "on", "app/@node@"), "of a whole pool"),
    (("maintenance", "on", "app", "--allow", "10.0.0"), "invalid address"),
    (("status", "apq"), 'did you mean "app"?'),
    (("drain",), "usage: weir drain POOL/PEER"),
    (("drian", "app/x"), 'invalid option: "drian"; did you mean "drain"?'),
    (("drain", "app/@node@", "--wiat"), 'unknown option "--wiat"'),
    (("drain", "app/@node@", "--timeout"), "requires a value"),
    (("explain", "--client", "nobody"), "invalid address"),
    (("explain", "--listen", "1"), "nothing listens on"),
])
def test_what_is_wrong_is_told(start_once, arguments, why):
    if not hasattr(start_once, "shared"):
        start_once.shared = (start_once.node(), None)
        start_once.shared = (start_once.shared[0], start_once.before([start_once.shared[0],
                                                                      start_once.shared[0]]))
    node, proxy = start_once.shared
    words = [word.replace("@node@", node.address) for word in arguments]
    assert why in refused(proxy, *words)
    assert not state_file(proxy).exists()


def test_no_weir_runs(two):
    proxy, _ = two
    command = proxy.command("status")
    proxy.stop()
    proxy.command = lambda *words: [*command[:-1], *words]
    said = refused(proxy, "status")
    assert "no weir runs here" in said and "weir.sock" in said
    assert "no weir runs here" in refused(proxy, "status", "--socket", "/nonexistent/s")


def test_the_socket_is_for_its_owner_and_goes_with_weir(two):
    proxy, _ = two
    info = control(proxy).stat()
    assert stat.S_ISSOCK(info.st_mode) and stat.S_IMODE(info.st_mode) == 0o600
    assert info.st_uid == os.geteuid()
    proxy.stop()
    assert not control(proxy).exists()


def test_a_socket_left_by_a_killed_weir_is_taken_over(two):
    proxy, _ = two
    pids = proxy.pids()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    proxy.process.wait()
    proxy.process = None
    assert control(proxy).exists()
    proxy.pid_file.unlink()
    proxy.start()
    assert states(proxy) == ["unchecked", "unchecked"]


def ask(port, target, *fields, method="POST"):
    answer = send_once(port, request(target, *fields, method=method, host=f"127.0.0.1:{port}"),
                       method)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("yaml", [False, True])
def test_who_may_over_the_admin_listener(start, yaml):
    nodes = [start.node(), start.node()]
    admin = free_port()
    if yaml:
        proxy = start.proxy(f"""upstreams:
  app: {{ servers: ["{nodes[0].address}", "{nodes[1].address}"] }}
servers:
  - listen: "@listen@"
    locations: [{{ path: /, proxy_pass: http://app }}]
error_log: "@dir@/error.log notice"
admin: {{ listen: "127.0.0.1:{admin}", token: "{TOKEN}" }}
""")
    else:
        proxy = start.proxy(site(nodes), main=f"admin {{ listen 127.0.0.1:{admin}; token {TOKEN}; }}")
    target = f"/api/drain?target=app/{nodes[0].address}"
    bearer = f"Authorization: Bearer {TOKEN}"
    rows = [
        ((), 403, "token is missing or wrong"),
        (("Authorization: Bearer 0123456789abcdef0124",), 403, "token is missing or wrong"),
        (("Authorization: Bearer ",), 403, "token is missing or wrong"),
        ((f"Authorization: Basic {TOKEN}",), 403, "token is missing or wrong"),
        ((bearer, "Origin: https://evil.example"), 403, "other sites"),
        ((bearer, "Origin: null"), 403, "other sites"),
        ((bearer, "Sec-Fetch-Site: cross-site"), 403, "other sites"),
        ((bearer, "Sec-Fetch-Site: same-site"), 403, "other sites"),
    ]
    for fields, status, why in rows:
        got, body = ask(admin, target, *fields)
        assert got == status and why in body["error"], (fields, got, body)
    assert ask(admin, target, bearer, method="GET")[0] == 405
    assert "draining" not in states(proxy)
    assert ask(admin, "/api/status", "Sec-Fetch-Site: cross-site", method="GET")[0] == 403
    assert ask(admin, "/api/status", method="GET")[1]["upstreams"]
    assert ask(admin, "/api/drian", bearer)[1]["error"] == (
        'unknown verb "drian"; did you mean "drain"?')
    assert ask(admin, "/api/drain?target=nope/x", bearer)[0] == 404
    own = f"Origin: http://127.0.0.1:{admin}"
    assert ask(admin, target, bearer, own, "Sec-Fetch-Site: same-origin") == (
        200, {"ok": True, "text": f"drain app/{nodes[0].address}"})
    assert [state == "draining" for state in states(proxy)] == [True, False]


def test_without_a_token_nobody_may_over_the_admin_listener(start):
    node = start.node()
    admin = free_port()
    proxy = start.proxy(site([node, node]), main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    got, body = ask(admin, f"/api/drain?target=app/{node.address}", "Authorization: Bearer x")
    assert got == 403 and "set a token" in body["error"]
    assert states(proxy) == ["unchecked", "unchecked"]


# ---- several workers, top

def test_all_workers_see_it_at_once(start):
    nodes = [start.node(), start.node()]
    proxy = start.proxy(site(nodes), workers=4)
    for i in range(20):
        node = nodes[i % 2]
        weir_name = f"app/{node.address}"
        api(proxy, "drain", target=weir_name)
        got = served(nodes, proxy, 8)
        assert got[i % 2] == 0, (i, got)
        api(proxy, "ready", target=weir_name)
    for _ in range(5):
        api(proxy, "maintenance", target="app", value="on")
        for _ in range(8):
            assert send_once(proxy.port, request()).status == 503
        api(proxy, "maintenance", target="app", value="off")
        assert sum(served(nodes, proxy, 8)) == 8


def test_top_draws_states_and_rates(two):
    proxy, nodes = two
    weir(proxy, "drain", f"app/{nodes[0].address}")
    text = weir(proxy, "top", "--count", "2", "--interval", "200ms")
    assert text.count("REQ/S") == 2 and text.count("draining") == 2
    assert "\x1b" not in text


def test_help_lists_the_verbs(two):
    proxy, _ = two
    text = weir(proxy, "-h")
    page = weir(proxy, "-h", "verbs")
    for verb in ("status", "top", "drain", "ready", "down", "weight", "only", "first",
                 "maintenance", "explain"):
        assert f"\n  {verb} " in text, verb
        assert f"| `{verb}` |" in page, verb
        assert f"usage: weir {verb}" in weir(proxy, verb, "--help")


def test_what_is_set_for_a_peer_that_goes_is_kept_and_may_be_taken_back(start):
    nodes = [start.node(), start.node()]
    proxy = start.before(nodes)
    name = f"app/{nodes[0].address}"
    weir(proxy, "only", name)
    before = proxy.conf.read_text()
    proxy.conf.write_text(before.replace(f"server {nodes[0].address} ;", ""))
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: api(proxy, "status")["generation"] == 2, "the reload")
    # Nobody else could serve.
    assert served(nodes, proxy, 2) == [0, 2]
    assert pool(proxy)["set"]["absent"] == [nodes[0].address]
    assert "not there" in weir(proxy, "status")
    weir(proxy, "ready", name)
    assert pool(proxy)["set"] is None
    assert Control and Proxy
