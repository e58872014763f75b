"""The tree of directives: every include opened in its place, every directive with its file and line.

Law of the file: any files give a tree or an InputError; bounded in words and depth, so that a file which includes itself
ends.  What a directive means is not known here.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from botsieve.edge.check.lexer import Word, words
from botsieve.edge.check.sources import Sources
from botsieve.errors import InputError

MAX_WORDS = 2_000_000
MAX_DEPTH = 64
MAX_INCLUDE_DEPTH = 16

# Every file that `botsieve nginx install` writes begins so.
_OURS = "# Botsieve:"


class Origin(NamedTuple):
    """An include line: its file and line, whether that file is ours, and the include line that brought its file in."""

    file: str
    line: int
    ours: bool
    before: Origin | None


class Directive:
    """One directive.  `args`: unquoted; `children`: of a block, else None; `lua`: the text of a Lua block.

    `shown`: (file, line) where the operator can mend it: its own place, or that of the include line which brought our file in.
    `ours`: it stands in a file of ours.
    """

    __slots__ = ("args", "children", "lua", "name", "ours", "shown")

    def __init__(self, name: str, args: tuple[str, ...], shown: tuple[str, int], *, ours: bool) -> None:
        self.name = name
        self.args = args
        self.shown = shown
        self.ours = ours
        self.children: list[Directive] | None = None
        self.lua = ""

    def __repr__(self) -> str:
        return f"{self.name} {' '.join(self.args)} ({self.shown[0]}:{self.shown[1]})"


class _Reader:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.count = 0
        # A file is cut into words once, however often it is included.
        self.cut: dict[str, list[Word]] = {}

    def file(self, name: str, into: list[Directive], origin: Origin | None, depth: int, includes: int) -> None:
        if includes > MAX_INCLUDE_DEPTH:
            assert origin is not None
            raise InputError(f"{origin.file}:{origin.line}: includes nested deeper than {MAX_INCLUDE_DEPTH}; accepted: less")
        if name not in self.cut:
            self.cut[name] = list(islice(words(name, self.sources.files[name]), MAX_WORDS + 1))
            self._bound(len(self.cut[name]), f"{name}:1")
        ours = self.sources.files[name].startswith(_OURS)
        stack = [into]
        parts: list[Word] = []
        for word in self.cut[name]:
            if word.kind == "word":
                parts.append(word)
            elif word.kind == "lua":
                stack.pop()
                stack[-1][-1].lua = word.text
            elif word.kind == "}":
                if parts or len(stack) == 1:
                    raise InputError(f'{name}:{word.line}: unexpected "}}"; accepted: what `nginx -t` accepts')
                stack.pop()
            else:
                self._directive(name, parts, word, stack, origin, depth, includes, ours=ours)
                parts = []
        if parts or len(stack) > 1:
            last = self.cut[name][-1].line
            raise InputError(f'{name}:{last}: the file ends where ";" or "}}" is expected; accepted: what `nginx -t` accepts')

    def _bound(self, count: int, at: str) -> None:
        if count > MAX_WORDS:
            raise InputError(f"{at}: more than {MAX_WORDS} words, includes opened; accepted: less")

    def _directive(
        self,
        file: str,
        parts: list[Word],
        end: Word,
        stack: list[list[Directive]],
        origin: Origin | None,
        depth: int,
        includes: int,
        *,
        ours: bool,
    ) -> None:
        if not parts:
            raise InputError(f'{file}:{end.line}: unexpected "{end.kind}"; accepted: what `nginx -t` accepts')
        self.count += len(parts) + 1
        level = depth + len(stack)
        self._bound(self.count, f"{file}:{end.line}")
        if level > MAX_DEPTH:
            raise InputError(f"{file}:{end.line}: blocks nested deeper than {MAX_DEPTH}; accepted: less")
        name, args, line = parts[0].text, tuple(part.text for part in parts[1:]), parts[0].line
        if name == "include" and len(args) == 1 and end.kind == ";":
            here = Origin(file, line, ours, origin)
            for found in self.sources.include(args[0], at=f"{file}:{line}"):
                self.file(found, stack[-1], here, level - 1, includes + 1)
            return
        directive = Directive(name, args, _shown(file, line, origin, ours=ours), ours=ours)
        stack[-1].append(directive)
        if end.kind == "{":
            directive.children = []
            stack.append(directive.children)


def _shown(file: str, line: int, origin: Origin | None, *, ours: bool) -> tuple[str, int]:
    if not ours:
        return file, line
    while origin is not None and origin.ours:
        origin = origin.before
    return (origin.file, origin.line) if origin is not None else (file, line)


def read_tree(sources: Sources) -> list[Directive]:
    """The directives of the main file, each with what is inside it.  Errors: InputError with `file:line`."""
    into: list[Directive] = []
    _Reader(sources).file(sources.main, into, None, 0, 0)
    return into
