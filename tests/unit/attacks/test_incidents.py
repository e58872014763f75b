"""attacks/incidents.py: what violations become while an attack lasts."""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.attacks.incidents import (
    MAX_NEWS,
    MAX_SAMPLES,
    MAX_SAMPLES_WAITING,
    OWN_PER_NETWORK,
    Incident,
    IncidentBook,
    Sample,
)
from botsieve.attacks.types import BOT_DETECTED, ENDED, EXPIRED, RELEASED, TRANSACTIONS
from botsieve.decision import Decision, Measure, Signal, Violation
from botsieve.values import replace

from tests.unit.attacks.violations import HASHER, violation
from tests.unit.rig import START_S, request


def nothing_known(_key: bytes, _detector: str, _now_s: float) -> None:
    """No prevention stands."""


class Case:
    """A book, and requests that violate."""

    def __init__(self, *, count: int = 0, **options: Any) -> None:
        self.book = IncidentBook(HASHER.key, **options)
        self.count = count

    def violate(
        self,
        *violations: Violation,
        at_s: float = 0.0,
        client: str = "203.0.113.7",
        verdict: str = "block",
        policy: str = "shop",
        uri: bytes = b"/items/17?token=secret",
    ) -> Decision:
        """One request with these violations."""
        self.count += 1
        decision = Decision(
            id=f"0000-0000-{self.count // 10_000:04d}-{self.count % 10_000:04d}",
            verdict=verdict,
            would_be="block",
            mode="enforce",
            score=10,
            bot=False,
            signals=(Signal("surfing.rapid", 0, attack_type=BOT_DETECTED),),
            rule="prevention",
            policy=policy,
            audience="browser",
            config="c",
            route="/items/{n}",
            violations=violations or (violation(),),
        )
        self.book.note(request(uri, client=client), decision, START_S + at_s)
        return decision

    def open(self) -> list[Incident]:
        return list(self.book.open.values())

    def taken(self, at_s: float = 1e6) -> list[Incident | Sample]:
        """Everything that is to be handed on."""
        found: list[Incident | Sample] = []
        while more := self.book.take(100, START_S + at_s):
            found += more
        return found

    def news(self) -> list[Incident]:
        return list(iter(self.book.news, None))


def test_one_incident_for_one_subject_type_and_policy() -> None:
    """The second violation belongs to the first's incident; another type, policy or subject has one of its own."""
    case = Case()
    first = case.violate()
    case.violate(at_s=5.0)
    assert [one.id for one in case.open()] == [first.id]
    case.violate(violation(attack_type=TRANSACTIONS))
    case.violate(policy="api")
    case.violate(violation(2))
    assert len(case.open()) == 4
    both = case.violate(violation(3), violation(3, attack_type=TRANSACTIONS))
    assert [one.id for one in case.open()][-2:] == [both.id, f"{both.id}-1"]


def test_it_counts_and_keeps_the_numbers_beside_their_limits() -> None:
    """Violating requests, refused and challenged ones; of each measure the highest, the last, and the limit; what was found."""
    case = Case()
    case.violate(violation(measures=(Measure("pages", 31.0, 30.0), Measure("window_s", 30.0)), detail="scraper"))
    case.violate(violation(measures=(Measure("pages", 45.0, 30.0),), detail="scraper"), at_s=1.0, verdict="challenge")
    case.violate(violation(measures=(Measure("pages", 33.0, 30.0),), detail="other"), at_s=2.0, verdict="allow")
    (one,) = case.open()
    assert (one.violations, one.rejected, one.challenged) == (3, 1, 1)
    assert one.measures == {"pages": [45.0, 33.0, 30.0], "window_s": [30.0, 30.0, None]}
    assert one.details == ["scraper", "other"]
    assert (one.started_s, one.last_s, one.until_s) == (START_S, START_S + 2.0, START_S + 1802.0)
    tally = case.book.by_policy["shop"]
    assert (tally.attacks, tally.violations, tally.rejected) == (1, 3, 1)
    assert case.book.by_type[BOT_DETECTED].violations == 3


def test_it_ends_when_no_violation_came_for_the_prevention_s_time() -> None:
    """At its time, not before, and a violation in between puts it off; the end is when it was over, not when it was noticed."""
    case = Case()
    case.violate()
    case.violate(at_s=100.0)
    case.book.sweep(START_S + 1899.9, nothing_known)
    assert len(case.open()) == 1
    case.book.sweep(START_S + 5000.0, nothing_known)
    assert case.open() == []
    opened, ended = case.news()
    assert opened is ended
    assert (ended.why, ended.ended_s) == (EXPIRED, START_S + 1900.0)
    case.violate(at_s=5001.0)
    assert len(case.open()) == 1


@pytest.mark.parametrize("why", [ENDED, EXPIRED, RELEASED])
def test_it_ends_with_its_prevention(why: str) -> None:
    """While the prevention holds the incident goes on, also beyond its own time; when it is over, so is the incident."""
    case = Case()
    case.violate()
    case.book.sweep(START_S + 9000.0, lambda key, detector, now_s: ("", now_s + 1.0))
    assert len(case.open()) == 1
    case.book.sweep(START_S + 9001.0, lambda key, detector, now_s: (why, START_S + 200.0))
    assert case.open() == []
    assert (case.news()[-1].why, case.news()) == (why, [])
    ended = [one for one in case.taken() if isinstance(one, Incident)]
    assert [(one.why, one.ended_s) for one in ended] == [(why, START_S + 200.0)]


def test_above_fifty_of_a_network_share_one() -> None:
    """50 subjects of one /24 have incidents of their own; the next thousand one together, which counts them; others are untouched."""
    case = Case()
    for number in range(OWN_PER_NETWORK + 1_000):
        case.violate(violation(number), client=f"203.0.113.{number % 250}")
    assert len(case.open()) == OWN_PER_NETWORK + 1
    shared = case.open()[-1]
    assert (shared.subject, shared.violations) == ("network", 1_000)
    assert abs(shared.subjects - 1_000) <= 30
    case.violate(violation(0))
    assert shared.violations == 1_000, "who has an incident keeps it"
    case.violate(violation(9_999), client="203.0.114.1")
    case.violate(violation(9_998, attack_type=TRANSACTIONS))
    assert len(case.open()) == OWN_PER_NETWORK + 3


def test_when_the_network_s_are_over_there_is_room_again() -> None:
    """Ended incidents do not count for the fifty."""
    case = Case()
    for number in range(OWN_PER_NETWORK + 1):
        case.violate(violation(number))
    case.book.sweep(START_S + 5000.0, nothing_known)
    assert case.open() == []
    case.violate(violation(7), at_s=5001.0)
    assert [one.subject for one in case.open()] == ["session"]


def test_a_full_book_keeps_one_for_everybody() -> None:
    """Beyond the bound the rest of a type and policy is one incident, and nothing grows."""
    case = Case(max_open=100)
    for number in range(2_000):
        case.violate(violation(number), client=f"203.{number // 250}.{number % 250}.1")
    assert len(case.open()) == 101
    rest = case.open()[-1]
    assert (rest.subject, rest.violations) == ("site", 1_900)
    assert abs(rest.subjects - 1_900) <= 60


def test_samples_show_the_beginning_and_how_it_went_on() -> None:
    """At most 20, the first ten among them; the path without its query, the User-Agent in 256 bytes, the decision to explain."""
    case = Case()
    first = case.violate()
    for n in range(20_000):
        case.violate(at_s=n / 100.0)
    samples = [one for one in case.taken() if isinstance(one, Sample)]
    assert [one.number for one in samples[:12]] == [*range(1, 11), 16, 32]
    assert len(samples) == MAX_SAMPLES
    assert samples[0].decision == first.id
    assert (samples[0].path, samples[0].route, samples[0].reasons) == (b"/items/17", "/items/{n}", "rapid")
    assert b"secret" not in b"".join(part for one in samples for part in (one.path, one.host, one.user_agent))


def test_everything_that_waits_is_bounded() -> None:
    """Nobody takes anything: samples, news and incidents stay within their bounds, and what goes is counted."""
    case = Case()
    for number in range(9_000):
        case.violate(violation(number), client=f"203.{number // 250}.{number % 250}.1", uri=b"/" + b"x" * 9_000)
    assert case.book.lost == 9_000 - MAX_SAMPLES_WAITING
    for _ in range(40):
        case.book.sweep(START_S + 5000.0, nothing_known)
    for number in range(9_000):
        case.violate(violation(number), at_s=6000.0, client=f"203.{number // 250}.{number % 250}.1")
    for _ in range(40):
        case.book.sweep(START_S + 9000.0, nothing_known)
    assert case.open() == []
    assert len(case.news()) == MAX_NEWS
    taken = case.taken()
    assert sum(isinstance(one, Incident) for one in taken) == 10_000
    assert all(len(one.path) <= 1024 for one in taken if isinstance(one, Sample))


def test_what_changed_is_handed_on_once_a_second() -> None:
    """A thousand violations in a second are one message; each slice is as large as asked for; nothing new, nothing handed on."""
    case = Case()
    for _ in range(1_000):
        case.violate()
    assert len(case.book.take(5, START_S)) == 5
    rest = case.taken(0.0)
    assert sum(isinstance(one, Incident) for one in rest) == 0, "it was in the first slice"
    assert case.taken(0.5) == []
    case.violate()
    assert not case.book.is_waiting(START_S + 0.5)
    assert case.taken(0.5) == []
    assert case.book.is_waiting(START_S + 1.1)
    assert [type(one) for one in case.taken(1.1)] == [Incident]


def test_an_incident_goes_on_after_a_restart() -> None:
    """What was open is known again: the next violation belongs to it; if one came before, both are one under the older id."""
    before = Case()
    for _ in range(12):
        before.violate()
    (known,) = before.open()
    stored = replace(known, client=b"", measured="", others={})
    after = Case(count=500)
    after.violate(at_s=60.0)
    after.book.adopt(stored)
    after.violate(at_s=61.0)
    (one,) = after.open()
    assert (one.id, one.violations, one.started_s) == (known.id, 14, START_S)
    assert one.samples == 11, "ten before the restart, one after it"
    fresh = Case(count=900)
    fresh.book.adopt(stored)
    fresh.book.adopt(stored)
    fresh.violate(at_s=60.0)
    assert [(one.id, one.violations) for one in fresh.open()] == [(known.id, 13)]
    fresh.book.sweep(START_S + 9_000.0, nothing_known)
    assert fresh.open() == []


def test_a_lost_store_gets_everything_anew() -> None:
    """After `refresh` every open incident is handed on again, as it stands."""
    case = Case()
    case.violate()
    case.taken(1.0)
    case.book.refresh()
    assert [type(one) for one in case.taken(3.0)] == [Incident]


def test_what_changes_while_it_is_handed_on_is_handed_on_again() -> None:
    """Each round tells once of each incident that changed since the one before, whenever in it that was."""
    case = Case()
    for at_s in (0.0, 1.1, 2.2):
        case.violate(at_s=at_s)
        case.violate(at_s=at_s)
        handed = case.book.take(1, START_S + at_s)
        case.violate(at_s=at_s)  # the round goes on: there are samples
        assert [type(one) for one in handed] == [Incident]
        assert sum(isinstance(one, Incident) for one in case.taken(at_s)) == 0
    case_rounds = [sum(isinstance(one, Incident) for one in case.taken(at_s)) for at_s in (3.3, 4.4)]
    assert case_rounds == [1, 0]
