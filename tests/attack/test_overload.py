"""The real service with more requests than it can judge: everybody gets an answer, nobody is cut off, and it ends by itself.

No time is asserted: `python -m tests.bench.overload` prints the times.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest

from tests.bench.overload import Generator, Slow
from tests.conftest import ROOT
from tests.servers import Process, wait_until
from tests.service.running import Place, place

BURN_US = 1_000  # processor time of one judgement: two hundred at once are an overload on any machine
AT_ONCE = 200


@pytest.fixture(scope="module")
def slow() -> Iterator[Place]:
    with place() as at:
        command = [sys.executable, "-m", "tests.bench.overload", "--serve", str(at.config), str(BURN_US)]
        with Process(command, cwd=ROOT, log=at.folder / "out"):
            wait_until(at.socket.exists, what="the start")
            yield at


def test_overload(slow: Place) -> None:
    """200 connections that ask again at once: some are judged, the rest is told `unjudged`, counted and said; then all is as before."""
    unjudged = 'botsieve_unjudged_total{edge="nginx",why="overloaded"}'
    before = slow.metric(unjudged), slow.metric("botsieve_decisions_total")
    crowd = Generator(str(slow.socket), AT_ONCE)
    heard = crowd.run(2.0, None, at_most=AT_ONCE)
    crowd.close()
    assert len(heard.judged) > 50
    assert len(heard.shed) > len(heard.judged)
    assert slow.metric(unjudged) - before[0] == len(heard.shed)
    assert slow.metric("botsieve_decisions_total") - before[1] == len(heard.judged)
    few = Generator(str(slow.socket), 4)
    wait_until(lambda: not few.run(0.3, 20).shed, what="the end of the overload")
    few.close()
    said = [line for line in map(json.loads, slow.log.read_text().splitlines()) if line["event"] == "overloaded"]
    assert said
    assert all(line["level"] == "warning" and line["count"] >= 1 for line in said)


def test_a_few_at_a_time_are_all_judged(slow: Place) -> None:
    """The same slow service, as busy as it can be with eight at once: slow is not overloaded."""
    crowd = Generator(str(slow.socket), 8)
    heard = crowd.run(1.5, None, at_most=8)
    crowd.close()
    assert heard.shed == []
    assert len(heard.judged) > 50


def test_slow_connections_take_nobody_s_place(slow: Place) -> None:
    """1,000 connections that never finish a request: everybody else is judged."""
    with Slow(str(slow.socket), 1_000):
        others = Generator(str(slow.socket), 8)
        heard = others.run(1.0, 100)
        others.close()
    assert heard.shed == []
    assert len(heard.judged) > 50
