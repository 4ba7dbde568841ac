"""What `weir convert` writes behaves as what it was made from: the configurations of test_requests,
each in nginx's syntax and in YAML, are asked the same."""

import subprocess

import pytest

from harness import Proxy, weir_binary
from pair import Pair, scripted
from test_requests import ROWS
from wire import request

LIMIT = 10


def convert(*arguments, **options):
    return subprocess.run([str(weir_binary()), "convert", *map(str, arguments)], timeout=LIMIT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          **options)


@pytest.fixture(scope="module", name="nodes")
def nodes_fixture(start_once):
    return {name: start_once.node(scripted(name)) for name in ("a", "b")}


@pytest.fixture(name="both")
def both_fixture(start, nodes, tmp_path):
    """both(text): weir on the text, and weir on what is made from it."""
    converted = []

    def make(text):
        for name, node in nodes.items():
            text = text.replace(f"@{name}@", node.address)
        proxy = Proxy(tmp_path, text, kind="weir")
        done = convert(proxy.conf.name, "-o", "made.yaml", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        proxy.conf = tmp_path / "made.yaml"
        converted.append(proxy)
        return Pair(start.proxy(text, kind="weir"), proxy.start(), nodes)
    yield make
    for proxy in converted:
        proxy.stop()


@pytest.mark.parametrize("text, requests", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_same(both, text, requests):
    pair = both(text)
    wrong = []
    for i, data in enumerate(requests):
        if found := pair.differences(data):
            wrong.append("\n".join([f"[{i}] {data[:200]!r}", *("    " + line for line in found)]))
    assert not wrong, "nginx.conf != YAML:\n" + "\n".join(wrong)


def test_the_comparison_can_fail(both):
    pair = both("server { listen @listen@; return 200 $pid; }")
    assert pair.differences(request("/")) != []


# ---- the command ----

GOOD = "server { listen 127.0.0.1:1; return 200 x; }\n"
YAML = """# made from in.conf by weir convert
defaults: nginx

servers:
  - listen: 127.0.0.1:1
    return: 200 x
"""


def test_output(tmp_path):
    (tmp_path / "in.conf").write_text(GOOD)
    done = convert("in.conf", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, YAML, "")
    done = convert("-o", "out.yaml", "in.conf", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out.yaml").read_text() == YAML
    done = convert("-o", "none/out.yaml", "in.conf", cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot write none/out.yaml: No such file or directory" in done.stderr
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(weir_binary()), "convert", "in.conf"], cwd=tmp_path, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 1
    assert "cannot write standard output: No space left on device" in done.stderr


def test_mistakes(tmp_path):
    (tmp_path / "in.conf").write_text("server {\n  lisen 80; }")
    done = convert("in.conf", "-o", "out.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert 'in.conf:2:3: error: unknown directive "lisen"; did you mean "listen"?' in done.stderr
    assert not (tmp_path / "out.yaml").exists()
    done = convert("none.conf", cwd=tmp_path)
    assert done.returncode == 1
    assert "none.conf: error: cannot read the configuration: No such file" in done.stderr
    for arguments in ([], ["a", "b"], ["-x", "a"], ["a", "-o"], ["a", "-o", ""]):
        done = convert(*arguments, cwd=tmp_path)
        assert done.returncode == 1
        assert "usage: weir convert FILE [-o OUT]" in done.stderr
        assert done.stdout == ""
    done = convert("-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: weir convert FILE [-o OUT]" in done.stdout


def test_warnings_do_not_end_it(tmp_path):
    (tmp_path / "in.conf").write_text("server { listen 127.0.0.1:1; add_header a b; "
                                     "location / { add_header c d; } }")
    done = convert("in.conf", cwd=tmp_path)
    assert done.returncode == 0
    assert "c: d" in done.stdout
    assert "add_header: not sent from here: a" in done.stderr
