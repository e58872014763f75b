"""`python -m tests.security.series`, with a few thousand requests in place of a million."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.security.series import GOAL, Hostile


def test_hostile_requests_make_no_series(tmp_path: Path) -> None:
    """A client chooses no label: four times the requests make no more series than a first thousand, and all are below the goal."""
    hostile = Hostile(tmp_path)
    asyncio.run(hostile.pour(1_000))
    before = hostile.series()
    asyncio.run(hostile.pour(4_000))
    after = hostile.series()
    metrics = hostile.whole.journal.metrics
    hostile.whole.journal.close()
    assert metrics.decisions_total > 4_000
    assert sum(after.values()) <= GOAL
    assert {name for name in after if after[name] > before.get(name, 0) + 4} == set()
