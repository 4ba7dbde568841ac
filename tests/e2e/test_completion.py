"""Completion in real shells: what stands on the line after a TAB."""

import os
import pty
import re
import select
import subprocess
import time

import pytest

from harness import PROXY, weir_binary
from operators import control

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="nginx has no completion")

LIMIT = 20
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; "
             "bind 'set show-all-if-ambiguous on'; source weir.bash"),
    "zsh": (["zsh", "-f", "-i"],
            "autoload -U compinit; compinit -u -D; unsetopt beep zle_bracketed_paste; "
            "source weir.zsh"),
}


class Terminal:
    """An interactive shell on a terminal of its own."""

    def __init__(self, directory, shell):
        for name in START:
            (directory / f"weir.{name}").write_text(subprocess.run(
                [weir_binary(), "completion", name], stdout=subprocess.PIPE, text=True,
                check=True, timeout=LIMIT).stdout)
        command, setup = START[shell]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.environ.update(PS1="$ ", TERM="dumb", HISTFILE="/dev/null", HOME=str(directory),
                              PATH=f"{directory}:{os.environ['PATH']}")
            os.execvp(command[0], command)
        self.run(setup)

    def read_until(self, pattern):
        text, deadline = "", time.monotonic() + LIMIT
        while not re.search(pattern, text):
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern!r} in {text!r}"
            if select.select([self.fd], [], [], left)[0]:
                text += os.read(self.fd, 65536).decode(errors="replace")
        return text

    def run(self, line):
        """What the line writes."""
        os.write(self.fd, f"{line}; echo DO''NE\n".encode())
        return self.read_until(r"DONE\r?\n")

    def complete(self, line):
        """The line as it is after a TAB."""
        # With echo before it and quotes around what stands for itself, it is run.
        os.write(self.fd, line.encode() + b"\t")
        # The shell is at the line again when it has dealt with the TAB: what follows waits for it.
        os.write(self.fd, b"\x01echo ['' \x05; echo DO''NE\n")
        text = self.read_until(r"DONE\r?\n")
        return re.findall(r"\n\[ (.*?)\r?\n", text)[-1].rstrip()

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


@pytest.fixture(scope="module")
def proxy(start_once):
    return start_once.before(["127.0.0.1:1001", "127.0.0.1:2002"])


@pytest.fixture
def terminal(tmp_path):
    opened = []
    (tmp_path / "weir").symlink_to(weir_binary())
    (tmp_path / "some.conf").touch()

    def make(shell):
        opened.append(Terminal(tmp_path, shell))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


# The line before the TAB, and after it. @ is the socket of the running weir.
LINES = [
    ("weir sta", "weir status"),
    ("weir drain --socket @ app/127.0.0.1:1", "weir drain --socket @ app/127.0.0.1:1001"),
    ("weir drain --socket=@ app/127.0.0.1:2", "weir drain --socket=@ app/127.0.0.1:2002"),
    ("weir maintenance --socket @ on a", "weir maintenance --socket @ on app"),
    ("weir maintenance of", "weir maintenance off"),
    ("weir status --j", "weir status --json"),
    ("weir explain --cl", "weir explain --client"),
    ("weir -s rel", "weir -s reload"),
    ("weir -h dir", "weir -h directives"),
    ("weir -t -c som", "weir -t -c some.conf"),
    ("weir completion z", "weir completion zsh"),
    ("weir registry dr", "weir registry drain"),
    ("weir drain --socket /nonexistent a", "weir drain --socket /nonexistent a"),
]


@pytest.mark.parametrize("shell", START)
def test_completion_in_an_interactive_shell(proxy, terminal, shell):
    term = terminal(shell)
    socket = str(control(proxy))
    for before, after in LINES:
        assert term.complete(before.replace("@", socket)) == after.replace("@", socket), before


def test_completion_in_fish(proxy, tmp_path):
    (tmp_path / "weir").symlink_to(weir_binary())
    (tmp_path / "some.conf").touch()
    script = tmp_path / "weir.fish"
    script.write_text(subprocess.run([weir_binary(), "completion", "fish"], text=True, check=True,
                                     stdout=subprocess.PIPE, timeout=LIMIT).stdout)
    socket = str(control(proxy))
    for before, after in LINES:
        line = before.replace("@", socket)
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
            capture_output=True, text=True, check=False, timeout=LIMIT, cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"})
        assert done.returncode == 0 and done.stderr == "", done.stderr
        words = [each.split("\t")[0] for each in done.stdout.splitlines()]
        want = after.replace("@", socket).split(" ")[-1]
        assert words == ([want] if before != after else []), (before, words)


def test_names_alone(proxy):
    done = subprocess.run([weir_binary(), "status", "--names", "--socket", str(control(proxy))],
                          capture_output=True, text=True, check=True, timeout=LIMIT)
    assert done.stdout == "app\napp/127.0.0.1:1001\napp/127.0.0.1:2002\n"
