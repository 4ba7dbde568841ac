"""The dashboard in a real browser, and the pages behind it: events, history, and who may ask."""

import json
import re
import socket
import subprocess
import time

import pytest

from browser import Browser
from certificates import Authority
from harness import PROXY, eventually, free_port, site
from operators import api, weir
from redis_server import RedisServer
from wire import Client, reply, request

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx has no dashboard")

TOKEN = "9f86d081884c7d659a2feaa0"
CHECK = "health_check uri=/health interval=200ms fails=1 passes=1;"


class Watched:
    """weir with an admin listener in front of nodes whose health can be switched."""

    def __init__(self, start, count=3, upstream="", admin="", http=""):
        self.sick = set()
        self.nodes = [start.node(self._handler(i)) for i in range(count)]
        self.admin = free_port()
        self.proxy = start.proxy(
            site(self.nodes, upstream=f"{upstream} {CHECK}", http=http),
            main=f"admin {{ listen 127.0.0.1:{self.admin}; token {TOKEN}; {admin} }}")
        self.url = f"http://127.0.0.1:{self.admin}/"

    def _handler(self, i):
        return lambda connection, request: reply(503 if i in self.sick else 200)

    def address(self, i):
        return self.nodes[i].address

    def load(self, count=20, path="/"):
        with Client(self.proxy.port) as client:
            for _ in range(count):
                client.exchange(request(path))

    def ask(self, target, *fields, method="GET", host=None):
        with Client(self.admin) as client:
            return client.exchange(request(target, *fields, method=method,
                                           host=host or f"127.0.0.1:{self.admin}"), method)


class Stream:
    """A reader of /events."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.sock.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        self.data = b""

    def until(self, end):
        while end not in self.data:
            chunk = self.sock.recv(1 << 16)
            assert chunk, self.data
            self.data += chunk
        part, self.data = self.data.split(end, 1)
        return part.decode()

    def event(self):
        while True:
            lines = self.until(b"\n\n").splitlines()
            fields = dict(line.split(": ", 1) for line in lines)
            if "data" in fields:
                return fields["event"], json.loads(fields["data"])

    def close(self):
        self.sock.close()


def merge(into, change):
    for key, value in change.items():
        key = int(key) if isinstance(into, list) else key
        there = into[key] if isinstance(into, list) or key in into else None
        if isinstance(value, dict) and isinstance(there, (dict, list)):
            merge(there, value)
        else:
            into[key] = value


# ---- the pages behind it

def test_events_and_history(start):
    watched = Watched(start)
    stream = Stream(watched.admin)
    head = stream.until(b"\r\n\r\n")
    assert head.startswith("HTTP/1.1 200") and "text/event-stream" in head
    name, message = stream.event()
    assert name == "state"
    state = message["state"]
    assert [pool["name"] for pool in state["pools"]] == ["app"]
    watched.sick.add(1)

    def told(word):
        deadline = time.monotonic() + 15
        while state["pools"][0]["peers"][1]["state"] != word:
            assert time.monotonic() < deadline, state
            kind, change = stream.event()
            assert kind == "change" and change["at"] > message["at"]
            merge(state, change.get("change", {}))
        return state["pools"][0]["peers"][1]

    down = told("down")
    assert "503" in down["reason"] and down["check"]["layer"] == "status" and not down["serves"]
    assert abs(down["since"] - time.time()) < 20
    watched.sick.clear()
    told("up")
    stream.close()
    history = json.loads(watched.ask("/history").body)
    assert history["every"] == 5 and len(history["weir"]["per_second"]) >= 1
    assert [pool["name"] for pool in history["pools"]] == ["app"]
    peers = json.loads(watched.ask("/history?pool=app").body)["pools"][0]["peers"]
    assert [peer["address"] for peer in peers] == sorted(node.address for node in watched.nodes)


def test_watchers_are_bounded_and_slow_ones_cost_nothing(start):
    watched = Watched(start, count=1)
    # A reader that reads nothing: its small window is full soon, and weir serves on.
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.connect(("127.0.0.1", watched.admin))
    slow.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    streams = [Stream(watched.admin) for _ in range(15)]
    for stream in streams:
        assert stream.until(b"\r\n\r\n").startswith("HTTP/1.1 200")
    answer = watched.ask("/events")
    assert answer.status == 503 and answer.get("Retry-After") == "10"
    streams.pop().close()

    def one_more():
        stream = Stream(watched.admin)
        head = stream.until(b"\r\n\r\n")
        stream.close()
        return head.startswith("HTTP/1.1 200")

    eventually(one_more, "a place has become free")
    assert watched.ask("/healthz").status == 200
    for stream in streams:
        stream.close()
    slow.close()


def test_who_may_ask(start):
    watched = Watched(start, count=1, admin="host lb1.example;")
    own = f"127.0.0.1:{watched.admin}"
    rows = [
        ("/", (), own, 200),
        ("/", (), "lb1.example", 200),
        ("/", (), "evil.example", 403),
        ("/events", (), f"evil.example:{watched.admin}", 403),
        ("/history", (), "evil.example", 403),
        ("/upstreams", (), "evil.example", 403),
        ("/api/status", (), "evil.example", 403),
        ("/upstreams", ("Origin: https://evil.example",), own, 403),
        ("/history", ("Sec-Fetch-Site: cross-site",), own, 403),
        ("/", ("Sec-Fetch-Site: cross-site",), own, 200),
        ("/metrics", (), own, 200),
        ("/readyz", (), "localhost", 200),
        ("/metrics", (), "evil.example", 403),  # over loopback: from afar any name will do
        ("/readyz", (), "evil.example", 403),
        ("/healthz", (), "probed.by.name.example", 200),
    ]
    for target, fields, host, status in rows:
        answer = watched.ask(target, *fields, host=host)
        assert answer.status == status, (target, fields, host, answer.status)
        if status == 403 and "evil" in host:
            assert b"`host` in admin" in answer.body
    page = watched.ask("/")
    policy = page.get("Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert page.get("X-Frame-Options") == "DENY" and page.get("X-Content-Type-Options") == "nosniff"
    # Nothing in the page is from elsewhere, and every file that it names is there.
    for path in set(re.findall(r'(?:src|href)="(/dashboard/[^"]+)"', page.body.decode())):
        asset = watched.ask(path)
        assert asset.status == 200 and asset.get("Cache-Control") == "no-cache"
        again = watched.ask(path, f"If-None-Match: {asset.get('ETag')}")
        assert again.status == 304
        assert b"://" not in re.sub(rb"http://www\.w3\.org/[a-z0-9/]+", b"", asset.body), path


def test_a_lone_port_is_for_this_machine(start):
    port = free_port()
    proxy = start.proxy(site([start.node()]), main=f"admin {{ listen {port}; }}")
    listening = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=True).stdout
    assert f"127.0.0.1:{port}" in listening and f"0.0.0.0:{port}" not in listening
    assert proxy.process.poll() is None


def test_no_secret_is_shown(start):
    port, secret = free_port(), "hunter2hunter2"
    refused = start.refused()
    text = f"""
    upstream app {{ registry redis://user:{secret}@127.0.0.1:{refused.port}/4 app=main; }}
    server {{ listen @listen@; location / {{ proxy_pass http://app; }} }}"""
    proxy = start.proxy(text, main=f"admin {{ listen 127.0.0.1:{port}; token {TOKEN}; }}")
    dump = subprocess.run(proxy.command("-T"), capture_output=True, text=True, check=True, cwd=proxy.directory)
    assert "redis://user:***@127.0.0.1" in dump.stdout and "token ***;" in dump.stdout
    proxy.wait_for_log("registry", "error.log")
    good = proxy.conf.read_text()
    # A reload that fails tells why, with what it quotes masked.
    proxy.conf.write_text(good.replace(f"registry redis://user:{secret}@", f"registry redi://user:{secret}@"))
    proxy.process.send_signal(1)
    proxy.wait_for_log("reload failed", "error.log")
    proxy.conf.write_text(good)
    stream = Stream(port)
    stream.until(b"\r\n\r\n")
    _, message = stream.event()
    stream.close()
    assert not message["state"]["weir"]["reload"]["ok"]
    assert message["state"]["pools"][0]["registry"]["url"].startswith("redis://user:***@")

    def page(target):
        with Client(port) as client:
            return client.exchange(request(target, host=f"127.0.0.1:{port}")).body.decode()

    shown = [dump.stdout, dump.stderr, json.dumps(message), proxy.output(), *proxy.log("error.log"),
             *(page(target) for target in ("/upstreams", "/metrics", "/readyz", "/history", "/help", "/api/status")),
             weir(proxy, "status", "--json"), weir(proxy, "status")]
    for one in shown:
        assert secret not in one and TOKEN not in one, one


# ---- in the browser

@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.stop()


@pytest.fixture
def watched(start):
    return Watched(start)


def row(address):
    return f"[...document.querySelectorAll('.peers tr')].find(r => r.textContent.includes('{address}'))"


def test_it_shows_what_is_and_what_changes(browser, watched):
    page = browser.page(watched.url)
    page.wait_for_text("All well", "#verdict")
    page.wait_for_text("3 of 3 serve", "#pools")
    assert page.run("document.title") == "All well · weir"
    for node in watched.nodes:
        page.wait_for_text(node.address, ".peers")
    watched.load(60)
    page.wait(f"Number({row(watched.address(0))}.querySelectorAll('td')[5].textContent) > 0", "requests a second")
    watched.sick.add(1)
    page.wait_for_text("1 of 3 peers out", "#verdict")
    page.wait_for_text(f"app/{watched.address(1)} down", "#problems")
    # By a shape and a word, besides the colour.
    assert page.run(f"{row(watched.address(1))}.querySelector('.state').innerText.trim()") == "down"
    assert page.run(f"!!{row(watched.address(1))}.querySelector('.shape.down')")
    watched.sick.update((0, 2))
    page.wait_for_text("app: no peer serves", "#verdict")
    assert page.run("document.title").startswith("■ ")
    watched.sick.clear()
    page.wait_for_text("All well", "#verdict")
    # What was is drawn again after the page is loaded anew.
    eventually(lambda: len(json.loads(watched.ask("/history").body)["weir"]["per_second"]) >= 2, "samples")
    page.reload()
    page.wait("(document.querySelector('.tile .line')?.getAttribute('d') ?? '').length > 5", "a chart")
    assert page.complaints() == []
    page.close()


def test_an_operator_drains_and_makes_ready(browser, watched):
    page = browser.page(watched.url)
    target = f"app/{watched.address(0)}"
    drain = f'button[data-verb="drain"][data-target="{target}"]'
    page.click(drain)
    page.wait("document.querySelector('#token').open")
    page.type("a-token-that-is-wrong")
    page.press("Enter")
    page.wait("document.querySelector('#confirm').open")
    assert f"Drain {target}?" in page.text("#confirm")
    page.click("#confirm .go")
    page.wait_for_text("the token is missing or wrong", "#token")
    assert api(watched.proxy, "status")["upstreams"][0]["peers"][0]["state"] == "up"
    page.type(TOKEN)
    page.press("Enter")
    page.wait_for_text("2 other peers of app serve on", "#confirm")
    page.click("#confirm .go")
    page.wait_for_text(f"drain {target}", "#toast")
    page.wait_for_text("All well, 1 peer held", "#verdict")
    peer = api(watched.proxy, "status")["upstreams"][0]["peers"][0]
    assert peer["state"] == "draining"
    # The token is this tab's: a reload keeps it, and it stands nowhere in the page.
    page.reload()
    page.click(f'button[data-verb="ready"][data-target="{target}"]')
    page.wait("document.querySelector('#confirm').open")
    assert TOKEN not in page.run("document.documentElement.outerHTML")
    page.press("Escape")
    page.wait("!document.querySelector('#confirm').open")
    assert api(watched.proxy, "status")["upstreams"][0]["peers"][0]["state"] == "draining"
    page.click(f'button[data-verb="ready"][data-target="{target}"]')
    page.click("#confirm .go")
    page.wait_for_text("All well", "#verdict")
    eventually(lambda: api(watched.proxy, "status")["upstreams"][0]["peers"][0]["state"] == "up", "up again")
    # The last one that serves: the confirmation says what that means.
    for i in (1, 2):
        weir(watched.proxy, "down", f"app/{watched.address(i)}")
    page.wait_for_text("1 of 3 serve", "#pools")
    page.click(drain)
    page.wait_for_text("its clients will get errors", "#confirm")
    page.click("#confirm .cancel")
    page.click("button", "Maintenance…")
    page.wait_for_text("All clients of app get 503", "#confirm")
    page.click("#confirm .go")
    page.wait_for_text("app in maintenance", "#problems")
    with Client(watched.proxy.port) as client:
        assert client.exchange(request("/")).status == 503
    # Another tab knows no token, and without one nothing can be changed.
    other = browser.page(watched.url)
    other.wait_for_text("unlock", "#access")
    other.close()
    refused = [entry for entry in page.complaints() if "403" not in json.dumps(entry)]
    assert refused == []
    page.close()


def test_without_a_token_there_are_no_buttons(browser, start):
    port = free_port()
    start.proxy(site([start.node()]), main=f"admin {{ listen 127.0.0.1:{port}; }}")
    page = browser.page(f"http://127.0.0.1:{port}/")
    page.wait_for_text("1 of 1 serves", "#pools")
    assert page.run("[...document.querySelectorAll('button[data-verb]')].every(b => !b.checkVisibility())")
    assert page.run("document.querySelector('#access').disabled")
    page.close()


def test_where_a_client_would_go_by_keyboard_alone(browser, start):
    watched = Watched(start, upstream="ip_hash;")
    page = browser.page(watched.url)
    page.wait_for_text("All well", "#verdict")
    for _ in range(20):  # to the button, wherever it is
        page.press("Tab")
        if page.run("document.activeElement.id") == "explain-open":
            break
    page.press("Enter")
    page.wait("document.querySelector('#explain').open")
    page.type("203.0.113.7")
    page.press("Enter")
    told = api(watched.proxy, "explain", client="203.0.113.7", uri="/")
    page.wait_for_text(f"{told['peer']} of app", "#explain-answer")
    answer = page.text("#explain-answer")
    assert f"= {told['pool']['named'][0]['point']}" in answer and "chosen: hash" in answer
    page.press("Escape")
    page.wait("!document.querySelector('#explain').open")
    page.close()


def test_a_lost_connection_shows_and_heals(browser, start):
    watched = Watched(start)
    page = browser.page(watched.url)
    page.wait_for_text("All well", "#verdict")
    watched.proxy.process.send_signal(19)  # the master; the engine is stopped too
    engines = watched.proxy.pids()[1:]
    for pid in engines:
        subprocess.run(["kill", "-STOP", str(pid)], check=True)
    page.wait_for_text("Stale since", "#stale")
    assert page.run("document.body.classList.contains('stale')")
    for pid in (*engines, watched.proxy.process.pid):
        subprocess.run(["kill", "-CONT", str(pid)], check=True)
    page.wait("document.querySelector('#stale').hidden", "it is live again")
    page.wait_for_text("All well", "#verdict")
    page.close()


def test_a_thousand_peers_on_a_wall_and_a_phone(browser, start):
    pools = "".join(f"upstream pool{i:02} {{ "
                    + "".join(f"server 10.{i}.0.{j + 1}:80;" for j in range(32)) + " }\n" for i in range(32))
    port = free_port()
    start.proxy(f"{pools} server {{ listen @listen@; location / {{ proxy_pass http://pool00; }} }}",
                main=f"admin {{ listen 127.0.0.1:{port}; token {TOKEN}; }}")
    page = browser.page(f"http://127.0.0.1:{port}/")
    page.wait("document.querySelectorAll('.pool').length === 32")
    assert page.run("document.querySelectorAll('.dots .shape').length") == 1024
    assert page.run("document.querySelectorAll('.peers tbody tr').length") == 0  # closed ones are not drawn
    page.click(".pool summary", "pool07")
    page.wait("document.querySelectorAll('.peers tbody tr').length === 32")
    # The page's own work over a few beats of the server.
    page.call("Performance.enable")

    def busy():
        metrics = page.call("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "TaskDuration")

    page.wait("window.seen = (window.seen ?? 0) + 1")
    before, began = busy(), time.monotonic()
    link = page.text("#link")
    page.wait(f"document.querySelector('#link').innerText !== {json.dumps(link)}")
    link = page.text("#link")
    page.wait(f"document.querySelector('#link').innerText !== {json.dumps(link)}")
    assert (busy() - before) / (time.monotonic() - began) < 0.5
    page.size(390, 844)
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert page.complaints() == []
    page.close()


def test_charts_stay_with_their_peer(browser, watched):
    stream = Stream(watched.admin)
    stream.until(b"\r\n\r\n")
    state = stream.event()[1]["state"]
    stream.close()
    page = browser.page(watched.url)
    page.wait_for_text("All well", "#verdict")
    addresses = [node.address for node in watched.nodes]
    drawn = page.run(f"""(async () => {{
      const {{ Pools }} = await import("/dashboard/pools.js");
      const state = {json.dumps(state)};
      const pools = new Pools({{ can: () => false, now: () => 0, wanted() {{}} }});
      pools.show(state, 0);
      const view = pools.views[0];
      const line = (...values) => values;
      const past = {{ per_second: line(1, 2), errors: line(0, 0), p50: line(1, 1), p99: line(1, 1), in_flight: line(0, 0),
        peers: state.pools[0].peers.map((peer, i) => (
          {{ address: peer.address, per_second: line(i, 8), errors: line(0, 0), states: "aa" }})) }};
      view.history({{ states: ["up"], at: 1, every: 5 }}, past);
      const charts = () => Object.fromEntries(view.rows.map(
        (row) => [row.data.address, row.chart.line.getAttribute("d")]));
      const before = charts();
      state.pools[0].peers.shift();
      state.pools[0].peers.push({{ ...state.pools[0].peers[0], address: "10.0.0.9:80" }});
      pools.show(state, 0);
      return [before, charts()];
    }})()""")
    before, after = drawn
    assert len(set(before.values())) == 3 and all(before.values())
    assert after == {addresses[1]: before[addresses[1]], addresses[2]: before[addresses[2]], "10.0.0.9:80": ""}
    page.close()


def hide(hidden):
    return (f"Object.defineProperty(document, 'hidden', {{ value: {json.dumps(hidden)}, configurable: true }}); "
            "document.dispatchEvent(new Event('visibilitychange'))")


def test_a_hidden_tab_gives_its_place_back_and_asks_one_thing_at_a_time(browser, watched):
    page = browser.page()
    page.call("Page.addScriptToEvaluateOnNewDocument", source="""
      const later = window.setTimeout.bind(window);
      window.setTimeout = (what, time) => later(what, time === 60000 ? 50 : time);
      const real = window.fetch.bind(window);
      window.asking = 0; window.most = 0; window.asked = 0;
      window.fetch = async (...all) => {
        if (!String(all[0]).startsWith("/history")) return real(...all);
        window.asked += 1;
        window.most = Math.max(window.most, ++window.asking);
        await new Promise((done) => later(done, 100));
        try { return await real(...all); } finally { window.asking -= 1; }
      };""")
    page.open(watched.url)
    page.wait_for_text("All well", "#verdict")
    page.run(hide(True))
    page.wait_for_text("paused", "#link")
    page.run(hide(False))
    page.wait_for_text("live", "#link")
    for _ in range(5):
        page.run(hide(False))
    page.wait("window.asked >= 3 && window.asking === 0", "the past has come")
    assert page.run("window.most") == 1
    assert page.run("document.querySelector('#stale').hidden")
    page.close()


def test_certificates_that_end_soon_or_cannot_be_had(browser, start, tmp_path):
    authority = Authority(tmp_path)
    servers = ""
    for name, days in (("late.example", 2), ("good.example", 60)):
        certificate, key = authority.sign(name, days=days)
        servers += f"""server {{ listen 127.0.0.1:{free_port()} ssl; ssl_certificate {certificate};
                                ssl_certificate_key {key}; return 204; }}"""
    watched = Watched(start, http=servers + f"""
        acme_issuer none {{ uri https://127.0.0.1:{free_port()}/; state_path {tmp_path}/acme; }}
        server {{ listen 127.0.0.1:{free_port()}; server_name ordered.example;
                  acme_certificate none; }}""")
    eventually(lambda: any(order["error"] for order in json.loads(watched.ask("/certificates").body)["orders"]),
               "an order")
    page = browser.page(watched.url)
    page.wait_for_text("Certificate of late.example: 1 day left", "#problems")
    page.wait_for_text("Certificate of ordered.example is not to be had", "#problems")
    page.wait_for_text("59 days left", "#system")
    assert "good.example" not in page.text("#problems")
    assert page.complaints() == []
    page.close()


def test_why_it_is_refused_is_shown(browser, watched):
    streams = [Stream(watched.admin) for _ in range(16)]
    for stream in streams:
        assert stream.until(b"\r\n\r\n").startswith("HTTP/1.1 200")
    page = browser.page(watched.url)
    page.wait_for_text("as many watch events as may", "#stale")
    for stream in streams:
        stream.close()
    page.wait_for_text("All well", "#verdict")
    page.close()


def test_tunnels_are_not_in_the_durations(start):
    port = free_port()
    node = start.node(lambda connection, request: reply(200) if request.target == "/" else (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"))
    proxy = start.proxy(site([node], location="proxy_set_header Upgrade x; proxy_set_header Connection Upgrade;"),
                        main=f"admin {{ listen 127.0.0.1:{port}; }}")
    with Client(proxy.port) as client:
        client.send(request("/tunnel", "Upgrade: x", "Connection: Upgrade"))
        assert client.read_response().status == 101
    with Client(proxy.port) as client:
        assert client.exchange(request("/")).status == 200

    def counted():
        with Client(port) as client:
            text = client.exchange(request("/metrics", host="localhost")).body.decode()
        total = {key: int(float(value)) for key, value in
                 re.findall(r'^(weir_requests_total\{[^}]*code="(?:1xx|2xx)"[^}]*\}|weir_request_duration_seconds_count\S*) (\S+)$', text, re.M)}
        return sum(v for k, v in total.items() if "requests_total" in k) == 2 and total or None

    totals = eventually(counted, "both are counted")
    assert [v for k, v in totals.items() if "duration" in k] == [1]


def colours(page):
    return page.run("[getComputedStyle(document.documentElement).backgroundColor,"
                    "getComputedStyle(document.body).color]")


def brightness(colour):
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3])


def test_what_is_wrong_beside_the_peers(browser, start, tmp_path):
    """A registry that cannot be read, a configuration that is refused, one peer that has nearly all
    of the clients; by day and by night."""
    redis = RedisServer(tmp_path).start()
    node = start.node()
    redis.add(0, node.address)
    watched = Watched(start, upstream="ip_hash;", http=f"""
        upstream found {{ registry {redis.url} app=main poll=100ms; }}""")
    try:
        page = browser.page(watched.url)
        page.wait_for_text("fresh", "#system")
        assert page.text("#problems").strip() == "" or "registry" not in page.text("#problems")
        redis.kill()
        page.wait_for_text("stale for", "#problems")
        page.wait_for_text("stale since", "#system")
        good = watched.proxy.conf.read_text()
        watched.proxy.conf.write_text(good.replace("server {", "server { nonsense;", 1))
        watched.proxy.process.send_signal(1)
        page.wait_for_text('unknown directive "nonsense"', "#problems")
        watched.proxy.conf.write_text(good)
        watched.proxy.process.send_signal(1)
        eventually(lambda: "nonsense" not in page.text("#problems"), "the good one is in force")
        watched.load(40)  # of one client
        page.wait_for_text("of the requests that are bound to a peer", "#problems")
        day = colours(page)
        assert page.complaints() == []
        page.close()
        night = browser.page(watched.url, dark=True)
        night.wait_for_text("stale for", "#problems")
        dark = colours(night)
        assert brightness(day[0]) > brightness(day[1]) + 300
        assert brightness(dark[1]) > brightness(dark[0]) + 300
        night.close()
    finally:
        redis.stop()
