"""Clients that send at a steady rate over connections they keep, and remember what became of each
request. Used by the fault tests here and by bench/faults. All of one asyncio loop."""

import asyncio
import dataclasses
import itertools
import select

POST_EVERY = 5  # a fifth of the requests
GIVE_UP = 10.0  # seconds a client waits for an answer


@dataclasses.dataclass
class Done:
    """One request. `end` is "ok", "cut" (its answer began and did not end), a status, "reset"
    (closed without an answer), "refused" (no connection) or "late" (nothing within GIVE_UP)."""

    sent: float
    at: float  # both in the loop's time
    method: str
    end: str
    post_id: str = ""


class Result:
    def __init__(self):
        self.all = []
        self.in_flight = 0
        self.reconnects = 0  # of idle connections that were found closed: no failures

    def add(self, done):
        self.all.append(done)

    @property
    def failures(self):
        return [done for done in self.all if done.end != "ok"]

    def count(self, method):
        """Failed requests of this method; those cut short are counted apart."""
        return sum(done.method == method and done.end != "cut" for done in self.failures)

    @property
    def cut(self):
        return sum(done.end == "cut" for done in self.all)

    def ends(self):
        """{"GET 502": 3, ...} of what failed."""
        counts = {}
        for done in self.failures:
            key = f"{done.method} {done.end}"
            counts[key] = counts.get(key, 0) + 1
        return dict(sorted(counts.items()))


class Client:
    """One kept-alive connection, opened again where it was closed."""

    def __init__(self, port, result, query=""):
        self.port = port
        self.result = result
        self.query = query
        self.reader = self.writer = None

    async def request(self, method="GET", post_id=""):
        """Sends one and notes how it ended. Returns the Done."""
        loop = asyncio.get_running_loop()
        sent = loop.time()
        self.result.in_flight += 1
        try:
            end = await asyncio.wait_for(self._exchange(method, post_id), GIVE_UP)
        except asyncio.TimeoutError:
            end = "late"
        finally:
            self.result.in_flight -= 1
        if end not in ("ok",) and not end.isdigit():
            self.close()
        done = Done(sent, loop.time(), method, end, post_id)
        self.result.add(done)
        return done

    async def _exchange(self, method, post_id):
        if self.writer is not None and self.is_closed():
            self.result.reconnects += 1
            self.close()
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return "refused"
        body = b"x" * 200 if method == "POST" else b""
        target = "/api/records:create" if method == "POST" else "/api/records:list"
        target += self.query
        extra = f"X-Post-Id: {post_id}\r\nContent-Length: {len(body)}\r\n" if body else ""
        try:
            self.writer.write(f"{method} {target} HTTP/1.1\r\nHost: app.example\r\n{extra}\r\n"
                              .encode() + body)
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            return "reset"
        return await self._finish(head.decode("latin-1").split("\r\n"))

    async def _finish(self, lines):
        status = lines[0].split(" ")[1]
        fields = {name.lower(): value.strip() for name, _, value in
                  (line.partition(":") for line in lines[1:])}
        try:
            if "content-length" in fields:
                await self.reader.readexactly(int(fields["content-length"]))
            elif "chunked" in fields.get("transfer-encoding", ""):
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    await self.reader.readexactly(size + 2)
                await self.reader.readexactly(2)
            else:
                await self.reader.read()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            return "cut"
        if fields.get("connection", "").lower() == "close":
            self.close()
        return "ok" if status == "200" else status

    def is_closed(self):
        """Asks the kernel: the loop may not have come to hear of it."""
        if self.writer is None or self.reader.at_eof():
            return True
        poll = select.poll()
        poll.register(self.writer.get_extra_info("socket"), select.POLLRDHUP)
        return bool(poll.poll(0))

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()
            self.reader = self.writer = None


class SteadyLoad:
    """`clients` connections that together send `rate` requests a second for `seconds`. One that
    waits for its answer sends late; what it missed meanwhile it does not send at once."""

    def __init__(self, port, rate=200, clients=20, seconds=10.0):
        self.result = Result()
        self._clients = [Client(port, self.result) for _ in range(clients)]
        self._interval = clients / rate
        self._seconds = seconds
        self._numbers = itertools.count()

    async def run(self):
        start = asyncio.get_running_loop().time()
        await asyncio.gather(*(self._one(client, start + i * self._interval / len(self._clients),
                                         start + self._seconds)
                               for i, client in enumerate(self._clients)))
        for client in self._clients:
            client.close()
        return self.result

    async def _one(self, client, due, end):
        loop = asyncio.get_running_loop()
        while due < end:
            await asyncio.sleep(max(0.0, due - loop.time()))
            number = next(self._numbers)
            # Each client's turn comes: all send both.
            post = (number + number // len(self._clients)) % POST_EVERY == 0
            await client.request("POST" if post else "GET", f"p{number}" if post else "")
            while due <= loop.time():
                due += self._interval


def twice(nodes):
    """How many POSTs were executed more than once, by all nodes together."""
    seen = [post for node in nodes for post in node.posts()]
    return len(seen) - len(set(seen))
