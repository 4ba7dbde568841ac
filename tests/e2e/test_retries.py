"""What goes to another node besides proxy_next_upstream, what is answered when none is left, and what
becomes of those who wait for a node that dies."""

import json
import threading
import time

import pytest

from harness import eventually, weir_only
from wire import Client, chunks, reply, request, send_once

pytestmark = weir_only
TELL = "add_header X-Reason $upstream_reason always;"
POST = request("/api/x", method="POST", body=b"once")
MAINTAINING = json.dumps({"error": {"status": 503, "maintaining": True,
                                    "code": "APP_COMMANDING"}}).encode()
MISSING = json.dumps({"error": {"status": 404, "code": "APP_NOT_FOUND"}}).encode()
PROFILE = "profile nocobase; health_check off;"


def counted(status, body):
    return lambda *_: reply(status, body, "Content-Type: application/json")


def chunked(status, body):
    def handler(connection, _):
        connection.send(b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % status)
        for at in range(0, len(body), 7):
            connection.send(chunks(body[at:at + 7], end=False))
        connection.send(chunks())
    return handler


# ---- nodes that did not execute the request ----


@pytest.mark.parametrize("refuse", [counted(503, MAINTAINING), chunked(503, MAINTAINING),
                                    counted(404, MISSING)],
                         ids=["503", "503 chunked", "404"])
@pytest.mark.parametrize("data", [request("/api/x"), POST], ids=["GET", "POST"])
def test_a_node_in_maintenance_executes_nothing(start, refuse, data):
    bad, good = start.node(refuse), start.node()
    proxy = start.before([bad, good], location=TELL, upstream=PROFILE)
    answer = send_once(proxy.port, data)
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.get("x-reason") == "rr, retry:maintaining"
    assert len(bad.requests) == len(good.requests) == 1
    # It is out of rotation as after any failure.
    assert send_once(proxy.port, data).get("x-reason") == "rr"
    assert len(bad.requests) == 1


@pytest.mark.parametrize("answer", [counted(503, MAINTAINING), chunked(503, MAINTAINING)],
                         ids=["counted", "chunked"])
def test_the_last_refusal_goes_to_the_client_whole(start, answer):
    proxy = start.before([start.node(answer), start.node(answer)], upstream=PROFILE)
    got = send_once(proxy.port, POST)
    assert (got.status, got.body) == (503, MAINTAINING)


@pytest.mark.parametrize("status, body", [(503, b"busy"), (503, b'{"error":{"maintaining":false}}'),
                                          (404, b'{"error":{"code":"NOT_FOUND"}}'),
                                          (503, b"x" * 100000)])
def test_other_answers_are_answers(start, status, body):
    proxy = start.before([start.node(counted(status, body)), start.node(counted(status, body))],
                         location=TELL, upstream=PROFILE)
    got = send_once(proxy.port, POST)
    assert (got.status, got.body, got.get("x-reason")) == (status, body, "rr")


CLOSED = json.dumps({"errors": [{"message": "ConnectionManager.getConnection was called after the "
                                            "connection manager was closed!"}]}).encode()


@pytest.mark.parametrize("method, moves", [("GET", True), ("POST", False)])
def test_a_stopping_node_has_closed_its_database(start, method, moves):
    bad, good = start.node(counted(500, CLOSED)), start.node()
    proxy = start.before([bad, good], location=TELL, upstream=PROFILE)
    answer = send_once(proxy.port, request("/api/x", method=method, body=b"x" * (method == "POST")))
    assert (answer.status, answer.get("x-reason")) == (
        (200, "rr, retry:stopping") if moves else (500, "rr"))


def test_without_the_profile_it_is_an_answer(start):
    proxy = start.before([start.node(counted(503, MAINTAINING)), start.node()])
    assert send_once(proxy.port, POST).status == 503


# ---- what is safe to repeat ----


def closes(connection, _):
    connection.close()


@pytest.mark.parametrize("upstream, target, fields, moves", [
    ("", "/api/x", [], False),
    ("retry_idempotency_key on;", "/api/x", [], False),
    ("retry_idempotency_key on;", "/api/x", ["Idempotency-Key: 1"], True),
    ("retry_safe /api/users:list;", "/api/users:list?page=1", [], True),
    ("retry_safe /api/users:list;", "/api/users:create", [], False),
    ('retry_safe "~ :(list|get)$";', "/api/users:get", [], True),
    ('retry_safe "~ :(list|get)$";', "/api/users:getx", [], False),
])
def test_posts_that_may_be_repeated(start, upstream, target, fields, moves):
    bad, good = start.node(closes), start.node()
    proxy = start.before([bad, good], location=TELL, upstream=upstream)
    answer = send_once(proxy.port, request(target, *fields, method="POST", body=b"x"))
    assert answer.status == (200 if moves else 502)
    assert answer.get("x-reason") == ("rr, retry:closed" if moves else "rr")
    assert len(good.requests) == (1 if moves else 0)


def test_a_budget_delays_retries_but_saves_them(start):
    """Twelve requests fail at once where three retries may be in progress: the others wait."""
    gate = threading.Barrier(12, timeout=10)

    def fails_together(connection, _):
        gate.wait()
        connection.close()
    bad, good = start.node(fails_together), start.node()
    proxy = start.before([bad, f"{good.address} backup"],
                         parameters=["max_fails=0"], upstream="retry_budget 1%;")
    clients = [Client(proxy.port) for _ in range(12)]
    for client in clients:
        client.send(request("/x"))
    assert [client.read_response().status for client in clients] == [200] * 12
    for client in clients:
        client.close()
    assert len(good.requests) == 12


# ---- nobody left ----


def test_what_is_answered_when_none_is_left(start):
    proxy = start.before(start.node(), parameters=["down"],
                         upstream="unavailable status=503 retry_after=7s;")
    answer = send_once(proxy.port, request("/"))
    assert (answer.status, answer.get("retry-after")) == (503, "7")


def test_its_page_may_be_the_operators(start):
    proxy = start.before(start.node(), parameters=["down"],
                         upstream="unavailable status=503;",
                         server='error_page 503 @sorry; location @sorry { return 503 "sorry"; }')
    answer = send_once(proxy.port, request("/"))
    assert (answer.status, answer.body) == (503, b"sorry")


def test_fail_open_tries_what_is_known_to_be_bad(start):
    switch = {"healthy": True}
    node = start.node(lambda _, message: reply(
        200 if message.target != "/health" or switch["healthy"] else 500, b"ok"))
    proxy = start.before(node, location=TELL,
                         upstream="health_check uri=/health interval=50ms; fail_open on;")
    eventually(lambda: send_once(proxy.port, request("/")).status == 200, "it answers")
    switch["healthy"] = False
    eventually(lambda: send_once(proxy.port, request("/")).get("x-reason") == "fail-open",
               "the check has failed")
    proxy.wait_for_log("trying .* all the same", name="error.log")


# ---- a node that dies while it is waited for ----


class Dying:
    """A node that answers its checks until it is told to hang; other requests are never answered."""

    def __init__(self, start):
        self.hangs = False
        self.node = start.node(self.handle)

    def handle(self, connection, message):
        if message.target == "/health" and not self.hangs:
            return reply(200, b"ok")
        return connection.wait_for_end()

    def asked(self):
        return [target for target in self.node.targets if target != "/health"]


def test_those_who_wait_for_a_dead_node_are_freed(start):
    dying, good = Dying(start), start.node()
    check = "health_check uri=/health interval=50ms timeout=100ms;"
    proxy = start.before([dying.node, f"{good.address} backup"], location=TELL, upstream=check)
    with Client(proxy.port) as get, Client(proxy.port) as post:
        get.send(request("/get"))
        post.send(request("/post", method="POST", body=b"once"))
        eventually(lambda: len(dying.asked()) == 2, "both are at the node")
        dying.hangs = True
        # Well within proxy_read_timeout, which is a minute.
        answer = get.read_response()
        assert (answer.status, answer.get("x-reason")) == (200, "rr, retry:gone")
        assert post.read_response().status == 502
        assert good.targets.count("/post") == 0


def frames(data):
    out = []
    while data:
        size = data[1] & 0x7F
        out.append((data[0] & 0x0F, data[2:2 + size]))
        data = data[2 + size:]
    return out


@pytest.mark.parametrize("split", [False, True], ids=["between frames", "inside a frame"])
def test_websockets_of_a_dead_node_are_told_to_come_again(start, split):
    state = {"healthy": True}
    go_on = threading.Event()

    def handler(connection, message):
        if message.target == "/health":
            return reply(200 if state["healthy"] else 500, b"ok")
        connection.send(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        if split:
            connection.send(b"\x81\x05he")
            assert go_on.wait(10)
            connection.send(b"llo")
        else:
            connection.send(b"\x81\x05hello")
        return connection.wait_for_end()
    node = start.node(handler)
    proxy = start.before(node, upstream="health_check uri=/health interval=50ms;",
                         location="proxy_set_header Upgrade $http_upgrade; "
                                  "proxy_set_header Connection upgrade;")
    with Client(proxy.port) as client:
        client.send(request("/ws", "Upgrade: websocket", "Connection: Upgrade"))
        assert client.read_head().status == 101
        first = client.exactly(4 if split else 7)
        state["healthy"] = False
        if split:
            proxy.wait_for_log("down: status", name="error.log")
            go_on.set()
        rest = client.to_end()
        assert frames(first + rest) == [(1, b"hello"), (8, (1012).to_bytes(2, "big"))]
