"""The whole way under overload: visitors, nginx with our includes, the real service with more than it can judge."""

from __future__ import annotations

import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.bench.overload import Generator
from tests.conftest import ROOT
from tests.nginx.test_service import BROWSER
from tests.pace import in_time
from tests.servers import Process, Site, free_port, service_config, wait_until

# Processor time of one judgement, as in tests/attack/test_overload.py: two hundred at once are an overload on any machine.
BURN_US = 1_000
VISITORS = 200


class Slow:
    """A service whose judgements are dear, behind nginx; the application answers with the verdict that it was told.

    Every other visitor wants what is not protected, and is heard as judged.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "service").mkdir()
        (folder / "site").mkdir()
        self.web = free_port()
        policies = "policies: [{name: all, audience: browser, mode: monitor}]"
        config = service_config(folder / "service", policies, web=self.web, deadline_ms=1000)
        command = [sys.executable, "-m", "tests.bench.overload", "--serve", str(config), str(BURN_US)]
        self.service = Process(command, cwd=ROOT, log=folder / "service" / "out")
        socket = folder / "service" / "check.sock"
        wait_until(socket.exists, what="the start")
        self.site = Site(
            folder / "site",
            socket,
            patient=True,
            locations="location / { PROTECT_APP TO_APP } location /free/ { TO_APP }",
            server="keepalive_requests 1000000;",
            app='return 200 "$http_x_botsieve_verdict";',
        )

    def visitors(self, count: int) -> Generator:
        lines = "\r\n".join(("Host: shop.example", *BROWSER))
        asked = [
            f"GET /{'items' if number % 2 else 'free'}/{number} HTTP/1.1\r\n{lines}\r\n\r\n".encode() for number in range(1_000)
        ]
        return Generator("", count, port=self.site.http_port, asked=asked)

    def count(self, name: str) -> int:
        """The sum of a metric over all its labels but those that `name` says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/metrics", timeout=60) as reply:
            lines = reply.read().decode().splitlines()
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(name))

    def took_s(self, which: str) -> float:
        """What nginx and the application took for the request in the middle of those whose line of the log holds `which`."""
        lines = self.site.access_log.read_text().splitlines()
        return median(float(line.partition('"seconds":')[2].partition(",")[0]) for line in lines if which in line)

    def counts(self) -> dict[str, int]:
        """Decisions, and what nobody judged by `why`."""
        whys = ("edge_down", "deadline", "edge_fault", "overloaded", "unasked")
        unjudged = {why: self.count(f'botsieve_unjudged_total{{edge="nginx",why="{why}"}}') for why in whys}
        return {"judged": self.count("botsieve_decisions_total"), **unjudged}


@pytest.fixture
def slow(folder: Path) -> Iterator[Slow]:
    made = Slow(folder)
    yield made
    made.site.stop()
    made.service.stop()


@pytest.mark.realtime
def test_overload(slow: Slow) -> None:
    """Several times the peak: most of what is asked is judged, the others pass at once, counted; a second later all are judged."""
    crowd = slow.visitors(VISITORS)
    first = crowd.run(2.0, None, at_most=VISITORS)
    assert first.shed
    before = slow.counts()
    heard = crowd.run(4.0, None, at_most=VISITORS)
    ended = time.monotonic()
    few = slow.visitors(2)
    while few.run(0.2, 50).shed:
        assert time.monotonic() - ended < 60
    assert in_time(time.monotonic() - ended, 1.2)
    calm = few.run(1.0, 50)
    assert calm.judged
    assert not calm.shed
    few.close()
    crowd.close()
    grown = {name: count - before[name] for name, count in slow.counts().items()}
    assert len(heard.shed) > 2 * grown["judged"] > 100
    # How nearly is the bench's to say: on a machine as busy as this one may be, others have the service's core.
    assert grown["unasked"] > 0.6 * len(heard.shed)
    assert grown["overloaded"] < 0.5 * grown["unasked"]
    assert (grown["edge_down"], grown["edge_fault"]) == (0, 0)
    assert sum(grown.values()) - grown["judged"] <= len(heard.shed) + len(first.shed)
    # What a request takes in an nginx with two hundred others, Botsieve or not.
    assert slow.took_s('"verdict":"unjudged"') <= 2 * slow.took_s('"uri":"/free/') + 0.005
