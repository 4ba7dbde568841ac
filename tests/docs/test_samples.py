"""What the documentation shows works: its configurations are accepted, its commands exist."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from harness import weir_binary  # noqa: E402

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(nginx|yaml)\n(.*?)^```", README, re.M | re.S)
SAMPLES = sorted((ROOT / "config").glob("weir.*"))


def check(path):
    done = subprocess.run([weir_binary(), "-t", "-c", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=10, check=False)
    assert done.returncode == 0, done.stdout
    assert "test is successful" in done.stdout


def test_there_is_something_to_check():
    assert {kind for kind, _ in BLOCKS} == {"nginx", "yaml"}
    assert len(SAMPLES) >= 2


@pytest.mark.parametrize("kind, text", BLOCKS, ids=[kind for kind, _ in BLOCKS])
def test_configuration_in_the_readme(tmp_path, kind, text):
    path = tmp_path / f"readme.{kind}"
    path.write_text(text)
    check(path)


@pytest.mark.parametrize("path", SAMPLES, ids=[path.name for path in SAMPLES])
def test_sample_configuration(path):
    check(path)


@pytest.mark.parametrize("page", ["README.md", "bench/README.md", "src/README.md",
                                  "tests/e2e/README.md", "tests/differential/README.md",
                                  "deploy/nocobase-plugin/README.md"])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target
    if page == "README.md":
        for command in re.findall(r"^(deploy/\S+|tests/\S+|bench/\S+)", text, re.M):
            assert (ROOT / command).exists(), command
