"""Many people behind one address, and who else is there: simulated, on a clock that the test moves.

Law of the file: everything random is drawn from one seed; a browser keeps its cookies and solves the challenges that it is shown.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from botsieve.challenge.binding import family_of, place_of
from botsieve.challenge.clearance import Clearances
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.session import Sessions
from botsieve.challenge.settings import ChallengeSettings
from botsieve.config.loader import loads
from botsieve.decision import ALLOW, BLOCK, CHALLENGE, Decision
from botsieve.detectors.catalogue import Catalogue
from botsieve.engine import Engine
from botsieve.observation import DELIVERS_COOKIE, SEES_ALL_HEADERS, SEES_TLS, Observation, make_observation, pack_address

from tests.cases.ways import SECRET, config
from tests.transports.edge_harness import START_S
from tests.unit.rig import PAGE

ADDRESS = "198.51.100.7"
KEYS = KeyRing((bytes(32),))
# What people's browsers are, by how many have them: half of them one and the same.
VERSIONS = {156: 50, 155: 15, 154: 8, 153: 5, 152: 4, 151: 3, 150: 3, 148: 2, 146: 2, 144: 2, 140: 2, 136: 2, 130: 1, 120: 1}


class Met(NamedTuple):
    """What one visitor met with, over all its requests."""

    asked: int
    challenged: int
    blocked: int


class Visitor:
    """One browser or program.  `headers`: what it sends; `solves`: it passes challenges; `keeps`: it keeps cookies."""

    def __init__(
        self, headers: Mapping[bytes, bytes], *, client: str = ADDRESS, solves: bool = True, keeps: bool = True
    ) -> None:
        self.headers = dict(headers)
        self.client = pack_address(client)
        self.solves = solves
        self.keeps = keeps
        self.session = self.clearance = b""
        self.verdicts: list[str] = []

    def request(self, uri: str, at_s: float, **plus: bytes) -> Observation:
        """One request with the cookies that it holds."""
        cookies = b"; ".join(one for one in (self.session, self.clearance) if one)
        headers = self.headers | ({b"cookie": cookies} if cookies else {})
        headers |= {name.replace("_", "-").encode(): value for name, value in plus.items()}
        hello = Catalogue.builtin().row("chromium-156")
        return make_observation(
            client=self.client,
            method=b"GET",
            uri=uri.encode(),
            headers=headers,
            edge_time_s=START_S + at_s,
            host=b"shop.example",
            scheme=b"https",
            http=b"HTTP/2.0",
            sight=SEES_ALL_HEADERS | SEES_TLS | DELIVERS_COOKIE,
            ja3=hello.ja3.encode(),
            ja4=hello.ja4.encode(),
            tls_sig=(hello.tls_sig or hello.ja4).encode(),
        )

    @property
    def met(self) -> Met:
        """So far."""
        return Met(len(self.verdicts), self.verdicts.count(CHALLENGE), self.verdicts.count(BLOCK))


class Site:
    """One engine before one site, by the packaged defaults in mode `enforce`."""

    def __init__(self, audience: str = "mixed", **policy: object) -> None:
        self.clearances = Clearances(ChallengeSettings(), KEYS)
        book = loads(config(audience, policy).encode()).rulebook
        self.engine = Engine(book, SECRET, clearances=self.clearances, sessions=Sessions(KEYS))
        self._number = 0

    def ask(self, who: Visitor, uri: str, at_s: float, **plus: bytes) -> Decision:
        """One request, and what its sender does with the answer: cookies are kept, a challenge is solved and asked again."""
        o = who.request(uri, at_s, **plus)
        decision = self._decide(o, at_s)
        who.verdicts.append(decision.verdict)
        if who.keeps and decision.set_cookie:
            who.session = decision.set_cookie.partition(";")[0].encode()
        if who.solves and decision.verdict == CHALLENGE:
            value = self.clearances.mint(
                o,
                nonce=self._number.to_bytes(16, "big"),
                level=decision.level,
                no_js=False,
                place=place_of(o),
                family=family_of(o),
                now_s=START_S + at_s + 1.0,
            )
            assert value is not None
            who.clearance = value.partition(";")[0].encode()
            again = self._decide(who.request(uri, at_s + 1.0, **plus), at_s + 1.0)
            if again.verdict != ALLOW:
                who.verdicts.append(again.verdict)
        return decision

    def _decide(self, o: Observation, at_s: float) -> Decision:
        self._number += 1
        name = f"{self._number:08d}"
        return self.engine.decide(o, START_S + at_s, f"{name[:4]}-{name[4:]}-0000-0000", self._number * 0.618 % 1.0)


def browser(version: int) -> dict[bytes, bytes]:
    """The headers of a Chrome of that version."""
    text = str(version).encode()
    return {
        **PAGE,
        b"user-agent": PAGE[b"user-agent"].replace(b"156", text),
        b"sec-ch-ua": PAGE[b"sec-ch-ua"].replace(b"156", text),
    }


def people(count: int, draw: random.Random, client: str = ADDRESS) -> list[Visitor]:
    """Visitors with the browsers of VERSIONS."""
    versions = draw.choices(list(VERSIONS), list(VERSIONS.values()), k=count)
    return [Visitor(browser(version), client=client) for version in versions]


def visits(crowd: list[Visitor], draw: random.Random, within_s: float) -> Iterator[tuple[float, Visitor, str]]:
    """What they ask for, in the order of time: an entry page each, then 2 to 15 pages at the pace of reading.

    They begin within `within_s`, evenly drawn.
    """
    queue: list[tuple[float, int, Visitor, int, bool]] = []
    for number, who in enumerate(crowd):
        start_s = draw.uniform(0.0, within_s)
        heapq.heappush(queue, (start_s, number, who, draw.randint(2, 15), True))
    while queue:
        at_s, number, who, left, is_first = heapq.heappop(queue)
        uri = (
            "/"
            if is_first
            else draw.choice((f"/items/{draw.randrange(20_000)}", f"/list?page={draw.randrange(1, 30)}", "/cart"))
        )
        yield at_s, who, uri
        if left:
            heapq.heappush(queue, (at_s + 2.0 + draw.expovariate(1 / 25.0), number, who, left - 1, False))
