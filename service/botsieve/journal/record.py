"""One decision read back from what packing.py made of it, by whoever shows it: the log, `explain`, the control socket."""

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


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One decision, unpacked.  The order of the fields is the packed form and that of `pack`.

    `client` and `peer` are 16 packed bytes.  `decide_us`: whole microseconds.  `sample_percent`: 0 if the decision is logged
    for what it is, else the share of its kind that is logged.  Empty text or bytes mean absent.
    """

    time_s: float
    decide_us: int
    sample_percent: float
    id: str
    verdict: str
    would_be: str
    mode: str
    score: int
    bot: bool
    signals: tuple[RecordedSignal, ...]
    rule: str
    policy: str
    audience: str
    config: str
    level: str
    deferred: bool
    route: str
    edge: str
    kind: str
    client: bytes
    peer: bytes
    method: bytes
    host: bytes
    path: bytes
    user_agent: bytes
    request_id: bytes
    ja3: bytes
    ja4: bytes
    tls_sig: bytes


_decode = msgspec.msgpack.Decoder(Record).decode


def unpack(packed: bytes) -> Record:
    """What `pack` packed.  A decoding error here is a programming mistake."""
    return _decode(packed)
