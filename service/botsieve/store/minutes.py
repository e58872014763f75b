"""Statistics per minute and policy: what grew since the minute began.

Nothing is counted for it on the way of a decision: the metrics and the incidents count already.

Law of the file: the rows of all minutes add up to what was counted; nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from botsieve.attacks.incidents import Tally
from botsieve.decision import ALLOW, BLOCK, CHALLENGE
from botsieve.store.messages import MinuteRow

_VERDICT = {ALLOW: 0, CHALLENGE: 1, BLOCK: 2}
_WOULD = {CHALLENGE: 3, BLOCK: 4}

Decisions = Mapping[tuple[str, ...], int]  # metrics.Metrics.decisions: edge, policy, verdict, would_be


class Minutes:
    """`now_s`: when counting begins."""

    __slots__ = ("_attacks", "_minute_s", "_verdicts")

    def __init__(self, now_s: float) -> None:
        self._minute_s = _minute(now_s)
        self._verdicts: dict[str, list[int]] = {}
        self._attacks: dict[str, tuple[int, int, int]] = {}

    def is_over(self, now_s: float) -> bool:
        """Whether another minute has begun."""
        return _minute(now_s) != self._minute_s

    def turn(self, now_s: float, decisions: Decisions, tallies: Mapping[str, Tally]) -> list[MinuteRow]:
        """The rows of the time since the last turn, under the minute that it began in; policies without a request have none."""
        verdicts = _by_policy(decisions)
        attacks = {policy: (tally.attacks, tally.violations, tally.rejected) for policy, tally in tallies.items()}
        rows = []
        for policy in sorted(verdicts.keys() | attacks.keys()):
            grown = [
                new - old
                for new, old in (
                    *zip(attacks.get(policy, (0, 0, 0)), self._attacks.get(policy, (0, 0, 0)), strict=True),
                    *zip(verdicts.get(policy, [0] * 5), self._verdicts.get(policy, [0] * 5), strict=True),
                )
            ]
            if any(grown):
                rows.append(MinuteRow(self._minute_s, policy, *grown))
        self._minute_s, self._verdicts, self._attacks = _minute(now_s), verdicts, attacks
        return rows


def _minute(now_s: float) -> int:
    return int(now_s // 60) * 60


def _by_policy(decisions: Decisions) -> dict[str, list[int]]:
    """Counts by policy: the three verdicts, then what would have been challenged and blocked."""
    found: dict[str, list[int]] = {}
    for (_edge, policy, verdict, would_be), count in decisions.items():
        counts = found.setdefault(policy, [0] * 5)
        counts[_VERDICT[verdict]] += count
        if would_be in _WOULD:
            counts[_WOULD[would_be]] += count
    return found
