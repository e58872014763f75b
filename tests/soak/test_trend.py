"""What `make soak` calls growth, on readings that are made up."""

from __future__ import annotations

import pytest

from tests.soak.trend import SETTLE_S, Reading, is_constant, outcome, settled, slope_per_min
from tests.soak.visitors import CLIENTS, NEW_EVERY, request

HALF_AN_HOUR_S = 1800.0


def readings(mib_per_min: float = 0.0, files_per_min: float = 0.0, tasks_per_min: float = 0.0) -> list[Reading]:
    """One every five seconds; in the first five minutes 100 MiB and 20 descriptors come on top, as at a real start."""
    found = []
    for at_s in range(0, int(HALF_AN_HOUR_S), 5):
        early = min(1.0, at_s / 240.0)
        minutes, wobble = at_s / 60.0, (at_s // 5) % 3
        found.append(
            Reading(
                float(at_s),
                int((80 + 100 * early + mib_per_min * minutes) * 1024) + 100 * wobble,
                int(20 + 20 * early + files_per_min * minutes) + wobble,
                6,
                int(4 + tasks_per_min * minutes),
            )
        )
    return found


def test_what_fills_at_the_start_is_no_growth() -> None:
    """100 MiB in the first five minutes, then nothing: good, and the figures are of the time after."""
    found = outcome(readings(), HALF_AN_HOUR_S)
    assert found.is_good
    assert found.rss_mib == pytest.approx((180, 180), abs=0.3)
    assert abs(found.mib_per_min) < 0.01
    assert found.minutes == pytest.approx(25, abs=0.2)
    assert (found.open_files, found.threads, found.tasks) == ((40, 42), (6, 6), (4, 4))


@pytest.mark.parametrize(("mib_per_min", "grown"), [(0.9, ()), (1.1, ("memory",))])
def test_memory(mib_per_min: float, grown: tuple[str, ...]) -> None:
    """The goal is below 1 MiB a minute."""
    found = outcome(readings(mib_per_min), HALF_AN_HOUR_S)
    assert found.mib_per_min == pytest.approx(mib_per_min, abs=0.01)
    assert found.grown == grown
    assert found.is_good == (not grown)


def test_descriptors_and_tasks() -> None:
    """One in a minute and a half is a leak, however slow it is."""
    found = outcome(readings(files_per_min=0.6, tasks_per_min=0.6), HALF_AN_HOUR_S)
    assert found.grown == ("open files", "asyncio tasks")


@pytest.mark.parametrize(
    ("values", "constant"),
    [
        ([6] * 9, True),
        ([30, 44, 20, 41, 28, 36, 22, 43, 30], True),
        ([20, 21, 20, 22, 30, 20, 42, 21, 40], True),
        ([4, 4, 4, 5, 5, 5, 7, 7, 7], False),
        ([5, 5], False),
    ],
)
def test_what_comes_and_goes_is_constant(values: list[int], constant: bool) -> None:
    """Connections of nginx's pool come and go; what only comes is growth; too few readings show nothing."""
    assert is_constant(values) is constant


def test_a_short_run() -> None:
    """Of a run of less than ten minutes the second half counts; with nothing left to look at it says so."""
    short = [one for one in readings() if one.at_s < 120]
    assert settled(short, 120.0)[0].at_s == 60.0
    assert settled(readings(), HALF_AN_HOUR_S)[0].at_s == SETTLE_S
    with pytest.raises(ValueError, match="let it run for longer"):
        outcome(short[:2], 10.0)
    assert slope_per_min([(5.0, 7.0)]) == 0.0
    assert slope_per_min([(0.0, 7.0), (30.0, 8.0)]) == pytest.approx(2.0)


def test_visitors_are_many_and_the_same_in_every_run() -> None:
    """3,000 who come again, one request in 50 from somebody new; four to a network."""
    sent = [request(number) for number in range(3_000)]
    assert sent == [request(number) for number in range(3_000)]
    addresses = [one.partition(b"X-Test-Address: ")[2].split(b"\r\n")[0] for one in sent]
    new = [address for number, address in enumerate(addresses) if number % NEW_EVERY == 0]
    assert len(set(new)) == len(new) == 60
    assert 1_000 < len(set(addresses)) < CLIENTS
    networks = {address.rpartition(b".")[0] for address in addresses}
    assert len(set(addresses)) / len(networks) > 2
