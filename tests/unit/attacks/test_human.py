"""botsieve.attacks.human"""

from __future__ import annotations

import pytest
from botsieve.attacks.human import GRACE, SAFE, UNSAFE, begin_again, count, interval, is_unsafe, measures, report
from botsieve.attacks.subjects import Subject
from botsieve.detectors.settings import HumanInteraction
from hypothesis import given
from hypothesis import strategies as st

PACKAGED = HumanInteraction()


@pytest.mark.parametrize(
    ("number", "human", "irregular", "expected"),
    [
        (1, False, False, GRACE),
        (100, False, False, GRACE),
        (101, False, False, UNSAFE),
        (200, False, False, UNSAFE),
        (201, False, False, GRACE),
        (300, False, False, GRACE),
        (301, False, False, UNSAFE),
        (1, True, False, SAFE),
        (2000, True, False, SAFE),
        (2001, True, False, GRACE),
        (2100, True, False, GRACE),
        (2101, True, False, UNSAFE),
        (2201, True, False, GRACE),
        (100, False, True, GRACE),
        (101, False, True, UNSAFE),
        (201, False, True, UNSAFE),
        (5000, False, True, UNSAFE),
        (2000, True, True, SAFE),
        (2201, True, True, UNSAFE),
    ],
)
def test_the_interval_is_a_function_of_the_count(number: int, human: bool, irregular: bool, expected: str) -> None:
    """Grace 100, safe 2000, unsafe 100, and after an irregular sequence no second grace."""
    assert interval(number, human=human, irregular=irregular, settings=PACKAGED) == expected


@given(
    number=st.integers(1, 10_000),
    grace=st.integers(1, 50),
    unsafe=st.integers(1, 50),
    safe=st.integers(1, 500),
    human=st.booleans(),
)
def test_out_of_each_turn_so_many_are_allowed(number: int, grace: int, unsafe: int, safe: int, human: bool) -> None:
    """In any grace + unsafe requests in a row beyond the safe ones, `unsafe` violate: no setting makes it more or less."""
    settings = HumanInteraction(grace=grace, unsafe=unsafe, safe=safe)
    first = number + (safe if human else 0)
    turn = [interval(first + n, human=human, irregular=False, settings=settings) for n in range(grace + unsafe)]
    assert turn.count(UNSAFE) == unsafe
    assert turn.count(GRACE) == grace


def test_counting_is_the_function() -> None:
    """`count` says what `interval` says of its number, at every number."""
    subject = Subject(0.0)
    settings = HumanInteraction(grace=3, unsafe=2, safe=4)
    told = [count(subject, settings) for _ in range(20)]
    assert told == [interval(n, human=False, irregular=False, settings=settings) == UNSAFE for n in range(1, 21)]


def test_only_a_regular_report_moves_the_count() -> None:
    """An irregular one leaves it, and a regular one makes it good."""
    subject = Subject(0.0)
    for _ in range(150):
        count(subject, PACKAGED)
    report(subject, regular=False)
    assert subject.unproven == 150
    assert is_unsafe(subject, PACKAGED)
    report(subject, regular=True)
    assert (subject.unproven, subject.human, subject.irregular) == (0, True, False)
    assert measures(subject, PACKAGED)[0].limit == 2100
    begin_again(subject)
    assert measures(subject, PACKAGED)[0].limit == 100
