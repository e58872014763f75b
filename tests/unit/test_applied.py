"""applied.py: a rulebook as decisions use it."""

from __future__ import annotations

import pytest
from botsieve.applied import Applied
from botsieve.detectors import plan
from botsieve.policy import Allowlist, PathSet, Policy, Rulebook
from botsieve.ranges import RangeSet
from botsieve.state.world import World

from tests.unit.rig import request

SHOP = Policy(name="shop", hosts=("shop.example",), mode="enforce", audience="browser", challenge_at=30, block_at=60)
API = Policy(name="api", paths=PathSet(("/api/",)))


def world() -> World:
    return World(b"secret" * 4)


@pytest.mark.parametrize("policies", [(), (SHOP,), (SHOP, API), (API, SHOP), (Policy(), SHOP)])
def test_the_policy_is_the_rulebook_s(policies: tuple[Policy, ...]) -> None:
    """For every host and path the one that the rulebook itself gives, and the same object each time."""
    book = Rulebook(policies=policies)
    applied = Applied(book, world())
    for host in (b"shop.example", b"other.example"):
        for path in (b"/", b"/api/x"):
            o = request(path.decode(), host=host)
            assert applied.here(o).policy is book.policy_for(o)
            assert applied.here(o) is applied.here(o)


def test_one_policy_for_all_is_known_beforehand() -> None:
    """Only a first policy without hosts and paths applies to every request."""
    assert Applied(Rulebook(policies=(Policy(), SHOP)), world()).only is not None
    assert Applied(Rulebook(policies=(SHOP, Policy())), world()).only is None
    assert Applied(Rulebook(policies=(API,)), world()).only is None


def test_what_a_decision_asks_for_is_the_policy_s() -> None:
    """Name, mode, audience, caps, rules and thresholds; a paused book is in monitor mode."""
    for paused, mode in ((False, "enforce"), (True, "monitor")):
        here = Applied(Rulebook(policies=(SHOP,), paused=paused), world()).here(request(host=b"shop.example"))
        assert (here.name, here.mode, here.audience) == ("shop", mode, "browser")
        assert (here.family_max, here.rules) == (SHOP.family_max, SHOP.rules)
        assert [here.verdict_of(score) for score in range(101)] == [SHOP.verdict_of(score) for score in range(101)]


@pytest.mark.parametrize("claims_browser", [False, True])
@pytest.mark.parametrize("behaviour", [False, True])
@pytest.mark.parametrize("time_judged", [False, True])
def test_each_kind_of_client_has_its_plan(claims_browser: bool, behaviour: bool, time_judged: bool) -> None:
    """The detectors of that kind, made once."""
    here = Applied(Rulebook(policies=(API,)), world()).here(request("/api/x"))
    kind = {"claims_browser": claims_browser, "behaviour": behaviour, "time_judged": time_judged}
    made, expected = here.plan(**kind), plan(API.detectors, API.audience, **kind)
    assert (made.of_request, made.of_state) == (expected.of_request, expected.of_state)
    assert here.plan(**kind) is made
    assert here.plan(**{**kind, "behaviour": not behaviour}) is not made


@pytest.mark.parametrize(
    ("allow", "admits"),
    [
        (Allowlist(), False),
        (Allowlist(networks=RangeSet.parse(["192.0.2.0/24"])), True),
        (Allowlist(listed=RangeSet.parse(["192.0.2.0/24"])), True),
        (Allowlist(headers=((b"x-key", (b"secret",)),)), True),
    ],
)
def test_an_empty_allowlist_is_not_asked(allow: Allowlist, admits: bool) -> None:
    """Networks, listed ones or headers: any of them is somebody."""
    assert Applied(Rulebook(allow=allow), world()).admits == admits
