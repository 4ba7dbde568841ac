"""nginx and weir side by side: the same bytes to both, and what each made of them."""

import dataclasses
import re

from wire import Client, Ended, Message, reply

# Of a hop, of a product, of a moment: no part of what is compared.
CLIENT_IGNORES = {"server", "date", "connection", "keep-alive"}
NODE_IGNORES = {"connection"}
PAGE = re.compile(r"<center>nginx/|<hr><p>weir</p>")


@dataclasses.dataclass
class Seen:
    """What one proxy made of a request, with its own port written as PORT."""

    status: int
    fields: list
    body: str
    requests: list  # of the nodes: (node, request line, fields, body)

    def differences(self, other):
        return [f"{name}: {mine!r} != {theirs!r}" for name in ("status", "fields", "body", "requests")
                if (mine := getattr(self, name)) != (theirs := getattr(other, name))]


def scripted(name):
    """A node's handler: answers as the request's X-Answer says (STATUS|FIELD|...|BODY), else with
    its own name."""
    def handler(_, message):
        script = message.get("x-answer")
        if script is None:
            return reply(200, name.encode(), "Content-Type: text/plain")
        status, *fields, body = script.split("|")
        return reply(int(status), body.encode() if status not in ("204", "304") else None, *fields)
    return handler


class Pair:
    """Both proxies; `nginx` and `weir` have a port each. `nodes`: {name: Node}."""

    def __init__(self, nginx, weir, nodes):
        self.nginx, self.weir, self.nodes = nginx, weir, nodes

    def ask(self, proxy, data):
        """One request on a connection of its own; what client and nodes saw."""
        for name, node in self.nodes.items():
            data = data.replace(f"@{name}@".encode(), node.address.encode())
        before = [len(node.requests) for node in self.nodes.values()]
        with Client(proxy.port) as client:
            try:
                answer = client.exchange(data)
            except Ended:  # bytes without a head
                answer = None
        if answer is None:
            answer = Message(b"HTTP/1.1 0 none\r\n\r\n")

        def plain(text):
            return text.replace(str(proxy.port), "PORT")
        fields = sorted((name, plain(value)) for name, value in answer.fields
                        if name not in CLIENT_IGNORES)
        body = plain(answer.body.decode("latin-1"))
        requests = []
        for (name, node), skip in zip(self.nodes.items(), before):
            for message in node.requests[skip:]:
                seen = sorted((field, plain(value)) for field, value in message.fields
                              if field not in NODE_IGNORES)
                requests.append((name, message.start, seen, message.body))
        if PAGE.search(body) or (data.startswith(b"HEAD") and ("content-type", "text/html") in fields):
            # A page of the proxy's own: its words differ, its meaning does not.
            body = "a page of its own"
            fields = [field for field in fields if field[0] != "content-length"]
        return Seen(answer.status, fields, body, requests)

    def differences(self, data):
        return self.ask(self.nginx, data).differences(self.ask(self.weir, data))

