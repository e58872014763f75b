"""botsieve.attacks.opener: rates, what is usual, and what an address costs that opens few sessions"""

from __future__ import annotations

import sys
import tracemalloc

import pytest
from botsieve.attacks.opener import OPENER_BYTES, PARTS, Counted, Opener, Usual
from botsieve.detectors.settings import SessionOpening
from botsieve.state.parts import sum_windowed
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rig import START_S

SETTINGS = SessionOpening()
KEY = b"address1"


def test_a_fifth_of_the_minimum_makes_a_profile() -> None:
    """Five openings in one second of the ten; four in each make none."""
    counted = Counted(SETTINGS)
    assert not any(counted.opened(KEY, START_S + n / 4, SETTINGS) for n in range(400))
    assert [counted.opened(KEY, START_S + 200, SETTINGS) for _ in range(5)] == [False] * 4 + [True]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), min_size=1, max_size=40))
def test_the_profile_knows_every_opening_of_the_window(bursts: list[tuple[int, int]]) -> None:
    """Whatever came before it was made: once the rate reaches the minimum, it is exact."""
    counted, opener, seen = Counted(SETTINGS), None, []
    for at_s, times in sorted(bursts):
        for _ in range(times):
            seen.append(at_s)
            if opener is not None:
                opener.opened(START_S + at_s, SETTINGS)
            elif counted.opened(KEY, START_S + at_s, SETTINGS):
                opener = Opener(counted, START_S + at_s)
                counted.moved(KEY, opener)
            within = sum(1 for one in seen if one > at_s - PARTS)
            assert opener is None or opener.recent.total == within
            assert opener is not None or within < SETTINGS.minimum_per_s * SETTINGS.over_s


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), max_size=200))
def test_openings_seen_by_several_processes_add_up(openings: list[tuple[int, int]]) -> None:
    """The sum over the parts of three processes is what one process would have seen, however often a part is taken."""
    site = Counted(SETTINGS)
    whole, parts = Opener(site, START_S), [Opener(site, START_S) for _ in range(3)]
    newest = int((START_S + 60) * PARTS / SETTINGS.over_s)
    for at_s, process in sorted(openings):
        for opener in (whole, parts[process]):
            opener.opened(START_S + at_s, SETTINGS)
            opener.usual.add(START_S + at_s, SETTINGS, is_first=False)
    published = {n: part.recent.slices() for n, part in enumerate(parts)} | {0: parts[0].recent.slices()}
    assert sum_windowed(published.values(), newest, PARTS) == whole.recent.read(newest)
    sessions = [part.usual.sessions.slices() for part in parts]
    assert sum_windowed(sessions, int((START_S + 60) / 300), 12) == whole.usual.sessions.total


def test_usual_is_said_after_ten_minutes() -> None:
    """The mean over the windows in which a session came back."""
    usual = Usual(START_S)
    for number in range(61):
        for _ in range(30):
            usual.came_back(START_S + number * 10, SETTINGS)
        assert usual.per_s(START_S + number * 10, SETTINGS) == (3.0 if number == 60 else None)
    assert usual.per_s(START_S + 1200, SETTINGS) == 3.0
    assert usual.per_s(START_S + 9000, SETTINGS) is None


def test_the_mean_of_the_site_is_of_an_address() -> None:
    """Ten addresses that open two sessions each within ten seconds open 0.2 a second."""
    counted = Counted(SETTINGS)
    for window in range(61):
        for address in range(20):
            counted.came_back((address % 10).to_bytes(8, "big"), START_S + window * 10 + address / 3, SETTINGS)
    assert counted.usual.per_s(START_S + 610, SETTINGS) == pytest.approx(0.2)


def test_who_opens_few_sessions_costs_nothing_for_good() -> None:
    """Addresses that were seen once are gone after the window: 200,000 of them within a minute leave little."""
    counted = Counted(SETTINGS)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(200_000):
        counted.opened(number.to_bytes(8, "big"), START_S + number * 0.0005, SETTINGS)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown / 200_000 < 20


def test_the_bytes_that_the_table_is_told() -> None:
    """Not less than what a profile takes."""
    opener = Opener(Counted(SETTINGS), START_S)
    parts = (opener.recent, opener.usual.sessions, opener.usual.windows)
    size = sum(sys.getsizeof(part) + sys.getsizeof(part._counts) for part in parts)
    size += sys.getsizeof(opener) + sys.getsizeof(opener.usual) + 200  # numbers, the key, the entry of the dict
    assert size <= OPENER_BYTES
