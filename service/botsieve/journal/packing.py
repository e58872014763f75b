"""One decision packed: everything that the log and `explain` say of it, nothing else.

It is packed at once into one `bytes` object: 0.5 to 0.8 us, about 400 bytes, invisible to the garbage collector, and free of the
observation (whose headers may hold 64 KiB and secrets).  It is unpacked (record.py) and rendered by whoever reads it.

Law of the file: no header but the User-Agent is ever copied here, no query, no cookie; every field has a bound.
"""

from __future__ import annotations

import msgspec

from botsieve.decision import Decision, Signal
from botsieve.observation import Observation

# Bytes.  The User-Agent's is docs/decision-log.md's; the others keep 50,000 records of the worst clients below 100 MB.
MAX_USER_AGENT, MAX_PATH, MAX_PRINT = 256, 1024, 64


_encode = msgspec.msgpack.Encoder().encode


def pack(o: Observation, decision: Decision, now_s: float, decide_us: int, sample_percent: float = 0.0) -> bytes:
    """One decision as the ring and the log's queue hold it.  `now_s`: seconds since 1970, the service's clock."""
    path = o.path
    agent = o.headers.get(b"user-agent", b"")
    route = decision.route
    # Tuples, not records: the packed form is the same and costs a third less.
    ruled = (
        decision.verdict,
        decision.would_be,
        decision.mode,
        decision.score,
        decision.bot,
        decision.rule,
        decision.policy,
        decision.audience,
        decision.config,
        decision.level,
        decision.deferred,
        route if len(route) <= MAX_PATH else route[:MAX_PATH],
        o.edge,
        o.kind,
    )
    seen = (
        o.method,
        o.host,
        agent if len(agent) <= MAX_USER_AGENT else agent[:MAX_USER_AGENT],
        o.ja3[:MAX_PRINT],
        o.ja4[:MAX_PRINT],
        o.tls_sig[:MAX_PRINT],
    )
    # By themselves, since a finding of the compiled core would be asked for its fields by way of `enc_hook`, which costs more.
    signals = [_signal(signal) for signal in decision.signals] if decision.signals else ()
    fields = (
        now_s,
        decide_us,
        sample_percent,
        decision.id,
        ruled,
        signals,
        seen,
        o.client,
        o.peer,
        path if len(path) <= MAX_PATH else path[:MAX_PATH],
        o.request_id,
    )
    try:
        return _encode(fields)
    except UnicodeEncodeError:
        # A lone surrogate in a name of ours.  Recording a decision must not fail for it.
        return _encode(_as_text(fields))


def _signal(signal: Signal) -> tuple[object, ...]:
    measures = [(measure.name, measure.value, measure.limit) for measure in signal.measures] if signal.measures else ()
    return signal.id, signal.points, signal.detail, signal.subject, measures, signal.attack_type


def _as_text(value: object) -> object:
    """The same with every text as UTF-8 can write it."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return [_as_text(part) for part in value] if isinstance(value, tuple | list) else value
