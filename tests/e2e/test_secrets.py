"""What nobody is shown: words that are secret, and passwords in addresses."""

import subprocess

import pytest

from harness import weir_binary, weir_only

pytestmark = weir_only

SECRETS = {
    "nginx": ("""error_log error.log; pid weir.pid; user root; events { }
        admin { listen 127.0.0.1:1; token "quo\\"ted-and-long-enough"; control off; }
        http { server { listen 127.0.0.1:2; secure_link_secret 'the word';
                        location /a { secure_link $arg_a; } } }""",
              ["token ***; control off;", "secure_link_secret ***;"]),
    "yaml": ("""user: root
admin: { listen: "127.0.0.1:1", control: off, token: 'quo''ted-and-long-enough' }
servers:
  - listen: 127.0.0.1:2
    secure_link_md5: "$uri the word"
    secure_link: $arg_a
    locations: [{ path: /, return: 204 }]
""", ["token: ***", "secure_link_md5: ***"]),
}


@pytest.mark.parametrize("dialect", SECRETS)
def test_words_that_are_secret_are_masked_however_they_are_written(tmp_path, dialect):
    text, masked = SECRETS[dialect]
    path = tmp_path / ("weir.yaml" if dialect == "yaml" else "weir.conf")
    path.write_text(text)
    done = subprocess.run([str(weir_binary()), "-T", "-p", f"{tmp_path}/", "-c", str(path)],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    assert "ted-and-long" not in done.stdout and "the word" not in done.stdout
    assert all(one in done.stdout for one in masked), done.stdout


def test_a_password_in_an_address_is_not_quoted_by_its_error(start):
    good = start.before(start.node())
    good.conf.write_text(good.conf.read_text().replace("proxy_pass http://", "proxy_pass http://bob:hunter2@", 1))
    done = subprocess.run(good.command("-t"), capture_output=True, text=True, timeout=20, check=False, cwd=good.directory)
    assert done.returncode == 1 and "leave out what is before" in done.stderr
    good.process.send_signal(1)
    good.wait_for_log("reload failed", "error.log")
    assert "hunter2" not in done.stderr + "\n".join(good.log("error.log"))
