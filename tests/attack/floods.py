"""Floods of made-up clients, and people who are watched meanwhile: what tests/attack and tests/bench/attack_on_state.py share.

Law of the file: seeded by numbers, no clock; the n-th request of a flood is the same in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2s
from typing import Any

from botsieve.challenge.binding import family_of, place_of
from botsieve.challenge.clearance import Clearances
from botsieve.challenge.cookies import CLEARANCE_COOKIE, DEVICE_COOKIE, SESSION_COOKIE
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.session import Sessions
from botsieve.challenge.settings import ChallengeSettings
from botsieve.decision import Decision
from botsieve.detectors.settings import THRESHOLDS, HumanInteraction
from botsieve.engine import Engine
from botsieve.observation import SEES_ALL_HEADERS, SEES_TLS, Observation, make_observation
from botsieve.policy import Policy, Rulebook

START_S = 1_790_000_000.0
MIB = 1024 * 1024
FLOOD_S = 100.0  # a flood takes so long on the clock that is handed in

_CHROME = b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_BROWSER = {
    b"user-agent": _CHROME,
    b"accept": b"text/html,application/xhtml+xml,*/*;q=0.8",
    b"accept-language": b"en-US,en;q=0.9",
    b"accept-encoding": b"gzip, deflate, br, zstd",
    b"sec-fetch-site": b"same-origin",
    b"sec-fetch-mode": b"navigate",
    b"sec-fetch-dest": b"document",
    b"referer": b"https://shop.example/items?page=3",
}
_TOOL = {b"user-agent": b"curl/8.5.0", b"accept": b"*/*"}
# One who was seen to have a hand is asked for another one after so many requests; one who was not, after the grace of 100.
_HAND = HumanInteraction(action="block")
_KEYS = KeyRing((b"k" * 32,))
_TLS = {"ja4": b"t13d1516h2_8daaf6152771_d8a2da3f94cd", "tls_sig": b"t13d1515h2_8daaf6152771_31ec0a762479"}


class Defence:
    """An engine with clearances and sessions as `serve` puts them together."""

    def __init__(self, max_mib: int) -> None:
        self.clearances = Clearances(ChallengeSettings(), _KEYS)
        policy = Policy(mode="enforce", audience="browser", thresholds={**THRESHOLDS, "human.interaction": _HAND})
        self.engine = Engine(
            Rulebook(policies=(policy,)),
            b"attack" * 6,
            max_bytes=max_mib * MIB,
            clearances=self.clearances,
            sessions=Sessions(_KEYS),
        )
        self.engine.attacks.collector_injected = True  # the pages hold the script that sees hands

    def ask(self, o: Observation) -> Decision:
        return self.engine.decide(o, o.edge_time_s, "0000-0000-0000-0000")

    @property
    def accounted(self) -> int:
        """Bytes that the tables say they hold."""
        world = self.engine.world
        return world.clients.bytes_used + world.networks.bytes_used + world.fingerprints.bytes_used


def request(
    address: bytes, now_s: float, uri: bytes, headers: dict[bytes, bytes], *, request_id: bytes = b"", **tls: Any
) -> Observation:
    """One request straight from `address` (16 bytes)."""
    return make_observation(
        client=address,
        peer=address,
        method=b"GET",
        uri=uri,
        headers=headers,
        edge_time_s=now_s,
        host=b"shop.example",
        scheme=b"https",
        http=b"HTTP/2.0",
        request_id=request_id,
        sight=SEES_TLS | SEES_ALL_HEADERS,
        **(tls or _TLS),
    )


def digest(n: int, size: int = 8) -> bytes:
    """Bytes that look random, the same for the same number."""
    return blake2s(n.to_bytes(8, "big"), digest_size=size).digest()


# ---- those who are watched


class Watched:
    """One client: `n` % 5 says what it is.  0: a tool that solved a challenge; 1: a person with a settled session;
    2: a person in mid-visit; 3: a scraper that walks through numbered items; 4: a person whose hand was seen."""

    def __init__(self, n: int, defence: Defence) -> None:
        self.kind = n % 5
        self._n = n
        self._defence = defence
        self._address = b"\0" * 10 + b"\xff\xff" + (0x0B000000 + n * 256 + 7).to_bytes(4, "big")
        self._headers = dict(_TOOL if self.kind == 0 else _BROWSER)
        self._items = 0

    def ask(self, now_s: float) -> Decision:
        """Its next request.  Who showed a hand looks at one page more often than anybody may who showed none."""
        if self.kind == 4:
            for number in range(_HAND.grace + 1):
                decision = self._look(now_s - 20 + number * 0.19 + digest(number, 1)[0] / 2000)
            return decision
        self._items += 1
        item = (
            self._n * 1000 + self._items if self.kind == 3 else int.from_bytes(digest(self._n * 1000 + self._items, 3), "big")
        )
        return self._defence.ask(request(self._address, now_s, b"/items/%d" % item, self._headers))

    def _look(self, now_s: float) -> Decision:
        return self._defence.ask(request(self._address, now_s, b"/basket", self._headers))

    def settle(self, start_s: float) -> None:
        """Its life so far: 400 s before the flood to its beginning."""
        o = request(self._address, start_s - 400, b"/", self._headers)
        if self.kind == 0:
            cookie = self._defence.clearances.mint(
                o,
                nonce=digest(self._n, 16),
                level="hard",
                no_js=False,
                place=place_of(o),
                family=family_of(o),
                now_s=start_s - 60,
            )
            assert cookie is not None
            self._headers[b"cookie"] = cookie.partition(";")[0].encode()
        elif self.kind in (1, 4):
            sessions = self._defence.engine.sessions
            assert sessions is not None
            cookie = sessions.issue(o, start_s - 400, digest(self._n))
            self._headers[b"cookie"] = cookie.partition(";")[0].encode()
        if self.kind == 4:
            self._show_hand(start_s)
            return
        count = 70 if self.kind == 3 else 6
        for number in range(count):
            # People pause as they like, a scraper does not.
            pause_s = 0.0 if self.kind == 3 else digest(self._n * 100 + number, 1)[0] / 64
            self.ask(start_s - 60 + number * 60 / count + pause_s)

    def _show_hand(self, start_s: float) -> None:
        """Twenty looks at a page, and a report of the script in it."""
        for number in range(20):
            self._look(start_s - 60 + number * 2 + digest(self._n * 100 + number, 1)[0] / 256)
        page = request(self._address, start_s - 1, b"/basket", self._headers)
        self._defence.engine.human_report(page, start_s - 1, regular=True)


def watch(defence: Defence, count: int) -> list[Watched]:
    """So many watched clients, each with a life behind it."""
    watched = [Watched(n, defence) for n in range(count)]
    for one in watched:
        one.settle(START_S)
    return watched


# ---- floods: (n, when) -> the n-th request


def one_per_64(n: int, now_s: float) -> Observation:
    """Each from another IPv6 /64, once, as a browser."""
    return request(b"\x20\x01" + digest(n, 6) + digest(n), now_s, b"/items/%d" % (n % 5000), _BROWSER)


def twice_per_64(n: int, now_s: float) -> Observation:
    """Each /64 comes again in another second, so that it is remembered as one in use."""
    return one_per_64(n // 2000 * 1000 + n % 1000, now_s)


def busy_64(n: int, now_s: float) -> Observation:
    """Few /64s, each on more route templates and items than a client is watched on."""
    return request(
        b"\x20\x01\x0d\xb8" + digest(n % 1500, 4) + b"\0" * 8,
        now_s,
        b"/%s/%d" % (b"abcdefghijkl"[n // 1500 % 12 :][:1], n),
        _BROWSER,
    )


def user_agents(n: int, now_s: float) -> Observation:
    """One address, another User-Agent each time."""
    agent = _CHROME.replace(b"140", b"%d" % (n % 200)) + b" " + digest(n).hex().encode()
    return request(b"\x20\x01" + b"\1" * 14, now_s, b"/items/%d" % (n % 5000), {**_BROWSER, b"user-agent": agent})


def fingerprints(n: int, now_s: float) -> Observation:
    """One address, another TLS hello each time."""
    print_ = b"t13d1516h2_" + digest(n, 6).hex().encode() + b"_d8a2da3f94cd"
    return request(
        b"\x20\x01" + b"\2" * 14, now_s, b"/items/%d" % (n % 5000), _BROWSER, ja4=print_, tls_sig=print_, ja3=digest(n, 16)
    )


def cookies(n: int, now_s: float) -> Observation:
    """One address, another forged clearance, session and device each time: ours but for a few characters, so that each is verified."""
    genuine = _GENUINE[n % len(_GENUINE)]
    at = 30 + n % 20
    forged = genuine[:at] + digest(n, 6).hex().encode() + genuine[at + 12 :]
    values = b"; ".join(b"__Host-%s=%s" % (name, forged) for name in _COOKIES)
    return request(b"\x20\x01" + b"\3" * 14, now_s, b"/items/%d" % (n % 5000), {**_BROWSER, b"cookie": values})


def key_ids(n: int, now_s: float) -> Observation:
    """One address, tokens of another key each time: what a ring does not hold."""
    forged = b"; ".join(b"__Host-%s=AQ%s" % (name, digest(n, 21).hex().encode()) for name in _COOKIES)
    return request(b"\x20\x01" + b"\4" * 14, now_s, b"/items/%d" % (n % 5000), {**_BROWSER, b"cookie": forged})


def _sessions(count: int) -> list[bytes]:
    o = request(b"\x20\x01" + b"\3" * 14, START_S, b"/", dict(_BROWSER))
    issued = [Sessions(_KEYS).issue(o, START_S, digest(number)) for number in range(count)]
    return [cookie.partition(";")[0].partition("=")[2].encode() for cookie in issued]


_COOKIES = (CLEARANCE_COOKIE.encode(), SESSION_COOKIE.encode(), DEVICE_COOKIE.encode())
_GENUINE = _sessions(8)


def networks(n: int, now_s: float) -> Observation:
    """Eight requests from each of many /48s, from as many addresses: each network becomes one that is watched."""
    return request(b"\x2a\x00" + digest(n // 8, 4) + digest(n, 10), now_s, b"/items/%d" % n, _BROWSER)


def long_names(n: int, now_s: float) -> Observation:
    """Addresses, User-Agents and ids as long as they may be, each time others: what is remembered by its text."""
    tail = digest(n).hex().encode()
    agent = (_CHROME + b" x" * 8000)[:16000] + tail
    return request(
        b"\x20\x01" + digest(n, 14),
        now_s,
        b"/" + b"x/" * 7900 + tail,
        {**_BROWSER, b"user-agent": agent},
        request_id=digest(n, 32),
    )


FLOODS: dict[str, Callable[[int, float], Observation]] = {
    flood.__name__: flood
    for flood in (one_per_64, twice_per_64, busy_64, user_agents, fingerprints, cookies, key_ids, networks, long_names)
}


def pour(defence: Defence, flood: Callable[[int, float], Observation], count: int) -> None:
    """So many requests of a flood, evenly over FLOOD_S."""
    for n in range(count):
        defence.ask(flood(n, START_S + n * FLOOD_S / count))
