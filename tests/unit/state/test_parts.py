"""state/parts.py: a part is a function of the set of things it was told, not of the order of the telling."""

from __future__ import annotations

import copy
import statistics
from itertools import pairwise

import pytest
from botsieve.state.parts import Beats, LastSeen, Latch, Windowed, first_of, merge_windowed, sum_windowed
from hypothesis import given
from hypothesis import strategies as st

KEEP, WINDOW_MS = 8, 1_000
arrivals = st.lists(st.tuples(st.integers(10_000, 13_000), st.integers(0, 4095)), max_size=40)


def beats_of(told: list[tuple[int, int]], keep: int = KEEP, window_ms: int = WINDOW_MS) -> Beats:
    beats = Beats()
    for time_ms, id_bits in told:
        beats.add(time_ms, id_bits, keep, window_ms)
    return beats


def state(beats: Beats) -> tuple[list[int], int, int, int]:
    return list(beats.stamps), beats.sum_ms, beats.sum_sq, beats.fine


def merged(*parts: Beats) -> Beats:
    whole = copy.deepcopy(parts[0])
    for part in parts[1:]:
        whole.merge(part, KEEP, WINDOW_MS)
    return whole


class TestBeats:
    @given(arrivals)
    def test_equals_the_naive_computation(self, told: list[tuple[int, int]]) -> None:
        """Whatever the order of arrival: the newest `keep` within the window, and stdev / mean of their intervals."""
        beats = beats_of(told)
        newest_ms = max((time for time, _ in told), default=0)
        expected = sorted({arrival for arrival in told if arrival[0] >= newest_ms - WINDOW_MS})[-KEEP:]
        assert [(stamp >> 12, stamp & 4095) for stamp in beats.stamps] == expected
        gaps = [after[0] - before[0] for before, after in pairwise(expected)]
        cv, mean_s = beats.rhythm()
        mean_ms = statistics.fmean(gaps) if gaps else 0.0
        assert mean_s * 1000 == pytest.approx(mean_ms)
        assert cv == pytest.approx(statistics.stdev(gaps) / mean_ms if len(gaps) > 1 and mean_ms else 0.0, abs=1e-5)
        assert beats.is_coarse == all(time % 100 == 0 for time, _ in expected)

    @given(arrivals.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
    def test_order_of_arrival_does_not_matter(self, both: tuple[list[tuple[int, int]], list[tuple[int, int]]]) -> None:
        """The same arrivals in another order leave the same part."""
        assert state(beats_of(both[0])) == state(beats_of(both[1]))

    @given(arrivals, arrivals, arrivals)
    def test_merge_laws(self, one: list[tuple[int, int]], two: list[tuple[int, int]], three: list[tuple[int, int]]) -> None:
        """Commutative, associative, idempotent, and equal to one process that saw all."""
        a, b, c = beats_of(one), beats_of(two), beats_of(three)
        assert state(merged(a, b)) == state(merged(b, a))
        assert state(merged(merged(a, b), c)) == state(merged(a, merged(b, c)))
        assert state(merged(a, b, b, a)) == state(merged(a, b))
        assert state(merged(a, b, c)) == state(beats_of(one + two + three))

    def test_a_request_told_twice_is_one(self) -> None:
        """Same time and id: one arrival; same time and another id: two."""
        assert len(beats_of([(10_000, 1), (10_000, 1)])) == 1
        assert len(beats_of([(10_000, 1), (10_000, 2)])) == 2


times = st.lists(st.floats(0, 100, allow_nan=False).map(lambda time: round(time, 1)), max_size=40, unique=True)


class TestLastSeen:
    @given(st.lists(st.integers(0, 12), max_size=80), st.integers(1, 6), st.integers(1, 10))
    def test_n_different_within_w_is_exact_under_any_padding(self, things: list[int], keep: int, window: int) -> None:
        """Full and the oldest inside the window: just when `keep` different things were seen in it, whatever came between."""
        part = LastSeen()
        for now, thing in enumerate(things):
            part.add(thing, float(now), keep)
            says = len(part) == keep and min(part.seen.values()) > now - window
            assert says == (len(set(things[max(0, now - window + 1) : now + 1])) >= keep)
            assert len(part) <= keep

    @given(st.lists(st.integers(0, 9), max_size=40), st.integers(0, 50))
    def test_forget_before_keeps_what_is_newer(self, things: list[int], horizon: int) -> None:
        """What was last seen before the horizon is gone, all else stays."""
        part = LastSeen()
        for now, thing in enumerate(things):
            part.add(thing, float(now), 100)
        left = {thing: float(now) for now, thing in enumerate(things)}
        left = {thing: time for thing, time in left.items() if time >= horizon}
        assert part.forget_before(float(horizon)) == len(left)
        assert part.seen == left

    @given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 6), st.integers(1, 12))
    def test_turn_is_add_and_forget_before(self, things: list[int], keep: int, window: int) -> None:
        """One look in place of two leaves what the two leave, and the oldest first."""
        part, naive = LastSeen(), LastSeen()
        for now, thing in enumerate(things):
            part.turn(thing, float(now), keep, float(now - window))
            naive.add(thing, float(now), keep)
            naive.forget_before(float(now - window))
            assert list(part.seen.items()) == list(naive.seen.items())
            assert first_of(part.seen) == next(iter(naive.seen.items()))

    def test_nothing_has_no_first(self) -> None:
        """Whoever asks for the oldest of nothing has made a mistake."""
        with pytest.raises(KeyError):
            first_of({})

    @given(times, st.data())
    def test_merge_laws(self, when: list[float], data: st.DataObject) -> None:
        """Commutative, associative, idempotent; merged processes equal one that saw all."""
        told = [(data.draw(st.integers(0, 8)), time, data.draw(st.integers(0, 2))) for time in sorted(when)]
        parts = [LastSeen() for _ in range(3)]
        whole = LastSeen()
        for thing, time, process in told:
            parts[process].add(thing, time, 4)
            whole.add(thing, time, 4)

        def union(*order: LastSeen) -> dict[int, float]:
            result = copy.deepcopy(order[0])
            for part in order[1:]:
                result.merge(part, 4)
            return result.seen

        a, b, c = parts
        assert union(a, b) == union(b, a)
        assert union(a, b, b, a) == union(a, b)
        assert union(a, b, c) == union(c, a, b) == whole.seen
        assert list(union(a, b, c)) == list(whole.seen)


slices = st.lists(st.tuples(st.integers(100, 140), st.integers(1, 5)), max_size=40)


class TestWindowed:
    @given(slices, st.integers(0, 30))
    def test_equals_a_naive_count(self, told: list[tuple[int, int]], later: int) -> None:
        """Any order of arrival: the sum of what lies in the window that ends with the newest slice."""
        part = Windowed(10)
        newest = 0
        counted: dict[int, int] = {}
        for number, amount in told:
            newest = max(newest, number)
            counted[number] = counted.get(number, 0) + (amount if number > newest - 10 else 0)
            total = sum(count for at, count in counted.items() if newest - 10 < at <= newest)
            assert part.add(number, amount) == total
        now = newest + later
        assert part.read(now) == sum(count for at, count in counted.items() if now - 10 < at <= now)

    @given(slices, slices, slices)
    def test_publications(self, one: list[tuple[int, int]], two: list[tuple[int, int]], three: list[tuple[int, int]]) -> None:
        """Taking a publication twice changes nothing, and the sum over the processes equals one that saw all."""
        processes = []
        whole = Windowed(50)
        for told in (one, two, three):
            part = Windowed(50)
            early: dict[int, int] = {}
            for number, amount in told:
                part.add(number, amount)
                whole.add(number, amount)
                early = early or part.slices()
            late = part.slices()
            known = merge_windowed(early, late)
            assert known == merge_windowed(late, early) == merge_windowed(known, late) == late
            processes.append(known)
        assert sum_windowed(processes, 140, 50) == whole.read(140)

    @given(slices, slices, slices)
    def test_merge_windowed_laws(
        self, one: list[tuple[int, int]], two: list[tuple[int, int]], three: list[tuple[int, int]]
    ) -> None:
        """Commutative, associative, idempotent."""
        a, b, c = dict(one), dict(two), dict(three)
        assert merge_windowed(a, b) == merge_windowed(b, a)
        assert merge_windowed(merge_windowed(a, b), c) == merge_windowed(a, merge_windowed(b, c))
        assert merge_windowed(a, a) == a


latches = st.builds(
    lambda start, length, released: Latch(start * 1000, start + length, released=released),
    st.integers(1, 5),
    st.integers(0, 20),
    st.booleans(),
)
LONGEST_S = 20.0


def latched(*parts: Latch) -> tuple[int, bool, float]:
    whole = copy.copy(parts[0])
    for part in parts[1:]:
        whole.merge(part, LONGEST_S)
    return whole.start_ms, whole.released, whole.end_s


class TestLatch:
    @given(latches, latches, latches)
    def test_merge_laws(self, a: Latch, b: Latch, c: Latch) -> None:
        """Commutative, associative, idempotent."""
        assert latched(a, b) == latched(b, a)
        ab, bc = copy.copy(a), copy.copy(b)
        ab.merge(b, LONGEST_S)
        bc.merge(c, LONGEST_S)
        assert latched(ab, c) == latched(a, bc)
        assert latched(a, b, b, a) == latched(a, b)

    def test_which_telling_is_the_later(self) -> None:
        """Higher generation, then released, then the later end, which is cut."""
        assert latched(Latch(1000, 11.0, released=True), Latch(2000, 5.0)) == (2000, False, 5.0)
        assert latched(Latch(1000, 11.0), Latch(1000, 2.0, released=True)) == (1000, True, 2.0)
        assert latched(Latch(1000, 3.0), Latch(1000, 9e9)) == (1000, False, 21.0)

    def test_holds_until_its_end(self) -> None:
        """Set, not released, not over; a latch that was never set does not hold."""
        assert Latch(1000, 5.0).holds(4.9)
        assert not Latch(1000, 5.0).holds(5.0)
        assert not Latch(1000, 5.0, released=True).holds(2.0)
        assert not Latch().holds(-1.0)
