"""`sessions.resets` [S2-45..S2-50]: a device that loses its identity too often.

Law of the file: expiry and browsers that clear their storage are no faults; a fault is told by who saw it, never guessed here.  Counted
by device, or by fingerprint and network, never by a fingerprint alone.  Who is known by a device id is answered as `action` says; who
is known by anything else, which others may share, by a challenge at most.
"""

from __future__ import annotations

from botsieve.attacks.preventions import Preventions, Whom
from botsieve.attacks.types import IGNORE, SESSION_RESETS
from botsieve.challenge.browser_facts import COOKIE_DELETED, INTEGRITY_FAULT, Fact
from botsieve.decision import Measure
from botsieve.detectors.settings import SessionResets
from botsieve.remembered import Bounded
from botsieve.state.parts import LastSeen

RESETS = "sessions.resets"
# What is counted, as incidents show it [S2-50].
_NAMES = {INTEGRITY_FAULT: "integrity_faults", COOKIE_DELETED: "cookie_deletions"}
MAX_COUNTED = 20_000  # about 0.6 KiB each


class Resets:
    """Faults and deletions, as the reports of pages tell."""

    __slots__ = ("_seen", "_serial", "preventions")

    def __init__(self, preventions: Preventions) -> None:
        self.preventions = preventions
        self._seen: Bounded[bytes, LastSeen] = Bounded(MAX_COUNTED)
        self._serial = 0

    def told(
        self, whom: Whom, without_device: Whom | None, fact: Fact, settings: SessionResets, now_s: float
    ) -> tuple[Whom, ...]:
        """A report shows a fault or deletion; against whom it is answered from now on.

        `whom`, `without_device`: as of Suspects.told.  Errors: KeyError for a fact of another kind.
        """
        name = _NAMES[fact.kind]
        if settings.action == IGNORE or (fact.kind == COOKIE_DELETED and fact.by not in settings.by):
            return ()
        most, within_s = _limits(fact.kind, settings)
        count = self._count(_name(whom, fact), now_s, most, within_s)
        if count <= most:
            return ()
        those = [whom]
        if without_device is not None and without_device.key != whom.key:
            those.append(without_device)
        measure = Measure(f"{name}_in_{within_s:g}_s", count, most)
        for one in those:
            self._begin(one, measure, settings, now_s, within_s, mild=not fact.device or one is without_device)
        return tuple(those)

    def _count(self, name: bytes, now_s: float, most: int, within_s: float) -> int:
        """Counts one event; how many there were within `within_s` (at most twice the limit)."""
        seen = self._seen.get(name)
        if seen is None:
            seen = LastSeen()
        self._seen.put(name, seen)
        self._serial += 1
        seen.forget_before(now_s - within_s)
        seen.add(self._serial, now_s, 2 * most)
        return len(seen)

    def _begin(
        self, whom: Whom, measure: Measure, settings: SessionResets, now_s: float, within_s: float, *, mild: bool
    ) -> None:
        held = (self.preventions.of(whom.key) or {}).get(RESETS)
        if held is None or not held.runs(now_s):
            held = self.preventions.begin(whom, RESETS, SESSION_RESETS, now_s, settings.prevention_s, mild=mild)
        held.mild = held.mild and mild
        held.keep((measure,), now_s, within_s, high=True)

    def __len__(self) -> int:
        return len(self._seen)


def _limits(kind: str, settings: SessionResets) -> tuple[int, float]:
    if kind == INTEGRITY_FAULT:
        return settings.integrity_faults, settings.integrity_s
    return settings.cookie_deletions, settings.deletion_s


def _name(whom: Whom, fact: Fact) -> bytes:
    """What it is counted under: the device, else fingerprint and network, else whoever sent it; each on its own site."""
    by = whom.key if fact.device or not fact.browser else whom.policy.encode() + b"|" + fact.browser
    return f"{fact.kind}|{fact.by}|".encode() + by
