"""verdict.py: what is never challenged, since nobody could answer there."""

from __future__ import annotations

import pytest
from botsieve.policy import PathSet, Rule

from tests.unit.rig import PAGE, Rig, enforcing
from tests.unit.test_verdict import NOBODY


@pytest.mark.parametrize("uri", ["/robots.txt", "/favicon.ico", "/.well-known/acme-challenge/x", "/x/../robots.txt"])
def test_paths(uri: str) -> None:
    """What machines must be able to read."""
    rig = Rig(enforcing(audience="browser"))
    assert rig.ask(uri, headers=NOBODY).verdict == "allow"
    assert rig.ask(uri + "x" if uri != "/.well-known/acme-challenge/x" else "/.well-knownx", headers=NOBODY).verdict != "allow"


@pytest.mark.parametrize("uri", ["/robots.txt", "/.well-known/acme-challenge/x", "/.well-known/assetlinks.json?x=1"])
def test_what_programs_are_meant_to_read_is_not_refused_by_a_score(uri: str) -> None:
    """A certificate is renewed whatever the authority's program looks like, and whatever the operator's own list is."""
    for policy in (
        enforcing(audience="browser", block_at=70),
        enforcing(audience="browser", never_challenge=PathSet(("/x",))),
    ):
        rig = Rig(policy)
        authority = {b"user-agent": b"Mozilla/5.0 (compatible; Let's Encrypt validation server; +https://www.letsencrypt.org)"}
        for headers in (authority, {}):
            assert rig.ask("/p", headers=headers).verdict != "allow"
            assert {rig.ask(uri, headers=headers, method=method).verdict for method in (b"GET", b"HEAD")} == {"allow"}


def test_all_else_refuses_there_as_anywhere() -> None:
    """A rule, another method, and a path that somebody may read in another way."""
    uri = "/.well-known/acme-challenge/x"
    rig = Rig(enforcing(audience="browser", block_at=70))
    assert rig.ask(uri, headers={}, method=b"POST").verdict == "block"
    assert rig.ask("/.well-known/..;/items/17", headers={}).verdict == "block"
    rule = Rule(name="none", then="block", paths=PathSet(("/.well-known/",)))
    assert Rig(enforcing(audience="browser", rules=(rule,))).ask(uri, headers=dict(PAGE)).verdict == "block"


def test_preflights_and_options() -> None:
    """A browser cannot answer there."""
    rig = Rig(enforcing(audience="browser", challenge_at=40))
    preflight = {b"access-control-request-method": b"PUT"}
    assert rig.ask("/api", headers=preflight, method=b"OPTIONS").verdict == "allow"
    assert rig.ask("/api", headers={}, method=b"OPTIONS").verdict == "allow"


def test_a_web_socket_with_one_of_our_cookies() -> None:
    """Its page was judged; without a valid cookie it is a request like any other."""
    rig = Rig(enforcing(audience="browser", challenge_at=40), cookies=True)
    upgrade = {b"upgrade": b"websocket"}
    assert rig.ask("/live", headers={**upgrade, b"cookie": rig.session_cookie()}, at_s=1).verdict == "allow"
    assert rig.ask("/live", headers={**upgrade, b"cookie": b"__Host-botsieve_s=forged"}, at_s=1).verdict == "challenge"
    assert rig.ask("/live", headers=upgrade, at_s=1).verdict == "challenge"
