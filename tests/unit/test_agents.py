"""agents.py: who a User-Agent says it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.agents import LOOK_AT, NOBODY, Agent, AgentBook, parse_agent
from hypothesis import given
from hypothesis import strategies as st

REAL = (Path(__file__).parents[1] / "data/ua/browsers.txt").read_bytes().splitlines()
FAMILIES = {"chrome", "edge", "opera", "samsung", "webview", "firefox", "safari", "ie", "android", ""}

MAC = b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
IPHONE = b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
WINDOWS = b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
ANDROID = b"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("user_agent", "family", "engine", "version", "platform"),
    [
        (WINDOWS + b"Chrome/140.0.0.0 Safari/537.36", "chrome", "chromium", 140, "windows"),
        (WINDOWS + b"Chrome/154.0.0.0 Safari/537.36 Edg/154.0.0.0", "edge", "chromium", 154, "windows"),
        (WINDOWS + b"Chrome/152.0.0.0 Safari/537.36 OPR/136.0.0.0", "opera", "chromium", 152, "windows"),
        (ANDROID + b"SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36", "samsung", "chromium", 136, "android"),
        (ANDROID + b"Version/4.0 Chrome/153.0.8010.36 Mobile Safari/537.36", "webview", "chromium", 153, "android"),
        (b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "firefox", "gecko", 140, "linux"),
        (b"Mozilla/5.0 (Android 17; Mobile; rv:156.0) Gecko/156.0 Firefox/156.0", "firefox", "gecko", 156, "android"),
        (MAC + b"Version/17.6 Safari/605.1.15", "safari", "webkit", 17, "macos"),
        (IPHONE + b"Version/26.6.1 Mobile/15E148 Safari/604.1", "safari", "webkit", 26, "ios"),
        # Every browser of iOS is WebKit, also when it asks for the desktop site; its own number says nothing of WebKit's.
        (IPHONE + b"CriOS/148.0.0.0 Mobile/15E148 Safari/604.1", "chrome", "webkit", 0, "ios"),
        (IPHONE + b"FxiOS/150.0 Mobile/15E148 Safari/605.1.15", "firefox", "webkit", 0, "ios"),
        (IPHONE + b"EdgiOS/153.0.4234.46 Version/26.0 Mobile/15E148 Safari/604.1", "edge", "webkit", 0, "ios"),
        (MAC + b"CriOS/119 Version/11.1.1 Safari/605.1.15", "chrome", "webkit", 0, "macos"),
        # What is not sure has no engine: emulators, mixtures, WebKit elsewhere than at Apple's, engines of old.
        (b"Mozilla/5.0 (iPhone; CPU iPhone OS 11_0) AppleWebKit/537.36 Chrome/40.0.1567.1276 Safari/537.36", "", "", 0, "ios"),
        (MAC + b"Chrome/139.0.0.0 Safari/605.1.15", "chrome", "", 139, "macos"),
        (b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15", "safari", "", 17, "linux"),
        (b"Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "ie", "", 11, "windows"),
        (b"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1)", "ie", "", 8, "windows"),
        (b"Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16", "opera", "", 12, "linux"),
        (b"Mozilla/5.0", "", "", 0, ""),
    ],
)
def test_browsers(user_agent: bytes, family: str, engine: str, version: int, platform: str) -> None:
    """Family, engine, version and platform of browsers as they write them."""
    agent = parse_agent(user_agent)
    assert (agent.family, agent.engine, agent.version, agent.platform) == (family, engine, version, platform)
    assert agent.claims_browser
    assert not agent.says_program


@pytest.mark.parametrize(
    ("user_agent", "token"),
    [
        (b"curl/7.88.1", "curl"),
        (b"python-requests/2.34.2", "python"),
        (b"Python/3.11 aiohttp/3.14", "python"),
        (b"okhttp/5.1.0", "okhttp"),
        (b"Go-http-client/2.0", "go"),
        (b"Java/17.0.15", "java"),
        (b"axios/1.7.2", "node"),
        (b"Wget/1.21.3", "wget"),
        (b"Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.963 PowerShell/5.1", "powershell"),
        (b"a shop's own thing", ""),
    ],
)
def test_programs(user_agent: bytes, token: str) -> None:
    """What does not begin as browsers do says that it is a program; its family is named where it is known."""
    agent = parse_agent(user_agent)
    assert agent.says_program
    assert not agent.claims_browser
    assert agent.token == token


@pytest.mark.parametrize("user_agent", [b"", b"   ", b"\t"])
def test_nobody(user_agent: bytes) -> None:
    """No User-Agent is a program's, and claims nothing."""
    assert parse_agent(user_agent) == NOBODY


def test_crawlers_do_not_claim_to_be_the_browser_that_they_quote() -> None:
    """Googlebot with Chrome's User-Agent is Googlebot; one that cannot be verified is known by name."""
    google = parse_agent(b"Mozilla/5.0 AppleWebKit/537.36 (compatible; bingbot/2.0; +http://x) Chrome/116 Safari/537.36")
    assert (google.crawler, google.verifiable, google.claims_browser, google.family) == ("bingbot", True, False, "")
    majestic = parse_agent(b"Mozilla/5.0 (compatible; MJ12bot/v1.4.4; http://www.majestic12.co.uk/bot.php?+)")
    assert (majestic.crawler, majestic.verifiable, majestic.claims_browser) == ("MJ12bot", False, False)


def test_headless_chrome_is_both() -> None:
    """It says that it is driven by a program, and it is held to what Chrome sends."""
    agent = parse_agent(b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/156.0.0.0 Safari/537.36")
    assert agent.claims_browser
    assert agent.says_program
    assert (agent.family, agent.version, agent.crawler) == ("chrome", 156, "HeadlessChrome")


def test_a_word_buys_no_free_pass() -> None:
    """Who adds `bot` to a browser's User-Agent is still held to that browser; who names no browser is not."""
    assert parse_agent(WINDOWS + b"Chrome/140.0.0.0 Safari/537.36 (acmebot)").claims_browser
    honest = parse_agent(b"Mozilla/5.0 (compatible; AcmeBot/1.0; +https://acme.example/bot)")
    assert honest.says_program
    assert not honest.claims_browser


@pytest.mark.parametrize("user_agent", REAL)
def test_real_browsers_are_browsers(user_agent: bytes) -> None:
    """User-Agents of real visitors claim a browser and nothing else."""
    agent = parse_agent(user_agent)
    assert agent.claims_browser
    assert not agent.says_program
    assert not agent.crawler


_PARTS = st.sampled_from(
    b"Mozilla/5.0 |(iPhone|Android|) AppleWebKit/537.36 |Chrome/|Firefox/|Gecko/|Version/|Safari/|99999999|bot|curl|Edg/|MSIE "
    b"|\xff\x00|compatible;|Googlebot/2.1".split(b"|")
)


@given(st.one_of(st.binary(max_size=3000), st.lists(_PARTS, max_size=40).map(b"".join)))
def test_any_bytes_give_an_agent(user_agent: bytes) -> None:
    """Any bytes give an Agent whose texts are our own; nothing beyond LOOK_AT matters."""
    agent = parse_agent(user_agent)
    assert agent == parse_agent(user_agent[:LOOK_AT])
    assert agent.family in FAMILIES
    assert 0 <= agent.version <= 9999
    assert (agent.token + agent.crawler).isascii()
    assert agent.claims_browser or agent.says_program


@given(st.lists(st.binary(max_size=8)))
def test_the_book_says_what_the_parser_says(user_agents: list[bytes]) -> None:
    """Remembered or not, the answer is the same, and the memory is bounded."""
    book = AgentBook(size=3)
    for user_agent in user_agents + user_agents:
        assert book.read(user_agent) == parse_agent(user_agent)
    assert len(book) <= 6


def test_long_user_agents_are_not_kept() -> None:
    """The book holds nothing longer than LOOK_AT bytes, and still reads it."""
    book = AgentBook(size=3)
    assert book.read(b"curl/8 " + b"x" * 9000) == Agent(says_program=True, token="curl")
    assert len(book) == 0
