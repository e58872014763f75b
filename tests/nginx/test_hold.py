"""X-Botsieve-Hold: while the service is away nginx itself refuses whom the service refused, and nobody else."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import Answer, ask
from tests.nginx.test_service import BROWSER
from tests.servers import ServiceProcess, Site, free_port, service_config, wait_until

BOT = "User-Agent: acme-bot/1"
SMALL_PAGE = b"Please retry"


@pytest.fixture
def edge(folder: Path, service: StandIn) -> Iterator[Site]:
    """A site where time is not the subject, its service answering."""
    (folder / "site").mkdir()
    with Site(folder / "site", service.socket, patient=True) as site:
        wait_until(lambda: ask(site.http_port).status == 200, what="a verdict")
        yield site


def get(edge: Site, *lines: str, path: str = "/") -> Answer:
    return ask(edge.http_port, path, *lines)


def kill(service: StandIn) -> None:
    os.kill(service.pid, signal.SIGKILL)
    service.stop()


def test_the_held_client_is_refused_and_the_others_pass(edge: Site, service: StandIn) -> None:
    """By the small 403, without a word of a service; another User-Agent of the same address passes unjudged."""
    assert get(edge, BOT, "X-Want: hold").status == 403
    assert get(edge, BOT, "X-Want: block").status == 403
    assert get(edge, BOT, "X-Want: hold").status == 403
    kill(service)
    for path in ("/", "/other", "/items/7?a=b"):
        held = get(edge, BOT, path=path)
        assert (held.status, SMALL_PAGE in held.body) == (403, True)
        passed = get(edge, "User-Agent: acme-bot/2", path=path)
        assert (passed.status, passed.body.startswith(b"app GET")) == (200, True)
    wait_until(lambda: edge.access_log.read_text().count('"verdict":"block"') >= 6, what="the lines of the log")
    assert '"verdict":"unjudged"' in edge.access_log.read_text()


def test_a_session_is_held_alone(edge: Site, service: StandIn) -> None:
    """Not its neighbours with the same browser behind the same address, with another session or none; https has its own name."""
    mine, other = "Cookie: a=1; botsieve_s=mine", "Cookie: botsieve_s=other"
    assert get(edge, BOT, mine, "X-Want: hold").status == 403
    kill(service)
    assert get(edge, BOT, mine).status == 403
    assert get(edge, "User-Agent: something else", mine).status == 403
    assert get(edge, BOT, other).status == 200
    assert get(edge, BOT).status == 200


def test_the_service_takes_it_back(edge: Site, service: StandIn) -> None:
    """An answer without a hold ends it: a prevention that was released or is over."""
    assert get(edge, BOT, "X-Want: hold").status == 403
    assert get(edge, BOT).status == 200
    kill(service)
    assert get(edge, BOT).status == 200


@pytest.mark.realtime
def test_a_hold_lasts_as_long_as_it_says(edge: Site, service: StandIn) -> None:
    """Then the client passes like everybody else."""
    assert get(edge, BOT, "X-Want: soon").status == 403
    kill(service)
    wait_until(lambda: get(edge, BOT).status == 200, what="the end of the hold")


def test_a_client_cannot_hold_anybody(edge: Site, service: StandIn) -> None:
    """What it writes under our names is not heard."""
    lines = ("X-Botsieve-Hold: 60", "X-Botsieve-Client-Addr: 203.0.113.7", "X_Botsieve_Hold: 60")
    assert get(edge, BOT, *lines).status == 200
    kill(service)
    assert get(edge, BOT, *lines).status == 200


def test_a_full_dictionary_is_harmless(folder: Path, service: StandIn) -> None:
    """More clients than fit: each is still answered as the service says, the newest are held, the oldest pass."""
    (folder / "small").mkdir()
    with Site(folder / "small", service.socket, patient=True) as site:
        wait_until(lambda: ask(site.http_port).status == 200, what="a verdict")
        site.kill()
        conf = site.includes / "http.conf"
        conf.write_text(conf.read_text().replace("botsieve_hold 2m", "botsieve_hold 32k"))
        site.begin()
        for number in range(600):
            assert get(site, f"User-Agent: bot-{number:05d}", "X-Want: hold").status == 403
        kill(service)
        assert get(site, "User-Agent: bot-00599").status == 403
        assert get(site, "User-Agent: bot-00000").status == 200
        assert get(site, "User-Agent: nobody").status == 200


def test_without_lua_nothing_is_held(folder: Path, service: StandIn) -> None:
    """The breaker lets everybody pass, as before."""
    (folder / "plain").mkdir()
    with Site(folder / "plain", service.socket, arguments=("--no-lua",), patient=True) as site:
        wait_until(lambda: ask(site.http_port).status == 200, what="a verdict")
        assert get(site, BOT, "X-Want: hold").status == 403
        kill(service)
        assert get(site, BOT).status == 200


def test_the_whole_way(folder: Path) -> None:
    """The real service finds a surfer, is killed, and nginx goes on refusing the surfer while a neighbour passes; then it is back."""
    (folder / "real").mkdir()
    (folder / "site2").mkdir()
    policies = (
        "policies: [{name: all, mode: enforce, challenge_at: 100, block_at: 100,"
        " detectors: {surfing.rapid: {action: block, refreshes: 29}}}]"
    )
    config = service_config(folder / "real", policies, web=free_port(), deadline_ms=1000)
    real = ServiceProcess(config)
    try:
        with Site(folder / "site2", folder / "real" / "check.sock", patient=True) as site:
            wait_until(lambda: ask(site.http_port, "/", *BROWSER).status == 200, what="a verdict")
            answers = [ask(site.http_port, "/guide/x", *BROWSER).status for _ in range(31)]
            assert answers[-1] == 403
            neighbour = tuple(line.replace("Firefox/147.0", "Firefox/146.0") for line in BROWSER)
            assert ask(site.http_port, "/", *neighbour).status == 200
            kept = folder / "real" / "state" / "preventions"
            wait_until(kept.exists, what="the file of preventions")
            os.kill(real.pid, signal.SIGKILL)
            real.stop()
            held = ask(site.http_port, "/contact", *BROWSER)
            assert (held.status, SMALL_PAGE in held.body) == (403, True)
            assert ask(site.http_port, "/", *neighbour).status == 200
            real = ServiceProcess(config)
            wait_until(lambda: b"Please retry" not in ask(site.http_port, "/contact", *BROWSER).body, what="the service")
            assert ask(site.http_port, "/contact", *BROWSER).status == 403
            assert ask(site.http_port, "/", *neighbour).status == 200
    finally:
        real.stop()
