"""engine.py with verifications.py: what a claim to be a crawler comes to, before, with and without an answer of DNS."""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.crawlers import Crawlers, OwnCrawler
from botsieve.decision import Decision
from botsieve.policy import Allowlist, Rule, Rulebook
from botsieve.ranges import RangeSet
from botsieve.verifications import HELD_REQUESTS, REFUTED, UNVERIFIED, VERIFIED

from tests.unit.rig import START_S, TOOL, Rig, enforcing, found, points, request

YANDEX = {b"user-agent": b"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", b"accept": b"*/*"}
GOOGLE = {b"user-agent": b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", b"accept": b"*/*"}
PAGE_LOAD = {**YANDEX, b"accept": b"text/html", b"sec-fetch-mode": b"navigate", b"sec-fetch-dest": b"document"}
ACME = {b"user-agent": b"acme-search/2", b"accept": b"*/*"}
OWN = (OwnCrawler("acme", "acme-search", ("search.acme.example",)),)
BROWSERS = enforcing(audience="browser")


class Asked(Rig):
    """A rig whose questions are answered by the test."""

    def __init__(self, *policies: Any, **options: Any) -> None:
        super().__init__(*policies, **options)
        self.engine.verifications.on_question = lambda: None

    def say(self, answer: str, at_s: float = 0.0) -> None:
        """Answers every open question."""
        book = self.engine.verifications
        while (question := book.next_question()) is not None:
            book.answer(question, answer, START_S + at_s)

    def claim(self, answer: str, *, headers: dict[bytes, bytes] = YANDEX, **facts: Any) -> Decision:
        """The decision on a claim that was answered so."""
        self.ask(headers=headers, **facts)
        self.say(answer)
        return self.ask(headers=headers, at_s=10, **facts)


def test_verified_is_let_through() -> None:
    """As from a published range: rule `crawler`, nothing looked for, nothing counted."""
    rig = Asked(BROWSERS)
    decision = rig.claim(VERIFIED)
    assert (decision.verdict, decision.rule, decision.signals) == ("allow", "crawler", ())
    clients = len(rig.engine.world.clients)
    rig.ask(headers=YANDEX, at_s=11)
    assert len(rig.engine.world.clients) == clients


def test_its_neighbour_is_not() -> None:
    """It is the address that was verified, not its network; and for this crawler, not for another."""
    rig = Asked(BROWSERS)
    rig.claim(VERIFIED)
    assert rig.ask(headers=YANDEX, client="203.0.113.8", at_s=10).rule != "crawler"
    assert rig.ask(headers=GOOGLE, at_s=10).rule != "crawler"
    assert rig.ask(headers=TOOL, at_s=10).rule != "crawler"


@pytest.mark.parametrize("audience", ["browser", "mixed", "api"])
def test_a_lie_blocks(audience: str) -> None:
    """On every audience, by one finding that names the crawler."""
    decision = Asked(enforcing(audience=audience)).claim(REFUTED)
    assert (decision.verdict, decision.rule, decision.bot) == ("block", "threshold.block", True)
    assert "false_crawler:yandex.com-bots" in found(decision)


@pytest.mark.parametrize("block_at", [60, 80, 90, 100])
def test_a_lie_blocks_with_every_preset(block_at: int) -> None:
    """Strict, balanced, relaxed, and the most patient policy there can be."""
    assert Asked(enforcing(block_at=block_at)).claim(REFUTED).verdict == "block"


def test_a_liar_is_not_challenged_first() -> None:
    """A page load that reaches block is challenged once, for people; nobody is a person and a crawler."""
    decision = Asked(BROWSERS).claim(REFUTED, headers=PAGE_LOAD)
    assert (decision.verdict, decision.level) == ("block", "")


def test_a_liar_is_refused_what_programs_may_read() -> None:
    """It is free for who says who it is."""
    assert Asked(BROWSERS).claim(REFUTED, uri="/robots.txt").verdict == "block"
    assert Asked(BROWSERS).claim(UNVERIFIED, uri="/robots.txt").verdict == "allow"


def test_what_the_operator_says_stands_above_it() -> None:
    """The exception list, a rule that allows, and a finding that is switched off."""
    rule = Rule(name="test", then="allow", networks=RangeSet.parse(["203.0.113.7"]))
    assert Asked(enforcing(rules=(rule,))).claim(REFUTED).rule == "rule.test"
    book = Rulebook(policies=(BROWSERS,), allow=Allowlist(networks=RangeSet.parse(["203.0.113.7"])))
    listed = Asked(book=book)
    assert listed.claim(REFUTED).rule == "allowlist"
    assert listed.engine.verifications.next_question() is None
    assert Asked(enforcing(detectors=points("claim.false_crawler", 0))).claim(REFUTED).verdict == "allow"


def test_monitor_only_says_it() -> None:
    """In mode monitor the answer is allow, and what enforcing would do is told."""
    decision = Asked(enforcing(mode="monitor")).claim(REFUTED)
    assert (decision.verdict, decision.would_be) == ("allow", "block")


def test_no_answer_is_no_lie() -> None:
    """Unverified: exactly what a name is worth without DNS."""
    for audience in ("browser", "mixed", "api"):
        without = Rig(enforcing(audience=audience)).ask(headers=YANDEX)
        decision = Asked(enforcing(audience=audience)).claim(UNVERIFIED)
        assert found(decision) == found(without)
        assert not found(decision, "claim.false_crawler")


def test_while_it_is_asked_the_claim_costs_nothing() -> None:
    """What rests on the request alone is held back, for so many requests of a client; then it counts."""
    rig = Asked(BROWSERS)
    decisions = [rig.ask(headers=YANDEX) for _ in range(HELD_REQUESTS + 1)]
    assert all(decision.score == 0 for decision in decisions[:-1])
    assert found(decisions[-1]) == ["no_accept_language", "no_accept_encoding"]
    slow = Asked(BROWSERS)
    assert [slow.ask(headers=YANDEX, at_s=at_s).score for at_s in (0, 3.0, 3.1)] == [0, 0, 35]


def test_behaviour_counts_always() -> None:
    """Item after item is found while the question is open."""
    rig = Asked(BROWSERS)
    decisions = [rig.ask(f"/items/{n}", headers=YANDEX, at_s=n * n * 0.06) for n in range(1, 8)]
    assert found(decisions[-1]) == ["url_pattern:30"]


def test_published_ranges_decide_at_once() -> None:
    """No question is put for an address that is inside, nor for a crawler that has no domain."""
    rig = Asked(BROWSERS)
    assert rig.ask(headers=GOOGLE, client="66.249.66.1").rule == "crawler"
    gpt = {b"user-agent": b"Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)"}
    assert rig.ask(headers=gpt).score == Rig(BROWSERS).ask(headers=gpt).score
    assert rig.engine.verifications.next_question() is None


def test_no_decision_asks_anybody_for_people() -> None:
    """Only who names a crawler is asked about."""
    rig = Asked()
    rig.ask()
    rig.ask(headers=TOOL)
    assert len(rig.engine.verifications) == 0


def test_one_list_for_all_policies() -> None:
    """Verified on one site is verified on all."""
    rig = Asked(enforcing(name="a", hosts=("a.example",)), enforcing(name="b", hosts=("b.example",), audience="browser"))
    rig.claim(VERIFIED, host=b"a.example")
    assert rig.ask(headers=YANDEX, host=b"b.example", at_s=10).rule == "crawler"


def test_a_request_asked_about_twice_is_one_claim() -> None:
    """nginx asks twice on internal redirects: it does not use up the patience."""
    rig = Asked(BROWSERS)
    for n in range(HELD_REQUESTS):
        o = request(headers=YANDEX, request_id=b"id%d" % n)
        assert rig.decide(o) is rig.decide(o)
    assert rig.ask(headers=YANDEX).score == 35


def test_rotating_prefixes_stay_unverified() -> None:
    """Googlebot from the /64s of one /48: never let through as a crawler, and the book stays small (all 65,536: the book's test)."""
    rig = Asked(BROWSERS, max_bytes=8 * 1024 * 1024)
    for n in range(0, 65_536, 32):
        decision = rig.ask(headers=GOOGLE, client=f"2001:db8:1:{n:x}::1", at_s=n / 1000)
        assert decision.rule != "crawler"
    assert len(rig.engine.verifications) <= 20


class TestOwn:
    def book(self, own: tuple[OwnCrawler, ...]) -> Rulebook:
        return Rulebook(policies=(BROWSERS,), crawlers=Crawlers.builtin().with_own(own))

    def test_the_sites_own_crawler(self) -> None:
        """One entry: a name, a text of the User-Agent, a domain."""
        rig = Asked(book=self.book(OWN))
        assert rig.claim(VERIFIED, headers=ACME).rule == "crawler"
        assert found(Asked(book=self.book(OWN)).claim(REFUTED, headers=ACME))[0] == "false_crawler:acme"

    def test_a_reload_applies_it(self) -> None:
        """From the next request on; taken out again it is nobody."""
        rig = Asked(BROWSERS)
        assert rig.claim(VERIFIED, headers=ACME).rule != "crawler"
        rig.engine.rulebook = self.book(OWN)
        rig.ask(headers=ACME, at_s=20)
        rig.say(VERIFIED, 20)
        assert rig.ask(headers=ACME, at_s=21).rule == "crawler"
        rig.engine.rulebook = Rulebook(policies=(BROWSERS,))
        assert rig.ask(headers=ACME, at_s=22).rule != "crawler"

    def test_another_domain_asks_anew(self) -> None:
        """What was refuted with a wrong domain is not a lie with the right one."""
        rig = Asked(book=self.book((OwnCrawler("acme", "acme-search", ("wrong.example",)),)))
        assert rig.claim(REFUTED, headers=ACME).verdict == "block"
        rig.engine.rulebook = self.book(OWN)
        assert rig.ask(headers=ACME, at_s=11).verdict != "block"

    def test_a_reload_of_the_same_entries_keeps_what_is_known(self) -> None:
        """Crawlers are not asked about again because something else was changed."""
        rig = Asked(book=self.book(OWN))
        rig.claim(VERIFIED, headers=ACME)
        rig.engine.rulebook = self.book(OWN)
        assert rig.ask(headers=ACME, at_s=11).rule == "crawler"
