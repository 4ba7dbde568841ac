"""`weir node` and `weir registry`: worker IDs with a real redis-server."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from harness import eventually, free_port, weir_binary, weir_only
from program import alive
from redis_server import APP, RedisServer, ScriptedServer, WeirNode, key

pytestmark = weir_only

SERVE = [sys.executable, "-u", "-c", """
import os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(sys.argv[2])))
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("WORKER_ID", os.environ["WORKER_ID"], "PID", os.getpid(), flush=True)
while True:
    sock, _ = listener.accept()
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    sock.close()
"""]
QUICK = ("--lease", "1500ms", "--drain", "300ms")


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path).start()
    yield server
    server.stop()


@pytest.fixture
def node(redis, tmp_path_factory):
    started = []

    def make(*options, port=None, command=None, status=0, url=None, **more):
        port = port or free_port()
        if command is None:
            command = (*SERVE, str(port), str(status))
        started.append(WeirNode(tmp_path_factory.mktemp("node"), url or redis.url,
                                f"127.0.0.1:{port}", *QUICK, *options, command=command, **more))
        started[-1].port = port
        return started[-1]

    yield make
    for one in started:
        one.stop()


def weir(*arguments, **options):
    return subprocess.run([str(weir_binary()), *arguments], capture_output=True, text=True,
                          timeout=20, check=False, **options)


def registry(redis, *words):
    return weir("registry", *words, "--registry", redis.url, "--app", APP)


def state(redis, slot):
    return redis.do("HGET", key(slot), "state")


def test_a_node_takes_an_id_runs_its_command_and_gives_the_id_back(redis, node):
    one = node("--check", "/health", "--mode", "!", "--weight", "3", "--version", "2.1", status=7)
    one.wait_for("ready at")
    assert one.id() == 0
    assert "WORKER_ID 0 " in one.log()
    eventually(lambda: state(redis, 0) == "ready", "it says so there, too")
    fields = redis.do("HGETALL", key(0))
    record = dict(zip(fields[::2], fields[1::2]))
    assert (record["addr"], record["state"]) == (one.addr, "ready")
    assert (record["mode"], record["weight"], record["version"]) == ("!", "3", "2.1")
    assert 0 < redis.do("PTTL", key(0)) <= 1500
    one.process.send_signal(signal.SIGTERM)
    eventually(lambda: state(redis, 0) == "draining", "it drains")
    assert one.process.wait(10) == 7
    assert redis.do("EXISTS", key(0)) == 0


def test_it_is_ready_when_its_check_passes_and_not_before(redis, node):
    port = free_port()
    one = node("--check", "/", port=port, command=["sleep", "60"])
    one.wait_for("worker ID 0")
    time.sleep(0.7)
    assert state(redis, 0) == "starting"
    server = subprocess.Popen([*SERVE, str(port), "0"], env={**os.environ, "WORKER_ID": "x"})
    try:
        eventually(lambda: state(redis, 0) == "ready", "it is ready")
    finally:
        server.kill()
        server.wait()


def test_the_lease_is_renewed_and_runs_out_when_the_node_is_killed(redis, node):
    one = node()
    one.wait_for("ready at")
    command = int(re.search(r"PID (\d+)", one.log()).group(1))
    time.sleep(2)  # longer than the lease
    assert state(redis, 0) == "ready"
    one.end(signal.SIGKILL)
    eventually(lambda: not alive(command), "its command ends with it")
    eventually(lambda: redis.do("EXISTS", key(0)) == 0, "its lease is over")


def test_a_restarted_node_gets_its_earlier_id_back(redis, node):
    first = node().wait_for("ready at")
    assert first.id() == 0
    second = node()
    assert second.id() == 1
    assert first.end() == 0
    again = node().wait_for("ready at")
    assert again.id() == 0  # the lowest free one
    assert again.end() == 0
    back = node(port=first.port)
    assert back.id() == 0
    back.end(signal.SIGKILL)
    # Killed: the lease is waited for rather than another ID taken.
    third = node(port=first.port)
    third.wait_for("waiting for it")
    assert third.id() == 0


def test_the_33rd_node_is_told_who_holds_the_ids(redis, node):
    with redis.client() as client:
        for slot in range(32):
            client("HSET", key(slot), "addr", f"10.0.0.{slot}:80", "instance", f"i{slot}", "state",
                   "ready")
    one = node()
    assert one.process.wait(10) == 1
    assert 'all 32 worker IDs of "main" are taken' in one.log()
    for slot in range(32):
        assert f"{slot} 10.0.0.{slot}:80 ready" in one.log()


def test_32_nodes_at_once_have_32_ids(redis, node):
    nodes = [node(command=["sleep", "60"]) for _ in range(32)]
    assert sorted(one.id() for one in nodes) == list(range(32))
    assert node().process.wait(10) == 1


def test_a_node_whose_id_another_holds_ends(redis, node):
    one = node(status=3)
    one.wait_for("ready at")
    command = int(re.search(r"PID (\d+)", one.log()).group(1))
    with redis.client() as client:
        client("DEL", key(0))
        client("HSET", key(0), "addr", "10.0.0.9:80", "instance", "other", "state", "ready")
    assert one.process.wait(10) == 75
    assert not alive(command)
    assert "another process holds worker ID 0 now: 10.0.0.9:80 (other)" in one.log()
    assert redis.do("HGET", key(0), "instance") == "other"


def test_a_command_that_does_not_end_loses_its_id_and_is_killed(redis, node):
    """Though it had been stopped before, and had all of --stop-timeout."""
    one = node("--stop-timeout", "60s",
               command=["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"])
    one.wait_for("deaf")  # a signal before would end it
    one.process.send_signal(signal.SIGTERM)
    one.wait_for("draining for")
    with redis.client() as client:
        client("DEL", key(0))
        client("HSET", key(0), "addr", "10.0.0.9:80", "instance", "other", "state", "ready")
    one.wait_for("another process holds worker ID 0 now")
    assert one.process.wait(15) == 75
    assert "the command does not end; it is killed" in one.log()


def test_a_paused_node_takes_its_id_back_or_ends(redis, node):
    one = node()
    one.wait_for("ready at")
    one.process.send_signal(signal.SIGSTOP)
    eventually(lambda: redis.do("EXISTS", key(0)) == 0, "its lease is over")
    one.process.send_signal(signal.SIGCONT)
    one.wait_for("it is held again")
    assert state(redis, 0) == "ready"
    one.process.send_signal(signal.SIGSTOP)
    eventually(lambda: redis.do("EXISTS", key(0)) == 0, "its lease is over")
    other = node()
    assert other.id() == 0
    one.process.send_signal(signal.SIGCONT)
    assert one.process.wait(10) == 75


def test_a_node_outlives_redis(redis, node):
    one = node()
    one.wait_for("ready at")
    redis.kill()
    one.wait_for("others may take the ID; going on")
    assert one.process.poll() is None
    redis.start()
    one.wait_for("it is held again")
    assert state(redis, 0) == "ready"
    strict = node("--strict")
    strict.wait_for("ready at")
    redis.kill()
    assert strict.process.wait(10) == 75


def test_a_node_waits_for_redis_at_its_start(redis, node):
    redis.kill()
    one = node()
    one.wait_for("refused")
    redis.start()
    one.wait_for("ready at", 15)


def test_how_commands_end_is_passed_on(redis, node):
    assert node(command=["true"]).process.wait(10) == 0
    assert node(command=["sh", "-c", "exit 41"]).process.wait(10) == 41
    assert node(command=["sh", "-c", "kill -9 $$"]).process.wait(10) == 137
    assert node(command=["/does/not/exist"]).process.wait(10) == 127
    assert redis.do("KEYS", "*node*") == []


def test_a_command_that_does_not_end_is_killed(redis, node):
    one = node("--stop-timeout", "500ms", command=["sh", "-c", "trap '' TERM; echo deaf; sleep 60; sleep 60"])
    one.wait_for("deaf")
    assert one.end() == 137
    assert "it is killed" in one.log()


def test_a_redis_that_has_just_started_is_not_asked_for_ids_at_once(redis, node):
    one = node("--settle", "3s")
    uptime = int(re.search(r"uptime_in_seconds:(\d+)", redis.do("INFO", "server")).group(1))
    if uptime < 2:
        one.wait_for("has only just started")
    one.wait_for("worker ID 0")
    uptime = int(re.search(r"uptime_in_seconds:(\d+)", redis.do("INFO", "server")).group(1))
    assert uptime >= 2


def test_operators_list_drain_and_release(redis, node):
    one = node("--mode", "!")
    one.wait_for("ready at")
    listed = registry(redis, "list")
    assert listed.returncode == 0
    assert re.search(rf"^ 0  {one.addr} +ready +[01]\.\ds  ! ", listed.stdout, re.M), listed.stdout
    assert registry(redis, "drain", "0").returncode == 0
    one.wait_for("drained by an operator")
    time.sleep(1)  # renewals leave it so
    assert re.search(r"^ 0 .* draining", registry(redis, "list").stdout, re.M)
    assert registry(redis, "ready", "0").returncode == 0
    assert re.search(r"^ 0 .* ready ", registry(redis, "list").stdout, re.M)
    with redis.client() as client:
        client("HSET", key(5), "addr", "10.0.0.5:80", "state", "ready", "instance", "dead")
    assert registry(redis, "release", "5").returncode == 0
    assert redis.do("EXISTS", key(5)) == 0
    nobody = registry(redis, "release", "5")
    assert nobody.returncode == 1 and 'nobody holds ID 5 of "main"' in nobody.stderr


@pytest.mark.parametrize("arguments", [
    (), ("--addr", "x"), ("--addr", "unix:/x"), ("--addr", "h:1", "--check", "x"),
    ("--addr", "h:1", "--weight", "0"), ("--addr", "h:1", "--lease", "x"),
    ("--addr", "h:1", "--app", "a b"), ("--addr", "h:1", "--wrong"),
    ("--addr", "h:1", "--registry", "http://x"), ("--addr", "h:1", "--ca", "x"),
])
def test_wrong_arguments_are_told_of(arguments):
    if "--registry" not in arguments:
        arguments = ("--registry", "redis://127.0.0.1:1", *arguments)
    done = weir("node", *arguments)
    assert done.returncode == 1 and done.stderr.startswith("weir node: "), done


def test_10000_allocations_by_40_processes_never_give_an_id_twice(redis, tmp_path_factory):
    """Each process takes an ID and gives it back, again and again, with the scripts that the program
    itself uses: `weir node` prints them as it sends them, to a server that only listens."""
    take, release = scripts(tmp_path_factory)
    helper = tmp_path_factory.mktemp("take") / "take.py"
    helper.write_text(HELPER)
    script_file = helper.with_name("scripts")
    script_file.write_text(repr((take, release)))
    workers = [subprocess.Popen([sys.executable, str(helper), str(script_file), str(redis.socket),
                                 str(n), "250"], stdout=subprocess.PIPE, text=True)
               for n in range(40)]
    taken, full = 0, 0
    for worker in workers:
        out, _ = worker.communicate(timeout=120)
        assert worker.returncode == 0, out
        got, refused = map(int, out.split())
        taken += got
        full += refused
    assert taken == 10000
    assert redis.do("KEYS", "weir:*node*") == []
    assert redis.do("GET", "clashes") is None


HELPER = """
import socket, sys, ast, os
sys.path.insert(0, %r)
from redis_server import RedisClient
take, release = ast.literal_eval(open(sys.argv[1]).read())
client, me, rounds = RedisClient(sys.argv[2]), sys.argv[3], int(sys.argv[4])
taken = full = 0
instance = f"{me}/{os.getpid()}"
while taken < rounds:
    swap = {"INSTANCE": instance, "ADDR": f"10.0.0.{me}:80"}
    answer = client(*[swap.get(word, word) for word in take])
    if answer[0] != "taken":
        full += 1
        continue
    taken += 1
    slot = answer[1]
    # Nobody else may be in: a counter for each ID, up and down.
    if client("INCR", f"in:{slot}") != 1:
        client("INCR", "clashes")
    client("DECR", f"in:{slot}")
    words = [word.replace("SLOT", str(slot)) for word in release]
    assert client(*[swap.get(word, word) for word in words]) == 1
print(taken, full)
""" % os.path.dirname(os.path.abspath(__file__))


def scripts(tmp_path_factory):
    """The EVAL commands for taking and giving back, as `weir node` sends them, with INSTANCE, ADDR
    and SLOT in place of what differs."""
    seen = []
    whole = threading.Event()

    def answer(data):
        answer.buffer += data
        if b"SELECT" in answer.buffer and not answer.selected:
            answer.selected = True
            answer.buffer = b""
            return b"+OK\r\n"
        replies = b""
        while (parsed := parse(answer.buffer)) is not None:
            words, answer.buffer = parsed
            seen.append(words)
            if len(seen) == 1:
                replies += b"*2\r\n$5\r\ntaken\r\n:7\r\n"
            elif "return 1" in words[1]:
                whole.set()
                replies += b":1\r\n"
            else:
                replies += b"*2\r\n$4\r\nkept\r\n$0\r\n\r\n"
        return replies

    answer.buffer, answer.selected = b"", False
    server = ScriptedServer(answer)
    one = WeirNode(tmp_path_factory.mktemp("script"), server.url, "127.0.0.1:1", "--drain", "0")
    try:
        one.wait_for("worker ID 7")
        one.process.terminate()
        assert whole.wait(10)
    finally:
        one.stop()
        server.stop()
    take, release = seen[0], seen[-1]
    instance = release[-2]
    assert instance.startswith("127.0.0.1:1/")

    def general(words):
        return [{instance: "INSTANCE", "127.0.0.1:1": "ADDR"}.get(word, word) for word in words]

    release = [key("SLOT") if word == key(7) else "SLOT" if word == "7" else word
               for word in general(release)]
    return general(take), release


def parse(data):
    """The words of the first command and what is behind it, or None while it is not whole."""
    try:
        count = int(data[1:data.index(b"\r\n")])
        at = data.index(b"\r\n") + 2
        words = []
        for _ in range(count):
            end = data.index(b"\r\n", at)
            size = int(data[at + 1:end])
            word = data[end + 2:end + 2 + size]
            if len(word) < size:
                return None
            words.append(word.decode())
            at = end + 4 + size
        return (words, data[at:]) if at <= len(data) else None
    except ValueError:
        return None
