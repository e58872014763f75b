"""What of the configuration concerns the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from botsieve.journal.redact import FULL
from botsieve.journal.ring import MAX_RECORDS

if TYPE_CHECKING:
    from botsieve.config.settings import ServiceSettings

STDOUT = "stdout"


class JournalOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What of the configuration concerns the journal (docs/settings.md: journal, privacy, web, state.dir).

    `to`: "stdout", a file, or None for no log.  `web_listen`: `host:port` or None.
    """

    state_dir: str = "/var/lib/botsieve"
    to: str | None = STDOUT
    allow_sample_percent: float = 1.0
    queue: int = 10_000
    addresses: str = FULL
    web_listen: str | None = "127.0.0.1:9482"
    keep_decisions: int = MAX_RECORDS

    @classmethod
    def of(cls, service: ServiceSettings) -> JournalOptions:
        """From a loaded configuration."""
        journal = service.journal
        return cls(
            state_dir=service.state.dir,
            to=journal.to,
            allow_sample_percent=journal.allow_sample_percent,
            queue=journal.queue,
            addresses=journal.addresses,
            web_listen=None if service.web is None else str(service.web),
        )
