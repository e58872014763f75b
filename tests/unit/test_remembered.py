"""remembered.py: answers within a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botsieve.remembered import SHARDS, Answers, Bounded, Forgotten, Remembered, Spread
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.integers(0, 50)), st.integers(1, 10))
def test_never_more_than_twice_its_size(keys: list[int], size: int) -> None:
    """However many keys come, it holds at most two generations, and never a wrong answer."""
    book: Answers[int, str] = Answers(size, str)
    for key in keys:
        assert book[key] == str(key)
        assert book.held <= 2 * size


def test_computes_once() -> None:
    """An answer that is held is not computed again."""
    computed: list[int] = []
    book: Answers[int, None] = Answers(4, computed.append)
    for key in (1, 2, 1, 2, 1):
        assert book[key] is None
    assert computed == [1, 2]


def test_what_is_used_survives_a_flood() -> None:
    """An entry that is asked for again and again outlives any number of new ones."""
    computed: list[int] = []
    book: Answers[int, None] = Answers(4, computed.append)
    for key in range(100):
        book[key]
        book[-1]
    assert computed.count(-1) == 1
    assert 0 not in book


def test_what_may_not_be_kept_is_not() -> None:
    """A key that is too large is answered and forgotten."""
    book: Answers[str, int] = Answers(4, len, keep=lambda key: len(key) < 3)
    assert [book["ab"], book["abcdef"], book["abcdef"]] == [2, 6, 6]
    assert list(book) == ["ab"]


@given(st.lists(st.integers(0, 50)), st.integers(1, 10))
def test_the_other_form_holds_the_same_law(keys: list[int], size: int) -> None:
    """`get` and `put`: at most two generations, never a wrong answer."""
    book: Remembered[int, str] = Remembered(size)
    for key in keys:
        assert book.get(key) in (None, str(key))
        book.put(key, str(key))
        assert book.get(key) == str(key)
        assert len(book) <= 2 * size


@given(st.lists(st.binary(min_size=2, max_size=4)), st.integers(1, 64))
def test_in_shards_it_holds_too(keys: list[bytes], size: int) -> None:
    """At most two generations of every shard, never a wrong answer; and forgets all at once."""
    book: Spread[bytes] = Spread(size)
    for key in keys:
        assert book.get(key) in (None, key)
        book.put(key, key)
        assert book.get(key) == key
        assert len(book) <= 2 * max(size, SHARDS)
    book.clear()
    assert len(book) == 0
    assert all(book.get(key) is None for key in keys)


def test_a_bounded_dict_drops_the_first_in() -> None:
    """Full, it forgets what was put longest ago; putting again makes young."""
    kept: Bounded[bytes, int] = Bounded(2)
    kept.put(b"a", 1)
    kept.put(b"b", 2)
    kept.put(b"a", 3)
    kept.put(b"c", 4)
    assert (kept.get(b"a"), kept.get(b"b"), kept.get(b"c"), len(kept)) == (3, None, 4, 2)
    kept.drop(b"a")
    kept.drop(b"a")
    assert len(kept) == 1
    kept.clear()
    assert len(kept) == 0


@given(st.lists(st.integers(0, 100_000), max_size=300), st.integers(1, 20))
def test_a_large_bounded_dict_holds_the_same_law(keys: list[int], thousands: int) -> None:
    """Above 4,096 entries it is several dicts: what was put is found, what was dropped is not, and the bound is never passed."""
    limit = thousands * 1_000
    kept: Bounded[int, int] = Bounded(limit)
    for key in keys:
        kept.put(key, key)
    assert all(kept.get(key) == key for key in keys)
    assert len(kept) == len(set(keys))
    for key in range(2 * limit):
        kept.put(key, -1)
    assert limit * 0.8 < len(kept) <= limit
    kept.drop(2 * limit - 1)
    assert kept.get(2 * limit - 1) is None


class Freed:
    """A value that tells when it is freed."""

    count = 0

    def __del__(self) -> None:
        Freed.count += 1


@pytest.mark.parametrize("make", [Remembered, Bounded, lambda size: Answers(size, lambda key: Freed())])
def test_nothing_is_freed_at_once(make: Callable[[int], Any]) -> None:
    """However much is forgotten, one call frees a few entries of it; and what is forgotten does not pile up."""
    size = 6_000
    book = make(size)
    for key in range(10 * size):
        before = Freed.count
        if isinstance(book, Answers):
            book[key]
        else:
            book.put(key, Freed())
        if key == 5 * size and isinstance(book, Bounded):
            book.clear()
        assert Freed.count - before <= 6
        assert len(book._forgotten) <= size


def test_forgotten_frees_everything_in_the_end() -> None:
    """All that was taken over goes, a few entries a call; nothing to free is no work."""
    forgotten = Forgotten()
    for size in (0, 1, 3, 9):
        forgotten.take(dict.fromkeys(range(size)))
    assert len(forgotten) == 13
    for _ in range(5):
        forgotten.free()
    assert len(forgotten) == 0
    forgotten.free()
