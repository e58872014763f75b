"""What the service and the process that writes the database say to each other.

Law of the file: plain values; a packet is a list of them in msgpack, below PACKET_BYTES.  Addresses are already as
`privacy.addresses` wants them, client text is already text: nothing in here needs redaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

PACKET_BYTES = 65_536  # far below what a Unix socket takes in one piece
MAX_DECISION = 16_384  # of the JSON kept with feedback

Measures = dict[str, list[float | None]]


class Setup(msgspec.Struct, frozen=True, array_like=True, tag="setup"):
    """What may be kept: days, and MiB of the whole database.  The defaults hold until the service has spoken."""

    incident_days: int = 30
    max_mib: int = 256
    statistics_days: int = 90


class IncidentRow(msgspec.Struct, frozen=True, array_like=True, tag="incident"):
    """One incident as it stands now (attacks/incidents.py).  Numbers are absolute: the last one counts.

    `client`, `network`: as they may be shown, "" when they are stored already.  `measures`: name to [highest, last, limit].
    """

    id: str
    attack_type: str
    policy: str
    detector: str
    subject: str
    key: bytes
    network_key: bytes
    client: str
    network: str
    action: str
    mode: str
    started_s: float
    last_s: float
    until_s: float
    ended_s: float
    why: str
    violations: int
    rejected: int
    challenged: int
    subjects: int
    samples: int
    measures: Measures
    details: list[str]


class SampleRow(msgspec.Struct, frozen=True, array_like=True, tag="sample"):
    """One violating request of an incident."""

    incident: str
    number: int
    time_s: float
    decision: str
    verdict: str
    score: int
    reasons: str
    client: str
    method: str
    host: str
    path: str
    route: str
    user_agent: str


class MinuteRow(msgspec.Struct, frozen=True, array_like=True, tag="minute"):
    """What happened under one policy in one minute (or the part of it that this process lived).  `minute_s`: its beginning.

    `rejected`: requests of an attack that were refused.  `allowed`, `challenged`, `blocked`: verdicts.  `would_*`: what mode
    `enforce` would have given.
    """

    minute_s: int
    policy: str
    attacks: int = 0
    violations: int = 0
    rejected: int = 0
    allowed: int = 0
    challenged: int = 0
    blocked: int = 0
    would_challenge: int = 0
    would_block: int = 0


# What of a minute adds up.
COUNTS = MinuteRow.__struct_fields__[2:]


class FeedbackRow(msgspec.Struct, frozen=True, array_like=True, tag="feedback"):
    """Somebody who was refused says that they are a person.  `decision`: the JSON object of docs/decision-log.md."""

    id: str
    time_s: float
    policy: str
    verdict: str
    score: int
    client: str
    decision: str


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="ready"):
    """The writer has told every open incident that it knows."""


class Status(msgspec.Struct, frozen=True, array_like=True, tag="status"):
    """How the writer does since its start.  `taken`: messages read; `lost`: given up; `trouble`: why nothing is written now."""

    taken: int
    lost: int
    trouble: str


Row = IncidentRow | SampleRow | MinuteRow | FeedbackRow
ToWriter = Setup | IncidentRow | SampleRow | MinuteRow | FeedbackRow
ToService = IncidentRow | Ready | Status

T = TypeVar("T")
_HEAD = 5  # of a list in msgpack, at most

_ENCODER = msgspec.msgpack.Encoder()
_TO_WRITER = msgspec.msgpack.Decoder(list[ToWriter])
_TO_SERVICE = msgspec.msgpack.Decoder(list[ToService])


def pack_all(messages: Sequence[msgspec.Struct]) -> list[tuple[bytes, int]]:
    """The packets that carry these messages, in order, and how many each holds.

    A message that alone is larger than a packet is left out.
    """
    packets: list[tuple[bytes, int]] = []
    held: list[msgspec.Raw] = []
    size = _HEAD
    for message in messages:
        packed = _ENCODER.encode(message)
        if _HEAD + len(packed) > PACKET_BYTES:
            continue
        if size + len(packed) > PACKET_BYTES:
            packets.append((_ENCODER.encode(held), len(held)))
            held, size = [], _HEAD
        held.append(msgspec.Raw(packed))
        size += len(packed)
    if held:
        packets.append((_ENCODER.encode(held), len(held)))
    return packets


def for_writer(packet: bytes) -> list[ToWriter]:
    """The messages of a packet from the service.  Errors: ValueError for anything else."""
    return _decoded(_TO_WRITER, packet)


def for_service(packet: bytes) -> list[ToService]:
    """The messages of a packet from the writer.  Errors: ValueError for anything else."""
    return _decoded(_TO_SERVICE, packet)


def _decoded(decoder: msgspec.msgpack.Decoder[T], packet: bytes) -> T:
    try:
        return decoder.decode(packet)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a packet of ours: {error}") from None
