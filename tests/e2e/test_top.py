"""`weir top` in a terminal, that of tmux; what scripts read."""

import json
import os
import shutil
import subprocess
import tempfile

import pytest

from harness import PROXY, eventually, site
from operators import weir

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx has no top")


class Terminal:
    """A command in a tmux of its own."""

    def __init__(self, command, columns, rows):
        if not shutil.which("tmux"):
            pytest.fail("no tmux: run `deploy/install test`, or apt-get install tmux", pytrace=False)
        self._directory = tempfile.TemporaryDirectory(prefix="weir-tmux-")
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "exec " + " ".join(command))

    def _tmux(self, *arguments, check=True):
        environment = {**os.environ, "TMUX_TMPDIR": self._directory.name, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        return subprocess.run(["tmux", "-f", "/dev/null", "-L", "weir", *arguments], env=environment,
                              capture_output=True, text=True, timeout=10, check=check).stdout

    def lines(self):
        return self._tmux("capture-pane", "-p").rstrip("\n").split("\n")

    def scrolled(self):
        return int(self._tmux("display-message", "-p", "#{history_size}"))

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def press(self, key):
        self._tmux("send-keys", key)

    def ended(self):
        return self._tmux("list-sessions", check=False) == ""

    def close(self):
        self._tmux("kill-server", check=False)
        self._directory.cleanup()


@pytest.fixture
def terminal():
    opened = []

    def start(*arguments):
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_top_is_drawn_anew_in_place(start, terminal):
    nodes = [start.node() for _ in range(3)]
    proxy = start.before(nodes)
    screen = terminal(proxy.command("top", "--interval", "100ms"), 100, 20)
    eventually(lambda: any("REQ/S" in line for line in screen.lines()), "a picture")
    weir(proxy, "drain", f"app/{nodes[0].address}")
    lines = eventually(lambda: (now := screen.lines()) and any("draining" in line for line in now) and now,
                       "the new state")
    assert lines[0].startswith("weir, generation")
    assert sum("REQ/S" in line for line in lines) == 1
    assert sum(node.address in line for line in lines for node in nodes) == 3
    weir(proxy, "ready", f"app/{nodes[0].address}")
    # What was longer leaves nothing behind.
    eventually(lambda: not any("draining" in line or "set at run time" in line for line in screen.lines()),
               "the line is as before")
    assert screen.scrolled() == 0
    screen.press("C-c")
    eventually(screen.ended, "an interrupt ends it")


def test_top_stays_within_a_small_terminal(start, terminal):
    servers = "".join(f"server 10.0.0.{i}:80;" for i in range(1, 60))
    proxy = start.proxy(f"upstream many {{ {servers} }}" + site([start.node()]))
    screen = terminal(proxy.command("top", "--interval", "100ms"), 60, 12)
    lines = eventually(lambda: (now := screen.lines()) and any("lines more" in line for line in now) and now,
                       "the picture is cut")
    assert lines[0].startswith("weir, generation") and len(lines) <= 12
    screen.resize(40, 8)
    eventually(lambda: len(screen.lines()) <= 8 and screen.lines()[0].startswith("weir, generation")
               and any("lines more" in line for line in screen.lines()), "it fits again")
    scrolled = screen.scrolled()  # the smaller terminal pushed out what was drawn for the larger one
    weir(proxy, "drain", "many/10.0.0.1:80")
    eventually(lambda: any("draining" in line for line in screen.lines()), "another picture")
    assert screen.scrolled() == scrolled


def test_status_for_scripts(start):
    nodes = [start.node(), start.node()]
    proxy = start.before(nodes)
    told = json.loads(weir(proxy, "status", "--json"))
    assert [pool["name"] for pool in told["upstreams"]] == ["app"]
    assert {peer["address"] for peer in told["upstreams"][0]["peers"]} == {node.address for node in nodes}
    for peer in told["upstreams"][0]["peers"]:
        assert peer["state"] == "unchecked" and peer["gets_requests"] is True
    assert json.loads(weir(proxy, "status", "app", "--json")) == told
