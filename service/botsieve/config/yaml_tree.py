"""Reads YAML 1.2 into plain values and remembers on which line each key stands.

Law of the file: any text gives a value or mistakes, never another error; size, depth and expansion are bounded before anything
is built; a key written twice, a tag, a second document and a key that is no text are mistakes.

Scalars follow the core schema of YAML 1.2.2, section 10.3.2: only true and false are booleans; on, off, yes and no are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from botsieve.config.mistakes import Mistakes, Path, shown_key

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 40_000  # about 3 s of reading on one core; 10,000 networks are 10,000

_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_BASED = re.compile(r"0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?")


class _StopError(Exception):
    """The rest of the text cannot be given a meaning; what was wrong has been noted."""


class _Open:
    """A mapping or list whose end has not been read.  `height` is the depth of what is inside."""

    __slots__ = ("anchor", "height", "key", "path", "size", "value")

    def __init__(self, value: dict[str, Any] | list[Any], path: Path, anchor: str | None) -> None:
        self.value = value
        self.path = path
        self.anchor = anchor
        self.key: str | None = None
        self.size = 1
        self.height = 1


def _in_words(problem: str) -> str:
    """What the library's sentence mostly means, for who writes no YAML every day."""
    if "\\t" in problem:
        return " (a tab; indent with blanks)"
    if "expected <block end>" in problem:
        return " (this line is not indented like the others of its list or section)"
    if "mapping values are not allowed" in problem:
        return " (a second `: ` in the line, or a wrong indentation; text with `: ` stands in quotes)"
    if "expected ':'" in problem:
        return " (the line above may lack its `: `)"
    if "cannot start any token" in problem:
        return " (text that begins so stands in quotes)"
    if "end of stream" in problem or "got '<stream end>'" in problem:
        return " (a quote or bracket above is not closed)"
    return ""


def scalar(text: str) -> object:
    """The value of a plain scalar."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def read_tree(raw: bytes, mistakes: Mistakes) -> dict[str, Any]:
    """The mapping that a file holds, as far as it could be read; mistakes and the lines of all keys go to `mistakes`."""
    if len(raw) > MAX_BYTES:
        mistakes.add((), f"the file has {len(raw)} bytes; accepted: at most {MAX_BYTES}")
        return {}
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        mistakes.add((), "the file is not UTF-8; accepted: text in UTF-8", line)
        return {}
    if not text.strip():
        # A file caught between truncation and writing must not switch every protection to its default.
        mistakes.add((), "the file is empty; accepted: settings, a comment alone for all defaults, or no file")
        return {}
    return _Reader(mistakes).read(text)


class _Reader:
    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes
        self._lines: dict[Path, int] = {(): 1}
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[object, int, int]] = {}
        self._root: object = None
        self._first_line: dict[Path, int] = {}
        self._documents = 0
        mistakes.lines = self._lines

    def read(self, text: str) -> dict[str, Any]:
        try:
            for event in self._events(text):
                self._take(event)
        except _StopError:
            pass
        if self._root is None and self._stack:
            self._root = self._stack[0].value
        if self._root is None:
            return {}
        if not isinstance(self._root, dict):
            if self._mistakes.is_broken:
                return {}
            self._mistakes.add((), "the file holds no settings; accepted: lines of the form `key: value`", 1)
            return {}
        return self._root

    def _events(self, text: str) -> Iterator[Any]:
        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = str(error.problem or error.context or "unknown")
            shown = ascii(problem)[1:-1][:120]
            self._fail(f"this is no YAML: {shown}{_in_words(problem)}; accepted: YAML 1.2", mark.line + 1 if mark else 1)
        except YAMLError as error:
            # A control character: the reader knows the position only.
            line = text.count("\n", 0, getattr(error, "position", 0) or 0) + 1
            self._fail("this is no YAML: a control character; accepted: printable text", line)
        except (ValueError, RecursionError, AttributeError, TypeError, IndexError, KeyError, AssertionError):
            # LIMIT: the YAML library leaves some malformed directives to its own assertions.
            self._fail("this is no YAML; accepted: YAML 1.2", 1)

    def _fail(self, message: str, line: int) -> None:
        self._mistakes.add((), message, line)
        self._mistakes.is_broken = True
        raise _StopError

    def _take(self, event: Any) -> None:
        kind = type(event).__name__
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        if kind == "DocumentStartEvent":
            self._start_document(event, line)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._open(event, {} if kind == "MappingStartEvent" else [], line)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._close(line)
        elif kind == "AliasEvent":
            self._alias(event, line)
        elif kind == "ScalarEvent":
            self._scalar(event, line)

    def _start_document(self, event: Any, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            self._fail("a second document begins here; accepted: one document in a file", line)
        if event.version is not None and tuple(event.version) != (1, 2):
            self._mistakes.add((), "the file says that it is another YAML version; accepted: YAML 1.2", 1)

    def _place(self, line: int) -> Path:
        """Where the value that begins now belongs."""
        if not self._stack:
            return ()
        top = self._stack[-1]
        if isinstance(top.value, list):
            path = (*top.path, len(top.value))
        elif top.key is None:
            self._fail("a key is no plain text; accepted: one of the documented keys", line)
            raise _StopError
        else:
            path = (*top.path, top.key)
        self._lines.setdefault(path, line)
        return path

    def _open(self, event: Any, value: dict[str, Any] | list[Any], line: int) -> None:
        path = self._place(line)
        self._refuse_tag(event, path, line)
        if len(self._stack) >= MAX_DEPTH:
            self._fail(f"this is nested deeper than {MAX_DEPTH} levels; accepted: at most {MAX_DEPTH}", line)
        self._stack.append(_Open(value, path, event.anchor))

    def _close(self, line: int) -> None:
        done = self._stack.pop()
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.size, done.height)
        self._put(done.value, done.size, done.height, line)

    def _alias(self, event: Any, line: int) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            self._fail(
                f"*{shown_key(event.anchor)} stands for nothing that is complete above it; accepted: an anchor (&name) above",
                line,
            )
            return
        value, size, height = known
        if len(self._stack) + height > MAX_DEPTH:
            self._fail(
                f"with *{shown_key(event.anchor)} this is nested deeper than {MAX_DEPTH} levels; accepted: at most {MAX_DEPTH}",
                line,
            )
        self._count(size, line)
        self._place(line)
        self._put(_copy(value), size, height, line)

    def _scalar(self, event: Any, line: int) -> None:
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, event.value, line)
            return
        self._refuse_tag(event, self._place(line), line)
        value = scalar(event.value) if event.implicit[0] else event.value
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, 0)
        self._put(value, 1, 0, line)

    def _key(self, top: _Open, key: str, line: int) -> None:
        path = (*top.path, key)
        top.key = key
        assert isinstance(top.value, dict)
        if key in top.value:
            first = self._lines.get(path, line)
            self._mistakes.add(path, f"the key stands twice (first on line {first}); accepted: each key once", line)
        else:
            self._lines[path] = line

    def _put(self, value: object, size: int, height: int, line: int) -> None:
        if not self._stack:
            self._root = value
            return
        top = self._stack[-1]
        top.size += size
        top.height = max(top.height, height + 1)
        self._count(0, line)
        if isinstance(top.value, list):
            top.value.append(value)
        else:
            assert top.key is not None
            top.value.setdefault(top.key, value)
            top.key = None

    def _count(self, more: int, line: int) -> None:
        if sum(frame.size for frame in self._stack) + more > MAX_NODES:
            self._fail(f"the file holds more than {MAX_NODES} values, aliases counted; accepted: at most {MAX_NODES}", line)

    def _refuse_tag(self, event: Any, path: Path, line: int) -> None:
        if event.tag is not None and event.tag != "!":
            self._mistakes.add(path, "a tag (!...) stands here; accepted: plain YAML without tags", line)


def _copy(value: object) -> object:
    """A copy that shares nothing, for an alias: depth and size were checked before."""
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy(inner) for inner in value]
    return value
