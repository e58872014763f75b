"""botsieve.journal.record"""

from __future__ import annotations

import msgspec
from botsieve.journal.packing import pack
from botsieve.journal.record import unpack

from tests.unit.journal.samples import CURL, NOW_S, TIMER, decision, observation


def test_a_record_is_what_was_decided() -> None:
    """Packing loses nothing of the decision, and of the request only what is not meant to be kept."""
    o, d = observation(), decision(7, CURL, TIMER, would_be="challenge", level="hard", deferred=True)
    r = unpack(pack(o, d, NOW_S, 14, 1.0))
    kept = (
        "id",
        "verdict",
        "would_be",
        "mode",
        "score",
        "bot",
        "rule",
        "policy",
        "audience",
        "config",
        "level",
        "deferred",
        "route",
    )
    assert [getattr(r, name) for name in kept] == [getattr(d, name) for name in kept]
    assert [msgspec.structs.astuple(signal)[:4] for signal in r.signals] == [
        (signal.id, signal.points, signal.detail, signal.subject) for signal in d.signals
    ]
    measures = [(m.name, m.value, m.limit) for signal in d.signals for m in signal.measures]
    assert [msgspec.structs.astuple(m) for signal in r.signals for m in signal.measures] == measures
    assert [signal.attack_type for signal in r.signals] == [signal.attack_type for signal in d.signals]
    seen = ("edge", "kind", "client", "peer", "method", "host", "path", "user_agent", "request_id", "ja3", "ja4", "tls_sig")
    assert [getattr(r, name) for name in seen] == [getattr(o, name) for name in seen]
    assert (r.time_s, r.decide_us, r.sample_percent) == (NOW_S, 14, 1.0)
