"""The clients of `make attack`: from a person's browser to a scraper behind many addresses.

Law of the file: every client is bounded in requests and in time, talks to loopback only, and comes from addresses of its own
(127.0.0.0/8 is all this machine), so that the decision log tells them apart.  What a client is told does not stop it.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from botsieve.demo.shop import ITEMS
from botsieve.errors import MachineError

TIMEOUT_S = 5.0
LONGEST_S = 80.0  # no client goes on longer
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


class Sent(NamedTuple):
    """How many requests a client sent, and how late they were on average, in s, against the pace that it was to keep."""

    requests: int
    late_s: float = 0.0


class Target(msgspec.Struct, frozen=True):
    """Where the shop is (`base`, no slash at the end), and which addresses are ours: `run` is 1..250, another one each time."""

    base: str
    run: int

    def item(self, number: int) -> str:
        """The address of one thing in the catalogue."""
        return f"{self.base}/api/items/{number}"

    def address(self, client: int, member: int = 1) -> str:
        """The source address of a client (1..250), or of one of its members."""
        return f"127.{self.run}.{client}.{member}"


def rhythm(pauses: Iterable[float], count: int) -> Iterator[tuple[int, float]]:
    """0..count-1, one after each pause (seconds), on a schedule: a slow answer shortens the next; and how late each is, in s.

    The schedule begins when the first is done: its handshake, held up on a busy machine, is no part of the rhythm.  Ends after LONGEST_S.
    """
    started = due = time.monotonic()
    for number, pause in zip(range(count), pauses, strict=False):
        due += pause
        time.sleep(max(0.0, due - time.monotonic()))
        now = time.monotonic()
        if now - started > LONGEST_S:
            return
        yield number, now - due
        if number == 0:
            due = time.monotonic()


def evenly(seconds: float) -> Iterator[float]:
    """The same pause for ever."""
    return itertools.repeat(seconds)


def irregularly(mean_s: float, seed: int) -> Iterator[float]:
    """Random pauses (exponential): what a scraper does that has read about timers."""
    draw = random.Random(seed)
    while True:
        yield draw.expovariate(1 / mean_s)


def curl(target: Target, number: int, paths: list[str]) -> Sent:
    """The command curl as it comes, one call for all paths."""
    command = shutil.which("curl")
    if command is None:
        raise MachineError("the command curl is missing; install it with your system's packages")
    urls = [part for path in paths for part in ("--output", "/dev/null", target.base + path)]
    subprocess.run(  # noqa: S603 - our own arguments
        [command, "--silent", "--insecure", "--max-time", "10", "--interface", target.address(number), *urls],
        check=False,
        capture_output=True,
        timeout=30,
    )
    return Sent(len(paths))


def _requests_session(address: str, headers: dict[str, str]) -> Any:
    import requests
    from requests.adapters import HTTPAdapter

    class FromAddress(HTTPAdapter):
        """Connects from one address."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs, source_address=(address, 0))

    session = requests.Session()
    session.verify = False
    session.trust_env = False
    session.mount("https://", FromAddress())
    session.headers.update(headers)
    return session


def python_requests(target: Target, number: int, headers: dict[str, str], items: list[int], pauses: Iterable[float]) -> Sent:
    """The library requests, with its own TLS and the headers given on top of its own."""
    with _requests_session(target.address(number), headers) as session:
        return _take(lambda item: session.get(target.item(item), timeout=TIMEOUT_S), items, pauses)


def _browser_headers(target: Target) -> dict[str, str | None]:
    """What a page's own fetch() sends, over the navigation headers that curl_cffi would send."""
    return {
        "Accept": "*/*",
        "Referer": f"{target.base}/items?page=1",
        "Sec-Fetch-Dest": "empty",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-User": None,
        "Upgrade-Insecure-Requests": None,
        "Priority": "u=1, i",
    }


# What a followed link sends, over the same.
_PAGE: dict[str, str | None] = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
    "Upgrade-Insecure-Requests": "1",
    "Priority": "u=0, i",
}


def _imitator(target: Target, address: str, browser: str, headers: dict[str, str | None] | None = None) -> Any:
    from curl_cffi import requests as curl_requests

    return curl_requests.Session(
        impersonate=browser,
        interface=address,
        verify=False,
        timeout=TIMEOUT_S,
        headers={**_browser_headers(target), **(headers or {})},
    )


def imitated_browser(target: Target, number: int, browser: str, items: list[int], pauses: Iterable[float]) -> Sent:
    """curl_cffi: a browser's TLS, HTTP/2 and headers to the byte, without the browser."""
    with _imitator(target, target.address(number), browser) as session:
        return _take(lambda item: session.get(target.item(item)), items, pauses)


def surfing_browser(target: Target, number: int, pages: list[int], pauses: Iterable[float]) -> Sent:
    """curl_cffi as Chrome opens pages of the list, one after the other, and keeps its cookies as a browser does."""
    with _imitator(target, target.address(number), "chrome", _PAGE) as session:
        return _take(lambda page: session.get(f"{target.base}/items?page={page}"), pages, pauses)


def one_session(target: Target, number: int, items: list[int], pauses: Iterable[float]) -> Sent:
    """curl_cffi as Chrome opens two pages, as a person would, and takes prices on the session that it was given."""
    with _imitator(target, target.address(number), "chrome") as session:

        def get(item: int) -> object:
            if item > 0:
                return session.get(target.item(item))
            return session.get(f"{target.base}/items?page={1 - item}", headers=_PAGE)

        return _take(get, [0, -1, *items], pauses)


def many_addresses(target: Target, number: int, browser: str, members: int, items: list[int], pauses: Iterable[float]) -> Sent:
    """The same from many addresses of one network, each taking its turn."""
    sessions = [_imitator(target, target.address(number, member), browser) for member in range(1, members + 1)]
    turns = itertools.cycle(sessions)
    try:
        return _take(lambda item: next(turns).get(target.item(item)), items, pauses)
    finally:
        for session in sessions:
            session.close()


def _take(get: Callable[[int], object], items: list[int], pauses: Iterable[float]) -> Sent:
    """Takes the items in order; a request that fails counts as sent."""
    sent, late_s = 0, 0.0
    for number, behind_s in rhythm(pauses, len(items)):
        # Both libraries derive their errors from OSError: a refused or broken connection is the report's business.
        with contextlib.suppress(OSError):
            get(items[number])
        sent += 1
        late_s += behind_s
    return Sent(sent, late_s / max(1, sent))


def shuffled(count: int, seed: int) -> list[int]:
    """`count` different items in random order."""
    return random.Random(seed).sample(range(1, ITEMS + 1), count)
