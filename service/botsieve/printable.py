"""What others wrote, as a command may print it.

Law of the file: what comes out is on one line, and no character of it moves the cursor, the colours or the writing direction of
a terminal.  Messages about a configuration have a form of their own, which hides secrets too (config/mistakes.py).
"""

from __future__ import annotations

LONGEST = 256  # docs/decision-log.md: the User-Agent


def printable(text: str | bytes, longest: int = LONGEST) -> str:
    """At most `longest` characters, or bytes, of `text`; bytes that are no UTF-8 and what cannot be printed as `\\xNN`, `\\uNNNN`."""
    told = text[:longest] if isinstance(text, str) else text[:longest].decode("utf-8", "backslashreplace")
    return told if told.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in told)


def printable_ascii(value: object) -> str:
    """Any value, whole, in ASCII: for columns, which characters of another width would break, and for files."""
    text = str(value)
    return text if text.isascii() and text.isprintable() else "".join(c if " " <= c <= "~" else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
