"""botsieve.journal.record"""

from __future__ import annotations

import msgspec
from botsieve.journal.packing import pack
from botsieve.journal.record import ruled_of, seen_of, signals_of, unpack

from tests.unit.journal.samples import CURL, NOW_S, TIMER, decision, observation


def test_a_record_is_what_was_decided() -> None:
    """Packing loses nothing of the decision, and of the request only what is not meant to be kept."""
    o, d = observation(), decision(7, CURL, TIMER, would_be="challenge", level="hard", deferred=True)
    time_s, decide_us, sample_percent, name, packed_ruled, packed_signals, packed_seen, *rest = unpack(
        pack(o, d, NOW_S, 14, 1.0)
    )
    ruled, signals, seen = ruled_of(packed_ruled), signals_of(packed_signals), seen_of(packed_seen)
    seen_names = {"edge", "kind"}
    assert [getattr(ruled, name) for name in ruled.__struct_fields__] == [
        getattr(o if name in seen_names else d, name) for name in ruled.__struct_fields__
    ]
    assert [msgspec.structs.astuple(signal)[:4] for signal in signals] == [
        (signal.id, signal.points, signal.detail, signal.subject) for signal in d.signals
    ]
    measures = [(m.name, m.value, m.limit) for signal in d.signals for m in signal.measures]
    assert [msgspec.structs.astuple(m) for signal in signals for m in signal.measures] == measures
    assert [signal.attack_type for signal in signals] == [signal.attack_type for signal in d.signals]
    assert [getattr(seen, name) for name in seen.__struct_fields__] == [getattr(o, name) for name in seen.__struct_fields__]
    assert (name, *rest) == (d.id, o.client, o.peer, o.path, o.request_id)
    assert (time_s, decide_us, sample_percent) == (NOW_S, 14, 1.0)
