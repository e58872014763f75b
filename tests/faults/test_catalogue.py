"""Each row of `make faults`, shortly: what visitors see while the service, its files, the clock or nginx are in trouble."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.faults.catalogue import FAULTS, GOES_ON, NO_WEB_SERVER, NOBODY_JUDGES
from tests.faults.run import FIRST, HEAD, SHORT, Outcome, explained, measure, row
from tests.faults.visitors import RATE_PER_S, share
from tests.pace import in_time, slowness

# nginx counts whole seconds: fail_timeout=1s lasts until the second tick.  The rest is a service that is late while it starts.
JUDGING_AGAIN_S = 3.0
_OF = {kind: [name for name, fault in FAULTS.items() if fault.kind == kind] for kind in (NOBODY_JUDGES, GOES_ON, NO_WEB_SERVER)}


def fitting_rate_per_s() -> float:
    """As many visitors as a busy machine can carry within the 50 ms of nginx: what is watched is the fault, not the machine."""
    return max(40.0, RATE_PER_S / slowness())


def seen(fault: str) -> Outcome:
    """A short run, told in full where an assertion fails."""
    outcome = measure(fault, SHORT, fitting_rate_per_s())
    print("\n" + explained(outcome))
    return outcome


@pytest.mark.realtime
@pytest.mark.parametrize("fault", _OF[NOBODY_JUDGES])
def test_nobody_notices(fault: str) -> None:
    """Zero errors from the first request on, judged again in time, and every unjudged request is counted and reported.

    The first 50: all answered; the few that wait for the time-out pay its 50 ms, the others nothing.
    """
    outcome = seen(fault)
    assert outcome.before.visits > FIRST // 5
    assert outcome.after.visits > 0
    assert [part.errors for part in (outcome.before, outcome.first, outcome.during, outcome.after)] == [0, 0, 0, 0]
    assert outcome.first.visits == FIRST
    assert in_time(outcome.first.worst_ms / 1000.0, 1.0)
    assert in_time(outcome.back_s, JUDGING_AGAIN_S)
    assert outcome.counted > FIRST // 5
    # Where nginx itself is later than its own 50 ms it asks its backup twice, and counts twice: never less than what passed.
    # Those who passed just before, which the service had not written down when it was killed, are reported again.
    assert outcome.counted <= outcome.reported <= outcome.counted * 1.25 + outcome.before.visits


@pytest.mark.realtime
@pytest.mark.parametrize("fault", _OF[GOES_ON])
def test_it_goes_on(fault: str) -> None:
    """Zero errors, and everybody is judged as before; a machine that is short of breath lets a part pass, and says how many."""
    outcome = seen(fault)
    assert [part.errors for part in (outcome.before, outcome.first, outcome.during, outcome.after)] == [0, 0, 0, 0]
    assert outcome.during.visits > FIRST
    assert in_time(outcome.during.p50_ms / 1000.0, 0.1)
    assert outcome.counted <= outcome.reported


@pytest.mark.realtime
def test_nginx_killed() -> None:
    """Started again with the same files it serves and judges at once; nothing that a SIGKILL left behind is in its way."""
    (fault,) = _OF[NO_WEB_SERVER]
    outcome = seen(fault)
    assert (outcome.before.errors, outcome.after.errors) == (0, 0)
    assert outcome.during.errors > 0  # the test does what it says
    assert outcome.after.visits > 100
    assert in_time(outcome.back_s, 1.0)


def test_every_fault_is_in_the_document() -> None:
    """docs/faults.md has the head of the table and a row for each fault, as `make faults` prints them."""
    page = (ROOT / "docs" / "faults.md").read_text()
    assert f"    {HEAD}" in page
    assert [name for name in FAULTS if f"\n    {name:<20} " not in page] == []


def test_a_row_says_what_was_seen() -> None:
    """Errors, times, share and counts stand where the head says."""
    nothing = share([])
    some = nothing._replace(visits=600, errors=2, p50_ms=1.25, p99_ms=51.5, unjudged_percent=12.5)
    text = row(Outcome("service killed", nothing, nothing, some, nothing, 1.84, 75, 76))
    assert text.split() == ["service", "killed", "600", "2", "1.2", "51.5", "12.5%", "after", "1.8", "s", "75,", "76"]
    assert row(Outcome("clock +1 h", nothing, nothing, some, nothing, 0.0, 0, 0)).endswith("never stopped  none")
