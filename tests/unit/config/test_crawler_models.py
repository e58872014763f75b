"""botsieve.config.crawler_models"""

from __future__ import annotations

import pytest
from botsieve.config import loads
from botsieve.config.crawler_models import CrawlerDomain, DnsServer, host_and_port
from botsieve.crawlers import OwnCrawler
from botsieve.errors import ConfigError
from pydantic_core import PydanticCustomError


def test_an_entry_of_three_fields() -> None:
    """Name, text of the User-Agent, domain [S2-14]: as the engine uses them."""
    text = b"crawlers: {own: [{name: our search, agent: Acme-Search/2, domain: .search.Acme.example}]}\n"
    crawlers = loads(text).rulebook.crawlers
    assert crawlers is not None
    assert crawlers.own == (OwnCrawler("our-search", "acme-search/2", ("search.acme.example",)),)
    assert loads(b"bot_at: 60\n").rulebook.crawlers is None


@pytest.mark.parametrize(
    "written", ["search.example.com", ".search.example.com", "*.search.example.com", "Search.Example.COM."]
)
def test_the_spellings_of_a_domain(written: str) -> None:
    """As F5 writes it and as others do: one meaning."""
    assert CrawlerDomain().take(written) == "search.example.com"


@pytest.mark.parametrize(
    "written", ["com", ".com", "*.com", "*", "", "a..b", "*.*.example.com", "x y.example", "-.example.com", 5]
)
def test_what_is_no_domain(written: object) -> None:
    """A top-level domain would verify half of the world."""
    with pytest.raises(PydanticCustomError, match="accepted"):
        CrawlerDomain().take(written)


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
    ],
)
def test_dns_servers(written: str, server: tuple[str, int]) -> None:
    """An address with or without a port."""
    assert host_and_port(str(DnsServer().take(written))) == server


@pytest.mark.parametrize(
    "written", ["", "dns.example", "1.2.3", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:", "[::1", "[::1]5353", "::1]:53", ":53", 53]
)
def test_what_is_no_dns_server(written: object) -> None:
    """A name would have to be looked up first."""
    with pytest.raises(PydanticCustomError, match="accepted"):
        DnsServer().take(written)


def test_the_settings_of_dns() -> None:
    """Each reaches the service."""
    dns = "servers: ['192.0.2.53'], timeout_ms: 100, cache_s: 60, negative_cache_s: 61, max_in_flight: 0"
    found = loads(f"crawlers: {{dns: {{{dns}}}}}\n".encode()).service.crawler_dns
    assert found.servers == (("192.0.2.53", 53),)
    assert (found.timeout_ms, found.cache_s, found.negative_cache_s, found.max_in_flight) == (100, 60, 61, 0)


@pytest.mark.parametrize("key", ["name", "agent"])
def test_two_entries_of_one_name_or_text(key: str) -> None:
    """The second is refused, with the place of both."""
    second = {"name": "b", "agent": "bbb"} | {key: {"name": "A", "agent": "AAA"}[key]}
    text = (
        f"crawlers: {{own: [{{name: a, agent: aaa, domain: a.example}}, "
        f"{{name: {second['name']}, agent: {second['agent']}, domain: b.example}}]}}\n"
    )
    with pytest.raises(ConfigError, match=rf"own\[1\]\.{key}: own\[0\] has the same {key}"):
        loads(text.encode())
