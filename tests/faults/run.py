"""What visitors see while something is broken: `make faults`, three minutes; `python -m tests.faults.run "clock +1 h"`: one row.

200 visitors a second through nginx with the shipped includes; in the middle of them the fault begins, and ends.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.faults.catalogue import FAULTS, GOES_ON, NO_WEB_SERVER, NOBODY_JUDGES, Step
from tests.faults.stage import Stage, stage
from tests.faults.visitors import RATE_PER_S, Share, Visit, share, visit

FIRST = 50


class Times(NamedTuple):
    """How long visits go on before, during and at least after a fault, in seconds."""

    before_s: float
    away_s: float
    after_s: float


# It goes on until everybody is judged again, however long that takes.
LONG = {NOBODY_JUDGES: Times(1.0, 3.0, 1.0), GOES_ON: Times(1.0, 3.0, 1.0), NO_WEB_SERVER: Times(1.0, 1.0, 1.0)}
SHORT = {NOBODY_JUDGES: Times(0.7, 1.0, 0.5), GOES_ON: Times(0.7, 1.0, 0.5), NO_WEB_SERVER: Times(0.7, 0.3, 0.5)}


class Outcome(NamedTuple):
    """`first`: the first 50 visits of the fault; `during`: from its beginning until it was over and everybody was judged again.

    `back_s`: from its end to the first verdict that lasted.  `counted`, `reported`: unjudged requests since its beginning, as the
    application and as the service's metric saw them.
    """

    fault: str
    before: Share
    first: Share
    during: Share
    after: Share
    back_s: float
    counted: int
    reported: int


def measure(name: str, times: dict[str, Times] | None = None, rate_per_s: float = RATE_PER_S) -> Outcome:
    """One fault, from its beginning to its end.  `times`: LONG, unless given.

    With fewer visits a second all of it lasts so much longer, with as many visits.
    """
    fault = FAULTS[name]
    before_s, away_s, after_s = (seconds * RATE_PER_S / rate_per_s for seconds in (times or LONG)[fault.kind])
    marks: list[float] = []
    has_begun = threading.Event()
    broken: list[BaseException] = []

    def marked(step: Step, at: Stage) -> None:
        try:
            step(at)
        except BaseException as error:
            broken.append(error)
        marks.append(time.perf_counter())

    with stage() as at:
        visit(at.port, 0.3, rate_per_s=rate_per_s)
        earlier = at.reported()
        begun: list[float] = []

        def begin() -> None:
            begun.append(time.perf_counter())
            marked(fault.begin, at)
            has_begun.set()

        def finish(step: Step) -> None:
            """Not before it has begun: on a busy machine that takes longer than it is to last."""
            has_begun.wait()
            marked(step, at)

        def over_s() -> float:
            """When the fault was over, in seconds since the first visit; not yet: infinity."""
            if len(marks) < (1 if fault.end is None else 2):
                return float("inf")
            passed_s = marks[-1] - begun[0]
            return before_s + (max(passed_s, away_s) if fault.kind == GOES_ON else passed_s)

        def is_enough(visits: list[Visit]) -> bool:
            back = _judged_again(sorted(visits), over_s())
            return bool(broken) or sum(one.due_s >= back for one in visits) >= 2 * FIRST

        events: list[tuple[float, Callable[[], object]]] = [(before_s, begin)]
        if fault.end is not None:
            end = fault.end
            events.append((before_s + away_s, lambda: finish(end)))
        visits = sorted(visit(at.port, before_s + away_s + after_s, events, is_enough, rate_per_s))
        if broken:
            raise broken[0]
        reported = at.reported() - earlier
        if fault.after is not None:
            fault.after(at)
    return _outcome(name, visits, before_s, over_s(), reported)


def _outcome(name: str, visits: list[Visit], before_s: float, over_s: float, reported: int) -> Outcome:
    # What is on its way when the web server is killed is lost with it.
    known_s = 0.001 if FAULTS[name].kind == NO_WEB_SERVER else 0.0
    before = [one for one in visits if one.due_s + one.ms * known_s < before_s]
    since = [one for one in visits if one.due_s + one.ms * known_s >= before_s]
    back = _judged_again(since, over_s)
    return Outcome(
        name,
        share(before),
        share(since[:FIRST]),
        share([one for one in since if one.due_s < back]),
        share([one for one in since if one.due_s >= back]),
        back - over_s,
        sum(one.is_unjudged for one in since),
        reported,
    )


def _judged_again(visits: list[Visit], over_s: float) -> float:
    """When, from `over_s` on, a verdict came and at least nine of ten that follow: a busy machine may miss one."""
    for at, one in enumerate(visits):
        if one.due_s >= over_s and one.verdict == "allow" and share(visits[at : at + FIRST]).unjudged_percent <= 10.0:
            return one.due_s
    return float("inf")


HEAD = f"{'':<20} {'visits':>6} {'errors':>6} {'p50 ms':>7} {'p99 ms':>7} {'unjudged':>8}  judging again  passed unjudged, reported"


def row(outcome: Outcome) -> str:
    """One line of the table."""
    during, kind = outcome.during, FAULTS[outcome.fault].kind
    again = "never stopped" if kind == GOES_ON else f"after {outcome.back_s:.1f} s"
    passed = f"{outcome.counted}, {outcome.reported}" if outcome.counted or outcome.reported else "none"
    return (
        f"{outcome.fault:<20} {during.visits:>6} {during.errors:>6} {during.p50_ms:>7.1f} {during.p99_ms:>7.1f} "
        f"{during.unjudged_percent:>7.1f}%  {again:<13}  {passed}"
    )


def explained(outcome: Outcome) -> str:
    """Everything about one fault, for a test that fails."""
    parts = (
        ("before", outcome.before),
        (f"first {FIRST}", outcome.first),
        ("during", outcome.during),
        ("after", outcome.after),
    )
    return "\n".join([HEAD, row(outcome), *(f"  {when}: {seen}" for when, seen in parts)])


def is_broken(outcome: Outcome) -> bool:
    """Whether a visitor saw an error; while there is no web server, everybody does."""
    parts = [outcome.before, outcome.after]
    if FAULTS[outcome.fault].kind != NO_WEB_SERVER:
        parts += [outcome.first, outcome.during]
    return any(seen.errors for seen in parts)


def main() -> int:
    """Exit 1 when a visitor saw an error."""
    names = sys.argv[1:] or list(FAULTS)
    print(f"{RATE_PER_S} visitors/s through nginx; load of the machine {os.getloadavg()[0]:.1f}\n\n{HEAD}", flush=True)
    outcomes = []
    for name in names:
        with contextlib.redirect_stdout(io.StringIO()):  # what the installer of the includes says
            outcomes.append(measure(name))
        print(row(outcomes[-1]), flush=True)
    print(f"\nload of the machine {os.getloadavg()[0]:.1f} at the end")
    return int(any(is_broken(outcome) for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
