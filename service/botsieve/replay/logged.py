"""Decisions that the service no longer remembers: found by id in the decision log.  And ids as people pass them on.

Law of the file: the newest line wins; a log of any size is read in blocks, from its end, and may grow or be cut meanwhile; what is
no line of ours is not there.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

MAX_LOGGED = 65_536  # longer than any line of a decision
_LETTERS = "[0-9a-hjkmnp-tv-z]"
_ID = re.compile(rf"({_LETTERS}{{4}}-){{3}}{_LETTERS}{{4}}")
_ALIKE = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v"})  # no id holds these letters
_LENGTH = 16
_BLOCK = 1 << 20


def id_of(said: str) -> str | None:
    """The id that somebody typed, pasted or heard on the telephone: any case, dashes or blanks or neither.  None: it is none."""
    text = re.sub(r"[\s._\u2010-\u2015\u2212-]+", "", said.lower()).translate(_ALIKE)
    grouped = "-".join(text[at : at + 4] for at in range(0, len(text), 4))
    return grouped if len(text) == _LENGTH and _ID.fullmatch(grouped) else None


def find_logged(file: str, decision_id: str) -> dict[str, Any] | None:
    """The line of this id in a decision log, or in the one that was rotated away last (`.1`, not packed); None: in neither.

    Errors: OSError for a file that is there and cannot be read.
    """
    for path in (Path(file), Path(file + ".1")):
        found = _find_in(path, f'"id":"{decision_id}"'.encode())
        if found is not None and found.get("id") == decision_id:
            return found
    return None


def _find_in(path: Path, needle: bytes) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    with path.open("rb") as opened:
        descriptor = opened.fileno()
        end = os.fstat(descriptor).st_size
        while end > 0:
            begin = max(0, end - _BLOCK)
            block = os.pread(descriptor, end - begin + len(needle), begin)  # what lies across two blocks belongs to the earlier
            at = len(block)
            while (at := block.rfind(needle, 0, at)) >= 0:
                found = _line_around(descriptor, begin + at)
                if found is not None:
                    return found
            end = begin
    return None


def _line_around(descriptor: int, at: int) -> dict[str, Any] | None:
    begin = max(0, at - MAX_LOGGED)
    text = os.pread(descriptor, at - begin + MAX_LOGGED, begin)
    start = text.rfind(b"\n", 0, at - begin) + 1
    return decision_of(text[start:].partition(b"\n")[0])


def decision_of(line: bytes) -> dict[str, Any] | None:
    """A line as a decision of our log, None if it is none."""
    try:
        logged = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return logged if isinstance(logged, dict) and logged.get("event") == "decision" else None
