"""The words of attacks, and what preventions and thresholds make of one request.

Law of the file: plain frozen values.  A score says how much one request looks like a bot's; a violation (botsieve.decision) says that
a subject crossed a threshold of the second mission document, whatever its score.  Names of attack types are F5's
(docs/from-f5-asm.md).
"""

from __future__ import annotations

import msgspec

from botsieve.decision import ALLOW, BLOCK, CHALLENGE, Violation

IGNORE, ALARM, STOP = "ignore", "alarm", "block"
ACTIONS = (IGNORE, ALARM, STOP)

BOT_DETECTED = "Bot Detected"
BOT_ACTIVITY = "Bot activity detected"
SESSION_OPENING = "Session Opening Anomaly by IP"
SESSION_RESETS = "Session Resets by Persistent Client Identification"
SUSPICIOUS_CLIENTS = "Suspicious Clients"
TRANSACTIONS = "Transactions per session anomaly"
ATTACK_TYPES = (BOT_DETECTED, BOT_ACTIVITY, SESSION_OPENING, SESSION_RESETS, SUSPICIOUS_CLIENTS, TRANSACTIONS)

# Why an incident is over.
ENDED, EXPIRED, RELEASED = "ended", "expired", "released"


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """What preventions and thresholds make of one request, "" for nothing.

    `verdict`: challenge or block, in mode `enforce`.  `level`: of a challenge.  `retry_after_s`: the refusal rests on a rate.
    `hold_s`: so long the edge may refuse this client by itself.  `violations`: what the request is part of.
    """

    verdict: str = ""
    level: str = ""
    retry_after_s: int = 0
    hold_s: int = 0
    violations: tuple[Violation, ...] = ()


NOTHING = Ruling()

_STRICTNESS = {"": 0, ALLOW: 0, CHALLENGE: 1, BLOCK: 2}


def stricter(one: str, other: str) -> bool:
    """Whether verdict `one` asks for more than `other` ("": for nothing)."""
    return _STRICTNESS[one] > _STRICTNESS[other]


def joined(one: Ruling, other: Ruling) -> Ruling:
    """Both rulings as one: the stricter verdict, the longer times, every violation."""
    if other is NOTHING:
        return one
    if one is NOTHING:
        return other
    strict, mild = (other, one) if stricter(other.verdict, one.verdict) else (one, other)
    return Ruling(
        strict.verdict,
        strict.level or mild.level,
        strict.retry_after_s,
        max(one.hold_s, other.hold_s),
        one.violations + other.violations,
    )
