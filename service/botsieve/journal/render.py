"""A record as the line of docs/decision-log.md, and any such object as one line of ASCII.

Under an attack every request has its line, and the log's thread takes its time from the decisions.  So a line is one piece of
text with the values set in, and what many lines have in common is written as JSON once.

Law of the file: whatever bytes a client sent, the line is one line, printable ASCII, and parses back to the same object.  What
anybody else could have written is quoted; only our own words and digits stand as they are.
"""

from __future__ import annotations

import json
import time
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec

from botsieve.journal.record import Record, RecordedMeasure, RecordedSignal, ruled_of, seen_of, signals_of
from botsieve.journal.redact import Redactor, Whereabouts, route_text

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
# What is the same in many lines, as it stands in them, by its packed form.  A dict is cleared when it is full: a client that writes
# another User-Agent into each request makes the log no slower than it would be without.
_MAX_KNOWN, _MAX_KNOWN_LENGTH = 1_024, 1_024
_KNOWN_RULED: dict[bytes, tuple[str, str, str, str]] = {}
_KNOWN_SEEN: dict[bytes, tuple[str, str]] = {}
_KNOWN_SIGNALS: dict[bytes, str] = {}


def time_text(now_s: float) -> str:
    """Seconds since 1970 as `2026-11-21T21:18:03.512Z`."""
    all_ms = int(now_s * 1000 + 0.5)
    return _second_text(all_ms // 1000) + _MILLISECONDS[all_ms % 1000]


class _Last:
    """How the last line began, with its time, ms: when there are thousands of lines a second, several begin alike."""

    __slots__ = ("told",)

    def __init__(self) -> None:
        self.told = (-1, "")  # in one piece: the log's thread asks, and the loop


_LAST: _Last = _Last()


def _begun(now_s: float) -> str:
    """The line of a decision, as far as it is the same for all of one time."""
    all_ms = int(now_s * 1000 + 0.5)
    known_ms, text = _LAST.told
    if known_ms != all_ms:
        text = f'{{"time":"{time_text(now_s)}","level":"info","event":"decision","id":"'
        _LAST.told = all_ms, text
    return text


_MILLISECONDS = [f".{ms:03d}Z" for ms in range(1_000)]


def second_text(now_s: float) -> str:
    """The same in whole seconds: `2026-11-21T21:18:03Z`."""
    return f"{_second_text(int(now_s))}Z"


@lru_cache(maxsize=16)
def _second_text(whole_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole_s))


def client_text(data: bytes) -> str:
    """What a client wrote, as text: bytes that are not UTF-8 become `\\xNN`."""
    try:
        return data.decode()  # nearly always; to say what else is to be done costs more
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace")


def line_of(record: Record, redactor: Redactor) -> bytes:
    """What the log says of one decision, in the order of docs/decision-log.md, with the end of the line."""
    time_s, decide_us, sample_percent, name, packed_ruled, packed_signals, packed_seen, client, peer, path, request_id = record
    ruled = _KNOWN_RULED.get(packed_ruled) or _ruled(packed_ruled)
    signals = _KNOWN_SIGNALS.get(packed_signals) or _signals(packed_signals)
    seen = _KNOWN_SEEN.get(packed_seen) or _seen(packed_seen)
    client_shown, network = redactor.both(client)
    peer_shown = client_shown if peer == client else redactor.address(peer)
    where = "" if redactor.whereabouts is None else _where(redactor.whereabouts, client)
    asked = f',"request_id":{_quoted(client_text(request_id))}' if request_id else ""
    sample = f',"sample_percent":{_number(sample_percent)}' if sample_percent else ""
    line = (
        f"{_begun(time_s)}{name}{ruled[0]}{signals}{ruled[1]}{asked}{ruled[2]}"
        f'{client_shown}","network":"{network}","peer":"{peer_shown}"{where}{seen[0]}{_quoted(client_text(path))}{ruled[3]}{seen[1]}'
        f'{sample},"decide_us":{decide_us}}}\n'
    )
    return line.encode("ascii") if line.isascii() else _escaped(line.encode()) + b"\n"


def render(record: Record, redactor: Redactor) -> dict[str, Any]:
    """The object of one decision: keys and order of docs/decision-log.md, absent ones left out."""
    told: dict[str, Any] = _DECODE(line_of(record, redactor))
    return told


def _quoted(text: str) -> str:
    """A text as JSON, still with what lies above ASCII."""
    told: str = _ENCODE(text).decode()
    return told.replace("\x7f", "\\u007f") if "\x7f" in told else told


def _keep(known: dict[bytes, Any], packed: bytes, told: Any) -> None:
    if len(packed) <= _MAX_KNOWN_LENGTH:
        if len(known) >= _MAX_KNOWN:
            known.clear()
        known[packed] = told


def _ruled(packed: bytes) -> tuple[str, str, str, str]:
    """The four pieces of a line that say what was decided: after the id, the findings, the request id, and the path."""
    r = ruled_of(packed)
    challenge = f',"challenge":"{r.level}"' if r.level else ""
    deferred = ',"deferred":true' if r.deferred else ""
    told = (
        f'","verdict":"{r.verdict}","would_be":"{r.would_be}","mode":"{r.mode}","score":{r.score},"bot":{"true" if r.bot else "false"}',
        f',"rule":{_quoted(r.rule)},"policy":{_quoted(r.policy)},"config":"{r.config}","edge":"{r.edge}"{challenge}{deferred}',
        f',"kind":"{r.kind}","audience":"{r.audience}","client":"',
        f',"route":{_quoted(route_text(r.route))}' if r.route else "",
    )
    _keep(_KNOWN_RULED, packed, told)
    return told


def _seen(packed: bytes) -> tuple[str, str]:
    """The two pieces of a line that say what the client sends each time: before the path, and after the route."""
    s = seen_of(packed)
    prints = (("ja3", s.ja3), ("ja4", s.ja4), ("tls_sig", s.tls_sig))
    before = [f',"{name}":{_quoted(client_text(value))}' for name, value in prints if value]
    host = f',"host":{_quoted(client_text(s.host))}' if s.host else ""
    agent = f',"user_agent":{_quoted(client_text(s.user_agent))}' if s.user_agent else ""
    told = (f'{"".join(before)},"method":{_quoted(client_text(s.method))}{host},"path":', agent)
    _keep(_KNOWN_SEEN, packed, told)
    return told


def _signals(packed: bytes) -> str:
    """Reasons and findings."""
    signals = signals_of(packed)
    reasons = ",".join([_quoted(_reason(signal)) for signal in signals])
    told = f',"reasons":[{reasons}],"signals":[{",".join([_signal(signal) for signal in signals])}]'
    _keep(_KNOWN_SIGNALS, packed, told)
    return told


def _where(whereabouts: Whereabouts, client: bytes) -> str:
    known = whereabouts(client)
    told = [f',"{key}":{_ENCODE(known[key]).decode()}' for key in ("asn", "country") if known.get(key) is not None]
    return "".join(told)


def _reason(signal: RecordedSignal) -> str:
    """As Signal.reason."""
    name = signal.id.partition(".")[2]
    return f"{name}:{signal.detail}" if signal.detail else name


def _signal(signal: RecordedSignal) -> str:
    """One finding: its detail, subject, measures and type of attack only where there are any."""
    s = signal
    detail = f',"detail":{_quoted(s.detail)}' if s.detail else ""
    subject = f',"subject":"{s.subject}"' if s.subject else ""
    measures = _measures(s.measures) if s.measures else ""
    attack_type = f',"attack_type":"{s.attack_type}"' if s.attack_type else ""
    return f'{{"id":"{s.id}","points":{s.points}{detail}{subject}{measures}{attack_type}}}'


def _measures(measures: tuple[RecordedMeasure, ...]) -> str:
    """By name: the value, and its limit where there is one."""
    told: dict[str, str] = {}
    for measure in measures:
        value, limit = measure.value, measure.limit
        # JSON has no infinity: a measure without a finite value is no evidence anyway.
        if isfinite(value):
            number = _number(value)
            told[measure.name] = number if limit is None or not isfinite(limit) else f"{number},{_number(limit)}"
    if not told:
        return ""
    each = [f'"{name}":[{numbers}]' for name, numbers in told.items()]
    return f',"measures":{{{",".join(each)}}}'


def _number(value: float) -> str:
    number: str = _ENCODE(value).decode()
    return number


def to_line(event: object, **_options: object) -> bytes:
    """One JSON object as ASCII without line breaks.  Takes and ignores the options of `json.dumps` (structlog passes some)."""
    line = _ENCODE(event)
    if not line.isascii():
        return _escaped(line)
    return line.replace(b"\x7f", b"\\u007f") if line.find(b"\x7f") >= 0 else line


def _escaped(line: bytes) -> bytes:
    """Rare and slower: terminal control (C1, bidi marks, U+2028) hides above ASCII, so all of it is escaped."""
    return json.dumps(json.loads(line), separators=(",", ":")).encode("ascii").replace(b"\x7f", b"\\u007f")
