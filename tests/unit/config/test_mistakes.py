"""botsieve.config.mistakes"""

from __future__ import annotations

from botsieve.config.mistakes import MAX_MISTAKES, Expanded, Mistakes, nearest, path_text, shown


def test_a_value_is_shown_bounded_and_printable() -> None:
    """At most 60 characters and three dots; no control characters; the words of YAML."""
    assert shown("a\n\x1b") == "'a\\n\\x1b'"
    assert len(shown("x" * 1000)) == 63
    assert shown(None) == "nothing (null)"
    assert shown(True) == "true"
    assert shown({"a": 1}) == "a mapping"
    assert "secret" not in shown(Expanded("secret"))


def test_a_path_reads_as_people_write_it() -> None:
    """Names with dots, entries with brackets."""
    assert path_text(("policies", 1, "rules", 0, "when")) == "policies[1].rules[0].when"
    assert path_text(("a\nb",)) == "a\\nb"


def test_a_missing_key_has_the_line_of_the_one_above() -> None:
    """The nearest place that is written, at worst the first line."""
    mistakes = Mistakes("f")
    mistakes.lines = {(): 1, ("a",): 3, ("a", "b"): 4}
    assert mistakes.line_of(("a", "b", "c")) == 4
    assert mistakes.line_of(("a", "z")) == 3
    assert mistakes.line_of(("q",)) == 1


def test_mistakes_are_bounded_and_the_rest_is_counted() -> None:
    """A hostile file does not make an endless report."""
    mistakes = Mistakes("f")
    for n in range(MAX_MISTAKES + 7):
        mistakes.add(("a", n), "wrong; accepted: right")
    lines = mistakes.render()
    assert len(lines) == MAX_MISTAKES + 1
    assert lines[-1] == "f: and 7 more mistakes; mend these first"


def test_the_nearest_word_is_found_in_any_case() -> None:
    """`Mode` is near `mode`; a word that is near nothing gives nothing."""
    assert nearest("Mode", ["mode", "name"]) == "mode"
    assert nearest("xyzzy", ["mode", "name"]) == ""
