"""botsieve.config.yaml_tree"""

from __future__ import annotations

import pytest
from botsieve.config.mistakes import Mistakes
from botsieve.config.yaml_tree import MAX_DEPTH, read_tree, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("0o17", 15),
        ("0x1f", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("on", "on"),
        ("no", "no"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    """YAML 1.2, and nothing of 1.1: no on/off, no sexagesimals, no infinities."""
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_numbers_are_text_and_lines_are_known() -> None:
    """Every key and entry has its line, in block and flow style."""
    mistakes = Mistakes("f")
    tree = read_tree(b"a: '1'\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", mistakes)
    assert tree == {"a": "1", "b": ["x", {"c": 2, "d": 3}]}
    places = {("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4, ("b", 1, "d"): 5}
    assert {path: mistakes.line_of(path) for path in places} == places
    assert not mistakes


def test_the_first_of_two_equal_keys_stays() -> None:
    """A key written twice is a mistake on the second line, and what follows is still read."""
    mistakes = Mistakes("f")
    assert read_tree(b"a: 1\na: {b: 2}\nc: 3\n", mistakes) == {"a": 1, "c": 3}
    assert mistakes.render() == ["f:2: a: the key stands twice (first on line 1); accepted: each key once"]


def test_aliases_share_nothing() -> None:
    """What an alias stands for is a copy: taking something out of one leaves the other."""
    tree = read_tree(b"a: &x {b: [1]}\nc: *x\n", Mistakes("f"))
    tree["a"]["b"].clear()
    assert tree["c"] == {"b": [1]}


def test_a_chain_of_aliases_is_not_deeper_than_allowed() -> None:
    """Depth counts through aliases, where nothing is nested in the text."""
    lines = ["k0: &k0 [1]"] + [f"k{n}: &k{n} [*k{n - 1}]" for n in range(1, MAX_DEPTH + 2)]
    mistakes = Mistakes("f")
    read_tree("\n".join(lines).encode(), mistakes)
    assert "nested deeper" in mistakes.render()[0]
    fine = Mistakes("f")
    read_tree("\n".join(lines[: MAX_DEPTH - 2]).encode(), fine)
    assert not fine


def test_what_was_read_before_a_break_is_kept() -> None:
    """A file that ends in the middle still tells what stands above (its state.dir)."""
    mistakes = Mistakes("f")
    tree = read_tree(b"state: {dir: /srv}\npolicies: [\n", mistakes)
    assert tree["state"] == {"dir": "/srv"}
    assert mistakes.is_broken


def test_an_empty_file_is_a_mistake_and_a_comment_is_not() -> None:
    """A file caught between truncation and writing must not set everything to its default."""
    for raw, wrong in ((b"", True), (b" \n\n", True), (b"# nothing\n", False)):
        mistakes = Mistakes("f")
        assert read_tree(raw, mistakes) == {}
        assert bool(mistakes) is wrong


def test_the_line_of_what_is_no_text_is_named() -> None:
    """Bytes that are not UTF-8, and control characters."""
    mistakes = Mistakes("f")
    read_tree(b"a: 1\nb: \xff\n", mistakes)
    assert mistakes.render()[0].startswith("f:2: the file is not UTF-8")
    mistakes = Mistakes("f")
    read_tree(b"a: 1\nb: 2\nc: \x07\n", mistakes)
    assert mistakes.render()[0].startswith("f:3: this is no YAML: a control character")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (b"policies:\n  - name: a\n mode: enforce\n", 3, "(this line is not indented like the others of its list or section)"),
        (b"policies:\n  - name: a\n    mode: x\n   paths: [/]\n", 4, "(this line is not indented like the others"),
        (b"policies:\n\t- name: a\n", 2, "(a tab; indent with blanks)"),
        (b"policies:\n  - name: a: b\n", 2, "(a second `: ` in the line, or a wrong indentation"),
        (b"policies:\n  - name: a\n    mode enforce\n", 4, "(the line above may lack its `: `)"),
        (b"policies:\n  - name: @a\n", 2, "(text that begins so stands in quotes)"),
        (b"policies:\n  - name: 'a\n", 3, "(a quote or bracket above is not closed)"),
        (b"policies: [a\n", 2, "(a quote or bracket above is not closed)"),
    ],
)
def test_a_slip_is_told_in_words(text: bytes, line: int, words: str) -> None:
    """Whoever edits a file of three policies a year is not told of block ends and tokens alone."""
    mistakes = Mistakes("f")
    read_tree(text, mistakes)
    (said,) = mistakes.render()
    assert said.startswith(f"f:{line}: this is no YAML: ")
    assert words in said
