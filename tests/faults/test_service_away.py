"""The service behind nginx is stopped, killed or restarted under 200 requests/s: what visitors see, and what is counted."""

from __future__ import annotations

import pytest

from tests.faults.run import FAULTS, FIRST, measure, table

# nginx counts whole seconds: fail_timeout=2s lasts until the third tick, and the pace of the visits adds one of them.
JUDGING_AGAIN_S = 3.2


@pytest.mark.realtime
@pytest.mark.parametrize("fault", list(FAULTS))
def test_nobody_notices(fault: str) -> None:
    """Zero errors from the first request on, judged again within 3 s, and every unjudged request is counted and reported.

    The first 50: all answered; at SIGSTOP the few that wait for the time-out pay its 50 ms, the others nothing.
    """
    outcome = measure(fault)
    print("\n" + table([outcome]))
    assert outcome.before.visits > 100
    assert outcome.after.visits > 0
    assert [part.errors for part in (outcome.before, outcome.first, outcome.away, outcome.after)] == [0, 0, 0, 0]
    assert outcome.before.unjudged_percent < 50.0  # a busy machine misses 50 ms now and then
    assert outcome.first.visits == FIRST
    assert outcome.first.worst_ms < 1000.0
    assert outcome.back_s <= JUDGING_AGAIN_S
    assert outcome.counted > FIRST
    # Where nginx itself is later than its own 50 ms it asks its backup twice, and counts twice: never less than what passed.
    assert outcome.counted <= outcome.reported <= outcome.counted * 1.25
