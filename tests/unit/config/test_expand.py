"""botsieve.config.expand"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botsieve.config.expand import MAX_SECRET_BYTES, Expander
from botsieve.config.mistakes import Expanded, Mistakes


def expand(value: Any, **environment: str) -> tuple[Any, list[str]]:
    """The expanded value and the mistakes."""
    mistakes = Mistakes("f")
    return Expander(environment, mistakes).expand(value), mistakes.render()


def test_variables_are_put_in_anywhere_in_a_value() -> None:
    """Whole, in part, twice, in lists and mappings; keys stay; numbers stay."""
    value = {"${A}": ["${A}", "x${A}-${B}", 3, None]}
    found, mistakes = expand(value, A="1", B="")
    assert found == {"${A}": ["1", "x1-", 3, None]}
    assert mistakes == []
    assert all(isinstance(text, Expanded) for text in found["${A}"][:2])


def test_a_dollar_can_be_written() -> None:
    """Two dollars before a brace stand for the characters; a lone dollar is nothing special (patterns end with one)."""
    assert expand("$${A}", A="1")[0] == "${A}"
    assert expand("^acme$")[0] == "^acme$"


def test_what_was_put_in_is_not_expanded_again() -> None:
    """A variable that holds `${B}` stands for these four characters."""
    assert expand("${A}", A="${B}", B="x")[0] == "${B}"


def test_a_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    """One line end is cut, as editors add one; the file is remembered, to be watched."""
    key = tmp_path / "key"
    key.write_bytes(b"secret\r\n")
    mistakes = Mistakes("f")
    expander = Expander({}, mistakes)
    assert expander.expand([f"${{file:{key}}}", f"${{file:{key}}}"]) == ["secret", "secret"]
    assert expander.files == [str(key)]
    assert not mistakes


def test_a_file_that_is_no_small_text_is_a_mistake(tmp_path: Path) -> None:
    """Too large, not UTF-8, a folder, missing: said with the name, and watched for mending."""
    (tmp_path / "large").write_bytes(b"x" * (MAX_SECRET_BYTES + 1))
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, word in (("large", "larger than"), ("bytes", "not UTF-8"), ("", "no regular file"), ("none", "cannot be read")):
        mistakes = Mistakes("f")
        expander = Expander({}, mistakes)
        expander.expand(f"${{file:{tmp_path}/{name}}}")
        assert word in mistakes.render()[0]
        assert len(expander.files) == 1


def test_a_variable_that_is_not_set_is_a_mistake_and_an_empty_one_is_not() -> None:
    """Never an empty text in silence."""
    assert "is not set" in expand("${A}")[1][0]
    assert expand("${A}", A="") == ("", [])
