"""detectors/network.py: many addresses of one network at work together, and crowds that are none."""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.detectors.settings import BusyRange
from botsieve.policy import PathSet

from tests.unit.rig import CALL, TOOL, Rig, enforcing, found, points, tuned

BUSY = "network.busy_range"


def others(rig: Rig, networks: int, each: int = 1, *, at_s: float = 0.0) -> None:
    """`networks` other networks, `each` requests from every one."""
    for number in range(networks):
        for _ in range(each):
            rig.ask("/", client=f"10.{number // 250}.{number % 250}.1", headers=TOOL, at_s=at_s)


def crowd(rig: Rig, requests: int, addresses: int, *, start_s: float = 0.0, uri: str = "/items/{}", **facts: Any) -> list[str]:
    """One network at work; what busy_range says to a member whose steps are a finding, at its last request.

    The last seven requests are one member's walk: busy_range counts beside another finding only.
    """
    facts.setdefault("headers", TOOL)
    for number in range(requests - 7):
        at = {"at_s": start_s + number * 0.1, "client": f"198.51.100.{number % addresses + 1}"}
        rig.ask(f"/other/{number * number}x", **at, **facts)
    for number in range(7):
        at = {"at_s": start_s + requests * 0.1 + number, "client": "198.51.100.1"}
        decision = rig.ask(uri.format(number), **at, **facts)
    assert found(decision, "traversal.url_pattern") or uri != "/items/{}"
    return found(decision, BUSY)


@pytest.mark.parametrize(
    ("requests", "addresses", "says"),
    [(100, 10, ["busy_range"]), (99, 10, []), (100, 9, []), (500, 9, []), (500, 30, ["busy_range"])],
)
def test_ten_addresses_and_a_hundred_requests(requests: int, addresses: int, says: list[str]) -> None:
    """Both, within 300 s [S1-32]."""
    rig = Rig()
    others(rig, 12)
    assert crowd(rig, requests, addresses) == says


@pytest.mark.parametrize(("each", "says"), [(10, ["busy_range"]), (11, [])])
def test_ten_times_the_mean_of_the_others(each: int, says: list[str]) -> None:
    """Exactly ten times is busy, less is not: on a busy site every network is."""
    rig = Rig()
    others(rig, 12, each)
    assert crowd(rig, 100, 10) == says


@pytest.mark.parametrize(("networks", "says"), [(9, []), (10, ["busy_range"])])
def test_silent_while_few_networks_are_active(networks: int, says: list[str]) -> None:
    """With fewer than 10 others a mean means nothing [S1-32]."""
    rig = Rig()
    others(rig, networks)
    assert crowd(rig, 100, 10) == says


def test_other_networks_of_five_minutes_ago_are_not_active() -> None:
    """Who was here 300 s ago is no measure."""
    rig = Rig()
    others(rig, 12)
    assert crowd(rig, 100, 10, start_s=320) == []


def test_slowly_it_is_none() -> None:
    """100 requests in 600 s are not 100 in 300."""
    rig = Rig()
    others(rig, 12)
    crowd(rig, 60, 10)
    others(rig, 12, at_s=400)
    assert crowd(rig, 60, 10, start_s=400) == []


def test_half_of_them_people() -> None:
    """Not where half of its addresses have been people in the last hour; an hour later they are forgotten."""
    rig = Rig(cookies=True)
    others(rig, 12)
    for number in range(1, 8):
        cookie = {**CALL, b"cookie": rig.session_cookie(opened_s=-1000, number=number)}
        for _ in range(4):
            rig.ask("/", client=f"198.51.100.{number}", headers=cookie)
    assert crowd(rig, 110, 12) == []
    others(rig, 12, at_s=3700)
    assert crowd(rig, 110, 12, start_s=3700) == ["busy_range"]


def test_less_than_half_of_them_people() -> None:
    """Five people do not cover twelve addresses."""
    rig = Rig(cookies=True)
    others(rig, 12)
    for number in range(1, 6):
        cookie = {**CALL, b"cookie": rig.session_cookie(opened_s=-1000, number=number)}
        for _ in range(4):
            rig.ask("/", client=f"198.51.100.{number}", headers=cookie)
    assert crowd(rig, 110, 12) == ["busy_range"]


def test_only_beside_another_finding() -> None:
    """The same crowd, no member with a finding about behaviour or TLS: nobody is accused."""
    rig = Rig()
    others(rig, 12)
    assert crowd(rig, 200, 20, uri="/about") == []


def test_networks_that_may_be_busy() -> None:
    """Listed as shared, or switched off."""
    for settings in (tuned(network_busy_range=BusyRange(shared=("198.51.100.0/24",))), points(BUSY, 0)):
        rig = Rig(enforcing(detectors=settings))
        others(rig, 12)
        assert crowd(rig, 200, 20) == []


def test_each_policy_for_itself() -> None:
    """An office that works with the API all day is not busy on the site, nor are its few neighbours there many."""
    rig = Rig(enforcing(name="api", paths=PathSet(("/api/",)), audience="api"), enforcing(name="site"))
    for number in range(600):
        for network in range(3):
            client = f"198.51.{100 + network}.{number % 20 + 1}"
            rig.ask("/api/status", client=client, headers=TOOL, at_s=number * 0.4)
            if number % 10 == 0:
                rig.ask("/about", client=client, headers=TOOL, at_s=number * 0.4)
    assert rig.engine.world.site("site").networks_within(1_800_000_240.0) == 3
    others(rig, 12, 10, at_s=240)
    assert crowd(rig, 20, 12, start_s=241) == []


def test_one_big_member_is_no_crowd() -> None:
    """A single address may be as busy as it likes."""
    rig = Rig()
    others(rig, 12)
    assert crowd(rig, 400, 1) == []
