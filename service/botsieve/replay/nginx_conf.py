"""Finds the `log_format` of a log in what `nginx -T` prints.

Law of the file: nothing is run and nothing is included; the text is cut into nginx's words and read once.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from botsieve.errors import InputError
from botsieve.replay.formats import BUILT_IN, JsonLog, LineParser
from botsieve.replay.log_format import LogFormat

MAX_CONF = 16 * 1024 * 1024
_WORD = re.compile(
    r"""\s+|\#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([;{}])|((?!["'])(?:\$\{[^}]*\}|\\.|[^\s;{}\\])+)""", re.DOTALL
)
_ESCAPED = re.compile(r"\\([\"'\\trn])")
_LETTERS = {"t": "\t", "r": "\r", "n": "\n"}


def directives(text: str) -> Iterator[list[str]]:
    """Each directive as its words, in order; blocks are walked into, their nesting is not kept."""
    words: list[str] = []
    for found in _WORD.finditer(text):
        double, single, mark, bare = found.groups()
        if mark:
            if words:
                yield words
            words = []
        elif double is not None or single is not None:
            words.append(_ESCAPED.sub(lambda c: _LETTERS.get(c[1], c[1]), single if double is None else double))
        elif bare:
            words.append(bare)


class NginxLogs:
    """`formats`: name to (escape, string).  `logs`: path of each access log to the name of its format."""

    def __init__(self, text: str) -> None:
        self.formats: dict[str, tuple[str, str]] = {}
        self.logs: dict[str, str] = {}
        for words in directives(text):
            if words[0] == "log_format" and len(words) > 2:
                escape = "default"
                parts = words[2:]
                if parts[0].startswith("escape="):
                    escape = parts.pop(0).partition("=")[2]
                self.formats[words[1]] = (escape, "".join(parts))
            elif words[0] == "access_log" and len(words) > 1 and words[1] != "off":
                named = len(words) > 2 and "=" not in words[2]
                self.logs[words[1]] = words[2] if named else "combined"

    @classmethod
    def read(cls, path: str) -> NginxLogs:
        """Errors: InputError if the file cannot be read."""
        try:
            with Path(path).open("rb") as file:
                return cls(file.read(MAX_CONF).decode("utf-8", "replace"))
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
        for parser in BUILT_IN:
            if parser.name == name:
                return parser
        raise InputError(f"no log_format {name}; there are: {', '.join(sorted({*self.formats, 'combined'}))}")
