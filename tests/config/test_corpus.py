"""Whole files: good ones load, each bad one is refused with the mistake that it names, any bytes give one or the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.config import Loaded, loads
from botsieve.config.yaml_tree import MAX_BYTES
from botsieve.errors import ConfigError
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.yaml"))
GOOD = sorted((HERE / "good").glob("*.yaml"))


def mistakes_of(raw: bytes, name: str = "botsieve.yaml") -> list[str]:
    """The mistakes of a text; empty for one that loads."""
    try:
        loads(raw, name)
    except ConfigError as error:
        return error.mistakes
    return []


def test_the_corpus_is_not_small() -> None:
    """At least 40 bad files, and some good ones."""
    assert len(BAD) >= 40
    assert len(GOOD) >= 8


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_file_is_refused_with_the_mistake_it_names(file: Path) -> None:
    """One mistake, the one of the first line, as `FILE:LINE: key.path: what; accepted: ...`, and no second one caused by it."""
    raw = file.read_bytes()
    wanted = raw.split(b"\n")[0].removeprefix(b"# ").decode()
    found = mistakes_of(raw, file.name)
    assert len(found) == 1
    name, line, message = found[0].split(":", 2)
    assert name == file.name
    assert 1 <= int(line) <= raw.count(b"\n") + 1
    assert wanted in message
    assert "accepted: " in message


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_a_good_file_loads_and_warns_only_of_what_it_names(file: Path) -> None:
    """A good file is applied; the one warning that it may give stands on its first line."""
    raw = file.read_bytes()
    first = raw.split(b"\n")[0].decode("utf-8-sig").strip()
    loaded = loads(raw, file.name)
    if first.startswith("# Warning: "):
        assert len(loaded.warnings) == 1
        assert first.removeprefix("# Warning: ") in loaded.warnings[0]
    else:
        assert loaded.warnings == ()


def test_all_mistakes_are_reported_together_in_the_order_of_the_file() -> None:
    """Mistakes of every kind, each with its own line, in one go."""
    raw = b"""\
polices: []
bot_at: 600
policies:
  - name: a
    mode: enforced
    rules:
      - {name: r, when: {}, then: allow}
      - {name: s, when: {network: nowhere}, then: deny}
  - {name: a, challenge_at: 90}
allow: {headers: {x-key: ["${BOTSIEVE_TEST_NOT_SET}"]}}
workers: 3
"""
    found = mistakes_of(raw)
    assert [int(line.split(":")[1]) for line in found] == [1, 2, 5, 8, 8, 9, 9, 10, 11]


def test_a_value_that_came_from_outside_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wherever a secret is misplaced, no message holds it."""
    monkeypatch.setenv("BOTSIEVE_TEST_SECRET", "hunter2hunter2")
    (tmp_path / "key").write_text("hunter2hunter2\n")
    for value in ("${BOTSIEVE_TEST_SECRET}", f"${{file:{tmp_path}/key}}", "x${BOTSIEVE_TEST_SECRET}y"):
        for key in (
            "bot_at: {}",
            "client_headers: {}",
            "state: {{dir: {}}}",
            "edges: {{nginx: {{listen: {}, sees: [{}], trusted: [{}]}}}}",
            "policies: [{{name: a, rules: [{{name: r, when: {{header: {{x: '({}'}}, signal: {}}}, then: {}}}]}}]",
            "policies: {}",
            "state: {}",
        ):
            found = mistakes_of(
                key.replace("{}", f"'{value}'").replace("{{", "{").replace("}}", "}").replace("''", "'").encode()
            )
            assert found
            assert "hunter2" not in "\n".join(found)


@given(st.binary(max_size=300))
def test_any_bytes_load_or_are_refused(raw: bytes) -> None:
    """Nothing but Loaded or ConfigError ever leaves the loader."""
    check(raw)


_WORDS = st.sampled_from(
    [
        *[
            "policies:",
            "name:",
            "a",
            "mode:",
            "enforce",
            "detectors:",
            "agent.bot_useragent:",
            "points:",
            "40",
            "when:",
            "then:",
            "allow",
            "network:",
            "10.0.0.0/8",
        ],
        *[
            "edges:",
            "nginx:",
            "listen:",
            "state:",
            "-",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "&",
            "*",
            "&x",
            "*x",
            "!",
            "!!str",
            "|",
            ">",
            "'",
            "?",
            "<<:",
            "---",
            "...",
            "%YAML",
            "null",
            "true",
            "1e5",
            "0x1f",
        ],
        *('"', "${", "${A}", "${file:/x}", "\n", "\n  ", "\n    ", "#", "\t"),
    ]
)


@given(st.lists(_WORDS, max_size=60))
def test_any_words_of_the_language_load_or_are_refused(words: list[str]) -> None:
    """The same for texts that look like settings."""
    check(" ".join(words).encode())


@given(st.sampled_from(GOOD), st.integers(0, 2000), st.integers(0, 2000))
@settings(max_examples=60)
def test_any_piece_of_a_good_file_loads_or_is_refused(file: Path, start: int, end: int) -> None:
    """A file cut off anywhere, as after a broken write."""
    check(file.read_bytes()[start:end])


def check(raw: bytes) -> None:
    """Loads or is refused; what is said can be printed."""
    said = mistakes_of(raw)
    assert all(line.isprintable() for line in said)
    if not said:
        assert isinstance(loads(raw), Loaded)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 200_000,
        b"{a: " * 100_000,
        b"- " * 100_000,
        b"? " * 100_000,
        b"a: &a [" + b"*a," * 10_000 + b"]",
        b"a: '" + b"x" * 900_000,
        b"x" * (MAX_BYTES + 1),
        b"&" + b"a" * 500_000 + b" 1: *" + b"a" * 400_000,
        b"policies: [" + b"{name: a}," * 5_000 + b"]",
        b"bot_at: " + b"9" * 100_000,
        b"a: 1\n" * 20_000,
        b"".join(b"k%d: 1\n" % n for n in range(20_000)),
    ],
    ids=["brackets", "maps", "dashes", "keys", "self", "quote", "large", "anchor", "policies", "digits", "twice", "unknown"],
)
def test_a_hostile_file_is_refused(raw: bytes) -> None:
    """Deep, endless, self-containing or huge: refused with a bounded list of mistakes."""
    found = mistakes_of(raw)
    assert 1 <= len(found) <= 101
    assert all(len(line) < 1000 for line in found)
