"""Takes the questions of the book of verifications to DNS and brings the answers back.

Law of the file: no decision ever waits here.  At most `max_in_flight` questions are under way, at most RATE_PER_S begin in a second,
each ends in time; what fails is an answer too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import dns.name

from botsieve.config.settings import DnsSettings
from botsieve.errors import LookupFailed
from botsieve.lookups.dns_client import DnsClient, Reply, system_servers
from botsieve.lookups.reverse_dns import verify
from botsieve.verifications import UNVERIFIED, Question, Verifications

RATE_PER_S = 100  # a resolver is not flooded because somebody floods us with names
_MAX_DOMAINS = 1_000  # own crawlers may name some hundred


class CrawlerLookups:
    """Lives on the running loop, from `start` to `close`.  `now_s`: the service's clock.  `tell(event, **keys)`: the journal."""

    def __init__(self, book: Verifications, now_s: Callable[[], float], tell: Callable[..., None]) -> None:
        self._book = book
        self._now_s = now_s
        self._tell = tell
        self._settings = DnsSettings(max_in_flight=0)
        self._client = DnsClient((), 1.0)
        self._known: dict[dns.name.Name, tuple[float, Reply]] = {}
        self._asked = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._dispatcher: asyncio.Task[None] | None = None

    # ---- life

    def start(self, settings: DnsSettings) -> None:
        """Begins to answer."""
        self._dispatcher = asyncio.get_running_loop().create_task(self._dispatch())
        self.apply(settings)

    def apply(self, settings: DnsSettings) -> None:
        """Other settings, for the questions that are asked from now on.  The system's servers are read anew."""
        self._settings = settings
        self._book.cache_s = settings.cache_s
        self._book.negative_cache_s = settings.negative_cache_s
        servers = settings.servers
        if not servers and settings.max_in_flight:
            try:
                servers = system_servers()
            except LookupFailed as error:
                self._tell("dns_missing", error=str(error))
        self._client = DnsClient(servers, settings.timeout_ms / 1000)
        self._known.clear()
        # Without DNS a claim is unverified at once: there is nothing to hold it back for.
        self._book.on_question = self._asked.set if servers and settings.max_in_flight else None

    async def close(self) -> None:
        """Ends everything that is under way."""
        self._book.on_question = None
        tasks = [*self._tasks, *([self._dispatcher] if self._dispatcher is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def in_flight(self) -> int:
        """Questions under way."""
        return len(self._tasks)

    # ---- work

    async def _dispatch(self) -> None:
        while True:
            question = self._book.next_question() if len(self._tasks) < self._settings.max_in_flight else None
            if question is None:
                self._asked.clear()
                await self._asked.wait()
                continue
            task = asyncio.get_running_loop().create_task(self._answer(question))
            self._tasks.add(task)
            task.add_done_callback(self._done)
            await asyncio.sleep(1 / RATE_PER_S)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._asked.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tell("lookup_failed", error=type(error).__name__)

    async def _answer(self, question: Question) -> None:
        found = UNVERIFIED
        try:
            found = await verify(self._ask, question)
        finally:
            self._book.answer(question, found, self._now_s())

    async def _ask(self, name: dns.name.Name, kind: str) -> Reply:
        """As the client; what is known of a crawler's domain is kept, for each question may need it."""
        if kind != "SOA":
            return await self._client.ask(name, kind)
        known = self._known.get(name)
        if known is not None and self._now_s() < known[0]:
            return known[1]
        reply = await self._client.ask(name, kind)
        if len(self._known) >= _MAX_DOMAINS:
            self._known.clear()
        self._known[name] = (self._now_s() + self._settings.cache_s, reply)
        return reply
