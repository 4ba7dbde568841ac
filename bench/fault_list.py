"""The faults of bench/faults: what is done from second BEGIN to END, and what weir is to reach."""

import asyncio
import base64
import os
import re
import signal
import urllib.request

from steady_load import Client, Result

BEGIN, END, SECONDS = 2.0, 7.0, 10.0
IDLE = 400  # idle clients of the reload storm
RELOADS = 20
BAD = 100  # bad configurations
FLAP = 0.5  # seconds between two changes of a flapping node
DESCRIPTORS = 120  # of a proxy that is to run out of them
LONG = 7000  # bytes of a long request's target
SOON = 0.1  # seconds within which an answer comes "at once"


class Run:
    """What a fault acts on while the load runs, and what it notes."""

    def __init__(self, peer, nodes, load, websockets):
        self.peer = peer
        self.nodes = nodes
        self.result = load.result
        self.sockets = websockets
        self.started = asyncio.get_running_loop().time()
        self.since = self.started + BEGIN  # "good again" counts from here
        self.noted = {}
        self.missed = []  # goals of this fault's own

    async def until(self, second):
        await asyncio.sleep(self.started + second - asyncio.get_running_loop().time())

    def note(self, what, value, goal=None):
        """`goal` is the greatest value that reaches the goal."""
        self.noted[what] = value
        if goal is not None and value > goal:
            self.missed.append(f"{what}: {value}, at most {goal}")

    def good_again(self):
        """Seconds to the last failure."""
        ends = [done.at for done in self.result.failures]
        return max(0.0, max(ends) - self.since) if ends else 0.0

    async def during(self, action, gap):
        """Does it again and again for the time of the fault; returns how often."""
        await self.until(BEGIN)
        count = 0
        while asyncio.get_running_loop().time() < self.started + END:
            await action(count)
            count += 1
            await asyncio.sleep(gap)
        return count


async def aside(function, *arguments):
    """What blocks, while the clients go on."""
    return await asyncio.to_thread(function, *arguments)


# Nodes


async def kill(run):
    await run.until(BEGIN)
    run.nodes[0].kill()
    await run.until(END)
    await aside(run.nodes[0].start)


async def hang(run):
    await run.until(BEGIN)
    run.nodes[0].send_signal(signal.SIGSTOP)
    await run.until(END)
    run.nodes[0].send_signal(signal.SIGCONT)
    await run.until(SECONDS - 0.5)
    # proxy_read_timeout, and what a busy machine adds.
    run.note("of requests sent 2.2 s later", sum(
        done.sent > run.since + 2.2 for done in run.result.failures), 0)


def told(first, last):
    """One node is told to begin with it, and to end it."""
    async def act(run):
        await run.until(BEGIN)
        run.nodes[0].tell(first)
        await run.until(END)
        run.nodes[0].tell(last)
    return act


async def terminate(run):
    await run.until(BEGIN)
    run.nodes[0].send_signal(signal.SIGTERM)
    await run.until(END)
    run.nodes[0].kill()
    # From the closed port to the first 200, in a third of its time.
    await aside(run.nodes[0].start, "--boot", "0.3")


async def all_down(run):
    await run.until(BEGIN)
    for node in run.nodes:
        node.kill()
    await run.until(END)
    starting = [asyncio.create_task(aside(node.start)) for node in run.nodes]
    await asyncio.wait(starting, return_when=asyncio.FIRST_COMPLETED)
    run.since = asyncio.get_running_loop().time()
    await asyncio.gather(*starting)


async def flap(run):
    async def change(number):
        run.nodes[0].tell("open" if number % 2 else "close")
    count = await run.during(change, FLAP)
    if count % 2:
        run.nodes[0].tell("open")


# The proxy


async def reloads(run):
    idle = Result()
    clients = [Client(run.peer.port, idle) for _ in range(IDLE)]
    for client in clients:
        await client.request()

    async def reload(_):
        run.peer.reload()
    await run.during(reload, (END - BEGIN) / RELOADS)
    await run.until(SECONDS - 0.5)
    run.note("idle connections closed", sum(client.is_closed() for client in clients), 0)
    for client in clients:
        client.close()


async def bad_reloads(run):
    told_of = 0

    async def spoil(number):
        nonlocal told_of
        if number >= BAD:
            return
        word = run.peer.spoil(number)
        run.peer.reload()
        for _ in range(100):
            if word in run.peer.said():
                told_of += 1
                return
            await asyncio.sleep(0.01)
    count = await run.during(spoil, 0.0 if run.peer.name == "haproxy" else 0.02)
    run.peer.mend()
    tried = min(count, BAD)
    run.note("bad configurations", tried)
    run.note("without a message", tried - told_of, 0)


async def kill_worker(run):
    await run.until(BEGIN)
    killed = asyncio.get_running_loop().time()
    run.peer.kill_worker()
    # It takes a while to die; its connections end after that.
    gone = asyncio.get_running_loop().time()
    probe = Result()
    while asyncio.get_running_loop().time() < killed + 8:
        client = Client(run.peer.port, probe)
        done = await client.request()
        client.close()
        # Not from the one that is being killed.
        if done.end == "ok" and done.at > killed:
            break
        await asyncio.sleep(0.005)
    run.note("serves again after (ms)", round(1000 * (asyncio.get_running_loop().time() - killed)),
             round(1000 * SOON))
    await run.until(END)
    run.note("failed beyond those in flight",
             sum(done.sent > gone for done in run.result.failures), 0)


async def no_descriptors(run):
    """More idle clients than it may have descriptors; then new clients."""
    await run.until(BEGIN)
    idle = Result()
    clients = [Client(run.peer.port, idle) for _ in range(2 * DESCRIPTORS)]
    tasks = [asyncio.create_task(client.request()) for client in clients]
    await asyncio.sleep(1.0)
    fresh, slowest = Result(), 0.0
    cpu = run.peer.process.schedule_ns()[0]
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < run.started + END:
        client = Client(run.peer.port, fresh)
        try:
            done = await asyncio.wait_for(client.request(), 3.0)
            slowest = max(slowest, done.at - done.sent)
        except asyncio.TimeoutError:
            slowest = max(slowest, 3.0)
        client.close()
        await asyncio.sleep(0.1)
    took = asyncio.get_running_loop().time() - began
    busy = (run.peer.process.schedule_ns()[0] - cpu) / 1e9 / took
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for client in clients:
        client.close()
    run.note("new clients failed", len(fresh.failures), 0)
    run.note("slowest new request (ms)", round(1000 * slowest), round(1000 * SOON))
    run.note("core busy (%)", round(100 * busy), 50)


async def log_full(run):
    """Besides the steady load some requests with long lines: what is held for the disk has an end."""
    long = Result()
    client = Client(run.peer.port, long, "?q=" + "x" * LONG)

    async def request(_):
        await client.request()
    await run.during(request, 0.002)
    client.close()
    run.note("long requests failed", len(long.failures), 0)
    await run.until(SECONDS - 0.5)
    said = [line for line in run.peer.said().splitlines() if re.search(r"access|/dev/full", line)
            and re.search(r"space|cannot|failed|could not", line)]
    run.note("warnings in 10 s", len(said), 1)
    if run.peer.name != "weir":
        return

    def lost():
        url = f"http://127.0.0.1:{run.peer.admin}/metrics"
        with urllib.request.urlopen(url, timeout=3) as answer:
            found = re.search(r"^weir_access_log_lost_lines_total\S* (\d+)",
                              answer.read().decode(), re.M)
            return int(found.group(1)) if found else 0
    run.note("lines counted as lost", await aside(lost))
    if not said:
        run.missed.append("no warning")
    if not run.noted["lines counted as lost"]:
        run.missed.append("no line is counted as lost")


# WebSockets


class WebSocket:
    async def open(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(("GET /ws HTTP/1.1\r\nHost: app.example\r\nUpgrade: websocket\r\n"
                           f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                           "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise OSError(head.split(b"\r\n")[0].decode())

    async def echoes(self):
        try:
            self.writer.write(b"\x81\x82\0\0\0\0hi")
            return await asyncio.wait_for(self.reader.readexactly(4), 20) == b"\x81\x02hi"
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            return False

    def close(self):
        self.writer.transport.abort()


async def websockets(run):
    """Opened before the load begins, by its caller; reloaded while it runs."""
    sockets = run.sockets
    async def reload(_):
        run.peer.reload()
    await run.during(reload, 1.0)
    await run.until(END + 1)
    alive = 0
    for at in range(0, len(sockets), 500):
        alive += sum(await asyncio.gather(*(s.echoes() for s in sockets[at:at + 500])))
    run.note("WebSockets", len(sockets))
    run.note("dead", len(sockets) - alive, 0)
    run.note("serving processes", len(run.peer.workers()), 1)


async def open_websockets(port, count):
    sockets = [WebSocket() for _ in range(count)]
    for at in range(0, count, 200):
        await asyncio.gather(*(s.open(port) for s in sockets[at:at + 200]))
    return sockets


class Fault:
    """`get`, `post`, `cut`: the most that may fail, None where the row has no such goal; `again`:
    seconds."""

    def __init__(self, what, act, goal, get=0, post=0, cut=0, again=None, **needs):
        self.what = what
        self.act = act
        self.goal = goal  # in words
        self.get, self.post, self.cut, self.again = get, post, cut, again
        self.log = needs.get("log")
        self.rate = needs.get("rate", 200)
        self.descriptors = needs.get("descriptors")
        self.peers = needs.get("peers", ("weir", "nginx", "haproxy"))

    def misses(self, run, twice):
        """Goals that this run did not reach, in words."""
        found = list(run.missed)
        result = run.result
        for name, value, limit in (("failed GET", result.count("GET"), self.get),
                                   ("failed POST", result.count("POST"), self.post),
                                   ("cut", result.cut, self.cut), ("POST twice", twice, 0),
                                   ("good again after (s)", round(run.good_again(), 2),
                                    self.again)):
            if limit is not None and value > limit:
                found.append(f"{name}: {value}, at most {limit}")
        return found


FAULTS = {
    "kill": Fault("kill -9, and back", kill, "0"),
    "kill-fast": Fault("kill -9 at 1000 requests/s", kill, "GET 0, POST at most 5", post=5,
                       rate=1000),
    "hang": Fault("SIGSTOP", hang, "GET 0, POST only before the first time-out", post=20),
    "drop": Fault("packets dropped", told("drop on", "drop off"), "GET 0, POST at most 6", post=6),
    "rst": Fault("RST inside bodies", told("reset on", "reset off"), "at most 10 cut", cut=10),
    "all-down": Fault("all down 5 s, and back", all_down, "good again within 1 s", get=None,
                      post=None, cut=None, again=1.0),
    "flap": Fault("flapping", flap, "GET 0, POST at most 1 a change", post=10),
    "maintenance": Fault("503 maintaining", told("phase commanding", "phase running"), "0"),
    "sigterm": Fault("SIGTERM, and a start", terminate, "GET 0, POST at most 10", post=10),
    "reloads": Fault(f"{RELOADS} reloads in 5 s, {IDLE} idle clients", reloads,
                     "0, no idle connection closed"),
    "worker": Fault("worker kill -9", kill_worker, "those in flight, serves within 100 ms",
                    get=None, post=None, cut=None),
    "descriptors": Fault("no descriptors left", no_descriptors,
                         "a new request within 100 ms, no spin", descriptors=DESCRIPTORS),
    "log-full": Fault("log disk full", log_full, "0, one warning a minute, a counter",
                      log="/dev/full", peers=("weir", "nginx")),
    "bad-reloads": Fault(f"{BAD} bad configurations", bad_reloads, "0, each with its message"),
    "websockets": Fault("idle WebSockets over reloads", websockets, "all alive, one process"),
}
