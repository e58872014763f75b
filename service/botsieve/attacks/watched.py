"""What a policy watches: its thresholds by name, those that it ignores left out.

Law of the file: made once a policy; the hot path asks for attributes, never for words.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from botsieve.attacks.types import IGNORE
from botsieve.detectors.settings import (
    HumanInteraction,
    RapidSurfing,
    SessionOpening,
    SessionResets,
    SessionTransactions,
    SuspiciousBrowser,
    Threshold,
)
from botsieve.policy import Policy

T = TypeVar("T", bound=Threshold)


class Watched(msgspec.Struct, frozen=True, gc=False):
    """None: ignored.  `any`: something is watched at all.  `counts`: something is counted for each narrow subject."""

    policy: Policy
    rapid: RapidSurfing | None
    human: HumanInteraction | None
    opening: SessionOpening | None
    resets: SessionResets | None
    transactions: SessionTransactions | None
    suspicious: SuspiciousBrowser | None
    any: bool
    counts: bool


def watched(policy: Policy) -> Watched:
    """The thresholds of a policy."""
    rapid = _of(policy, "surfing.rapid", RapidSurfing)
    # Where programs are expected nobody is asked for a hand on a mouse.
    human = _of(policy, "human.interaction", HumanInteraction) if policy.audience != "api" else None
    opening = _of(policy, "sessions.opening", SessionOpening)
    resets = _of(policy, "sessions.resets", SessionResets)
    transactions = _of(policy, "sessions.transactions", SessionTransactions)
    suspicious = _of(policy, "browser.suspicious", SuspiciousBrowser)
    everything = (rapid, human, opening, resets, transactions, suspicious)
    return Watched(
        policy,
        *everything,
        any(one is not None for one in everything),
        any(one is not None for one in (rapid, human, transactions)),
    )


def _of(policy: Policy, detector: str, kind: type[T]) -> T | None:
    found = policy.thresholds.get(detector)
    return found if isinstance(found, kind) and found.action != IGNORE else None
