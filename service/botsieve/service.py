"""Observe, decide, record: what every transport calls, and the one place that gives the engine time, ids and chance.

Law of the file: `judge` is synchronous, never raises and never waits.  Whatever goes wrong inside is counted and answered as the
edge's failure mode says.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from math import inf
from time import perf_counter

import msgspec

from botsieve.challenge.answer import Answer
from botsieve.challenge.desk import ChallengeDesk
from botsieve.challenge.human_desk import COLLECTOR, script_answer
from botsieve.challenge.page_of import page_of
from botsieve.challenge.sequences import NO_EVIDENCE, REGULAR
from botsieve.decision import ALLOW, BLOCK, CHALLENGE, Decision, reasons_text
from botsieve.detectors.settings import HumanInteraction
from botsieve.engine import Engine
from botsieve.journal import Journal
from botsieve.observation import Observation
from botsieve.policy import Rulebook
from botsieve.remembered import Forgotten

# A random byte to one of the 32 characters: eight bytes stand for each, so none is more likely.
_ALPHABET = b"0123456789abcdefghjkmnpqrstvwxyz" * 8
_ID_CHARACTERS = 16
_ID_LENGTH = 19  # with a dash after each four but the last
_POOL = 1_024  # ids that are drawn at once
_REMEMBERED = 20_000  # challenges and blocks whose page may still be fetched, per generation
_FETCHED_S = 60.0  # by then nginx has fetched the page, or never will
# As constants they are at hand (docs/decisions/0013).
_CLOCK_S, _DRAW_0_1 = perf_counter, random.random
_MAX_LATE = 1_000  # late decisions that the web server may ask about once more


class Ids:
    """Decision ids: 80 random bits in four groups of four of `0-9a-hjkmnp-tv-z`."""

    __slots__ = ("_at", "_pool")

    def __init__(self) -> None:
        self._pool = ""
        self._at = 0

    def next(self) -> str:
        """A new id."""
        at = self._at
        if at >= len(self._pool):
            self._pool = _drawn()
            at = 0
        self._at = at + _ID_LENGTH
        return self._pool[at : at + _ID_LENGTH]


def _drawn() -> str:
    """Many ids one after the other: columns of random characters, and of dashes between them."""
    drawn = os.urandom(_ID_CHARACTERS * _POOL).translate(_ALPHABET)
    text = bytearray(b"-" * (_ID_LENGTH * _POOL))
    for number in range(_ID_CHARACTERS):
        text[number + number // 4 :: _ID_LENGTH] = drawn[number * _POOL : (number + 1) * _POOL]
    return text.decode("ascii")


class DecisionService:
    """One process's service.  `now_s`: the clock.  `apply` swaps the configuration, `set_paused` puts every policy into monitor."""

    def __init__(self, engine: Engine, desk: ChallengeDesk, journal: Journal, now_s: Callable[[], float]) -> None:
        self.engine = engine
        self.desk = desk
        self.journal = journal
        self.now_s = now_s
        self._ids = Ids()
        self._given: dict[str, Decision] = {}
        self._given_before: dict[str, Decision] = {}
        self._given_since_s = 0.0
        self._forgotten = Forgotten()
        self._late: set[str] = set()
        self._unasked = 0

    # ---- decisions

    def judge(self, o: Observation) -> Decision:
        """The decision on one request, counted and recorded.  Never raises."""
        decision = self.judge_in_time(o, inf)
        assert decision is not None
        return decision

    def judge_in_time(self, o: Observation, until_s: float) -> Decision | None:
        """The same, None when it took until after `until_s` of `perf_counter`: a verdict that nobody is told is none.

        It is then neither counted nor recorded as a decision: the edge counts the request as unjudged.  Its findings stay in
        the state.  Asked again about the same request, the edge hears it, and it is recorded then.
        """
        started = _CLOCK_S()
        now_s = self.now_s()
        name = self._ids.next()
        decision = self.engine.decide(o, now_s, name, _DRAW_0_1())
        done = _CLOCK_S()
        is_new = decision.id is name
        if done > until_s:
            if is_new:
                self.journal.metrics.count_time(o.edge, int((done - started) * 1e6))
                self._keep_late(decision.id)
            return None
        # What is not new is the repeated answer to a request that was asked about twice: recorded, unless it came too late then.
        if is_new or (self._late and decision.id in self._late):
            if self._late:
                self._late.discard(decision.id)
            self.journal.record(o, decision, now_s, int((done - started) * 1e6))
            if decision.verdict != ALLOW:
                self._remember(decision, now_s)
        return decision

    def _keep_late(self, decision_id: str) -> None:
        if len(self._late) >= _MAX_LATE:
            self._late.clear()
        self._late.add(decision_id)

    def _remember(self, decision: Decision, now_s: float) -> None:
        if len(self._given) >= _REMEMBERED or now_s - self._given_since_s > _FETCHED_S:
            self._forgotten.take(self._given_before)
            self._given_before, self._given = self._given, {}
            self._given_since_s = now_s
        self._given[decision.id] = decision
        self._forgotten.free()

    def unjudged(self, edge: str, why: str) -> None:
        """One request that nobody judged."""
        self.journal.count_unjudged(edge, why)

    def edge_told_unjudged(self, edge: str, total: int, peer: bytes = b"") -> bool:
        """An edge says how many requests it has let pass unjudged since it started; the growth is counted.

        `peer`: which of several edges of that name says so.  False: the number was overtaken by a newer one.
        """
        grown = self.journal.heard.grown(edge, peer, total, self.now_s())
        if grown is None:
            return False
        if grown > 0:
            self.journal.count_unjudged(edge, "edge_down", grown)
            self.journal.event("unjudged", edge=edge, passed=grown)
        return True

    def edge_told_unasked(self, edge: str, total: int, peer: bytes = b"") -> int | None:
        """The same of requests that it did not ask about, as it was told (X-Botsieve-Ask); how many are new, None if overtaken."""
        grown = self.journal.heard.grown(f"{edge} unasked", peer, total, self.now_s())
        if grown:
            self.journal.count_unjudged(edge, "unasked", grown)
            self._unasked += grown
        return grown

    def tell_unasked(self) -> None:
        """Says of how many that is so since it was said last.  To be called now and then: a number comes with each question."""
        if self._unasked:
            self.journal.event("overloaded", count=self._unasked)
            self._unasked = 0

    # ---- what visitors are shown

    def answer(self, o: Observation, decision: Decision) -> Answer:
        """The page or problem document for a decision that is not allow."""
        answer = self.desk.answer(
            o,
            verdict=decision.verdict,
            level=decision.level or "normal",
            decision_id=decision.id,
            retry_after_s=decision.retry_after_s,
            score=decision.score,
            now_s=self.now_s(),
            random16=os.urandom(16),
        )
        if decision.set_cookie:
            # The plain nginx include cannot add our cookie to the application's answers; to our own pages it can.
            answer = msgspec.structs.replace(answer, headers=(*answer.headers, ("Set-Cookie", decision.set_cookie)))
        if self.desk.settings.show_all:
            answer = msgspec.structs.replace(answer, headers=(*answer.headers, *_for_trials(decision)))
        return self._told(answer)

    def page(self, o: Observation, verdict: str, decision_id: str, score: int) -> Answer:
        """The second hop of nginx: the page for a verdict that was given before.  What is not remembered gets the normal level."""
        known = self._shown(decision_id)
        if known is not None:
            return self.answer(o, known)
        return self._told(
            self.desk.answer(
                o,
                verdict=verdict if verdict in (CHALLENGE, BLOCK) else BLOCK,
                level="normal",
                decision_id=decision_id,
                retry_after_s=0,
                score=score,
                now_s=self.now_s(),
                random16=os.urandom(16),
            )
        )

    def asset(self, path: bytes) -> Answer | None:
        """A script or style of our pages."""
        answer = self.desk.asset(path)
        return self.desk.device.asset(path) if answer is None else self._told(answer)

    def solve(self, o: Observation, body: bytes) -> Answer:
        """Redeems a solution."""
        return self._told(self.desk.solve(o, body, self.now_s()))

    def wait(self, o: Observation) -> Answer:
        """The path for browsers without script."""
        return self._told(self.desk.wait(o, self.now_s()))

    def feedback(self, o: Observation, body: bytes) -> Answer:
        """Takes the form "I am human" of the block page."""
        heard = self.desk.feedback.take(o, body, self.desk.settings, self._shown, self.now_s())
        self.journal.feedback(o, heard.outcome, heard.decision)
        return heard.answer

    def _shown(self, decision_id: str) -> Decision | None:
        """The challenge or block of this id, while its page may still be fetched."""
        return self._given.get(decision_id) or self._given_before.get(decision_id)

    # ---- what the script in the pages says

    def script(self) -> Answer:
        """The script itself: what is switched on."""
        return script_answer(COLLECTOR if self.desk.human.enabled else b"", self.desk.device.script)

    def open_page(self, o: Observation) -> Answer:
        """The token of a page that was just opened: the script's first word, which is also its reply to having been injected."""
        now_s = self.now_s()
        answer = self.desk.human.open(o, now_s, os.urandom(8))
        if answer.status == 200:
            self.engine.page_answered(page_of(o), now_s)
        return answer

    def report(self, o: Observation, body: bytes) -> Answer:
        """Takes what the script found of device and browser; what it shows is told to the engine."""
        now_s = self.now_s()
        session = self.engine.sessions.read(o, now_s) if self.engine.sessions is not None else None
        heard = self.desk.device.hear(o, body, now_s, os.urandom(12), session)
        if heard.facts:
            self.engine.browser_told(page_of(o), heard.facts, heard.device, now_s, is_new=heard.is_new)
        kinds = [fact.kind for fact in heard.facts]
        self.journal.metrics.count_device_report(kinds, taken=heard.answer.status < 400, is_new=heard.is_new)
        return heard.answer

    def hear(self, o: Observation, body: bytes) -> Answer:
        """Takes a report of human evidence; what it shows is told to the engine, and the report is dropped."""
        now_s, page = self.now_s(), page_of(o)
        settings = self.engine.rulebook.policy_for(page).thresholds["human.interaction"]
        assert isinstance(settings, HumanInteraction)
        heard = self.desk.human.hear(o, body, settings.sequence_rules, now_s)
        if heard.finding is not None and heard.finding.word != NO_EVIDENCE:
            self.engine.human_report(page, now_s, regular=heard.finding.word == REGULAR)
        self.journal.metrics.count_report("refused" if heard.finding is None else heard.finding.word)
        return heard.answer

    def _told(self, answer: Answer) -> Answer:
        if answer.event:
            self.journal.challenge(answer.event, answer.level)
        return answer

    # ---- configuration

    def apply(self, rulebook: Rulebook) -> None:
        """Puts a configuration in force: one immutable object for another."""
        self.engine.rulebook = msgspec.structs.replace(rulebook, paused=self.journal.paused)

    def set_paused(self, paused: bool) -> None:
        """Puts every policy into monitor mode, or back."""
        self.engine.rulebook = msgspec.structs.replace(self.engine.rulebook, paused=paused)


def _for_trials(decision: Decision) -> tuple[tuple[str, str], ...]:
    """What `client_headers: all` tells a visitor beside the id."""
    return (
        ("X-Botsieve-Verdict", decision.verdict),
        ("X-Botsieve-Would-Be", decision.would_be),
        ("X-Botsieve-Score", str(decision.score)),
        ("X-Botsieve-Reasons", reasons_text(decision.signals)),
    )
