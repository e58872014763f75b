"""A record as the JSON object of docs/decision-log.md, and any such object as one line of ASCII.

Law of the file: whatever bytes a client sent, the line is one line, printable ASCII, and parses back to the same object.
"""

from __future__ import annotations

import json
import time
from functools import lru_cache
from math import floor, isfinite
from typing import Any

import msgspec

from botsieve.decision import Signal
from botsieve.journal.record import Record, RecordedMeasure
from botsieve.journal.redact import Redactor, route_text

_encode = msgspec.json.Encoder().encode


def time_text(now_s: float) -> str:
    """Seconds since 1970 as `2026-11-21T21:18:03.512Z`."""
    all_ms = floor(now_s * 1000 + 0.5)
    whole_s = all_ms // 1000
    return f"{_second_text(whole_s)}.{all_ms - whole_s * 1000:03d}Z"


def second_text(now_s: float) -> str:
    """The same in whole seconds: `2026-11-21T21:18:03Z`."""
    return f"{_second_text(int(now_s))}Z"


@lru_cache(maxsize=16)
def _second_text(whole_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole_s))


def client_text(data: bytes) -> str:
    """What a client wrote, as text: bytes that are not UTF-8 become `\\xNN`."""
    return data.decode("utf-8", "backslashreplace")


class SignalLine(msgspec.Struct, omit_defaults=True, gc=False):
    """One finding as docs/decision-log.md has it.  `measures`: the value, and its limit where there is one."""

    id: str
    points: int
    detail: str = ""
    subject: str = ""
    measures: dict[str, list[float]] = {}
    attack_type: str = ""


class Line(msgspec.Struct, omit_defaults=True, gc=False):
    """One decision as docs/decision-log.md has it, in its order.  What has no value is left out.

    A struct and not a dict: the log's thread takes time from the decisions, and this is a third of the price.
    """

    time: str
    level: str
    event: str
    id: str
    verdict: str
    would_be: str
    mode: str
    score: int
    bot: bool
    reasons: list[str]
    signals: list[SignalLine]
    rule: str
    policy: str
    config: str
    edge: str
    challenge: str = ""
    deferred: bool = False
    request_id: str = ""
    # From here on some are always there, yet may be empty: None is what no record holds.
    kind: str | None = None
    audience: str | None = None
    client: str | None = None
    network: str | None = None
    peer: str | None = None
    asn: int | str | None = None
    country: int | str | None = None
    ja3: str = ""
    ja4: str = ""
    tls_sig: str = ""
    method: str | None = None
    host: str = ""
    path: str | None = None
    route: str = ""
    user_agent: str = ""
    sample_percent: float | None = None
    decide_us: int | None = None


def line_of(record: Record, redactor: Redactor) -> Line:
    """What the log says of one decision."""
    r = record
    client, network = redactor.both(r.client)
    signals = r.signals
    line = Line(
        time_text(r.time_s),
        "info",
        "decision",
        r.id,
        r.verdict,
        r.would_be,
        r.mode,
        r.score,
        r.bot,
        [_reason(signal.id, signal.detail) for signal in signals],
        [
            SignalLine(s.id, s.points, s.detail, s.subject, _measures(s.measures) if s.measures else {}, s.attack_type)
            for s in signals
        ],
        r.rule,
        r.policy,
        r.config,
        r.edge,
        r.level,
        r.deferred,
        client_text(r.request_id) if r.request_id else "",
        r.kind,
        r.audience,
        client,
        network,
        client if r.peer == r.client else redactor.address(r.peer),
        None,
        None,
        client_text(r.ja3) if r.ja3 else "",
        client_text(r.ja4) if r.ja4 else "",
        client_text(r.tls_sig) if r.tls_sig else "",
        client_text(r.method),
        client_text(r.host) if r.host else "",
        client_text(r.path),
        route_text(r.route),
        client_text(r.user_agent) if r.user_agent else "",
        r.sample_percent or None,
        r.decide_us,
    )
    if redactor.whereabouts is not None:
        known = redactor.whereabouts(r.client)
        line.asn, line.country = known.get("asn"), known.get("country")
    return line


def render(record: Record, redactor: Redactor) -> dict[str, Any]:
    """The object of one decision: keys and order of docs/decision-log.md, absent ones left out."""
    told: dict[str, Any] = msgspec.to_builtins(line_of(record, redactor))
    return told


@lru_cache(maxsize=1024)
def _reason(id: str, detail: str) -> str:
    return Signal(id, 0, detail).reason


def _measures(measures: tuple[RecordedMeasure, ...]) -> dict[str, list[float]]:
    told = {}
    for measure in measures:
        value, limit = measure.value, measure.limit
        # JSON has no infinity: a measure without a finite value is no evidence anyway.
        if isfinite(value):
            told[measure.name] = [value] if limit is None or not isfinite(limit) else [value, limit]
    return told


def to_line(event: object, **_options: object) -> bytes:
    """One JSON object as ASCII without line breaks.  Takes and ignores the options of `json.dumps` (structlog passes some)."""
    line = _encode(event)
    if not line.isascii():
        # Rare and slower: terminal control (C1, bidi marks, U+2028) hides above ASCII, so all of it is escaped.
        line = json.dumps(json.loads(line), separators=(",", ":")).encode("ascii")
    return line.replace(b"\x7f", b"\\u007f") if b"\x7f" in line else line
