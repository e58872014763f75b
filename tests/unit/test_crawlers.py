"""crawlers.py: names of crawlers, and the addresses that their operators publish."""

from __future__ import annotations

import json
import time
from importlib import resources

import pytest
from botsieve.agents import Agent, parse_agent
from botsieve.crawlers import INSIDE, NOT_A_CRAWLER, UNVERIFIED, Crawlers, OwnCrawler
from botsieve.observation import pack_address
from botsieve.ranges import RangeSet
from hypothesis import given
from hypothesis import strategies as st

GOOGLEBOT = b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
STRANGER = pack_address("203.0.113.7")


@pytest.fixture(scope="module")
def crawlers() -> Crawlers:
    return Crawlers.builtin()


def test_inside_its_published_ranges(crawlers: Crawlers) -> None:
    """Googlebot from 66.249.64.0/27 is Googlebot; from elsewhere it is unverified, not a liar."""
    agent = parse_agent(GOOGLEBOT)
    assert crawlers.judge(agent, pack_address("66.249.64.1")) == (INSIDE, "Googlebot")
    assert crawlers.judge(agent, pack_address("2001:4860:4801:10::1")) == (INSIDE, "Googlebot")
    assert crawlers.judge(agent, STRANGER) == (UNVERIFIED, "Googlebot")


@pytest.mark.parametrize(
    ("user_agent", "address", "name"),
    [
        (b"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "31.13.24.1", "facebookexternalhit"),
        (b"Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "20.171.206.9", "GPTBot"),
        (b"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "157.55.39.1", "bingbot"),
        (b"DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)", "20.191.45.212", "DuckDuckBot"),
        (b"Mozilla/5.0 (compatible; AdsBot-Google-Mobile; +http://x)", "66.249.90.1", "AdsBot-Google-Mobile"),
    ],
)
def test_others(crawlers: Crawlers, user_agent: bytes, address: str, name: str) -> None:
    """The longest name on the list wins, and each has the ranges of its own operator."""
    agent = parse_agent(user_agent)
    assert crawlers.judge(agent, pack_address(address)) == (INSIDE, name)
    assert crawlers.judge(agent, STRANGER) == (UNVERIFIED, name)


def test_an_operator_s_range_is_not_another_s(crawlers: Crawlers) -> None:
    """GPTBot from Google's addresses is unverified."""
    assert crawlers.judge(parse_agent(b"GPTBot/1.0"), pack_address("66.249.64.1"))[0] == UNVERIFIED


@pytest.mark.parametrize(
    "name", [b"FeedFetcher-Google", b"Google-Read-Aloud", b"Google-CWS", b"GoogleMessages", b"Google-Pinpoint"]
)
def test_where_anybody_may_have_a_program_nobody_is_verified(crawlers: Crawlers, name: bytes) -> None:
    """user-triggered-fetchers.json lists Google Cloud's customers (gae.googleusercontent.com) too; Google's own have a list of theirs."""
    agent = parse_agent(b"Mozilla/5.0 (compatible; " + name + b")")
    assert crawlers.judge(agent, pack_address("34.64.6.1"))[0] == UNVERIFIED
    assert crawlers.judge(agent, pack_address("64.233.172.1"))[0] == INSIDE


@pytest.mark.parametrize(
    "user_agent", [b"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", b"Baiduspider/2.0"]
)
def test_verified_by_name_only(crawlers: Crawlers, user_agent: bytes) -> None:
    """A crawler whose operator publishes a DNS name and no ranges is unverified everywhere, so neutral."""
    agent = parse_agent(user_agent)
    assert agent.verifiable
    assert crawlers.judge(agent, STRANGER)[0] == UNVERIFIED


@pytest.mark.parametrize("user_agent", [b"Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", b"curl/8", b""])
def test_all_others(crawlers: Crawlers, user_agent: bytes) -> None:
    """Programs, and crawlers that stand for nobody we let in, are no verifiable crawlers."""
    assert crawlers.judge(parse_agent(user_agent), pack_address("66.249.64.1")) == (NOT_A_CRAWLER, "")


def test_libraries_of_the_seed_are_not_on_the_list_of_names(crawlers: Crawlers) -> None:
    """curl and its like are `bot_useragent`; counting them twice would block an honest program."""
    for user_agent in (
        b"curl/8",
        b"Wget/1",
        b"python-requests/2",
        b"Go-http-client/2.0",
        b"okhttp/5",
        b"axios/1",
        b"node-fetch/1",
    ):
        assert crawlers.known(user_agent) == ""


def test_names_are_printable(crawlers: Crawlers) -> None:
    """Each name can stand in a header and in a log line."""
    for agent in (parse_agent(GOOGLEBOT), parse_agent(b"MJ12bot"), parse_agent(b"yandex.com/bots")):
        assert agent.crawler
        assert all(mark.isalnum() or mark in "._-" for mark in agent.crawler)


@pytest.mark.parametrize(
    ("user_agent", "domain"),
    [
        (b"Mozilla/2.0 (compatible; Ask Jeeves/Teoma; +http://about.ask.com/en/docs/about/webmasters.shtml)", "ask.com"),
        (b"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "msn.com"),
        (GOOGLEBOT, "googlebot.com"),
        (b"Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)", "yahoo.net"),
    ],
)
def test_the_four_of_f5(crawlers: Crawlers, user_agent: bytes, domain: str) -> None:
    """Ask, Bing, Google and Yahoo are on the list, each with the domain that F5 names."""
    assert crawlers.domains(parse_agent(user_agent).crawler) == (domain,)


def test_domains(crawlers: Crawlers) -> None:
    """Others have theirs; a fetcher that anybody can send has none, and neither has who is nobody."""
    assert crawlers.domains(parse_agent(b"YandexBot/3.0").crawler) == ("yandex.ru", "yandex.net", "yandex.com")
    assert crawlers.domains(parse_agent(b"FeedFetcher-Google").crawler) == ()
    assert crawlers.domains("") == ()
    document = json.loads(resources.files("botsieve").joinpath("data/crawlers.json").read_bytes())
    for entry in document["verified"]:
        assert all("." in domain and domain == domain.lower().strip(".") for domain in entry["domains"]), entry["name"]


class TestOwn:
    def test_an_entry_of_the_operators(self, crawlers: Crawlers) -> None:
        """It is found by its text, in any case; everybody else as before."""
        listed = crawlers.with_own((OwnCrawler("acme", "acme-search", ("acme.example",)),))
        assert listed.verifiable(b"Mozilla/5.0 (compatible; Acme-Search/2)") == "acme"
        assert listed.domains("acme") == ("acme.example",)
        assert listed.verifiable(GOOGLEBOT) == "Googlebot"
        assert listed.known(b"MJ12bot/1") == crawlers.known(b"MJ12bot/1") != ""
        assert listed.judge(Agent(crawler="acme", verifiable=True), STRANGER) == (UNVERIFIED, "acme")
        assert crawlers.verifiable(b"acme-search/2") == ""
        assert crawlers.with_own(()) is crawlers

    @pytest.mark.parametrize(("name", "agent"), [("Google", "googlebot"), ("Googlebot", "googlebot")])
    def test_a_known_crawlers_text(self, crawlers: Crawlers, name: str, agent: str) -> None:
        """F5's own form of an entry: its domain is added, the published ranges stay."""
        listed = crawlers.with_own((OwnCrawler(name, agent, ("mirror.example",)),))
        found = listed.verifiable(GOOGLEBOT)
        assert found == name
        assert listed.domains(name) == ("mirror.example", "googlebot.com")
        assert listed.judge(Agent(crawler=name, verifiable=True), pack_address("66.249.64.1")) == (INSIDE, name)

    def test_the_longest_text_wins(self, crawlers: Crawlers) -> None:
        """An entry with a short text takes nobody else's name away."""
        listed = crawlers.with_own((OwnCrawler("short", "goog", ("x.example",)),))
        assert listed.verifiable(GOOGLEBOT) == "Googlebot"
        assert listed.verifiable(b"Goog/1") == "short"


def test_a_list_of_one_s_own() -> None:
    """A list is data: names, tokens and ranges as given; one without ranges is never inside."""
    ranges = {"acme": RangeSet.parse(["203.0.113.0/24"])}
    named = [("other", b"Otherbot", ""), ("first", b"First", "start")]
    own = Crawlers([("acme", b"acmebot"), ("none", b"nonebot")], ranges, named)
    assert own.judge(Agent(crawler="acme", verifiable=True), STRANGER) == (INSIDE, "acme")
    assert own.judge(Agent(crawler="none", verifiable=True), STRANGER) == (UNVERIFIED, "none")
    assert own.verifiable(b"Mozilla/5.0 (compatible; AcmeBot/1)") == "acme"
    assert own.known(b"Otherbot/1") == "other"
    assert own.known(b"First/1") == "first"
    assert own.known(b"not First/1") == ""


@given(st.binary(max_size=2000))
def test_any_bytes(user_agent: bytes) -> None:
    """No byte of a User-Agent is an error."""
    crawlers = Crawlers.builtin()
    assert isinstance(crawlers.verifiable(user_agent), str)
    assert isinstance(crawlers.known(user_agent), str)
    assert crawlers.judge(parse_agent(user_agent), STRANGER)[0] != INSIDE


def test_no_text_is_slow() -> None:
    """A User-Agent made of the list's own names, whole or cut, costs at most some hundred looks: 1.5 ms on a busy machine."""
    document = json.loads(resources.files("botsieve").joinpath("data/crawlers.json").read_bytes())
    texts = [entry["text"].encode() for entry in document["names"]]
    crawlers = Crawlers.builtin()
    for cut in (0, 1):
        for start in range(0, len(texts), 50):
            evil = b" ".join(text[: len(text) - cut] for text in texts[start : start + 100])[:1024]
            took_s = []
            for _ in range(5):
                began_s = time.thread_time()
                crawlers.known(evil)
                crawlers.verifiable(evil)
                took_s.append(time.thread_time() - began_s)
            assert min(took_s) < 0.0015
