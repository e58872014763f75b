"""Signals into a score of 0..100, high = bot.

Law of the file: a score is a sum that can be read off the signals; families are capped, and what only counts beside something else
is left out without it.  Source: docs/signals.md has the weights; that one fact never counts twice (_ONE_OF), and what neighbours do
never alone (_ONLY_BESIDE), is our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botsieve.decision import Signal

# At most one of these counts, the highest: they are three readings of one fact.
_ONE_OF = frozenset({"tls.suspicious_ja3", "claim.unlike_headers", "claim.contradiction"})
_ONLY_BESIDE = "network.busy_range"
_BESIDE_FAMILIES = frozenset({"timing", "traversal", "tls", "claim"})
# Findings about behaviour: a new one ends what a clearance has earned.
BEHAVIOUR_FAMILIES = frozenset({"timing", "traversal"})


def settle(signals: Sequence[Signal]) -> tuple[Signal, ...]:
    """The findings that count, most points first (ties in the order of the detector table)."""
    if len(signals) < 2:
        return () if not signals or signals[0].id == _ONLY_BESIDE else (signals[0],)
    readings = [signal for signal in signals if signal.id in _ONE_OF]
    best = max(readings, key=lambda signal: signal.points) if len(readings) > 1 else None
    beside = any(signal.family in _BESIDE_FAMILIES for signal in signals)
    kept = [
        signal
        for signal in signals
        if (best is None or signal is best or signal.id not in _ONE_OF) and (beside or signal.id != _ONLY_BESIDE)
    ]
    kept.sort(key=lambda signal: -signal.points)
    return tuple(kept)


def total(signals: Sequence[Signal], family_max: Mapping[str, int]) -> int:
    """The score: the sum over families, each at most its cap, within 0..100."""
    if not signals:
        return 0
    families: dict[str, int] = {}
    for signal in signals:
        family = signal.family
        families[family] = families.get(family, 0) + signal.points
    score = 0
    for family, points in families.items():
        score += min(points, family_max.get(family, 100))
    return max(0, min(score, 100))
