"""The store of a running service, put together: the book of incidents, the feed, and what the metrics say of them.

Law of the file: wiring only.
"""

from __future__ import annotations

from botsieve.attacks.incidents import IncidentBook
from botsieve.clock import Clock
from botsieve.config.settings import JournalSettings, ServiceSettings
from botsieve.engine import Engine
from botsieve.journal import Journal
from botsieve.store.feed import StoreFeed
from botsieve.store.figures import families
from botsieve.store.messages import Setup
from botsieve.store.process import WriterProcess


def store_of(settings: ServiceSettings, engine: Engine, journal: Journal, clock: Clock) -> StoreFeed:
    """The feed; the journal notes violations and feedback in it from now on."""

    def standing(key: bytes, detector: str, at_s: float) -> tuple[str, float] | None:
        held = engine.attacks.preventions.of(key)
        one = held.get(detector) if held is not None else None
        if one is None:
            return None
        return ("", one.until_s) if one.runs(at_s) else (one.why, one.ended_s)

    book = IncidentBook(engine.world.hasher.key)
    feed = StoreFeed(
        book,
        WriterProcess(settings.state.dir),
        setup_of(settings.journal),
        redactor=lambda: journal.redactor,
        tell=journal.event,
        now_s=clock.now_s,
        wall_s=clock.wall_s,
        decisions=lambda: journal.metrics.decisions,
        standing=standing,
    )
    journal.incidents = book
    journal.store = feed
    journal.metrics.more.append(lambda: families(feed, journal.metrics.feedback))
    return feed


def setup_of(journal: JournalSettings) -> Setup:
    """What may be kept."""
    return Setup(journal.incident_days, journal.incident_mib, journal.statistics_days)
