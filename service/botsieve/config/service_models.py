"""The sections that say how the service runs: edges, challenge, sessions, state, journal, privacy, web.

Law of the file: what an edge tells us about a client is believed because of where it connects, never because of what it says.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from botsieve.challenge.settings import MAX_BITS, MAX_CLEARANCE_S, MAX_PREFIX, MAX_PUZZLES, MIN_BITS, MIN_PUZZLES, PREFIX
from botsieve.config.address_kinds import AbsolutePath, HeaderName, Listen, Network, NetworkOrFile
from botsieve.config.kinds import Flag, Kind, Many, Number, OneOf, Secret, Table, Text, Whole, Word
from botsieve.config.mistakes import shown
from botsieve.config.section import Section

SIGHTS = ("tls", "header_order", "header_case", "accept_encoding", "http_version")


class Sees(Kind):
    """What an edge can see: `auto` (None here: it says so itself) or a list of words."""

    accepted = "auto, or a list of: " + ", ".join(SIGHTS)

    def check(self, value: object) -> tuple[str, ...] | None:
        if value == "auto":
            return None
        if not isinstance(value, list) or len(value) > len(SIGHTS):
            raise self.refusal(f"{shown(value)} is neither")
        for word in value:
            if word not in SIGHTS:
                raise self.refusal(f"{shown(word)} is nothing that an edge can see")
        return tuple(map(str, value))


Trusted = Annotated[tuple[str, ...], Many(Network(), 1000)]
SeesValue = Annotated[tuple[str, ...] | None, Sees()]
_TRUSTED = "for a TCP listener: addresses that are believed; empty: none"
_SEES = "what this edge can see; auto: it says so itself"


class _Edge(Section):
    trusted: Trusted = Field(default=(), description=_TRUSTED)
    deadline_ms: Annotated[int, Whole(1, 1000)] = Field(default=20, description="later than this the answer is on_late [own]")
    on_late: Annotated[str, Word("allow", "block")] = Field(
        default="allow", description="the answer when there is no time to judge"
    )


class NginxEdge(_Edge):
    meaning: ClassVar[str] = "nginx and OpenResty, through the packaged includes."
    listen: Annotated[str | None, Listen()] = Field(
        default="unix:/run/botsieve/check.sock", description="where nginx asks; null: off"
    )
    socket_group: Annotated[
        str | None, Text("the name of a group", longest=32, form="[A-Za-z0-9_][A-Za-z0-9_.-]*", null=True)
    ] = Field(default="www-data", description="the socket is 0660 for this group; null: for our own")
    sees: SeesValue = Field(default=None, description=_SEES)


class FingerprintHeaders(Section):
    ja3: Annotated[str | None, HeaderName(null=True)] = Field(default=None, description="the header that holds a JA3")
    ja4: Annotated[str | None, HeaderName(null=True)] = Field(
        default=None, description="the header that holds a JA4, such as cloudfront-viewer-ja4-fingerprint"
    )


class ForwardEdge(_Edge):
    meaning: ClassVar[str] = "Traefik, Caddy, APISIX: forward authentication."
    listen: Annotated[str | None, Listen()] = Field(default=None, description="where the gateway asks; null: off")
    sees: SeesValue = Field(default=("http_version",), description=_SEES)
    fingerprint_headers: FingerprintHeaders = FingerprintHeaders()


class GrpcEdge(_Edge):
    meaning: ClassVar[str] = "Anything that speaks botsieve.v1.DecisionService."
    listen: Annotated[str | None, Listen()] = Field(default=None, description="where it asks; null: off")
    sees: SeesValue = Field(default=None, description=_SEES)
    deadline_ms: Annotated[int, Whole(1, 1000)] = Field(
        default=20, description="a call that takes longer ends with DEADLINE_EXCEEDED"
    )
    on_late: Annotated[str, Word("allow", later=("block",))] = Field(
        default="allow",
        description="nothing else: the proto has no verdict for it, and the caller does what it chose (docs/grpc.md)",
    )
    max_in_flight: Annotated[int, Whole(1, 10_000)] = Field(
        default=256, description="calls at one time; more are refused at once"
    )
    reflection: Annotated[bool, Flag()] = Field(default=False, description="tell callers the schema")


class Edges(Section):
    meaning: ClassVar[str] = "Who may ask, and whom we believe.  One listener a kind of gateway; one that is null is off."
    later: ClassVar[tuple[str, ...]] = ("envoy", "haproxy")
    nginx: NginxEdge = NginxEdge()
    forward: ForwardEdge = ForwardEdge()
    grpc: GrpcEdge = GrpcEdge()


class Level(Section):
    puzzles: Annotated[int, Whole(MIN_PUZZLES, MAX_PUZZLES)] = Field(default=16, description="puzzles to solve")
    bits: Annotated[int, Whole(MIN_BITS, MAX_BITS)] = Field(
        description="leading zero bits of each answer; one more doubles the work"
    )


class Levels(Section):
    meaning: ClassVar[str] = "About 0.1, 0.3 and 0.9 s [own]."
    light: Level = Level(puzzles=16, bits=12)
    normal: Level = Level(puzzles=16, bits=14)
    hard: Level = Level(puzzles=16, bits=16)


class NoJs(Section):
    meaning: ClassVar[str] = "The path for browsers without script."
    enabled: Annotated[bool, Flag()] = Field(default=True, description="offer it")
    wait_s: Annotated[int, Whole(1, 60)] = Field(default=5, description="how long it takes")
    clearance_s: Annotated[int, Whole(1, MAX_CLEARANCE_S)] = Field(default=300, description="what it earns")
    score_below: Annotated[int, Whole(0, 100)] = Field(default=60, description="only for scores below this")


class Challenge(Section):
    meaning: ClassVar[str] = "The page that a client has to pass."
    later: ClassVar[tuple[str, ...]] = ("providers",)
    prefix: Annotated[
        str,
        Text(
            "a path such as /.botsieve/, beginning and ending with /",
            longest=MAX_PREFIX,
            form=PREFIX,
        ),
    ] = Field(default="/.botsieve/", description="where the pages find their script; also set in the nginx include")
    # Not 503: to nginx that is a service that failed, and in place of the page it shows the breaker's.
    page_status: Annotated[int, OneOf(403, 200, 429)] = Field(default=403, description="the status of the page")
    levels: Levels = Levels()
    valid_s: Annotated[int, Whole(30, 3600)] = Field(default=300, description="time to solve it [own]")
    clearance_s: Annotated[int, Whole(1, MAX_CLEARANCE_S)] = Field(
        default=1800, description="what it earns, from its last use on: challenges are lifted, blocks are not [own]"
    )
    roam: Annotated[int, Whole(0, 64)] = Field(
        default=4,
        description="by how many networks and TLS families a clearance may grow in 24 h; 0: the first of each only [own]",
    )
    clearance_requests: Annotated[int, Whole(1, 1_000_000)] = Field(
        default=300, description="page views and data calls that a clearance is good for [own]"
    )
    per_prefix_per_min: Annotated[int, Whole(1, 1_000_000)] = Field(
        default=60, description="solutions accepted from one /24 or /64 [own]"
    )
    no_js: NoJs = NoJs()
    loop_limit: Annotated[int, Whole(1, 100)] = Field(
        default=3, description="challenges in 5 min that did not help; then a page that explains instead [own]"
    )
    contact: Annotated[
        str | None,
        Text(
            "a mail address, or a link beginning with https:// or http://",
            longest=500,
            form=r"(?!javascript:|data:)[^\s@<>\"']+@[^\s@<>\"']+|https?://[^\s<>\"']+",
            null=True,
        ),
    ] = Field(default=None, description="mail or link shown on challenge and block pages; set it")
    keys_file: Annotated[str, AbsolutePath()] = Field(
        default="/var/lib/botsieve/keys",
        description="made at first start, 0600; the newest signs, all verify; add a line to rotate",
    )


class Sessions(Section):
    meaning: ClassVar[str] = "Our session cookie."
    cookie: Annotated[bool, Flag()] = Field(default=True, description="set it on answers to page loads")
    idle_s: Annotated[int, Whole(60, 86_400)] = Field(
        default=1800, description="a session without requests for so long has ended [own]"
    )


class Allow(Section):
    meaning: ClassVar[str] = "Always wins, also over a running prevention; not counted in any statistic of normal traffic."
    networks: Annotated[tuple[str, ...], Many(NetworkOrFile(), 10_000)] = Field(
        default=(), description="addresses that are let through; a file is a list as in section reputation, watched like those"
    )
    headers: Annotated[dict[str, tuple[str, ...]], Table(HeaderName(), Many(Secret(), 100, least=1), 20)] = Field(
        default={}, description='x-api-key: ["${file:/path}"]; compared in constant time, never logged'
    )


class State(Section):
    meaning: ClassVar[str] = "What is remembered, and where."
    dir: Annotated[str, AbsolutePath()] = Field(default="/var/lib/botsieve", description="what outlives a restart")
    max_mib: Annotated[int, Whole(16, 65_536)] = Field(default=512, description="bound of everything remembered about clients")
    max_preventions: Annotated[int, Whole(100, 2_000_000)] = Field(
        default=200_000, description="verdicts that last; beyond it those of one network are folded into one [own]"
    )
    idle_s: Annotated[int, Whole(300, 604_800)] = Field(default=3600, description="forgotten after [own]")


class Decisions(Section):
    to: Annotated[str | None, AbsolutePath("stdout", null=True)] = Field(
        default="stdout", description="where decisions are written; a file is reopened on USR1"
    )
    allow_sample_percent: Annotated[float, Number(0, 100)] = Field(
        default=1.0, description="of the decisions that let pass without a finding; all others are always written [own]"
    )
    queue: Annotated[int, Whole(100, 1_000_000)] = Field(
        default=10_000, description="events that may wait; what does not fit is counted, never waited for [own]"
    )


class Incidents(Section):
    meaning: ClassVar[str] = (
        "Attacks with their numbers and sample requests, and feedback: `botsieve incidents`, `botsieve feedback`."
    )
    keep_days: Annotated[int, Whole(1, 3650)] = Field(default=30, description="ended ones are forgotten after [own]")
    max_mib: Annotated[int, Whole(8, 65_536)] = Field(
        default=256, description="bound of the whole database; the oldest goes first [own]"
    )


class Statistics(Section):
    meaning: ClassVar[str] = "Attacks, violations, refusals and verdicts, by minute and policy: `botsieve statistics`."
    keep_days: Annotated[int, Whole(1, 3650)] = Field(default=90, description="forgotten after [own]")


class Journal(Section):
    meaning: ClassVar[str] = "What is written down."
    decisions: Decisions = Decisions()
    incidents: Incidents = Incidents()
    statistics: Statistics = Statistics()


class Privacy(Section):
    meaning: ClassVar[str] = "Cookie, Authorization, query values and key strokes are never logged, whatever is set."
    addresses: Annotated[str, Word("full", "prefix", "hmac")] = Field(
        default="full", description="in logs and exports; prefix: /24 and /48"
    )


class Web(Section):
    meaning: ClassVar[str] = "/metrics, /healthz and /readyz."
    later: ClassVar[tuple[str, ...]] = ("password_file",)
    listen: Annotated[str | None, Listen(unix=False)] = Field(default="127.0.0.1:9482", description="where; null: off")
