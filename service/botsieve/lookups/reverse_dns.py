"""Forward-confirmed reverse DNS: does this address belong to the crawler that it names?

    203.0.113.5 --PTR--> crawl-5.example.com --A--> 203.0.113.5

Law of the file: the name that lies in the crawler's domain is the one that has to lead back; another name of the same address proves
nothing.  Domains are compared label by label: `googlebot.com.evil.example` and `evilgooglebot.com` lie outside `googlebot.com`.  A
claim is refuted by answers only, never by their absence, and by a missing name only where DNS knows the crawler's own domain: in a
network whose DNS knows nothing of the outside nobody is a liar.  Source: docs/mission.md S2-15; Google, "Verifying Googlebot".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

import dns.exception
import dns.name
import dns.reversename

from botsieve.errors import LookupFailed
from botsieve.lookups.dns_client import Reply
from botsieve.observation import address_text
from botsieve.ranges import RangeSet
from botsieve.verifications import REFUTED, UNVERIFIED, VERIFIED, Question

MAX_NAMES = 4  # names in the domain that are followed [guess: crawlers' addresses have one]

# Addresses that are nobody's in the world outside: what DNS says of them is not what the crawler's operator says.
_INSIDE = RangeSet.parse(
    [
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1",
        "fc00::/7",
        "fe80::/10",
    ]
)

Ask = Callable[[dns.name.Name, str], Awaitable[Reply]]


async def verify(ask: Ask, question: Question) -> str:
    """VERIFIED, REFUTED, or UNVERIFIED for no answer.  `ask(name, kind)`: as `DnsClient.ask`.  Raises nothing of DNS's."""
    try:
        found = await _verify(ask, question)
    except LookupFailed:
        return UNVERIFIED
    return UNVERIFIED if found == REFUTED and question.address in _INSIDE else found


async def _verify(ask: Ask, question: Question) -> str:
    text = address_text(question.address)
    domains = [dns.name.from_text(domain) for domain in question.domains]
    reply = await ask(dns.reversename.from_address(text), "PTR")
    names = [name for name in dict.fromkeys(reply.names) if any(name.is_subdomain(domain) for domain in domains)]
    if reply.names and not names:
        return REFUTED
    kind = "A" if ipaddress.ip_address(text).version == 4 else "AAAA"
    failed = len(names) > MAX_NAMES
    for name in names[:MAX_NAMES]:
        try:
            if question.address in (await ask(name, kind)).addresses:
                return VERIFIED
        except LookupFailed:
            failed = True
    return UNVERIFIED if failed or not await _is_known(ask, domains) else REFUTED


async def _is_known(ask: Ask, domains: list[dns.name.Name]) -> bool:
    """Whether one of the domains exists for the DNS that we ask."""
    for domain in domains:
        try:
            if (await ask(domain, "SOA")).exists:
                return True
        except LookupFailed:
            continue
    return False
