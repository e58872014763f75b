"""What a solved challenge earns: challenges are lifted for a while, blocks are not.

Law of the file: the cookie says what was earned and to whom; what became of it since (requests used, places seen, spoiled) is
remembered in this process only, bounded.  A clearance whose memory is gone (evicted, restarted) is honoured with a fresh one.

Bound strictly to host and User-Agent.  The network and the TLS family of the challenge are in the cookie; others may join,
`roam` of them in all (a clearance lives at most 24 h).  A request from one place too many is not cleared; those from known
places still are.
"""

from __future__ import annotations

import struct
from hashlib import blake2s

import msgspec

from botsieve.challenge.binding import context_of, family_of, place_of, who_of
from botsieve.challenge.cookies import CLEARANCE_COOKIE, carried_cookies, set_cookie
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.limits import Loops
from botsieve.challenge.settings import ChallengeSettings
from botsieve.challenge.tokens import CLEARANCE, SKEW_S, open_token, seal
from botsieve.decision import LEVELS
from botsieve.observation import NAVIGATION, Observation
from botsieve.remembered import Bounded

ID_BYTES = 8
# 100,000 clearances at work in one process; about 60 MiB if all of them roam.
MAX_REMEMBERED = 100_000
# Verified cookies kept, at most about 1.5 KiB each.  What did not verify is never kept, nor what is longer than a browser's: one
# clearance with a User-Agent of 16 KiB, sent from 20,000 addresses, would take 300 MiB.
MAX_OPENED = 20_000
_MAX_SEEN_BYTES = 1_024
# Who keeps using it is not asked again before; the browser sends the cookie for so long.
MAX_LIFE_S = 86_400
# guess: URLs that a page asks for in turn while nobody does anything.
_POLLED = 4
# guess: so many parts of pages (pictures, styles, prefetched pages) in which something was found use up as much as one page view.
PARTS_OF_A_PAGE = 30
# guess: while that goes on for which the clearance was earned, a page view uses up five.  Who reads a story from its first chapter to its
# last is asked every sixty pages; who turns pages faster than they are read (traversal.py), every five, and for more work.
GOES_ON_COSTS, HURRIED_COSTS = 5, 60
READ_S = 3.0
# Those who were challenged and may solve it, with what was found; a kilobyte each at most.
_MAX_ASKED = 20_000
# Cookie value, host, User-Agent, address.
_Seen = tuple[bytes, bytes, bytes, bytes]
# id, issued, expires, level, no_js
_PACKED = struct.Struct(f">{ID_BYTES}sIIBB")


_NOTHING: frozenset[str] = frozenset()


class Standing(msgspec.Struct, frozen=True, gc=False):
    """A clearance that holds for this request.

    `id` names it in this process's memory; `level` is that of the challenge that was solved; `no_js` says that it was earned by
    waiting; `issued_s`, `expires_s`: the service's clock; `who`: address, host and User-Agent (16 bytes).
    """

    id: bytes
    level: str
    no_js: bool
    issued_s: int
    expires_s: int
    who: bytes


class _Memory:
    """What became of one clearance.

    `who`: who got it.  `grown`: places and families that joined.  `helped`: it let a request through.  `findings`: the
    behaviour findings that were there when it was first asked about, None before.  `earned`: those that it was earned for.  `urls`: those
    asked for last.  `last_s`: when.
    """

    __slots__ = (
        "earned",
        "families",
        "findings",
        "grown",
        "helped",
        "last_s",
        "parts",
        "places",
        "spoiled",
        "urls",
        "used",
        "who",
    )

    def __init__(self, who: bytes, place: bytes, family: bytes) -> None:
        self.who = who
        self.places: tuple[bytes, ...] = (place,)
        self.families: tuple[bytes, ...] = (family,) if family else ()
        self.grown = 0
        self.used = 0
        self.parts = 0
        self.spoiled = False
        self.helped = False
        self.findings: frozenset[str] | None = None
        self.earned = _NOTHING
        self.urls: tuple[int, ...] = ()
        self.last_s = 0.0

    def admit(self, place: bytes, family: bytes, roam: int) -> bool:
        """Whether a request from there is covered; lets new ones join while there is room."""
        new_place = place not in self.places
        # The first family ever seen is no growth: the challenge may have been solved where none was visible.
        new_family = bool(family) and bool(self.families) and family not in self.families
        if self.grown + new_place + new_family > roam:
            return False
        if new_place:
            self.places += (place,)
        if new_family or (family and not self.families):
            self.families += (family,)
        self.grown += new_place + new_family
        return True


class Clearances:
    """Mints clearances, and says of each request whether it has one."""

    __slots__ = ("_asked", "_memories", "_opened", "_raised", "_settings", "keys", "loops")

    def __init__(
        self, settings: ChallengeSettings, keys: KeyRing, loops: Loops | None = None, limit: int = MAX_REMEMBERED
    ) -> None:
        self._settings = settings
        self.keys = keys
        self.loops = loops or Loops()
        self._memories: Bounded[bytes, _Memory] = Bounded(limit)
        self._raised: Bounded[bytes, tuple[str, float]] = Bounded(limit)
        self._asked: Bounded[bytes, tuple[frozenset[str], float]] = Bounded(min(limit, _MAX_ASKED))
        self._opened: Bounded[_Seen, tuple[Standing, bytes, bytes]] = Bounded(MAX_OPENED)

    def apply(self, settings: ChallengeSettings, keys: KeyRing) -> None:
        """Takes new settings and keys; what is remembered stays."""
        self._settings = settings
        self.keys = keys
        self._opened.clear()

    def mint(
        self, o: Observation, *, nonce: bytes, level: str, no_js: bool, place: bytes, family: bytes, now_s: float
    ) -> str | None:
        """The Set-Cookie value for a challenge that was just redeemed, None if the redeemer is too far from who was asked.

        `nonce`: the challenge's, spent before; `place`, `family`: those of the challenge (`place_of`, `family_of` of the
        request that got it).
        """
        memory = _Memory(who_of(o), place, family)
        if not memory.admit(place_of(o), family_of(o), self._settings.roam):
            return None
        lifetime_s = self._settings.no_js.clearance_s if no_js else self._settings.clearance_s
        clearance_id = blake2s(nonce, digest_size=ID_BYTES, person=b"clear-id").digest()
        packed = _PACKED.pack(clearance_id, int(now_s), int(now_s) + lifetime_s, LEVELS.index(level), no_js)
        # Who only waited has shown nothing that would make up for it.
        asked = None if no_js else self._asked.get(memory.who)
        if asked is not None and now_s - asked[1] <= self._settings.valid_s:
            memory.earned = asked[0]
        self._memories.put(clearance_id, memory)
        self.loops.minted(memory.who, now_s)
        token = seal(self.keys, CLEARANCE, (packed, place, family), context_of(o))
        return set_cookie(o, CLEARANCE_COOKIE, token, lifetime_s if no_js else MAX_LIFE_S, returns=True)

    def standing(self, o: Observation, now_s: float) -> Standing | None:
        """The clearance that covers this request, None if there is none.  All cookies of the name are tried.

        What another site's page makes the browser fetch is not covered: it would use up the clearance of whoever looks at that page.
        """
        return self.of(carried_cookies(o)[0], o, now_s)

    def of(self, values: list[bytes], o: Observation, now_s: float) -> Standing | None:
        """The same, of the values of its cookies."""
        if not values or o.is_foreign:
            return None
        for value in values:
            found = self._open(o, value, now_s)
            if found is None:
                continue
            standing, memory = found
            if memory.spoiled or memory.used >= self._settings.clearance_requests:
                continue
            if memory.admit(place_of(o), family_of(o), self._settings.roam):
                return standing
        return None

    def asked(self, o: Observation, findings: frozenset[str], now_s: float) -> None:
        """This request is challenged for these behaviour findings: whoever solves that has made up for them.

        A clearance is a client of its own, so they are found anew some pages later, if nothing else is done than before.
        """
        self._asked.put(who_of(o), (findings, now_s))

    def count(self, standing: Standing, now_s: float, url: int = 0, findings: frozenset[str] = _NOTHING) -> None:
        """One page view or data call, in which these behaviour findings are, was let through under it.

        `url`: of a data call that reads, 0 for all else.  One of the last four again is a page that refreshes itself, not the next item:
        it uses nothing up.
        """
        memory = self._memories.get(standing.id)
        if memory is None:
            return
        costs = 1
        if not memory.earned.isdisjoint(findings):
            costs = GOES_ON_COSTS if now_s - memory.last_s >= READ_S else HURRIED_COSTS
        memory.last_s = now_s
        if not url or url not in memory.urls:
            memory.used += costs
            if url:
                memory.urls = (*memory.urls[1 - _POLLED :], url)
        self._memories.put(standing.id, memory)  # the youngest again
        if costs == HURRIED_COSTS and memory.used >= self._settings.clearance_requests:
            self.spoil(standing)
        if not memory.helped:
            memory.helped = True
            self.loops.helped(memory.who, now_s)

    def count_part(self, standing: Standing, now_s: float) -> None:
        """It covered what calls itself a part of a page, in which something was found: thirty of them use up as much as a page view.

        That it is one is the client's word: without an end everything could be taken for one solution.
        """
        memory = self._memories.get(standing.id)
        if memory is None:
            return
        memory.last_s = now_s
        memory.parts += 1
        if memory.parts % PARTS_OF_A_PAGE == 0:
            memory.used += 1
        self._memories.put(standing.id, memory)

    def note_vain(self, o: Observation, now_s: float) -> None:
        """A page is challenged.  If it came with a clearance that holds, that one was not enough: as if it had never come back."""
        standing = self.standing(o, now_s)
        if standing is not None:
            self.loops.minted(standing.who, now_s)

    def brings_new(self, standing: Standing, findings: frozenset[str]) -> bool:
        """Whether a behaviour finding is there for which it was not earned, and that was not when it was first asked about.

        `findings`: what the caller compares, detector ids or reasons.  What was there when it was earned is forgiven.
        """
        memory = self._memories.get(standing.id)
        if memory is None:
            return False
        if memory.findings is None:
            memory.findings = findings | memory.earned
        return not findings <= memory.findings

    def spoil(self, standing: Standing) -> None:
        """It lifts nothing any more, and until it would have run out the next challenge is of the next level.

        After one that was earned by waiting it is the highest, which cannot be waited out.
        """
        memory = self._memories.get(standing.id)
        if memory is None or memory.spoiled:
            return
        memory.spoiled = True
        higher = LEVELS[-1] if standing.no_js else LEVELS[min(LEVELS.index(standing.level) + 1, len(LEVELS) - 1)]
        self._raised.put(standing.who, (higher, max(standing.expires_s, memory.last_s + _lifetime_s(standing))))

    def next_level(self, o: Observation, level: str, now_s: float) -> str:
        """The level to serve where the policy asks for `level`: never lower, higher after a spoiled clearance."""
        raised = self._raised.get(who_of(o))
        if raised is None or raised[1] <= now_s:
            return level
        return max(level, raised[0], key=LEVELS.index)

    def _open(self, o: Observation, value: bytes, now_s: float) -> tuple[Standing, _Memory] | None:
        # What was verified once for these very bytes is not verified again: 4 µs instead of 10 on the path of every request.
        seen = (value, o.host, o.user_agent, o.client)
        opened = self._opened.get(seen)
        if opened is None:
            opened = self._verify(o, value)
            if opened is None:
                return None
            if len(value) + len(o.host) + len(o.user_agent) <= _MAX_SEEN_BYTES:
                self._opened.put(seen, opened)
        standing, place, family = opened
        if now_s < standing.issued_s - SKEW_S:
            return None
        memory = self._memories.get(standing.id)
        if now_s >= standing.expires_s and (memory is None or now_s >= _end_s(o, standing, memory)):
            return None
        if memory is None:
            memory = _Memory(standing.who, place, family)
            self._memories.put(standing.id, memory)
        return standing, memory

    def _verify(self, o: Observation, value: bytes) -> tuple[Standing, bytes, bytes] | None:
        """The clearance in a cookie with place and family of its challenge, whatever its age; None for what is not ours."""
        fields = open_token(self.keys, CLEARANCE, value, context_of(o))
        if fields is None:
            return None
        packed, place, family = fields
        clearance_id, issued_s, expires_s, level, no_js = _PACKED.unpack(packed)
        return Standing(clearance_id, LEVELS[level], bool(no_js), issued_s, expires_s, who_of(o)), place, family


def _lifetime_s(standing: Standing) -> int:
    return standing.expires_s - standing.issued_s


def _end_s(o: Observation, standing: Standing, memory: _Memory) -> float:
    """When it runs out: so long after its last use, and a day after it was given at most.  What was waited for, when it says.

    A form may have taken long to fill in, and what stands in it is lost by a challenge: it is covered all day.
    """
    if standing.no_js:
        return standing.expires_s
    day_s = standing.issued_s + MAX_LIFE_S
    return day_s if o.kind == NAVIGATION and o.method == b"POST" else min(memory.last_s + _lifetime_s(standing), day_s)
