"""`botsieve catalogue build`: makes a fingerprint catalogue from recorded hellos.

Law of the file: it reads what others recorded and keeps one row a (family, major version, fingerprint); a file that it does not
understand is named with the line, and nothing is written.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click

from botsieve.detectors.catalogue import render_catalogue, stable_form
from botsieve.detectors.catalogue_row import BROWSER, TOOL, Row
from botsieve.errors import InputError

_ENGINES = {
    "chrome": "chromium",
    "chromium": "chromium",
    "edge": "chromium",
    "samsung": "chromium",
    "opera": "chromium",
    "firefox": "gecko",
    "tor": "gecko",
    "safari": "webkit",
}
_LIBRARIES = {"golang": "go", "go": "go", "sliver": "go", "ngrok": "go"}
# Programs of the Salesforce list that are one tool and nothing else; its other rows name applications with a browser inside.
_SALESFORCE = {"java": "java", "curl SNI": "curl", "curl no-SNI": "curl", "ruby": "ruby", "node.js": "node"}
_HTTP = {"h2": "HTTP/2.0", "h1": "HTTP/1.1", "00": "HTTP/1.1", "h3": "HTTP/3.0"}
_JA4 = re.compile(r"[tqd][0-9s][0-9d][di]\d{4}[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}")


@click.group()
def catalogue() -> None:
    """Build the fingerprint catalogue from recorded hellos."""


@catalogue.command()
@click.option("--from", "files", multiple=True, required=True, type=click.Path(path_type=Path), help="recorded hellos")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="the catalogue to write (JSON)")
@click.option("--date", default="", help="when they were recorded, for rows that do not say (YYYY-MM-DD)")
def build(files: tuple[Path, ...], target: Path, date: str) -> None:
    """Read recorded hellos and write a catalogue.

    Files (--from may be repeated): .tsv with the columns of a catalogue's row, .jsonl or .jsonl.gz with `client` or
    `application` and a JA4, .csv of JA3 and program.
    """
    rows: dict[tuple[str, ...], Row] = {}
    for file in files:
        for row in read_hellos(file, date):
            rows.setdefault((row.kind, row.family, row.name, row.ja3, row.ja4), row)
    try:
        target.write_text(render_catalogue(rows.values()))
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); accepted: a file in a folder that exists") from error
    tools = sum(row.kind == TOOL for row in rows.values())
    click.echo(f"{target}: {len(rows)} hellos, {tools} of tools, {len(rows) - tools} of browsers")


def read_hellos(file: Path, date: str = "") -> Iterator[Row]:
    """The rows of one file.  Errors: InputError naming file and line."""
    try:
        data = file.read_bytes()
        text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read ({error}); accepted: UTF-8 text, or gzip of it") from error
    name = file.name.removesuffix(".gz")
    readers = {".tsv": _from_tsv, ".jsonl": _from_jsonl, ".csv": _from_csv}
    reader = readers.get(Path(name).suffix)
    if reader is None:
        raise InputError(f"{file}: unknown form; accepted: .tsv, .jsonl, .jsonl.gz, .csv")
    number = 0
    try:
        for row in reader(text, file.name, date):
            number += 1
            if row is not None:
                yield row
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}:{number + 1}: no recorded hello ({error})") from error


# Each reader yields one item a line, None for a line that says nothing to us.


def _from_tsv(text: str, source: str, date: str) -> Iterator[Row | None]:
    lines = csv.DictReader(io.StringIO(text), delimiter="\t")
    if tuple(lines.fieldnames or ()) != Row.__struct_fields__:
        raise ValueError(f"columns {lines.fieldnames}; accepted: {' '.join(Row.__struct_fields__)}")
    yield None
    for line in lines:
        if line["kind"] not in (TOOL, BROWSER):
            raise ValueError(f"kind {line['kind']!r}; accepted: {TOOL}, {BROWSER}")
        yield _checked(Row(**line))


def _from_csv(text: str, source: str, date: str) -> Iterator[Row | None]:
    """Salesforce's list: `md5,"program,program"`."""
    for line in csv.reader(io.StringIO(text)):
        family = _SALESFORCE.get(line[1]) if len(line) == 2 else None
        yield Row(TOOL, family, f"{family}-2017", ja3=line[0], date=date or "2017", source=source) if family else None


def _from_jsonl(text: str, source: str, date: str) -> Iterator[Row | None]:
    for line in text.splitlines():
        entry = json.loads(line)
        named = entry.get("client") or entry.get("application") or entry.get("library") or ""
        kind, family, name = _who(named.strip(), entry.get("library", ""))
        if not family:
            yield None  # a device or program that is neither a browser nor a plain tool
            continue
        raw = entry.get("ja4_r") or entry.get("ja4_fingerprint_string") or ""
        ja4 = entry.get("ja4") or entry["ja4_fingerprint"]
        # A browser's JA3 changes with every hello since 2023; it would only fill the file.
        ja3 = entry.get("ja3", "") if kind == TOOL else ""
        sig = stable_form(raw) if raw else ""
        yield _checked(Row(kind, family, name, ja3, ja4, sig, _HTTP.get(ja4[8:10], ""), date, source))


def _checked(row: Row) -> Row:
    if row.ja4 and not _JA4.fullmatch(row.ja4):
        raise ValueError(f"{row.ja4!r} is no JA4")
    return row


def _who(named: str, library: str) -> tuple[str, str, str]:
    """Kind, family and name of `chrome-101-0`, `Chrome 56.0`, `Samsung Internet`, `GoLang` ..."""
    words = re.findall(r"[a-z]+|\d+", f"{named} {library}".lower())
    if not words:
        return "", "", ""
    version = next((word for word in words if word.isdigit()), "")
    name = f"{words[0]}-{version}" if version else words[0]
    if words[0] == "edge" and version and int(version) < 79:
        return BROWSER, "edgehtml", name
    if words[0] in _ENGINES:
        return BROWSER, _ENGINES[words[0]], name
    tool = next((_LIBRARIES[word] for word in words if word in _LIBRARIES), "")
    return TOOL, tool, name
