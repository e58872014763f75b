"""One decision read back from what packing.py made of it, by whoever shows it: the log, `explain`, the control socket.

What many decisions have in common lies in pieces of its own, which are left packed here: the same bytes mean the same text, so
the log reads and renders them once (render.py).
"""

from __future__ import annotations

import msgspec


class RecordedMeasure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """decision.Measure, read back."""

    name: str
    value: float
    limit: float | None = None


class RecordedSignal(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """decision.Signal, read back.  The order of the fields is that one's, which compiled is no struct and cannot be decoded into."""

    id: str
    points: int
    detail: str = ""
    subject: str = ""
    measures: tuple[RecordedMeasure, ...] = ()
    attack_type: str = ""


class Ruled(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What was decided beside the findings: for all requests of a kind the same.  The order of the fields is that of `pack`."""

    verdict: str
    would_be: str
    mode: str
    score: int
    bot: bool
    rule: str
    policy: str
    audience: str
    config: str
    level: str
    deferred: bool
    route: str
    edge: str
    kind: str


class Seen(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a client sends with every request.  The order of the fields is that of `pack`.  Empty means absent."""

    method: bytes
    host: bytes
    user_agent: bytes
    ja3: bytes
    ja4: bytes
    tls_sig: bytes


# One decision, in the packed form and order of `pack`: `time_s`, `decide_us` (whole microseconds), `sample_percent` (0 if the decision
# is logged for what it is, else the share of its kind that is logged), `id`; three pieces for `ruled_of`, `signals_of` and `seen_of`;
# `client` and `peer` (16 packed bytes), `path`, `request_id` (b"": absent).  A tuple: the compiled log takes it apart at no price.
Record = tuple[float, int, float, str, bytes, bytes, bytes, bytes, bytes, bytes, bytes]

# What `pack` packed.  A decoding error here is a programming mistake.
unpack = msgspec.msgpack.Decoder(Record).decode
_decode_ruled = msgspec.msgpack.Decoder(Ruled).decode
_decode_signals = msgspec.msgpack.Decoder(tuple[RecordedSignal, ...]).decode
_decode_seen = msgspec.msgpack.Decoder(Seen).decode


def ruled_of(packed: bytes) -> Ruled:
    """What was decided."""
    return _decode_ruled(packed)


def signals_of(packed: bytes) -> tuple[RecordedSignal, ...]:
    """The findings."""
    return _decode_signals(packed)


def seen_of(packed: bytes) -> Seen:
    """What the client sent."""
    return _decode_seen(packed)
