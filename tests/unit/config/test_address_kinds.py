"""botsieve.config.address_kinds"""

from __future__ import annotations

import pytest
from botsieve.config.address_kinds import Asn, CountedNetwork, Country, HeaderName, HostName, Listen, UrlPath
from botsieve.config.kinds import Kind
from pydantic_core import PydanticCustomError


def refused(kind: Kind, value: object) -> str:
    """The mistake, "" for a value that is accepted."""
    try:
        kind.take(value)
    except PydanticCustomError as error:
        return error.message()
    return ""


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("/", True),
        ("/api/", True),
        ("/a/*/b", True),
        ("/*/", True),
        ("/söß", True),
        ("/.well-known/", True),
        ("/a/.b", True),
        ("/100%", True),
        ("api", False),
        ("/a*", False),
        ("/a?b", False),
        ("/a#b", False),
        ("/a%2Fb", False),
        ("/a//b", False),
        ("/a/../b", False),
        ("/a/.", False),
        ("/a\n", False),
        ("", False),
    ],
)
def test_a_path_is_one_that_can_match(path: str, fine: bool) -> None:
    """What the canonical path of a request can never be is refused."""
    assert (refused(UrlPath(), path) == "") is fine


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("DE", ""),
        ("XK", ""),
        ("de", "did you mean DE?"),
        ("UK", "did you mean GB?"),
        ("Germany", "is no country"),
        ("", "is no country"),
        (False, "is no country"),
    ],
)
def test_a_country_is_two_capitals(value: object, said: str) -> None:
    """As databases write it; what no database knows is told with what was meant."""
    found = refused(Country(), value)
    assert (said in found) if said else (found == "")


@pytest.mark.parametrize(
    ("value", "said"),
    [(1, ""), (2**32 - 1, ""), (0, "too small"), (2**32, "too large"), ("AS64500", "did you mean 64500?"), ("x", "no number")],
)
def test_a_network_is_a_number(value: object, said: str) -> None:
    """An ASN of 32 bits, without letters."""
    found = refused(Asn(), value)
    assert (said in found) if said else (found == "")


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("unix:/run/x.sock", True),
        ("127.0.0.1:9480", True),
        ("[::1]:9480", True),
        ("localhost:1", True),
        (":9480", False),
        ("127.0.0.1:0", False),
        ("127.0.0.1:65536", False),
        ("1.2.3:80", False),
        ("[::z]:80", False),
        ("[1:2]:80", False),
        ("unix:relative", False),
        ("9480", False),
    ],
)
def test_a_listen_address_is_one_that_can_be_bound(text: str, fine: bool) -> None:
    """Sockets, IPv4, IPv6 in brackets, localhost."""
    assert (refused(Listen(), text) == "") is fine


def test_hosts_headers_and_networks_have_one_spelling() -> None:
    """Lower case for names, canonical text for counted networks."""
    assert HostName().take("*.Example.COM") == "*.example.com"
    assert HeaderName().take("X-Api-Key") == "x-api-key"
    assert CountedNetwork().take("2001:DB8:7:0::/48") == "2001:db8:7::/48"
    assert refused(CountedNetwork(), "203.0.113.7")
