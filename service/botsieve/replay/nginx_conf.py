"""Finds the `log_format` of a log in what `nginx -T` prints.

Law of the file: nothing is run and nothing is included; the text is cut into nginx's words and read once.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from botsieve.edge.check.lexer import words
from botsieve.edge.check.sources import from_dump
from botsieve.errors import InputError
from botsieve.replay.formats import JsonLog, LineParser, built_in
from botsieve.replay.log_format import LogFormat

MAX_CONF = 16 * 1024 * 1024


def directives(text: str, where: str = "--format") -> Iterator[list[str]]:
    """Each directive as its words, in order; blocks are walked into, their nesting is not kept.  `where`: for messages.

    Errors: InputError for text that nginx would not take apart.
    """
    parts: list[str] = []
    for word in words(where, text):
        if word.kind == "word":
            parts.append(word.text)
        elif parts:
            yield parts
            parts = []


class NginxLogs:
    """`formats`: name to (escape, string).  `logs`: path of each access log to the name of its format."""

    def __init__(self, text: str, where: str = "nginx -T") -> None:
        """`text`: the output of `nginx -T`, or one file; `where`: its name.  Errors: InputError for what nginx would not read."""
        self.formats: dict[str, tuple[str, str]] = {}
        self.logs: dict[str, str] = {}
        dump = from_dump(text)  # without what nginx said before it
        for name, part in (dump.files if dump is not None else {where: text}).items():
            for directive in directives(part, name):
                self._take(directive[0], directive[1:])

    def _take(self, directive: str, args: list[str]) -> None:
        if directive == "log_format" and len(args) > 1:
            named, *parts = args
            escape = parts.pop(0).partition("=")[2] if parts[0].startswith("escape=") else "default"
            self.formats[named] = (escape, "".join(parts))
        elif directive == "access_log" and args and args[0] != "off":
            is_named = len(args) > 1 and "=" not in args[1]
            self.logs[args[0]] = args[1] if is_named else "combined"

    @classmethod
    def read(cls, path: str) -> NginxLogs:
        """Errors: InputError if the file cannot be read, or nginx would not read it."""
        try:
            with Path(path).open("rb") as file:
                return cls(file.read(MAX_CONF).decode("utf-8", "replace"), path)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}; accepted: what `nginx -T` prints, in a file") from None

    def parser_for(self, log: str) -> LineParser:
        """The parser for a log: by its whole path, else by its file name (rotated ones too), else the only one in use.

        Errors: InputError if that leaves none or several.
        """
        name = self.logs.get(log)
        if name is None:
            wanted = posixpath.basename(log)
            names = {form for path, form in self.logs.items() if wanted.startswith(posixpath.basename(path))}
            names = names or set(self.logs.values()) or set(self.formats)
            if len(names) != 1:
                accepted = ", ".join(sorted(names)) or "an access_log line"
                raise InputError(
                    f"{log}: the configuration does not say which log_format it has; give --format NAME, one of: {accepted}"
                )
            name = names.pop()
        return self.named(name)

    def named(self, name: str) -> LineParser:
        """The parser of a named format.  Errors: InputError if there is no such format."""
        if name in self.formats and name != JsonLog.name:  # our own form has a parser that knows it
            escape, text = self.formats[name]
            return LogFormat(text, escape)
        parser = built_in(name)
        if parser is not None:
            return parser
        raise InputError(f"no log_format {name}; there are: {', '.join(sorted({*self.formats, 'combined'}))}")
