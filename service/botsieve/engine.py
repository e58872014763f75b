"""The whole path of one decision, on one screen: state, detectors, score, rules, thresholds, clearance, mode.

Law of the file: `decide` never raises, reads no clock and draws nothing; the same observations in the same order give the same
decisions, live, in replay, in tests and in explain.  A failing detector is counted and skipped.
"""

from __future__ import annotations

from collections.abc import Callable

from botsieve.agents import Agent, AgentBook
from botsieve.applied import Applied, Here
from botsieve.attacks.book import Attacks, Request, Sender
from botsieve.attacks.preventions import Whom
from botsieve.attacks.types import NOTHING, Ruling, stricter
from botsieve.challenge.browser_facts import BY_FINGERPRINT, Fact
from botsieve.challenge.clearance import Clearances
from botsieve.challenge.deferrals import Deferrals
from botsieve.challenge.device import Device
from botsieve.challenge.session import Sessions
from botsieve.crawlers import INSIDE, Crawlers
from botsieve.decision import ALLOW, BLOCK, ENFORCE, VERDICTS, Decision, Signal
from botsieve.detectors import Detector, Plan, RequestKey, is_short, request_key
from botsieve.detectors.catalogue import Catalogue
from botsieve.detectors.view import View
from botsieve.identity import Identities
from botsieve.observation import DELIVERS_COOKIE, NAVIGATION, Observation
from botsieve.policy import Rulebook
from botsieve.remembered import Answers
from botsieve.score import BEHAVIOUR_FAMILIES, settle, total
from botsieve.state.profiles import Site
from botsieve.state.recent import Recent, name_of
from botsieve.state.routes import Route, route_of
from botsieve.state.world import World
from botsieve.values import replace
from botsieve.verdict import Standpoint, outcome
from botsieve.verifications import HELD, UNVERIFIED, VERIFIED, Verifications

# So much (one in eight) of the bytes for what is remembered goes to who is watched by thresholds.
ATTACKS_SHARE = 8

# Decisions are remembered by tens of thousands: what a client chose of them is bounded.
_MAX_ROUTE = 1_024  # as in the decision log

# A site has few: the same text is the same object in all decisions.
_MAX_ROUTES, _MAX_KEPT_ROUTE = 1_024, 256
_ROUTES: Answers[bytes, str] = Answers(
    _MAX_ROUTES, lambda template: template[:_MAX_ROUTE].decode("latin-1"), lambda template: len(template) <= _MAX_KEPT_ROUTE
)

_THRESHOLD = {verdict: f"threshold.{verdict}" for verdict in VERDICTS}


class Engine(Identities):
    """Decides for one process.  `rulebook` may be replaced at any time by another: one decision uses one of them.

    `time_judged` False (replay of a scrambled clock) keeps everything that needs a clock silent.
    `session_idle_s`: a session without requests for so long has ended.  `max_preventions`: verdicts that last, at most.
    `on_detector_error(signal id, error)` hears of a detector that raised; the decision goes on without it.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        secret: bytes,
        *,
        max_bytes: int = 512 * 1024 * 1024,
        idle_s: float = 3600.0,
        clearances: Clearances | None = None,
        sessions: Sessions | None = None,
        session_idle_s: float = 1800.0,
        max_preventions: int = 200_000,
        on_detector_error: Callable[[str, Exception], None] | None = None,
    ) -> None:
        world = World(secret, max_bytes=max_bytes - max_bytes // ATTACKS_SHARE, idle_s=idle_s)
        super().__init__(world, clearances, sessions, session_idle_s)
        self.rulebook = rulebook
        self.agents = AgentBook()
        self.catalogue = Catalogue.builtin()
        self.crawlers = Crawlers.builtin()
        self.verifications = Verifications()
        self._listed: Crawlers | None = None
        self.time_judged = True
        self.attacks = Attacks(world, max_bytes // ATTACKS_SHARE, max_preventions, idle_s, session_idle_s)
        self.shared_sessions = self.attacks.openings.visits.shared
        self.is_beside = self.attacks.openings.is_beside
        self.attacks.openings.is_bad = lambda address: self.rulebook.is_bad(address)
        self.deferrals = Deferrals()
        self._recent = Recent()
        self._on_detector_error = on_detector_error
        self._failures = 0
        self._applied: Applied | None = None
        self._last_plan: Plan | None = None
        self._last_key: RequestKey = ()
        self._last_signals: tuple[Signal, ...] = ()

    def decide(self, o: Observation, now_s: float, decision_id: str, draw_0_1: float = 0.0) -> Decision:
        """The decision on one request, counted.  Asked twice about one request id within 10 s it counts once, and repeats itself.

        `decision_id`: as docs/headers.md shows it.  `draw_0_1`: a random number, for verdicts that refuse at random.
        """
        name = name_of(o, self.world.hasher) if o.request_id else b""
        if name:
            known = self._recent.get(name, now_s)
            if known is not None:
                return known
        applied = self._applied
        if applied is None or applied.book is not self.rulebook:
            applied = self._apply(self.rulebook)
        here = applied.here(o)
        agent = self.agents.read(o.headers.get(b"user-agent", b""))
        claim = UNVERIFIED
        if applied.admits and applied.book.allow.admits(o):
            decision = _passed(decision_id, "allowlist", applied, here)
        elif agent.verifiable and (claim := self._claim(agent, o.client, now_s)) == VERIFIED:
            decision = _passed(decision_id, "crawler", applied, here)
        else:
            decision = self._judge(o, applied, here, agent, claim, now_s, decision_id, draw_0_1)
        if name:
            self._recent.put(name, decision, now_s)
        return decision

    def _apply(self, book: Rulebook) -> Applied:
        """Takes over another rulebook."""
        if book.crawlers is not self._listed:
            self._list(book.crawlers)
        applied = self._applied = Applied(book, self.world)
        return applied

    def _list(self, crawlers: Crawlers | None) -> None:
        """Takes over another list.  What DNS has said holds on if the operator's entries are the same."""
        self._listed = crawlers
        listed = crawlers or Crawlers.builtin()
        if listed.own != self.crawlers.own:
            self.crawlers, self.agents = listed, AgentBook(known=listed)
            self.verifications.forget()

    def _claim(self, agent: Agent, client: bytes, now_s: float) -> str:
        """What a claim to be a crawler comes to: its published ranges decide at once, else what DNS has said so far."""
        where, name = self.crawlers.judge(agent, client)
        if where == INSIDE:
            return VERIFIED
        domains = self.crawlers.domains(name)
        return self.verifications.look(name, client, domains, now_s) if domains else UNVERIFIED

    def _judge(
        self,
        o: Observation,
        applied: Applied,
        here: Here,
        agent: Agent,
        claim: str,
        now_s: float,
        decision_id: str,
        draw_0_1: float,
    ) -> Decision:
        who = self.who(o, now_s)
        session, standing = who.session, who.standing
        route = route_of(o.path, o.query)
        world = self.world
        tool = self.catalogue.tool_of(o.ja3, o.ja4, o.tls_sig) if o.ja4 and o.peer == o.client else ""
        site = here.site
        counted = o.is_counted
        is_upgrade = not counted and o.is_upgrade
        if (counted or is_upgrade) and not route.item:
            route = world.learned_route(o, route, site)
        if is_upgrade:
            counted = route.item != b""  # a WebSocket takes no item: what takes one is a data call, whatever it says
        profiles = world.observe(
            o,
            route,
            who.key,
            site,
            now_s,
            counted=counted,
            vouched=who.vouched,
            is_tool=bool(tool),
            loose=session is None
            and standing is None
            and o.kind == NAVIGATION
            and o.sight & DELIVERS_COOKIE != 0
            and agent.claims_browser,
        )
        view = View(
            agent,
            self.catalogue,
            here.policy,
            profiles,
            now_s,
            standing is not None,
            session is not None,
            self.time_judged,
            claim,
        )
        plan = here.plan(
            claims_browser=agent.claims_browser,
            behaviour=counted and profiles.template != 0,  # what another site's page made the browser fetch has none
            time_judged=self.time_judged,
        )
        held = claim == HELD
        signals = () if held else self._of_request(o, view, plan, tool)
        for detector, find, settings in plan.of_state:
            try:
                signal = find(o, view, settings)
            except Exception as error:  # a decision never raises: one detector less is better than none
                self._failed(detector, error)
                continue
            if signal is not None and signal.points and (not held or detector.behaviour):
                signals += (signal,)
        is_door = bool(signals) and session is None and self.attacks.openings.doors.is_shared(who.key, now_s)
        if is_door and not profiles.item:
            signals = tuple([signal for signal in signals if signal.family not in BEHAVIOUR_FAMILIES])
        if signals:
            signals = settle(signals)
        score = total(signals, here.family_max) if signals else 0
        ruling = self._ruling(
            Request(o, view, session, standing, who.key, now_s, who.name, draw_0_1, self.sessions is not None)
        )
        if ruling.violations:
            signals += tuple([violation.signal for violation in ruling.violations])
        listed = applied.reputation.find(o.client) if applied.reputation is not None else None
        if listed is not None:
            signals += (listed.signal,)
            if listed.blocks:
                ruling = replace(ruling, verdict=BLOCK, level="")
        at = Standpoint(o, view, signals, score, session, standing, ruling.level, is_door, here.mode == ENFORCE)
        return self._settle(at, applied, here, route, decision_id, ruling)

    def _ruling(self, request: Request) -> Ruling:
        """What preventions and thresholds make of it."""
        try:
            return self.attacks.judge(request)
        except Exception as error:  # as below: without it the score decides
            self._failures += 1
            if self._on_detector_error is not None:
                self._on_detector_error("attacks", error)
            return NOTHING

    def human_report(self, o: Observation, now_s: float, *, regular: bool) -> None:
        """The collector in a page of this client reported, and its report was accepted.  `o`: the request that brought it."""
        site, sender = self._sender(o, now_s)
        settings = self.attacks.watched(self.rulebook.policy_for(o)).human
        regular = regular or (settings is not None and not settings.sequences)
        self.attacks.human_report(site, sender, now_s, regular=regular)
        if regular:
            self.world.person(o, site, now_s)

    def page_answered(self, o: Observation, now_s: float) -> None:
        """The script of a page of this client answered.  `o`: as of human_report."""
        self.attacks.page_answered(*self._sender(o, now_s), now_s)

    def _sender(self, o: Observation, now_s: float) -> tuple[Site, Sender]:
        """The site of a call of our script, and the narrow subject that sent it."""
        who = self.who(o, now_s)
        site = self.world.site(self.rulebook.policy_for(o).name)
        word, key = self.attacks.name(site, who.session, who.key, who.name)
        return site, Sender(word, key, who.session, self.world.client_key(o))

    def browser_told(
        self, o: Observation, facts: tuple[Fact, ...], device: Device | None, now_s: float, *, is_new: bool
    ) -> None:
        """The script in a page of this client reported `facts`.  `o`: as of human_report.

        `device`: the id that its browser has from now on; `is_new`: it was given out with this very report.
        """
        policy = self.rulebook.policy_for(o)
        if self.rulebook.allow.admits(o):
            return
        site = self.world.site(policy.name)
        who = self.who_with(o, None if is_new else device, now_s)
        network_key = self.world.hasher.key(site.tag + o.network)

        def whom(name: bytes) -> Whom:
            word, key = self.attacks.name(site, who.session, who.key, name)
            return Whom(policy.name, word, key, o.client, network_key)

        for fact in facts:
            # Who throws every id away and is known by the fingerprint is from now on the one that was given out.
            reborn = device.id if device is not None and is_new and fact.by == BY_FINGERPRINT else b""
            own = fact.device or reborn or who.name
            self.attacks.told(policy, whom(own), whom(who.name) if is_new else None, fact, now_s)

    def _of_request(self, o: Observation, view: View, plan: Plan, tool: str) -> tuple[Signal, ...]:
        """The findings that rest on the request alone: the same headers get the same answer, so it is remembered."""
        key = request_key(o, plan, tool=tool, cleared=view.cleared)
        # The browser of the last request is mostly also that of the next, and its headers are the same objects: then the keys are
        # equal at a glance, and need no hash.
        if plan is self._last_plan and key == self._last_key:
            return self._last_signals
        known = plan.answers.get(key)
        if known is not None:
            self._last_plan, self._last_key, self._last_signals = plan, key, known
            return known
        signals: tuple[Signal, ...] = ()
        failed = self._failures
        for watch in plan.of_request:
            try:
                signal = watch.find(o, view, watch.settings)
            except Exception as error:  # as above
                self._failed(watch.detector, error)
                continue
            if signal is not None and signal.points:
                signals += (signal,)
        if failed == self._failures and is_short(key):
            plan.answers.put(key, signals)
        return signals

    def _failed(self, detector: Detector, error: Exception) -> None:
        self._failures += 1
        if self._on_detector_error is not None:
            self._on_detector_error(detector.id, error)

    def _settle(self, at: Standpoint, applied: Applied, here: Here, route: Route, decision_id: str, ruling: Ruling) -> Decision:
        would, rule = here.verdict_of(at.score), ""
        for line in here.rules:
            if line.holds(at.o, at.signals, at.score):
                rule = f"rule.{line.name}"
                if line.then:
                    would, at.by_score = line.then, False
                else:
                    at.score = max(0, min(100, at.score + line.points))
                    would = here.verdict_of(at.score)
                break
        # A block that the score alone says may begin with a challenge; one that lasts does not begin again.
        prevented = ruling.verdict != "" and (
            stricter(ruling.verdict, would) or (at.by_score and ruling.verdict == would == BLOCK)
        )
        if prevented:
            would, rule, at.by_score = ruling.verdict, "prevention", False
        deferred, level = False, ""
        if would != ALLOW or at.standing is not None or at.view.profiles.client is not None:
            after = outcome(at, would, self.clearances, self.deferrals)
            would, level, deferred = after.verdict, after.level, after.deferred
            rule = after.rule or rule
        # By position: this runs for every request, and twenty keywords cost a microsecond.
        return Decision(
            decision_id,
            would if at.shown else ALLOW,
            would,
            here.mode,
            at.score,
            at.score >= applied.bot_at,
            at.signals,
            rule or _THRESHOLD[would],
            here.name,
            here.audience,
            applied.config,
            level,
            _ROUTES[route.template],
            deferred,
            ruling.retry_after_s if prevented and would == BLOCK else 0,
            self._new_session(at, decision_id, shown=would != ALLOW and at.shown),
            ruling.hold_s if prevented and would == BLOCK and at.shown else 0,
            ruling.violations,
        )

    def _new_session(self, at: Standpoint, decision_id: str, *, shown: bool) -> str:
        """The cookie for a page load that came without a session, "" for none.  Its id is the keyed hash of a random one.

        Only where it arrives: beside the application's answer if the edge delivers it, and with a page of ours (`shown`).
        """
        o = at.o
        if self.sessions is None or at.session is not None or o.kind != NAVIGATION or not o.wants_document:
            return ""
        if not shown and not o.sight & DELIVERS_COOKIE:
            return ""
        session = self.world.hasher.key(decision_id.encode())
        if shown and not o.is_prefetch:
            self.deferrals.opened(session, at.view.now_s)
        return self.sessions.issue(at.o, at.view.now_s, session)


def _passed(decision_id: str, rule: str, applied: Applied, here: Here) -> Decision:
    return Decision(
        id=decision_id,
        verdict=ALLOW,
        would_be=ALLOW,
        mode=here.mode,
        score=0,
        bot=False,
        signals=(),
        rule=rule,
        policy=here.name,
        audience=here.audience,
        config=applied.config,
    )
