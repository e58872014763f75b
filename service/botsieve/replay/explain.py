"""Why a request was judged so: its findings, the values beside their limits, and the one change that alters the verdict.

Law of the file: a decision record (docs/decision-log.md) and a policy go in, an Explanation comes out; nothing is asked of a
running service.  The score is put together by the same functions that made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from botsieve.decision import ALLOW, BLOCK, CHALLENGE, Measure, Signal
from botsieve.detectors.settings import DEFAULTS, Settings, SuspiciousTiming, Volume
from botsieve.errors import InputError
from botsieve.policy import Policy
from botsieve.replay.remedies import Remedy, categories, causes, remedies_of
from botsieve.score import settle, total
from botsieve.values import replace


class Family(msgspec.Struct, frozen=True):
    """What the findings of one family add up to, and the most that they may (None: no cap)."""

    name: str
    points: int
    cap: int | None

    @property
    def counted(self) -> int:
        """What goes into the score."""
        return self.points if self.cap is None else min(self.points, self.cap)


class Change(msgspec.Struct, frozen=True):
    """One thing otherwise, and what the thresholds would then say.  `measure`: the value moved to its limit, None for the
    whole finding left out."""

    signal: str
    reason: str
    score: int
    verdict: str
    measure: Measure | None = None


class Explanation(msgspec.Struct, frozen=True):
    """`signals`, `families`: what the score is made of.  `added`: points that rules added.

    `by_threshold`: the verdict that the score alone gives.  `changes`: every single change that alters it.  `notes`: what a
    reader must know beside.  `remedies`: what to do if the verdict was a mistake.
    """

    record: Mapping[str, Any]
    signals: tuple[Signal, ...]
    families: tuple[Family, ...]
    added: int
    challenge_at: int
    block_at: int
    by_threshold: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    remedies: tuple[Remedy, ...]


class _Record(msgspec.Struct):
    """The keys without which nothing can be explained."""

    id: str
    verdict: str
    would_be: str
    score: int
    rule: str
    signals: list[dict[str, Any]]


def explain_record(record: Mapping[str, Any], policy: Policy, config: str = "") -> Explanation:
    """`policy`: the one that judged.  `config`: the id of the configuration that it comes from, "" if that is not known.

    Errors: InputError for an object that is no decision record.
    """
    try:
        known = msgspec.convert(record, _Record)
        signals = tuple(_signal_of(entry) for entry in known.signals)
    except (msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"this is no decision ({error}); accepted: the JSON of docs/decision-log.md") from None
    sum_now = total(signals, policy.family_max)
    added = known.score - sum_now
    by_threshold = policy.verdict_of(known.score)
    changes = _changes(signals, policy, added, by_threshold)
    return Explanation(
        record=record,
        signals=signals,
        families=_families(signals, policy.family_max),
        added=added,
        challenge_at=policy.challenge_at,
        block_at=policy.block_at,
        by_threshold=by_threshold,
        changes=changes,
        notes=tuple(_notes(record, known, by_threshold, config, _held_by(signals, policy))),
        remedies=remedies_of(record, signals, policy.thresholds),
    )


def _signal_of(entry: Mapping[str, Any]) -> Signal:
    measures = tuple(
        Measure(str(name), float(pair[0]), float(pair[1]) if len(pair) > 1 else None)
        for name, pair in dict(entry.get("measures", {})).items()
    )
    return Signal(str(entry["id"]), int(entry["points"]), str(entry.get("detail", "")), str(entry.get("subject", "")), measures)


def _families(signals: tuple[Signal, ...], family_max: Mapping[str, int]) -> tuple[Family, ...]:
    sums: dict[str, int] = {}
    for signal in signals:
        sums[signal.family] = sums.get(signal.family, 0) + signal.points
    return tuple(Family(name, points, family_max.get(name)) for name, points in sums.items())


def _changes(signals: tuple[Signal, ...], policy: Policy, added: int, now: str) -> tuple[Change, ...]:
    changes: list[Change] = []
    for at, signal in enumerate(signals):
        for measure, left in [(None, None), *_at_limit(signal, policy.detectors)]:
            others = (*signals[:at], *([left] if left is not None else []), *signals[at + 1 :])
            score = max(0, min(100, total(settle(others), policy.family_max) + added))
            verdict = policy.verdict_of(score)
            if verdict != now:
                changes.append(Change(signal.id, signal.reason, score, verdict, measure))
    return tuple(changes)


def _at_limit(signal: Signal, detectors: Mapping[str, Settings]) -> list[tuple[Measure, Signal | None]]:
    """Each measure that has a limit, and what is left of the finding when it stands at the limit, on its good side."""
    moved: list[tuple[Measure, Signal | None]] = []
    for measure in signal.measures:
        if measure.limit is not None:
            points = _weaker_points(signal, measure, detectors.get(signal.id, DEFAULTS.get(signal.id)))
            moved.append((measure, replace(signal, points=points) if points else None))
    return moved


def _weaker_points(signal: Signal, moved: Measure, settings: Settings | None) -> int:
    """A finding that has steps falls to the next one that still holds."""
    values = {measure.name: measure.value for measure in signal.measures}
    assert moved.limit is not None
    if isinstance(settings, Volume):
        lower = [step for step in settings.steps if step.items_at_least < moved.limit and step.points < signal.points]
        return max((step.points for step in lower), default=0)
    if isinstance(settings, SuspiciousTiming):
        values[moved.name] = moved.limit
        for step in settings.steps:
            if values.get("cv", 1.0) < step.cv_below and values.get("mean_s", 1e9) < step.mean_below_s:
                return min(step.points, signal.points)
    return 0


def _held_by(signals: tuple[Signal, ...], policy: Policy) -> str:
    """What settled a verdict that is called `prevention`: thresholds that were crossed, or a list that the address is on."""
    listed = " and ".join(f"a list of `reputation` (category {category})" for category in categories(signals))
    crossed = ", ".join(causes(signals, policy.thresholds))
    if listed and not crossed:
        return f"The client's address is on {listed}: that settled the verdict, not the score. No prevention runs."
    whose = f" ({crossed or 'begun by another session of the client, or by its network'})"
    beside = f" The address is on {listed}, too." if listed else ""
    return f"A prevention was running against the client{whose}: it settled the verdict, not the score.{beside}"


def _notes(record: Mapping[str, Any], known: _Record, by_threshold: str, config: str, held_by: str) -> list[str]:
    notes = []
    rule = known.rule
    if rule == "allowlist":
        notes.append("The client is on the allow list (by its address or a header of its): it is let through whatever it does.")
    elif rule == "crawler":
        notes.append("A verified crawler: it is let through, and its findings were not looked for.")
    elif rule == "clearance":
        notes.append(f"The client has solved a challenge: it was let through; by score alone: {by_threshold}.")
    elif rule == "prevention":
        notes.append(held_by)
    elif rule.startswith("rule."):
        notes.append(f"Rule {rule[5:]} of the policy settled it; by score alone: {by_threshold}.")
    elif by_threshold != known.would_be:
        notes.append(_softened(by_threshold, known.would_be, deferred=bool(record.get("deferred"))))
    if known.verdict != known.would_be:
        notes.append(
            f"The mode is {record.get('mode', 'monitor')}: it was answered {known.verdict}; enforce would {known.would_be}."
        )
    if config and record.get("config") not in (None, config):
        notes.append(f"The configuration has changed since ({record['config']}, now {config}): limits are those of now.")
    return notes


def _softened(by_threshold: str, would_be: str, *, deferred: bool) -> str:
    if deferred:
        return f"By score: {by_threshold}. A data call of a page in use: the challenge waits for the next page load."
    if by_threshold == BLOCK and would_be == CHALLENGE:
        return "By score: block. A page load is challenged once, hard, before it is blocked."
    if by_threshold == CHALLENGE and would_be == ALLOW:
        return "By score: challenge. This kind of request or this path is never challenged."
    if by_threshold == BLOCK and would_be == ALLOW:
        return "By score: block. No score refuses what programs are meant to read (/robots.txt, /.well-known/)."
    if would_be == BLOCK:
        return f"By score: {by_threshold}. The policy blocks in place of challenging."
    return f"By score: {by_threshold}; a challenge that was put off before is due now."
