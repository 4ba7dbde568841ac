"""`cmake --install`: everything is where Debian looks for it, and nothing of the operator's is lost."""

import os
import subprocess

import pytest

from harness import PROXY, weir_binary

pytestmark = pytest.mark.skipif(PROXY == "nginx", reason="of weir's own build")
MADE = ["share/man/man8/weir.8", "share/man/man5/weir.conf.5",
        "share/bash-completion/completions/weir", "share/zsh/vendor-completions/_weir",
        "share/fish/vendor_completions.d/weir.fish"]


def install(root, prefix):
    subprocess.run(["cmake", "--install", weir_binary().parent, "--prefix", prefix],
                   env={**os.environ, "DESTDIR": str(root)}, check=True, capture_output=True)


def test_all_that_belongs_to_the_system_is_there(tmp_path):
    install(tmp_path, "/usr")
    program = tmp_path / "usr/bin/weir"
    assert subprocess.run([program, "-v"], capture_output=True, check=True).stderr
    for path in MADE:
        assert (tmp_path / "usr" / path).stat().st_size > 200, path
    page = subprocess.run(["man", "-l", tmp_path / "usr/share/man/man8/weir.8"],
                          capture_output=True, text=True, check=True)
    assert "drain" in page.stdout
    for unit in ("weir.service", "weir.socket"):
        assert (tmp_path / "usr/lib/systemd/system" / unit).exists()
    own = tmp_path / "etc/weir/weir.conf"
    assert own.exists()
    own.write_text("# mine")
    install(tmp_path, "/usr")
    assert own.read_text() == "# mine"


def test_another_prefix_gets_no_units_which_name_the_program_elsewhere(tmp_path):
    install(tmp_path, "/opt/weir")
    assert (tmp_path / "opt/weir/bin/weir").exists()
    for path in MADE:
        assert (tmp_path / "opt/weir" / path).exists(), path
    assert not (tmp_path / "opt/weir/lib").exists() and not (tmp_path / "etc").exists()
