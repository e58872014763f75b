"""state/profiles.py: what is remembered of a subject is bounded, and costs what it says."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest
from botsieve.state.profiles import (
    GROUP_TRACK_BYTES,
    ITEM_BYTES,
    KEPT_STEPS,
    MAX_ADDRESSES,
    MAX_GROUP_ITEMS,
    MAX_ITEMS,
    MAX_TRACKS,
    NETWORK_BYTES,
    TRACK_BYTES,
    ClientProfile,
    Group,
    Site,
    Track,
)
from hypothesis import given
from hypothesis import strategies as st

NOW_S = 1_800_000_000.0
WINDOW_S = 300.0

takes = st.lists(st.tuples(st.integers(0, 40), st.integers(-1, 40), st.floats(0, 60)), max_size=150)


@given(takes)
def test_a_track_counts_its_items_exactly(told: list[tuple[int, int, float]]) -> None:
    """Items of the window, growth, steps and their counts agree with a naive count."""
    track = Track()
    now_s, held = NOW_S, 0
    seen: dict[int, float] = {}
    for item, number, later_s in told:
        now_s += later_s
        held += track.take(item, number, now_s, WINDOW_S)
        seen[item] = now_s
        within = {thing for thing, time_s in seen.items() if time_s >= now_s - WINDOW_S}
        assert held == len(track.items.seen) == track.items_within(now_s, WINDOW_S) == len(within)
        short = sum(time_s >= now_s - 60 for time_s in seen.values())
        assert track.items_within(now_s, 60.0) == short
        assert len(track.items.seen) == held  # reading changed nothing
        assert sum(track.step_counts.values()) == len(track.steps) <= KEPT_STEPS
        assert all(track.step_counts[taken.step] for taken in track.steps)
        assert len(track.fresh) <= KEPT_STEPS
        assert track.fresh[-1].time_s - track.fresh[0].time_s <= WINDOW_S  # nobody asks about older ones: they are not kept


def test_an_item_taken_again_is_no_step() -> None:
    """Back and forth between two items is no walk."""
    track = Track()
    for number in (5, 6, 5, 6, 5, 6, 5):
        track.take(number, number, NOW_S, WINDOW_S)
    assert ([taken.step for taken in track.steps], len(track.items.seen), len(track.fresh)) == ([1], 2, 2)


def test_a_track_remembers_at_most_so_many_items() -> None:
    """Ten thousand items in a second cost what MAX_ITEMS cost."""
    track = Track()
    assert sum(track.take(item, item, NOW_S, WINDOW_S) for item in range(10_000)) == MAX_ITEMS == len(track.items.seen)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 30), st.floats(0, 150)), max_size=150))
def test_the_cost_of_a_client_is_the_sum_of_its_tracks(told: list[tuple[int, int, float]]) -> None:
    """Tracks that are made, that make room and that are forgotten leave the cost exact."""
    client = ClientProfile(NOW_S)
    base = client.cost
    now_s = NOW_S
    for template, item, later_s in told:
        now_s += later_s
        track = client.track(template)
        track.count += 1
        client.cost += ITEM_BYTES * track.take(item, item, now_s, WINDOW_S)
        client.lead = client.lead or track
        client.forget_lead(now_s - WINDOW_S)
        assert len(client.tracks) <= MAX_TRACKS
        held = sum(TRACK_BYTES + ITEM_BYTES * len(one.items.seen) for one in client.tracks.values())
        assert client.cost == base + held


def test_the_least_used_track_makes_room() -> None:
    """The route that is asked for most outlives a tour through a hundred others."""
    client = ClientProfile(NOW_S)
    busy = client.track(1)
    busy.count = 50
    for template in range(2, 100):
        client.track(template).count = 1
    assert client.tracks[1] is busy


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 400), st.integers(0, 30), st.floats(0, 20)), max_size=150))
def test_the_cost_of_a_group_is_the_sum_of_its_tracks(told: list[tuple[int, int, int, float]]) -> None:
    """The same for networks and fingerprints, whose members fill them."""
    group = Group()
    now_s = NOW_S
    for template, item, address, later_s in told:
        now_s += later_s
        track = group.take(template, item, address, now_s, WINDOW_S)
        assert track is group.tracks[template]
        assert len(track.items.seen) <= MAX_GROUP_ITEMS
        assert len(track.addresses.seen) <= MAX_ADDRESSES
        assert min(track.items.seen.values()) >= now_s - WINDOW_S
        held = sum(GROUP_TRACK_BYTES + ITEM_BYTES * len(one.items.seen) for one in group.tracks.values())
        assert group.cost == NETWORK_BYTES + held


def measured(make: Callable[[], object]) -> float:
    """Bytes of one of 50 objects, by the allocator."""
    gc.collect()
    tracemalloc.start()
    made = [make() for _ in range(50)]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made
    return used / 50


def full_client() -> ClientProfile:
    client = ClientProfile(NOW_S)
    for template in range(MAX_TRACKS):
        track = client.track((7 << 60) + template)
        for number in range(MAX_ITEMS):
            track.beats.add(1_800_000_000_000 + 3 * number, number, 50, 300_000)
            client.cost += ITEM_BYTES * track.take((7 << 60) + number, number * number, NOW_S + number / 10, WINDOW_S)
    return client


def small_client() -> ClientProfile:
    client = ClientProfile(NOW_S)
    track = client.track(7 << 60)
    for number in range(3):
        track.beats.add(1_800_000_000_000 + 3 * number, number, 50, 300_000)
        client.cost += ITEM_BYTES * track.take((7 << 60) + number, number, NOW_S + number, WINDOW_S)
    return client


def full_group() -> Group:
    group = Group()
    for template in range(MAX_TRACKS):
        for number in range(MAX_GROUP_ITEMS):
            group.take((7 << 60) + template, (7 << 60) + number, (7 << 60) + number % 12, NOW_S + number / 100, WINDOW_S)
    return group


@pytest.mark.parametrize("make", [full_client, small_client, full_group])
def test_costs_are_honest(make: Callable[[], ClientProfile | Group]) -> None:
    """What the table is told is what the allocator gives, within a third more or a half less."""
    told = make().cost
    assert told * 0.5 <= measured(make) <= told * 1.34


def test_a_site_counts_the_networks_of_five_minutes() -> None:
    """A network counts once, where it was last seen; after 300 s it does not."""
    site = Site()
    first = int(NOW_S / 10)
    site.network_moved(0, first)
    site.network_moved(0, first)
    site.network_moved(first, first + 3)
    assert site.networks_within(NOW_S + 30) == 2
    assert site.networks_within(NOW_S + 299) == 2
    assert site.networks_within(NOW_S + 301) == 1
    for later in range(4, 400):
        site.network_moved(0, first + later)
    assert site.networks_within(NOW_S + 3990) == 30
    assert len(site.active_networks) <= 41
