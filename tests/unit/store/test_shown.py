"""store/shown.py: tables, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json

import pytest
from botsieve.store.shown import csv_text, json_text, table, when
from hypothesis import example, given
from hypothesis import strategies as st

HOSTILE = ["\x1b[2J", "\u202etxt.exe", "a\nb", "\x9b31m", "\u2028", "\x00", "\U0001f600"]


@given(st.text())
@example("=1+1")
@example("\x1b]0;owned\x07")
def test_anything_is_printable_ascii_on_one_line(text: str) -> None:
    """In a table, in CSV and in JSON."""
    for line in table(("A", "B"), [(text, text)]):
        assert line.isascii()
        assert line.isprintable()
    cells = csv_text(("a",), [{"a": text}])
    assert cells.replace("\r\n", "").isascii()
    assert len(list(csv.reader(io.StringIO(cells, newline="")))) == 2


@pytest.mark.parametrize(
    "cell", ["=1+1|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1", '=HYPERLINK("http://x","y")']
)
def test_no_cell_is_a_formula(cell: str) -> None:
    """OWASP's beginnings get an apostrophe before them, every cell is quoted, and a quote is doubled."""
    text = csv_text(("a", "b"), [{"a": cell, "b": 1}])
    ((read, number),) = list(csv.reader(io.StringIO(text)))[1:]
    assert read.startswith("'")
    assert number == "1"
    assert text.splitlines()[1].startswith("\"'")


def test_what_is_harmless_stays_as_it_is() -> None:
    """Numbers, words, commas, quotes and a minus within."""
    text = csv_text(("a", "b", "c", "d"), [{"a": 'x,"y"', "b": 1.5, "c": None, "d": "a-b"}])
    assert list(csv.reader(io.StringIO(text)))[1] == ['x,"y"', "1.5", "", "a-b"]


@pytest.mark.parametrize("text", HOSTILE)
def test_json_parses_back(text: str) -> None:
    """The object is the same."""
    line = json_text({"a": text})
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {"a": text}


def test_columns_are_aligned() -> None:
    """Numbers to the right, long cells cut, the last column whole."""
    lines = table(("NAME", "N", "ID"), [("a" * 100, 7, "x" * 100), ("b", 1234, "y")], right=(1,))
    assert lines[1] == "a" * 57 + "...     7  " + "x" * 100
    assert lines[2] == "b" + " " * 59 + "  1234  y"
    assert when(1_800_000_000.4) == "2027-01-15T08:00:00Z"
    assert when(0) == ""
