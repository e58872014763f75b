"""A record as the JSON object of docs/decision-log.md, and any such object as one line of ASCII.

Law of the file: whatever bytes a client sent, the line is one line, printable ASCII, and parses back to the same object.
"""

from __future__ import annotations

import json
import math
import time
from typing import Any

import msgspec

from botsieve.decision import Signal
from botsieve.journal.record import Record
from botsieve.journal.redact import Redactor, route_text

_encode = msgspec.json.Encoder().encode


def time_text(now_s: float) -> str:
    """Seconds since 1970 as `2026-11-21T21:18:03.512Z`."""
    whole_s, ms = divmod(math.floor(now_s * 1000 + 0.5), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole_s))}.{ms:03d}Z"


def client_text(data: bytes) -> str:
    """What a client wrote, as text: bytes that are not UTF-8 become `\\xNN`."""
    return data.decode("utf-8", "backslashreplace")


def render(record: Record, redactor: Redactor) -> dict[str, Any]:
    """The object of one decision: keys and order of docs/decision-log.md, absent ones left out."""
    r = record
    out: dict[str, Any] = {
        "time": time_text(r.time_s),
        "level": "info",
        "event": "decision",
        "id": r.id,
        "verdict": r.verdict,
        "would_be": r.would_be,
        "mode": r.mode,
        "score": r.score,
        "bot": r.bot,
        "reasons": [signal.reason for signal in r.signals],
        "signals": [_signal(signal) for signal in r.signals],
        "rule": r.rule,
        "policy": r.policy,
        "config": r.config,
        "edge": r.edge,
    }
    if r.level:
        out["challenge"] = r.level
    if r.deferred:
        out["deferred"] = True
    if r.request_id:
        out["request_id"] = client_text(r.request_id)
    out["kind"] = r.kind
    out["audience"] = r.audience
    out["client"] = redactor.address(r.client)
    out["network"] = redactor.network(r.client)
    out["peer"] = out["client"] if r.peer == r.client else redactor.address(r.peer)
    if redactor.whereabouts is not None:
        out |= redactor.whereabouts(r.client)
    for name, value in (("ja3", r.ja3), ("ja4", r.ja4), ("tls_sig", r.tls_sig)):
        if value:
            out[name] = client_text(value)
    out["method"] = client_text(r.method)
    if r.host:
        out["host"] = client_text(r.host)
    out["path"] = client_text(r.path)
    if r.route:
        out["route"] = route_text(r.route)
    if r.user_agent:
        out["user_agent"] = client_text(r.user_agent)
    if r.sample_percent:
        out["sample_percent"] = r.sample_percent
    out["decide_us"] = r.decide_us
    return out


def _signal(signal: Signal) -> dict[str, Any]:
    out: dict[str, Any] = {"id": signal.id, "points": signal.points}
    if signal.detail:
        out["detail"] = signal.detail
    if signal.subject:
        out["subject"] = signal.subject
    # JSON has no infinity: a measure without a finite value is no evidence anyway.
    measures = {
        m.name: [m.value] if m.limit is None or not math.isfinite(m.limit) else [m.value, m.limit]
        for m in signal.measures
        if math.isfinite(m.value)
    }
    if measures:
        out["measures"] = measures
    if signal.attack_type:
        out["attack_type"] = signal.attack_type
    return out


def to_line(event: object, **_options: object) -> bytes:
    """One JSON object as ASCII without line breaks.  Takes and ignores the options of `json.dumps` (structlog passes some)."""
    line = _encode(event)
    if not line.isascii():
        # Rare and slower: terminal control (C1, bidi marks, U+2028) hides above ASCII, so all of it is escaped.
        line = json.dumps(event, separators=(",", ":")).encode("ascii")
    return line.replace(b"\x7f", b"\\u007f") if b"\x7f" in line else line
