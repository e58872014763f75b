"""`browser.suspicious` [S2-59..S2-61]: browsers with a disallowed extension, or that a program drives.

Law of the file: an extension of the operator's list is answered as `action` says; marks of automation, however many, by a challenge at
most.  Who is told of for the first time is answered by its device id alone; who throws the id away each time is answered by the name that
is left too, by a challenge at most: others may share it.
"""

from __future__ import annotations

from collections import deque

from botsieve.attacks.preventions import Prevention, Preventions, Whom
from botsieve.attacks.types import IGNORE, SUSPICIOUS_CLIENTS
from botsieve.challenge.browser_facts import Fact
from botsieve.challenge.marks import SUSPICIOUS_FROM
from botsieve.decision import Measure
from botsieve.detectors.settings import SuspiciousBrowser
from botsieve.remembered import Bounded

SUSPICIOUS = "browser.suspicious"
MAX_NEWCOMERS = 20_000


class Suspects:
    """Suspicious browsers, as the reports of their pages tell."""

    __slots__ = ("_new_devices", "_newcomers", "preventions")

    def __init__(self, preventions: Preventions) -> None:
        self.preventions = preventions
        self._newcomers: Bounded[bytes, float] = Bounded(MAX_NEWCOMERS)
        self._new_devices: deque[Prevention] = deque()

    def told(
        self, whom: Whom, without_device: Whom | None, fact: Fact, settings: SuspiciousBrowser, now_s: float
    ) -> tuple[Whom, ...]:
        """A report shows a suspicious browser; against whom it is answered from now on.

        `whom`: its narrowest subject.  `without_device`: where `whom` is a device id that was given out with this very report, who
        its sender is without it; None for a device that was there before.
        """
        if settings.action == IGNORE:
            return ()
        those = [whom]
        if without_device is not None:
            last_s = self._newcomers.get(without_device.key)
            self._newcomers.put(without_device.key, now_s)
            if last_s is not None and now_s - last_s < settings.prevention_s:
                those.append(without_device)
        for one in those:
            held = self._begin(one, fact, settings, now_s, mild=one is without_device or not fact.is_listed)
            if one is whom and without_device is not None and held.whom.key == whom.key:
                self._bound(held)
        return tuple(those)

    def _bound(self, held: Prevention) -> None:
        """An id that was just given out costs one report and may never come back: a flood of them pushes out its like alone."""
        self._new_devices.append(held)
        if len(self._new_devices) > MAX_NEWCOMERS:
            oldest = self._new_devices.popleft()
            if (self.preventions.of(oldest.whom.key) or {}).get(SUSPICIOUS) is oldest:
                self.preventions.drop(oldest)

    def _begin(self, whom: Whom, fact: Fact, settings: SuspiciousBrowser, now_s: float, *, mild: bool) -> Prevention:
        held = (self.preventions.of(whom.key) or {}).get(SUSPICIOUS)
        if held is None or not held.runs(now_s):
            held = self.preventions.begin(whom, SUSPICIOUS, SUSPICIOUS_CLIENTS, now_s, settings.prevention_s, mild=mild)
        held.mild = held.mild and mild
        held.detail = fact.detail
        measures = (Measure("extensions", 1.0, 0.0),) if fact.is_listed else ()
        held.measures = (*measures, Measure("automation_points", float(fact.points), float(SUSPICIOUS_FROM)))
        return held
