"""remembered.py: answers within a bound."""

from __future__ import annotations

from botsieve.remembered import Remembered
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.integers(0, 50)), st.integers(1, 10))
def test_never_more_than_twice_its_size(keys: list[int], size: int) -> None:
    """However many keys come, it holds at most two generations, and never a wrong answer."""
    book: Remembered[int, str] = Remembered(size)
    for key in keys:
        assert book.get(key) in (None, str(key))
        book.put(key, str(key))
        assert len(book) <= 2 * size
        assert book.get(key) == str(key)


def test_what_is_used_survives_a_flood() -> None:
    """An entry that is asked for again and again outlives any number of new ones."""
    book: Remembered[int, str] = Remembered(4)
    book.put(-1, "kept")
    for key in range(100):
        book.put(key, "new")
        assert book.get(-1) == "kept"
    assert book.get(0) is None
