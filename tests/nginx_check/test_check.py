"""The whole check: any text, bounds, our own files, the demo, the page."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

import pytest
from botsieve.config import loads
from botsieve.demo.nginx_conf import Ports, nginx_conf
from botsieve.edge.check import MAX_FINDINGS, RULES, Finding, check
from botsieve.edge.check.sources import Sources
from botsieve.edge.includes import Filling, nginx_texts
from botsieve.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.nginx_check.confs import BAD, HERE, wanted

_PARTS = [path.read_text() for kind in ("bad", "good") for path in sorted((HERE / kind).glob("*.conf"))]
_LINES = sorted({line.partition("# trap")[0] + "\n" for text in _PARTS for line in text.splitlines()})
OURS = {f"/e/botsieve/{name}": text for name, text in nginx_texts(Filling(folder="/e/botsieve")).items()}


def traps(text: str, files: dict[str, str] = OURS) -> list[Finding]:
    return check(Sources("/e/nginx.conf", {"/e/nginx.conf": text, **files}), lambda path: False)


@given(st.lists(st.sampled_from(_LINES), max_size=40).map("".join), st.booleans())
def test_any_lines_give_findings_or_the_declared_error(text: str, wrapped: bool) -> None:
    """Lines of real confs in any order: findings with place, words and advice, or an InputError."""
    if wrapped:
        text = "http { server { " + text + "}" * max(0, text.count("{") - text.count("}") + 2)
    with contextlib.suppress(InputError):
        assert all(one.line >= 1 and one.visitor and one.write and "\n" not in str(one) for one in traps(text))


@given(st.text())
def test_any_words_in_any_place(word: str) -> None:
    """A strange argument of every directive that a rule reads is no fault of ours."""
    quoted = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    names = sorted({line.split()[0].rstrip(";") for line in _LINES if line.split() and line.strip()[0].isalpha()})
    text = "".join(
        f"{name} {quoted};\n{name} a {quoted};\n" for name in names if name not in ("include", "events", "http", "server")
    )
    traps(
        "http { include botsieve/http.conf; server { include botsieve/server.conf; location / { include botsieve/protect-app.conf; "
        + f"{text} }} {text} }} {text} }}"
    )


@pytest.mark.parametrize("lua", [True, False])
def test_the_demo_is_left_alone(lua: bool) -> None:
    """No false alarm on what `make run` writes."""
    texts = nginx_texts(Filling(folder="/run/nginx/botsieve", lua=lua))
    files = {f"/run/nginx/botsieve/{name}": text for name, text in texts.items()}
    conf = nginx_conf(Path("/run"), Ports(http=1, https=2, shop=3, backup=4, web=5), "" if lua else None)
    assert check(Sources("/run/nginx.conf", {"/run/nginx.conf": conf, **files}), lambda path: False) == []


def test_the_three_lines_of_the_readme_are_left_alone() -> None:
    """What nginx/README.md tells people to write has no trap, with the Lua files on the default path."""
    text = (ROOT / "nginx" / "README.md").read_text()
    block = re.search(r"(?m)^    http \{\n(?:^    .*\n)+", text)
    assert block is not None
    assert traps(block.group()) == []


def test_a_configuration_without_us() -> None:
    """One finding at the http block, or at the file's first line."""
    assert [(one.line, one.trap) for one in traps("\nhttp { server { } }")] == [(2, "nothing_protected")]
    assert [(one.line, one.trap) for one in traps("")] == [(1, "nothing_protected")]


def test_findings_and_time_are_bounded() -> None:
    """A large configuration full of traps: at most MAX_FINDINGS, and linear time."""

    def seconds(count: int) -> float:
        inside = "".join(
            f"location /{i}/ {{\ninclude botsieve/protect.conf;\ntry_files $uri /{i}.php;\nadd_header X 1;\n}}\n"
            f"location ~ /a{i}\\.php$ {{ proxy_pass http://x; }}\n"
            for i in range(count)
        )
        begin = time.process_time()
        found = traps(
            "http { include botsieve/http.conf; add_header A 1; map $a $b { default 1; "
            + "x 1;\n" * count
            + f"}} server {{ include botsieve/server.conf; {inside} }} }}"
        )
        assert len(found) == min(count, MAX_FINDINGS)
        return time.process_time() - begin

    small = min(seconds(200) for _ in range(3))
    assert min(seconds(1600) for _ in range(3)) < 24 * small


def test_every_trap_has_a_conf_and_a_line_on_the_page() -> None:
    """Each name that a rule gives is in bad/ and in docs/nginx-check.md; the page names no other."""
    sources = "".join(path.read_text() for path in (ROOT / "service/botsieve/edge/check").glob("*.py"))
    named = set(re.findall(r'^ +"([a-z]+(?:_[a-z0-9]+)+)",$', sources, re.MULTILINE)) | {
        "try_files_open",
        "index_open",
        "underscores",
    }
    named |= {"add_header_lost", "proxy_set_header_lost"}
    shown = {trap for name in BAD for _, trap in wanted(name)}
    assert shown == named
    page = (ROOT / "docs" / "nginx-check.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` ", page, re.MULTILINE)) == shown
    assert len(set(RULES)) == len(RULES)


def test_what_is_said_of_our_own_file_can_be_written_there() -> None:
    """Advice names keys of botsieve.yaml that exist, and rules that it accepts."""
    said = {
        words
        for name in BAD
        for one in traps((HERE / "bad" / f"{name}.conf").read_text())
        for words in re.findall(r"`([^`]+)` of botsieve\.yaml", one.write)
    }
    rules = {words for words in said if ":" in words}
    assert len(rules) >= 2
    for rule in rules:
        text = rule.replace("path: ...", "path: /x/").replace("network: ...", "network: 203.0.113.0/24")
        loads(f"policies: [{{name: a, rules: [{{name: r, {text}}}]}}]".encode())
    keys = said - rules
    assert keys
    for key in keys:
        section, _, inner = key.partition(".")
        loads(f"{section}: {{{inner}: []}}".encode())
