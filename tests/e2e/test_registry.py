"""The node registry as the proxy reads it, with a real redis-server."""

import json
import signal
import threading
import time
import urllib.request

import pytest

from certificates import Authority
from harness import eventually, free_port, weir_only
from operators import weir
from program import Load
from redis_server import EVENTS, RedisServer, ScriptedServer, encode, key
from test_upgrade import FIELDS, LOCATION, echo_node
from wire import Client, reply, request, send_once

pytestmark = weir_only


@pytest.fixture
def redis(tmp_path_factory):
    started = []

    def server(*options, **more):
        started.append(RedisServer(tmp_path_factory.mktemp("redis"), *options, **more).start())
        return started[-1]

    yield server
    for one in reversed(started):
        one.stop()


@pytest.fixture
def scripted():
    started = []

    def server(answer):
        started.append(ScriptedServer(answer))
        return started[-1]

    yield server
    for one in started:
        one.stop()


def named(start, name):
    return start.node(lambda connection, message: reply(body=name.encode()))


def proxy(start, line, upstream="", **options):
    admin = free_port()
    running = start.proxy(
        f"upstream app {{ registry {line}; {upstream} }}"
        "server { listen @listen@; location / { proxy_pass http://app; } }",
        main=f"admin {{ listen 127.0.0.1:{admin}; }}", **options)
    running.admin = admin
    return running


def ask(running, *fields):
    answer = send_once(running.port, request("/", "Connection: close", *fields))
    return answer.body.decode() if answer.status == 200 else answer.status


def seen(running, count=12):
    return {ask(running) for _ in range(count)}


def pool(running):
    with urllib.request.urlopen(f"http://127.0.0.1:{running.admin}/upstreams", timeout=5) as answer:
        return json.load(answer)["upstreams"][0]


def metric(running, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{running.admin}/metrics", timeout=5) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name + "{"):
                return float(line.split()[-1])
    return None


def serves(running, *names, limit=5):
    eventually(lambda: seen(running) == set(names), f"{names} serve", limit)


def test_nodes_in_the_registry_serve_from_the_first_request_on(start, redis):
    a, b = named(start, "a"), named(start, "b")
    server = redis()
    server.add(3, a.address)
    server.add(7, b.address)
    running = proxy(start, f"{server.url} app=main")
    assert seen(running) == {"a", "b"}
    peers = pool(running)["peers"]
    assert [(peer["slot"], peer["address"]) for peer in peers] == [(3, a.address), (7, b.address)]
    assert pool(running)["registry"]["fresh"] is True


def test_a_request_in_the_queue_goes_to_a_node_that_comes_meanwhile(start, redis):
    """Each worker's, and the next ones of its connection as well."""
    server = redis()
    running = proxy(start, f"{server.url} app=main", "queue 10 timeout=20s;", workers=2)
    clients = [Client(running.port) for _ in range(6)]
    for client in clients:
        client.send(request("/"))
    eventually(lambda: metric(running, "weir_upstream_queued_requests") == 6, "all wait")
    node = named(start, "late")
    server.add(0, node.address)
    for client in clients:
        assert client.read_response().body == b"late"
    for client in clients:
        assert client.exchange(request("/")).body == b"late"
        client.close()
    assert metric(running, "weir_upstream_queued_requests") == 0


def test_a_request_from_the_queue_may_go_on_to_another_new_node(start, redis):
    """Its tries are those of the pool that it was served by."""
    server = redis()
    running = proxy(start, f"{server.url} app=main", "queue 10 timeout=20s;")
    node, dead = named(start, "late"), f"127.0.0.1:{free_port()}"
    with Client(running.port) as client:
        client.send(request("/"))
        eventually(lambda: metric(running, "weir_upstream_queued_requests") == 1, "it waits")
        with server.client() as writer:
            writer("MULTI")
            for slot, address in enumerate((dead, node.address)):
                writer("HSET", key(slot), "addr", address, "state", "ready", "instance", f"i{slot}")
            writer("PUBLISH", EVENTS, "0 ready")
            writer("EXEC")
        assert client.read_response().body == b"late"


def test_nodes_stand_beside_static_servers_and_in_yaml(start, redis):
    a, b = named(start, "a"), named(start, "b")
    server = redis()
    server.add(0, b.address)
    running = start.proxy(f"""upstreams:
  app:
    servers: [{a.address}]
    registry: {{ url: "{server.url}/0", app: main, poll: 200ms }}
servers:
  - listen: "@listen@"
    locations:
      - path: /
        proxy_pass: http://app
""")
    assert seen(running) == {"a", "b"}


def test_changes_are_in_force_within_a_tenth_of_a_second(start, redis):
    a, b = named(start, "a"), named(start, "b")
    server = redis()
    server.add(0, a.address)
    running = proxy(start, f"{server.url} app=main poll=1h")
    assert seen(running) == {"a"}
    times = []
    for _ in range(10):
        began = time.monotonic()
        server.add(1, b.address)
        while pool(running)["live"] != 2:
            assert time.monotonic() - began < 2
        while "b" not in {ask(running), ask(running)}:
            assert time.monotonic() - began < 2
        times.append(time.monotonic() - began)
        server.remove(1)
        eventually(lambda: pool(running)["live"] == 1, "b is gone")
    assert sorted(times)[len(times) // 2] < 0.1, times


def test_without_events_the_next_poll_shows_it(start, redis):
    a, b = named(start, "a"), named(start, "b")
    server = redis()
    server.add(0, a.address)
    running = proxy(start, f"{server.url} app=main poll=100ms")
    with server.client() as client:
        client("HSET", key(1), "addr", b.address, "state", "ready")
    serves(running, "a", "b")


def test_states_and_modes(start, redis):
    nodes = {name: named(start, name) for name in ("ready", "starting", "draining", "tasks", "both")}
    server = redis()
    server.add(0, nodes["ready"].address)
    server.add(1, nodes["starting"].address, "starting")
    server.add(2, nodes["draining"].address, "draining")
    server.add(3, nodes["tasks"].address, mode="*")
    server.add(4, nodes["both"].address, mode="!,a")
    running = proxy(start, f"{server.url} app=main")
    assert seen(running) == {"ready", "both"}
    reasons = {peer["slot"]: peer["reason"] for peer in pool(running)["peers"]}
    assert reasons[1] == "starting" and reasons[2] == "draining"
    assert reasons[3] == "its mode serves no requests"
    server.add(1, nodes["starting"].address, "ready")
    serves(running, "ready", "both", "starting")


def test_websockets_of_a_node_that_drains_itself_are_told_to_connect_elsewhere(start, redis):
    node, server = start.node(echo_node), redis()
    server.add(0, node.address)
    running = start.proxy(f"upstream app {{ registry {server.url} app=main; }}"
                          f"server {{ listen @listen@; location / {{ proxy_pass http://app; {LOCATION} }} }}")
    with Client(running.port) as client:
        client.send(request("/ws", *FIELDS))
        assert client.read_response().status == 101
        server.add(0, node.address, "draining")
        client.sock.settimeout(15)
        assert client.exactly(4) == b"\x88\x02" + (1012).to_bytes(2, "big")


def test_limits_of_each_node(start, redis):
    gate = threading.Event()

    def slow(connection, message):
        assert gate.wait(10)
        return reply(body=b"a")

    node, server = start.node(slow), redis()
    server.add(0, node.address)
    running = proxy(start, f"{server.url} app=main max_conns=1 max_fails=0")
    with Client(running.port) as client:
        client.send(request("/"))
        node.wait_for_requests(1)
        assert ask(running) == 502
        assert "max_conns reached" in pool(running)["peers"][0]["reason"]
        gate.set()
        assert client.read_response().body == b"a"
    assert ask(running) == "a"


def test_a_vanished_node_keeps_its_slot_and_is_forgotten_later(start, redis):
    a, b = named(start, "a"), named(start, "b")
    server = redis()
    server.add(0, a.address)
    server.add(1, b.address)
    running = proxy(start, f"{server.url} app=main forget=1s poll=200ms")
    server.remove(1)
    serves(running, "a")
    gone = pool(running)["peers"][1]
    assert (gone["reason"], gone["gets_requests"]) == ("vanished", False)
    eventually(lambda: len(pool(running)["peers"]) == 1, "it is forgotten")


def test_clients_stay_where_they_are_whoever_comes_and_goes(start, redis):
    nodes = [named(start, str(i)) for i in range(4)]
    server = redis()
    for slot in (2, 0):
        server.add(slot, nodes[slot].address)
    running = proxy(start, f"{server.url} app=main", "ip_hash;" )
    fixed = start.proxy("""upstream app { registry %s app=main; hash $arg_k; }
        server { listen @listen@; location / { proxy_pass http://app; } }""" % server.url)

    def places():
        return [send_once(fixed.port, request(f"/?k={i}", "Connection: close")).body.decode()
                for i in range(60)]

    before = places()
    assert set(before) == {"0", "2"}
    server.add(1, nodes[1].address)
    eventually(lambda: "1" in places(), "the new node serves")
    after = places()
    assert all(now in (then, "1") for then, now in zip(before, after))
    server.remove(1)
    eventually(lambda: "1" not in places(), "it is gone")
    assert places() == before
    assert len(seen(running)) == 1  # one client, one node


def test_a_new_node_waits_for_its_first_good_check(start, redis):
    a, b = named(start, "a"), named(start, "b")
    sick = {"b": True}
    b.handler = lambda connection, message: reply(503 if sick["b"] else 200, b"b")
    server = redis()
    server.add(0, a.address)
    running = proxy(start, f"{server.url} app=main",
                    "health_check interval=100ms fast=50ms uri=/health;")
    eventually(lambda: ask(running) == "a", "a serves")
    server.add(1, b.address)
    eventually(lambda: any("/health" in target for target in b.targets), "b is checked")
    assert seen(running, 30) == {"a"}
    assert all(target == "/health" for target in b.targets)
    sick["b"] = False
    serves(running, "a", "b")


def start_keeping(start, server):
    """Connections of clients are never closed for the number of their requests."""
    admin = free_port()
    running = start.proxy(
        f"keepalive_requests 100000000; upstream app {{ registry {server.url} app=main; }}"
        "server { listen @listen@; location / { proxy_pass http://app; } }",
        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    running.admin = admin
    return running


def test_a_change_closes_no_connection(start, redis):
    a, b = named(start, "a"), named(start, "b")
    server = redis()
    server.add(0, a.address)
    running = start_keeping(start, server)
    with Load(running.port, keep=True) as load:
        for _ in range(10):
            server.add(1, b.address)
            eventually(lambda: pool(running)["live"] == 2, "b is there")
            load.goes_on()
            server.remove(1)
            eventually(lambda: pool(running)["live"] == 1, "b is gone")
            load.goes_on()
    assert load.failures == []


def test_the_list_outlives_a_reload_while_redis_is_down(start, redis, make):
    a = named(start, "a")
    server = redis()
    server.add(0, a.address)
    program = make("pid @dir@/p.pid; error_log @dir@/error.log info; user root; events { }"
                   "http { access_log off; upstream app { registry %s app=main poll=200ms; }"
                   "server { listen @listen@; location / { proxy_pass http://app; } } }"
                   % server.url)
    program.start()
    assert send_once(program.port, request("/", "Connection: close")).body == b"a"
    server.kill()
    program.wait_for_log("cannot be read.*the last list stays in force")
    program.reload()
    assert send_once(program.port, request("/", "Connection: close")).body == b"a"
    program.rewrite("poll=200ms", "poll=300ms")
    program.reload(2)
    assert send_once(program.port, request("/", "Connection: close")).body == b"a"


def test_while_other_nodes_are_awaited_the_present_ones_serve(start, redis, scripted):
    """Weights that change meanwhile make pools anew, of what is in force."""
    a = named(start, "a")
    server, silent = redis(), scripted(lambda _: None)
    server.add(0, a.address)
    running = proxy(start, f"{server.url} app=main")
    running.conf.write_text(running.conf.read_text().replace(
        f"{server.url} app=main;", f"{silent.url} app=other; server {a.address};"))
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: silent.accepted, "the other registry is asked")
    weir(running, "weight", f"app/{a.address}", "2")
    while sum("is in force" in line for line in running.log("error.log")) < 2:
        assert ask(running) == "a"
    assert ask(running) == "a"


# ---- never worse off by the registry


def test_redis_killed_and_restarted_under_load_fails_no_request(start, redis):
    a, b, c = named(start, "a"), named(start, "b"), named(start, "c")
    server = redis()
    server.add(0, a.address)
    server.add(1, b.address)
    running = proxy(start, f"{server.url} app=main poll=100ms")
    with Load(running.port) as load:
        for _ in range(3):
            server.kill()
            eventually(lambda: pool(running)["registry"]["fresh"] is False, "it is stale")
            state = pool(running)["registry"]
            assert state["stale_since"] is not None and state["error"] != ""
            assert metric(running, "weir_registry_fresh") == 0
            eventually(lambda: seen(running) == {"a", "b"}, "both answer")
            server.start()  # empty: all nodes are gone at once
            eventually(lambda: pool(running)["registry"]["fresh"] is True, "it is read again", 15)
            eventually(lambda: pool(running)["registry"]["emptying_unconfirmed"], "and doubted")
            eventually(lambda: seen(running) == {"a", "b"}, "both answer")
            server.add(2, c.address)  # a new one comes before those that were there
            eventually(lambda: "c" in seen(running), "it serves, too")
            assert seen(running) >= {"a", "b"}
            server.add(0, a.address)
            server.add(1, b.address)
            server.remove(2)
            eventually(lambda: not pool(running)["registry"]["emptying_unconfirmed"], "no more")
    assert load.failures == []
    log = "\n".join(running.log("error.log"))
    assert "cannot be read" in log and "can be read again, after" in log
    assert "most nodes are gone at once" in log


def test_a_frozen_redis_is_noticed_and_fails_no_request(start, redis):
    a = named(start, "a")
    server = redis()
    server.add(0, a.address)
    running = proxy(start, f"{server.url} app=main poll=100ms")
    assert ask(running) == "a"
    server.process.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: pool(running)["registry"]["fresh"] is False, "it is stale", 10)
        assert "took too long" in pool(running)["registry"]["error"]
        assert "the list of its registry is stale for " in weir(running, "status")
        assert metric(running, "weir_registry_stale_seconds") >= 0
        assert ask(running) == "a"
    finally:
        server.process.send_signal(signal.SIGCONT)
    eventually(lambda: pool(running)["registry"]["fresh"] is True, "it is read again", 15)


def test_a_cold_start_without_redis_starts_and_says_what_it_waits_for(start, redis):
    a = named(start, "a")
    port = free_port()
    running = proxy(start, f"redis://127.0.0.1:{port} app=main poll=100ms")
    assert ask(running) == 502
    assert pool(running)["registry"]["waiting_for_first_list"] is True
    running.wait_for_log("there is no list yet", "error.log")
    assert "waits for the first list of its registry: " in weir(running, "status")
    server = redis(port=port)
    server.add(0, a.address)
    serves(running, "a", limit=15)
    assert pool(running)["registry"]["waiting_for_first_list"] is False


OK = b"+OK\r\n"
LISTS = b"*8\r\n" + b"$-1\r\n" * 8


def good(data, port):
    """What a server with one node in slot 0 answers; None if this is not the reading."""
    if b"HMGET" not in data:
        return None
    first = encode(f"127.0.0.1:{port}", "ready", "", "1", "i", "", "0", "")
    return first + LISTS * 31


BAD = {
    "closes at once": False,
    "says nothing": None,
    "half a line": b"*8",
    "http": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "garbage": bytes(range(256)),
    "zeros": b"\0" * 4096,
    "empty line": b"\r\n",
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n" * 32,
    "readonly": b"-READONLY You can't write against a read only replica.\r\n" * 32,
    "noauth": b"-NOAUTH Authentication required.\r\n" * 32,
    "noperm": b"-NOPERM this user has no permissions\r\n" * 32,
    "masterdown": b"-MASTERDOWN Link with MASTER is down\r\n" * 32,
    "moved": b"-MOVED 1234 127.0.0.1:1\r\n" * 32,
    "oom": b"-OOM command not allowed\r\n" * 32,
    "one error": LISTS * 31 + b"-ERR unknown command\r\n",
    "error without text": b"-\r\n" * 32,
    "negative length": b"$-5\r\n",
    "negative array": b"*-2\r\n",
    "no number": b"*x\r\n",
    "huge number": b"*99999999999999999999999\r\n",
    "huge text": b"$2147483647\r\n" + b"x" * 1000,
    "huge array": b"*2147483647\r\n",
    "deep array": b"*1\r\n" * 100,
    "long line": b"+" + b"x" * 100000,
    "text without end": b"$2\r\nabcdef\r\n",
    "resp3 map": b"%1\r\n+a\r\n+b\r\n",
    "resp3 push": b">2\r\n+a\r\n+b\r\n",
    "too many answers": LISTS * 33,
    "oversized answer": (b"*8\r\n" + b"$100000\r\n" + b"x" * 100000 + b"\r\n" + b"$-1\r\n" * 7) * 40,
    "nothing there": LISTS * 32,
    "lone integers": b":1\r\n" * 32,
    "nil arrays": b"*-1\r\n" * 32,
    "short records": b"*1\r\n$-1\r\n" * 32,
    "wrong types": b"-WRONGTYPE Operation against a key\r\n" * 32,
    "nested records": (b"*8\r\n" + b"*0\r\n" * 8) * 32,
    "no address": encode("", "ready", "", "1", "i", "", "0", "") * 32,
    "address without port": encode("10.0.0.1", "ready", "", "1", "i", "", "0", "") * 32,
    "address with blanks": encode("a b:80", "ready", "", "1", "i", "", "0", "") * 32,
    "unix address": encode("unix:/etc/passwd", "ready", "", "1", "i", "", "0", "") * 32,
    "unknown state": encode("127.0.0.1:1", "zombie", "", "1", "i", "", "0", "") * 32,
    "bad weight": encode("127.0.0.1:1", "ready", "", "-3", "i", "", "0", "") * 32,
    "a message nobody wants": encode("message", EVENTS, "0 ready") * 3,
}
assert len(BAD) >= 30


def test_no_bad_answer_takes_the_list_away(start, scripted):
    a = named(start, "a")
    now = {"answer": good}

    def answer(data):
        if b"SUBSCRIBE" in data:
            return encode("subscribe", EVENTS).replace(b"*2", b"*3") + b":1\r\n"
        if b"HMGET" not in data:
            return OK * data.count(b"*")
        return good(data, a.port) if now["answer"] is good else now["answer"]

    server = scripted(answer)
    running = proxy(start, f"{server.url} app=main poll=100ms")
    assert ask(running) == "a"
    for name, bad in BAD.items():
        before = pool(running)["registry"]
        now["answer"] = bad
        eventually(lambda: sum(pool(running)["registry"][k] for k in ("failures", "reads")) >
                   before["reads"] + before["failures"] + 1, f"{name} was read", 15)
        assert ask(running) == "a", name
        assert pool(running)["peers"][0]["address"] == a.address, name
        now["answer"] = good
        eventually(lambda: pool(running)["registry"]["fresh"] is True and
                   not pool(running)["registry"]["emptying_unconfirmed"], f"good after {name}", 15)
    assert ask(running) == "a"


def test_reconnections_back_off(start, scripted):
    server = scripted(lambda data: False)
    running = proxy(start, f"{server.url} app=main")
    time.sleep(3)  # what is measured is time
    # Two connections (one for events), each after 0.05 to 0.1 s, then 0.1 to 0.2 s, and so on.
    assert 6 <= server.accepted <= 16
    assert ask(running) == 502


# ---- where Redis is


def test_unix_sockets_databases_users_and_passwords(start, redis):
    a = named(start, "a")
    server = redis("--user", "default", "off", "--user", "weir", "on", ">s3cret/@", "~*", "&*",
                   "+@all")
    with server.client() as client:
        client("AUTH", "weir", "s3cret/@")
        client("SELECT", 4)
        client("HSET", key(0), "addr", a.address, "state", "ready")
    running = proxy(start, f"unix://weir:s3cret%2F%40@{server.socket}?db=4 app=main")
    assert ask(running) == "a"
    tcp = proxy(start, f"redis://weir:s3cret%2F%40@127.0.0.1:{server.port}/4 app=main")
    assert ask(tcp) == "a"
    wrong = proxy(start, f"redis://weir:wrong@127.0.0.1:{server.port}/4 app=main poll=100ms")
    assert ask(wrong) == 502
    assert "WRONGPASS" in pool(wrong)["registry"]["error"]
    for one in (running, tcp, wrong):
        everything = "\n".join(one.log("error.log")) + json.dumps(pool(one)["registry"])
        assert "s3cret" not in everything and "wrong@" not in everything


def test_a_user_who_may_not_subscribe_is_told_of(start, redis):
    """As Redis makes users by default since version 7; the polls show what changes."""
    a, b = named(start, "a"), named(start, "b")
    server = redis("--user", "weir", "on", ">secret", "~weir:*", "resetchannels", "+hmget", "+select",
                   "+ping", "+subscribe")
    server.add(0, a.address)
    running = proxy(start, f"redis://weir:secret@127.0.0.1:{server.port} app=main poll=200ms")
    assert ask(running) == "a"
    running.wait_for_log("does not tell of changes: .*NOPERM.*; they are seen every 200 ms", "error.log")
    state = pool(running)["registry"]
    assert state["fresh"] is True and "NOPERM" in state["events_error"]
    assert metric(running, "weir_registry_events_up") == 0
    assert "its registry does not tell of changes: " in weir(running, "status")
    server.add(1, b.address)
    serves(running, "a", "b")
    server.do("ACL", "SETUSER", "weir", "&weir:*")
    eventually(lambda: metric(running, "weir_registry_events_up") == 1, "it listens", 15)
    assert pool(running)["registry"]["events_error"] is None


def test_tls_is_verified_by_name_and_authority(start, redis, tmp_path_factory):
    a = named(start, "a")
    authority = Authority(tmp_path_factory.mktemp("ca"))
    other = Authority(tmp_path_factory.mktemp("other"), "other")
    certificate, private = authority.sign("localhost")
    tls = free_port()
    server = redis("--tls-port", str(tls), "--tls-cert-file", str(certificate), "--tls-key-file",
                   str(private), "--tls-ca-cert-file", str(authority.certificate),
                   "--tls-auth-clients", "no")
    server.add(0, a.address)
    url = f"rediss://localhost:{tls}"
    assert ask(proxy(start, f"{url} app=main ca={authority.certificate}")) == "a"
    named_ = f"rediss://127.0.0.1:{tls} app=main ca={authority.certificate}"
    assert ask(proxy(start, f"{named_} name=localhost")) == "a"
    assert ask(proxy(start, f"rediss://127.0.0.1:{tls} app=main verify=off")) == "a"
    for line in (f"{url} app=main ca={other.certificate}", f"{url} app=main", named_):
        running = proxy(start, line)
        assert ask(running) == 502, line
        assert "TLS" in pool(running)["registry"]["error"]


# ---- foreign layouts


def test_foreign_layouts(start, redis):
    a = named(start, "a")
    server = redis()
    with server.client() as client:
        client("SET", "app:text:5", a.address)
        client("HSET", "app:hash:5", "where", a.address)
        client("SET", "app:json:5", json.dumps({"node": {"addr": a.address}}))
        client("SET", "app:there:1", "x")
    for line in ("key=app:text:{id}", "key=app:hash:{id} field=where",
                 "key=app:json:{id} pointer=/node/addr",
                 f"key=app:there:{{id}} address=127.0.0.{{id}}:{a.port}"):
        running = proxy(start, f'{server.url} "{line.split()[0]}" ' +
                        " ".join(f'"{word}"' for word in line.split()[1:]))
        assert ask(running) == "a", line
        assert pool(running)["peers"][0]["slot"] == (1 if "there" in line else 5)


def test_host_names_of_nodes_are_looked_up(start, redis):
    a = named(start, "a")
    server = redis()
    server.add(0, f"localhost:{a.port}")
    running = proxy(start, f"{server.url} app=main")
    serves(running, "a")
