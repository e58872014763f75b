"""The fingerprint catalogue: whose ClientHello is this?  Facts as data, each with its date and source.

Law of the file: unknown is an answer.  A hello is a tool's or an engine's only if that very hello was recorded, or if its
cipher list (the middle part of JA4, the steadiest) was recorded from that family alone.  A new version of a browser is
therefore unknown at worst, never another's.

JA3 is Salesforce's (2017), JA4 FoxIO's (JA4.md, TLS client only); `tls_sig` is our stable form of JA4, without the extensions
that come and go with resumption and host name length (15, 23, 29, 2a).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import msgspec

from botsieve.detectors.catalogue_row import BROWSER, TOOL, Row
from botsieve.remembered import Answers

COMING_AND_GOING = frozenset(["0015", "0023", "0029", "002a"])


class _Whose(NamedTuple):
    tool: str
    engines: frozenset[str]


class Catalogue:
    """What recorded hellos say of others.  Immutable but for what it remembers."""

    __slots__ = ("_engines", "_rows", "_tools", "_tools_by_ja3", "_whose", "rows")

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._rows: dict[str, Row] = {}
        for row in self.rows:
            self._rows.setdefault(row.name, row)
        browsers = [row for row in self.rows if row.kind == BROWSER]
        tools = [row for row in self.rows if row.kind == TOOL]
        self._engines = _engines(browsers, tools)
        self._tools = _tools(browsers, tools)
        self._whose: Answers[tuple[bytes, bytes], _Whose] = Answers(
            4096, self._judge, lambda hello: len(hello[0] + hello[1]) < 128
        )
        of_browsers = {row.ja3 for row in browsers}
        self._tools_by_ja3 = {row.ja3.encode(): row.family for row in tools if row.ja3 and row.ja3 not in of_browsers}

    @classmethod
    def builtin(cls) -> Catalogue:
        """The packaged catalogue (botsieve/data/catalogue.json), read once a process."""
        return _builtin()

    def tool_of(self, ja3: bytes, ja4: bytes, tls_sig: bytes) -> str:
        """The family of the tool that sent this hello; "" for a browser's or an unknown one.  `ja3` is the MD5 in hex."""
        return self._whose[ja4, tls_sig].tool or self._tools_by_ja3.get(ja3, "")

    def browser_families(self, ja4: bytes, tls_sig: bytes = b"") -> frozenset[str]:
        """The engines (chromium, gecko, webkit, edgehtml) that send this hello; empty if unknown."""
        return self._whose[ja4, tls_sig].engines

    def _judge(self, hello: tuple[bytes, bytes]) -> _Whose:
        ja4, tls_sig = hello
        tools, engines = self._tools, self._engines
        return _Whose(
            tools.get(tls_sig[11:]) or tools.get(ja4[11:]) or tools.get(ja4[11:23], ""),
            engines.get(tls_sig[11:]) or engines.get(ja4[11:]) or engines.get(ja4[11:23], frozenset()),
        )

    def row(self, name: str) -> Row:
        """The recorded hello of a name such as `chromium-156`.  Errors: KeyError."""
        return self._rows[name]


def _keys(row: Row) -> list[bytes]:
    """Under what a row is found: its stable form and its JA4, both without their first part."""
    return [text[11:].encode() for text in (row.tls_sig, row.ja4) if text]


def _engines(browsers: list[Row], tools: list[Row]) -> dict[bytes, frozenset[str]]:
    found: dict[bytes, set[str]] = {}
    by_ciphers: dict[bytes, set[str]] = {}
    for row in browsers:
        for key in _keys(row):
            found.setdefault(key, set()).add(row.family)
        if _names_somebody(row.ja4):
            by_ciphers.setdefault(row.ja4[11:23].encode(), set()).add(row.family)
    shared = {row.ja4[11:23].encode() for row in tools}
    alone = {key: engines for key, engines in by_ciphers.items() if len(engines) == 1 and key not in shared}
    return {key: frozenset(engines) for key, engines in (found | alone).items()}


def _tools(browsers: list[Row], tools: list[Row]) -> dict[bytes, str]:
    of_browsers = {key for row in browsers for key in [*_keys(row), row.ja4[11:23].encode()]}
    found: dict[bytes, str] = {}
    for row in tools:
        for key in [*_keys(row), *([row.ja4[11:23].encode()] if _names_somebody(row.ja4) else [])]:
            found[key] = _common(found.get(key, row.family), row.family)
    return {key: family for key, family in found.items() if key not in of_browsers}


def _names_somebody(ja4: str) -> bool:
    """Its cipher list is long enough to tell programs apart: the three of TLS 1.3 (and HTTP/3) are everybody's."""
    return bool(ja4) and int(ja4[4:6]) > 3


def _common(one: str, other: str) -> str:
    """The name for what two tools share: the library below them."""
    if one == other:
        return one
    return "gnutls" if "gnutls" in (one, other) else "openssl"


def stable_form(ja4_r: str) -> str:
    """Our stable form of a raw JA4 (`t13d1516h2_002f,..._0005,..._0403,...`).  Errors: ValueError for another shape.

    It is JA4 without COMING_AND_GOING: fewer extensions in the count and in the last hash.
    """
    head, ciphers, extensions, *rest = ja4_r.split("_")
    names = extensions.split(",") if extensions else []
    kept = [name for name in names if name not in COMING_AND_GOING]
    count = int(head[6:8]) - (len(names) - len(kept))
    raw = "_".join([",".join(kept), *rest])
    return f"{head[:6]}{count:02d}{head[8:]}_{_hash(ciphers)}_{_hash(raw) if kept else '0' * 12}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def parse_catalogue(document: Mapping[str, Any]) -> Catalogue:
    """From the form that `botsieve catalogue build` writes.  Errors: msgspec.ValidationError, KeyError for another form."""
    sources = document["sources"]
    names = Row.__struct_fields__
    rows = [dict(zip(names, [*fields[:-1], sources[fields[-1]]], strict=True)) for fields in document["rows"]]
    return Catalogue(msgspec.convert(rows, list[Row]))


def render_catalogue(rows: Iterable[Row]) -> str:
    """The form that `parse_catalogue` reads: one row a line, sources by number."""
    listed = list(rows)
    sources = sorted({row.source for row in listed})
    numbers = {source: number for number, source in enumerate(sources)}
    lines = [
        json.dumps([row.kind, row.family, row.name, row.ja3, row.ja4, row.tls_sig, row.http, row.date, numbers[row.source]])
        for row in listed
    ]
    return '{"sources": ' + json.dumps(sources, indent=1) + ',\n"rows": [\n' + ",\n".join(lines) + "\n]}\n"


@cache
def _builtin() -> Catalogue:
    return parse_catalogue(json.loads(resources.files("botsieve").joinpath("data/catalogue.json").read_bytes()))
