"""stream { } over TCP: forwarding, choice and failover, time-outs, logs, reload, the end."""

import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from harness import eventually, free_port, weir_only
from operators import weir
from redis_server import RedisClient, RedisServer
from services import echo, receive_all, says
from wire import LIMIT

HTTP = "server { listen @listen@; location / { return 200; } }"


def connect(port):
    return socket.create_connection(("127.0.0.1", port), LIMIT)


def ask(port, data=b""):
    with connect(port) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        return receive_all(sock)


def first(port, size=1):
    with connect(port) as sock:
        return sock.recv(size)


def test_bytes_go_both_ways_unchanged(stream, service):
    node = service(echo)
    proxy = stream(f"server {{ listen @0@; proxy_pass {node.address}; proxy_half_close on; }}")
    data = os.urandom(8 << 20)
    with connect(proxy.ports[0]) as sock:
        sender = threading.Thread(target=lambda: (sock.sendall(data),
                                                  sock.shutdown(socket.SHUT_WR)))
        sender.start()
        got = receive_all(sock)
        sender.join(LIMIT)
    assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()


def test_a_client_that_does_not_read_holds_up_its_peer_alone(stream, service):
    sent = []

    def flood(sock):
        for _ in range(1024):
            sock.sendall(b"x" * 65536)
            sent.append(65536)
    node = service(flood)
    quick = service(says(b"q"))
    proxy = stream(f"server {{ listen @0@; proxy_pass {node.address}; }}"
                   f"server {{ listen @1@; proxy_pass {quick.address}; }}", ports=2)
    with connect(proxy.ports[0]) as slow:
        before = proxy.resident_kib()
        # What sockets hold is bounded; the rest waits at the peer.
        seen = []
        eventually(lambda: seen.append(len(sent)) or len(seen) > 30 and seen[-30] == seen[-1] > 0,
                   "it goes no further")
        assert first(proxy.ports[1]) == b"q"
        assert sum(sent) < 64 << 20
        assert proxy.resident_kib() - before < 8192
        slow.settimeout(LIMIT)
        assert len(receive_all(slow)) == 64 << 20


def test_round_robin_weights_and_backups(stream, service):
    a, b, c = (service(says(name)) for name in (b"a", b"b", b"c"))
    proxy = stream(f"""upstream u {{ server {a.address} weight=2; server {b.address};
                                     server {c.address} backup; }}
                       server {{ listen @0@; proxy_pass u; }}""")
    assert b"".join(first(proxy.ports[0]) for _ in range(6)) == b"abaaba"


def test_a_client_is_hashed_to_one_peer(stream, service):
    nodes = [service(says(bytes([65 + i]))) for i in range(4)]
    servers = "".join(f"server {node.address};" for node in nodes)
    proxy = stream(f"upstream u {{ hash $remote_addr consistent; {servers} }}"
                   f"server {{ listen @0@; proxy_pass u; }}")
    assert len({first(proxy.ports[0]) for _ in range(8)}) == 1


def test_least_conn_looks_at_open_connections(stream, service):
    a, b = service(says(b"a")), service(says(b"b"))
    proxy = stream(f"upstream u {{ least_conn; server {a.address}; server {b.address}; }}"
                   f"server {{ listen @0@; proxy_pass u; }}")
    with connect(proxy.ports[0]) as one, connect(proxy.ports[0]) as two:
        assert {one.recv(1), two.recv(1)} == {b"a", b"b"}
        assert first(proxy.ports[0]) in (b"a", b"b")


def test_a_peer_that_refuses_is_passed_over_and_nothing_is_sent_twice(stream, service):
    got = []

    def collect(sock):
        got.append(receive_all(sock))
        sock.sendall(b"done")
    node = service(collect)
    dead = free_port()
    proxy = stream(f"""log_format f '$status $upstream_addr $upstream_connect_time '
                                     '$bytes_received $bytes_sent';
                       upstream u {{ server 127.0.0.1:{dead}; server {node.address}; }}
                       server {{ listen @0@; proxy_pass u; proxy_half_close on;
                                 access_log @dir@/s.log f; }}""")
    assert ask(proxy.ports[0], b"once") == b"done"
    assert got == [b"once"]
    line = proxy.wait_for_log("^200", "s.log")
    assert f"127.0.0.1:{dead}, {node.address} -, " in line, line
    assert line.endswith("4 4"), line
    # It is out for fail_timeout now.
    assert ask(proxy.ports[0], b"again") == b"done"
    assert "," not in proxy.wait_for_log("5 4$", "s.log")


def test_without_another_peer_the_connection_is_closed(stream):
    dead = free_port()
    proxy = stream(f"log_format f $status; server {{ listen @0@; proxy_pass 127.0.0.1:{dead}; "
                   f"access_log @dir@/s.log f; }}")
    assert ask(proxy.ports[0]) == b""
    proxy.wait_for_log("^502$", "s.log")
    proxy.wait_for_log("connect to the peer failed .111: Connection refused.", "error.log")


def test_proxy_next_upstream_off_and_max_tries(stream, service):
    node = service(says(b"n"))
    dead = [free_port() for _ in range(2)]
    servers = "".join(f"server 127.0.0.1:{port} max_fails=0;" for port in dead)
    proxy = stream(f"""upstream u {{ {servers} server {node.address}; }}
                       server {{ listen @0@; proxy_pass u; proxy_next_upstream off; }}
                       server {{ listen @1@; proxy_pass u; proxy_next_upstream_tries 2; }}""",
                   ports=2)
    assert ask(proxy.ports[0]) == b""
    assert [first(proxy.ports[1]) for _ in range(3)].count(b"n") >= 1


def test_half_close(stream, service):
    def late(sock):
        data = receive_all(sock)
        sock.sendall(b"got " + data)
    node = service(late)
    proxy = stream(f"server {{ listen @0@; proxy_pass {node.address}; proxy_half_close on; }}"
                   f"server {{ listen @1@; proxy_pass {node.address}; }}", ports=2)
    assert ask(proxy.ports[0], b"x") == b"got x"
    # nginx's default: the end of one is the end of all.
    assert ask(proxy.ports[1], b"x") == b""


def test_a_reset_is_passed_on(stream, service):
    ended = threading.Event()
    errors = []

    def wait_for_reset(sock):
        sock.sendall(b"r")
        try:
            while sock.recv(1):
                pass
        except ConnectionResetError as why:
            errors.append(why)
        ended.set()

    def reset(sock):
        sock.recv(1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    waiting, resetting = service(wait_for_reset), service(reset)
    proxy = stream(f"server {{ listen @0@; proxy_pass {waiting.address}; }}"
                   f"server {{ listen @1@; proxy_pass {resetting.address}; }}", ports=2)
    sock = connect(proxy.ports[0])
    assert sock.recv(1) == b"r"
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    assert ended.wait(LIMIT) and errors
    with connect(proxy.ports[1]) as sock, pytest.raises(ConnectionResetError):
        sock.sendall(b"x")
        while sock.recv(1):
            pass


def test_an_idle_connection_ends(stream, service):
    node = service(says(b"n"))
    proxy = stream(f"server {{ listen @0@; proxy_pass {node.address}; proxy_timeout 300ms; }}")
    with connect(proxy.ports[0]) as sock:
        began = time.monotonic()
        assert receive_all(sock) == b"n"
        assert 0.25 < time.monotonic() - began < 5


def test_rates(stream, service):
    node = service(lambda sock: sock.sendall(b"x" * 30000))
    proxy = stream(f"server {{ listen @0@; proxy_pass {node.address}; "
                   f"proxy_download_rate 10000; }}")
    with connect(proxy.ports[0]) as sock:
        began = time.monotonic()
        assert len(receive_all(sock)) == 30000
        assert 1.5 < time.monotonic() - began < 6


def test_a_real_redis_behind(stream, tmp_path):
    with_password = RedisServer(tmp_path, "--requirepass", "secret").start()
    try:
        proxy = stream(f"""upstream redis {{ server 127.0.0.1:{with_password.port};
                               health_check type=tcp interval=100ms; }}
                           server {{ listen @0@; proxy_pass redis; }}""")
        with RedisClient(proxy.ports[0], "secret") as client:
            assert client("SET", "k", "v" * 100000) == "OK"
            assert client("GET", "k") == "v" * 100000
        with_password.kill()
        # The check finds it dead, and whoever is connected hears of it.
        proxy.wait_for_log("is (down|unhealthy)|up -> down|down", "error.log")
        assert ask(proxy.ports[0]) == b""
        with_password.start()

        def pong():
            try:
                with RedisClient(proxy.ports[0], "secret") as client:
                    return client("PING") == "PONG"
            except (OSError, ConnectionError):
                return False
        eventually(pong, "redis is up again", 10)
    finally:
        with_password.stop()


def test_checks_that_speak(stream, service):
    def pong(sock):
        while data := sock.recv(100):
            sock.sendall(b"+PONG\r\n" if data.startswith(b"PING") else data)
    good, bad = service(pong), service(says(b"-ERR loading\r\n"))
    proxy = stream(f"""match pong {{ send "PING\\r\\n"; expect ~ "^\\+PONG"; }}
                       upstream u {{ server {bad.address}; server {good.address}; }}
                       server {{ listen @0@; proxy_pass u; proxy_half_close on;
                                 health_check type=tcp match=pong interval=100ms mandatory; }}""")
    for _ in range(4):
        assert ask(proxy.ports[0], b"hello") == b"hello"


def test_access_log_and_variables(stream, service):
    node = service(says(b"hello"))
    proxy = stream(f"""log_format f escape=json '{{"p":"$protocol","s":$status,"b":$bytes_sent,
           "r":$bytes_received,"a":"$remote_addr","sa":"$server_addr:$server_port","c":$connection,
           "u":"$upstream_addr","us":$upstream_bytes_sent,"ur":$upstream_bytes_received,
           "t":$session_time,"ct":$upstream_connect_time,"ft":$upstream_first_byte_time,
           "st":$upstream_session_time}}';
           server {{ listen @0@; proxy_pass {node.address}; proxy_half_close on;
                     access_log @dir@/s.log f; }}""")
    assert ask(proxy.ports[0], b"abc") == b"helloabc"
    line = " ".join(proxy.wait_for_log('"st"', "s.log") and proxy.log("s.log"))
    record = json.loads(line)
    assert (record["p"], record["s"], record["b"], record["r"]) == ("TCP", 200, 8, 3)
    assert (record["u"], record["us"], record["ur"]) == (node.address, 3, 8)
    assert record["sa"] == f"127.0.0.1:{proxy.ports[0]}" and record["a"] == "127.0.0.1"


def test_access_and_limits(stream, service):
    node = service(says(b"n"))
    proxy = stream(f"""log_format f '$status $limit_conn_status';
           limit_conn_zone $binary_remote_addr zone=c:1m;
           server {{ listen @0@; deny 127.0.0.1; proxy_pass {node.address};
                     access_log @dir@/deny.log f; }}
           server {{ listen @1@; limit_conn c 1; proxy_pass {node.address};
                     access_log @dir@/limit.log f; }}""", ports=2)
    assert ask(proxy.ports[0]) == b""
    proxy.wait_for_log("^403", "deny.log")
    with connect(proxy.ports[1]) as one:
        assert one.recv(1) == b"n"
        assert ask(proxy.ports[1]) == b""
    proxy.wait_for_log("^503 REJECTED", "limit.log")
    eventually(lambda: first(proxy.ports[1]) == b"n", "the place is free again")


def test_maps_set_geo_and_return(stream):
    proxy = stream("""map $protocol $name { TCP this; default other; }
                      geo $where { 127.0.0.0/8 here; default there; }
                      split_clients $remote_addr $half { * all; }
                      server { listen @0@; set $x "$protocol-$name";
                               return $x:$where:$half:$remote_addr; }""")
    assert ask(proxy.ports[0]) == b"TCP-this:here:all:127.0.0.1"


def test_the_proxy_protocol_in_and_out(stream, service):
    node = service(lambda sock: sock.sendall(sock.recv(100)))
    proxy = stream(f"""server {{ listen @0@ proxy_protocol; set_real_ip_from 127.0.0.0/8;
                                 proxy_protocol on; proxy_pass {node.address}; }}
                       server {{ listen @1@ proxy_protocol;
                                 return $proxy_protocol_addr:$remote_addr; }}""", ports=2)
    with connect(proxy.ports[0]) as sock:
        sock.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 80\r\n")
        assert receive_all(sock) == (f"PROXY TCP4 192.0.2.9 127.0.0.1 4711 "
                                     f"{proxy.ports[0]}\r\n").encode()
    with connect(proxy.ports[1]) as sock:
        sock.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 80\r\n")
        assert receive_all(sock) == b"192.0.2.9:127.0.0.1"
    with connect(proxy.ports[1]) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert receive_all(sock) == b""


def test_a_target_of_variables(stream, service):
    a, b = service(says(b"a")), service(says(b"b"))
    proxy = stream(f"""upstream second {{ server {b.address}; }}
                       map $remote_addr $to {{ 127.0.0.1 second; default {a.address}; }}
                       server {{ listen @0@; proxy_pass $to; }}
                       server {{ listen @1@; set $none nothing; proxy_pass $none; }}
                       server {{ listen @2@; set $at {a.address}; proxy_pass $at; }}
                       server {{ listen @3@; set $at localhost:{a.port}; proxy_pass $at; }}""",
                   ports=4)
    assert first(proxy.ports[0]) == b"b"
    assert first(proxy.ports[2]) == b"a"
    assert first(proxy.ports[3]) == b"a"
    assert ask(proxy.ports[1]) == b""
    proxy.wait_for_log('no port in upstream "nothing"', "error.log")


def test_reloads_close_no_connection(stream, service):
    node = service(echo)
    other = service(says(b"new"))
    proxy = stream(f"server {{ listen @0@; proxy_pass {node.address}; }}", workers=2)
    text = proxy.conf.read_text()
    held = [connect(proxy.ports[0]) for _ in range(20)]
    for sock in held:
        sock.sendall(b"1")
        assert sock.recv(1) == b"1"
    failures = []
    ends = threading.Event()

    def load():
        while not ends.is_set():
            try:
                with connect(proxy.ports[0]) as sock:
                    sock.settimeout(LIMIT)
                    sock.sendall(b"x")
                    if sock.recv(3) not in (b"x", b"new"):
                        failures.append("short")
            except OSError as why:
                failures.append(why)
    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(4):
        to = other if i % 2 == 0 else node
        proxy.conf.write_text(text.replace(node.address, to.address))
        proxy.process.send_signal(signal.SIGHUP)
        eventually(lambda: sum("is in force" in line for line in proxy.log("error.log")) == i + 2,
                   "the reload is in force", 10)
    ends.set()
    for thread in threads:
        thread.join(LIMIT)
    assert not failures
    for sock in held:
        sock.sendall(b"2")
        assert sock.recv(1) == b"2"
        sock.close()


def test_the_end_waits_for_connections_as_long_as_it_may(start, service):
    node = service(echo)
    port = free_port()
    proxy = start.proxy(HTTP, main=f"worker_shutdown_timeout 1s; stream {{ server {{ "
                        f"listen 127.0.0.1:{port}; proxy_pass {node.address}; }} }}")
    with connect(port) as sock:
        sock.sendall(b"1")
        assert sock.recv(1) == b"1"
        proxy.process.send_signal(signal.SIGQUIT)
        eventually(lambda: _refuses(port), "it accepts no more")
        sock.sendall(b"2")
        assert sock.recv(1) == b"2"
        began = time.monotonic()
        assert receive_all(sock) == b""
        assert time.monotonic() - began < 4
    assert proxy.process.wait(10) == 0
    proxy.process = None  # there is nothing left to stop


def _refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@weir_only
def test_verbs_and_metrics(start, service):
    a, b = service(says(b"a")), service(says(b"b"))
    port, admin = free_port(), free_port()
    proxy = start.proxy(f"upstream db {{ server 127.0.0.1:9; }} {HTTP}",
                        main=f"admin {{ listen 127.0.0.1:{admin}; }}"
                        f"stream {{ upstream db {{ server {a.address}; server {b.address}; }}"
                        f"server {{ listen 127.0.0.1:{port}; proxy_pass db; }} }}")
    assert {first(port) for _ in range(4)} == {b"a", b"b"}
    held = connect(port)
    mine = held.recv(1)
    peer = a.address if mine == b"a" else b.address
    weir(proxy, "drain", f"stream:db/{peer}")
    assert {first(port) for _ in range(4)} == {b"b" if mine == b"a" else b"a"}
    held.sendall(b"on")
    assert held.recv(2) == b"on"  # what it has goes on
    weir(proxy, "down", f"stream:db/{peer}")
    with pytest.raises(ConnectionResetError):
        assert held.recv(1) != b""
        raise AssertionError("it was ended properly")
    weir(proxy, "ready", f"stream:db/{peer}")
    assert {first(port) for _ in range(4)} == {b"a", b"b"}
    text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=LIMIT).read()
    assert b'upstream="stream:db"' in text
    weir(proxy, "maintenance", "on", "stream:db")
    assert ask(port) == b""


@weir_only
def test_what_is_counted_of_an_address(start, service):
    node = service(lambda sock: sock.sendall(sock.recv(100) * 2) or sock.recv(1))
    port, closed, admin = free_port(), free_port(), free_port()
    proxy = start.proxy(HTTP, main=f"""admin {{ listen 127.0.0.1:{admin}; }}
        stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass {node.address}; }}
                  server {{ listen 127.0.0.1:{closed}; proxy_pass 127.0.0.1:{free_port()}; }} }}""")

    def counted(name, address, code=""):
        text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=LIMIT).read()
        labels = f'listen="127.0.0.1:{address}"' + (f',code="{code}"' if code else "")
        return float(re.search(rf"^weir_stream_{name}{{{labels}}} (.*)$", text.decode(), re.M).group(1))

    with connect(port) as sock:
        sock.sendall(b"12345")
        assert sock.recv(100) == b"1234512345"
        assert counted("sessions", port) == 1
        eventually(lambda: counted("received_bytes_total", port) == 5, "bytes of a session in progress")
        eventually(lambda: counted("sent_bytes_total", port) == 10, "bytes of a session in progress")
        proxy.process.send_signal(signal.SIGHUP)
        proxy.wait_for_log("generation 2 is in force", "error.log")
        assert counted("sessions", port) == 1
    eventually(lambda: counted("sessions_total", port, "2xx") == 1, "its end")
    assert counted("sessions", port) == 0 and counted("received_bytes_total", port) == 5
    assert ask(closed) == b""
    eventually(lambda: counted("sessions_total", closed, "5xx") == 1, "its failure")


def test_a_node_killed_under_load_costs_its_connections_alone(stream, tmp_path):
    script = tmp_path / "node.py"
    script.write_text(
        "import socket, sys, threading\n"
        "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(64)\n"
        "def serve(c):\n"
        "    while d := c.recv(100): c.sendall(d)\n"
        "while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()\n")
    ports = [free_port() for _ in range(2)]
    nodes = [subprocess.Popen([sys.executable, script, str(port)], stderr=subprocess.DEVNULL)
             for port in ports]
    try:
        for port in ports:
            eventually(lambda p=port: not _refuses(p), "the node listens", 10)
        proxy = stream(f"""upstream u {{ server 127.0.0.1:{ports[0]};
                                         server 127.0.0.1:{ports[1]}; }}
                           server {{ listen @0@; proxy_pass u; proxy_connect_timeout 1s; }}""")
        killed = threading.Event()
        late = []

        def load(count):
            for _ in range(count):
                after = killed.is_set()
                try:
                    with connect(proxy.ports[0]) as sock:
                        sock.settimeout(LIMIT)
                        sock.sendall(b"x")
                        ok = sock.recv(1) == b"x"
                except OSError:
                    ok = False
                if not ok and after:
                    late.append("failed though begun after the end of the node")
        threads = [threading.Thread(target=load, args=(150,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        nodes[0].kill()
        nodes[0].wait()
        killed.set()
        for thread in threads:
            thread.join(30)
        assert not late
    finally:
        for node in nodes:
            node.kill()
            node.wait()


def test_no_descriptor_is_left_behind(stream, service):
    node = service(says(b"n"))
    proxy = stream(f"upstream u {{ server 127.0.0.1:{free_port()} max_fails=0; "
                   f"server {node.address}; }} server {{ listen @0@; proxy_pass u; }}")

    def open_files():
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in proxy.pids())
    first(proxy.ports[0])
    before = open_files()
    for _ in range(50):
        first(proxy.ports[0])
    eventually(lambda: open_files() <= before, "all are closed")
