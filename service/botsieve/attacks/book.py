"""Attacks: who crosses a threshold, what is in force against whom, and the ruling on one request.

Law of the file: pure, O(1) a request, and nothing is remembered of whom no threshold watches.  A neighbour is never punished: what
is counted on a narrow subject acts on it alone, and where several people may be behind one name a block becomes a challenge for
those without evidence (docs/preventions.md).
"""

from __future__ import annotations

import msgspec

from botsieve.attacks import human, surfing, transactions
from botsieve.attacks.activity import Activity
from botsieve.attacks.openings import Openings
from botsieve.attacks.preventions import Prevention, Preventions, Whom
from botsieve.attacks.resets import Resets
from botsieve.attacks.rulings import HUMAN, RAPID, TRANSACTION, Rulings
from botsieve.attacks.sites import Sites
from botsieve.attacks.subjects import CLIENT, DEVICE, SESSION, Subject, Subjects, begin_again, client_name, sprout
from botsieve.attacks.suspects import Suspects
from botsieve.attacks.types import NOTHING, Ruling, joined
from botsieve.attacks.watched import Watched, watched
from botsieve.challenge import browser_facts
from botsieve.challenge.browser_facts import Fact
from botsieve.challenge.clearance import Standing
from botsieve.challenge.session import Session
from botsieve.decision import CHALLENGE, MONITOR
from botsieve.detectors.view import View
from botsieve.observation import FEED, NAVIGATION, Observation
from botsieve.policy import Policy
from botsieve.state.profiles import Site
from botsieve.state.world import World, first_request

# So long a page that answered is known to carry our script, where the configuration does not say that all pages do.
COLLECTOR_S = 3600.0
_MAX_POLICIES = 256


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request, as all parts of the book look at it.

    `client_key`: the World's key of its client.  `device`: the id of a device whose cookie came back, else b"".
    `draw_0_1`: a random number, for what is refused at random.  `gives_sessions`: sessions are switched on.
    """

    o: Observation
    view: View
    session: Session | None
    standing: Standing | None
    client_key: bytes
    now_s: float
    device: bytes = b""
    draw_0_1: float = 0.0
    gives_sessions: bool = False


class Sender(msgspec.Struct, frozen=True, gc=False):
    """Who sent a call of our script: the narrow subject as `Attacks.name` gave it, and what it came with.

    `client_key`: the World's key of its address, TLS signature and User-Agent.
    """

    word: str
    key: bytes
    session: Session | None
    client_key: bytes


class Attacks:
    """The book of one process.

    `max_bytes` bounds the narrow subjects, `max_preventions` the preventions.  `collector_injected`: the collector is in every page
    (browser.inject); else a client's own pages must have shown it.
    """

    def __init__(
        self,
        world: World,
        max_bytes: int = 64 * 1024 * 1024,
        max_preventions: int = 200_000,
        idle_s: float = 3600.0,
        session_idle_s: float = 1800.0,
    ) -> None:
        self._world = world
        self.subjects = Subjects(max_bytes, idle_s)
        self.preventions = Preventions(max_preventions)
        self.openings = Openings(world, self.preventions, self.subjects)
        self.resets = Resets(self.preventions)
        self.suspects = Suspects(self.preventions)
        self.activity = Activity()
        self.collector_injected = False
        self._sites = Sites()
        self._rulings = Rulings(world, self.subjects, self.preventions, self._sites, self.openings.doors, session_idle_s)
        self._watched: dict[int, Watched] = {}
        self._latest: Watched | None = None

    @property
    def session_idle_s(self) -> float:
        """A session without requests for so long has ended."""
        return self._rulings.session_idle_s

    @session_idle_s.setter
    def session_idle_s(self, seconds: float) -> None:
        self._rulings.session_idle_s = seconds

    @property
    def mark(self) -> str:
        """Of the secret that the keys of subjects are made with."""
        return self._world.hasher.mark

    # ---- requests

    def judge(self, request: Request) -> Ruling:
        """What this request is part of, and what is to be done with it.  The request is already counted in the World."""
        policy = request.view.policy
        watch = self._latest
        if watch is None or watch.policy is not policy:
            watch = self._latest = self.watched(policy)
        if request.session is not None:
            self.openings.visited(request, request.session, watch.opening)
        if not watch.any:
            return NOTHING
        profiles = request.view.profiles
        counts = profiles.template != 0 and request.o.kind != FEED
        held = self.preventions.size > 0
        if not counts and not held:
            return NOTHING
        ruling = NOTHING
        # A client's first request has nothing to be counted on yet.
        if held or (watch.counts and (profiles.client is not None or request.session is not None or request.device)):
            ruling = self._narrow(request, watch, counts=counts)
        if watch.opening is not None:
            ruling = joined(ruling, self.openings.judge(request, watch.opening))
        if self.collector_injected and watch.human is not None:
            ruling = joined(ruling, self._activity(request))
        if ruling.verdict == CHALLENGE and policy.challenge == "none":
            return Ruling(
                violations=ruling.violations
            )  # it may mean somebody else: only what is found of oneself is blocked instead
        return ruling

    def _activity(self, request: Request) -> Ruling:
        """Pages that go out with our script, against answers."""
        if request.o.kind != NAVIGATION or request.view.policy.mode != MONITOR:
            return NOTHING  # as Activity.page says, before a name is made
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

    def name(self, site: Site, session: Session | None, client_key: bytes, device: bytes = b"") -> tuple[str, bytes]:
        """The narrowest subject: its word and its 8 bytes on this site."""
        if device:
            return DEVICE, self._world.hasher.key(site.tag + b"d" + device)
        if session is not None:
            return SESSION, self._world.hasher.key(site.tag + session.id)
        return CLIENT, client_name(self._world, site, client_key)

    def _narrow(self, request: Request, watch: Watched, *, counts: bool) -> Ruling:
        profiles = request.view.profiles
        word, key = self.name(profiles.site, request.session, request.client_key, request.device)
        subject: Subject | None = None
        crossed: tuple[str, ...] = ()
        if counts and watch.counts and (word is not CLIENT or profiles.client is not None):
            subject = self._subject(request, word, key)
            crossed = self._count(request, watch, subject, word, key)
        ruling = NOTHING
        if crossed or (self.preventions.size and self.preventions.of(key) is not None):
            whom = Whom(watch.policy.name, word, key, request.o.client, b"")
            ruling = self._rulings.of_subject(request, subject, whom, crossed, counts=counts)
        if not self.preventions.size:
            return ruling
        if request.session is not None:
            ruling = joined(ruling, self._rulings.of_door(request, counts=counts))
        return joined(ruling, self._rulings.of_network(request, subject)) if self.preventions.folded else ruling

    def _subject(self, request: Request, word: str, key: bytes) -> Subject:
        now_s = request.now_s
        # As subjects.use does first, written out: nearly all are found there.
        subject = self.subjects.table.settled[key[0]].young.get(key) or self.subjects.use(key, now_s)
        if subject is None:
            subject = self._newcomer(request, word, key)
        elif now_s - subject.last_s > self._rulings.session_idle_s:
            begin_again(subject)
        elif subject.left_out and not self.preventions.runs(key, TRANSACTION, now_s):
            transactions.begin_again(subject)
        subject.last_s = now_s
        return subject

    def _newcomer(self, request: Request, word: str, key: bytes) -> Subject:
        """A new subject; its first request came when there was nothing to remember it by."""
        now_s, profiles = request.now_s, request.view.profiles
        client = profiles.client
        subject = self.subjects.make(key, now_s, settle=client is not None and int(client.first_s) != int(now_s))
        if profiles.cold:
            _take_first(subject, profiles.cold, every_call=request.view.policy.audience == "api")
        else:
            self._come_over(profiles.site, word, request.session, self._world.client_key(request.o), subject, now_s)
        return subject

    def _come_over(
        self, site: Site, word: str, session: Session | None, client_key: bytes, subject: Subject, now_s: float
    ) -> None:
        """What the first page load of a new session, or of a device with one, left on its client comes over to it, once."""
        if word is CLIENT or session is None:
            return
        if word is DEVICE and self.subjects.table.get(self.name(site, session, b"")[1]) is not None:
            return  # it came over to the session
        door = self.subjects.use(client_name(self._world, site, client_key), now_s)
        if door is not None:
            sprout(door, subject, now_s)

    def _count(self, request: Request, watch: Watched, subject: Subject, word: str, key: bytes) -> tuple[str, ...]:
        """Counts a page view or data call; the detectors whose threshold it crosses."""
        o, view, now_s = request.o, request.view, request.now_s
        is_page_load = o.kind == NAVIGATION
        facts = self._sites.facts(view.profiles.site)
        crossed: tuple[str, ...] = ()
        if watch.rapid is not None and (is_page_load or watch.policy.audience == "api") and view.time_judged:
            if surfing.count(subject, view.profiles.template ^ view.profiles.item, now_s, watch.rapid):
                crossed += (RAPID,)
            self.subjects.grown(key, subject, now_s)
        if watch.transactions is not None:
            url = self._world.hasher.thing(transactions.asked_for(o.uri, o.query))
            is_session = word is not CLIENT
            if not transactions.is_poll(subject, url, is_page_load=is_page_load) and transactions.count(
                subject, facts.usual, now_s, watch.transactions, is_session=is_session
            ):
                transactions.leave_out(subject, facts.usual, now_s)
                crossed += (TRANSACTION,)
        if watch.human is not None:
            if is_page_load and self.collector_injected:
                subject.script_s = now_s
            if subject.script_s and self._collects(request, subject):
                if subject.unproven >= watch.human.grace and self.preventions.expired(key, HUMAN, now_s):
                    human.begin_again(subject)
                if human.count(subject, watch.human):
                    crossed += (HUMAN,)
        return crossed

    def _collects(self, request: Request, subject: Subject) -> bool:
        """Whether this client could show a hand: it has had a page of this policy with our script, and says that it is a browser.

        No report of anybody else says so: it would be asked of people whose pages do not carry the script.
        """
        view = request.view
        if not view.agent.claims_browser and view.policy.audience != "browser":
            return False
        return self.collector_injected or request.now_s - subject.script_s < COLLECTOR_S

    # ---- what is told from outside of requests

    def human_report(self, site: Site, sender: Sender, now_s: float, *, regular: bool) -> None:
        """The collector reported, and its report was accepted.  `regular`: a person's sequence of events."""
        subject = self._heard(site, sender, now_s)
        human.report(subject, regular=regular)
        held = self.preventions.of(sender.key)
        if regular and held is not None and HUMAN in held:
            held[HUMAN].end(now_s)

    def page_answered(self, site: Site, sender: Sender, now_s: float) -> None:
        """The script of a page asked for its token: this client's pages carry it."""
        self.activity.reply(sender.key)
        self._heard(site, sender, now_s)

    def _heard(self, site: Site, sender: Sender, now_s: float) -> Subject:
        """The narrow subject in whose page our script is at work."""
        key = sender.key
        subject = self.subjects.use(key, now_s)
        if subject is None:
            subject = self.subjects.make(key, now_s)
            # Our script may be heard before the second page comes: what is under the name of many must not stay there.
            first = self._world.clients.get(sender.client_key)
            if isinstance(first, bytes):
                _take_first(subject, first, every_call=False)
            else:
                self._come_over(site, sender.word, sender.session, sender.client_key, subject, now_s)
        subject.script_s = now_s
        return subject

    def told(self, policy: Policy, whom: Whom, without_device: Whom | None, fact: Fact, now_s: float) -> None:
        """A page's script reported something.  `whom`: its narrowest subject; `without_device`: as of Suspects.told."""
        watch = self.watched(policy)
        if fact.kind == browser_facts.SUSPICIOUS and watch.suspicious is not None:
            self.suspects.told(whom, without_device, fact, watch.suspicious, now_s)
        elif fact.kind != browser_facts.SUSPICIOUS and watch.resets is not None:
            self.resets.told(whom, without_device, fact, watch.resets, now_s)

    def release(self, one: Prevention, now_s: float) -> None:
        """An operator ends a prevention; what led to it is forgotten."""
        one.release(now_s)
        self.preventions.over += 1
        subject = self.subjects.use(one.whom.key, now_s)
        if subject is not None:
            begin_again(subject)
        self.openings.forget(one.whom.key)


def _take_first(subject: Subject, cold: bytes, *, every_call: bool) -> None:
    """A client's first request came when there was nothing to remember it by.  `every_call`: data calls are pages too."""
    first = first_request(cold)
    if first.page:
        subject.transactions = subject.unproven = 1
        if first.is_page_load or every_call:
            subject.pages[first.page] = first.time_s
