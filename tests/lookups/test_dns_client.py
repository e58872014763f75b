"""lookups/dns_client.py: one question, asked of real servers on loopback; and any bytes as an answer."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from botsieve.errors import LookupFailed
from botsieve.lookups.dns_client import MAX_BYTES, MAX_RECORDS, DnsClient, Reply, Server, read_reply, system_servers
from botsieve.observation import pack_address
from hypothesis import example, given
from hypothesis import strategies as st

from tests.lookups.dns_servers import Dnsmasq, Scripted, free_port, zone
from tests.pace import in_time

NAME = dns.name.from_text("crawl-5.bot.example")
PTR = dns.name.from_text("5.113.0.203.in-addr.arpa")
A_RECORD = {("crawl-5.bot.example.", "A"): ["203.0.113.5"]}


def ask(name: dns.name.Name, kind: str, *servers: Server, timeout_s: float = 20.0) -> Reply:
    return asyncio.run(DnsClient(servers, timeout_s).ask(name, kind))


@pytest.fixture(scope="module")
def dnsmasq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dnsmasq]:
    lines = [
        "host-record=crawl-5.bot.example,203.0.113.5,2001:db8::5",
        "ptr-record=5.113.0.203.in-addr.arpa,crawl-5.bot.example",
        *(f"ptr-record=6.113.0.203.in-addr.arpa,{'long-' * 11}{n}.bot.example" for n in range(12)),
        *(f"ptr-record=7.113.0.203.in-addr.arpa,h{n}.bot.example" for n in range(1500)),
    ]
    with Dnsmasq(tmp_path_factory.mktemp("dns"), lines, ("bot.example",)) as server:
        yield server


@pytest.fixture
def silent() -> Iterator[Server]:
    """A port where somebody listens and never answers."""
    with socket.socket(type=socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()


def test_names_and_addresses(dnsmasq: Dnsmasq) -> None:
    """PTR gives names, A and AAAA packed addresses, IPv4 mapped."""
    assert ask(PTR, "PTR", dnsmasq.server) == Reply(True, (NAME,))
    assert ask(NAME, "A", dnsmasq.server) == Reply(True, (), (pack_address("203.0.113.5"),))
    assert ask(NAME, "AAAA", dnsmasq.server) == Reply(True, (), (pack_address("2001:db8::5"),))


def test_nothing_there(dnsmasq: Dnsmasq) -> None:
    """A name that does not exist, and one that has no such record, are answers."""
    assert ask(dns.name.from_text("no.bot.example"), "A", dnsmasq.server) == Reply(False)
    assert ask(dns.name.from_text("bot.example"), "SOA", dnsmasq.server) == Reply(True)


def test_an_answer_too_long_for_a_datagram_comes_over_tcp(dnsmasq: Dnsmasq) -> None:
    """Twelve long names are more than 512 bytes."""
    assert len(ask(dns.name.from_text("6.113.0.203.in-addr.arpa"), "PTR", dnsmasq.server).names) == 12


def test_a_huge_answer_is_not_read(dnsmasq: Dnsmasq) -> None:
    """1,500 names are refused by their length, before anything is parsed."""
    took_s = []
    for _ in range(3):
        began_s = time.thread_time()
        with pytest.raises(LookupFailed, match=rf"accepted: {MAX_BYTES}"):
            ask(dns.name.from_text("7.113.0.203.in-addr.arpa"), "PTR", dnsmasq.server)
        took_s.append(time.thread_time() - began_s)
    assert min(took_s) < 0.05


def test_a_refusal_or_a_failure_is_no_answer(dnsmasq: Dnsmasq) -> None:
    """REFUSED (a zone that it does not serve) and SERVFAIL say nothing about a name."""
    with pytest.raises(LookupFailed, match="REFUSED"):
        ask(dns.name.from_text("other.example"), "A", dnsmasq.server)
    with Scripted(zone({}, dns.rcode.SERVFAIL)) as server, pytest.raises(LookupFailed, match="SERVFAIL"):
        ask(NAME, "A", server.server)


def test_a_server_that_hangs_costs_its_time_and_no_more(silent: Server) -> None:
    """Asked twice within the time that is set."""
    began = time.monotonic()
    with pytest.raises(LookupFailed, match="answer"):
        ask(NAME, "A", silent, timeout_s=0.2)
    took_s = time.monotonic() - began
    assert took_s > 0.15
    assert in_time(took_s, 1.5)


def test_the_next_server_is_asked(silent: Server, dnsmasq: Dnsmasq) -> None:
    """After one that hangs, and at once after one that is not there."""
    assert ask(NAME, "A", silent, dnsmasq.server, timeout_s=2.0).addresses
    began = time.monotonic()
    assert ask(NAME, "A", ("127.0.0.1", free_port()), dnsmasq.server, timeout_s=20).addresses
    assert in_time(time.monotonic() - began, 2.0)


def test_a_lost_datagram_is_sent_again() -> None:
    """A single server is asked twice."""
    heard = []

    def deaf_once(query: dns.message.Message, over_tcp: bool) -> bytes | None:
        heard.append(query)
        return None if len(heard) == 1 else zone(A_RECORD)(query, over_tcp)

    with Scripted(deaf_once) as server:
        assert ask(NAME, "A", server.server, timeout_s=2.0).addresses == (pack_address("203.0.113.5"),)


def test_without_a_server() -> None:
    """There is nobody to ask."""
    with pytest.raises(LookupFailed, match="no DNS server"):
        ask(NAME, "A")


def test_an_answer_with_another_id_is_not_heard() -> None:
    """Whoever guesses at our port has to guess the id too: the real answer is waited for."""

    def forged(query: dns.message.Message, over_tcp: bool) -> bytes:
        wrong = zone({("crawl-5.bot.example.", "A"): ["198.51.100.66"]})(query, over_tcp)
        assert wrong is not None
        return bytes([wrong[0] ^ 1]) + wrong[1:]

    with Scripted(forged) as server, pytest.raises(LookupFailed):
        ask(NAME, "A", server.server, timeout_s=0.2)


def test_an_answer_to_another_question() -> None:
    """The id alone is not enough."""
    query = dns.message.make_query(NAME, "A")
    other = dns.message.make_query("other.example", "A")
    other.id = query.id
    raw = zone({("other.example.", "A"): ["203.0.113.5"]})(other, True)
    assert raw is not None
    with pytest.raises(LookupFailed, match="another question"):
        read_reply(raw, query)


def test_a_cname_is_followed_and_a_loop_is_not() -> None:
    """To its end, as the server gives it; a loop has no address."""
    query = dns.message.make_query(NAME, "A")
    way = {("crawl-5.bot.example.", "CNAME"): ["real.bot.example."], ("real.bot.example.", "A"): ["203.0.113.5"]}
    raw = zone(way)(query, True)
    assert raw is not None
    assert read_reply(raw, query).addresses == (pack_address("203.0.113.5"),)
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text(NAME, 60, "IN", "CNAME", NAME.to_text()))
    with pytest.raises(LookupFailed):
        read_reply(response.to_wire(), query)


def test_more_records_than_anybody_needs() -> None:
    """Refused by the number in the header."""
    query = dns.message.make_query(NAME, "A")
    for count in (MAX_RECORDS, MAX_RECORDS + 1):
        raw = zone({("crawl-5.bot.example.", "A"): [f"203.0.113.{n}" for n in range(count)]})(query, True)
        assert raw is not None
        if count == MAX_RECORDS:
            assert len(read_reply(raw, query).addresses) == count
            continue
        with pytest.raises(LookupFailed, match="17 records"):
            read_reply(raw, query)


_QUERY = dns.message.make_query(NAME, "A")
_QUERY.id = 7
_GOOD = zone(A_RECORD)(_QUERY, True)
assert _GOOD is not None


@given(st.one_of(st.binary(max_size=600), st.tuples(st.integers(0, len(_GOOD) - 1), st.binary(min_size=1, max_size=40))))
@example((0, b""))
def test_any_bytes(change: bytes | tuple[int, bytes]) -> None:
    """Any answer, whole nonsense or a good one with some bytes changed, is read or refused."""
    if isinstance(change, tuple):
        at, put = change
        assert _GOOD is not None
        change = _GOOD[:at] + put + _GOOD[at + len(put) :]
    try:
        reply = read_reply(change, _QUERY)
    except LookupFailed:
        return
    assert len(reply.addresses) <= MAX_RECORDS
    assert all(len(address) == 16 for address in reply.addresses)


def test_the_machines_own_servers(tmp_path: Path) -> None:
    """From resolv.conf, with the usual port; a machine without any says so."""
    good = tmp_path / "resolv.conf"
    good.write_text("nameserver 192.0.2.53\nnameserver 2001:db8::53\noptions ndots:5\n")
    assert system_servers(str(good)) == (("192.0.2.53", 53), ("2001:db8::53", 53))
    for wrong in ("", "search example.com\n", "nameserver\n", "nameserver nobody\n"):
        good.write_text(wrong)
        with pytest.raises(LookupFailed, match="no DNS server"):
            system_servers(str(good))
    with pytest.raises(LookupFailed, match="no DNS server"):
        system_servers(str(tmp_path / "none"))
