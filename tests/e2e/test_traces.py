"""Traces: the context that is passed on or begun, the spans that a collector gets, and collectors
that do not work while requests do."""

import json
import re
import signal
import time

import pytest

from harness import PROXY, eventually, free_port
from wire import Client, reply, request, send_once

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="its module is not of Debian's")

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = f"traceparent: 00-{TRACE}-{SPAN}-01"


class Collector:
    """Takes batches by OTLP in JSON; `answer` may make it misbehave."""

    def __init__(self, start, answer=None):
        self.node = start.node(answer or (lambda *_: reply(200, b"{}")))

    def exporter(self, more="interval 50ms;"):
        return f"otel_exporter {{ endpoint http://{self.node.address}/v1/traces; {more} }}"

    @property
    def spans(self):
        found = []
        for one in self.node.requests:
            if one.complete:
                for resource in json.loads(one.body)["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        found += scope["spans"]
        return found

    def wait(self, count):
        eventually(lambda: len(self.spans) >= count, f"{count} spans, not {len(self.spans)}")
        return self.spans


def attributes(span):
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def of_kind(spans, kind):
    return [span for span in spans if span["kind"] == kind]


def test_the_spans_of_a_request_and_of_its_attempts(start):
    collector = Collector(start)
    bad, good = start.refused(), start.node()
    proxy = start.before([bad, good], http=collector.exporter(
        "interval 50ms; header X-Key secret;") + """
        otel_service_name shop; otel_resource_attr env test;
        otel_trace on; otel_trace_context propagate;
        otel_span_attr kind $arg_kind; otel_span_attr http.request.header.x-id $http_x_id;
        log_format ids '$otel_trace_id $otel_span_id $otel_parent_id $otel_parent_sampled';
        access_log @dir@/access.log ids;""")
    answer = send_once(proxy.port, request("/a?kind=x", PARENT, "tracestate: v=1", "X-Id: 7",
                                           "User-Agent: test"))
    assert answer.status == 200
    spans = collector.wait(3)
    (server,), clients = of_kind(spans, 2), of_kind(spans, 3)
    assert server["traceId"] == TRACE and server["parentSpanId"] == SPAN
    assert server["name"] == "/" and "status" not in server
    have = attributes(server)
    assert have["http.method"] == "GET" and have["http.target"] == "/a?kind=x"
    assert have["http.route"] == "/" and have["http.scheme"] == "http"
    assert have["http.flavor"] == "1.1" and have["http.user_agent"] == "test"
    assert have["http.status_code"] == "200" and have["net.sock.peer.addr"] == "127.0.0.1"
    assert have["net.host.port"] == str(proxy.port) and have["weir.end_code"] == "--"
    assert have["kind"] == "x"
    assert have["http.request.header.x-id"] == {"values": [{"stringValue": "7"}]}

    assert [attributes(span)["net.peer.name"] for span in clients] == [bad.address, good.address]
    assert all(span["parentSpanId"] == server["spanId"] and span["traceId"] == TRACE
               for span in clients)
    assert clients[0]["status"] == {"code": 2, "message": "connect_failed"}
    assert "status" not in clients[1]
    assert attributes(clients[1])["weir.reason"] == "retry:refused"
    assert attributes(clients[1])["http.status_code"] == "200"
    for span in spans:
        begin, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        assert abs(begin / 1e9 - time.time()) < 60 and begin <= end

    # The peer's own span is below that of the attempt.
    (seen,) = good.requests
    assert seen.all("traceparent") == [f"00-{TRACE}-{clients[1]['spanId']}-01"]
    assert seen.all("tracestate") == ["v=1"]
    assert proxy.wait_for_log(".") == f"{TRACE} {server['spanId']} {SPAN} 1"

    first = collector.node.requests[0]
    assert first.start == "POST /v1/traces HTTP/1.1" and first.get("x-key") == "secret"
    assert first.get("content-type") == "application/json"
    resource = json.loads(first.body)["resourceSpans"][0]["resource"]
    assert attributes(resource) == {"service.name": "shop", "env": "test"}


CONTEXTS = {
    # what the peer gets of the client's context, by how the location deals with it
    "ignore": (PARENT.split(": ")[1], "v=1"),
    "extract": (PARENT.split(": ")[1], "v=1"),
    "inject": (rf"00-(?!{TRACE})[0-9a-f]{{32}}-[0-9a-f]{{16}}-00", None),
    "propagate": (rf"00-{TRACE}-(?!{SPAN})[0-9a-f]{{16}}-00", "v=1"),
}


@pytest.mark.parametrize("use", CONTEXTS)
def test_the_context_that_a_peer_gets(start, use):
    node = start.node()
    proxy = start.before(node, http=f"otel_trace_context {use};")
    send_once(proxy.port, request("/", PARENT, "tracestate: v=1"))
    parent, state = CONTEXTS[use]
    (got,) = node.requests[0].all("traceparent")
    assert re.fullmatch(parent, got), got
    assert node.requests[0].get("tracestate") == state


def test_a_broken_context_counts_as_none(start):
    node = start.node()
    proxy = start.before(node, http="otel_trace_context propagate;")
    send_once(proxy.port, request("/", f"traceparent: 00-{TRACE}-0000000000000000-01",
                                  "tracestate: v=1"))
    (got,) = node.requests[0].all("traceparent")
    assert TRACE not in got and re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", got)
    assert node.requests[0].get("tracestate") is None


def test_two_contexts_are_none_and_states_of_several_fields_are_one_list(start):
    node = start.node()
    proxy = start.before(node, http="otel_trace_context propagate;")
    send_once(proxy.port, request("/", PARENT, "Tracestate: a=1", "X: y", "tracestate:", "tracestate: b=2"))
    assert node.requests[0].all("tracestate") == ["a=1,b=2"]
    send_once(proxy.port, request("/", PARENT, PARENT.replace("traceparent: 00-0af", "traceparent: 00-1bf")))
    (got,) = node.requests[1].all("traceparent")
    assert "7651916cd43dd8448eb211c80319c" not in got


def test_without_directives_the_context_passes_as_it_is(start):
    node = start.node()
    proxy = start.before(node)
    send_once(proxy.port, request("/", PARENT))
    assert node.requests[0].all("traceparent") == [PARENT.split(": ")[1]]


def test_what_is_sampled(start):
    collector = Collector(start)
    node = start.node()
    proxy = start.before(node, http=collector.exporter() + """
        split_clients $arg_n $ratio { 50% on; * off; }
        otel_trace_context propagate;
        server { listen unix:@dir@/unused.sock; }
        """, server="""
        location /always { otel_trace on; proxy_pass http://app; }
        location /never { otel_trace off; proxy_pass http://app; }
        location /parent { otel_trace $otel_parent_sampled; proxy_pass http://app; }
        location /ratio { otel_trace $ratio; proxy_pass http://app; }""")
    with Client(proxy.port) as client:
        for target, field in (("/never", PARENT), ("/parent", "X: y"),
                              ("/parent", PARENT[:-1] + "0"), ("/parent", PARENT)):
            client.exchange(request(target, field))
        for i in range(40):
            client.exchange(request(f"/ratio?n={i}"))
        client.exchange(request("/always"))
    eventually(lambda: any(attributes(span).get("http.target") == "/always"
                           for span in collector.spans), "the last span")
    targets = [attributes(span)["http.target"] for span in of_kind(collector.spans, 2)]
    assert targets.count("/parent") == 1 and "/never" not in targets
    # Which of them is a hash's affair, and the same each time.
    assert 10 <= sum(target.startswith("/ratio") for target in targets) <= 30
    flags = {seen.target.split("?")[0]: seen.get("traceparent")[-2:] for seen in node.requests
             if not seen.target.startswith("/ratio")}
    assert flags == {"/never": "00", "/parent": "01", "/always": "01"}


def test_batches_are_no_larger_than_asked_for(start):
    collector = Collector(start)
    proxy = start.before(start.node(), http=collector.exporter(
        "interval 200ms; batch_size 4; batch_count 100;") + "otel_trace on;")
    with Client(proxy.port) as client:
        for _ in range(6):  # two spans each
            client.exchange(request())
    collector.wait(12)
    for one in collector.node.requests:
        scopes = json.loads(one.body)["resourceSpans"][0]["scopeSpans"]
        assert 1 <= sum(len(scope["spans"]) for scope in scopes) <= 4


def test_long_values_are_cut(start):
    collector = Collector(start)
    proxy = start.before(start.node(), http=collector.exporter() + "otel_trace on;")
    send_once(proxy.port, request("/", "User-Agent: " + "x" * 3000))
    (server,) = of_kind(collector.wait(2), 2)
    assert attributes(server)["http.user_agent"] == "x" * 1024


def test_what_waits_is_sent_at_the_end(start):
    collector = Collector(start)
    proxy = start.before(start.node(), http=collector.exporter("interval 1h;") + "otel_trace on;")
    send_once(proxy.port, request())
    proxy.stop()
    assert len(collector.spans) == 2


def hang(connection, _):
    connection.wait_for_end()


BROKEN = {
    "dead": (None, "Connection refused"),
    "slow": (hang, None),
    "refusing": (lambda *_: reply(503, b"no"), "answered 503"),
    "no HTTP": (lambda *_: b"hello\r\n", "is no HTTP server"),
    "closing": (lambda *_: b"", None),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_collector_that_does_not_work_harms_no_request(start, kind):
    answer, complaint = BROKEN[kind]
    where = start.refused() if answer is None else start.node(answer)
    proxy = start.before(start.node(), http=f"""
        otel_exporter {{ endpoint http://{where.address}; interval 10ms; batch_size 2;
                         batch_count 2; }} otel_trace on;""",
        server="location /stub { stub_status; otel_trace off; }")
    slowest = 0.0
    with Client(proxy.port) as client:
        for _ in range(100):
            began = time.monotonic()
            assert client.exchange(request()).status == 200
            slowest = max(slowest, time.monotonic() - began)
    assert slowest < 2, slowest
    if complaint:
        def complained():
            send_once(proxy.port, request())
            return any(complaint in line and "traces are lost" in line
                       for line in proxy.log("error.log"))
        eventually(complained, complaint)


def test_counts_go_on_when_a_reload_changes_the_collector(start):
    first, second, admin = Collector(start), Collector(start), free_port()
    text = f"""@exporter@ otel_trace on;
        server {{ listen @listen@; location / {{ return 204; }} }} """
    proxy = start.proxy(text.replace("@exporter@", first.exporter()),
                        main=f"admin {{ listen 127.0.0.1:{admin}; }}")

    def sent():
        page = send_once(admin, request("/metrics", host="localhost")).body.decode()
        return int(re.search(r"^weir_trace_spans_sent_total (\d+)", page, re.M).group(1))
    send_once(proxy.port, request())
    eventually(lambda: sent() == 1, "one span is sent")
    proxy.conf.write_text(proxy.conf.read_text().replace(first.node.address, second.node.address))
    proxy.process.send_signal(signal.SIGHUP)
    eventually(lambda: sum("is in force" in line for line in proxy.log("error.log")) == 2,
               "the reload is in force", 10)
    assert sent() == 1
    send_once(proxy.port, request())
    eventually(lambda: sent() == 2, "two are")
    assert len(second.spans) == 1


def test_drops_are_counted(start):
    slow, admin = start.node(hang), free_port()
    proxy = start.proxy(f"""
        otel_exporter {{ endpoint http://{slow.address}/v1/traces; interval 10ms; batch_size 2;
                         batch_count 2; }} otel_trace on;
        server {{ listen @listen@; location / {{ return 204; }} }} """,
        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    with Client(proxy.port) as client:
        for _ in range(50):
            assert client.exchange(request()).status == 204
    page = send_once(admin, request("/metrics", host="localhost")).body.decode()
    dropped = int(re.search(r'^weir_trace_spans_dropped_total\{reason="full"\} (\d+)', page,
                            re.M).group(1))
    assert 40 <= dropped < 50
