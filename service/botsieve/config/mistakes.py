"""The mistakes of one configuration file, collected until all are known.

Law of the file: a mistake has a place, says what is wrong and what is accepted, and never holds a value that came from the
environment or from a file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

Path = tuple[str | int, ...]

MAX_MISTAKES = 100
_MAX_SHOWN = 60


class Expanded(str):
    """Text in which `${...}` was replaced.  Its value is never shown: it may be a secret."""

    __slots__ = ()


def shown(value: object) -> str:
    """A value as a message may show it: bounded, printable, and nothing at all of what may be a secret."""
    if isinstance(value, Expanded):
        return "the value that ${...} stands for"
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = ascii(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."


def shown_key(key: str) -> str:
    """A key in a path: bounded and printable."""
    text = ascii(key)[1:-1]
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."


def path_text(path: Path) -> str:
    """A key path as people write it: `policies[1].rules[0].when`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shown_key(part)}" if text else shown_key(part)
    return text


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that the operator probably meant, "" if none is near."""
    lowered = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word[:200].lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else ""


class Mistakes:
    """What is wrong with one file.  `name`: the file as the operator called it.  `is_broken`: it ends where it went wrong."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_broken = False
        self.lines: Mapping[Path, int] = {}
        self._found: list[tuple[int, Path, str]] = []
        self._cut = 0

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def is_full(self) -> bool:
        """Whether further mistakes are only counted, so that wording them is wasted."""
        return len(self._found) >= MAX_MISTAKES

    def add(self, path: Path, message: str, line: int = 0) -> None:
        """`line` 0: the line of the key, or of the nearest key above it.  Beyond MAX_MISTAKES they are only counted."""
        if self.is_full:
            self._cut += 1
            return
        self._found.append((line or self.line_of(path), path, message))

    def line_of(self, path: Path) -> int:
        """The line where a key stands; for a key that is not written, the nearest one above it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1

    def at(self, path: Path) -> bool:
        """Whether something at, above or below this path is already known to be wrong."""
        return any(place[: len(path)] == path or path[: len(place)] == place for _, place, _ in self._found if place)

    @property
    def paths(self) -> list[Path]:
        """Where the mistakes are."""
        return [path for _, path, _ in self._found]

    def render(self) -> list[str]:
        """`FILE:LINE: key.path: what is wrong; what is accepted`, in the order of the file."""
        lines = []
        for line, path, message in sorted(self._found, key=lambda found: found[0]):
            place = f"{path_text(path)}: " if path else ""
            lines.append(f"{self.name}:{line}: {place}{message}")
        if self._cut:
            lines.append(f"{self.name}: and {self._cut} more mistakes; mend these first")
        return lines
