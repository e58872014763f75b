"""What is done with a request by what is in force: against its own subject, the client its session began under, its network.

Law of the file: the action is that of the policy of the moment.  What was found of one subject acts on it alone; where several
people may be behind a name or in a network, a block becomes a challenge for those who have shown nothing (docs/preventions.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from botsieve.attacks import human, surfing, transactions
from botsieve.attacks.doors import Doors
from botsieve.attacks.preventions import NETWORK, QUIET_S, Prevention, Preventions, Whom
from botsieve.attacks.sites import Sites
from botsieve.attacks.subjects import CLIENT, Subject, Subjects, client_name, is_shared
from botsieve.attacks.types import (
    BOT_DETECTED,
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
from botsieve.challenge.browsers import is_browser
from botsieve.decision import BLOCK, CHALLENGE, Violation
from botsieve.detectors.settings import HumanInteraction, RapidSurfing, SessionTransactions, Threshold
from botsieve.state.world import World

if TYPE_CHECKING:
    from botsieve.attacks.book import Request

RAPID, HUMAN, TRANSACTION = "surfing.rapid", "human.interaction", "sessions.transactions"
# A session that old is evidence of a person.
OLD_SESSION_S = 1800.0
PEOPLE_S = 3600.0
ATTACK_TYPE_OF: Mapping[str, str] = MappingProxyType(
    {
        RAPID: BOT_DETECTED,
        HUMAN: BOT_DETECTED,
        TRANSACTION: TRANSACTIONS,
        "sessions.opening": SESSION_OPENING,
        "sessions.resets": SESSION_RESETS,
        "browser.suspicious": SUSPICIOUS_CLIENTS,
    }
)


class Rulings:
    """`session_idle_s`: a session without requests for so long has ended."""

    __slots__ = ("_doors", "_preventions", "_sites", "_subjects", "_world", "session_idle_s")

    def __init__(
        self, world: World, subjects: Subjects, preventions: Preventions, sites: Sites, doors: Doors, session_idle_s: float
    ) -> None:
        self._world = world
        self._subjects = subjects
        self._preventions = preventions
        self._sites = sites
        self._doors = doors
        self.session_idle_s = session_idle_s

    def of_subject(
        self, request: Request, subject: Subject | None, whom: Whom, crossed: tuple[str, ...], *, counts: bool
    ) -> Ruling:
        """The ruling by what is in force against this very subject, and by what it crosses now."""
        now_s, policy = request.now_s, request.view.policy
        found: list[Violation] = []
        until_s, mild = 0.0, True
        held = self._preventions.of(whom.key) or {}
        for detector in (*held, *(one for one in crossed if one not in held)):
            settings = policy.thresholds.get(detector)
            one = held.get(detector)
            runs = one is not None and one.runs(now_s)
            if settings is None or settings.action == IGNORE or not (runs or detector in crossed):
                continue
            if one is None or not runs:
                network_key = self._world.hasher.key(request.view.profiles.site.tag + request.o.network)
                one = self._preventions.begin(
                    whom._replace(network_key=network_key), detector, ATTACK_TYPE_OF[detector], now_s, settings.prevention_s
                )
            if counts and subject is not None:
                self._keep(request, subject, one, settings)
                if not one.runs(now_s):
                    continue
            if counts:
                found.append(_violation(one, settings))
            if settings.action == STOP:
                until_s = max(until_s, one.until_s)
                mild = mild and (one.mild or _came_later(request, one))
        if not found and not until_s:
            return NOTHING
        mild = mild or (whom.subject is CLIENT and self._is_door(whom.key, request.client_key, now_s))
        return _stopping(tuple(found), until_s, now_s, mild=mild)

    def _keep(self, request: Request, subject: Subject, one: Prevention, settings: Threshold) -> None:
        """Tells the prevention what is measured now."""
        now_s = request.now_s
        if isinstance(settings, RapidSurfing):
            found = surfing.measures(subject, now_s, settings)
            one.keep(found, now_s, settings.window_s, high=surfing.is_high(found))
            one.mild = surfing.is_tabs(subject)
        elif isinstance(settings, SessionTransactions):
            usual = self._sites.facts(request.view.profiles.site).usual
            # What a session has done does not become less: it is over when the session is.
            one.keep(transactions.measures(subject, usual, now_s, settings), now_s, self.session_idle_s - QUIET_S, high=True)
        elif isinstance(settings, HumanInteraction):
            one.measures = human.measures(subject, settings)
            if not human.is_unsafe(subject, settings):
                one.end(now_s)

    def of_door(self, request: Request, *, counts: bool) -> Ruling:
        """The ruling by preventions of the client under whose name a session began while they held: a cookie is no way out."""
        session, now_s = request.session, request.now_s
        if session is None:
            return NOTHING
        client_key = self._world.client_key(request.o)
        key = client_name(self._world, request.view.profiles.site, client_key)
        found: list[Violation] = []
        until_s = 0.0
        for detector, one in (self._preventions.of(key) or {}).items():
            settings = request.view.policy.thresholds.get(detector)
            if settings is None or settings.action == IGNORE or session.opened_s < one.latch.start_ms // 1000:
                continue
            if one.runs(now_s):
                found += [_violation(one, settings)] if counts else []
                until_s = max(until_s, one.until_s) if settings.action == STOP and not one.mild else until_s
        if not found and not until_s:
            return NOTHING
        return _stopping(tuple(found), until_s, now_s, mild=self._is_door(key, client_key, now_s))

    def _is_door(self, key: bytes, client_key: bytes, now_s: float) -> bool:
        """Several people come in under this client's name: sessions began there with page loads, or are there side by side."""
        client = self._subjects.use(key, now_s)
        return (client is not None and is_shared(client, now_s)) or self._doors.is_shared(client_key, now_s)

    def of_network(self, request: Request, subject: Subject | None) -> Ruling:
        """The ruling by preventions of a network into which those of its clients were folded."""
        profiles, now_s = request.view.profiles, request.now_s
        held = self._preventions.of(self._world.hasher.key(profiles.site.tag + request.o.network))
        if held is None or is_proven(request, subject):
            return NOTHING
        ruling = NOTHING
        for detector, one in held.items():
            settings = request.view.policy.thresholds.get(detector)
            if settings is None or settings.action == IGNORE or one.whom.subject != NETWORK or not one.runs(now_s):
                continue
            verdict = "" if settings.action != STOP else CHALLENGE if one.mild or has_people(request) else BLOCK
            ruling = joined(
                ruling, Ruling(verdict, "normal" if verdict == CHALLENGE else "", violations=(_violation(one, settings),))
            )
        return ruling


def _came_later(request: Request, one: Prevention) -> bool:
    """Known by a fingerprint, and opened its session after that: an identical machine of the same network perhaps."""
    if not is_browser(request.device):
        return False
    return request.session is None or request.session.opened_s >= one.latch.start_ms // 1000


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


def _stopping(found: tuple[Violation, ...], until_s: float, now_s: float, *, mild: bool) -> Ruling:
    """Block until then, or challenge where others may be meant; nothing but the violations for `until_s` 0."""
    if not until_s:
        return Ruling(violations=found)
    return (
        Ruling(CHALLENGE, "normal", violations=found)
        if mild
        else Ruling(BLOCK, hold_s=int(until_s - now_s) + 1, violations=found)
    )


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
