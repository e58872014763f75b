"""Replaces ${ENV_NAME} and ${file:/path} in values.  Keys are left alone.

Law of the file: what is put in is never shown in a message; a missing variable or file is a mistake, never an empty text.
`$${` stands for the two characters `${`.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from botsieve.config.mistakes import Expanded, Mistakes, Path, shown_key

MAX_SECRET_BYTES = 64 * 1024
MAX_FILES = 200

_MARK = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_ACCEPTED = "accepted: ${ENV_NAME}, ${file:/path}, or $${ for the two characters themselves"


class Expander:
    """Expands one file's values.  `files` are the files that were read, or should have been: a change of one is a change."""

    def __init__(self, environment: Mapping[str, str], mistakes: Mistakes) -> None:
        self._environment = environment
        self._mistakes = mistakes
        self._known: dict[str, str] = {}
        self.files: list[str] = []

    def expand(self, value: Any, path: Path = ()) -> Any:
        """The same value with every `${...}` in its texts replaced."""
        if isinstance(value, dict):
            return {key: self.expand(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.expand(inner, (*path, at)) for at, inner in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            text = _MARK.sub(lambda match: self._replace(match, path), value)
            return Expanded(text)
        return value

    def _replace(self, match: re.Match[str], path: Path) -> str:
        if match[0] == "$${":
            return "${"
        inside = match[1]
        if inside is None:
            self._mistakes.add(path, f"a ${{ without its }}; {_ACCEPTED}")
            return ""
        if inside.startswith("file:"):
            return self._file(inside[5:], path)
        if not _NAME.fullmatch(inside):
            self._mistakes.add(path, f"${{{shown_key(inside)}}} is no name of a variable; {_ACCEPTED}")
            return ""
        if inside not in self._environment:
            self._mistakes.add(
                path, f"the environment variable {inside} is not set; accepted: a variable that is set (it may be empty)"
            )
            return ""
        return self._environment[inside]

    def _file(self, name: str, path: Path) -> str:
        if name in self._known:
            return self._known[name]
        text, wrong = "", ""
        if not name.startswith("/") or "\0" in name:
            wrong = f"{shown_key(name)} is no absolute path; accepted: ${{file:/path}}"
        elif len(self.files) >= MAX_FILES:
            wrong = f"more than {MAX_FILES} files are referred to; accepted: at most {MAX_FILES}"
        else:
            self.files.append(name)
            text, wrong = _read(name)
        if wrong:
            self._mistakes.add(path, wrong)
        else:
            self._known[name] = text
        return text


def _read(name: str) -> tuple[str, str]:
    """The text of a small regular file without its last line end, and what is wrong with it ("" for nothing)."""
    file = FilePath(name)
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return "", f"{shown_key(name)} is no regular file; accepted: a text file of at most {MAX_SECRET_BYTES} bytes"
        with file.open("rb") as stream:
            raw = stream.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "not readable"
        return "", f"{shown_key(name)} cannot be read ({why}); accepted: a file that the service may read"
    if len(raw) > MAX_SECRET_BYTES:
        return "", f"{shown_key(name)} is larger than {MAX_SECRET_BYTES} bytes; accepted: at most that"
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return "", f"{shown_key(name)} is not UTF-8; accepted: text in UTF-8"
    return text.removesuffix("\n").removesuffix("\r"), ""
