"""botsieve.transports.gathering: when the loop sleeps for a moment, and when it does not."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from pathlib import Path

import pytest
from botsieve.transports.gathering import DENSE_S, FEW, MOMENT_S, Gathering, gathering_of_thread
from botsieve.transports.surplus import Surplus

from tests.transports.wire import Echo, get, listening

ENOUGH = 200  # turns, until an average has forgotten what was before
_PR_GET_TIMERSLACK = 30


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def gathering(slept: list[float]) -> Gathering:
    return Gathering(slept.append)


def turns(gathering: Gathering, slept: list[float], idle_s: float, count: int = 1, *, of: int = ENOUGH) -> int:
    """In how many of so many turns it slept."""
    slept.clear()
    for _ in range(of):
        gathering.after(idle_s, count)
    return len(slept)


def test_dense_checks(gathering: Gathering, slept: list[float]) -> None:
    """Where checks follow each other closely it sleeps after each turn, for one moment."""
    turns(gathering, slept, DENSE_S / 2)
    assert turns(gathering, slept, DENSE_S / 2, of=10) == 10
    assert set(slept) == {MOMENT_S}


@pytest.mark.parametrize("idle_s", [DENSE_S * 1.1, 0.001, 0.1, 3600.0])
def test_others_are_not_kept_waiting(gathering: Gathering, slept: list[float], idle_s: float) -> None:
    """A check now and then is answered, and the next one is waited for as ever: it wakes us."""
    turns(gathering, slept, idle_s)
    assert turns(gathering, slept, idle_s) == 0


def test_not_while_more_of_them_wait(gathering: Gathering, slept: list[float]) -> None:
    """A turn of many checks is followed by the next one at once: nothing of what the core can do is slept away."""
    turns(gathering, slept, DENSE_S / 2)
    assert turns(gathering, slept, 0.0, FEW + 1) == 0
    assert turns(gathering, slept, 0.0, FEW) == ENOUGH


def test_it_begins_and_ends_soon(gathering: Gathering, slept: list[float]) -> None:
    """Some fifty dense turns begin it; a pause, however long, ends it, and counts for no more than a pause."""
    assert ENOUGH - turns(gathering, slept, DENSE_S / 2) < 60
    gathering.after(3600.0, 1)
    assert turns(gathering, slept, DENSE_S / 2, of=60) >= 40


def test_a_single_pause_among_dense_ones(gathering: Gathering, slept: list[float]) -> None:
    """One turn that another process held up among many does not end it for long."""
    turns(gathering, slept, DENSE_S / 4)
    gathering.after(0.0015, 1)
    assert turns(gathering, slept, DENSE_S / 4, of=30) >= 25


def test_the_kernel_is_told(slept: list[float]) -> None:
    """The thread of the loop, and no other, is woken as soon as its moment has passed: 1 us later in place of 50."""
    prctl = ctypes.CDLL(None).prctl
    before = prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0)
    found: list[object] = []

    def loop() -> None:
        found.append(gathering_of_thread())
        found.append(prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0))

    thread = threading.Thread(target=loop)
    thread.start()
    thread.join(10)
    assert isinstance(found[0], Gathering)
    assert found[1] == 1_000
    assert prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0) == before


class Dense(Surplus):
    """A listener's, on a clock that the test moves; `slept` are its moments."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []
        super().__init__(loop, clock=lambda: self.now_s, work=lambda: 0.0)
        self.gathering = Gathering(self.slept.append)


@pytest.mark.plain
def test_through_a_socket(tmp_path: Path) -> None:
    """Over a real socket: a moment after each of many checks that follow each other closely, none where they do not."""
    with listening(Echo(), tmp_path / "s", surplus=Dense) as edge, edge.connect() as connection:
        surplus = edge.surplus
        assert isinstance(surplus, Dense)

        def ask(idle_s: float) -> int:
            before = len(surplus.slept)
            for _ in range(ENOUGH):
                surplus.now_s += idle_s
                assert connection.send(get(b"/v1/check/nginx")).reply().status == 200
            return len(surplus.slept) - before

        assert ask(DENSE_S / 2) > ENOUGH / 2
        assert ask(DENSE_S * 2) < ENOUGH / 4
        assert ask(DENSE_S * 2) == 0
