"""Fixtures of tests/e2e, and a pair: nginx and weir running on the same configuration."""

import importlib.util
import pathlib
import shutil
import sys

import pytest

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))

from pair import Pair  # noqa: E402

# By its path: two files called conftest cannot both be imported by name.
_spec = importlib.util.spec_from_file_location("e2e_fixtures", E2E / "conftest.py")
_e2e = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_e2e)
start, start_once = _e2e.start, _e2e.start_once


def pytest_collection_modifyitems(items):
    if shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        for item in (item for item in items if "pair" in item.fixturenames):
            item.add_marker(pytest.mark.skip(reason="no nginx to compare with"))


@pytest.fixture(name="pair")
def pair_fixture(start):
    """pair(text, {name: node}) starts both; @name@ in the text becomes the node's address."""
    def make(text, nodes=()):
        nodes = dict(nodes)
        for name, node in nodes.items():
            text = text.replace(f"@{name}@", node.address)
        return Pair(start.proxy(text, kind="nginx"), start.proxy(text, kind="weir"), nodes)
    return make
