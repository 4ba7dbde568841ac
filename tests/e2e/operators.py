"""The verbs of operators, as commands and as requests to the API."""

import json
import os
import socket
import subprocess
import urllib.parse

from harness import eventually
from wire import Client, request

LIMIT = 20  # seconds that a command may take


def run(proxy, *arguments):
    return subprocess.run(proxy.command(*arguments), stdin=subprocess.DEVNULL, timeout=LIMIT,
                          capture_output=True, text=True, check=False, cwd=proxy.directory)


def weir(proxy, *arguments):
    """What a verb that works writes."""
    done = run(proxy, *arguments)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def refused(proxy, *arguments):
    """What one that does not work says is wrong."""
    done = run(proxy, *arguments)
    assert done.returncode == 1 and done.stdout == "", (arguments, done.stdout, done.stderr)
    return done.stderr


def control(proxy):
    return proxy.directory / "weir.sock"


def state_file(proxy):
    return proxy.directory / "weir.state"


class Control(Client):
    """A connection to the Unix socket."""

    def __init__(self, path):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(path))
        super(Client, self).__init__(sock)


READS = ("status", "explain")


def api(proxy, verb, **options):
    """The JSON that the API gives over the Unix socket."""
    method = "GET" if verb in READS else "POST"
    query = urllib.parse.urlencode(options, doseq=True)
    with Control(control(proxy)) as client:
        answer = client.exchange(request(f"/api/{verb}?{query}", method=method), method)
    assert answer.status == 200, (answer.status, answer.body)
    return json.loads(answer.body)


def pool(proxy, name="app"):
    return next(one for one in api(proxy, "status")["upstreams"] if one["name"] == name)


def peer(proxy, node, name="app"):
    return next(one for one in pool(proxy, name)["peers"] if one["address"] == node.address)


def states(proxy, name="app"):
    return [one["state"] for one in pool(proxy, name)["peers"]]


def served(nodes, proxy, count, *fields):
    """How many of so many requests each node gets."""
    before = [len(node.requests) for node in nodes]
    for _ in range(count):
        with Client(proxy.port) as client:
            assert client.exchange(request("/", *fields)).status == 200
    return [len(node.requests) - seen for node, seen in zip(nodes, before)]


def serving_again(proxy):
    """After an engine or a whole process has started anew."""
    def answers():
        try:
            return api(proxy, "status")["upstreams"]
        except (OSError, AssertionError, EOFError):
            return None
    return eventually(answers, "the socket answers")


def engine_of(proxy):
    pids = proxy.pids()
    assert len(pids) == 2, pids
    return pids[1]


def kill_engine(proxy):
    before = engine_of(proxy)
    os.kill(before, 9)

    def another():
        pids = proxy.pids()
        return len(pids) == 2 and pids[1] != before
    eventually(another, "another engine")
