"""What others wrote, on a terminal."""

from __future__ import annotations

from botsieve.printable import LONGEST, printable, printable_ascii
from hypothesis import example, given
from hypothesis import strategies as st


@given(st.binary(max_size=300) | st.text(max_size=300))
@example("\ud800")
def test_it_is_printable_and_bounded(text: str | bytes) -> None:
    """Whatever a client wrote, a terminal gets one printable line; at most 256 bytes or characters of it."""
    told = printable(text)
    assert told.isprintable()
    assert len(told) <= len("\\U0010ffff") * LONGEST
    assert printable(text, 3) == printable(text[:3])


def test_what_is_harmless_stays() -> None:
    """Control characters, bytes that are no UTF-8 and marks that turn the writing direction are escaped."""
    assert printable("Käse 日本".encode()) == printable("Käse 日本") == "Käse 日本"
    assert printable(b"a\x1b[31mb\x00\x9b\xff") == "a\\x1b[31mb\\x00\\x9b\\xff"
    assert printable("x\u202ey\n") == "x\\u202ey\\n"


@given(st.text())
@example("\x9b31m\u2028\U0001f600")
@example("\ud800")
def test_in_ascii(text: str) -> None:
    """Nothing else is left, and plain text is itself."""
    told = printable_ascii(text)
    assert told.isascii()
    assert told.isprintable()
    assert not (text.isascii() and text.isprintable()) or told == text
