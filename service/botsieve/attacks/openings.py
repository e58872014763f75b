"""`sessions.opening` [S2-35..S2-44]: sessions opened too fast from one address, and what is done about it.

Law of the file: a session is opened when a page load comes without a valid cookie where one could have been delivered.  It is an
attack at the minimum AND (so much above what is usual for the address OR the rate that is too much for any); below the minimum
never.  Whoever was there before the attack (a session, a clearance, a hand that was seen) passes: only what is new is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING

from botsieve.attacks.cookieless import PAGE_LOADS, Cookieless
from botsieve.attacks.doors import Doors
from botsieve.attacks.opener import OPENER_BYTES, Counted, Opener
from botsieve.attacks.preventions import Prevention, Preventions, Whom
from botsieve.attacks.subjects import Subjects
from botsieve.attacks.types import NOTHING, SESSION_OPENING, STOP, Ruling, joined
from botsieve.attacks.visits import Visits
from botsieve.decision import BLOCK, CHALLENGE, Again, Measure, Signal, Violation
from botsieve.detectors.settings import SessionOpening
from botsieve.observation import DELIVERS_COOKIE, NAVIGATION
from botsieve.ranges import V4_PREFIX
from botsieve.state.table import Table
from botsieve.state.world import first_request

if TYPE_CHECKING:
    from botsieve.attacks.book import Request
    from botsieve.challenge.session import Session
    from botsieve.state.profiles import Site
    from botsieve.state.world import World

OPENING = "sessions.opening"
ADDRESS, CLIENT = "address", "client"
# What such a violation says beside its numbers [S2-05].
NO_COOKIE = "no_cookie"
# What is done, as the configuration calls it [S2-36].
INTEGRITY, RATE_LIMIT, DROP_BAD = "integrity", "rate_limit", "drop_bad_reputation"

_MAX_BYTES = 8 * 1024 * 1024
_IDLE_S = 3600.0


class Openings:
    """What is remembered of the addresses that open sessions, and of the sessions that come back.

    `is_bad`: the category of a listed address, "" for others.
    """

    __slots__ = (
        "_hasher",
        "_sites",
        "_subjects",
        "_world",
        "cookieless",
        "doors",
        "is_bad",
        "openers",
        "preventions",
        "visits",
    )

    def __init__(self, world: World, preventions: Preventions, subjects: Subjects) -> None:
        self._world = world
        self._hasher = world.hasher
        self._subjects = subjects
        self.preventions = preventions
        self.is_bad: Callable[[bytes], str] = _nobody
        self.openers: Table[Opener] = Table(_MAX_BYTES, _IDLE_S)
        self._sites: dict[bytes, Counted] = {}
        self.visits = Visits()
        self.cookieless = Cookieless()
        self.doors = Doors()

    def key(self, site: Site, client: bytes) -> bytes:
        """The 8 bytes of an address on a site; of an IPv6 client its /64, which is one connection."""
        return self._hasher.key(site.tag + b"a" + (client if client.startswith(V4_PREFIX) else client[:8]))

    def judge(self, request: Request, settings: SessionOpening) -> Ruling:
        """Counts an opening, and rules on this request by the openings of its address.

        Cost: 0.1 us for a request that opens nothing while nothing is prevented; 5 us for an opening.
        """
        opens = is_opening(request)
        if not opens and not self.preventions.size:
            return NOTHING
        key = self.key(request.view.profiles.site, request.o.client)
        one = self._running(key, request.now_s)
        if opens:
            one = self._open(request, settings, key, one)
        ruling = NOTHING if one is None else self._ruled(request, settings, one, opens=opens)
        return joined(ruling, self._without_cookie(request, settings)) if opens else ruling

    def is_beside(self, name: bytes, session: Session, now_s: float) -> bool:
        """A session came under a client's name that it did not outgrow yet; true when it is there beside others (doors.py)."""
        self.cookieless.came_back(name)
        return self.doors.came(name, session, now_s)

    def visited(self, request: Request, session: Session, settings: SessionOpening | None) -> None:
        """A request whose session cookie came back."""
        if not self.visits.take(session, request.o.network, request.view.policy.name, request.now_s):
            return
        if request.standing is not None:  # it names the client, but came in by the same door
            self.is_beside(self._world.client_key(request.o), session, request.now_s)
        if settings is not None:
            self._is_usual(request, settings)

    def _is_usual(self, request: Request, settings: SessionOpening) -> None:
        """The session of this request came back for the first time: it is part of what is usual, but for one of an attack."""
        site, now_s = request.view.profiles.site, request.now_s
        key = self.key(site, request.o.client)
        if self._running(key, now_s) is not None:
            return
        counted = self._counted(site, settings)
        counted.came_back(key, now_s, settings)
        opener = self.openers.get(key)
        if opener is not None and opener.site is counted:
            opener.usual.came_back(now_s, settings)

    def forget(self, key: bytes) -> None:
        """An operator ended the prevention of an address: what led to it is forgotten."""
        self.openers.drop(key)

    def _running(self, key: bytes, now_s: float) -> Prevention | None:
        held = self.preventions.of(key) if self.preventions.size else None
        one = held.get(OPENING) if held is not None else None
        return one if one is not None and one.runs(now_s) else None

    def _counted(self, site: Site, settings: SessionOpening) -> Counted:
        known = self._sites.get(site.tag)
        if known is None or not known.fits(settings):
            known = self._sites[site.tag] = Counted(settings)
        return known

    def _open(self, request: Request, settings: SessionOpening, key: bytes, one: Prevention | None) -> Prevention | None:
        """Counts one opening; the prevention that runs after it."""
        now_s = request.now_s
        site = self._counted(request.view.profiles.site, settings)
        opener = self.openers.get(key)
        if opener is None or opener.site is not site:
            if not site.opened(key, now_s, settings) and one is None:
                return None
            opener = Opener(site, now_s)
            site.moved(key, opener)
            self.openers.put(key, opener, OPENER_BYTES, OPENER_BYTES, now_s, settle=True)
        else:
            opener.opened(now_s, settings)
            if key not in self.openers.settled[key[0]].young:
                self.openers.put(key, opener, OPENER_BYTES, 0, now_s, settle=True)
        rate_per_s = opener.recent.total / settings.over_s
        if one is None and rate_per_s < settings.minimum_per_s:
            return None  # no limit is lower
        usual_per_s = _usual_per_s(opener, now_s, settings)
        limit_per_s = limit_of(usual_per_s, settings)
        if one is None:
            if rate_per_s < limit_per_s:
                return None
            o = request.o
            network_key = self._hasher.key(request.view.profiles.site.tag + o.network)
            whom = Whom(request.view.policy.name, ADDRESS, key, o.client, network_key)
            one = self.preventions.begin(whom, OPENING, SESSION_OPENING, now_s, settings.prevention_s)
        measures = (
            Measure("sessions_per_s", round(rate_per_s, 3), round(limit_per_s, 3)),
            Measure("usual_sessions_per_s", round(usual_per_s or 0.0, 3)),
            Measure("legitimate_sessions", opener.usual.sessions.total),
        )
        one.keep(measures, now_s, settings.over_s, high=rate_per_s >= limit_per_s / 2.0)
        return one

    def _without_cookie(self, request: Request, settings: SessionOpening) -> Ruling:
        """What it means that this client was given a session before, and comes without."""
        client = request.view.profiles.client
        if client is None or request.standing is not None or self.doors.is_shared(request.client_key, request.now_s):
            return NOTHING  # under a name of many, who comes without is a newcomer like any other
        cold = request.view.profiles.cold
        first = first_request(cold) if cold else None
        first_s = first.time_s if first is not None and first.is_page_load and first.page else 0.0
        count = self.cookieless.came(request.client_key, request.now_s, first_s)
        if count < PAGE_LOADS:
            return NOTHING
        key = self._world.name_on(request.view.profiles.site, request.client_key)
        again = _NO_COOKIES[count] if count < _OFTEN else _no_cookie(count)
        measures = again.signal.measures
        found = Violation(
            OPENING, SESSION_OPENING, CLIENT, key, settings.action, measures, settings.prevention_s, NO_COOKIE, again
        )
        challenges = settings.action == STOP
        return Ruling(CHALLENGE if challenges else "", "normal" if challenges else "", violations=(found,))

    def _ruled(self, request: Request, settings: SessionOpening, one: Prevention, *, opens: bool) -> Ruling:
        since_s = one.latch.start_ms / 1000.0 - settings.over_s  # what was measured began then
        if is_older(request, since_s) or self._has_hand(request, since_s):
            return NOTHING
        is_new = opens or (request.session is not None and request.view.profiles.template != 0)
        verdict, retry_after_s = "", 0
        if settings.action == STOP:
            verdict, retry_after_s = self._answered(request, settings, one, opens=opens, is_new=is_new)
        if not opens and not verdict:
            return NOTHING
        found = Violation(
            OPENING, SESSION_OPENING, one.whom.subject, one.whom.key, settings.action, one.measures, settings.prevention_s
        )
        return Ruling(verdict, "normal" if verdict == CHALLENGE else "", retry_after_s, violations=(found,))

    def _has_hand(self, request: Request, since_s: float) -> bool:
        """A hand was seen on this device, which was known before `since_s`."""
        if not request.device:
            return False
        subject = self._subjects.table.get(self._hasher.key(request.view.profiles.site.tag + b"d" + request.device))
        return subject is not None and subject.human and subject.first_s < since_s

    def _answered(
        self, request: Request, settings: SessionOpening, one: Prevention, *, opens: bool, is_new: bool
    ) -> tuple[str, int]:
        """The verdict of the prevention policies, and when to come again."""
        wanted = settings.prevention
        if RATE_LIMIT in wanted:
            if DROP_BAD in wanted and self.is_bad(request.o.client):
                return BLOCK, 0
            if opens and request.draw_0_1 < self._refused_0_1(request, settings, one):
                return BLOCK, ceil(settings.over_s)
        if INTEGRITY in wanted and is_new:
            return CHALLENGE, 0
        return "", 0

    def _refused_0_1(self, request: Request, settings: SessionOpening, one: Prevention) -> float:
        """The share of new sessions that is one too many: what is left of the rate is the usual one, or one in `over_s`."""
        opener = self.openers.get(self.key(request.view.profiles.site, request.o.client))
        if opener is None or not opener.recent.total:
            return 0.0
        usual = max((_usual_per_s(opener, request.now_s, settings) or 0.0) * settings.over_s, 1.0)
        return 1.0 - usual / opener.recent.total


def is_opening(request: Request) -> bool:
    """A page load without a valid session, where the cookie of a new one reaches the visitor."""
    o = request.o
    return (
        request.session is None
        and o.kind == NAVIGATION
        and request.gives_sessions
        and bool(o.sight & DELIVERS_COOKIE)
        and request.view.profiles.template != 0
        and request.view.time_judged
        and o.wants_document
    )


def is_older(request: Request, since_s: float) -> bool:
    """The client was known before `since_s`: by its session or its clearance."""
    if request.session is not None and request.session.opened_s < since_s:
        return True
    return request.standing is not None and request.standing.issued_s < since_s


def limit_of(usual_per_s: float | None, settings: SessionOpening) -> float:
    """Openings a second from which it is an attack [S2-43].  `usual_per_s` None: not known, so nothing is compared with it."""
    relative = settings.reached_per_s if usual_per_s is None else usual_per_s * (1.0 + settings.above_percent / 100.0)
    # Rounded: six times 4.4 is 26.400000000000002, and 26.4 reaches it.
    return max(settings.minimum_per_s, min(settings.reached_per_s, round(relative, 9)))


def _usual_per_s(opener: Opener, now_s: float, settings: SessionOpening) -> float | None:
    """Of the address, else of its site."""
    own = opener.usual.per_s(now_s, settings)
    return own if own is not None else opener.site.usual.per_s(now_s, settings)


def _nobody(address: bytes) -> str:
    return ""


def _no_cookie(count: int) -> Again:
    """What is said of a client that came so many times without its cookie."""
    measures = (Measure("page_loads_without_cookie", count, PAGE_LOADS),)
    return Again(Signal(OPENING, 0, NO_COOKIE, CLIENT, measures, SESSION_OPENING))


_OFTEN = 500
_NO_COOKIES = [_no_cookie(count) for count in range(_OFTEN)]
