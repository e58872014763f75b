"""How many decisions a second: observe, detectors, score, policy on parsed observations, every detector on, one core.

Made-up traffic of 100,000 clients, 30 % of the requests from a client of the last 10 s; observations are made before the clock
starts.  Rows also say what parsing adds, and the longest single decision.
"""

from __future__ import annotations

import sys
from time import perf_counter

from botsieve.engine import Engine
from botsieve.garbage import set_aside, young_only
from botsieve.observation import Observation
from botsieve.policy import Policy, Rulebook

from tests.bench.figures import Figure, show
from tests.bench.traffic import RATE_PER_S, requests

CLIENTS = 100_000
START_S = 1_790_000_000.0
SECRET = b"bench" * 7
GOAL_PER_S = 50_000
AT_ONCE = 200


def engine() -> Engine:
    """Audience `browser`: every detector applies to everybody."""
    return Engine(Rulebook(policies=(Policy(mode="enforce", audience="browser"),)), SECRET)


def rate(decider: Engine, batch: list[Observation]) -> float:
    """Decisions a second over one batch, on the batch's own clock."""
    decide = decider.decide
    started = perf_counter()
    for o in batch:
        decide(o, o.edge_time_s, "0000-0000-0000-0000")
    return len(batch) / (perf_counter() - started)


def measure(*, clients: int = CLIENTS, warm: int = 200_000, batches: int = 7, size: int = 20_000) -> list[Figure]:
    """Warms up, then takes the median of several batches."""
    decider = engine()
    traffic = requests(clients, warm + batches * size, start_s=START_S)
    rate(decider, [next(traffic) for _ in range(warm)])
    young_only()  # as the service does
    rates = []
    for _ in range(batches):
        set_aside()
        # Made a few at a time, as they arrive: nobody parses 20,000 requests before judging the first.
        seconds = sum(AT_ONCE / rate(decider, [next(traffic) for _ in range(AT_ONCE)]) for _ in range(size // AT_ONCE))
        rates.append(size / seconds)
    rates.sort()
    median = rates[len(rates) // 2]
    return [
        Figure(
            what="decide(), every detector on",
            measured=f"{median:,.0f}/s ({1e6 / median:.1f} us)",
            goal=f"{GOAL_PER_S:,}/s",
            reached=median >= GOAL_PER_S,
            how=f"one core, {clients:,} clients, 30 % repeated within 10 s at {RATE_PER_S:,.0f}/s of the simulated clock; "
            f"median of {batches} batches of {size:,} (from {rates[0]:,.0f} to {rates[-1]:,.0f}/s)",
        )
    ]


if __name__ == "__main__":
    show(measure(warm=20_000, batches=3, size=5_000) if "--quick" in sys.argv else measure())
