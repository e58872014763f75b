"""botsieve.attacks.rulings, through the engine: who is answered, and who is left alone"""

from __future__ import annotations

import pytest
from botsieve.attacks.preventions import Whom
from botsieve.challenge.browser_facts import SUSPICIOUS, Fact
from botsieve.challenge.browsers import Browsers
from botsieve.policy import Allowlist, Rule, Rulebook
from botsieve.ranges import RangeSet

from tests.unit.attacks.surfers import strict, surf
from tests.unit.rig import START_S, Rig, enforcing, request


def test_the_allowlist_wins_over_a_running_prevention() -> None:
    """At once, and the prevention is still there for the rest."""
    rig = Rig(strict())
    assert surf(rig, 31).verdict == "block"
    rig.engine.rulebook = Rulebook(policies=(strict(),), allow=Allowlist(networks=RangeSet.parse(["203.0.113.7"])))
    decision = rig.ask("/contact", at_s=17.0)
    assert (decision.verdict, decision.rule, decision.violations) == ("allow", "allowlist", ())
    rig.engine.rulebook = Rulebook(policies=(strict(),))
    assert rig.ask("/contact", at_s=18.0).verdict == "block"


def test_a_prevention_wins_over_an_operators_rule() -> None:
    """And a stricter rule over nothing."""
    rule = Rule(name="friends", then="allow", paths=None, methods=frozenset([b"GET"]))
    assert surf(Rig(strict(rules=(rule,))), 31).rule == "prevention"
    hard = Rule(name="nobody", then="block", methods=frozenset([b"GET"]))
    assert surf(Rig(strict(rules=(hard,))), 31).rule == "rule.nobody"


def test_the_action_is_that_of_the_policy_of_the_moment() -> None:
    """A reload to alarm or ignore lifts what block began; a reload back puts it in force again."""
    rig = Rig(strict())
    surf(rig, 31)
    rig.engine.rulebook = Rulebook(policies=(enforcing(),))
    decision = rig.ask("/contact", at_s=17.0)
    assert (decision.verdict, len(decision.violations)) == ("allow", 1)
    rig.engine.rulebook = Rulebook(policies=(enforcing(thresholds={}),))
    assert rig.ask("/contact", at_s=18.0).violations == ()
    rig.engine.rulebook = Rulebook(policies=(strict(),))
    assert rig.ask("/contact", at_s=19.0).verdict == "block"


def test_another_policy_knows_nothing_of_it() -> None:
    """What was done on one site is answered there."""
    from botsieve.policy import PathSet

    rig = Rig(strict(name="blog", paths=PathSet(("/blog/",))), strict(name="shop"))
    assert surf(rig, 31).verdict == "block"
    assert rig.ask("/blog/today", at_s=17.0).verdict == "allow"


def test_neighbours_with_sessions_go_on() -> None:
    """Same address, same browser: the one who surfs without a cookie is stopped, who holds a session is not."""
    rig = Rig(strict(), cookies=True)
    person = {b"cookie": rig.session_cookie(number=5)}
    rig.ask("/", plus=person)
    assert surf(rig, 31, at_s=1.0).verdict == "block"
    assert rig.ask("/contact", plus=person, at_s=20.0).verdict == "allow"


def test_a_session_that_surfs_does_not_stop_the_next_visitor() -> None:
    """The address and the browser are nobody's doing."""
    rig = Rig(strict(), cookies=True)
    bot = {b"cookie": rig.session_cookie(number=5)}
    assert surf(rig, 31, plus=bot).verdict == "block"
    assert rig.ask("/", at_s=17.0).verdict == "allow"
    assert rig.ask("/two", at_s=18.0, plus={b"cookie": rig.session_cookie(opened_s=17.0, number=6)}).verdict == "allow"


def test_a_cookie_of_the_block_page_is_no_way_out() -> None:
    """A session that began while its client was refused is refused with it; one that began before is not."""
    rig = Rig(strict(), cookies=True)
    assert surf(rig, 31).verdict == "block"
    fresh = {b"cookie": rig.session_cookie(opened_s=16.0, number=9)}
    decision = rig.ask("/contact", at_s=17.0, plus=fresh)
    assert (decision.verdict, decision.rule, decision.violations[0].subject) == ("block", "prevention", "client")
    image = fresh | {b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image"}
    decision = rig.ask("/logo.png", at_s=17.5, plus=image)
    assert (decision.verdict, decision.violations) == ("block", ())
    older = {b"cookie": rig.session_cookie(opened_s=-10.0, number=10)}
    assert rig.ask("/contact", at_s=18.0, plus=older).verdict == "allow"
    assert rig.ask("/contact", at_s=200.0, plus=fresh).verdict == "allow"


def test_where_people_come_in_a_surfer_without_a_cookie_makes_it_a_challenge() -> None:
    """Newcomers of its browser and address are asked, not refused; who holds a session goes on."""
    rig = Rig(strict(), cookies=True)
    for number in range(4):
        rig.ask("/", at_s=number)
        rig.ask("/two", at_s=number + 0.5, plus={b"cookie": rig.session_cookie(opened_s=number, number=number + 1)})
    decision = surf(rig, 31, at_s=5.0)
    assert (decision.would_be, decision.rule, decision.level, decision.hold_s) == ("challenge", "prevention", "normal", 0)
    assert rig.ask("/three", at_s=21.0, plus={b"cookie": rig.session_cookie(number=1)}).would_be == "allow"
    cleared = {b"cookie": rig.clearance_cookie(request(), at_s=20.0)}
    assert rig.ask("/", at_s=22.0, plus=cleared).would_be == "allow"


def test_a_folded_network_is_answered_by_who_is_in_it() -> None:
    """Blocked where nobody has been a person; a challenge where people are; nothing for who has shown it."""
    rig = Rig(strict(), cookies=True)
    rig.engine.attacks.preventions.most = 3
    for number in range(5):
        surf(rig, 31, at_s=number * 16.0, client=f"203.0.113.{number + 10}")
    assert rig.engine.attacks.preventions.folded == 3
    assert rig.ask("/", at_s=90.0, client="203.0.113.99").would_be == "block"
    proven = {b"cookie": rig.session_cookie(opened_s=-2000.0, number=77)}
    rig.ask("/", at_s=-1900.0, client="203.0.113.50", plus=proven)
    rig.engine.session_idle_s = 1e6
    assert rig.ask("/", at_s=91.0, client="203.0.113.50", plus=proven).would_be == "allow"
    assert rig.ask("/", at_s=92.0, client="203.0.113.98").would_be == "challenge"
    assert rig.ask("/", at_s=93.0, client="198.51.100.1").would_be == "allow"


def test_people_who_are_there_side_by_side_make_a_block_a_challenge() -> None:
    """Each opens one page, whose parts come with the cookies of all of them in turns: a class that is told to open one link.

    Nobody loads a second page, so no session was seen to begin under the name; the first of the next class was blocked.
    """
    rig = Rig(strict(), cookies=True)
    style = {b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"style"}
    for number in range(130):
        rig.ask("/lesson", at_s=number * 0.1)
        if number >= 3:
            cookie = rig.session_cookie(opened_s=number * 0.1 - 0.3, number=number - 2)
            rig.ask("/lesson.css", plus={b"cookie": cookie, **style}, at_s=number * 0.1 + 0.05)
    decision = rig.ask("/lesson", at_s=14.0)
    assert (decision.verdict, decision.rule) == ("challenge", "prevention")
    assert decision.violations[0].subject == "client"
    late = {b"cookie": rig.session_cookie(opened_s=13.0, number=200)}
    assert rig.ask("/lesson/2", plus=late, at_s=15.0).verdict == "challenge"


@pytest.mark.parametrize(("challenge", "verdict"), [("pow", "challenge"), ("none", "allow")])
def test_without_challenges_nobody_is_blocked_for_a_neighbour(challenge: str, verdict: str) -> None:
    """A name that several share is asked, not refused; where nothing can be asked it passes, and is told all the same.

    What stood for a challenge was blocked instead, and with it whoever came next behind the address.
    """
    rig = Rig(strict(challenge=challenge), cookies=True)
    for number in range(3):
        rig.ask(f"/a{number}/x", at_s=number * 0.1)
        cookie = {b"cookie": rig.session_cookie(opened_s=number * 0.1, number=number + 1)}
        rig.ask(f"/b{number}/x", plus=cookie, at_s=number * 0.1 + 0.05)
    decision = surf(rig, 31, at_s=1.0)
    assert (decision.verdict, decision.hold_s) == (verdict, 0)
    assert [violation.detector for violation in decision.violations if violation.detail == ""] == ["surfing.rapid"]


def test_without_challenges_what_is_ones_own_is_blocked() -> None:
    """The client alone has crossed it, so nobody else is meant."""
    assert surf(Rig(strict(challenge="none")), 31).verdict == "block"


def test_a_part_of_a_page_is_not_blocked_where_the_page_is_challenged() -> None:
    """What is not counted, such as an image without a cookie, knew no neighbours: it was blocked, and held by nginx."""
    rig = Rig(strict(), cookies=True)
    for number in range(3):
        rig.ask(f"/a{number}/x", at_s=number * 0.1)
        cookie = {b"cookie": rig.session_cookie(opened_s=number * 0.1, number=number + 1)}
        rig.ask(f"/b{number}/x", plus=cookie, at_s=number * 0.1 + 0.05)
    assert surf(rig, 31, at_s=1.0).verdict == "challenge"
    image = rig.ask("/a.png", plus={b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image"}, at_s=17.0)
    assert (image.verdict, image.hold_s) == ("challenge", 0)


def test_a_folded_network_of_mild_preventions_is_challenged() -> None:
    """Automation marks are answered by a challenge at most, also when those of a network became one."""
    rig = Rig(strict(), cookies=True, max_preventions=2)
    policy, engine = rig.engine.rulebook.policies[0], rig.engine
    site = engine.world.site(policy.name)
    network_key = engine.world.hasher.key(site.tag + request().network)
    for number in range(3):
        one = Whom(policy.name, "device", number.to_bytes(8, "big"), request().client, network_key)
        fact = Fact(SUSPICIOUS, device=b"device-%d" % number, detail="webdriver+globals", points=120)
        engine.attacks.told(policy, one, None, fact, START_S)
    assert engine.attacks.preventions.folded == 2
    decision = rig.ask("/", at_s=1.0)
    assert (decision.verdict, decision.rule) == ("challenge", "prevention")


def test_an_identical_machine_is_not_blocked_for_its_neighbour() -> None:
    """Two machines of one make in one network share a fingerprint: who comes while the other is refused is asked, and is free.

    It was refused with it; so it could never report, which shows that there are two.
    """
    rig = Rig(strict(), cookies=True)
    browsers = rig.engine.browsers = Browsers(rig.engine.world.hasher)

    def reports(number: int, at_s: float, client: str, *, is_new: bool = True) -> None:
        key = browsers.key_of(request(client=client), "0" * 32)
        browsers.heard(key, b"s" + number.to_bytes(8, "big"), START_S + at_s, 7200.0, is_new=is_new)

    one, other = ({b"cookie": rig.session_cookie(opened_s=at_s, number=number)} for number, at_s in ((1, 0.0), (2, 20.0)))
    reports(1, 0.5, "203.0.113.7")
    decision = surf(rig, 32, at_s=1.0, plus=one, client="203.0.113.7")
    assert (decision.verdict, decision.violations[0].subject) == ("block", "device")
    rig.ask("/x/1", at_s=20.0, client="203.0.113.99")
    reports(2, 20.5, "203.0.113.99")
    assert rig.ask("/x/2", at_s=21.0, client="203.0.113.99", plus=other).verdict == "challenge"
    assert rig.ask("/x/2", at_s=21.5, client="203.0.113.7", plus=one).verdict == "block"
    reports(1, 22.0, "203.0.113.7", is_new=False)
    reports(2, 23.0, "203.0.113.99", is_new=False)
    assert rig.ask("/x/3", at_s=24.0, client="203.0.113.99", plus=other).verdict == "allow"


def test_a_block_that_lasts_is_not_softened_by_the_score() -> None:
    """Where the score alone would block, and so challenge first, a prevention that blocks does block: more findings are never milder."""
    by_score = {"challenge_at": 10, "block_at": 15}
    mild = [surf(Rig(strict(**by_score, thresholds={})), 35, every_s=0.14)]
    both = [surf(Rig(strict(**by_score)), 35, every_s=0.14)]
    assert [(one.verdict, one.score >= 15) for one in mild + both] == [("challenge", True), ("block", True)]
