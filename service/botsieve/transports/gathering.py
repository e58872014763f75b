"""A moment in which checks gather: while they come so densely that the next one is due, the loop sleeps a little and looks then.

Who writes to a socket on which somebody waits has to wake him, and pays for it: 5 to 10 us of nginx's core, for every seventh
question at 20,000 a second (docs/decisions/0020).  Nobody has to be woken who looks by himself.

Law of the file: a check waits for one moment at most, and only where checks are dense; no moment goes by while more of them wait.
"""

from __future__ import annotations

from collections.abc import Callable
from time import sleep

# How long the loop sleeps: about as long as it would take to be woken twice.
MOMENT_S = 0.000_020
# Dense: so long, on average, from the end of one turn to the first check of the next, our own moment included.  At twice as long
# most moments would pass without a check.
DENSE_S = 0.000_100
# A turn of more checks than these was no quiet one: the next are there already, and a moment would only be lost.
FEW = 4
# What one pause counts for, however long it was; and over how many turns the average goes.
_LONGEST_S = 0.001
_TURNS = 16.0

# How late the kernel may be so that it can wake several sleepers at once, for this thread: 50 us unless it is told otherwise
# (prctl(2), PR_SET_TIMERSLACK).
_PR_SET_TIMERSLACK = 29
_SLACK_NS = 1_000


class Gathering:
    """One event loop's.  `sleep_s(seconds)`: holds up the loop."""

    __slots__ = ("_idle_s", "_sleep_s")

    def __init__(self, sleep_s: Callable[[float], None]) -> None:
        self._sleep_s = sleep_s
        self._idle_s = _LONGEST_S

    def after(self, idle_s: float, count: int) -> None:
        """The end of a turn of `count` checks; before it there were none for `idle_s`."""
        self._idle_s += (min(idle_s, _LONGEST_S) - self._idle_s) / _TURNS
        if count <= FEW and self._idle_s < DENSE_S:
            self._sleep_s(MOMENT_S)


def gathering_of_thread() -> Gathering | None:
    """For the loop of this thread.  None where the kernel cannot be told to sleep as short as this: a moment would be three."""
    from ctypes import CDLL  # once at start

    is_told = CDLL(None).prctl(_PR_SET_TIMERSLACK, _SLACK_NS, 0, 0, 0) == 0
    return Gathering(sleep) if is_told else None
