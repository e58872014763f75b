"""Structured hostile requests on each transport: a verdict or a declared refusal, and nothing in the service's own output.

`make fuzz` sends 100,000 to each; here it is a part of the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.requests import Requests
from tests.fuzz.transports import Running, over_grpc, over_http, over_nginx, service

COUNT = 1500
# The bar of `make fuzz` is 50 ms; here other workers of the machine may hold a process up for longer than that.
BAR_MS = 1000


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One service for all, which must have nothing to say of itself afterwards."""
    with service() as started:
        yield started
        assert started.process.popen.poll() is None
        assert started.at.metric("botsieve_detector_errors_total") == 0
        assert started.series() <= 2000
        assert started.process.stop() == 0
        assert started.faults() == []


def test_http_direct(running: Running) -> None:
    """A check is answered 200 or 403, our own paths never 5xx; no request is slow."""
    found = over_http(running, COUNT)
    assert found.bad == []
    assert found.slowest_ms < BAR_MS
    assert {"check 200", "check 403"} <= set(found.answers)


def test_grpc_direct(running: Running) -> None:
    """A decision or INVALID_ARGUMENT, never UNKNOWN or INTERNAL; no message is slow."""
    found = over_grpc(running, COUNT)
    assert found.bad == []
    assert found.slowest_ms < BAR_MS
    assert set(found.answers) == {"OK", "INVALID_ARGUMENT"}
    assert found.answers["OK"] > COUNT / 4


def test_a_visitor_of_nginx(running: Running, tmp_path: Path) -> None:
    """200 or 403 whatever a visitor sends, and nobody came through unjudged."""
    before = running.at.metric('botsieve_unjudged_total{edge="nginx"')
    found = over_nginx(running, tmp_path, COUNT)
    assert found.bad == []
    assert set(found.answers) == {"200", "403"}
    assert running.at.metric('botsieve_unjudged_total{edge="nginx"') == before


def test_the_requests_are_the_same_each_time() -> None:
    """A number names a request on every run."""
    for number in range(50):
        assert Requests("a").http(number) == Requests("a").http(number) != Requests("b").http(number)
        assert Requests("a").grpc(number) == Requests("a").grpc(number)
