"""The layout check finds what it is there to find."""

import importlib.machinery
import importlib.util
import pathlib

import pytest

PATH = pathlib.Path(__file__).with_name("check")
_loader = importlib.machinery.SourceFileLoader("layout_check", str(PATH))
layout = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("layout_check", _loader))
_loader.exec_module(layout)

GOOD = {
    "src/CMakeLists.txt": "weir_library(net DEPS weir_base)\n",
    "src/base/clock.h": "#include <chrono>\n",
    "src/net/loop.h": '#include "base/clock.h"\n#include <sys/epoll.h>\n',
    "tests/net/loop_test.cpp": '#include "net/loop.h"\n#include "base/clock.h"\n',
}

BAD = [
    ("an include upwards", {"src/base/clock.h": '#include "net/loop.h"\n'},
     "src/base/clock.h: base may not know net"),
    ("an include sideways", {"src/net/loop.h": '#include "config/model.h"\n'},
     "src/net/loop.h: net may not know config"),
    ("in angle brackets", {"src/net/loop.h": "#include <config/model.h>\n"},
     "net may not know config"),
    ("in a test", {"tests/net/loop_test.cpp": '#include "proxy/worker.h"\n'},
     "tests/net/loop_test.cpp: net may not know proxy"),
    ("an unknown folder", {"src/misc/x.h": ""}, "src/misc: unknown folder"),
    ("a link line upwards", {"src/CMakeLists.txt": "weir_library(base DEPS weir_net)\n"},
     "weir_base may not link weir_net"),
    ("a circle", {"src/net/a.h": '#include "net/b.h"\n', "src/net/b.h": '#include "net/a.h"\n'},
     "a circle: net/a.h -> net/b.h -> net/a.h"),
    ("a long file", {"src/net/long.cpp": "int x;\n" * 501}, "src/net/long.cpp: 501 lines"),
]


def tree(root, files):
    for name, text in {**GOOD, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_good_tree(tmp_path):
    assert layout.check(tree(tmp_path, {})) == []


@pytest.mark.parametrize("files, want", [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_tree(tmp_path, files, want):
    errors = layout.check(tree(tmp_path, files))
    assert any(want in error for error in errors), errors


def test_table_that_contradicts_its_order(monkeypatch):
    monkeypatch.setitem(layout.MAY_KNOW, "base", ["net"])
    assert layout.table_errors() == [
        "tests/layout/check: base may not know net, which stands above it"]
