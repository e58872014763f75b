"""challenge/answer.py: the value that a transport writes."""

from __future__ import annotations

from botsieve.challenge.answer import Answer


def test_headers_are_found_in_any_case() -> None:
    """The first of the name counts, an absent one is empty."""
    answer = Answer(200, (("Set-Cookie", "a=1"), ("set-cookie", "b=2")))
    assert answer.header("SET-COOKIE") == "a=1"
    assert answer.header("Location") == ""
    assert (answer.body, answer.event, answer.level) == (b"", "", "")
