"""How much an edge is to ask while there is overload: as many per cent of what arrives as can be judged (X-Botsieve-Ask).

Every question costs us something even where it is only refused, and an edge that can let pass by itself is told to spare us that.
What arrives at the edges is what they asked and what they say that they did not ask (X-Botsieve-Unjudged, behind the `+`); what
can be judged is what one judgement takes.  The part is the one through the other, so an answer that is late changes nothing: no step
rests on the step before, and none on how many were refused.

Law of the file: pure; times are those of the caller's clock.  What an edge says it did not ask is believed as its other numbers
are, and a wrong one is forgotten within a second.
"""

from __future__ import annotations

from collections.abc import Callable

# The part is found anew so often.  Twenty times a second is a few hundred requests on a busy core: enough to divide by.
STEP_S = 0.05
# So much of the time is to be spent on judging.  At 0.95 hardly anybody is refused and a twentieth of the core is left; at 1.0 no more
# is judged, and more is refused (docs/decisions/0018).
BUSY_0_1 = 0.98
# What was measured is worth half after so many steps.
_HALF_OF_ARRIVALS, _HALF_OF_COST = 2.0, 4.0
# After so many steps with room for everybody the edges are told nothing any more.
_CALM_STEPS = 10
ALL = 100


class Asking:
    """One event loop's.  `say(part)`: the edges are told to ask `part` per cent, 1 to 100; 0: from now on they are told nothing.

    `is_on`: they are told.  `is_heard`: some do as they are told.
    """

    __slots__ = (
        "_arriving_per_s",
        "_calm",
        "_carry",
        "_cost_s",
        "_judged",
        "_judging_s",
        "_reading_s",
        "_refused",
        "_say",
        "_since_s",
        "_spared",
        "is_heard",
        "is_on",
    )

    def __init__(self, say: Callable[[int], None]) -> None:
        self._say = say
        self.is_on = self.is_heard = False
        self._since_s = 0.0
        self._calm = 0
        self._carry = 0.0
        self._cost_s = self._arriving_per_s = 0.0
        self._judged = self._refused = self._spared = 0
        self._reading_s = self._judging_s = 0.0

    def begin(self, now_s: float) -> None:
        """There is overload.  May be said again and again."""
        if self.is_on:
            return
        self.is_on = True
        self._calm = 0
        self._carry = 0.0
        self._cost_s = self._arriving_per_s = 0.0
        self._restart(now_s)

    def spared(self, count: int) -> None:
        """An edge says that it did not ask about so many more."""
        self._spared += count

    def turn(self, now_s: float, judged: int, refused: int, reading_s: float, judging_s: float) -> None:
        """One turn of the loop: so many were judged and refused.

        What it took: `reading_s` over all of them, `judging_s` over the judged.
        """
        self._judged += judged
        self._refused += refused
        self._reading_s += reading_s
        self._judging_s += judging_s
        if now_s - self._since_s >= STEP_S:
            self._step(now_s)

    def _restart(self, now_s: float) -> None:
        self._since_s = now_s
        self._judged = self._refused = self._spared = 0
        self._reading_s = self._judging_s = 0.0

    def _step(self, now_s: float) -> None:
        seconds = now_s - self._since_s
        self._measure(seconds)
        has_room = not self._refused
        self.is_heard = self._spared > 0
        self._restart(now_s)
        if not self._cost_s:
            return  # nobody was judged yet: nothing is known of what can be
        can_per_s = BUSY_0_1 / self._cost_s
        # More than a hundred times of that is not told apart, nor remembered: its end would be noticed that much later.
        self._arriving_per_s = min(self._arriving_per_s, ALL * can_per_s)
        exact = ALL * can_per_s / self._arriving_per_s
        self._calm = self._calm + 1 if exact >= ALL and has_room else 0
        self.is_on = self._calm < _CALM_STEPS
        self._say(self._whole(exact) if self.is_on else 0)

    def _measure(self, seconds: float) -> None:
        """What one judgement took and how many arrive, each beside what was known before."""
        judged = self._judged
        asked = judged + self._refused
        if judged:
            cost_s = (self._judging_s + self._reading_s * judged / asked) / judged
            self._cost_s = _between(self._cost_s, cost_s, seconds, _HALF_OF_COST)
        arriving_per_s = max(1, asked + self._spared) / seconds
        self._arriving_per_s = _between(self._arriving_per_s, arriving_per_s, seconds, _HALF_OF_ARRIVALS)

    def _whole(self, exact: float) -> int:
        """A whole number, 1 to 100.  What it leaves out is made up for by the next ones: of 4.7 each third is a 4, not all."""
        if exact >= ALL or exact <= 1.0:
            self._carry = 0.0
            return ALL if exact >= ALL else 1
        wanted = exact + self._carry
        part = max(1, min(ALL, int(wanted)))
        self._carry = min(1.0, wanted - part)
        return part


def _between(before: float, now: float, seconds: float, half_steps: float) -> float:
    """An average in which what is `half_steps` steps old counts half; 0.0 before: nothing is known yet."""
    left = 0.5 ** (seconds / (STEP_S * half_steps)) if before else 0.0
    return now + (before - now) * left
