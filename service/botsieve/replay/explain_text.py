"""An Explanation as a person reads it, and as one JSON object.

Law of the file: text that came from a client or a file goes through `printable`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botsieve.decision import Measure, Signal
from botsieve.printable import printable
from botsieve.replay.explain import Change, Explanation, Family

_UNITS = (("_s", "s"), ("_ms", "ms"), ("_percent", "%"))


def explain_lines(explanation: Explanation) -> Iterator[str]:
    """Line by line: who, what was decided, of what the score is made, and which single change alters it."""
    record = explanation.record
    yield f"{_said(record, 'id')}  {_said(record, 'time')}  {_said(record, 'client')}"
    yield f"{_said(record, 'method')} {_said(record, 'path')}  ({_said(record, 'kind')}; policy {_said(record, 'policy')})"
    if record.get("user_agent"):
        yield f"User-Agent: {_said(record, 'user_agent')}"
    yield ""
    yield f"{_said(record, 'would_be')}: {_score(explanation)}; settled by {_said(record, 'rule')}"
    for note in explanation.notes:
        yield printable(note)
    yield ""
    if not explanation.signals:
        yield "No finding."
    for signal in explanation.signals:
        yield f"  {signal.points:+4d}  {printable(signal.reason)}" + _subject(signal)
        for measure in signal.measures:
            yield f"          {_measure_text(measure)}"
    yield from _sums(explanation)
    yield from _change_lines(explanation)
    yield from _remedy_lines(explanation)


def explain_object(explanation: Explanation) -> dict[str, Any]:
    """The record itself under `decision`, and what was worked out of it."""
    return {
        "schema": 1,
        "decision": explanation.record,
        "challenge_at": explanation.challenge_at,
        "block_at": explanation.block_at,
        "by_threshold": explanation.by_threshold,
        "added_points": explanation.added,
        "families": [{"family": f.name, "points": f.points, "cap": f.cap, "counted": f.counted} for f in explanation.families],
        "changes": [_change_object(change) for change in explanation.changes],
        "notes": list(explanation.notes),
        "remedies": [{"what": remedy.what, "write": remedy.write} for remedy in explanation.remedies],
    }


def _said(record: Any, key: str) -> str:
    return printable(str(record.get(key, "-")), 1024)


def _score(explanation: Explanation) -> str:
    limits = f"challenge from {explanation.challenge_at}, block from {explanation.block_at}"
    return f"score {explanation.record['score']} of 100 ({limits})"


def _subject(signal: Signal) -> str:
    return f"  (behaviour of the {signal.subject})" if signal.subject else ""


def _measure_text(measure: Measure) -> str:
    name = printable(measure.name)
    if measure.limit is None:
        return f"{name} {measure.value:g}"
    return f"{name} {measure.value:g}, limit {measure.limit:g}"


def _sums(explanation: Explanation) -> Iterator[str]:
    for family in explanation.families:
        if family.cap is not None and family.points > family.cap:
            yield _capped(family)
    if explanation.added:
        yield f"  {explanation.added:+4d}  added by a rule of the policy"
    if explanation.signals or explanation.added:
        yield f"  {explanation.record['score']:4d}  score" + ("  (at most 100)" if explanation.record["score"] == 100 else "")


def _capped(family: Family) -> str:
    return f"  {family.counted - family.points:+4d}  findings of the family {family.name} count {family.cap} at most"


def _change_lines(explanation: Explanation) -> Iterator[str]:
    now = explanation.by_threshold
    if not explanation.signals:
        return
    yield ""
    if not explanation.changes:
        yield f"No single finding decides: without any one of them the score still says {now}."
        return
    yield f"One change that turns {now} (by score) into something else:"
    for change in explanation.changes:
        yield f"  {_change_text(change)}: score {change.score}, {change.verdict}"


def _remedy_lines(explanation: Explanation) -> Iterator[str]:
    if not explanation.remedies:
        return
    yield ""
    yield "If this was a mistake, one of these; a configuration that is saved is in force within seconds:"
    width = max(len(remedy.what) for remedy in explanation.remedies)
    for remedy in explanation.remedies:
        yield f"  {printable(remedy.what):{width}}  {printable(remedy.write)}"


def _change_text(change: Change) -> str:
    reason, measure = printable(change.reason), change.measure
    if measure is None or measure.limit is None:
        return f"without {reason}"
    # The value stood on the bad side of the limit: the good side begins there, or just below what was reached.
    side = "at least" if measure.value < measure.limit else "less than" if measure.value >= measure.limit else ""
    return f"{printable(measure.name)} {side} {measure.limit:g} instead of {measure.value:g} ({reason})"


def _change_object(change: Change) -> dict[str, Any]:
    out: dict[str, Any] = {"signal": change.signal, "score": change.score, "verdict": change.verdict}
    if change.measure is not None:
        out["measure"] = change.measure.name
        out["value"] = change.measure.value
        out["limit"] = change.measure.limit
    return out
