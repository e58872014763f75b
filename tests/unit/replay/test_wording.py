"""Bytes of a client as text, figures as words."""

from __future__ import annotations

from botsieve.replay.wording import counted, ordinal, shown, span_text, unescape
from hypothesis import given
from hypothesis import strategies as st


@given(st.binary(max_size=300))
def test_shown_is_printable_and_bounded(raw: bytes) -> None:
    """Whatever a client wrote, a terminal gets one printable line; at most 256 bytes of it."""
    text = shown(raw)
    assert text.isprintable()
    assert len(text) <= 4 * 256


def test_shown_keeps_what_is_harmless() -> None:
    """Control bytes, bytes that are no UTF-8 and marks that turn the writing direction become \\xNN."""
    assert shown("Käse 日本".encode()) == "Käse 日本"
    assert shown(b"a\x1b[31mb\x00\x9b\xff") == "a\\x1b[31mb\\x00\\x9b\\xff"
    assert shown("x\u202ey".encode()) == "x\\xe2\\x80\\xaey"


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
