"""Who a User-Agent says it is: a browser (which, and which engine), a program, a crawler, or nobody.

Law of the file: it reads claims and believes none.  Any bytes give an Agent, in time linear in at most LOOK_AT bytes; what is
not sure stays empty, because the detectors hold only contradictions against a client.  Every text in an Agent is from our
own lists.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from botsieve.crawlers import AUTOMATION, Crawlers
from botsieve.remembered import Answers

LOOK_AT = 1024  # bytes of a User-Agent that are read; guess: the longest of 10,000 real ones (intoli, 2026) has 411

CHROMIUM, GECKO, WEBKIT = "chromium", "gecko", "webkit"


class Agent(msgspec.Struct, frozen=True, gc=False):
    """What one User-Agent claims.

    `family`: chrome, edge, opera, samsung, webview, firefox, safari, ie, android, "" (none named).  `engine`: chromium, gecko,
    webkit, "" (not sure: nothing is held against it).  `version`: major of the engine's browser (Chrome's for every fork of
    Chromium, Firefox's, Safari's), 0 if unknown.  `platform`: windows, macos, linux, chromeos, android, ios, "".
    `claims_browser` and `says_program` may both hold (headless Chrome says that it is both).  `token`: family of the program,
    "" if unknown.  `crawler`: its name, "" if none; `verifiable`: its operator publishes how to verify it.
    """

    family: str = ""
    engine: str = ""
    version: int = 0
    platform: str = ""
    claims_browser: bool = False
    says_program: bool = False
    token: str = ""
    crawler: str = ""
    verifiable: bool = False


NOBODY = Agent(says_program=True)

# Lower-case marks of programs, first match wins, and the family that they belong to.
_PROGRAMS: tuple[tuple[bytes, str], ...] = (
    (b"python-requests", "python"),
    (b"python-urllib", "python"),
    (b"python/", "python"),
    (b"aiohttp", "python"),
    (b"httpx", "python"),
    (b"urllib3", "python"),
    (b"scrapy", "python"),
    (b"httpie", "python"),
    (b"curl", "curl"),
    (b"wget", "wget"),
    (b"go-http-client", "go"),
    (b"fasthttp", "go"),
    (b"colly", "go"),
    (b"okhttp", "okhttp"),
    (b"java/", "java"),
    (b"java-http-client", "java"),
    (b"apache-httpclient", "java"),
    (b"apache-httpasyncclient", "java"),
    (b"axios", "node"),
    (b"node-fetch", "node"),
    (b"undici", "node"),
    (b"node.js", "node"),
    (b"node", "node"),
    (b"got (", "node"),
    (b"guzzle", "php"),
    (b"php", "php"),
    (b"ruby", "ruby"),
    (b"faraday", "ruby"),
    (b"libwww-perl", "perl"),
    (b"lwp", "perl"),
    (b"powershell", "powershell"),
    (b"dotnet", "dotnet"),
    (b"reqwest", "rust"),
    (b"dart", "dart"),
    (b"postman", "postman"),
    (b"grpc-", "grpc"),
    (b"cfnetwork", "cfnetwork"),
    (b"dalvik", "android"),
)

# Words by which a program introduces itself inside an otherwise browser-like User-Agent.
_INTRODUCTIONS = (b"://", b"compatible;", b"bot", b"Bot", b"BOT", b"crawl", b"Crawl", b"spider", b"Spider", b"@")

_PLATFORMS: tuple[tuple[bytes, str], ...] = (
    (b"iPhone", "ios"),
    (b"iPad", "ios"),
    (b"iPod", "ios"),
    (b"Android", "android"),
    (b"Windows", "windows"),
    (b"CrOS", "chromeos"),
    (b"Macintosh", "macos"),
    (b"Linux", "linux"),
    (b"X11", "linux"),
)

# Chromium's forks that name themselves; the others (Brave, Vivaldi ...) go as `chrome`, which is what they say.
_FORKS: tuple[tuple[bytes, str], ...] = (
    (b" Edg/", "edge"),
    (b" EdgA/", "edge"),
    (b" OPR/", "opera"),
    (b"SamsungBrowser/", "samsung"),
)
_IOS: tuple[tuple[bytes, str], ...] = (
    (b"CriOS/", "chrome"),
    (b"FxiOS/", "firefox"),
    (b"EdgiOS/", "edge"),
    (b"OPiOS/", "opera"),
    (b"OPT/", "opera"),
)


def parse_agent(user_agent: bytes, known: Crawlers | None = None) -> Agent:
    """What these bytes claim.  `known`: the list of crawlers, by default the packaged one.  Never raises."""
    ua = user_agent[:LOOK_AT]
    if not ua.strip():
        return NOBODY
    listed = known or Crawlers.builtin()
    if crawler := listed.verifiable(ua):
        return Agent(says_program=True, crawler=crawler, verifiable=True)
    crawler = listed.known(ua)
    if not ua.startswith((b"Mozilla/", b"Opera/")):
        return Agent(says_program=True, token=_first(_PROGRAMS, ua.lower()), crawler=crawler, platform=_first(_PLATFORMS, ua))
    return _mozilla(ua, crawler)


def _mozilla(ua: bytes, crawler: str) -> Agent:
    family, engine, version = _browser(ua)
    of = partial(Agent, family, engine, version, _first(_PLATFORMS, ua))
    if family and crawler in AUTOMATION:
        return of(True, True, crawler=crawler)
    introduces = family != "ie" and any(word in ua for word in _INTRODUCTIONS)
    if crawler and (introduces or not engine):
        # A crawler on the list that uses a browser's name as its first: it does not claim to be that browser.
        return Agent(says_program=True, crawler=crawler)
    if not family and b"PowerShell/" in ua:
        return Agent(says_program=True, token="powershell")  # noqa: S106
    if introduces:
        # Nobody we know.  Where it names a browser too, it is held to that: otherwise one word would buy a free pass.
        return of(bool(engine), True)
    return of(True, False)


def _browser(ua: bytes) -> tuple[str, str, int]:
    """Family, engine and version that a `Mozilla/` or `Opera/` User-Agent names."""
    if b"Trident/" in ua or b"MSIE " in ua:
        return "ie", "", _number(ua, b"MSIE ") or _number(ua, b"rv:")
    if b"iPhone" in ua or b"iPad" in ua or b"iPod" in ua or b"iOS/" in ua:  # CriOS/ also when it asks for the desktop site
        return _ios(ua)
    if b"Firefox/" in ua and b"Gecko/" in ua:
        return "firefox", GECKO, _number(ua, b"Firefox/")
    if b"Edge/" in ua:
        return "edge", "", _number(ua, b"Edge/")  # EdgeHTML, until 2020
    if b"Chrome/" in ua or b"Chromium/" in ua:
        return _chromium(ua)
    if b"Safari/" in ua:
        return _safari(ua)
    return ("opera", "", _number(ua, b"Version/")) if ua.startswith(b"Opera/") else ("", "", 0)


def _ios(ua: bytes) -> tuple[str, str, int]:
    """Every browser of iOS is WebKit; only Safari's own number tells which.  `Chrome/` there is an emulator's User-Agent."""
    family = _first(_IOS, ua)
    if family:
        return family, WEBKIT, 0
    if b"Chrome/" in ua or b"AppleWebKit/" not in ua:
        return "", "", 0
    return "safari", WEBKIT, _number(ua, b"Version/")


def _chromium(ua: bytes) -> tuple[str, str, int]:
    version = _number(ua, b"Chrome/") or _number(ua, b"Chromium/")
    if b"AppleWebKit/537.36" not in ua:
        return "chrome", "", version  # before Blink (2013), or a mixture such as `AppleWebKit/605.1.15 ... Chrome/139`
    if b"; wv)" in ua or b" Version/4.0 Chrome/" in ua:
        return "webview", CHROMIUM, version
    return _first(_FORKS, ua) or "chrome", CHROMIUM, version


def _safari(ua: bytes) -> tuple[str, str, int]:
    if b"Android" in ua:
        return "android", "", 0  # the browser of Android 1 to 4
    # Elsewhere than on Apple's systems WebKit has another TLS library (Epiphany: GnuTLS).
    engine = WEBKIT if b"Mac OS X" in ua and b"Version/" in ua else ""
    return "safari", engine, _number(ua, b"Version/")


def _first(table: tuple[tuple[bytes, str], ...], text: bytes) -> str:
    return next((word for mark, word in table if mark in text), "")


def _number(ua: bytes, mark: bytes) -> int:
    """The number of at most four digits that follows `mark`; 0 if there is none."""
    at = ua.find(mark)
    if at < 0:
        return 0
    digits = ua[at + len(mark) : at + len(mark) + 4]
    end = next((i for i, byte in enumerate(digits) if not 0x30 <= byte <= 0x39), len(digits))
    return int(digits[:end] or b"0")


class AgentBook:
    """Remembers the Agents of the User-Agents seen lately, at most twice `size`; about 0.1 us on a hit."""

    __slots__ = ("_book", "read")

    def __init__(self, size: int = 4096, known: Crawlers | None = None) -> None:
        listed = known or Crawlers.builtin()
        self._book: Answers[bytes, Agent] = Answers(size, lambda ua: parse_agent(ua, listed), lambda ua: len(ua) <= LOOK_AT)
        self.read: Callable[[bytes], Agent] = self._book.__getitem__
        """The Agent of these bytes."""

    def __len__(self) -> int:
        """How many Agents are remembered."""
        return self._book.held
