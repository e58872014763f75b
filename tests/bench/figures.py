"""The form of what a benchmark prints: one row a figure, with its goal beside it.

Law of the file: a figure says how it was measured and where its processes ran; a ratio comes from runs that alternated.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterable

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row.  `reached`: the goal is met; None where there is no goal, or where what was measured is too little to show it."""

    what: str
    measured: str
    goal: str = ""
    reached: bool | None = None
    how: str = ""


def median_of(runs: int, measure: Callable[[], float]) -> float:
    """The median of several runs of one measurement."""
    return statistics.median(measure() for _ in range(runs))


def alternating(runs: int, measures: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Medians of several measurements, run in turn, so that a slow minute of the machine hits all of them."""
    seen: dict[str, list[float]] = {name: [] for name in measures}
    for turn in range(runs):
        # Every other turn backwards: whoever runs after a hungry neighbour is not always the same.
        for name in sorted(measures, reverse=bool(turn % 2)):
            seen[name].append(measures[name]())
    return {name: statistics.median(values) for name, values in seen.items()}


def table(figures: Iterable[Figure]) -> str:
    """The rows as text, each with how it was measured below it."""
    rows = list(figures)
    what = max((len(row.what) for row in rows), default=0)
    measured = max((len(row.measured) for row in rows), default=0)
    marks = {True: "reached", False: "NOT reached", None: "not shown"}
    lines = []
    for row in rows:
        goal = f"goal {row.goal}: {marks[row.reached]}" if row.goal else ""
        lines.append(f"  {row.what:<{what}}  {row.measured:>{measured}}  {goal}".rstrip())
        if row.how:
            lines.append(f"      {row.how}")
    return "\n".join(lines)


def show(figures: list[Figure]) -> None:
    """Prints rows: as a table, or as JSON for tests/bench/run.py."""
    if "--json" in sys.argv:
        print(json.dumps(msgspec.to_builtins(figures)))
    else:
        print(table(figures))
