"""How much an edge is to ask while there is overload: as many per cent of what arrives as can be judged (X-Botsieve-Ask).

Every question costs us something even where it is only refused, and an edge that can let pass by itself is told to spare us that.
What arrives at the edges is what they asked and what they say that they did not ask (X-Botsieve-Unjudged, behind the `+`); what
can be judged is what one judgement takes.  The part is the one through the other, so an answer that is late changes nothing: no step
rests on the step before, and none on how many were refused.  Only the line moves it, and slowly: a part that is a little too large
or too small makes it grow or go.

Law of the file: pure; times are those of the caller's clock.  What an edge says it did not ask is believed as its other numbers
are, and a wrong one is forgotten within a second.
"""

from __future__ import annotations

from collections.abc import Callable

# The part is found anew so often.  Twenty times a second is a few hundred requests on a busy core: enough to divide by.
# The first one is short: until it, edges ask about everything.
STEP_S, FIRST_STEP_S = 0.05, 0.01
# A line of so much work is wanted, from and to: with less the core would rest now and then, with more people would wait for nothing.
WANTED_S, MOST_WANTED_S = 0.003, 0.008
# What is more or less than that is to be gone after so long.  Twice as long as it takes until an edge that hears late does as it is told:
# shorter, and the line would swing.
EVENED_S = 0.25
# What was measured is worth half after so many steps.  Of the first few, each counts as much as the others.
_HALF_OF_ARRIVALS, _HALF_OF_COST = 2.0, 4.0
# After so many steps with room for nearly everybody, and in the line for the others, the edges are told nothing any more.
_CALM_STEPS = 10
ALL, NEARLY_ALL = 100, 95


class Asking:
    """One event loop's.  `say(part)`: the edges are told to ask `part` per cent, 1 to 100; 0: from now on they are told nothing.

    `is_on`: they are told.  `is_heard`: some do as they are told.
    """

    __slots__ = (
        "_arrived",
        "_arriving_per_s",
        "_calm",
        "_carry",
        "_cost_s",
        "_judged",
        "_judging_s",
        "_known_s",
        "_reading_s",
        "_refused",
        "_say",
        "_since_s",
        "_spared",
        "_waiting",
        "_waiting_least",
        "is_heard",
        "is_on",
    )

    def __init__(self, say: Callable[[int], None]) -> None:
        self._say = say
        self.is_on = self.is_heard = False
        self._since_s = 0.0
        self._calm = 0
        self._carry = 0.0
        self._cost_s = self._arriving_per_s = self._known_s = 0.0
        self._arrived = self._judged = self._refused = self._spared = 0
        self._reading_s = self._judging_s = 0.0
        self._waiting = self._waiting_least = 0

    def begin(self, now_s: float, waiting: int = 0) -> None:
        """There is overload, and so many stood in the line before.  May be said again and again."""
        if self.is_on:
            return
        self.is_on = True
        self._calm = 0
        self._carry = 0.0
        self._cost_s = self._arriving_per_s = 0.0
        self._known_s = 0.0
        self._waiting = waiting
        self._restart(now_s)

    def spared(self, count: int) -> None:
        """An edge says that it did not ask about so many more."""
        self._spared += count

    def turn(self, now_s: float, judged: int, refused: int, reading_s: float, judging_s: float, waiting: int = 0) -> None:
        """One turn of the loop: so many were judged and refused, so many are left in the line.

        What it took: `reading_s` over all of them, `judging_s` over the judged.
        """
        self._judged += judged
        self._refused += refused
        self._reading_s += reading_s
        self._judging_s += judging_s
        self._arrived += judged + refused + waiting - self._waiting
        self._waiting = waiting
        self._waiting_least = min(self._waiting_least, waiting)
        if now_s - self._since_s >= (STEP_S if self._known_s else FIRST_STEP_S):
            self._step(now_s)

    def _restart(self, now_s: float) -> None:
        self._since_s = now_s
        self._arrived = self._judged = self._refused = self._spared = 0
        self._waiting_least = self._waiting
        self._reading_s = self._judging_s = 0.0

    def _step(self, now_s: float) -> None:
        seconds = now_s - self._since_s
        self._measure(seconds)
        has_room = not self._refused
        standing_s = self._waiting_least * self._cost_s
        self.is_heard = self._spared > 0
        self._restart(now_s)
        if not self._cost_s:
            return  # nobody was judged yet: nothing is known of what can be
        wanted_s = max(WANTED_S, min(standing_s, MOST_WANTED_S))
        can_per_s = max(0.5, 1.0 + (wanted_s - standing_s) / EVENED_S) / self._cost_s
        # More than a hundred times of that is not told apart, nor remembered: its end would be noticed that much later.
        self._arriving_per_s = min(self._arriving_per_s, ALL * can_per_s)
        exact = ALL * can_per_s / self._arriving_per_s
        self._calm = self._calm + 1 if exact >= NEARLY_ALL and has_room else 0
        self.is_on = self._calm < _CALM_STEPS
        self._say(self._whole(exact) if self.is_on else 0)

    def _measure(self, seconds: float) -> None:
        """What one judgement took and how many arrive, each beside what was known before."""
        judged = self._judged
        asked = judged + self._refused
        known_s = self._known_s
        if judged:
            cost_s = (self._judging_s + self._reading_s * judged / asked) / judged
            self._cost_s = _between(self._cost_s, cost_s, known_s, seconds, _HALF_OF_COST)
        arriving_per_s = max(1, self._arrived + self._spared) / seconds
        self._arriving_per_s = _between(self._arriving_per_s, arriving_per_s, known_s, seconds, _HALF_OF_ARRIVALS)
        self._known_s = known_s + seconds

    def _whole(self, exact: float) -> int:
        """A whole number, 1 to 100.  What it leaves out is made up for by the next ones: of 4.7 each third is a 4, not all."""
        if exact >= ALL or exact <= 1.0:
            self._carry = 0.0
            return ALL if exact >= ALL else 1
        wanted = exact + self._carry
        part = max(1, min(ALL, int(wanted)))
        self._carry = min(1.0, wanted - part)
        return part


def _between(before: float, now: float, known_s: float, seconds: float, half_steps: float) -> float:
    """What was known for `known_s`, and what was seen in the last `seconds`: an average in which what is `half_steps` steps old counts
    half.  0.0 before: nothing is known yet.
    """
    if not before:
        return now
    left: float = 0.5 ** (seconds / (STEP_S * half_steps))
    return now + (before - now) * min(left, known_s / (known_s + seconds))
