"""Violations for the tests of incidents and of their store."""

from __future__ import annotations

from typing import Any

from botsieve.attacks.types import BOT_DETECTED
from botsieve.decision import Measure, Violation
from botsieve.state.hashing import Hasher

HASHER = Hasher(b"0123456789abcdef")


def violation(number: int = 1, **facts: Any) -> Violation:
    """One of subject `number`: 31 pages where 30 are allowed."""
    made: dict[str, Any] = {
        "detector": "surfing.rapid",
        "attack_type": BOT_DETECTED,
        "subject": "session",
        "key": HASHER.key(number.to_bytes(8, "big")),
        "action": "block",
        "measures": (Measure("pages", 31.0, 30.0),),
        "prevention_s": 1800.0,
    }
    return Violation(**(made | facts))
