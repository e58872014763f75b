"""Bytes of a client as text, figures as words."""

from __future__ import annotations

from botsieve.replay.wording import counted, ordinal, span_text, unescape


def test_unescape() -> None:
    """nginx writes \\xNN, Apache also \\" and letters; anything else stays."""
    assert unescape(rb"a\x22b\x5Cc\xE4") == b'a"b\\c\xe4'
    assert unescape(rb"a\"b\\c\td\q") == b'a"b\\c\td\\q'


def test_counted_and_ordinal() -> None:
    """Numbers as they are read."""
    assert [counted(1, "client"), counted(1650, "client"), counted(2, "line goes", "lines go")] == [
        "1 client",
        "1,650 clients",
        "2 lines go",
    ]
    assert [ordinal(n) for n in (None, 1, 2, 3, 4, 11, 12, 13, 21, 111, 1002)] == [
        "-", "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "111th", "1,002nd",
    ]  # fmt: skip


def test_span() -> None:
    """The largest unit of which there are two."""
    assert [span_text(s) for s in (0, 1, 119, 120, 5400, 7200, 298860)] == [
        "0 seconds", "1 second", "119 seconds", "2 minutes", "90 minutes", "2 hours", "3 days",
    ]  # fmt: skip
