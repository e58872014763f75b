"""A running service and real DNS on loopback: crawlers let through, liars blocked, a reload, and DNS that hangs."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from tests.lookups.dns_servers import Dnsmasq
from tests.servers import wait_until
from tests.service.running import POLICIES, Place, question

pytestmark = pytest.mark.realtime

YANDEX = {"user-agent": "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "accept": "*/*"}
GOOGLE = {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "accept": "*/*"}
ACME = {"user-agent": "acme-search/2 (+https://acme.example)", "accept": "*/*"}
LINES = [
    "host-record=crawl-9.googlebot.com,66.249.66.9",
    "ptr-record=1.113.0.203.in-addr.arpa,spider-1.yandex.com",
    "host-record=spider-1.yandex.com,203.0.113.1",
    "ptr-record=2.113.0.203.in-addr.arpa,googlebot.com.evil.example",
    "host-record=googlebot.com.evil.example,203.0.113.2",
    "ptr-record=3.113.0.203.in-addr.arpa,node-3.search.acme.example",
    "host-record=node-3.search.acme.example,203.0.113.3",
]
OWN = "{name: our search, agent: acme-search, domain: .search.acme.example}"


@pytest.fixture
def dnsmasq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dnsmasq]:
    with Dnsmasq(tmp_path_factory.mktemp("dns"), LINES, ("com", "example")) as server:
        yield server


def asking(server: tuple[str, int], *, own: str = "", more: str = "timeout_ms: 2000") -> str:
    return f"crawlers: {{own: [{own}], dns: {{servers: ['{server[0]}:{server[1]}'], {more}}}}}\n"


def test_claims_are_settled_by_dns(at: Place, dnsmasq: Dnsmasq) -> None:
    """The crawler is let through by its name, the liar is blocked by it, both are counted."""
    at.write(more=asking(dnsmasq.server))
    with at.start():
        first = at.ask("/", YANDEX, Client_Addr="203.0.113.1")
        assert (first.verdict, first.one("X-Botsieve-Score")) == ("allow", "0")
        wait_until(lambda: at.metric('botsieve_crawler_lookups_total{result="verified"}') == 1, what="the answer")
        again = at.ask("/", YANDEX, Client_Addr="203.0.113.1")
        assert (again.verdict, again.one("X-Botsieve-Reasons")) == ("allow", "")
        wait_until(lambda: '"rule":"crawler"' in at.log.read_text(), what="rule crawler in the log")
        for client in ("203.0.113.2", "203.0.113.99"):
            at.ask("/", GOOGLE, Client_Addr=client)
            wait_until(lambda client=client: at.ask("/", GOOGLE, Client_Addr=client).verdict == "block", what="the block")
            assert "false_crawler:Googlebot" in at.ask("/", GOOGLE, Client_Addr=client).one("X-Botsieve-Reasons")
        assert at.metric('botsieve_crawler_lookups_total{result="refuted"}') == 2


def test_a_reload_brings_the_sites_own_crawler(at: Place, dnsmasq: Dnsmasq) -> None:
    """No restart: the entry is asked about from the next request on."""
    at.write(more=asking(dnsmasq.server))
    with at.start() as service:
        assert at.ask("/", ACME, Client_Addr="203.0.113.3").one("X-Botsieve-Score") == "35"
        at.write(more=asking(dnsmasq.server, own=OWN))
        os.kill(service.pid, signal.SIGHUP)
        wait_until(
            lambda: at.ask("/", ACME, Client_Addr="203.0.113.3").one("X-Botsieve-Score") == "0",
            what="the own crawler",
        )
        wait_until(
            lambda: at.ask("/", ACME, Client_Addr="203.0.113.3") and '"rule":"crawler"' in at.log.read_text(),
            what="rule crawler",
        )
        at.ask("/", ACME, Client_Addr="203.0.113.77")
        wait_until(lambda: at.ask("/", ACME, Client_Addr="203.0.113.77").verdict == "block", what="the block")
        assert at.ask("/", ACME, Client_Addr="203.0.113.77").one("X-Botsieve-Reasons").startswith("false_crawler:our-search")


def test_no_decision_waits_for_dns(at: Place) -> None:
    """DNS that hangs for 5 s: every one of 1,000 claims from other addresses is answered at once, none is let through or blocked."""
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        at.write(POLICIES, more=asking(silent.getsockname(), more="timeout_ms: 5000"))
        with at.start(), at.connect() as connection:
            slowest_s = 0.0
            for n in range(1000):
                began = time.monotonic()
                reply = connection.send(question("/", GOOGLE, Client_Addr=f"198.{18 + n % 2}.{n // 250}.{n % 250}")).reply()
                slowest_s = max(slowest_s, time.monotonic() - began)
                assert reply.verdict == "allow"
                assert "false_crawler" not in reply.one("X-Botsieve-Reasons")
            print(f"slowest answer {slowest_s * 1e3:.1f} ms")
            assert slowest_s < 2.0
            assert at.metric('botsieve_crawler_lookups_total{result="verified"}') == 0
            assert at.metric('botsieve_crawler_lookups_total{result="not_asked"}') >= 700


def test_without_dns_the_service_starts_and_nobody_is_a_liar(at: Place) -> None:
    """A DNS server that is not there is no reason not to start."""
    at.write(more=asking(("127.0.0.1", 9), more="timeout_ms: 100"))
    with at.start():
        for _ in range(3):
            assert at.ask("/", GOOGLE, Client_Addr="203.0.113.2").verdict == "allow"
        wait_until(
            lambda: at.metric('botsieve_crawler_lookups_total{result="unanswered"}') == 1, what="the end of the question"
        )
        assert at.ask("/", GOOGLE, Client_Addr="203.0.113.2").verdict == "allow"
