"""Builds service/botsieve/data/header_rules.json from recorded header sets and hellos of real browsers.

    python scripts/build_header_rules.py --headers headers.jsonl.gz --full signatures.jsonl.gz --hellos a.jsonl.gz b.jsonl.gz

`--headers`: one observation a line (browser, proto, type, originTypes, order, defaults).  `--full`: signatures with a `headers`
list, page loads.  A fact is only written if it held for every observation.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).parent.parent / "service/botsieve/data/header_rules.json"
ENGINES = {"chrome": "chromium", "edge": "chromium", "firefox": "gecko", "safari": "webkit", "tor": "gecko"}
# Headers that no script can set (Fetch, "forbidden request-header"), and that some engine sends.
UNFORGED = ["sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "te"]
SINCE = ["sec-ch-ua", "sec-fetch-mode", "sec-fetch-dest"]
# Majors of distance between the last version seen without and the first seen with it: trials roll out before a release.
MARGIN = 6


class Seen(NamedTuple):
    """One recorded request: headers by lower-case name, each with the values seen."""

    engine: str
    version: int
    secure: bool
    page_load: bool
    headers: dict[str, list[str]]


def _lines(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt") as file:
        yield from map(json.loads, file)


def _major(client: str) -> int:
    return int(re.findall(r"\d+", client)[0])


def read_headers(path: Path) -> Iterator[Seen]:
    """Observations of single headers."""
    for row in _lines(path):
        values = {name.lower(): value for name, value in row["defaults"].items()}
        headers = {name.lower(): values.get(name.lower(), [""]) for name in row["order"]}
        engine = ENGINES[row["browser"].split("-")[0]]
        yield Seen(engine, _major(row["browser"]), row["proto"] != "http", row["type"] == "Document", headers)


def read_full(path: Path) -> Iterator[Seen]:
    """Whole header sets of page loads."""
    for row in _lines(path):
        name = row["client"].split("-")[0]
        if name == "tor" or not row.get("headers"):
            continue
        headers = {name.lower(): [value] for name, value in row["headers"]}
        yield Seen(ENGINES[name], _major(row["client"]), True, True, headers)


def build(seen: list[Seen], hellos: list[dict]) -> dict:
    """The document to write."""
    engines = sorted({one.engine for one in seen})
    accepts: dict[str, dict[str, set[int]]] = {engine: defaultdict(set) for engine in engines}
    for one in seen:
        if one.page_load:
            for value in one.headers.get("accept", []):
                accepts[one.engine][value].add(one.version)
    return {
        "engines": {
            engine: {
                "newest": max(one.version for one in seen if one.engine == engine),
                "never": _never(engine, seen),
                "not_until": _not_until([one for one in seen if one.engine == engine and one.secure]),
                "foreign_accept": sorted(
                    {value for other in engines for value in accepts[other] if value and value not in accepts[engine]}
                ),
                "retired": _retired(accepts[engine]),
                **_hellos(engine, hellos),
            }
            for engine in engines
        }
    }


def _never(engine: str, seen: list[Seen]) -> list[str]:
    sent = defaultdict(set)
    for one in seen:
        for name in one.headers:
            sent[name].add(one.engine)
    return [name for name in UNFORGED if sent[name] and engine not in sent[name]]


def _not_until(seen: list[Seen]) -> dict[str, int]:
    """Header or coding -> the newest version that is surely too old for it."""
    found = {}
    for name in SINCE:
        if having := [one.version for one in seen if name in one.headers]:
            found[name] = _before(min(having), seen)
    coding = [one.version for one in seen if any("zstd" in value for value in one.headers.get("accept-encoding", []))]
    newest = max(one.version for one in seen)
    found["accept-encoding:zstd"] = _before(min(coding), seen) if coding else newest
    return {name: version for name, version in found.items() if version}


def _before(first: int, seen: list[Seen]) -> int:
    without = [one.version for one in seen if one.version < first]
    return min(max(without), first - MARGIN) if without else 0


def _retired(accept: dict[str, set[int]]) -> dict[str, int]:
    """Parts of Accept with a weight of their own that newer versions have with another weight."""
    parts: dict[str, set[int]] = defaultdict(set)
    for value, versions in accept.items():
        for part in re.findall(r"application/signed-exchange;v=b3;q=[\d.]+", value):
            parts[part] |= versions
    versions = {version for found in accept.values() for version in found}
    found = {part: min((v for v in versions if v > max(having)), default=0) for part, having in parts.items()}
    return {part: version for part, version in found.items() if version}


def _hellos(engine: str, hellos: list[dict]) -> dict:
    own = [row for row in hellos if ENGINES.get(row["client"].split("-")[0]) == engine]
    without = [_major(row["client"]) for row in own if row["ja4"][8:10] == "00"]
    return {
        "no_alpn_until": max(without, default=min((_major(row["client"]) for row in own), default=0)),
        "alpn": sorted({row["ja4"][8:10] for row in own}),
        "ja4_b": sorted({row["ja4"][11:23] for row in own}),
    }


def main() -> None:
    """Reads the recordings and writes the data file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--headers", type=Path, required=True)
    options.add_argument("--full", type=Path, required=True)
    options.add_argument("--hellos", type=Path, nargs="+", required=True)
    options.add_argument("--to", type=Path, default=TARGET)
    given = options.parse_args()
    seen = [*read_headers(given.headers), *read_full(given.full)]
    document = build(seen, [row for file in given.hellos for row in _lines(file)])
    given.to.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{given.to}: from {len(seen)} header sets")


if __name__ == "__main__":
    main()
