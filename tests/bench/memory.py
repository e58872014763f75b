"""What a client costs: bytes of resident memory for a client seen once, and time a decision with 1 M tracked against 1 k.

1 M addresses from 250,000 networks of /24, one request each; then both engines decide in turn on uniform traffic.
"""

from __future__ import annotations

import gc
import os
import random
import sys
from pathlib import Path
from time import perf_counter

from botsieve.engine import Engine

from tests.bench.decide import START_S, engine
from tests.bench.figures import Figure, alternating, show
from tests.bench.traffic import one_request

MANY, FEW = 1_000_000, 1_000
GOAL_BYTES = 400
GOAL_TIMES = 1.2


def resident() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fill(decider: Engine, clients: int) -> float:
    """One page view of each client, all within 100 s.  Returns the longest single decision in ms."""
    longest = 0.0
    for client in range(clients):
        o = one_request(client, 0, client % 5000, START_S + client * 100 / clients)
        started = perf_counter()
        decider.decide(o, o.edge_time_s, "0000-0000-0000-0000")
        longest = max(longest, perf_counter() - started)
    return longest * 1e3


def uniform(decider: Engine, clients: int, seed: int, count: int) -> float:
    """Microseconds a decision, on clients drawn uniformly; each request of a batch is 50 ms after the one before."""
    draw = random.Random(seed)
    start_s = START_S + 100 + seed
    batch = [one_request(draw.randrange(clients), 0, draw.randrange(5000), start_s + n / count) for n in range(count)]
    started = perf_counter()
    for o in batch:
        decider.decide(o, o.edge_time_s, "0000-0000-0000-0000")
    return (perf_counter() - started) / count * 1e6


def measure(*, many: int = MANY, count: int = 20_000, runs: int = 5) -> list[Figure]:
    """Fills two engines, then lets them decide in turn."""
    small = engine()
    fill(small, FEW)
    gc.collect()
    gc.freeze()
    large = engine()
    before = resident()
    pause_ms = fill(large, many)
    gc.collect()
    each = (resident() - before) / many
    seeds = iter(range(10_000))
    medians = alternating(
        runs,
        {
            "few": lambda: uniform(small, FEW, next(seeds), count),
            "many": lambda: uniform(large, many, next(seeds), count),
        },
    )
    times = medians["many"] / medians["few"]
    return [
        Figure(
            what="a client seen once",
            measured=f"{each:,.0f} B",
            goal=f"{GOAL_BYTES} B",
            reached=each <= GOAL_BYTES,
            how=f"growth of resident memory over {many:,} addresses from {many // 4:,} networks",
        ),
        Figure(
            what=f"{many:,} tracked clients against {FEW:,}",
            measured=f"{times:.2f} times",
            goal=f"{GOAL_TIMES} times",
            reached=times <= GOAL_TIMES,
            how=f"{medians['many']:.1f} against {medians['few']:.1f} us a decision, uniform access, {runs} alternating runs",
        ),
        Figure(
            what="longest decision while growing",
            measured=f"{pause_ms:.1f} ms",
            goal="20 ms",
            reached=pause_ms <= 20,
            how=f"the longest of {many:,}; whatever else the machine did is in it",
        ),
    ]


if __name__ == "__main__":
    show(measure(many=100_000, count=5_000, runs=3) if "--quick" in sys.argv else measure())
