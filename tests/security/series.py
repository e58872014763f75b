"""How many series the metrics have after a million hostile requests: `python -m tests.security.series [COUNT]`, two minutes.

Every other request is bytes as a hostile visitor makes them, through the parser of the check socket and the edge; the rest are the
floods of tests/attack in turn.  No socket is involved, so that a million is possible.

Law of the file: the whole service of one process, as `serve` puts it together; what is counted is what a scrape returns.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from botsieve.transports.http import NginxEdge
from botsieve.transports.http_wire import HttpConnection

from tests.attack.floods import FLOOD_S, FLOODS
from tests.fuzz.requests import Requests
from tests.transports.edge_harness import START_S, Service

GOAL = 2_000
FULL = 1_000_000


class _Wire:
    """What a connection takes for its transport: answers are dropped."""

    def write(self, data: bytes) -> None:
        assert data.startswith(b"HTTP/1.1 ")

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, _name: str) -> None:
        return None

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


class Hostile:
    """A service and those who attack it."""

    def __init__(self, folder: Path) -> None:
        self.whole = Service(folder)
        self._edge = NginxEdge(self.whole.service, self.whole.settings("nginx"), "/.botsieve/")
        self._requests = Requests("series")
        self._floods = list(FLOODS.values())

    async def pour(self, count: int) -> None:
        """So many requests."""
        for number in range(count):
            self.whole.now = START_S + number * FLOOD_S / count
            if number % 2:
                flood = self._floods[number // 2 % len(self._floods)]
                self.whole.service.judge(flood(number, self.whole.now))
            else:
                self._send(self._requests.http(number))

    def _send(self, request: bytes) -> None:
        connection = HttpConnection(self._edge, set())
        connection.connection_made(cast(asyncio.Transport, _Wire()))
        connection.data_received(request)
        connection.connection_lost(None)

    def series(self) -> dict[str, int]:
        """Series by metric, as a scrape returns them."""
        found: dict[str, int] = {}
        for line in self.whole.journal.render_metrics().decode().splitlines():
            if line and not line.startswith("#"):
                name = line.partition(" ")[0].partition("{")[0]
                found[name] = found.get(name, 0) + 1
        return found


def main() -> int:
    """Exit 1 above the goal."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FULL
    with tempfile.TemporaryDirectory(prefix="bs-") as name:
        hostile = Hostile(Path(name))
        began_s = time.perf_counter()
        asyncio.run(hostile.pour(count))
        took_s = time.perf_counter() - began_s
        series = hostile.series()
        judged = hostile.whole.journal.metrics.decisions_total
        unjudged = hostile.whole.journal.metrics.unjudged_total
        hostile.whole.journal.close()
    total = sum(series.values())
    print(f"{count:,} hostile requests in {took_s:.0f} s: {judged:,} judged, {unjudged:,} refused as no request of an edge")
    print(f"{total} series (goal: at most {GOAL:,}): {', '.join(f'{name} {n}' for name, n in sorted(series.items()))}")
    return int(total > GOAL)


if __name__ == "__main__":
    sys.exit(main())
