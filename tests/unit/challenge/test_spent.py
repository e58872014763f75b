"""challenge/spent.py: each nonce once."""

from __future__ import annotations

from botsieve.challenge.spent import SpentNonces
from hypothesis import given
from hypothesis import strategies as st


def test_a_nonce_is_spent_once() -> None:
    """The second attempt fails as long as the nonce is kept."""
    spent = SpentNonces()
    assert spent.spend(b"a", 300.0, 0.0)
    assert not spent.spend(b"a", 300.0, 299.9)
    assert b"a" in spent
    assert spent.spend(b"b", 300.0, 299.9)


def test_what_cannot_be_recorded_is_not_spent() -> None:
    """A full table refuses everybody until the oldest has run out."""
    spent = SpentNonces(limit=2)
    assert spent.spend(b"a", 10.0, 0.0)
    assert spent.spend(b"b", 10.0, 1.0)
    assert not spent.spend(b"c", 10.0, 2.0)
    assert b"c" not in spent
    assert spent.spend(b"c", 10.0, 10.0)
    assert len(spent) == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.0, 50.0)), max_size=60))
def test_never_twice_within_its_time(attempts: list[tuple[int, float]]) -> None:
    """In any order of attempts, no nonce is spent twice less than `keep_s` apart, and the table stays bounded."""
    spent = SpentNonces(limit=4)
    last: dict[int, float] = {}
    for number, now_s in sorted(attempts, key=lambda attempt: attempt[1]):
        if spent.spend(bytes([number]), 20.0, now_s):
            assert now_s - last.get(number, -100.0) >= 20.0
            last[number] = now_s
        assert len(spent) <= 4
