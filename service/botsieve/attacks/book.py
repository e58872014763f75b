"""Attacks: who crosses a threshold, what is in force against whom, and the ruling on one request.

Law of the file: pure, O(1) a request, and nothing is remembered of whom no threshold watches.  A neighbour is never punished: what
is counted on a narrow subject acts on it alone, and where several people may be behind one name a block becomes a challenge for
those without evidence (design §4).
"""

from __future__ import annotations

import msgspec

from botsieve.attacks import human, surfing, transactions
from botsieve.attacks.activity import Activity
from botsieve.attacks.openings import Openings
from botsieve.attacks.preventions import NETWORK, QUIET_S, Prevention, Preventions, Whom
from botsieve.attacks.resets import Resets
from botsieve.attacks.subjects import CLIENT, DEVICE, SESSION, Subject, Subjects, begin_again, is_shared, sprout
from botsieve.attacks.suspects import Suspects
from botsieve.attacks.transactions import Usual
from botsieve.attacks.types import (
    BOT_DETECTED,
    EXPIRED,
    IGNORE,
    NOTHING,
    SESSION_OPENING,
    SESSION_RESETS,
    STOP,
    SUSPICIOUS_CLIENTS,
    TRANSACTIONS,
    Ruling,
    joined,
)
from botsieve.attacks.watched import Watched, watched
from botsieve.challenge import browser_facts
from botsieve.challenge.browser_facts import Fact
from botsieve.challenge.clearance import Standing
from botsieve.challenge.session import Session
from botsieve.decision import BLOCK, CHALLENGE, Violation
from botsieve.detectors.settings import HumanInteraction, RapidSurfing, SessionTransactions, Threshold
from botsieve.detectors.view import View
from botsieve.observation import FEED, NAVIGATION, Observation
from botsieve.policy import Policy
from botsieve.state.profiles import Site
from botsieve.state.world import World, first_request

RAPID, HUMAN, TRANSACTION = "surfing.rapid", "human.interaction", "sessions.transactions"
# A session that old is evidence of a person (design §4).
OLD_SESSION_S = 1800.0
PEOPLE_S = 3600.0
# Reports of the collector are that recent where its script is in the pages.
COLLECTOR_S = 3600.0
_MAX_POLICIES = 256
_ATTACK_TYPE = {
    RAPID: BOT_DETECTED,
    HUMAN: BOT_DETECTED,
    TRANSACTION: TRANSACTIONS,
    "sessions.opening": SESSION_OPENING,
    "sessions.resets": SESSION_RESETS,
    "browser.suspicious": SUSPICIOUS_CLIENTS,
}


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request, as all parts of the book look at it.

    `client_key`: the World's key of its client.  `device`: the id of a device whose cookie came back, else b"".
    `draw_0_1`: a random number, for what is refused at random.
    """

    o: Observation
    view: View
    session: Session | None
    standing: Standing | None
    client_key: bytes
    now_s: float
    device: bytes = b""
    draw_0_1: float = 0.0


class SiteFacts:
    """What is known of one site.  `usual`: of its sessions.  `report_s`: when the collector last reported."""

    __slots__ = ("report_s", "usual")

    def __init__(self) -> None:
        self.usual = Usual()
        self.report_s = 0.0


class Attacks:
    """The book of one process.

    `max_bytes` bounds the narrow subjects, `max_preventions` the preventions.  `session_idle_s`: a session without requests for so
    long has ended.  `collector_injected`: the collector is in every page (browser.inject); else a report must have shown it.
    """

    def __init__(
        self, world: World, *, max_bytes: int = 64 * 1024 * 1024, max_preventions: int = 200_000, idle_s: float = 3600.0
    ) -> None:
        self._world = world
        self.subjects = Subjects(max_bytes, idle_s)
        self.preventions = Preventions(max_preventions)
        self.openings = Openings(self.preventions)
        self.resets = Resets(self.preventions)
        self.activity = Activity()
        self.suspects = Suspects(self.preventions)
        self.session_idle_s = 1800.0
        self.collector_injected = False
        self._sites: dict[bytes, SiteFacts] = {}
        self._watched: dict[int, Watched] = {}

    # ---- requests

    def judge(self, request: Request) -> Ruling:
        """What this request is part of, and what is to be done with it.  The request is already counted in the World."""
        watch = self.watched(request.view.policy)
        if not watch.any:
            return NOTHING
        profiles = request.view.profiles
        counts = profiles.template != 0 and request.o.kind != FEED
        if not counts and not self.preventions.size:
            return NOTHING
        ruling = self._narrow(request, watch, counts=counts) if watch.counts or self.preventions.size else NOTHING
        if watch.opening is not None:
            ruling = joined(ruling, self.openings.judge(request, watch.opening))
        if self.collector_injected and watch.human is not None:
            ruling = joined(ruling, self._activity(request))
        return ruling

    def _activity(self, request: Request) -> Ruling:
        """Pages that go out with our script, against answers."""
        word, key = self.name(request.view.profiles.site, request.session, request.client_key, request.device)
        found = self.activity.page(request.o, request.view.policy, word, key)
        return NOTHING if found is None else Ruling(violations=(found,))

    def watched(self, policy: Policy) -> Watched:
        """What the policy watches."""
        known = self._watched.get(id(policy))
        if known is None or known.policy is not policy:  # an id is used again after a reload
            if len(self._watched) >= _MAX_POLICIES:
                self._watched.clear()
            known = self._watched[id(policy)] = watched(policy)
        return known

    def facts(self, site: Site) -> SiteFacts:
        """What is known of a site, made at first use (sites are few and ours)."""
        known = self._sites.get(site.tag)
        if known is None:
            known = self._sites[site.tag] = SiteFacts()
        return known

    def name(self, site: Site, session: Session | None, client_key: bytes, device: bytes = b"") -> tuple[str, bytes]:
        """The narrowest subject: its word and its 8 bytes on this site."""
        if device:
            return DEVICE, self._world.hasher.key(site.tag + b"d" + device)
        if session is not None:
            return SESSION, self._world.hasher.key(site.tag + session.id)
        return CLIENT, self._world.hasher.key(site.tag + client_key)

    def _narrow(self, request: Request, watch: Watched, *, counts: bool) -> Ruling:
        profiles = request.view.profiles
        word, key = self.name(profiles.site, request.session, request.client_key, request.device)
        subject: Subject | None = None
        crossed: tuple[str, ...] = ()
        if counts and watch.counts and (word is not CLIENT or profiles.client is not None):
            subject = self._subject(request, word, key)
            crossed = self._count(request, watch, subject, word, key)
        held = self.preventions.of(key) if self.preventions.size else None
        if held is None and not crossed and not self.preventions.folded:
            return NOTHING
        ruling = self._ruled(
            request, subject, Whom(watch.policy.name, word, key, request.o.client, b""), crossed, counts=counts
        )
        return joined(ruling, self._of_network(request, subject)) if self.preventions.folded else ruling

    def _subject(self, request: Request, word: str, key: bytes) -> Subject:
        now_s = request.now_s
        subject = self.subjects.use(key, now_s)
        if subject is None:
            subject = self._newcomer(request, word, key)
        elif now_s - subject.last_s > self.session_idle_s:
            begin_again(subject)
        elif subject.left_out and not self._runs(key, TRANSACTION, now_s):
            transactions.begin_again(subject)
        subject.last_s = now_s
        return subject

    def _newcomer(self, request: Request, word: str, key: bytes) -> Subject:
        """A new subject; its first request came when there was nothing to remember it by."""
        now_s, profiles = request.now_s, request.view.profiles
        subject = self.subjects.make(key, now_s)
        if profiles.cold:
            first = first_request(profiles.cold)
            if first.page:
                subject.transactions = subject.unproven = 1
                if first.is_page_load or request.view.policy.audience == "api":
                    subject.pages[first.page] = first.time_s
        elif word is SESSION:
            door = self.subjects.use(self.name(profiles.site, None, self._world.client_key(request.o))[1], now_s)
            if door is not None:
                sprout(door, subject, now_s)
        return subject

    def _count(self, request: Request, watch: Watched, subject: Subject, word: str, key: bytes) -> tuple[str, ...]:
        """Counts a page view or data call; the detectors whose threshold it crosses."""
        o, view, now_s = request.o, request.view, request.now_s
        is_page_load = o.kind == NAVIGATION
        crossed: tuple[str, ...] = ()
        if watch.rapid is not None and (is_page_load or watch.policy.audience == "api") and view.time_judged:
            if surfing.count(subject, view.profiles.template ^ view.profiles.item, now_s, watch.rapid):
                crossed += (RAPID,)
            self.subjects.grown(key, subject, now_s)
        if watch.transactions is not None:
            url = self._world.hasher.thing(o.uri)
            if not transactions.is_poll(subject, url, is_page_load=is_page_load):
                usual = self.facts(view.profiles.site).usual
                if transactions.count(subject, usual, now_s, watch.transactions, is_session=word is not CLIENT):
                    transactions.leave_out(subject, usual, now_s)
                    crossed += (TRANSACTION,)
        if watch.human is not None and self._collects(request):
            if subject.unproven >= watch.human.grace and self._expired(key, HUMAN, now_s):
                human.begin_again(subject)
            if human.count(subject, watch.human):
                crossed += (HUMAN,)
        return crossed

    def _collects(self, request: Request) -> bool:
        """Whether this client could show a hand: the collector is in the pages, and it says that it is a browser."""
        view = request.view
        if not view.agent.claims_browser and view.policy.audience != "browser":
            return False
        return self.collector_injected or request.now_s - self.facts(view.profiles.site).report_s < COLLECTOR_S

    # ---- rulings

    def _runs(self, key: bytes, detector: str, now_s: float) -> bool:
        held = self.preventions.of(key)
        one = held.get(detector) if held is not None else None
        return one is not None and one.runs(now_s)

    def _expired(self, key: bytes, detector: str, now_s: float) -> bool:
        """Whether a prevention has lasted its full time; it is told once."""
        held = self.preventions.of(key)
        one = held.get(detector) if held is not None else None
        if one is None or one.runs(now_s) or one.why != EXPIRED:
            return False
        self.preventions.drop(one)
        return True

    def _ruled(
        self, request: Request, subject: Subject | None, whom: Whom, crossed: tuple[str, ...], *, counts: bool
    ) -> Ruling:
        """The ruling by what is in force against this very subject, and by what it crosses now."""
        now_s, policy = request.now_s, request.view.policy
        found: list[Violation] = []
        until_s, mild = 0.0, True
        held = self.preventions.of(whom.key) or {}
        for detector in (*held, *(one for one in crossed if one not in held)):
            settings = policy.thresholds.get(detector)
            one = held.get(detector)
            runs = one is not None and one.runs(now_s)
            if settings is None or settings.action == IGNORE or not (runs or detector in crossed):
                continue
            if one is None or not runs:
                network_key = self._world.hasher.key(request.view.profiles.site.tag + request.o.network)
                one = self.preventions.begin(
                    whom._replace(network_key=network_key), detector, _ATTACK_TYPE[detector], now_s, settings.prevention_s
                )
            if counts and subject is not None:
                self._keep(request, subject, one, settings)
                if not one.runs(now_s):
                    continue
            if counts:
                found.append(_violation(one, settings))
            if settings.action == STOP:
                until_s = max(until_s, one.until_s)
                mild = mild and one.mild
        if not found and not until_s:
            return NOTHING
        if not until_s:
            return Ruling(violations=tuple(found))
        if mild or (whom.subject is CLIENT and subject is not None and is_shared(subject, now_s)):
            return Ruling(CHALLENGE, "normal", violations=tuple(found))
        return Ruling(BLOCK, hold_s=int(until_s - now_s) + 1, violations=tuple(found))

    def _keep(self, request: Request, subject: Subject, one: Prevention, settings: Threshold) -> None:
        """Tells the prevention what is measured now."""
        now_s = request.now_s
        if isinstance(settings, RapidSurfing):
            found = surfing.measures(subject, now_s, settings)
            one.keep(found, now_s, settings.window_s, high=surfing.is_high(found))
        elif isinstance(settings, SessionTransactions):
            usual = self.facts(request.view.profiles.site).usual
            # What a session has done does not become less: it is over when the session is.
            one.keep(transactions.measures(subject, usual, now_s, settings), now_s, self.session_idle_s - QUIET_S, high=True)
        elif isinstance(settings, HumanInteraction):
            one.measures = human.measures(subject, settings)
            if not human.is_unsafe(subject, settings):
                one.end(now_s)

    def _of_network(self, request: Request, subject: Subject | None) -> Ruling:
        """The ruling by preventions of a network into which those of its clients were folded."""
        profiles, now_s = request.view.profiles, request.now_s
        held = self.preventions.of(self._world.hasher.key(profiles.site.tag + request.o.network))
        if held is None or is_proven(request, subject):
            return NOTHING
        ruling = NOTHING
        for detector, one in held.items():
            settings = request.view.policy.thresholds.get(detector)
            if settings is None or settings.action == IGNORE or one.whom.subject != NETWORK or not one.runs(now_s):
                continue
            verdict = "" if settings.action != STOP else CHALLENGE if has_people(request) else BLOCK
            ruling = joined(
                ruling, Ruling(verdict, "normal" if verdict == CHALLENGE else "", violations=(_violation(one, settings),))
            )
        return ruling

    # ---- what is told from outside of requests

    def human_report(self, site: Site, key: bytes, now_s: float, *, regular: bool) -> None:
        """The collector reported, and its report was accepted.  `key`: as `name` gave it.  `regular`: a person's sequence of events."""
        self.facts(site).report_s = now_s
        subject = self.subjects.use(key, now_s)
        if subject is None:
            subject = self.subjects.make(key, now_s)
        human.report(subject, regular=regular)
        held = self.preventions.of(key)
        if regular and held is not None and HUMAN in held:
            held[HUMAN].end(now_s)

    def told(self, policy: Policy, whom: Whom, without_device: Whom | None, fact: Fact, now_s: float) -> None:
        """A page's script reported something.  `whom`: its narrowest subject; `without_device`: as of Suspects.told."""
        watch = self.watched(policy)
        if fact.kind == browser_facts.SUSPICIOUS and watch.suspicious is not None:
            self.suspects.told(whom, without_device, fact, watch.suspicious, now_s)

    def release(self, one: Prevention, now_s: float) -> None:
        """An operator ends a prevention; what led to it is forgotten."""
        one.release(now_s)
        subject = self.subjects.use(one.whom.key, now_s)
        if subject is not None:
            begin_again(subject)


def is_proven(request: Request, subject: Subject | None) -> bool:
    """The client itself has shown that it is a person's: a clearance, an old session, a hand."""
    if request.standing is not None or (subject is not None and subject.human):
        return True
    return request.session is not None and request.now_s - request.session.opened_s >= OLD_SESSION_S


def has_people(request: Request) -> bool:
    """People came from this client's network within the hour."""
    group = request.view.profiles.network
    if group is None or not group.people.seen:
        return False
    seen = group.people.seen
    return seen[next(reversed(seen))] > request.now_s - PEOPLE_S


def _violation(one: Prevention, settings: Threshold) -> Violation:
    return Violation(
        one.detector,
        one.attack_type,
        one.whom.subject,
        one.whom.key,
        settings.action,
        one.measures,
        settings.prevention_s,
        one.detail,
    )
