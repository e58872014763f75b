"""A prevention as one line of text, and back: what outlives a restart.

Law of the file: any bytes give a prevention or ValueError.  A line holds no header and no path of a client, but its address.
"""

from __future__ import annotations

import msgspec

from botsieve.attacks.preventions import AGAIN_S, Prevention, Whom
from botsieve.attacks.types import ATTACK_TYPES, ENDED, EXPIRED, RELEASED
from botsieve.detectors.settings import THRESHOLDS
from botsieve.errors import InvalidObservation
from botsieve.observation import address_text, pack_address
from botsieve.state.parts import Latch

MAX_LINE = 2_048
LONGEST_S = 86_400.0  # as config: a prevention_s of a day at most
_MAX_TEXT = 256


class _Line(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    policy: str
    subject: str
    key: str
    client: str
    network_key: str
    detector: str
    attack_type: str
    start_ms: int
    end_s: float
    until_s: float
    full: bool
    mild: bool
    detail: str
    why: str
    ended_s: float


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


def line_of(one: Prevention) -> bytes:
    """One line, without its end."""
    whom, latch = one.whom, one.latch
    return _encode(
        _Line(
            whom.policy,
            whom.subject,
            whom.key.hex(),
            address_text(whom.client),
            whom.network_key.hex(),
            one.detector,
            one.attack_type,
            latch.start_ms,
            latch.end_s,
            one.until_s,
            one.full,
            one.mild,
            one.detail,
            one.why,
            one.ended_s,
        )
    )


def prevention_of(line: bytes, now_s: float) -> Prevention | None:
    """The prevention of a line; None for one that has long been over.  Errors: ValueError for anything else than a line of ours.

    A clock that was set back meanwhile makes none of them last longer than it would have.
    """
    if len(line) > MAX_LINE:
        raise ValueError("too long")
    try:
        told = _decode(line)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    one = Prevention(_whom(told), told.detector, told.attack_type, _latch(told, now_s), full=told.full)
    if one.detector not in THRESHOLDS or one.attack_type not in ATTACK_TYPES or told.why not in ("", ENDED, EXPIRED, RELEASED):
        raise ValueError("a word of another version")
    if max(len(told.policy), len(told.subject), len(told.detail)) > _MAX_TEXT:
        raise ValueError("too long")
    one.until_s = min(told.until_s, one.latch.end_s)
    one.mild, one.detail, one.why = told.mild, told.detail, told.why
    one.latch.released = told.why == RELEASED
    one.ended_s = min(told.ended_s, now_s)
    if not one.runs(now_s) and one.ended_s < now_s - AGAIN_S:
        return None
    return one


def _whom(told: _Line) -> Whom:
    key, network_key = bytes.fromhex(told.key), bytes.fromhex(told.network_key)
    if len(key) != 8 or len(network_key) != 8:
        raise ValueError("a key has 8 bytes")
    return Whom(told.policy, told.subject, key, _address(told.client), network_key)


def _address(text: str) -> bytes:
    try:
        return pack_address(text)
    except InvalidObservation as error:
        raise ValueError(str(error)) from None


def _latch(told: _Line, now_s: float) -> Latch:
    start_ms = min(told.start_ms, int(now_s * 1000.0))
    lasts_s = min(told.end_s - told.start_ms / 1000.0, LONGEST_S)
    if start_ms <= 0 or not lasts_s >= 0.0:
        raise ValueError("no time")
    return Latch(start_ms, start_ms / 1000.0 + lasts_s)
