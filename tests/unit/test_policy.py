"""policy.py: which policy applies, which paths and rules match, who is always let through."""

from __future__ import annotations

from typing import Any

import pytest
import re2
from botsieve.decision import Signal
from botsieve.observation import pack_address
from botsieve.policy import Allowlist, Origin, PathSet, Policy, Rule, Rulebook
from botsieve.ranges import RangeSet
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rig import request


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("/api/", [b"/api/", b"/api/x", b"/api/x/y"], [b"/api", b"/apis", b"/x/api/"]),
        ("/login", [b"/login"], [b"/login/", b"/login/x", b"/logins"]),
        ("/", [b"/"], [b"/x"]),
        ("/a/*/b", [b"/a/x/b"], [b"/a/b", b"/a/x/y/b", b"/a/x/b/", b"/a//b"]),
        ("/a/*", [b"/a/x"], [b"/a/", b"/a", b"/a/x/y"]),
        ("/a/*/", [b"/a/x/", b"/a/x/y/z"], [b"/a/x", b"/a/"]),
        ("/é/", ["/é/x".encode()], [b"/e/x"]),
    ],
)
def test_paths(text: str, inside: list[bytes], outside: list[bytes]) -> None:
    """A final slash means everything below, a star one segment, anything else exactly."""
    paths = PathSet((text,))
    assert [path for path in inside if path not in paths] == []
    assert [path for path in outside if path in paths] == []
    assert paths.any_path is False


@given(st.binary(max_size=40))
def test_no_path_matches_an_empty_list(path: bytes) -> None:
    """An empty list says `any_path`, and holds nothing by itself."""
    assert PathSet().any_path
    assert path not in PathSet()


@pytest.mark.parametrize(
    ("hosts", "host", "matches"),
    [
        ((), b"anything", True),
        (("shop.example",), b"shop.example", True),
        (("shop.example",), b"www.shop.example", False),
        (("*.shop.example",), b"www.shop.example", True),
        (("*.shop.example",), b"a.b.shop.example", True),
        (("*.shop.example",), b"shop.example", False),
        (("*.shop.example",), b".shop.example", False),
        (("*.shop.example",), b"evilshop.example", False),
        (("shop.example",), b"\xff", False),
    ],
)
def test_hosts(hosts: tuple[str, ...], host: bytes, matches: bool) -> None:
    """Exact names, or every name below one."""
    assert Policy(hosts=hosts).matches_host(host) is matches


def test_the_first_policy_that_matches_applies() -> None:
    """Host and path both; what none matches is judged by the packaged policy."""
    api = Policy(name="api", paths=PathSet(("/api/",)))
    shop = Policy(name="shop", hosts=("shop.example",))
    book = Rulebook(policies=(api, shop))
    assert book.policy_for(request("/api/x", host=b"other.example")) is api
    assert book.policy_for(request("/x")) is shop
    assert book.policy_for(request("/x", host=b"other.example")).name == "default"
    assert book.policy_for(request("/x/%2e%2e/api/x?/y", host=b"other.example")) is api


@given(st.integers(0, 100), st.integers(1, 100), st.integers(1, 100))
def test_thresholds(score: int, challenge_at: int, block_at: int) -> None:
    """From block_at block, from challenge_at challenge, below allow."""
    verdict = Policy(challenge_at=challenge_at, block_at=block_at).verdict_of(score)
    expected = "block" if score >= block_at else "challenge" if score >= challenge_at else "allow"
    assert verdict == expected


SIGNALS = (Signal("traversal.url_pattern", 30),)


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({}, True),
        ({"networks": RangeSet.parse(["203.0.113.0/24"])}, True),
        ({"networks": RangeSet.parse(["198.51.100.0/24"])}, False),
        ({"paths": PathSet(("/items/",))}, True),
        ({"paths": PathSet(("/export/",))}, False),
        ({"methods": frozenset([b"GET", b"HEAD"])}, True),
        ({"methods": frozenset([b"POST"])}, False),
        ({"headers": ((b"x-partner", re2.compile(rb"^ac.e$")),)}, True),
        ({"headers": ((b"x-partner", re2.compile(rb"^acme2$")),)}, False),
        ({"headers": ((b"x-absent", re2.compile(rb"")),)}, False),
        ({"signal": "traversal.url_pattern"}, True),
        ({"signal": "traversal.volume"}, False),
        ({"score_from": 60}, True),
        ({"score_from": 61}, False),
        ({"signal": "traversal.url_pattern", "score_from": 61}, False),
    ],
)
def test_a_rule_holds_when_every_condition_does(conditions: dict[str, Any], holds: bool) -> None:
    """All that is given must hold; what is not given is not asked."""
    o = request("/items/17", plus={b"x-partner": b"acme"})
    assert Rule(name="r", then="allow", **conditions).holds(o, SIGNALS, 60) is holds


class Atlas:
    """What is known of two addresses; `asked`: how often."""

    def __init__(self) -> None:
        self.asked = 0

    def asn_of(self, address: bytes) -> int | None:
        self.asked += 1
        return {pack_address("203.0.113.7"): 64500}.get(address)

    def country_of(self, address: bytes) -> str | None:
        self.asked += 1
        return {pack_address("203.0.113.7"): "DE"}.get(address)


@pytest.mark.parametrize(
    ("origin", "holds"),
    [
        (Origin(asns=frozenset([64500, 1])), True),
        (Origin(asns=frozenset([1])), False),
        (Origin(countries=frozenset(["DE"])), True),
        (Origin(countries=frozenset(["AT"])), False),
        (Origin(asns=frozenset([64500]), countries=frozenset(["DE", "AT"])), True),
        (Origin(asns=frozenset([1]), countries=frozenset(["DE"])), False),
        (Origin(asns=frozenset([64500]), countries=frozenset(["AT"])), False),
    ],
)
def test_a_rule_by_origin(origin: Origin, holds: bool) -> None:
    """Country and network, both if both are given; an address that is not known, and no database at all, match nothing."""
    rule = Rule(name="r", then="block", origin=origin)
    book = Rulebook(policies=(Policy(rules=(rule,)),)).located(Atlas())
    (located,) = book.policies[0].rules
    assert located.holds(request("/"), (), 0) is holds
    assert not located.holds(request("/", client="198.51.100.1"), (), 0)
    assert not rule.holds(request("/"), (), 0)


def test_nothing_is_looked_up_that_nobody_asks() -> None:
    """Rules without an origin leave the rulebook as it is; one that fails on another condition asks nothing."""
    plain = Rulebook(policies=(Policy(rules=(Rule(name="r", then="block"),)),))
    assert plain.located(Atlas()) is plain
    assert not plain.asks_where
    atlas = Atlas()
    origin = Origin(asns=frozenset([64500]), countries=frozenset(["DE"]))
    rule = Rule(name="r", then="block", origin=origin, methods=frozenset([b"POST"]), headers=((b"x-a", re2.compile(rb"a")),))
    book = Rulebook(policies=(Policy(rules=(rule,)),)).located(atlas)
    assert book.asks_where
    assert not book.policies[0].rules[0].holds(request("/"), (), 0)
    assert atlas.asked == 0


def test_the_allowlist() -> None:
    """By address or by a header's secret, compared whole."""
    allow = Allowlist(networks=RangeSet.parse(["203.0.113.0/24"]), headers=((b"x-key", (b"one", b"two")),))
    assert allow.admits(request())
    assert not allow.admits(request(client="198.51.100.1"))
    assert allow.admits(request(client="198.51.100.1", plus={b"x-key": b"two"}))
    assert not allow.admits(request(client="198.51.100.1", plus={b"x-key": b"tw"}))
    assert not allow.admits(request(client="198.51.100.1", plus={b"x-key": b"one,two"}))
    assert not Allowlist().admits(request())
