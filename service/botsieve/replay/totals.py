"""The figures of a replay, kept up to date request by request, and the shares made of them.

Law of the file: docs/replay.md's words and formulas.  A client counts once, under the worst verdict that it met.
"""

from __future__ import annotations

import msgspec

from botsieve.decision import VERDICTS, Decision
from botsieve.observation import Observation
from botsieve.replay.clients import KEEP, MAX_AGENT, RANK, ClientTable, Tally, client_key
from botsieve.replay.labels import Labels, is_bot, is_human

# Reasons come from our own lists and the operator's rules; a table of them needs no more lines.
MAX_REASONS = 1000
MAX_LABELS = 1000


class ReasonTotal(msgspec.Struct):
    """`points`: the most that the finding gave."""

    requests: int = 0
    clients: int = 0
    points: int = 0


class LabelTotal(msgspec.Struct):
    """`by_verdict`: clients under their worst verdict."""

    clients: int = 0
    requests: int = 0
    by_verdict: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(VERDICTS, 0))


class Totals:
    """`requests_by`, `clients_by`: verdict to count."""

    def __init__(self, labels: Labels | None = None, *, keep: int = KEEP) -> None:
        self.table = ClientTable(keep)
        self.requests_by = dict.fromkeys(VERDICTS, 0)
        self.clients_by = dict.fromkeys(VERDICTS, 0)
        self.reasons: dict[str, ReasonTotal] = {}
        self.labels: dict[str, LabelTotal] = {}
        self._labels = labels

    @property
    def requests(self) -> int:
        """All requests that were judged."""
        return sum(self.requests_by.values())

    def add(self, o: Observation, decision: Decision) -> None:
        """One judged request."""
        self.requests_by[decision.would_be] += 1
        key = client_key(o)
        tally = self.table.find(key)
        is_new = tally is None
        if tally is None:
            label = self._labels.of(o.client, o.user_agent) if self._labels else None
            tally = Tally(o.client, o.user_agent[:MAX_AGENT], label, o.edge_time_s, o.edge_time_s, reasons={})
        worst_before = tally.worst
        points = {signal.reason: signal.points for signal in decision.signals}
        new_reasons = tally.add(o, decision, set(points))
        self._count_client(tally, worst_before, is_new=is_new)
        self._count_reasons(points, new_reasons)
        if is_new:
            self.table.add(key, tally)

    def _count_client(self, tally: Tally, worst_before: str, *, is_new: bool) -> None:
        counts = [self.clients_by]
        label = tally.label
        if label is not None and (label in self.labels or len(self.labels) < MAX_LABELS):
            total = self.labels.setdefault(label, LabelTotal())
            total.requests += 1
            total.clients += is_new
            counts.append(total.by_verdict)
        if is_new or RANK[tally.worst] != RANK[worst_before]:
            for by_verdict in counts:
                by_verdict[tally.worst] += 1
                if not is_new:
                    by_verdict[worst_before] -= 1

    def _count_reasons(self, points: dict[str, int], new_reasons: list[str]) -> None:
        for reason, given in points.items():
            total = self.reasons.get(reason)
            if total is None:
                if len(self.reasons) >= MAX_REASONS:
                    continue
                total = self.reasons[reason] = ReasonTotal(points=given)
            total.requests += 1
            total.points = max(total.points, given, key=abs)
        for reason in new_reasons:
            if reason in self.reasons:
                self.reasons[reason].clients += 1


class Shares(msgspec.Struct, frozen=True):
    """Labelled clients and what became of them; a share whose denominator is 0 is None."""

    labelled_bots: int
    labelled_humans: int
    bots_challenged: int
    bots_blocked: int
    humans_challenged: int
    humans_blocked: int
    recall: float | None
    precision: float | None
    false_positive_rate: float | None
    false_block_rate: float | None


def shares_of(labels: dict[str, LabelTotal]) -> Shares:
    """The formulas of docs/replay.md."""
    bots = [total for label, total in labels.items() if is_bot(label)]
    humans = [total for label, total in labels.items() if is_human(label)]
    bots_challenged, bots_blocked = (sum(total.by_verdict[verdict] for total in bots) for verdict in VERDICTS[1:])
    humans_challenged, humans_blocked = (sum(total.by_verdict[verdict] for total in humans) for verdict in VERDICTS[1:])
    bot_count, human_count = sum(total.clients for total in bots), sum(total.clients for total in humans)
    caught, hurt = bots_challenged + bots_blocked, humans_challenged + humans_blocked
    return Shares(
        labelled_bots=bot_count,
        labelled_humans=human_count,
        bots_challenged=bots_challenged,
        bots_blocked=bots_blocked,
        humans_challenged=humans_challenged,
        humans_blocked=humans_blocked,
        recall=_share(caught, bot_count),
        precision=_share(caught, caught + hurt),
        false_positive_rate=_share(hurt, human_count),
        false_block_rate=_share(humans_blocked, human_count),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
