"""A whole decision service in this process, with a clock that the test moves: what the HTTP edges are tested on."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from botsieve.challenge.desk import ChallengeDesk
from botsieve.config.loader import loads
from botsieve.config.settings import EdgeSettings, Loaded
from botsieve.engine import Engine
from botsieve.journal import Journal, JournalOptions
from botsieve.keyfile import read_keys
from botsieve.observation import pack_address
from botsieve.service import DecisionService
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_readers import Request

from tests.transports.wire import Reply, only_reply

START_S = 1_800_000_000.0
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
PERSON = {
    "User-Agent": CHROME,
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.9",
    "Accept-Encoding": "gzip, deflate, br",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}
# 40 points and no more, or 75 on audience `browser`.
CURL = {"User-Agent": "curl/8.5.0", "Accept": "*/*"}
# Audience browser, these headers: 40 + 35 = 75, a challenge; with a prefix that blocks from 60, a block.
CONFIG = """
policies:
  - {name: strict, paths: [/strict/], mode: enforce, audience: browser, preset: strict, challenge_first: false}
  - {name: watched, paths: [/watched/], mode: monitor, audience: browser}
  - {name: shop, mode: enforce, audience: browser}
edges:
  nginx: {listen: "127.0.0.1:1", trusted: [127.0.0.0/8], deadline_ms: 1000}
  forward: {listen: "127.0.0.1:2", trusted: [127.0.0.0/8, 10.0.0.0/8, "fd00::/8"], deadline_ms: 1000}
  grpc: {listen: null}
web: {listen: null}
"""


class Service:
    """The parts that `serve` puts together, without listeners."""

    def __init__(self, folder: Path, config: str = CONFIG) -> None:
        folder.mkdir(exist_ok=True)
        extra = f"state: {{dir: {folder}}}\nchallenge: {{keys_file: {folder}/keys}}\n"
        extra += f"journal: {{decisions: {{to: {folder}/log}}}}\n"
        self.log = folder / "log"
        self.now = START_S
        self.loaded: Loaded = loads((config + extra).encode())
        settings = self.loaded.service
        keys = read_keys(settings.keys_file)
        self.journal = Journal(JournalOptions.of(settings), lambda: self.now)
        self.desk = ChallengeDesk(settings.challenge, keys, os.urandom(8))
        self.engine = Engine(
            self.loaded.rulebook,
            keys.key(keys.newest_kid) or b"",
            clearances=self.desk.clearances,
            sessions=self.desk.sessions,
        )
        self.service = DecisionService(self.engine, self.desk, self.journal, lambda: self.now)

    def settings(self, name: str) -> EdgeSettings:
        return self.loaded.service.edge(name)

    def unjudged(self, edge: str = "nginx") -> dict[str, int]:
        """The counter of requests without a verdict, by `why`."""
        return {why: n for (of, why), n in self.journal.metrics.unjudged.items() if of == edge}

    def decisions(self) -> int:
        return self.journal.metrics.decisions_total

    def events(self) -> list[str]:
        """The lines of the log that tell of events; ends the journal."""
        self.journal.close()
        return [line for line in self.log.read_text().splitlines() if '"event":' in line and '"decision"' not in line]


def check(uri: str = "/", headers: dict[str, str] | None = None, **facts: str) -> Request:
    """What nginx asks about a request.  `facts`: other values of the first table of docs/headers.md; "-" leaves one out."""
    told = {
        "Client-Addr": "203.0.113.7",
        "Peer-Addr": "203.0.113.7",
        "Method": "GET",
        "Uri": uri,
        "Host": "shop.example",
        "Scheme": "https",
        "Http": "HTTP/2.0",
        "Edge": "1 cookie",
    } | {name.replace("_", "-").title(): value for name, value in facts.items()}
    lines = {f"x-botsieve-{name.lower()}": value for name, value in told.items() if value != "-"}
    lines |= {name.lower(): value for name, value in (PERSON if headers is None else headers).items()}
    return Request("GET", b"/v1/check/nginx", {k.encode("latin-1"): v.encode("latin-1") for k, v in lines.items()}, b"", b"")


def at(target: str, request: Request, *, method: str = "GET", body: bytes = b"", **told: str) -> Request:
    """The same headers for another of our paths.  `told`: Verdict, Score, Id of the second hop."""
    headers = request.headers | {f"x-botsieve-{name.lower()}".encode(): value.encode() for name, value in told.items()}
    return Request(method, target.encode(), headers, body, request.peer)


def by(address: str, request: Request) -> Request:
    """The same request over TCP, from this peer."""
    return Request(request.method, request.target, request.headers, request.body, pack_address(address))


def ask(edge: NginxEdge, request: Request) -> Reply:
    """The answer, which must be one whole HTTP message."""
    return only_reply(edge.handle(request), to_head=request.method == "HEAD")


def with_on_late(edge: NginxEdge, on_late: str) -> NginxEdge:
    edge.settings = msgspec.structs.replace(edge.settings, on_late=on_late)
    return edge


_SHARED: list[NginxEdge] = []


def shared_edge(folders: pytest.TempPathFactory) -> NginxEdge:
    """One service for all examples of a property: making one costs more than asking it."""
    if not _SHARED:
        service = Service(folders.mktemp("shared"))
        _SHARED.append(NginxEdge(service.service, service.settings("nginx"), "/.botsieve/"))
    return _SHARED[0]
