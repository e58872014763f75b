"""How the commands print: a table for people, CSV for spreadsheets, JSON for programs.

Law of the file: whatever a client sent, what is printed is printable ASCII; a cell of a CSV file is never taken for a formula.
Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from botsieve.journal.render import second_text, to_line
from botsieve.printable import printable_ascii

# OWASP: what a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MAX_CELL = 60


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> list[str]:
    """Aligned columns; those numbered in `right` to the right.  A long cell is cut, the last column never."""
    cells = [
        [_cut(printable_ascii(cell)) if at < len(headings) - 1 else printable_ascii(cell) for at, cell in enumerate(row)]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    lines = []
    for row in (headings, *cells):
        parts = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(parts).rstrip())
    return lines


def _cut(cell: str) -> str:
    return cell if len(cell) <= _MAX_CELL else cell[: _MAX_CELL - 3] + "..."


def csv_text(names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """One line of names, one a row; every cell in quotes, text that looks like a formula behind an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")  # RFC 4180
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name, "")) for name in names])
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return (
        f"'{printable_ascii(text)}" if text.startswith(_FORMULA) or (text[:1] in "＝＋－＠" and text) else printable_ascii(text)
    )


def json_text(value: Any) -> str:
    """One JSON object on one line of ASCII."""
    return to_line(value).decode()


def when(time_s: float) -> str:
    """Seconds since 1970 for people: UTC, whole seconds, "" for none."""
    return second_text(time_s) if time_s else ""
