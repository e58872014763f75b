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


class _Place(NamedTuple):
    """Where a file is being read: its name, whether it is ours, the include line that brought it in (None: the main file).

    `depth`: blocks that are open around it; `includes`: files.
    """

    file: str
    ours: bool
    origin: Origin | None
    depth: int = 0
    includes: int = 0


class _Reader:
    """Reads files into lists of directives.  `count`: words so far, includes opened; `cut`: each file's words, cut once."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.count = 0
        self.cut: dict[str, list[Word]] = {}

    def file(self, name: str, into: list[Directive], origin: Origin | None, depth: int = 0, includes: int = 0) -> None:
        """Appends what a file holds.  Errors: InputError with `file:line`."""
        if includes > MAX_INCLUDE_DEPTH:
            assert origin is not None
            raise InputError(f"{origin.file}:{origin.line}: includes nested deeper than {MAX_INCLUDE_DEPTH}; accepted: less")
        if name not in self.cut:
            self.cut[name] = list(islice(words(name, self.sources.files[name]), MAX_WORDS + 1))
            self._bound(len(self.cut[name]), f"{name}:1")
        place = _Place(name, self.sources.files[name].startswith(_OURS), origin, depth, includes)
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
                self._directive(place, parts, word, stack)
                parts = []
        if parts or len(stack) > 1:
            last = self.cut[name][-1].line
            raise InputError(f'{name}:{last}: the file ends where ";" or "}}" is expected; accepted: what `nginx -t` accepts')

    def _bound(self, count: int, at: str) -> None:
        if count > MAX_WORDS:
            raise InputError(f"{at}: more than {MAX_WORDS} words, includes opened; accepted: less")

    def _directive(self, place: _Place, parts: list[Word], end: Word, stack: list[list[Directive]]) -> None:
        """One directive whose words are `parts`, ended by `;` or `{`, into the innermost list of `stack`."""
        file = place.file
        if not parts:
            raise InputError(f'{file}:{end.line}: unexpected "{end.kind}"; accepted: what `nginx -t` accepts')
        self.count += len(parts) + 1
        level = place.depth + len(stack)
        self._bound(self.count, f"{file}:{end.line}")
        if level > MAX_DEPTH:
            raise InputError(f"{file}:{end.line}: blocks nested deeper than {MAX_DEPTH}; accepted: less")
        name, args, line = parts[0].text, tuple(part.text for part in parts[1:]), parts[0].line
        if name == "include" and len(args) == 1 and end.kind == ";":
            here = Origin(file, line, place.ours, place.origin)
            for found in self.sources.include(args[0], at=f"{file}:{line}"):
                self.file(found, stack[-1], here, level - 1, place.includes + 1)
            return
        directive = Directive(name, args, _shown(place, line), ours=place.ours)
        stack[-1].append(directive)
        if end.kind == "{":
            directive.children = []
            stack.append(directive.children)


def _shown(place: _Place, line: int) -> tuple[str, int]:
    """File and line of the operator's own line: of this one, or of the include that brought our file in."""
    if not place.ours:
        return place.file, line
    origin = place.origin
    while origin is not None and origin.ours:
        origin = origin.before
    return (origin.file, origin.line) if origin is not None else (place.file, line)


def read_tree(sources: Sources) -> list[Directive]:
    """The directives of the main file, each with what is inside it.  Errors: InputError with `file:line`."""
    into: list[Directive] = []
    _Reader(sources).file(sources.main, into, None)
    return into
