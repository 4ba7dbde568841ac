"""What the program says of itself: manual pages without a complaint, a schema that takes every
configuration that weir takes and refuses the usual mistakes, completion that names all options."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from harness import weir_binary  # noqa: E402


def weir(*arguments):
    done = subprocess.run([weir_binary(), *arguments], capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


# ---- the manual

PAGES = ["weir", "weir.conf"]


@pytest.mark.parametrize("page", PAGES)
def test_a_manual_page_is_good_mdoc(page, tmp_path):
    path = tmp_path / f"{page}.{5 if page.endswith('conf') else 8}"
    path.write_text(weir("man", page))
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True,
                          text=True, check=False)
    # mandoc looks for other pages of the system where it is set up so.
    complaints = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    assert complaints == []
    shown = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True,
                           env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "100"},
                           check=False)
    assert shown.returncode == 0 and shown.stderr == "", shown.stderr
    assert shown.stdout.count("\n") > 100


def test_the_manual_has_every_option_verb_directive_and_variable():
    page = weir("man", "weir")
    for line in re.findall(r"^  -(\S)", weir("-h"), re.M):
        assert re.search(rf"^\.It Fl (\\&)?{re.escape(line)}", page, re.M), line
    for verb in re.findall(r"^\| `(\w+)`", weir("-h", "verbs"), re.M):
        assert re.search(rf"^\.It Cm {verb}\b", page, re.M), verb
    page = weir("man", "weir.conf")
    directives = re.findall(r"^\| `([a-z_0-9]+)`", weir("-h", "directives"), re.M)
    assert len(directives) > 300
    for name in directives:  # those that are refused stand together
        assert re.search(rf'^\.It Ic "\\&(?:.* )?{name}[" ]', page, re.M), name
    for name in re.findall(r"^\| `(\$\w+)`", weir("-h", "variables"), re.M):
        assert f'.It Va "\\&{name}' in page, name


# ---- the schema

class Loader(yaml.SafeLoader):
    """The core schema, as editors read it: no dates, and neither yes nor on is true."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules
            if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), "tf")


@pytest.fixture(scope="module")
def schema():
    text = weir("schema")
    # Draft 7 knows the same words but for $defs, and is checked five times as fast.
    old = json.loads(text.replace('"$defs"', '"definitions"').replace("#/$defs/", "#/definitions/"))
    jsonschema.Draft7Validator.check_schema(old)
    return jsonschema.Draft202012Validator(json.loads(text))


def mistakes(schema, text):
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
            for error in schema.iter_errors(yaml.load(text, Loader))]


def accepted(path):
    done = subprocess.run([weir_binary(), "-t", "-q", "-c", path], capture_output=True, text=True,
                          timeout=20, check=False)
    return done.returncode == 0


CONFIGURATIONS = sorted([*(ROOT / "config").glob("*.yaml"),
                         *(ROOT / "tests/fuzz/corpus/yaml").glob("*.yaml")])
README = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_a_configuration_that_weir_takes_fits_the_schema(schema, path):
    if not accepted(path):
        pytest.skip("weir does not take it either")
    assert mistakes(schema, path.read_text()) == []


@pytest.mark.parametrize("text", README)
def test_what_the_readme_shows_fits_the_schema(schema, text):
    assert mistakes(schema, text) == []


@pytest.mark.parametrize("path", [ROOT / "config/weir.conf", ROOT / "tests/config/convert/site.conf"],
                         ids=lambda path: path.name)
def test_what_weir_converts_fits_the_schema(schema, path):
    assert mistakes(schema, weir("convert", str(path))) == []


# Forms of values that weir takes; each is checked by weir -t as well.
GOOD = {
    "empty": "{}",
    "a server of one line": "servers: [{listen: 80, return: 204}]",
    "one server without a list": "servers: {listen: 80, return: 204}",
    "two forms of a rule": "servers: [{listen: 80, rules: [break, {set: $a b}, {return: 404}]}]",
    "peers as texts and mappings":
        "upstreams: {a: {servers: [127.0.0.1:1, {address: 127.0.0.1:2, weight: 3, backup: true}]}}",
    "a flag in words": "upstreams: {a: {servers: [127.0.0.1:1], fail_open: 'on'}}",
    "pairs": "servers: [{listen: 80, add_header: {X-A: b, X-B: {value: c, always: true}}}]",
    "an empty field": "servers: [{listen: 80, proxy_set_header: {Accept-Encoding: ''}}]",
    "access in order": "servers: [{listen: 80, access: [{allow: 10.0.0.0/8}, {deny: all}]}]",
    "maps": "maps: {kind: {source: $http_user_agent, default: x, values: {~bot: robot}}}",
    "a check with a match": "upstreams: {a: {servers: [127.0.0.1:1], "
                            "health_check: {uri: /h, match: {status: 200}}}}",
    "a condition": "servers: [{listen: 80, rules: [{if: {condition: $args = x, return: 404}}]}]",
    "formats": "log_formats: {main: $uri, j: {format: $uri, escape: json}}\n"
               "servers: [{listen: 80, access_log: {path: /dev/null, format: main}}]",
    "codes of a list": "servers: [{listen: 80, error_page: {404 500: /e.html}}]",
    "nothing but a name": "upstreams: {a: {servers: [127.0.0.1:1], ip_hash: true}}",
}


@pytest.mark.parametrize("name", GOOD)
def test_forms_that_weir_takes_fit_the_schema(schema, name, tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(GOOD[name])
    assert accepted(path) or name == "empty", name
    assert mistakes(schema, GOOD[name]) == []


WRONG = {
    "a misspelt key": "upstream: {a: {servers: [127.0.0.1:1]}}",
    "a key of another block": "servers: [{listen: 80, ip_hash: true}]",
    "a misspelt directive": "servers: [{listen: 80, proxy_pas: http://a}]",
    "a misspelt parameter": "upstreams: {a: {servers: [{address: 127.0.0.1:1, wieght: 3}]}}",
    "no address": "upstreams: {a: {servers: [{weight: 3}]}}",
    "a flag that is none": "servers: [{listen: 80, autoindex: maybe}]",
    "a number for a flag": "servers: [{listen: 80, autoindex: 1}]",
    "no path": "servers: [{listen: 80, locations: [{proxy_pass: http://a}]}]",
    "an unknown match": "servers: [{listen: 80, locations: [{path: /, match: like}]}]",
    "a mapping for a text": "servers: [{listen: 80, root: {path: /srv}}]",
    "a list for a text": "servers: [{listen: 80, root: [/a, /b]}]",
    "a text for a block": "servers: plain",
    "a text for a mapping of names": "upstreams: [a, b]",
    "no condition": "servers: [{listen: 80, rules: [{if: {return: 404}}]}]",
    "two directives in an item": "servers: [{listen: 80, rules: [{set: $a b, return: 404}]}]",
    "a foreign item of rules": "servers: [{listen: 80, rules: [{root: /srv}]}]",
    "a map without source": "maps: {kind: {default: x}}",
    "a format without text": "log_formats: {j: {escape: json}}",
    "a misspelt setting of the admin listener": "admin: {lisen: 127.0.0.1:1}",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_does_not_fit_the_schema(schema, name, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG[name])
    assert not accepted(path), "weir takes it: it is no mistake"
    assert mistakes(schema, WRONG[name]) != []


# ---- completion

SHELLS = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_good_and_names_every_command_and_option(shell, tmp_path):
    text = weir("completion", shell)
    path = tmp_path / "weir"
    path.write_text(text)
    done = subprocess.run([*SHELLS[shell], path], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    commands = re.findall(r"^  ([a-z]+) ", weir("-h").split("Commands, ")[1], re.M)
    assert "status" in commands and "convert" in commands
    for command in commands:
        assert command in text, command
        # Their help has no options besides.
        if command in ("convert", "schema", "completion", "man"):
            continue
        for option in re.findall(r"--([a-z-]+)", weir(command, "--help")):
            if command == "registry" and option == "help":
                continue
            assert re.search(rf"(--| -l ){option}\b", text), (command, option)


def test_shells_are_there():
    assert all(shutil.which(shell) for shell in SHELLS)


@pytest.mark.parametrize("arguments", [("completion",), ("completion", "csh"), ("man", "x"),
                                       ("schema", "x")])
def test_wrong_words_are_told(arguments):
    done = subprocess.run([weir_binary(), *arguments], capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == 1 and "usage: weir " + arguments[0] in done.stderr
