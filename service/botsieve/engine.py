"""The whole path of one decision, on one screen: state, detectors, score, rules, thresholds, clearance, mode.

Law of the file: `decide` never raises, reads no clock and draws nothing; the same observations in the same order give the same
decisions, live, in replay, in tests and in explain.  A failing detector is counted and skipped.
"""

from __future__ import annotations

from collections.abc import Callable

from botsieve.agents import Agent, AgentBook
from botsieve.challenge.clearance import Clearances, Standing
from botsieve.challenge.session import Session, Sessions
from botsieve.crawlers import INSIDE, Crawlers
from botsieve.decision import ALLOW, ENFORCE, MONITOR, Decision, Signal
from botsieve.detectors import Watch, plan
from botsieve.detectors.catalogue import Catalogue
from botsieve.detectors.view import View
from botsieve.observation import NAVIGATION, Observation
from botsieve.policy import Policy, Rulebook
from botsieve.score import settle, total
from botsieve.state.recent import Recent
from botsieve.state.routes import Route, route_of
from botsieve.state.world import World
from botsieve.verdict import Standpoint, outcome

_COOKIE_MARK = b"botsieve_"


class Engine:
    """Decides for one process.  `rulebook` may be replaced at any time by another: one decision uses one of them.

    `time_judged` False (replay of a scrambled or coarse clock) keeps everything that needs a clock silent.
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
        on_detector_error: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.rulebook = rulebook
        self.world = World(secret, max_bytes=max_bytes, idle_s=idle_s)
        self.agents = AgentBook()
        self.catalogue = Catalogue.builtin()
        self.crawlers = Crawlers.builtin()
        self.clearances = clearances
        self.sessions = sessions
        self.time_judged = True
        self._recent = Recent()
        self._on_detector_error = on_detector_error
        self._plans: dict[tuple[int, bool, bool, bool], tuple[Watch, ...]] = {}
        self._planned: Rulebook | None = None

    def decide(self, o: Observation, now_s: float, decision_id: str, draw_0_1: float = 0.0) -> Decision:
        """The decision on one request, counted.  Asked twice about one request id within 10 s it counts once, and repeats itself.

        `decision_id`: as docs/headers.md shows it.  `draw_0_1`: a random number, for verdicts that refuse at random.
        """
        name = (o.request_id, o.client, o.uri) if o.request_id else None
        if name is not None:
            known = self._recent.get(name, now_s)
            if known is not None:
                return known
        book = self.rulebook
        policy = book.policy_for(o)
        decision = self._exempt(o, book, policy, decision_id)
        if decision is None:
            decision = self._judge(o, book, policy, now_s, decision_id)
        if name is not None:
            self._recent.put(name, decision, now_s)
        return decision

    def _exempt(self, o: Observation, book: Rulebook, policy: Policy, decision_id: str) -> Decision | None:
        if book.allow.admits(o):
            return _passed(decision_id, "allowlist", book, policy)
        agent = self.agents.read(o.headers.get(b"user-agent", b""))
        if agent.crawler and self.crawlers.judge(agent, o.client)[0] == INSIDE:
            return _passed(decision_id, "crawler", book, policy)
        return None

    def _judge(self, o: Observation, book: Rulebook, policy: Policy, now_s: float, decision_id: str) -> Decision:
        session, standing = self._credentials(o, now_s)
        agent = self.agents.read(o.headers.get(b"user-agent", b""))
        route = route_of(o.path, o.query)
        world = self.world
        is_tool = bool(route.item) and o.has_fingerprint and bool(self.catalogue.tool_of(o.ja3, o.ja4, o.tls_sig))
        profiles = world.observe(
            o,
            route,
            world.client_key(o, session.id if session else b""),
            world.site(policy.name),
            now_s,
            vouched=session is not None or standing is not None,
            is_tool=is_tool,
        )
        view = View(
            agent,
            self.catalogue,
            policy,
            profiles,
            now_s,
            cleared=standing is not None,
            has_session=session is not None,
            time_judged=self.time_judged,
        )
        signals = self._detect(o, view, book, policy, agent)
        score = total(signals, policy.family_max) if signals else 0
        at = Standpoint(o, view, signals, score, session, standing)
        return self._settle(at, book, route, decision_id)

    def _credentials(self, o: Observation, now_s: float) -> tuple[Session | None, Standing | None]:
        cookie = o.headers.get(b"cookie")
        if cookie is None or _COOKIE_MARK not in cookie:
            return None, None
        session = self.sessions.read(o, now_s) if self.sessions is not None else None
        return session, self.clearances.standing(o, now_s) if self.clearances is not None else None

    def _detect(self, o: Observation, view: View, book: Rulebook, policy: Policy, agent: Agent) -> tuple[Signal, ...]:
        found: list[Signal] = []
        behaviour = o.is_counted and not o.is_foreign
        for watch in self._watches(book, policy, claims_browser=agent.claims_browser, behaviour=behaviour):
            try:
                signal = watch.find(o, view, watch.settings)
            except Exception as error:  # a decision never raises: one detector less is better than none
                if self._on_detector_error is not None:
                    self._on_detector_error(watch.detector.id, error)
                continue
            if signal is not None and signal.points:
                found.append(signal)
        return settle(found) if found else ()

    def _watches(self, book: Rulebook, policy: Policy, *, claims_browser: bool, behaviour: bool) -> tuple[Watch, ...]:
        if book is not self._planned:
            self._plans, self._planned = {}, book
        name = (id(policy), claims_browser, behaviour, self.time_judged)
        watches = self._plans.get(name)
        if watches is None:
            watches = self._plans[name] = plan(
                policy.detectors,
                policy.audience,
                claims_browser=claims_browser,
                behaviour=behaviour,
                time_judged=self.time_judged,
            )
        return watches

    def _settle(self, at: Standpoint, book: Rulebook, route: Route, decision_id: str) -> Decision:
        policy = at.view.policy
        would, rule = policy.verdict_of(at.score), ""
        for line in policy.rules:
            if line.holds(at.o, at.signals, at.score):
                rule = f"rule.{line.name}"
                if line.then:
                    would, at.by_score = line.then, False
                else:
                    at.score = max(0, min(100, at.score + line.points))
                    would = policy.verdict_of(at.score)
                break
        deferred, level = False, ""
        if would != ALLOW or at.standing is not None or at.view.profiles.client is not None:
            after = outcome(at, would, self.clearances)
            would, level, deferred = after.verdict, after.level, after.deferred
            rule = after.rule or rule
        mode = MONITOR if book.paused else policy.mode
        return Decision(
            id=decision_id,
            verdict=would if mode == ENFORCE else ALLOW,
            would_be=would,
            mode=mode,
            score=at.score,
            bot=at.score >= book.bot_at,
            signals=at.signals,
            rule=rule or f"threshold.{would}",
            policy=policy.name,
            audience=policy.audience,
            config=book.config,
            level=level,
            route=route.template.decode("latin-1"),
            deferred=deferred,
            set_cookie=self._new_session(at, decision_id),
        )

    def _new_session(self, at: Standpoint, decision_id: str) -> str:
        """The cookie for a page load that came without a session, "" for none.  Its id is the keyed hash of a random one."""
        if self.sessions is None or at.session is not None or at.o.kind != NAVIGATION or not at.o.wants_document:
            return ""
        return self.sessions.issue(at.o, at.view.now_s, self.world.hasher.key(decision_id.encode()))


def _passed(decision_id: str, rule: str, book: Rulebook, policy: Policy) -> Decision:
    return Decision(
        id=decision_id,
        verdict=ALLOW,
        would_be=ALLOW,
        mode=MONITOR if book.paused else policy.mode,
        score=0,
        bot=False,
        signals=(),
        rule=rule,
        policy=policy.name,
        audience=policy.audience,
        config=book.config,
    )
