"""What is measured, and what weir is to reach in each scenario."""

import dataclasses

BROWSER = """GET /browser?filter=%7B%22name%22%3A%22a%22%7D&page=1&pageSize=20 HTTP/1.1
Host: app.example.com
Connection: keep-alive
sec-ch-ua: "Chromium";v="126", "Not/A)Brand";v="8", "Google Chrome";v="126"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: "Linux"
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0
Accept: application/json, text/plain, */*
Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VySWQiOjEsInRlbXAiOnRydWUsImlhdCI6
X-Role: admin
X-Locale: en-US
X-Timezone: +01:00
X-Hostname: app.example.com
X-Authenticator: basic
X-With-ACL-Meta: true
X-Requested-With: XMLHttpRequest
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: https://app.example.com/admin/pages/8k2vqz0f1bd
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9,de;q=0.8
Cookie: session=2f0c6b9be1c74a35a0d7d1f0; theme=dark; _ga=GA1.1.1873451120.1718000000; locale=en-US

"""

UPGRADE = """GET /ws HTTP/1.1
Host: app.example.com
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13

"""


def get(path, *fields):
    lines = [f"GET {path} HTTP/1.1", "Host: app.example.com", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def wire(text):
    return text.replace("\n", "\r\n").encode()


@dataclasses.dataclass
class Goal:
    """`limit` times the peer, or the better of both; of a figure's own unit without peers."""

    limit: float
    against: tuple = ()


@dataclasses.dataclass
class Scenario:
    name: str
    what: str
    request: bytes
    goals: tuple = ()
    connections: int = 64
    options: dict = dataclasses.field(default_factory=dict)
    peers: tuple = ("weir", "nginx", "haproxy", "relay")
    allocations: int = 0  # requests to count allocations over; 0: not counted


BETTER = ("nginx", "haproxy")
WITH_TLS = ("weir", "nginx", "haproxy")
WITH_BIG_BUFFERS = ("weir", "nginx", "nginx-64k", "haproxy", "relay")

SCENARIOS = {s.name: s for s in (
    Scenario("get1k", "GET, answer of 1 KiB, kept alive", get("/1k"),
             (Goal(0.88, BETTER), Goal(1.15, ("relay",))), allocations=20000),
    Scenario("browser", "GET with a browser's fields (1.2 KB), answer head of 600 B and 1 KiB",
             wire(BROWSER), (Goal(0.75, ("nginx",)), Goal(0.85, ("haproxy",))),
             allocations=20000),
    Scenario("post4k", "POST of 4 KiB, empty answer",
             b"POST /empty HTTP/1.1\r\nHost: app.example.com\r\n"
             b"Content-Type: application/octet-stream\r\nContent-Length: 4096\r\n\r\n"
             + b"p" * 4096, (Goal(0.85, BETTER),), allocations=20000),
    Scenario("chunked", "GET, chunked answer of 1 KiB in four chunks", get("/chunked"),
             (Goal(0.88, BETTER), Goal(1.15, ("relay",))), allocations=20000),
    Scenario("get64k", "GET, answer of 64 KiB", get("/64k"), (Goal(0.90, ("nginx-64k",)),),
             peers=WITH_BIG_BUFFERS),
    Scenario("get10m", "GET, answer of 10 MiB", get("/10m"),
             (Goal(0.90, ("nginx-64k",)),), connections=8, options={"warm": 2},
             peers=WITH_BIG_BUFFERS),
    Scenario("churn", "GET, answer of 1 KiB, a connection per request",
             get("/1k", "Connection: close"), (Goal(1.0, BETTER),),
             options={"reconnect": True, "warm": 5}, allocations=5000),
    Scenario("ws", "upgraded tunnel, messages of 125 bytes to and fro", wire(UPGRADE),
             (Goal(1.0, BETTER),), options={"tunnel": 125}),
    Scenario("tls1k", "GET over TLS 1.3, answer of 1 KiB, kept alive", get("/1k"),
             (Goal(0.90, BETTER),), options={"streams": 0}, peers=WITH_TLS),
    Scenario("handshake", "TLS 1.3, a full handshake (P-256) and a GET of 1 KiB each",
             get("/1k", "Connection: close"), (Goal(1.0, BETTER),), connections=8,
             options={"handshakes": "full", "warm": 5}, peers=WITH_TLS),
    Scenario("resumed", "TLS 1.3, a resumed handshake and a GET of 1 KiB each",
             get("/1k", "Connection: close"), (Goal(1.0, BETTER),), connections=8,
             options={"handshakes": "resumed", "warm": 5}, peers=WITH_TLS),
    Scenario("h2-1k", "GET over HTTP/2 and TLS, answer of 1 KiB, 16 streams a connection",
             get("/1k"), (Goal(0.95, ("haproxy",)),), connections=16, options={"streams": 16},
             peers=WITH_TLS),
    Scenario("h2-64k", "GET over HTTP/2 and TLS, answer of 64 KiB, 16 streams a connection",
             get("/64k"), (Goal(0.90, ("haproxy",)),), connections=16, options={"streams": 16},
             peers=WITH_TLS),
    Scenario("idle10k", "10,000 idle kept-alive connections that have had one answer each", get("/1k"),
             (Goal(1145),), connections=10000, options={"warm": 1},
             peers=("weir", "nginx", "haproxy")),  # a relay holds two sockets for each
)}
