"""Requests and engines for the tests of the core: a time line that the test moves, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from botsieve.challenge.clearance import Clearances
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.session import Sessions
from botsieve.challenge.settings import ChallengeSettings
from botsieve.decision import Decision
from botsieve.detectors.catalogue import Catalogue
from botsieve.detectors.settings import DEFAULTS, Settings
from botsieve.engine import Engine
from botsieve.observation import DELIVERS_COOKIE, SEES_ALL_HEADERS, Observation, make_observation, pack_address
from botsieve.policy import Policy, Rulebook

START_S = 1_800_000_000.0
CHROME = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
PAGE: dict[bytes, bytes] = {
    b"user-agent": CHROME,
    b"accept": b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    b"sec-ch-ua": b'"Chromium";v="156", "Not.A/Brand";v="99"',
    b"sec-ch-ua-mobile": b"?0",
    b"sec-ch-ua-platform": b'"Linux"',
    b"sec-fetch-site": b"same-origin",
    b"sec-fetch-mode": b"navigate",
    b"sec-fetch-user": b"?1",
    b"sec-fetch-dest": b"document",
    b"accept-encoding": b"gzip, deflate, br, zstd",
    b"accept-language": b"en-US,en;q=0.9",
    b"referer": b"https://shop.example/",
}
CALL: dict[bytes, bytes] = {
    **{name: value for name, value in PAGE.items() if name not in (b"sec-fetch-user",)},
    b"accept": b"application/json",
    b"sec-fetch-mode": b"cors",
    b"sec-fetch-dest": b"empty",
}
# A program that names itself, and nothing that anybody would find.
TOOL: dict[bytes, bytes] = {b"user-agent": b"acme-sync/2.1", b"accept": b"application/json"}
KEYS = KeyRing((b"k" * 32,))


def hello(name: str) -> dict[str, bytes]:
    """The fingerprint fields of a row of the catalogue."""
    row = Catalogue.builtin().row(name)
    return {"ja3": row.ja3.encode(), "ja4": row.ja4.encode(), "tls_sig": (row.tls_sig or row.ja4).encode()}


def request(
    uri: str | bytes = b"/",
    *,
    headers: Mapping[bytes, bytes] = PAGE,
    client: str = "203.0.113.7",
    at_s: float = 0.0,
    without: Iterable[bytes] = (),
    plus: Mapping[bytes, bytes] | None = None,
    **facts: Any,
) -> Observation:
    """A request at START_S + `at_s`; `headers` less `without`, and `plus`."""
    sent = {name: value for name, value in headers.items() if name not in set(without)} | dict(plus or {})
    known: dict[str, Any] = {"method": b"GET", "host": b"shop.example", "scheme": b"https", "http": b"HTTP/2.0"}
    return make_observation(
        client=pack_address(client),
        uri=uri.encode() if isinstance(uri, str) else uri,
        headers=sent,
        edge_time_s=START_S + at_s,
        **{"sight": SEES_ALL_HEADERS | DELIVERS_COOKIE, **known, **facts},
    )


class Rig:
    """An engine with its own time line.  `ask` decides at START_S + `at_s`."""

    def __init__(self, *policies: Policy, cookies: bool = False, book: Rulebook | None = None, **options: Any) -> None:
        self.clearances = Clearances(ChallengeSettings(), KEYS) if cookies else None
        self.sessions = Sessions(KEYS) if cookies else None
        self.failed: list[str] = []
        self.engine = Engine(
            book or Rulebook(policies=policies or (enforcing(),)),
            b"0123456789abcdef",
            clearances=self.clearances,
            sessions=self.sessions,
            on_detector_error=lambda signal, error: self.failed.append(signal),
            **options,
        )
        self._number = 0

    def ask(self, uri: str | bytes = b"/", *, at_s: float = 0.0, **facts: Any) -> Decision:
        return self.decide(request(uri, at_s=at_s, **facts), at_s)

    def decide(self, o: Observation, at_s: float = 0.0) -> Decision:
        self._number += 1
        return self.engine.decide(o, START_S + at_s, f"0000-0000-0000-{self._number:04d}")

    def session_cookie(self, *, opened_s: float = 0.0, number: int = 1) -> bytes:
        """The Cookie header of a session that was opened at START_S + `opened_s`."""
        assert self.sessions is not None
        value = self.sessions.issue(request(), START_S + opened_s, number.to_bytes(8, "big"))
        return value.partition(";")[0].encode()

    def clearance_cookie(self, o: Observation, *, level: str = "normal", at_s: float = 0.0, number: int = 1) -> bytes:
        """The Cookie header of a clearance that the sender of `o` earned at START_S + `at_s`."""
        from botsieve.challenge.binding import family_of, place_of

        assert self.clearances is not None
        nonce = number.to_bytes(16, "big")
        value = self.clearances.mint(
            o, nonce=nonce, level=level, no_js=False, place=place_of(o), family=family_of(o), now_s=START_S + at_s
        )
        assert value is not None
        return value.partition(";")[0].encode()


def enforcing(**changes: Any) -> Policy:
    """The packaged policy in mode enforce, changed as told."""
    return Policy(**{"mode": "enforce", **changes})


def tuned(**changes: Settings) -> Mapping[str, Settings]:
    """The packaged detectors with some replaced; `traversal_volume=` stands for `traversal.volume`."""
    return {**DEFAULTS, **{name.replace("_", ".", 1): value for name, value in changes.items()}}


def points(signal: str, number: int, **changes: Any) -> Mapping[str, Settings]:
    """The packaged detectors with other points for one."""
    return {**DEFAULTS, signal: msgspec.structs.replace(DEFAULTS[signal], points=number, **changes)}


def found(decision: Decision, name: str = "") -> list[str]:
    """The reasons of a decision; those of one finding only if it is named."""
    return [signal.reason for signal in decision.signals if not name or signal.id == name]
