"""attacks/distinct.py: how many different subjects take part."""

from __future__ import annotations

import pytest
from botsieve.attacks.distinct import Distinct
from botsieve.state.hashing import Hasher

KEY = Hasher(b"0123456789abcdef").key


@pytest.mark.parametrize("number", [0, 1, 2, 51, 1_000, 20_000, 50_000])
def test_the_estimate_is_close(number: int) -> None:
    """Within four in a hundred (and exact for the first few) up to 50,000, each key twice."""
    found = Distinct()
    for n in range(number):
        key = KEY(n.to_bytes(8, "big"))
        found.add(key)
        found.add(key)
    assert abs(found.count - number) <= 0.04 * number


def test_more_than_fit_are_many() -> None:
    """Two million different ones are no error, and are many."""
    found = Distinct()
    for n in range(400_000):
        found.add(KEY(n.to_bytes(8, "big")))
    assert found.count > 100_000
