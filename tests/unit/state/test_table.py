"""state/table.py: the bound holds, newcomers go first, what is unused is forgotten."""

from __future__ import annotations

from botsieve.state.hashing import Hasher
from botsieve.state.table import MIN_SHARD_BYTES, SHARDS, Table
from hypothesis import given
from hypothesis import strategies as st

HASHER = Hasher(b"0123456789abcdef")
NOW_S = 1_800_000_000.0

# Few shards and large subjects, so that a few steps reach every bound.
steps = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 60), st.booleans(), st.floats(0, 40), st.booleans()), min_size=1, max_size=150
)


@given(steps)
def test_never_more_than_its_bytes(told: list[tuple[int, int, bool, float, bool]]) -> None:
    """After any puts, growth in place and drops: the costs told are within the bound, but for one subject of rounding."""
    table: Table[int] = Table(SHARDS * 200, 100.0, min_shard_bytes=1)
    costs: dict[bytes, int] = {}
    now_s = NOW_S
    for number, more, settle, later_s, in_place in told:
        now_s += later_s
        key = bytes([number % 2]) + number.to_bytes(7, "big")
        known = table.get(key)
        if known is None:
            costs[key] = 0
        if in_place and key in table.settled[key[0]].young:
            costs[key] += more
            table.grow(key[0], more, now_s)
        else:
            costs[key] += more
            table.put(key, number, costs[key], more, now_s, settle=settle)
        largest = max(costs.values())
        assert table.bytes_used <= 2 * (200 + largest)
        held = [entry for part in table.parts for entry in (*part.young.items(), *part.old.items())]
        assert len(held) == len(table) == len({entry[0] for entry in held})
        assert all(table.get(entry[0]) == entry[1] for entry in held)
        assert sum(costs[entry[0]] for entry in held) <= 2 * (200 + 2 * largest)


@given(steps)
def test_entering_is_putting_what_is_not_there(told: list[tuple[int, int, bool, float, bool]]) -> None:
    """Who has looked for a subject and found nothing stores it as `put` would, in one look; and `get_elsewhere` is the rest of `get`."""
    table, other = (Table[int](SHARDS * 200, 100.0, min_shard_bytes=1) for _ in range(2))
    costs: dict[bytes, int] = {}
    now_s = NOW_S
    for number, more, settle, later_s, _ in told:
        now_s += later_s
        key = bytes([number % 2]) + number.to_bytes(7, "big")
        hot = other.settled[key[0]].young.get(key)
        known = hot if hot is not None else other.get_elsewhere(key)
        assert known == table.get(key)
        costs[key] = more if known is None else costs[key] + more
        table.put(key, number, costs[key], more, now_s, settle=settle)
        if known is None:
            other.enter(key, number, costs[key], now_s, settle=settle)
        else:
            other.put(key, number, costs[key], more, now_s, settle=settle)
        for one, two in zip(table.parts, other.parts, strict=True):
            assert (one.young, one.old, one.bytes_used) == (two.young, two.old, two.bytes_used)


def test_a_flood_of_newcomers_leaves_the_settled_alone() -> None:
    """200,000 subjects seen once push out each other, none of 1,000 that were settled."""
    table: Table[bytes] = Table(4 * 1024 * 1024, 3600.0)
    settled = [HASHER.key(b"settled %d" % number) for number in range(1000)]
    for key in settled:
        table.put(key, b"", 760, 760, NOW_S, settle=True)
    for number in range(200_000):
        table.put(HASHER.key(b"new %d" % number), b"", 230, 230, NOW_S + number / 1000, settle=False)
    assert all(table.get(key) is not None for key in settled)
    assert table.bytes_used <= 4 * 1024 * 1024 + SHARDS * 760
    assert table.evictions > 100_000
    assert len(table) > 10_000  # the flood may use what the settled do not


def test_the_settled_take_their_room_back() -> None:
    """Newcomers that filled the table give way when subjects settle; the settled then hold at least half of it."""
    table: Table[int] = Table(SHARDS * 10_000, 3600.0, min_shard_bytes=1)
    for number in range(30_000):
        table.put(HASHER.key(b"new %d" % number), 0, 230, 230, NOW_S, settle=False)
    keys = [HASHER.key(b"settled %d" % number) for number in range(20_000)]
    for key in keys:
        table.put(key, 1, 230, 230, NOW_S, settle=True)
    held = sum(table.get(key) is not None for key in keys)
    assert held * 230 > SHARDS * 10_000 * 0.35
    assert table.bytes_used <= SHARDS * (10_000 + 230)


def test_what_is_unused_is_forgotten() -> None:
    """Unused for idle_s: may go; for twice that: gone.  What is used stays."""
    table: Table[str] = Table(SHARDS * 100_000, 100.0, min_shard_bytes=1)
    used, unused = b"\0used123", b"\0unused1"
    table.put(used, "used", 100, 100, NOW_S, settle=True)
    table.put(unused, "unused", 100, 100, NOW_S, settle=True)
    for later_s in range(10, 260, 10):
        table.put(used, "used", 100, 0, NOW_S + later_s, settle=True)
        if later_s < 100:
            assert table.get(unused) == "unused"
    assert table.get(unused) is None
    assert table.get(used) == "used"


def test_a_settled_subject_stays_settled_and_is_held_once() -> None:
    """Settling moves a newcomer; a later put that does not ask for it changes nothing."""
    table: Table[int] = Table(SHARDS * 10_000, 100.0, min_shard_bytes=1)
    key = b"\7subject"
    table.put(key, 1, 100, 100, NOW_S, settle=False)
    assert key not in table.settled[7].young
    table.put(key, 2, 150, 50, NOW_S, settle=True)
    table.put(key, 3, 150, 0, NOW_S, settle=False)
    assert table.settled[7].young == {key: 3}
    assert (len(table), table.bytes_used) == (1, 150)
    table.drop(key)
    assert table.get(key) is None


def test_a_subject_of_the_old_generation_comes_back_with_its_bytes() -> None:
    """A put finds what was set aside and counts it once."""
    table: Table[int] = Table(SHARDS * 1000, 3600.0, min_shard_bytes=1)
    key = b"\1subject"
    table.put(key, 1, 100, 100, NOW_S, settle=True)
    for number in range(4):
        table.put(b"\1%07d" % number, 0, 100, 100, NOW_S, settle=True)
    assert key in table.settled[1].old
    table.put(key, 1, 100, 0, NOW_S, settle=True)
    assert key in table.settled[1].young
    assert table.bytes_used == 500


def test_growth_in_place_makes_room() -> None:
    """Ten subjects in use that grow without ever being put again turn their generation when it is full."""
    table: Table[int] = Table(SHARDS * 1000, 3600.0, min_shard_bytes=1)
    keys = [b"\1%07d" % number for number in range(10)]
    for key in keys:
        table.put(key, 0, 38, 38, NOW_S, settle=True)
    for _ in range(26):
        for key in keys:
            if key in table.settled[1].young:
                table.grow(1, 10, NOW_S)
    assert table.evictions == 0
    assert not table.settled[1].young
    assert table.bytes_used <= 410


def test_small_bounds_have_few_shards() -> None:
    """A shard has room for the largest subjects: one that grows to 300 KB is kept, and the bound holds to within its last step."""
    table: Table[int] = Table(4 * MIN_SHARD_BYTES, 3600.0)
    assert len(table.parts) == 2 * 4
    for number in range(64):
        key = HASHER.key(b"%d" % number)
        table.put(key, number, 1000, 1000, NOW_S, settle=True)
        for cost in range(2000, 300_001, 1000):
            if key in table.settled[key[0]].young:
                table.grow(key[0], 1000, NOW_S)
            else:
                table.put(key, number, cost, 1000, NOW_S, settle=True)
        assert table.get(key) is not None
        assert table.bytes_used <= 4 * (MIN_SHARD_BYTES + 1000)


def test_a_subject_larger_than_its_shard_goes() -> None:
    """The bound is kept even against one subject that grows and grows."""
    table: Table[int] = Table(SHARDS * 1000, 3600.0, min_shard_bytes=1)
    key = b"\1subject"
    table.put(key, 0, 500, 500, NOW_S, settle=True)
    assert table.get(key) == 0
    table.put(key, 0, 5000, 4500, NOW_S, settle=True)
    assert (table.get(key), table.bytes_used) == (None, 0)
