"""lookups/crawler_lookups.py: questions of the book are answered in the background, within bounds, and nobody waits."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import dns.flags
import dns.message
import pytest
from botsieve.config.settings import DnsSettings
from botsieve.lookups.crawler_lookups import RATE_PER_S, CrawlerLookups
from botsieve.lookups.dns_client import Server
from botsieve.observation import pack_address
from botsieve.verifications import HELD, MAX_OPEN, REFUTED, UNVERIFIED, VERIFIED, Verifications

from tests.lookups.dns_servers import Dnsmasq, Scripted, zone
from tests.pace import own_heap

DOMAINS = ("bot.example",)
TRUE, FALSE = pack_address("203.0.113.1"), pack_address("203.0.113.2")
ZONE = zone(
    {
        ("1.113.0.203.in-addr.arpa.", "PTR"): ["crawl-1.bot.example."],
        ("crawl-1.bot.example.", "A"): ["203.0.113.1"],
        ("bot.example.", "SOA"): ["ns.bot.example. x.bot.example. 1 2 3 4 5"],
    }
)


class Told(list[str]):
    def __call__(self, event: str, **keys: object) -> None:
        self.append(event)


class Case:
    """A book and its lookups on a running loop."""

    def __init__(self, settings: DnsSettings) -> None:
        self.book = Verifications()
        self.told = Told()
        self.lookups = CrawlerLookups(self.book, time.monotonic, self.told)
        self.lookups.start(settings)

    def look(self, address: bytes, name: str = "acme") -> str:
        return self.book.look(name, address, DOMAINS, time.monotonic())

    async def settled(self, address: bytes) -> str:
        """What a claim comes to once it was answered."""
        found = self.look(address)
        await until(lambda: all(key[1] != address for key in self.book._open))
        return self.look(address) if found == HELD else found


async def until(said: Callable[[], bool]) -> None:
    """Returns as soon as it is so."""
    async with asyncio.timeout(60):
        while not said():
            await asyncio.sleep(0.01)


def run(settings: DnsSettings, work: Callable[[Case], Awaitable[None]]) -> None:
    async def main() -> None:
        case = Case(settings)
        try:
            await work(case)
        finally:
            await case.lookups.close()
        assert case.lookups.in_flight == 0
        assert case.look(pack_address("192.0.2.1")) == UNVERIFIED, "nobody answers any more"

    asyncio.run(main())


@pytest.fixture
def silent() -> Iterator[Server]:
    """A port where somebody listens and never answers."""
    with socket.socket(type=socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()


def test_from_claim_to_answer(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first request finds nothing; soon the crawler is verified and the liar refuted, by a real server."""
    lines = ["ptr-record=1.113.0.203.in-addr.arpa,crawl-1.bot.example", "host-record=crawl-1.bot.example,203.0.113.1"]

    async def work(case: Case) -> None:
        assert [case.look(TRUE), case.look(FALSE)] == [HELD, HELD]
        assert await case.settled(TRUE) == VERIFIED
        assert await case.settled(FALSE) == REFUTED
        assert case.book.counts == {"verified": 1, "refuted": 1, "unanswered": 0, "not_asked": 0}

    with Dnsmasq(tmp_path_factory.mktemp("dns"), lines, ("bot.example",)) as server:
        run(DnsSettings(servers=(server.server,), timeout_ms=20_000), work)


def test_answers_are_kept() -> None:
    """A second claim of the same client asks nobody; a crawler's domain is looked for once."""

    async def work(case: Case) -> None:
        case.look(FALSE)
        await case.settled(FALSE)
        before = server.asked
        assert case.look(FALSE) == REFUTED
        case.look(pack_address("203.0.113.3"))
        await case.settled(pack_address("203.0.113.3"))
        assert server.asked == before + 1, "its PTR; the domain is known"

    with Scripted(ZONE) as server:
        run(DnsSettings(servers=(server.server,), timeout_ms=20_000), work)


def test_at_most_so_many_at_one_time(silent: Server) -> None:
    """A DNS that hangs has so many questions and no more; the rest waits in a queue that is full at its bound."""

    async def work(case: Case) -> None:
        for n in range(2 * MAX_OPEN):
            case.look(pack_address(f"10.{n // 256}.{n % 256}.1"))
        await until(lambda: case.lookups.in_flight == 4)
        for _ in range(20):
            await asyncio.sleep(0.01)
            assert case.lookups.in_flight <= 4
        assert len(case.book._open) == MAX_OPEN
        assert case.book.counts["not_asked"] == MAX_OPEN

    run(DnsSettings(servers=(silent,), timeout_ms=60_000, max_in_flight=4), work)


def test_so_many_in_a_second() -> None:
    """A resolver is not flooded because somebody floods us."""

    async def work(case: Case) -> None:
        for n in range(MAX_OPEN):
            case.look(pack_address(f"10.{n // 256}.{n % 256}.1"))
        began = time.monotonic()
        while (taken := MAX_OPEN - len(case.book._queue)) < 5 or time.monotonic() - began < 0.5:
            await asyncio.sleep(0.01)
        assert taken <= (time.monotonic() - began) * RATE_PER_S + 2

    with Scripted(ZONE) as server:
        run(DnsSettings(servers=(server.server,), timeout_ms=20_000, max_in_flight=256), work)


def test_hanging_dns_gives_the_slot_back(silent: Server) -> None:
    """After its time a question is unanswered: no lie, and the next one is asked."""

    async def work(case: Case) -> None:
        case.look(TRUE)
        case.look(FALSE)
        assert await case.settled(TRUE) == UNVERIFIED
        assert await case.settled(FALSE) == UNVERIFIED
        assert case.book.counts["unanswered"] == 2

    run(DnsSettings(servers=(silent,), timeout_ms=50, max_in_flight=1), work)


def test_without_dns_every_claim_is_unverified() -> None:
    """`max_in_flight: 0` asks nobody, and nothing is held back for an answer that never comes."""

    async def work(case: Case) -> None:
        assert case.look(TRUE) == UNVERIFIED
        assert len(case.book) == 0
        assert case.told == []

    run(DnsSettings(servers=(("127.0.0.1", 9),), max_in_flight=0), work)


def test_other_settings_take_effect_at_once(silent: Server) -> None:
    """A reload: other servers and times for what is asked from now on; what is under way ends as it began."""

    async def work(case: Case) -> None:
        case.look(TRUE)
        await until(lambda: case.lookups.in_flight == 1)
        with Scripted(ZONE) as server:
            case.lookups.apply(DnsSettings(servers=(server.server,), timeout_ms=20_000, negative_cache_s=77))
            assert await case.settled(FALSE) == REFUTED
            assert case.book.negative_cache_s == 77
        case.lookups.apply(DnsSettings(max_in_flight=0))
        assert case.look(pack_address("192.0.2.9")) == UNVERIFIED
        assert case.look(FALSE) == UNVERIFIED, "what was known is not used either"

    run(DnsSettings(servers=(silent,), timeout_ms=5000), work)


def test_nothing_of_it_holds_the_loop(silent: Server) -> None:
    """With hanging DNS and a full queue the loop goes on: its longest pause is a few milliseconds."""

    async def work(case: Case) -> None:
        for n in range(2 * MAX_OPEN):
            case.look(pack_address(f"10.{n // 256}.{n % 256}.1"))
        pauses = []
        for _ in range(300):
            began = time.thread_time()
            await asyncio.sleep(0)
            pauses.append(time.thread_time() - began)
            await asyncio.sleep(0.001)
        assert max(pauses) < 0.02

    with own_heap():
        run(DnsSettings(servers=(silent,), timeout_ms=100), work)


def test_a_mistake_of_ours_is_told(silent: Server) -> None:
    """Whatever goes wrong inside is an answer too, and is in the log."""

    async def work(case: Case) -> None:
        case.book.look("acme", TRUE, ("a..b",), time.monotonic())
        await until(lambda: not case.book._open)
        assert case.told == ["lookup_failed"]

    run(DnsSettings(servers=(silent,)), work)


def test_a_question_that_we_can_read() -> None:
    """What is sent is an ordinary query that asks for recursion."""
    heard: list[dns.message.Message] = []

    async def work(case: Case) -> None:
        case.look(TRUE)
        await case.settled(TRUE)

    def listen(query: dns.message.Message, over_tcp: bool) -> bytes | None:
        heard.append(query)
        return ZONE(query, over_tcp)

    with Scripted(listen) as server:
        run(DnsSettings(servers=(server.server,), timeout_ms=20_000), work)
    assert all(query.flags & dns.flags.RD for query in heard)
    assert len({query.id for query in heard}) == len(heard)
