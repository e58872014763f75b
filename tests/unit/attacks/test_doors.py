"""botsieve.attacks.doors: people who come in side by side under one name, and scrapers who change sessions"""

from __future__ import annotations

from botsieve.attacks.doors import SHARED_S, Doors
from botsieve.challenge.session import Session

from tests.unit.rig import START_S

NAME = b"address1"


def session(number: int, opened_s: float = 0.0) -> Session:
    return Session(number.to_bytes(8, "big"), int(START_S + opened_s))


def came(doors: Doors, number: int, at_s: float, opened_s: float = 0.0) -> bool:
    return doors.came(NAME, session(number, opened_s), START_S + at_s)


def test_two_who_take_turns_are_two() -> None:
    """The first is known for one as soon as the other came in between, and stays it."""
    doors = Doors()
    assert not came(doors, 1, 5)
    assert came(doors, 2, 6), "the first was seen after the second was opened"
    assert came(doors, 1, 7)
    assert came(doors, 1, 8)
    assert doors.is_shared(NAME, START_S + 8)


def test_one_after_the_other_are_one() -> None:
    """A scraper that opens a session every five requests: each is left before the next is opened."""
    doors = Doors()
    for number in range(50):
        opened_s = number * 10.0
        assert not any(came(doors, number, opened_s + 1 + step, opened_s) for step in range(5))
    assert not doors.is_shared(NAME, START_S + 500)


def test_a_name_that_was_shared_is_one_persons_again() -> None:
    """Half an hour later."""
    doors = Doors()
    came(doors, 1, 5)
    came(doors, 2, 6)
    assert doors.is_shared(NAME, START_S + 6 + SHARED_S - 1)
    assert not doors.is_shared(NAME, START_S + 6 + SHARED_S)
    assert not doors.is_shared(b"address2", START_S + 6)


def test_it_is_bounded() -> None:
    """A door that somebody comes to again and again stays, however many others there are."""
    doors = Doors(most=320)
    came(doors, 1, 5)
    came(doors, 2, 6)
    for number in range(10_000):
        doors.came(number.to_bytes(7, "big") + b"x", session(1), START_S)
        assert doors.is_shared(NAME, START_S + 6)
    assert 160 <= len(doors) <= 320
