"""The words of an nginx configuration, cut as nginx itself cuts them (ngx_conf_read_token), with the line of each.

Law of the file: any text gives words or an InputError that names file and line; one pass, linear in the text.  Quoted braces,
`${name}` and the Lua of `*_by_lua_block` are not mistaken for blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from botsieve.errors import InputError

_SKIPPED = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
_QUOTED = {
    '"': re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL),
    "'": re.compile(r"'([^'\\]*(?:\\.[^'\\]*)*)'", re.DOTALL),
}
# A bare word ends before a blank, `;` or `{`; the brace of `${name}` belongs to it.
_BARE = re.compile(r"(?:[^ \t\r\n;{\\$]+|\\.|\$\{|\$)+", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}
_AFTER_QUOTE = " \t\r\n;{)"
# In Lua only these matter for where a block ends: braces, strings, long strings, comments.
# A quote that its line does not close is a mistake of Lua; it ends with the line, so that no byte is looked at twice.
_LUA = re.compile(r"[{}]|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"?|'[^'\\\n]*(?:\\.[^'\\\n]*)*'?|--\[=*\[|\[=*\[|--[^\n]*", re.DOTALL)


class Word(NamedTuple):
    """One word.  `kind`: `word`, `;`, `{`, `}`, or `lua` (the whole inside of a Lua block, which is also its end)."""

    kind: str
    text: str
    line: int


def words(file: str, text: str) -> Iterator[Word]:
    """The words of one file in order.  Errors: InputError, at the line where the text stops being nginx."""
    at, line, first = 0, 1, ""
    while True:
        skipped = _SKIPPED.match(text, at)
        if skipped:
            line += text.count("\n", at, skipped.end())
            at = skipped.end()
        if at == len(text):
            return
        mark = text[at]
        if mark in ";{}":
            at += 1
            yield Word(mark, mark, line)
            if mark == "{" and first.endswith("_by_lua_block"):
                end = _lua_end(file, text, at, line)
                yield Word("lua", text[at : end - 1], line)
                line += text.count("\n", at, end)
                at = end
            first = ""
            continue
        word, end = _quoted(file, text, at, line) if mark in _QUOTED else _bare(text, at)
        first = first or word
        yield Word("word", word, line)
        line += text.count("\n", at, end)
        at = end


def _quoted(file: str, text: str, at: int, line: int) -> tuple[str, int]:
    found = _QUOTED[text[at]].match(text, at)
    if found is None:
        raise InputError(f"{file}:{line}: a {text[at]} is opened and never closed; accepted: what `nginx -t` accepts")
    end = found.end()
    if end < len(text) and text[end] not in _AFTER_QUOTE:
        raise InputError(
            f"{file}:{line}: a blank or ; is missing behind a closing {text[at]}; accepted: what `nginx -t` accepts"
        )
    return _unescaped(found.group(1)), end


def _bare(text: str, at: int) -> tuple[str, int]:
    found = _BARE.match(text, at)
    if found is None:  # a lone \ at the very end
        return text[at:], len(text)
    return _unescaped(found.group()), found.end()


def _unescaped(word: str) -> str:
    if "\\" not in word:
        return word
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found.group(1), found.group()), word)


def _lua_end(file: str, text: str, at: int, line: int) -> int:
    """Behind the brace that closes the Lua block which begins at `at`."""
    depth = 1
    while depth:
        found = _LUA.search(text, at)
        if found is None:
            raise InputError(f"{file}:{line}: a Lua block is opened and never closed; accepted: what `nginx -t` accepts")
        at = found.end()
        mark = found.group()
        if mark in "{}":
            depth += 1 if mark == "{" else -1
        elif mark.endswith("[") and mark.lstrip("-").startswith("["):
            closing = "]" + "=" * mark.count("=") + "]"
            close = text.find(closing, at)
            if close < 0:
                raise InputError(f"{file}:{line}: a {mark} of Lua is never closed; accepted: what `nginx -t` accepts")
            at = close + len(closing)
    return at
