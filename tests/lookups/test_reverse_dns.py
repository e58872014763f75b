"""lookups/reverse_dns.py: the whole matrix of forward-confirmed reverse DNS, against real servers on loopback."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator

import dns.name
import dns.rcode
import pytest
from botsieve.lookups.dns_client import DnsClient, Server
from botsieve.lookups.reverse_dns import MAX_NAMES, verify
from botsieve.observation import pack_address
from botsieve.verifications import REFUTED, UNVERIFIED, VERIFIED, Question

from tests.lookups.dns_servers import Dnsmasq, Say, Scripted, zone

GOOGLEBOT = ("googlebot.com",)


def ptr(last: int, *names: str) -> list[str]:
    """The names of 203.0.113.`last`."""
    return [f"ptr-record={last}.113.0.203.in-addr.arpa,{name}" for name in names]


def host(name: str, *addresses: str) -> str:
    return ",".join(("host-record=" + name, *addresses))


# 203.0.113.N: what DNS knows of it, and what follows for somebody who comes from there as Googlebot.
MATRIX: dict[int, tuple[str, list[str], str]] = {
    1: ("one name that leads back", [*ptr(1, "crawl-1.googlebot.com"), host("crawl-1.googlebot.com", "203.0.113.1")], VERIFIED),
    2: (
        "two names: the crawler's does not lead back, a stranger's does",
        [
            *ptr(2, "crawl-2.googlebot.com", "evil.example"),
            host("evil.example", "203.0.113.2"),
            host("crawl-2.googlebot.com", "66.249.66.2"),
        ],
        REFUTED,
    ),
    3: (
        "two names: the crawler's leads back",
        [*ptr(3, "other.example", "crawl-3.googlebot.com"), host("crawl-3.googlebot.com", "203.0.113.3")],
        VERIFIED,
    ),
    4: (
        "the domain is the beginning of a stranger's",
        [*ptr(4, "googlebot.com.evil.example"), host("googlebot.com.evil.example", "203.0.113.4")],
        REFUTED,
    ),
    5: (
        "the domain is the end of a stranger's label",
        [*ptr(5, "crawl.evilgooglebot.com"), host("crawl.evilgooglebot.com", "203.0.113.5")],
        REFUTED,
    ),
    6: (
        "a stranger's name that is an alias of the crawler's",
        [*ptr(6, "alias.example"), "cname=alias.example,crawl-6.googlebot.com", host("crawl-6.googlebot.com", "203.0.113.6")],
        REFUTED,
    ),
    7: (
        "the crawler's name is an alias that leads back",
        [
            *ptr(7, "crawl-7.googlebot.com"),
            "cname=crawl-7.googlebot.com,x.googlebot.com",
            host("x.googlebot.com", "203.0.113.7"),
        ],
        VERIFIED,
    ),
    8: ("no name at all", [], REFUTED),
    9: ("a name that has no address", ptr(9, "crawl-9.googlebot.com"), REFUTED),
    10: (
        "a name with another address",
        [*ptr(10, "crawl-10.googlebot.com"), host("crawl-10.googlebot.com", "66.249.66.10")],
        REFUTED,
    ),
    11: (
        "a name with several addresses, among them this",
        [*ptr(11, "crawl-11.googlebot.com"), *(host("crawl-11.googlebot.com", f"203.0.113.{n}") for n in (99, 11, 98))],
        VERIFIED,
    ),
    12: ("in capitals", [*ptr(12, "CRAWL-12.GoogleBot.COM"), host("crawl-12.googlebot.com", "203.0.113.12")], VERIFIED),
    13: ("deep below the domain", [*ptr(13, "a.b.geo.googlebot.com"), host("a.b.geo.googlebot.com", "203.0.113.13")], VERIFIED),
    14: ("the domain itself", [*ptr(14, "googlebot.com"), host("googlebot.com", "203.0.113.14")], VERIFIED),
    15: (
        "twelve long names, which come over TCP",
        [
            *ptr(15, *(f"{'long-' * 11}{n}.example" for n in range(11)), "crawl-15.googlebot.com"),
            host("crawl-15.googlebot.com", "203.0.113.15"),
        ],
        VERIFIED,
    ),
    16: (
        "1,500 names",
        [*ptr(16, *(f"h{n}.googlebot.com" for n in range(1500))), host("h0.googlebot.com", "203.0.113.16")],
        UNVERIFIED,
    ),
    17: (
        "a name in a zone of which nobody answers",
        [*ptr(17, "crawl-17.googlebot.com"), "server=/crawl-17.googlebot.com/127.0.0.1#9"],
        UNVERIFIED,
    ),
    18: (
        "more names in the domain than are followed",
        ptr(18, *(f"n{n}.googlebot.com" for n in range(MAX_NAMES + 1))),
        UNVERIFIED,
    ),
}
SIX = [
    f"ptr-record={'.'.join(reversed('20010db8' + '0' * 23 + '6'))}.ip6.arpa,crawl-six.googlebot.com",
    host("crawl-six.googlebot.com", "2001:db8::6"),
]


@pytest.fixture(scope="module")
def dnsmasq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dnsmasq]:
    lines = [line for _, known, _ in MATRIX.values() for line in known]
    with Dnsmasq(tmp_path_factory.mktemp("dns"), [*lines, *SIX], ("com", "example")) as server:
        yield server


def found(address: str, *servers: Server, domains: tuple[str, ...] = GOOGLEBOT, timeout_s: float = 20.0) -> str:
    question = Question("Googlebot", pack_address(address), domains)
    return asyncio.run(verify(DnsClient(servers, timeout_s).ask, question))


def found_by(say: Say, address: str = "203.0.113.77", domains: tuple[str, ...] = GOOGLEBOT) -> str:
    with Scripted(say) as server:
        return found(address, server.server, domains=domains)


@pytest.mark.parametrize("last", MATRIX, ids=lambda last: MATRIX[last][0])
def test_the_matrix(dnsmasq: Dnsmasq, last: int) -> None:
    """The name that lies in the crawler's domain has to lead back to the address; nothing else verifies anybody."""
    wanted = MATRIX[last][2]
    # Whoever waits in vain comes to the same after any time.
    assert found(f"203.0.113.{last}", dnsmasq.server, timeout_s=1.0 if wanted == UNVERIFIED else 20.0) == wanted


def test_ipv6(dnsmasq: Dnsmasq) -> None:
    """By ip6.arpa and AAAA; its neighbour has no name."""
    assert found("2001:db8::6", dnsmasq.server) == VERIFIED
    assert found("2001:db8::7", dnsmasq.server) == REFUTED


def test_another_crawlers_domain(dnsmasq: Dnsmasq) -> None:
    """Googlebot's address is not Bing's; with several domains each is one."""
    assert found("203.0.113.1", dnsmasq.server, domains=("msn.com",)) == REFUTED
    assert found("203.0.113.1", dnsmasq.server, domains=("msn.com", "googlebot.com")) == VERIFIED


def test_dns_that_hangs_or_stops(dnsmasq: Dnsmasq) -> None:
    """A server that is frozen, silent or gone: no answer, no lie."""
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert found("203.0.113.8", silent.getsockname(), timeout_s=0.2) == UNVERIFIED
    dnsmasq.popen.send_signal(signal.SIGSTOP)
    try:
        assert found("203.0.113.8", dnsmasq.server, timeout_s=0.2) == UNVERIFIED
    finally:
        dnsmasq.popen.send_signal(signal.SIGCONT)
    assert found("203.0.113.8", ("127.0.0.1", 9), timeout_s=0.2) == UNVERIFIED
    assert found("203.0.113.8", dnsmasq.server) == REFUTED


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.FORMERR, dns.rcode.NOTIMP])
def test_a_failing_server(rcode: dns.rcode.Rcode) -> None:
    """Says nothing about anybody."""
    assert found_by(zone({}, rcode)) == UNVERIFIED


def test_a_reverse_zone_that_is_delegated_by_cname() -> None:
    """RFC 2317: the name of an address may be reached by a CNAME in the reverse zone."""
    say = zone(
        {
            ("77.113.0.203.in-addr.arpa.", "CNAME"): ["77.64-27.113.0.203.in-addr.arpa."],
            ("77.64-27.113.0.203.in-addr.arpa.", "PTR"): ["crawl-77.googlebot.com."],
            ("crawl-77.googlebot.com.", "A"): ["203.0.113.77"],
        }
    )
    assert found_by(say) == VERIFIED


def test_a_dot_inside_a_label() -> None:
    r"""`evil\.googlebot.com` is one label of a stranger's, and lies below `com`."""
    say = zone(
        {
            ("77.113.0.203.in-addr.arpa.", "PTR"): [r"evil\.googlebot.com."],
            (r"evil\.googlebot.com.", "A"): ["203.0.113.77"],
            ("googlebot.com.", "SOA"): ["ns.googlebot.com. x.googlebot.com. 1 2 3 4 5"],
        }
    )
    assert found_by(say) == REFUTED


def test_a_network_whose_dns_knows_nothing_of_the_outside() -> None:
    """Every name is missing there, also the crawler's own domain: nobody is a liar for that."""
    assert found_by(zone({})) == UNVERIFIED
    inside = {("googlebot.com.", "SOA"): ["ns.googlebot.com. x.googlebot.com. 1 2 3 4 5"]}
    assert found_by(zone(inside)) == REFUTED
    assert found_by(zone(inside), domains=("unknown.example", "googlebot.com")) == REFUTED


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "127.0.0.1", "192.168.7.7", "172.31.0.1", "100.64.0.1", "169.254.1.1", "::1", "fd00::1"]
)
def test_a_private_address_is_nobodys_lie(dnsmasq: Dnsmasq, address: str) -> None:
    """A proxy that hides its visitors must not turn every crawler behind it into a liar."""
    assert found(address, dnsmasq.server) == UNVERIFIED


def test_the_sites_own_crawler_at_a_private_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where DNS has its name, it is verified like any other."""
    lines = ["ptr-record=7.2.1.10.in-addr.arpa,node-7.search.acme.example", host("node-7.search.acme.example", "10.1.2.7")]
    with Dnsmasq(tmp_path_factory.mktemp("own"), lines, ("acme.example",)) as server:
        assert found("10.1.2.7", server.server, domains=("search.acme.example",)) == VERIFIED
