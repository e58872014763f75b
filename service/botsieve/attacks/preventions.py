"""Preventions: what was found of a subject is answered for a while, and for no longer than it goes on.

Law of the file: a prevention lasts `prevention_s` at most.  It ends early when the measured value stayed under half its limit for
120 s, refused requests included; one that begins within 10 min of the last one's end lasts its full time.  At most `most` are held;
beyond it those of one network fold into one.  Nothing here says a verdict: the action of the policy of the moment does.
Source: docs/mission.md S2-44, S2-56; docs/preventions.md.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from botsieve.attacks.types import ENDED, EXPIRED, RELEASED
from botsieve.decision import Measure
from botsieve.state.parts import Latch

QUIET_S = 120.0
AGAIN_S = 600.0
FOLD_AT_ONCE = 256  # about 0.3 ms
NETWORK = "network"


class Whom(NamedTuple):
    """Against whom.  `subject`: a word of docs/decision-log.md; `key`: its 8 bytes on the site of `policy`.

    `client`: the address (16 bytes) whose request began it; `network_key`: the 8 bytes of its network on that site.
    """

    policy: str
    subject: str
    key: bytes
    client: bytes
    network_key: bytes


class Prevention:
    """One prevention of one detector against one subject.

    `until_s`: when it ends as things stand.  `full`: not before its time.  `why`: "" while it runs, then ended, expired or
    released, at `ended_s`.  `detail`: our words or the operator's for what was found.  `mild`: a challenge at most.
    """

    __slots__ = (
        "attack_type",
        "detail",
        "detector",
        "ended_s",
        "full",
        "latch",
        "low_s",
        "measures",
        "mild",
        "until_s",
        "whom",
        "why",
    )

    def __init__(self, whom: Whom, detector: str, attack_type: str, latch: Latch, *, full: bool = False) -> None:
        self.whom = whom
        self.detector = detector
        self.attack_type = attack_type
        self.latch = latch
        self.full = full
        self.until_s = latch.end_s
        self.low_s = 0.0
        self.measures: tuple[Measure, ...] = ()
        self.why = ""
        self.ended_s = 0.0
        self.detail = ""
        self.mild = False

    def runs(self, now_s: float) -> bool:
        """Whether it holds; one whose time is over is over from here on."""
        if self.why:
            return False
        if now_s < self.until_s:
            return True
        self._over(ENDED if self.until_s < self.latch.end_s else EXPIRED, self.until_s)
        return False

    def keep(self, measures: tuple[Measure, ...], now_s: float, window_s: float, *, high: bool) -> None:
        """Takes what is measured now.  `window_s`: so long after the last request the value is surely low."""
        self.measures = measures
        if self.full:
            return
        if high:
            self.low_s = 0.0
            self.until_s = min(self.latch.end_s, now_s + window_s + QUIET_S)
        elif self.low_s == 0.0:
            self.low_s = now_s
            self.until_s = min(self.until_s, now_s + QUIET_S)

    def end(self, now_s: float) -> None:
        """What it answered is over."""
        if not self.why:
            self._over(ENDED, now_s)

    def release(self, now_s: float) -> None:
        """Somebody ends it."""
        if not self.why:
            self.latch.released = True
            self._over(RELEASED, now_s)

    def _over(self, why: str, now_s: float) -> None:
        self.why, self.ended_s, self.until_s = why, now_s, min(self.until_s, now_s)


_NONE: Mapping[str, Prevention] = MappingProxyType({})


class Preventions:
    """All of them, by subject.  `begun`: how many began; `folded`: were folded into their network's; `lost`: dropped for want of room;
    `over`: ended by somebody, or forgotten."""

    __slots__ = ("_by_network", "_of", "_turn", "begun", "folded", "lost", "most", "over", "size")

    def __init__(self, most: int = 200_000) -> None:
        self.most = most
        self._of: OrderedDict[bytes, dict[str, Prevention]] = OrderedDict()  # a dict walks to its first entry
        self._by_network: dict[bytes, dict[tuple[bytes, str], None]] = {}
        self._turn: list[bytes] = []
        self.size = 0
        self.begun = 0
        self.folded = 0
        self.lost = 0
        self.over = 0

    def of(self, key: bytes) -> dict[str, Prevention] | None:
        """By detector, also those that ended within the last minutes; None for a subject without any.  `key`: 8 bytes."""
        return self._of.get(key)

    def runs(self, key: bytes, detector: str, now_s: float) -> bool:
        """Whether one of this detector holds against the subject."""
        one = self._of.get(key, _NONE).get(detector)
        return one is not None and one.runs(now_s)

    def expired(self, key: bytes, detector: str, now_s: float) -> bool:
        """Whether one of this detector has lasted its full time; told once, then it is forgotten."""
        one = self._of.get(key, _NONE).get(detector)
        if one is None or one.runs(now_s) or one.why != EXPIRED:
            return False
        self.drop(one)
        return True

    def begin(
        self, whom: Whom, detector: str, attack_type: str, now_s: float, lasts_s: float, *, mild: bool = False
    ) -> Prevention:
        """Begins one; where there is no room for it, the one of its network."""
        known = self._of.get(whom.key)
        before = known.get(detector) if known is not None else None
        full = before is not None and before.why not in ("", RELEASED) and now_s - before.ended_s < AGAIN_S
        self.begun += 1
        latch = Latch(int(now_s * 1000.0), now_s + lasts_s)
        one = Prevention(whom, detector, attack_type, latch, full=full)
        one.mild = mild
        if before is None and self.size >= self.most:
            return self._folded(one, now_s)
        return self.put(one)

    def put(self, one: Prevention) -> Prevention:
        """Holds it in the place of an earlier one of the same detector against the same subject."""
        whom = one.whom
        before = self._of.get(whom.key, _NONE).get(one.detector)
        if before is not None:
            self.drop(before)  # it may stand under another network
        self._of.setdefault(whom.key, {})[one.detector] = one
        self.size += 1
        self._by_network.setdefault(whom.network_key, {})[whom.key, one.detector] = None
        return one

    def drop(self, one: Prevention) -> None:
        """Forgets it."""
        whom = one.whom
        held = self._of.get(whom.key)
        if held is None or held.pop(one.detector, None) is None:
            return
        self.size -= 1
        if not held:
            del self._of[whom.key]
        members = self._by_network[whom.network_key]
        members.pop((whom.key, one.detector), None)
        if not members:
            del self._by_network[whom.network_key]

    def _folded(self, one: Prevention, now_s: float) -> Prevention:
        """Room for one: those of its network become one, some at a time, or the longest held of all is forgotten."""
        network_key = one.whom.network_key
        members = list(islice(self._by_network.get(network_key, ()), FOLD_AT_ONCE))
        if not members:
            oldest = next(iter(next(iter(self._of.values())).values()))
            self.drop(oldest)
            self.lost += 1
            return self.put(one)
        mild = one.mild
        for key, detector in members:
            held = self._of[key][detector]
            if held.runs(now_s):
                one.latch.end_s = max(one.latch.end_s, held.latch.end_s)
                mild = mild and held.mild
            self.drop(held)
            self.folded += 1
        whom = one.whom._replace(subject=NETWORK, key=network_key)
        folded = Prevention(whom, one.detector, one.attack_type, one.latch, full=True)
        folded.mild = mild
        return self.put(folded)

    def running(self, now_s: float) -> Iterator[Prevention]:
        """Those that hold.  O(all)."""
        for held in list(self._of.values()):
            yield from [one for one in held.values() if one.runs(now_s)]

    def everything(self) -> Iterator[Prevention]:
        """All of them, the longest held first.  Nothing may be begun or dropped while it runs."""
        for held in self._of.values():
            yield from held.values()

    def of_network(self, network_key: bytes) -> Iterator[Prevention]:
        """Those of a network.  As `everything`."""
        for key, detector in self._by_network.get(network_key, ()):
            yield self._of[key][detector]

    def in_slices(self, size: int) -> Iterator[list[Prevention]]:
        """All of them, those of at most `size` subjects at a time; others may begin and end in between."""
        keys = list(self._of)
        for at in range(0, len(keys), size):
            yield [one for key in keys[at : at + size] for one in self._of.get(key, _NONE).values()]

    def sweep(self, now_s: float, most: int = 500) -> list[Prevention]:
        """Ends what is over and forgets what has been over for 10 min, for the next `most` subjects, in turn."""
        if not self._turn:
            self._turn = list(self._of)  # 200,000: 2 ms, once in a round
        gone = [
            one
            for key in self._turn[-most:]
            for one in self._of.get(key, _NONE).values()
            if not one.runs(now_s) and one.ended_s < now_s - AGAIN_S
        ]
        del self._turn[-most:]
        for one in gone:
            self.drop(one)
        self.over += len(gone)
        return gone

    def __len__(self) -> int:
        return self.size
