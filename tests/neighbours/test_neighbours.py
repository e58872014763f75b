"""Nobody is punished for a neighbour: people and a bot behind one address, and what a stranger can make others pay"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.neighbours.crowd import ADDRESS, Site, Visitor, browser, people, visits
from tests.transports.edge_harness import START_S
from tests.unit.rig import CALL

PEOPLE = 500
BOTS: dict[str, Callable[[], Visitor]] = {
    "of a browser of its own": lambda: Visitor(browser(149), solves=False),
    "of most people's browser": lambda: Visitor(browser(156), solves=False),
    "of most people's browser, without cookies": lambda: Visitor(browser(156), solves=False, keeps=False),
}


def item_after_item(bot: Visitor, draw: random.Random) -> list[tuple[float, Visitor, str]]:
    """600 items in ten minutes, at random intervals and in no order."""
    at_s, found = 60.0, []
    for item in draw.sample(range(30_000, 40_000), 600):
        at_s += draw.uniform(0.5, 1.5)
        found.append((at_s, bot, f"/items/{item}"))
    return found


@pytest.mark.parametrize("within_s", [600.0, 3600.0])
@pytest.mark.parametrize("bot", BOTS)
def test_five_hundred_people_and_one_bot(bot: str, within_s: float) -> None:
    """The bot is caught; nobody is blocked, and one in a hundred is challenged at most."""
    draw, site = random.Random(3), Site()
    crowd, scraper = people(PEOPLE, draw), BOTS[bot]()
    events = [*visits(crowd, draw, within_s), *item_after_item(scraper, draw)]
    for at_s, who, uri in sorted(events, key=lambda event: event[0]):
        site.ask(who, uri, at_s)
    assert sum(one.met.blocked > 0 for one in crowd) == 0
    assert sum(one.met.challenged > 0 for one in crowd) <= PEOPLE / 100
    refused = scraper.met.challenged + scraper.met.blocked
    assert refused >= 400, "of 600"
    assert scraper.verdicts[100:].count("allow") < 100


def test_a_borrowed_fingerprint_costs_nobody_points() -> None:
    """An attacker with Chrome's TLS hello and headers from forty networks; people with the real one elsewhere."""
    draw, site = random.Random(5), Site()
    attackers = [Visitor(browser(156), client=f"192.0.{n}.7", solves=False, keeps=False) for n in range(40)]
    crowd = people(100, draw, client="198.51.100.7")
    for number, person in enumerate(crowd):
        person.client = person.client[:15] + bytes([number])
    events = [(n * 0.1, attackers[n % 40], f"/items/{n}") for n in range(6_000)] + list(visits(crowd, draw, 600.0))
    scores = []
    for at_s, who, uri in sorted(events, key=lambda event: event[0]):
        decision = site.ask(who, uri, at_s)
        if who not in attackers:
            scores.append(decision.score)
    assert max(scores) == 0
    assert sum(one.met.challenged + one.met.blocked > 0 for one in attackers) == 40


def test_a_foreign_page_full_of_images_costs_its_visitors_nothing() -> None:
    """Somebody's page loads five hundred of our addresses in each visitor's browser; then they come themselves."""
    site = Site()
    for number in range(20):
        visitor = Visitor(browser(156), client=f"198.51.100.{number}")
        site.ask(visitor, "/", number)
        for n in range(500):
            kind = {"sec_fetch_mode": b"no-cors", "sec_fetch_dest": b"image", "sec_fetch_site": b"cross-site"}
            site.ask(visitor, f"/items/{n}", number + 1 + n / 100, **kind)
        decision = site.ask(visitor, "/items/7", number + 20)
        assert (decision.verdict, decision.score, decision.violations) == ("allow", 0, ())


def test_a_flood_without_cookies_moves_no_baseline() -> None:
    """What is usual on the site is the same after 20,000 openings whose sessions never came back, from one address or from many."""
    draw = random.Random(7)
    for flood in (1, 250):
        quiet, loud = Site(), Site()
        crowd = {site: people(100, random.Random(1)) for site in (quiet, loud)}
        for site, known in crowd.items():
            for at_s, who, uri in visits(known, random.Random(2), 900.0):
                site.ask(who, uri, at_s)
        for n in range(20_000 // (5 if flood > 1 else 1)):
            bot = Visitor(browser(140), client=f"192.0.2.{n % flood}", solves=False, keeps=False)
            loud.ask(bot, "/", 900 + n / 200 + draw.random())
        assert usual(quiet, 1100.0) == usual(loud, 1100.0)
        assert usual(loud, 1100.0)[0] is not None


def usual(site: Site, at_s: float) -> tuple[float | None, tuple[float, int]]:
    """Openings a second of an address, and transactions a session, as this site knows them."""
    attacks = site.engine.attacks
    policy = site.engine.rulebook.policies[0]
    settings = attacks.watched(policy).opening
    assert settings is not None
    known = site.engine.world.site(policy.name)
    counted = attacks.openings._counted(known, settings)
    return counted.usual.per_s(START_S + at_s, settings), attacks._sites.facts(known).usual.mean(START_S + at_s)


def test_a_session_of_a_cache_is_noticed_and_costs_nobody() -> None:
    """A CDN stores one answer with its cookie: three hundred people of thirty networks send the same session."""
    site = Site()
    first = Visitor(browser(156), client="198.51.99.7")
    site.ask(first, "/", 0.0)
    given = [Visitor(browser(156), client=f"198.51.{n % 30}.{n // 30}") for n in range(300)]
    for turn in range(6):
        for n, who in enumerate(given):
            who.session = first.session  # the cache gives it again
            decision = site.ask(who, f"/items/{n * 7 + turn}", 5.0 + turn * 40 + n / 10)
            assert decision.verdict == "allow", (turn, n, decision)
    (told,) = site.engine.attacks.openings.visits.news
    assert (told.policy, told.networks, told.opened_s) == ("shop", 9, int(START_S))


def test_a_scraper_that_changes_sessions_stays_one() -> None:
    """It opens a session every five requests, one after the other, alone or beside a neighbour who reads."""
    for neighbour in (False, True):
        site, bot = Site(), Visitor(browser(156), solves=False)
        reader = Visitor(browser(155), client=ADDRESS)
        for n in range(400):
            if n % 5 == 0:
                bot.session = b""
            site.ask(bot, f"/items/{n * 13}", n * 1.1)
            if neighbour and n % 20 == 0:
                site.ask(reader, f"/items/{n}", n * 1.1 + 0.3)
        assert bot.verdicts[150:].count("allow") == 0
        assert reader.met.challenged == reader.met.blocked == 0


def test_data_calls_of_neighbours_are_their_own() -> None:
    """Thirty single-page apps behind one address, each with its session: none is another's."""
    draw, site = random.Random(9), Site()
    crowd = [Visitor(browser(156)) for _ in range(30)]
    call = {name.decode().replace("-", "_"): value for name, value in CALL.items() if name != b"user-agent"}
    for who in crowd:
        site.ask(who, "/", draw.uniform(0, 3))
    for n in range(1_500):
        site.ask(crowd[n % 30], f"/api/orders/{draw.randrange(5_000)}", 4 + n * 0.2, **call)
    assert sum(who.met.challenged + who.met.blocked for who in crowd) == 0
