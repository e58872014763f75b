"""What the service is told by its configuration, besides the rulebook: edges, challenge, state, journal.

Law of the file: frozen values with defaults filled in; a reload makes a new one.  Names are those of docs/settings.md.
"""

from __future__ import annotations

import msgspec

from botsieve.challenge.settings import ChallengeSettings
from botsieve.lookups.settings import LookupSettings
from botsieve.policy import Rulebook
from botsieve.ranges import RangeSet


class Address(msgspec.Struct, frozen=True):
    """Where a listener listens: the path of a Unix socket, or host and port (`path` is then "")."""

    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class EdgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of gateway.  `listen` None: off.  `sight`: SEES_* bits, None when the edge says it itself.

    `trusted`: who is believed on a TCP listener.  `ja3_header`, `ja4_header`: lower-case names, b"" for none.
    """

    name: str
    listen: Address | None = None
    socket_group: str | None = None
    trusted: RangeSet = RangeSet()
    sight: int | None = None
    deadline_ms: int = 20
    on_late: str = "allow"
    max_in_flight: int = 256
    reflection: bool = False
    ja3_header: bytes = b""
    ja4_header: bytes = b""


class SessionSettings(msgspec.Struct, frozen=True):
    """`cookie`: set the cookie on answers to page loads.  `idle_s`: a session without requests for so long has ended."""

    cookie: bool = True
    idle_s: int = 1800


class DeviceSettings(msgspec.Struct, frozen=True):
    """`enabled`: device ids are handed out.  `valid_min`: minutes that one is valid, from the last page on."""

    enabled: bool = False
    valid_min: int = 120


class BrowserSettings(msgspec.Struct, frozen=True):
    """`fingerprint`: browsers are told apart by FingerprintJS, together with their network.

    `events`: the collector reports human evidence.  `inject`: how our script gets into pages: none, by_hand, sub_filter or lua.
    """

    fingerprint: bool = False
    events: bool = True
    inject: str = "none"


class StateSettings(msgspec.Struct, frozen=True):
    """Bounds of what is remembered, and the folder that outlives a restart."""

    dir: str = "/var/lib/botsieve"
    max_mib: int = 512
    max_preventions: int = 200_000
    idle_s: int = 3600


class JournalSettings(msgspec.Struct, frozen=True):
    """`to`: "stdout", the path of a file, or None.  `addresses`: full, prefix or hmac (section `privacy`).

    `incident_days`, `statistics_days`: how long they are kept; `incident_mib`: bound of their database.
    """

    to: str | None = "stdout"
    allow_sample_percent: float = 1.0
    queue: int = 10_000
    addresses: str = "full"
    incident_days: int = 30
    incident_mib: int = 256
    statistics_days: int = 90


class DnsSettings(msgspec.Struct, frozen=True):
    """Section `crawlers.dns`.  `servers`: address and port; none: the system's.  `max_in_flight` 0: DNS is never asked."""

    servers: tuple[tuple[str, int], ...] = ()
    timeout_ms: int = 500
    cache_s: int = 3600
    negative_cache_s: int = 3600
    max_in_flight: int = 16


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a configuration that does not decide.  `edges` holds nginx, forward and grpc, also those that are off."""

    edges: tuple[EdgeSettings, ...]
    challenge: ChallengeSettings
    keys_file: str
    sessions: SessionSettings
    state: StateSettings
    journal: JournalSettings
    web: Address | None
    client_headers: str
    device: DeviceSettings = DeviceSettings()
    browser: BrowserSettings = BrowserSettings()
    crawler_dns: DnsSettings = DnsSettings()
    lookups: LookupSettings = LookupSettings()

    def edge(self, name: str) -> EdgeSettings:
        """The settings of one kind of gateway.  Errors: KeyError for one that this version does not have."""
        for edge in self.edges:
            if edge.name == name:
                return edge
        raise KeyError(name)


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration, ready to be used.  `config`: its id, the first 12 hex digits of the SHA-256 of its effective form.

    `source`: the file, "" for the packaged defaults.  `files`: the files that `${file:...}` named.  `warnings`: lines of the
    form of mistakes about what is allowed and probably not meant.  `text`: the file as it was read.
    """

    rulebook: Rulebook
    service: ServiceSettings
    config: str
    source: str = ""
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    text: bytes = b""
