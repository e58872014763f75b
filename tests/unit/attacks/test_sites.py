"""botsieve.attacks.sites"""

from __future__ import annotations

from botsieve.attacks.sites import Sites
from botsieve.state.profiles import Site


def test_each_site_has_facts_of_its_own() -> None:
    """By its tag: a reload makes new policies, and the same site goes on."""
    sites = Sites()
    shop = sites.facts(Site(b"shop|"))
    assert sites.facts(Site(b"shop|")) is shop
    assert sites.facts(Site(b"blog|")) is not shop
    assert sites.facts(Site(b"blog|")).usual.mean(0.0) == (0.0, 0)
