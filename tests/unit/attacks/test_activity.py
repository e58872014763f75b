"""attacks/activity.py: pages that go out with our script, and answers that do not come [S2-65]."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from botsieve.attacks.activity import Activity
from botsieve.attacks.types import BOT_ACTIVITY
from botsieve.decision import Violation
from botsieve.detectors.settings import THRESHOLDS
from botsieve.observation import Observation
from botsieve.policy import Policy

from tests.unit.challenge.builders import request

KEY = b"12345678"
MONITORED = Policy(mode="monitor")


def page(**facts: Any) -> Observation:
    return request(headers={b"sec-fetch-mode": b"navigate", b"sec-fetch-site": b"none"}, **facts)


def pages(at: Activity, count: int, policy: Policy = MONITORED, key: bytes = KEY) -> list[Violation | None]:
    return [at.page(page(), policy, "client", key) for _ in range(count)]


def test_thirty_injections_without_a_reply_are_told() -> None:
    """The first thirty are none, from the next on each is; the numbers stand beside their limits."""
    found = pages(Activity(), 32)
    assert found[:30] == [None] * 30
    violation = found[30]
    assert violation is not None
    assert (violation.attack_type, violation.subject, violation.key, violation.action) == (BOT_ACTIVITY, "client", KEY, "alarm")
    assert [(one.name, one.value, one.limit) for one in violation.measures] == [
        ("injections", 30, 30),
        ("injections_per_reply", 30.0, 3),
    ]
    assert found[31] is not None


@pytest.mark.parametrize(("replies", "told"), [(9, True), (10, False)])
def test_the_ratio_is_three(replies: int, told: bool) -> None:
    """Of 30 pages ten answered: three for each, which is allowed; nine are too few."""
    at = Activity()
    for _ in range(replies):
        at.reply(KEY)
    assert (pages(at, 31)[30] is not None) is told


def test_only_in_monitor_mode() -> None:
    """In mode `enforce` it never comes."""
    assert pages(Activity(), 40, Policy(mode="enforce")) == [None] * 40


def test_where_human_interaction_is_ignored_nothing_is_counted() -> None:
    """One switch for both."""
    ignored = msgspec.structs.replace(THRESHOLDS["human.interaction"], action="ignore")
    at = Activity()
    assert pages(at, 40, Policy(thresholds={"human.interaction": ignored})) == [None] * 40
    assert len(at) == 0


@pytest.mark.parametrize(
    "o",
    [
        page(method=b"POST"),
        page(method=b"HEAD"),
        request(headers={b"sec-fetch-mode": b"cors", b"sec-fetch-dest": b"empty"}),
        request(headers={b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image"}),
    ],
)
def test_only_pages_carry_the_script(o: Observation) -> None:
    """Data, pictures, forms and HEAD are no injections."""
    at = Activity()
    assert [at.page(o, MONITORED, "client", KEY) for _ in range(40)] == [None] * 40
    assert len(at) == 0


def test_a_long_visit_is_judged_by_its_later_part() -> None:
    """Somebody whose script answered for long, and then no more, is told after a while; and the other way round."""
    at = Activity()
    for _ in range(500):
        at.page(page(), MONITORED, "client", KEY)
        at.reply(KEY)
    assert pages(at, 400)[-1] is not None
    for _ in range(300):
        at.page(page(), MONITORED, "client", KEY)
        at.reply(KEY)
    assert pages(at, 1) == [None]


def test_it_is_bounded() -> None:
    """Whoever was heard of longest ago goes first."""
    at = Activity(limit=10)
    pages(at, 29)
    for number in range(9):
        at.reply(number.to_bytes(8, "big"))
    assert len(at) == 10
    pages(at, 1)
    for number in range(20, 29):
        at.reply(number.to_bytes(8, "big"))
    assert len(at) == 10
    assert pages(at, 1)[0] is not None, "it was heard of in between"
