"""What becomes of logs when there is too much to say, when the disk is full, when files are renamed;
and weir's own format and end codes."""

import json
import os
import re
import signal
import socket
import subprocess

import pytest

from harness import eventually, free_port, weir_only
from wire import LIMIT, Client, reply, request, send_once

pytestmark = weir_only


def metric(admin, name):
    page = send_once(admin, request("/metrics", host="localhost")).body.decode()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.M))


# ---- the format that is there

def test_the_json_format_is_an_object_a_line(start):
    bad, good = start.refused(), start.node()
    proxy = start.before([bad, good], http="access_log @dir@/access.log json;")
    send_once(proxy.port, request('/a"b?x=\\', 'User-Agent: "\xe4\tz'))
    line = json.loads(proxy.wait_for_log("uri"))
    assert line["uri"] == '/a"b?x=\\' and line["user_agent"] == '"\xe4\tz'
    assert line["status"] == "200" and line["end_code"] == "--" and line["method"] == "GET"
    assert line["upstream_addr"] == f"{bad.address}, {good.address}"
    assert line["upstream_reason"] == "rr, retry:refused"
    assert line["referer"] == "" and isinstance(line["request_time"], float)
    assert isinstance(line["bytes_sent"], int) and isinstance(line["msec"], float)


def test_a_format_of_that_name_comes_first(start):
    proxy = start.before(start.node(), http="""log_format json 'mine $uri';
        access_log @dir@/access.log json;""")
    send_once(proxy.port, request("/x"))
    assert proxy.wait_for_log(".") == "mine /x"


def test_bytes_that_are_no_text_do_not_break_json(start):
    proxy = start.before(start.node(), http="access_log @dir@/access.log json;")
    data = request("/", "User-Agent: XX").replace(b"XX", b"a\xff\xc3\xa4")
    send_once(proxy.port, data)
    assert json.loads(proxy.wait_for_log("uri"))["user_agent"] == "a\xffä"


# ---- how a request ended

def closing(connection, _):
    connection.close()


def hanging(connection, _):
    connection.wait_for_end()


def cut_short(connection, _):
    connection.send(reply(200, b"12345678", "X: y").replace(b"12345678", b"1234"))
    connection.close()


def slow_body(connection, _):
    connection.send(reply(200, b"12345678").replace(b"12345678", b"1234"))
    connection.wait_for_end()


@pytest.mark.parametrize("handler, code", [
    (None, "--"), (closing, "PS"), (hanging, "pS"), (cut_short, "PA"), (slow_body, "pA")])
def test_the_end_code_tells_who_ended_a_request(start, handler, code):
    admin = free_port()
    proxy = start.proxy(f"""upstream app {{ server {start.node(handler).address}; }}
        log_format ends '$end_code'; access_log @dir@/access.log ends;
        server {{ listen @listen@; location / {{ proxy_pass http://app;
            proxy_read_timeout 300ms; }} }}""", main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    with Client(proxy.port) as client:
        client.send(request())
        client.to_end() if code[1] == "A" else client.read_response()
    assert proxy.wait_for_log(".") == code
    page = send_once(admin, request("/metrics", host="localhost")).body.decode()
    ends = re.findall(r'^weir_requests_broken_total\{end_code="(..)"\} 1$', page, re.M)
    assert ends == ([code] if code != "--" else [])


def test_a_client_that_leaves_or_idles(start):
    node = start.node(hanging)
    proxy = start.before(node, http="""log_format ends '$end_code';
        access_log @dir@/access.log ends; client_header_timeout 300ms;""")
    with Client(proxy.port) as client:
        client.send(request())
        node.wait_for_requests(1)
        client.reset()
    proxy.wait_for_log("CS")
    with Client(proxy.port) as client:
        client.send(b"GET / HT")
        client.to_end()
    proxy.wait_for_log("cH")


# ---- too many lines alike

def test_of_lines_that_are_alike_a_hundred_are_written(start):
    admin = free_port()
    proxy = start.proxy(f"""upstream app {{ server {start.refused().address} max_fails=0; }}
        server {{ listen @listen@; location / {{ proxy_pass http://app; }}
                  location /other {{ return 204; }} }}""",
                        main=f"admin {{ listen 127.0.0.1:{admin}; }}")
    with Client(proxy.port) as client:
        for _ in range(130):
            assert client.exchange(request()).status == 502

    def written():
        return sum("connect to the peer failed" in line and "upstream:" in line
                   for line in proxy.log("error.log"))
    eventually(lambda: written() == 100, "100 lines")
    assert metric(admin, "weir_error_log_left_out_lines_total") == 30
    # How many is told when ten seconds are over, or at the end.
    proxy.stop()
    assert any(re.search(r"\[error\] \d+#0: 30 more like this in the last \d+ s: connect to the peer "
                         r"failed \(111: Connection refused\) of app, 127.0.0.1:\d+$", line) for line in proxy.log("error.log"))


@pytest.mark.parametrize("setting, lines", [("off", 130), ("7 1m", 7)])
def test_how_many_are_written_can_be_set(start, setting, lines):
    refused = start.refused().address
    port = free_port()
    proxy = start.proxy(f"""upstream app {{ server {refused} max_fails=0; }}
        server {{ listen @listen@; location / {{ proxy_pass http://app; }} }}""",
                        main=f"""error_log @dir@/error.log; error_log_limit {setting};
        stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass {refused}; }} }}""")
    with Client(proxy.port) as client:
        for _ in range(130):
            assert client.exchange(request()).status == 502
    for _ in range(130):
        with socket.create_connection(("127.0.0.1", port), LIMIT) as sock:
            assert sock.recv(1) == b""
    proxy.stop()
    log = proxy.log("error.log")
    assert sum("connect to the peer failed" in line and "request:" in line for line in log) == lines
    assert sum("while connecting to upstream" in line and "bytes from/to client" in line
               for line in log) == lines
    told = [line for line in log if "more like this" in line]
    assert len(told) == (0 if setting == "off" else 2)


def test_what_fails_often_hides_nothing_else(start, tmp_path):
    (tmp_path / "folder").mkdir()
    proxy = start.proxy(f"""upstream app {{ server {start.refused().address} max_fails=0; }}
        upstream payments {{ server {start.refused().address} max_fails=0; }}
        server {{ listen @listen@; root {tmp_path}; location /app {{ proxy_pass http://app; }}
                  location /payments {{ proxy_pass http://payments; }} }}""")
    with Client(proxy.port) as client:
        for _ in range(120):
            client.exchange(request("/app"))
            client.exchange(request("/missing"))
        client.exchange(request("/payments"))
        client.exchange(request(f"/{'x' * 300}"))
    proxy.wait_for_log('Connection refused.*"GET /payments ', "error.log")
    proxy.wait_for_log("File name too long", "error.log")


# ---- a disk that is full

def test_a_full_disk_loses_lines_and_no_request(start):
    admin = free_port()
    proxy = start.proxy(f"""upstream app {{ server {start.refused().address} max_fails=0; }}
        access_log /dev/full combined gzip buffer=1;
        server {{ listen @listen@; location / {{ return 200 ok; }}
                  location /bad {{ proxy_pass http://app; }} }}""",
                        main=f"error_log /dev/full info; admin {{ listen 127.0.0.1:{admin}; }}")
    with Client(proxy.port) as client:
        for _ in range(20):
            assert client.exchange(request()).status == 200
            assert client.exchange(request("/bad")).status == 502
    eventually(lambda: metric(admin, "weir_access_log_lost_lines_total") == 40, "40 lines lost")
    # Those of the start as well.
    assert metric(admin, "weir_error_log_lost_lines_total") >= 20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of two pages."""
    small = tmp_path / "small"
    small.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", small],
                          capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("nothing may be mounted here")
    yield small
    subprocess.run(["umount", "-l", small], check=True)


def test_lines_are_written_again_when_there_is_room(start, small_disk):
    (small_disk / "ballast").write_bytes(bytes(4096))
    proxy = start.proxy(f"log_format one '$uri'; access_log {small_disk}/access.log one;"
                        "server { listen @listen@; return 200 ok; }")
    log = small_disk / "access.log"
    with Client(proxy.port) as client:
        for i in range(600):
            assert client.exchange(request(f"/{i:09}")).status == 200
        eventually(lambda: log.stat().st_size == 4096, "the disk is full")
        proxy.wait_for_log("cannot write access log .*No space left", "error.log")
        (small_disk / "ballast").unlink()
        assert client.exchange(request("/last")).status == 200
    # What was kept back comes before it, nothing is lost, no line is torn.
    eventually(lambda: log.read_text().endswith("/last\n"), "lines are written again")
    assert log.read_text().splitlines() == [*(f"/{i:09}" for i in range(600)), "/last"]


# ---- rotation

def test_files_are_opened_again(start):
    proxy = start.before(start.node(), http="log_format one '$uri'; access_log @dir@/access.log one;")
    assert send_once(proxy.port, request("/before")).status == 200
    proxy.wait_for_log("/before")
    os.rename(proxy.directory / "access.log", proxy.directory / "access.log.1")
    os.rename(proxy.directory / "error.log", proxy.directory / "error.log.1")
    assert send_once(proxy.port, request("/between")).status == 200
    proxy.wait_for_log("/between", "access.log.1")
    proxy.process.send_signal(signal.SIGUSR1)
    eventually(lambda: (proxy.directory / "access.log").exists()
               and (proxy.directory / "error.log").exists(), "the files are there again")

    def arrives():
        send_once(proxy.port, request("/after"))
        return any("/after" in line for line in proxy.log())
    eventually(arrives, "lines in the new file")
