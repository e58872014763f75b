"""What visitors see while the service is away: `python -m tests.faults.run`, under a minute.

200 visitors a second through nginx with the shipped includes; the service is stopped, killed or restarted in the middle.
"""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.faults.stage import Stage, stage
from tests.faults.visitors import RATE_PER_S, Share, Visit, share, visit

BEFORE_S, AWAY_S, AFTER_S = 1.0, 3.0, 5.0
FIRST = 50


class Outcome(NamedTuple):
    """`away`: visits from the fault to the return; `first`: the first 50 of them; `after`: once it judged again.

    `back_s`: from the return (the signal, or `ready`) to the first verdict that lasted.
    `counted`, `reported`: unjudged requests as the application and as the service's metric saw them.
    """

    fault: str
    before: Share
    first: Share
    away: Share
    after: Share
    back_s: float
    counted: int
    reported: int


def _stop(at: Stage) -> None:
    at.signal(signal.SIGSTOP)


def _go_on(at: Stage) -> None:
    at.signal(signal.SIGCONT)


_Step = Callable[[Stage], None]
FAULTS: dict[str, tuple[_Step, _Step | None]] = {
    "stopped": (_stop, _go_on),
    "killed": (Stage.kill, Stage.start),
    "restarted": (Stage.restart, None),
}


def measure(fault: str) -> Outcome:
    """One fault, from its beginning to its end."""
    begin, end = FAULTS[fault]
    marks: list[float] = []

    def marked(step: _Step) -> None:
        marks.append(time.perf_counter())
        step(at)
        marks.append(time.perf_counter())

    with stage() as at:
        warm = sum(one.verdict == "unjudged" for one in visit(at.port, 0.3))
        # A service that goes on remembers what it counted; a new one hears of everything that nginx ever let pass.
        before = at.reported() if fault == "stopped" else warm
        events = [(BEFORE_S, lambda: marked(begin))]
        if end is not None:
            events.append((BEFORE_S + AWAY_S, lambda: marked(end)))
        visits = visit(at.port, BEFORE_S + AWAY_S + AFTER_S, events)
        counted = sum(one.verdict == "unjudged" for one in visits)
        reported = at.reported() - before
    return _outcome(fault, visits, counted, reported, BEFORE_S + marks[-1] - marks[0])


def _outcome(fault: str, visits: list[Visit], counted: int, reported: int, end_s: float) -> Outcome:
    visits = sorted(visits)
    away = [one for one in visits if one.due_s >= BEFORE_S]
    back = _judged_again(away, end_s)
    return Outcome(
        fault,
        share([one for one in visits if one.due_s < BEFORE_S]),
        share(away[:FIRST]),
        share([one for one in away if one.due_s < back]),
        share([one for one in away if one.due_s >= back]),
        back - end_s,
        counted,
        reported,
    )


def _judged_again(visits: list[Visit], end_s: float) -> float:
    """When, from `end_s` on, a verdict came and at least nine of ten that follow: a busy machine may miss one."""
    for at, one in enumerate(visits):
        if one.due_s >= end_s and one.verdict == "allow" and share(visits[at : at + FIRST]).unjudged_percent <= 10.0:
            return one.due_s
    return float("inf")


def table(outcomes: list[Outcome]) -> str:
    """What to show."""
    lines = [
        f"{RATE_PER_S} visitors/s through nginx; the service away for {AWAY_S:.0f} s (restarted: as long as it takes)",
        f"{'service':<10} {'when':<16} {'visits':>6} {'errors':>6} {'p50 ms':>7} {'p99 ms':>7} {'worst':>7} {'unjudged':>9}",
    ]
    for outcome in outcomes:
        parts = (
            ("before", outcome.before),
            (f"first {FIRST}", outcome.first),
            ("away", outcome.away),
            ("after", outcome.after),
        )
        for when, seen in parts:
            lines.append(
                f"{outcome.fault:<10} {when:<16} {seen.visits:>6} {seen.errors:>6} {seen.p50_ms:>7.1f} {seen.p99_ms:>7.1f} "
                f"{seen.worst_ms:>7.1f} {seen.unjudged_percent:>8.1f}%"
            )
        lines.append(
            f"{outcome.fault:<10} judging again {outcome.back_s:.1f} s after it was back; let pass unjudged: {outcome.counted}, "
            f"reported by the service: {outcome.reported}"
        )
    return "\n".join(lines)


def main() -> int:
    """Exit 1 when a visitor saw an error."""
    with contextlib.redirect_stdout(io.StringIO()):  # what the installer of the includes says
        outcomes = [measure(fault) for fault in FAULTS]
    print(table(outcomes))
    return int(any(seen.errors for outcome in outcomes for seen in (outcome.before, outcome.away, outcome.after)))


if __name__ == "__main__":
    sys.exit(main())
