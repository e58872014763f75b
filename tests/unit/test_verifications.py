"""verifications.py: what is believed of a claim, for how long, how patient it is, and that nothing grows."""

from __future__ import annotations

import pytest
from botsieve.observation import pack_address
from botsieve.verifications import (
    HELD,
    HELD_AGAIN_S,
    HELD_REQUESTS,
    MAX_ANSWERS,
    MAX_OPEN,
    MAX_OPEN_PER_NETWORK,
    REFUTED,
    UNKNOWN_S,
    UNVERIFIED,
    VERIFIED,
    Question,
    Verifications,
)
from hypothesis import given
from hypothesis import strategies as st

DOMAINS = ("crawler.example",)
ADDRESS = pack_address("203.0.113.7")
NOW_S = 1_800_000_000.0


class Book(Verifications):
    """A book with somebody who hears of questions."""

    __slots__ = ("heard",)

    def __init__(self, **settings: float) -> None:
        super().__init__(**settings)
        self.heard = 0
        self.on_question = self._hear

    def _hear(self) -> None:
        self.heard += 1

    def ask(self, at_s: float = 0.0, address: bytes = ADDRESS, name: str = "acme") -> str:
        return self.look(name, address, DOMAINS, NOW_S + at_s)

    def say(self, found: str, at_s: float = 0.0) -> Question:
        question = self.next_question()
        assert question is not None
        self.answer(question, found, NOW_S + at_s)
        return question


def test_without_anybody_who_answers_nobody_waits() -> None:
    """No DNS: unverified at once, nothing is kept."""
    book = Verifications()
    assert book.look("acme", ADDRESS, DOMAINS, NOW_S) == UNVERIFIED
    assert len(book) == 0
    assert book.next_question() is None


def test_one_question_for_many_requests() -> None:
    """The first request puts the question; the others find it open."""
    book = Book()
    assert [book.ask(n / 10) for n in range(5)] == [HELD] * 5
    assert book.heard == 1
    assert book.next_question() is not None
    assert book.next_question() is None


@pytest.mark.parametrize("found", [VERIFIED, REFUTED])
def test_an_answer_holds_for_its_time(found: str) -> None:
    """Both are believed, each as long as it is set; then it is asked anew."""
    book = Book(cache_s=100, negative_cache_s=100)
    book.ask()
    book.say(found, 1)
    assert [book.ask(at_s) for at_s in (1, 50, 100.9)] == [found] * 3
    assert book.ask(101.1) != found
    assert book.heard == 2


def test_each_has_its_own_time() -> None:
    """cache_s is for verified ones, negative_cache_s for lies."""
    book = Book(cache_s=100, negative_cache_s=10)
    other = pack_address("198.51.100.1")
    book.ask()
    book.ask(address=other)
    book.say(VERIFIED)
    book.say(REFUTED)
    assert book.ask(20) == VERIFIED
    assert book.ask(20, other) != REFUTED


def test_an_answer_is_renewed_before_it_ends() -> None:
    """A crawler that goes on crawling is verified without a gap."""
    book = Book(cache_s=100)
    book.ask()
    book.say(VERIFIED)
    assert (book.ask(89), book.heard) == (VERIFIED, 1)
    assert (book.ask(91), book.heard) == (VERIFIED, 2)
    assert (book.ask(92), book.heard) == (VERIFIED, 2)
    book.say(VERIFIED, 95)
    assert book.ask(180) == VERIFIED


def test_no_answer_leaves_what_was_known() -> None:
    """DNS that fails while an answer is renewed takes nothing away before its time."""
    book = Book(cache_s=100)
    book.ask()
    book.say(VERIFIED)
    book.ask(91)
    book.say(UNVERIFIED, 92)
    assert book.ask(99) == VERIFIED
    assert book.ask(101) != VERIFIED


def test_no_answer_is_no_lie_and_is_asked_again_soon() -> None:
    """Unverified for a minute, whatever the negative cache; never refuted."""
    book = Book()
    book.ask()
    book.say(UNVERIFIED)
    assert [book.ask(at_s) for at_s in (1, UNKNOWN_S * 0.8)] == [UNVERIFIED] * 2
    assert book.heard == 1
    book.ask(UNKNOWN_S + 1)
    assert book.heard == 2


def test_an_address_can_change_hands() -> None:
    """Verified once, refuted when it is asked again: refuted at once; and the other way round."""
    book = Book(cache_s=100, negative_cache_s=100)
    book.ask()
    book.say(VERIFIED)
    book.ask(91)
    book.say(REFUTED, 92)
    assert book.ask(93) == REFUTED
    book.ask(92 + 91)
    book.say(VERIFIED, 184)
    assert book.ask(185) == VERIFIED


def test_names_are_told_apart() -> None:
    """The same address is one crawler's and not another's."""
    book = Book()
    book.ask(name="acme")
    book.ask(name="other")
    book.say(VERIFIED)
    assert (book.ask(name="acme"), book.ask(name="other")) == (VERIFIED, HELD)


class TestPatience:
    def test_twenty_requests_of_a_client(self) -> None:
        """Then the claim's findings count, though the question is open."""
        book = Book()
        assert [book.ask(n / 100) for n in range(HELD_REQUESTS + 1)] == [HELD] * HELD_REQUESTS + [UNVERIFIED]

    def test_three_seconds_of_a_client(self) -> None:
        """However few requests there were."""
        book = Book()
        assert [book.ask(at_s) for at_s in (0, 3.0, 3.1)] == [HELD, HELD, UNVERIFIED]

    def test_twenty_requests_of_a_network(self) -> None:
        """Whoever changes his address within a /24 or a /48 has no more of it."""
        for template in ("203.0.113.{}", "2001:db8:1:{}::1"):
            book = Book()
            found = []
            for n in range(30):
                found.append(book.ask(n / 100, pack_address(template.format(n))))
                book.say(UNVERIFIED, n / 100)
            assert found == [HELD] * HELD_REQUESTS + [UNVERIFIED] * 10

    def test_three_seconds_of_a_network(self) -> None:
        """From its first claim on; anew after an hour."""
        book = Book()
        for number, at_s, wanted in ((1, 0.0, HELD), (2, 4.0, UNVERIFIED), (3, HELD_AGAIN_S + 1, HELD)):
            assert book.ask(at_s, pack_address(f"203.0.113.{number}")) == wanted
            book.say(UNVERIFIED, at_s)

    def test_a_crawlers_network_is_trusted_anew(self) -> None:
        """After one of its addresses was verified."""
        book = Book()
        book.ask()
        book.say(VERIFIED, 1)
        assert book.ask(100, pack_address("203.0.113.8")) == HELD


class TestBounds:
    def test_one_network_does_not_take_the_queue(self) -> None:
        """It has a few questions open at a time; others are asked beside it."""
        book = Book()
        for n in range(50):
            book.ask(address=pack_address(f"203.0.113.{n}"))
        assert book.heard == MAX_OPEN_PER_NETWORK
        assert book.counts["not_asked"] == 50 - MAX_OPEN_PER_NETWORK
        assert book.ask(address=pack_address("198.51.100.1")) == HELD

    def test_a_full_queue_is_unverified(self) -> None:
        """Nothing is kept of whom it has no room for; with room again he is asked about."""
        book = Book()
        addresses = [pack_address(f"10.{n // 256}.{n % 256}.1") for n in range(MAX_OPEN + 1)]
        found = [book.ask(address=address) for address in addresses]
        assert found == [HELD] * MAX_OPEN + [UNVERIFIED]
        held = len(book)
        assert book.ask(address=addresses[-1]) == UNVERIFIED
        assert len(book) == held
        book.say(REFUTED)
        assert book.ask(address=addresses[-1]) == HELD

    def test_rotating_prefixes(self) -> None:
        """Claims from 65,536 /64s of one /48, and from as many /48s, stay unverified or are refuted; the book stays small."""
        for shift in (64, 80):
            book = Book()
            words = set()
            for n in range(65_536):
                address = (0x20010DB8 << 96 | n << shift).to_bytes(16, "big")
                words.add(book.ask(n / 1000, address))
                if n % 7 == 0:
                    book.say(REFUTED if n % 2 else UNVERIFIED, n / 1000)
                assert len(book._open) <= MAX_OPEN
                assert len(book._queue) <= MAX_OPEN
            assert VERIFIED not in words
            assert len(book) <= 4 * MAX_ANSWERS + MAX_OPEN

    def test_a_flood_of_liars_pushes_out_no_crawler(self) -> None:
        """Verified ones are kept apart from what strangers can fill."""
        book = Book(cache_s=1e9, negative_cache_s=1e9)
        book.ask()
        book.say(VERIFIED)
        for n in range(3 * MAX_ANSWERS):
            book.ask(address=(0x20010DB8 << 96 | n << 80).to_bytes(16, "big"))
            book.say(REFUTED)
        assert book.ask() == VERIFIED


def test_a_changed_list_forgets() -> None:
    """What is open or known belongs to the old list; a late answer to an old question is not heard."""
    book = Book()
    book.ask()
    question = book.next_question()
    assert question is not None
    book.forget()
    assert len(book) == 0
    book.ask()
    book.answer(question, VERIFIED, NOW_S)
    assert book.ask() == HELD
    book.say(VERIFIED)
    assert book.ask() == VERIFIED


@given(
    st.lists(
        st.tuples(st.sampled_from(["ask", VERIFIED, REFUTED, UNVERIFIED]), st.integers(0, 3), st.floats(0, 90)), max_size=60
    )
)
def test_any_order(steps: list[tuple[str, int, float]]) -> None:
    """Whatever is asked and answered in whatever order: only an answer verifies or refutes, and every count goes back to nothing."""
    book = Book(cache_s=100, negative_cache_s=100)
    said: dict[bytes, set[str]] = {}
    at_s = 0.0
    for what, who, later_s in steps:
        at_s += later_s
        address = pack_address(f"203.0.113.{who}")
        if what == "ask":
            found = book.ask(at_s, address)
            assert found in {HELD, UNVERIFIED} | said.get(address, set())
        elif (question := book.next_question()) is not None:
            book.answer(question, what, NOW_S + at_s)
            said.setdefault(question.address, set()).add(what)
    while (question := book.next_question()) is not None:
        book.answer(question, UNVERIFIED, NOW_S + at_s)
    assert not book._open
    assert not book._networks
