"""The files of a configuration: the text of `nginx -T` taken apart, or an nginx.conf with what it includes.

Law of the file: text in, files out.  Only `read_conf` opens files, and only those that the configuration includes.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from botsieve.errors import InputError

MAX_BYTES = 16 * 1024 * 1024
MAX_FILES = 5_000
# Patterns are tried on every file name: this keeps the product small.
MAX_PATTERNS = 1_000

_HEAD = re.compile(r"^# configuration file (.{1,4096}):\r?$", re.MULTILINE)
_WILD = re.compile(r"[*?\[]")


class Sources:
    """Where the parser gets its files.  `main`: the first file; `include(pattern)`: the files that an include line means."""

    def __init__(self, main: str, files: dict[str, str], read: Callable[[str], list[tuple[str, str]]] | None = None) -> None:
        self.main = main
        self.files = files
        self._read = read
        self._patterns = self._reads = 0

    def include(self, pattern: str, *, at: str) -> list[str]:
        """Names of the files, sorted as nginx sorts them.  `at`: `file:line` of the include.  Errors: InputError."""
        if not pattern.startswith("/"):
            pattern = os.path.join(os.path.dirname(self.main), pattern)
        if pattern in self.files:
            return [pattern]
        if self._read is not None:
            self._reads += 1
            found = self._read(pattern)
            self.files.update(found)
            self._bound(at)
            names = [name for name, _ in found]
        else:
            names = self._matching(pattern, at) if _WILD.search(pattern) else []
        if not names and not _WILD.search(pattern):
            raise InputError(f"{at}: include {pattern[:300]}: no such file in here; accepted: the whole output of `nginx -T`")
        return names

    def _bound(self, at: str) -> None:
        if max(self._reads, len(self.files)) > MAX_FILES or sum(map(len, self.files.values())) > MAX_BYTES:
            raise InputError(f"{at}: the includes are more than {MAX_FILES} files or {MAX_BYTES} bytes; accepted: less")

    def _matching(self, pattern: str, at: str) -> list[str]:
        self._patterns += 1
        if self._patterns > MAX_PATTERNS or len(pattern) > 4096:
            raise InputError(f"{at}: more than {MAX_PATTERNS} includes with a pattern, or a pattern of more than 4096 bytes")
        parts = [(re.compile(fnmatch.translate(part)), part.startswith(".")) for part in pattern.split("/")]
        return sorted(name for name in self.files if _fits(name.split("/"), parts))


def _fits(name: list[str], parts: list[tuple[re.Pattern[str], bool]]) -> bool:
    if len(name) != len(parts):
        return False
    return all(
        pattern.match(part) and (hidden or not part.startswith("."))
        for part, (pattern, hidden) in zip(name, parts, strict=True)
    )


def decoded(data: bytes, name: str) -> str:
    """Text of a configuration: UTF-8, other bytes as `\\xNN`.  Errors: InputError when it is too long."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: more than {MAX_BYTES} bytes; accepted: the output of `nginx -T`, which is smaller")
    return data.decode("utf-8", "backslashreplace")


def from_dump(text: str) -> Sources | None:
    """The files of `nginx -T`; None when the text is no such output.  Errors: InputError for too many files."""
    heads = list(_HEAD.finditer(text))
    if not heads:
        return None
    if len(heads) > MAX_FILES:
        raise InputError(f"more than {MAX_FILES} files; accepted: the output of `nginx -T`")
    files: dict[str, str] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        # nginx shows a file once; whoever comes second is a comment that looks like a head.
        files.setdefault(head.group(1), text[head.end() + 1 : following.start() if following else len(text)])
    return Sources(heads[0].group(1), files)


def from_text(data: bytes, name: str) -> Sources:
    """Output of `nginx -T`, or an nginx.conf whose includes are then read from this machine.  Errors: InputError."""
    text = decoded(data, name)
    dump = from_dump(text)
    if dump is not None:
        return dump
    if name == "-":
        raise InputError("-: no line `# configuration file ...:` in here; accepted: the output of `nginx -T`")
    main = os.path.abspath(name)
    return Sources(main, {main: text}, _read_files)


def read_conf(name: str) -> Sources:
    """The file that an operator named, `-` for stdin.  Errors: InputError when it cannot be read."""
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as file:
            return from_text(file.read(MAX_BYTES + 1), name)
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read: {error.strerror}; accepted: the output of `nginx -T`, or an nginx.conf"
        ) from None


def _read_files(pattern: str) -> list[tuple[str, str]]:
    found = []
    names = sorted(glob.glob(pattern)) if _WILD.search(pattern) else [pattern]
    for name in names[: MAX_FILES + 1]:
        try:
            if not os.path.isfile(name):  # a device or a pipe may never end
                continue
            with Path(name).open("rb") as file:
                found.append((name, decoded(file.read(MAX_BYTES + 1), name)))
        except (OSError, ValueError):
            continue
    return found
