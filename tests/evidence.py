"""Recordings of real browsers as observations: header sets and hellos, for the tests of what they must never be accused of.

Law of the file: it adds nothing that was not recorded but an address, a URL that fits the type of the request, and lengths.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botsieve.agents import AgentBook
from botsieve.decision import Signal
from botsieve.detectors import agent, claim, tls
from botsieve.detectors.catalogue import Catalogue, stable_form
from botsieve.detectors.settings import DEFAULTS
from botsieve.detectors.view import View
from botsieve.observation import SEES_ALL_HEADERS, SEES_HTTP_VERSION, SEES_TLS, Observation, make_observation, pack_address
from botsieve.policy import Policy
from botsieve.state.profiles import Profiles, Site

CLIENT = pack_address("203.0.113.7")
PATHS = {
    "Document": b"/shop",
    "Script": b"/a.js",
    "Stylesheet": b"/a.css",
    "Image": b"/a.png",
    "Font": b"/a.woff2",
    "Media": b"/a.mp4",
    "WebsocketUpgrade": b"/live",
}
HTTP = {"http": b"HTTP/1.1", "https": b"HTTP/1.1", "http2": b"HTTP/2.0"}
# What belongs to one request and not to the browser: the recordings name these without a value.
FILLED = {"host": "shop.example", "referer": "https://shop.example/", "origin": "https://shop.example", "cookie": "a=1"}
PLATFORM_WORD = {"macOS": "Macintosh; Intel Mac OS X", "Windows": "Windows NT"}

# The detectors that this folder is about, all of them, whatever `applies_to` says: a browser must not be accused by any.
EVIDENCE = {
    "agent.bot_useragent": agent.bot_useragent,
    "agent.no_useragent": agent.no_useragent,
    "agent.known_crawler": agent.known_crawler,
    "tls.suspicious_ja3": tls.suspicious_ja3,
    "claim.unlike_headers": claim.unlike_headers,
    "claim.contradiction": claim.contradiction,
}
_BOOK = AgentBook()
_NO_PROFILES = Profiles(Site())


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a .jsonl.gz."""
    with gzip.open(path, "rt") as file:
        yield from map(json.loads, file)


def observe(headers: dict[str, str], **facts: Any) -> Observation:
    """An observation by an edge that sees everything."""
    given: dict[str, Any] = {"method": b"GET", "uri": b"/shop", "scheme": b"https", "http": b"HTTP/2.0", "edge_time_s": 0.0}
    given.update(facts)
    return make_observation(
        client=CLIENT,
        headers={name.encode(): value.encode("utf-8", "surrogateescape") for name, value in headers.items()},
        sight=SEES_TLS | SEES_HTTP_VERSION | SEES_ALL_HEADERS,
        **given,
    )


def view_of(o: Observation, *, cleared: bool = False, policy: Policy | None = None) -> View:
    """What the detectors see beside it.  They read no profile."""
    return View(
        _BOOK.read(o.user_agent),
        Catalogue.builtin(),
        policy or Policy(),
        _NO_PROFILES,
        0.0,
        cleared=cleared,
        has_session=False,
        time_judged=True,
    )


def findings(o: Observation, *, cleared: bool = False) -> list[Signal]:
    """Everything that the evidence detectors say of it."""
    view = view_of(o, cleared=cleared)
    found = [find(o, view, DEFAULTS[name]) for name, find in EVIDENCE.items()]  # type: ignore[operator]
    return [signal for signal in found if signal is not None]


def header_sets(row: dict[str, Any]) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Each header set that one recorded row stands for, with the facts of its request: every User-Agent, every value seen.

    Values are paired by platform only: Sec-CH-UA-Platform goes with the User-Agents of that platform.
    """
    values = {name.lower(): seen for name, seen in row["defaults"].items()}
    names = [name.lower() for name in row["order"] if not name.startswith(":")]
    facts = {
        "method": row["method"].encode(),
        "uri": PATHS.get(row["type"], b"/api/items/17"),
        "scheme": row["proto"][:5].encode(),
        "http": HTTP[row["proto"]],
    }
    for user_agent in sorted(set(row["user_agents"])):
        for turn in range(max([len(seen) for seen in values.values()], default=1)):
            headers = {name: values.get(name, [FILLED.get(name, "1")]) for name in names}
            one = {name: seen[turn % len(seen)] for name, seen in headers.items()}
            one["user-agent"] = user_agent
            if hints := values.get("sec-ch-ua-platform"):
                fitting = [hint for hint in hints if PLATFORM_WORD[hint.strip('"')] in user_agent]
                one["sec-ch-ua-platform"] = (fitting or hints)[0]
                if not fitting:  # the recording lists six User-Agents at most, and these are all of the other platform
                    word = PLATFORM_WORD[hints[0].strip('"')]
                    one["user-agent"] = re.sub(r"\(.*?\)", f"({word})", user_agent, count=1)
            yield one, facts


def hello_facts(row: dict[str, Any]) -> dict[str, Any]:
    """The fingerprint of a recorded hello as an edge passes it on."""
    raw = row.get("ja4_r") or row.get("ja4_fingerprint_string") or ""
    return {
        "ja3": row.get("ja3", "").encode(),
        "ja4": (row.get("ja4") or row["ja4_fingerprint"]).encode(),
        "tls_sig": stable_form(raw).encode() if raw else b"",
    }
