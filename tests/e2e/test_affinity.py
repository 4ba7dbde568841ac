"""Clients that come back to their node, by cookies, routes and learned sessions; and queues."""

import hashlib
import re
import threading
import urllib.request

from harness import eventually, free_port, site, weir_only
from wire import Client, reply, request, send_once

pytestmark = weir_only
TELL = "add_header X-Reason $upstream_reason always; add_header X-Addr $upstream_addr always;"


def named(start, names="abc"):
    return [start.node(lambda *_, name=name: reply(200, name.encode())) for name in names]


def cookie_of(answer):
    return (answer.get("set-cookie") or "").split(";")[0]


def test_cookie_binds_and_is_the_md5_of_the_address(start):
    nodes = named(start)
    proxy = start.before(nodes, location=TELL, upstream="sticky cookie srv expires=1h path=/;")
    for _ in range(6):
        first = send_once(proxy.port, request("/"))
        cookie = cookie_of(first)
        assert cookie == "srv=" + hashlib.md5(first.get("x-addr").encode()).hexdigest()
        assert "; max-age=3600; path=/" in first.get("set-cookie")
        for _ in range(3):
            again = send_once(proxy.port, request("/", f"Cookie: a=b; {cookie}"))
            assert again.body == first.body
            assert again.get("x-reason") == "sticky"
            assert cookie_of(again) == cookie


def test_a_client_whose_node_is_gone_gets_another_and_a_new_cookie(start):
    node = start.node(lambda *_: reply(200, b"up"))
    refused = start.refused()
    sid = hashlib.md5(refused.address.encode()).hexdigest()
    proxy = start.before([refused, node], location=TELL, upstream="sticky cookie srv;")
    answer = send_once(proxy.port, request("/", f"Cookie: srv={sid}"))
    assert answer.get("x-reason") == "sticky, retry:refused"
    assert cookie_of(answer) == "srv=" + hashlib.md5(node.address.encode()).hexdigest()
    answer = send_once(proxy.port, request("/", f"Cookie: srv={sid}"))
    assert answer.get("x-reason") == "skip:failed"


def test_filtered_answers_and_upgrades_carry_the_cookie(start):
    node = start.node(lambda *_: reply(200, b"x" * 2000, "Content-Type: text/plain"))
    proxy = start.before(node, location="gzip on; gzip_types *; gzip_min_length 1;",
                         upstream="sticky cookie srv;")
    answer = send_once(proxy.port, request("/", "Accept-Encoding: gzip"))
    assert answer.get("content-encoding") == "gzip"
    assert cookie_of(answer).startswith("srv=")


def test_route(start):
    nodes = named(start, "ab")
    proxy = start.before(nodes, location=TELL, parameters=["route=one", "route=two"],
                         upstream="sticky route $cookie_r $arg_r;")
    for target, field, want in [("/?r=one", None, b"a"), ("/?r=two", None, b"b"),
                                ("/?r=two", "Cookie: r=one", b"a")]:
        fields = [field] if field else []
        for _ in range(3):
            assert send_once(proxy.port, request(target, *fields)).body == want


def test_learn(start):
    def handler(connection, message, name=None):
        fields = ["Set-Cookie: s=new-" + name] if message.target == "/login" else []
        return reply(200, name.encode(), *fields)
    nodes = [start.node(lambda c, m, name=name: handler(c, m, name)) for name in "abc"]
    proxy = start.before(nodes, location=TELL, upstream="""
        sticky learn create=$upstream_cookie_s lookup=$cookie_s zone=z:1m;""")
    for _ in range(6):
        login = send_once(proxy.port, request("/login"))
        session = cookie_of(login)
        for _ in range(3):
            answer = send_once(proxy.port, request("/", f"Cookie: {session}"))
            assert answer.body == login.body
            assert answer.get("x-reason") == "sticky"


def test_drain_keeps_its_clients_only(start):
    nodes = named(start, "ab")
    proxy = start.before(nodes, location=TELL, parameters=["drain", ""],
                         upstream="sticky cookie srv;")
    for _ in range(4):
        assert send_once(proxy.port, request("/")).body == b"b"
    sid = hashlib.md5(nodes[0].address.encode()).hexdigest()
    assert send_once(proxy.port, request("/", f"Cookie: srv={sid}")).body == b"a"


# ---- queue ----


class Held:
    """A node whose answers wait until they are let go, one by one."""

    def __init__(self, start):
        self.gate = threading.Semaphore(0)
        self.node = start.node(self.handle)

    def handle(self, connection, message):
        assert self.gate.acquire(timeout=15)
        return reply(200, message.target.encode())


def waiting(admin):
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=5) as answer:
        return int(re.search(r"^weir_upstream_queued_requests\{.*\} (\d+)$",
                             answer.read().decode(), re.M).group(1))


def test_requests_wait_in_line_for_a_full_node(start):
    held = Held(start)
    admin = free_port()
    proxy = start.proxy(site([held.node], parameters=["max_conns=1"],
                             upstream="queue 8 timeout=10s;",
                             location="add_header X-Queued $upstream_queue_time always;"),
                        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    clients = [Client(proxy.port) for _ in range(4)]
    try:
        for i, client in enumerate(clients):
            client.send(request(f"/{i}"))
            # Each is in its place before the next comes.
            if i == 0:
                held.node.wait_for_requests(1)
            else:
                eventually(lambda: waiting(admin) == i, "it waits")
        for _ in clients:
            held.gate.release()
        answers = [client.read_response() for client in clients]
        assert [answer.status for answer in answers] == [200] * 4
        assert held.node.targets == ["/0", "/1", "/2", "/3"]
        assert answers[0].get("x-queued") is None
        assert all(answer.get("x-queued") for answer in answers[1:])
        assert waiting(admin) == 0
    finally:
        for client in clients:
            client.close()


def test_a_full_queue_and_one_that_lasts_too_long(start):
    held = Held(start)
    proxy = start.before(held.node, parameters=["max_conns=1"], upstream="queue 1 timeout=500ms;")
    with Client(proxy.port) as first, Client(proxy.port) as second:
        first.send(request("/first"))
        held.node.wait_for_requests(1)
        second.send(request("/second"))
        third = None

        def is_full():
            nonlocal third
            third = send_once(proxy.port, request("/third"))
            return b"" != third.body and third.status == 502
        eventually(is_full, "the queue is full, or its time is up")
        assert second.read_response().status == 502
        held.gate.release()
        held.gate.release()
        assert first.read_response().status == 200


def test_a_client_that_leaves_the_queue_makes_room(start):
    held = Held(start)
    admin = free_port()
    proxy = start.proxy(site([held.node], parameters=["max_conns=1"],
                             upstream="queue 1 timeout=10s;"),
                        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    with Client(proxy.port) as first:
        first.send(request("/first"))
        held.node.wait_for_requests(1)
        impatient = Client(proxy.port)
        impatient.send(request("/impatient"))
        eventually(lambda: waiting(admin) == 1, "it waits")
        impatient.reset()
        eventually(lambda: waiting(admin) == 0, "it has left")
        with Client(proxy.port) as patient:
            patient.send(request("/patient"))
            eventually(lambda: waiting(admin) == 1, "it waits")
            held.gate.release()
            held.gate.release()
            assert first.read_response().status == 200
            assert patient.read_response().status == 200
    assert held.node.targets == ["/first", "/patient"]
