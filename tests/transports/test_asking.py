"""botsieve.transports.asking: how much edges are told to ask, on a clock that the test moves, and edges that hear it late."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterator

import msgspec
import pytest
from botsieve.transports.asking import ALL, STEP_S, Asking
from botsieve.transports.surplus import Surplus
from hypothesis import given
from hypothesis import strategies as st

JUDGE_S, REFUSE_S, READ_S = 500e-6, 2e-6, 5e-6
PEAK_PER_S = 1 / (JUDGE_S + READ_S)
HEARD_FOR_S = 0.1  # as lua/resty/botsieve/asking.lua
POLL_S = 0.0002
SOON_S, TOO_LATE_S = 0.005, 0.050


class Edge:
    """One nginx: what it was told last, and when."""

    def __init__(self, seed: int, late_s: float) -> None:
        self._random = random.Random(seed)
        self._late_s = late_s
        self._on_the_way: deque[tuple[float, int]] = deque()
        self._heard = (-1.0, ALL)
        self._due = 0.0
        self.spared = 0

    def asks(self, arrived: float, now_s: float) -> int:
        """How many of those who arrived it asks about."""
        while self._on_the_way and self._on_the_way[0][0] <= now_s:
            self._heard = self._on_the_way.popleft()
        heard_s, part = self._heard
        part = part if now_s - heard_s <= HEARD_FOR_S else ALL
        self._due += arrived
        count = int(self._due)
        self._due -= count
        asked = sum(self._random.randint(1, ALL) <= part for _ in range(count))
        self.spared += count - asked
        return asked

    def hear(self, part: int, now_s: float) -> None:
        """An answer was sent to it."""
        if part:
            self._on_the_way.append((now_s + self._late_s, part))


class Moment(msgspec.Struct):
    """One turn.  Waits in seconds, of each who was judged or refused in it."""

    at_s: float
    arrived: float
    part: int
    spared: int = 0
    judged_after: list[float] = []
    refused_after: list[float] = []

    @property
    def judged(self) -> int:
        return len(self.judged_after)

    @property
    def refused(self) -> int:
        return len(self.refused_after)


class Asked:
    """One request that an edge asked about."""

    def __init__(self, place: Place, came_s: float) -> None:
        self._place, self.came_s = place, came_s

    def go_on(self) -> None:
        assert self._place.surplus.admits()
        self._place.spend(self._place.judge_s)
        self._place.judged_after.append(self._place.now_s - self.came_s)


class Place:
    """A service of which only the loop is left, with its edges.  `late_s`: how long an answer is on its way."""

    def __init__(self, edges: int = 1, late_s: float = 0.0, judge_s: float = JUDGE_S) -> None:
        self.now_s = 100.0
        self.worked_s = 0.0
        self.judge_s = judge_s
        self.slower = 1.0  # so many times longer than it works for it does everything take: others have the core, too
        self.stalls_s, self.stalls_every_s = 0.0, 1.0
        self.loop = asyncio.new_event_loop()
        self.surplus = Surplus(self.loop, clock=lambda: self.now_s, work=lambda: self.worked_s)
        self.part = 0
        self.surplus.asking = self.asking = Asking(self._say)
        self.edges = [Edge(seed, late_s) for seed in range(edges)]
        self.plain_0_1 = 0.0  # of what arrives comes by edges that hear nothing
        self._plain_due = 0.0
        self.moments: list[Moment] = []
        self._last_s = self.now_s
        self.judged_after: list[float] = []

    def _say(self, part: int) -> None:
        self.part = part

    def spend(self, seconds: float) -> None:
        """Works for so long."""
        self.worked_s += seconds
        before_s = self.now_s
        self.now_s += seconds * self.slower
        if self.stalls_s and before_s // self.stalls_every_s != self.now_s // self.stalls_every_s:
            self.now_s += self.stalls_s

    def run(self, per_s: float, seconds: float) -> list[Moment]:
        """So many a second arrive at the edges, evenly at all of them."""
        first, until_s = len(self.moments), self.now_s + seconds
        while self.now_s < until_s:
            self._turn(per_s)
        return self.moments[first:]

    def _turn(self, per_s: float) -> None:
        self.now_s += POLL_S
        began_s, last_s = self.now_s, self._last_s
        arrived = per_s * (began_s - last_s)
        self._last_s, self.judged_after, refused_after = began_s, [], []
        asked = [edge.asks(arrived * (1 - self.plain_0_1) / len(self.edges), began_s) for edge in self.edges]
        self._plain_due += arrived * self.plain_0_1
        count = sum(asked) + int(self._plain_due)
        self._plain_due %= 1.0
        for number in range(count):
            self.spend(READ_S)
            who = Asked(self, last_s + (began_s - last_s) * number / count)
            if not self.surplus.has_line:
                who.go_on()
            elif not self.surplus.takes(who):
                assert not self.surplus.admits()
                self.spend(REFUSE_S)
                refused_after.append(self.now_s - who.came_s)
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        spared = 0
        for edge, number in zip(self.edges, asked, strict=True):
            if number:
                self.asking.spared(edge.spared)  # said with the question
                spared += edge.spared
                edge.spared = 0
                edge.hear(self.part, self.now_s)
        self.moments.append(Moment(self.now_s, arrived, self.part, spared, self.judged_after, refused_after))


@pytest.fixture
def places() -> Iterator[list[Place]]:
    made: list[Place] = []
    yield made
    for place in made:
        place.loop.close()


def goodput(moments: list[Moment], peak_per_s: float = PEAK_PER_S) -> float:
    """Judged while somebody waits for it, as a part of the peak."""
    in_time = sum(took_s <= TOO_LATE_S for one in moments for took_s in one.judged_after)
    return in_time / (moments[-1].at_s - moments[0].at_s) / peak_per_s


def waited_s(moments: list[Moment]) -> float:
    """The 99th percentile of what those waited whom nobody judged; who was not asked about waited for nothing."""
    waits = sorted([0.0] * sum(one.spared for one in moments) + [took_s for one in moments for took_s in one.refused_after])
    return waits[len(waits) * 99 // 100] if waits else 0.0


def refused(moments: list[Moment]) -> float:
    """Of those who were asked about."""
    count = sum(one.refused for one in moments)
    return count / (count + sum(one.judged for one in moments))


TIMES = (1.2, 2.0, 3.0, 5.0, 20.0)


@pytest.mark.parametrize("late_s", [0.0, 0.1], ids=["at once", "heard late"])
@pytest.mark.parametrize("edges", [1, 8])
@pytest.mark.parametrize("times", TIMES)
def test_what_is_asked_is_what_can_be_judged(places: list[Place], times: float, edges: int, late_s: float) -> None:
    """Near the peak within a second, nearly all that is asked is judged, no swinging; all are asked about within a second after."""
    place = Place(edges, late_s)
    places.append(place)
    place.run(PEAK_PER_S / 2, 0.3)
    assert place.part == 0
    begin = place.run(PEAK_PER_S * times, 1.0)
    assert goodput(begin) >= 0.75
    steady = place.run(PEAK_PER_S * times, 2.0)
    assert 0.88 <= goodput(steady) <= 1.0
    assert refused(steady) <= (0.07 if times <= 5 else 0.1)
    wanted = ALL / times
    assert all(wanted * 0.75 - 1 <= one.part <= wanted * 1.3 + 1 for one in steady)
    calm = place.run(PEAK_PER_S / 2, 1.0)
    assert {one.part for one in calm if one.at_s > calm[0].at_s + 0.8} <= {0, ALL}
    later = place.run(PEAK_PER_S / 2, 1.0)
    assert {one.part for one in later[len(later) // 2 :]} == {0}
    assert sum(one.judged for one in later) == pytest.approx(sum(one.arrived for one in later), abs=10)


@pytest.mark.parametrize("judge_s", [35e-6, 500e-6], ids=["quick", "dear"])
@pytest.mark.parametrize("times", [1.2, 2.0, 5.0])
def test_nobody_waits_for_nothing(places: list[Place], times: float, judge_s: float) -> None:
    """From the first moment of an overload: whom nobody judges hears it in 5 ms, whoever waits is judged in time."""
    place = Place(1, 0.0, judge_s)
    places.append(place)
    peak_per_s = 1 / (judge_s + READ_S)
    place.run(peak_per_s / 2, 0.2)
    heard = place.run(peak_per_s * times, 1.0)
    assert goodput(heard, peak_per_s) >= 0.9
    assert waited_s(heard) <= SOON_S


@pytest.mark.parametrize("times", TIMES[:-1])
def test_who_asks_on_hears_it_soon(places: list[Place], times: float) -> None:
    """The same where edges do not do as they are told, as long as refusing is small beside judging."""
    place = Place()
    place.plain_0_1 = 1.0
    places.append(place)
    place.run(PEAK_PER_S / 2, 0.2)
    heard = place.run(PEAK_PER_S * times, 1.0)
    assert goodput(heard) >= 0.8 - 0.03 * times  # of 3 ms a look takes 0.2, of 505 us a refusal takes 7
    assert waited_s(heard) <= SOON_S


def test_never_below_one() -> None:
    """However much arrives, the edges are not told to ask nobody: else nobody could be told the end of it."""
    said: list[int] = []
    asking = Asking(said.append)
    asking.begin(0.0)
    for step in range(1, 40):
        asking.spared(10_000_000)
        asking.turn(step * STEP_S, 10, 5_000, 0.01, 0.04)
    assert set(said) == {1}


def test_a_part_of_a_per_cent_is_made_up_for() -> None:
    """Of 4.7 on average 4.7, by whole numbers that change."""
    said: list[int] = []
    asking = Asking(said.append)
    asking.begin(0.0)
    mean = 0.0
    for step in range(1, 201):
        asking.spared(2_000 - 94)
        asking.turn(step * STEP_S, 94, 0, STEP_S, 0.0)
        mean += said[-1] / 200
    assert set(said) == {4, 5}
    assert mean == pytest.approx(4.7, abs=0.05)


def test_it_follows_what_a_judgement_costs(places: list[Place]) -> None:
    """Judgements that become three times as dear, and cheap again: the part follows within a second."""
    place = Place()
    places.append(place)
    place.run(PEAK_PER_S * 2, 1.5)
    place.judge_s = JUDGE_S * 3
    place.run(PEAK_PER_S * 2, 1.0)
    dear = place.run(PEAK_PER_S * 2, 1.0)
    assert goodput(dear) == pytest.approx(1 / 3, rel=0.12)
    assert refused(dear) <= 0.1
    place.judge_s = JUDGE_S
    place.run(PEAK_PER_S * 2, 1.0)
    assert goodput(place.run(PEAK_PER_S * 2, 1.0)) >= 0.88


def test_edges_that_hear_nothing(places: list[Place]) -> None:
    """Half of what arrives comes by edges without Lua: they are refused as before, and those that do as they are told have their part."""
    place = Place(2)
    place.plain_0_1 = 0.5
    places.append(place)
    place.run(PEAK_PER_S * 3, 1.0)
    steady = place.run(PEAK_PER_S * 3, 2.0)
    assert goodput(steady) >= 0.85
    assert {20 <= one.part <= 45 for one in steady} == {True}
    place.plain_0_1 = 1.0
    assert goodput(place.run(PEAK_PER_S * 3, 1.0)) >= 0.75
    place.run(PEAK_PER_S / 2, 1.0)
    assert place.part == 0


@pytest.mark.parametrize(("slower", "stalls_s"), [(3.0, 0.0), (1.0, 0.03)], ids=["in slices", "for 30 ms at a time"])
@pytest.mark.parametrize("times", [2.0, 5.0])
def test_others_have_the_core_too(places: list[Place], times: float, slower: float, stalls_s: float) -> None:
    """What is left of it is used: nearly all that can be judged then is judged; what was asked in vain is refused."""
    place = Place(2, 0.02)
    places.append(place)
    place.slower, place.stalls_s, place.stalls_every_s = slower, stalls_s, 0.2
    place.run(PEAK_PER_S * times, 1.0)
    steady = place.run(PEAK_PER_S * times, 2.0)
    left_0_1 = (1 - stalls_s / 0.2) / slower
    assert 0.8 * left_0_1 <= goodput(steady) <= left_0_1 * 1.05
    assert refused(steady) <= 0.25


def test_silence(places: list[Place]) -> None:
    """After a minute without a request nothing of the overload is left."""
    place = Place()
    places.append(place)
    place.run(PEAK_PER_S * 5, 1.0)
    assert place.part < 30
    place.now_s += 60.0
    place._last_s = place.now_s
    place.run(PEAK_PER_S / 4, 0.3)
    assert place.part in (0, ALL)


def test_a_wrong_number_is_forgotten() -> None:
    """An edge that says once that it spared us a billion: a second later that is over."""
    said: list[int] = []
    asking = Asking(said.append)
    asking.begin(0.0)
    for step in range(1, 60):
        asking.spared(10**9 if step == 20 else 100)
        asking.turn(step * STEP_S, 100, 0, STEP_S, 0.0)
    assert min(said) == 1
    assert said[-1] in (50, 51)


def test_nobody_was_judged_yet() -> None:
    """Nothing is known of what can be judged, so nothing is said."""
    said: list[int] = []
    asking = Asking(said.append)
    asking.begin(0.0)
    asking.turn(STEP_S, 0, 100, 0.001, 0.0)
    asking.turn(2 * STEP_S, 0, 0, 0.001, 0.0)
    assert said == []


@given(
    st.lists(
        st.tuples(
            st.floats(0, 100),
            st.integers(0, 10**6),
            st.integers(0, 10**6),
            st.integers(0, 10**15),
            st.floats(0, 10),
            st.floats(0, 10),
            st.integers(0, 10**6),
        ),
        max_size=30,
    )
)
def test_any_turns(turns: list[tuple[float, int, int, int, float, float, int]]) -> None:
    """Whatever happens in them: a whole number from 1 to 100, or 0 for nothing to say; nothing raises."""
    said: list[int] = []
    asking = Asking(said.append)
    now_s = 0.0
    for passed_s, judged, shed, spared, reading_s, judging_s, waiting in turns:
        now_s += passed_s
        asking.begin(now_s, waiting)
        asking.spared(spared)
        asking.turn(now_s, judged, shed, reading_s, judging_s, waiting // 2)
    assert all(isinstance(part, int) and 0 <= part <= ALL for part in said)
