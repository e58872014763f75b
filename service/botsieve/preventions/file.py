"""The file that preventions are kept in: `preventions` in `state.dir`, one line each.

Law of the file: no decision waits for it.  What is in it is made in slices, written by a thread, and takes the place of the old
one whole; a folder that cannot be written, and a file full of garbage, cost what was kept and nothing else.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from botsieve.attacks.kept import MAX_LINE, line_of, prevention_of
from botsieve.attacks.preventions import Prevention
from botsieve.whole_file import replace_whole

FILE_NAME = "preventions"
HEAD = b"botsieve preventions 1"


def read(path: Path, now_s: float, most: int, mark: str = "") -> tuple[list[Prevention], int]:
    """What was kept and is not long over, at most `most`; and how many lines were none of ours.  Never raises.

    `mark`: of the secret that subjects are named with.  Under another one nobody would be known by these names again: none is ours.
    """
    found: list[Prevention] = []
    strange = 0
    with contextlib.suppress(OSError), path.open("rb") as stream:
        is_ours = True
        for line in _lines(stream.fileno(), most):
            if line.startswith(HEAD):
                is_ours = line == _head(mark)
                continue
            if not is_ours:
                strange += 1
                continue
            try:
                one = prevention_of(line, now_s)
            except ValueError:
                strange += 1
                continue
            if one is not None:
                found.append(one)
    return found, strange


def _lines(descriptor: int, most: int) -> Iterator[bytes]:
    """At most `most` lines and a little; of a line that is too long only the beginning."""
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        for _ in range(most + 1):
            line = stream.readline(MAX_LINE + 2)
            if not line:
                return
            yield line.rstrip(b"\n")


def lines(chosen: Iterable[Prevention]) -> bytes:
    """Some preventions as lines."""
    return b"".join([line_of(one) + b"\n" for one in chosen])


def _head(mark: str) -> bytes:
    return HEAD + b" " + mark.encode() if mark else HEAD


def write(path: Path, chunks: Iterable[bytes], mark: str = "") -> None:
    """Puts a new file in the place of the old one.  `mark`: as of `read`.  Errors: OSError; the old one is then as it was."""
    replace_whole(path, chain([_head(mark) + b"\n"], chunks))
