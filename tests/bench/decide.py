"""How many decisions a second: observe, detectors, score, policy on parsed observations, every detector on, one core.

Made-up traffic of 100,000 clients, 30 % of the requests from a client of the last 10 s; observations are made before the clock
starts.  Twice: as packaged, and with everything on that can be (each threshold blocks, sessions and devices come back, the
collector is in the pages, a reputation list of 200,000 ranges).  The speed is that of an undisturbed core (undisturbed.py).
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from time import perf_counter

import msgspec
from botsieve.challenge.clearance import Clearances
from botsieve.challenge.device import Devices
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.session import Sessions
from botsieve.challenge.settings import ChallengeSettings
from botsieve.detectors.settings import THRESHOLDS
from botsieve.engine import Engine
from botsieve.garbage import set_aside, young_only
from botsieve.observation import Observation
from botsieve.policy import Policy, Rulebook
from botsieve.ranges import RangeSet
from botsieve.reputation import Listing, Reputation
from botsieve.values import replace

from tests.bench.figures import Figure, show
from tests.bench.traffic import RATE_PER_S, requests
from tests.bench.undisturbed import Rounds, brief, pinned_to, take

CLIENTS = 100_000
START_S = 1_790_000_000.0
SECRET = b"bench" * 7
GOAL_PER_S = 50_000
GOAL_EVERYTHING_PER_S = 40_000
LISTED = 200_000  # ranges of the reputation list
AT_ONCE = 200  # decisions of a batch
SET_ASIDE_EVERY = 25  # batches: what the service does now and then


def engine() -> Engine:
    """Audience `browser`: every detector applies to everybody."""
    return Engine(Rulebook(policies=(Policy(mode="enforce", audience="browser"),)), SECRET)


def engine_with_everything() -> Engine:
    """All that can be switched on: thresholds that block, sessions, clearances, devices, the collector, a reputation list."""
    thresholds = {name: msgspec.structs.replace(one, action="block") for name, one in THRESHOLDS.items()}
    policy = Policy(mode="enforce", audience="browser", thresholds=thresholds)
    keys = KeyRing((SECRET[:32],))
    decider = Engine(
        Rulebook(policies=(policy,), reputation=listed(LISTED)),
        SECRET,
        sessions=Sessions(keys),
        clearances=Clearances(ChallengeSettings(), keys),
    )
    decider.devices = Devices(keys)
    decider.attacks.collector_injected = True
    return decider


def listed(count: int) -> Reputation:
    """A reputation list of so many ranges, none of which holds a client of this traffic."""
    ranges = RangeSet.of_numbers((0xFFFF_C000_0000 + 256 * n, 0xFFFF_C000_0000 + 256 * n + 99) for n in range(count))
    return Reputation(ranges, bytes(count), [Listing("spam", "alarm")])


def with_cookies(traffic: Iterator[Observation], decider: Engine) -> Iterator[Observation]:
    """The same requests, each client's with a session and a device of its own."""
    assert decider.sessions is not None
    assert decider.devices is not None
    cookies: dict[bytes, bytes] = {}
    for o in traffic:
        cookie = cookies.get(o.client)
        if cookie is None:
            name = decider.world.hasher.key(o.client)
            session = decider.sessions.issue(o, o.edge_time_s, name).partition(";")[0]
            born = decider.devices.renew(None, o.edge_time_s, name + name[:4], returned=True)
            device = decider.devices.cookie(o, decider.devices.text_of(o, born)).partition(";")[0]
            cookie = cookies[o.client] = f"{session}; {device}; ".encode() + o.headers.get(b"cookie", b"")
        yield replace(o, headers={**o.headers, b"cookie": cookie})


def rate(decider: Engine, batch: list[Observation]) -> float:
    """Decisions a second over one batch, on the batch's own clock."""
    decide = decider.decide
    started = perf_counter()
    for o in batch:
        decide(o, o.edge_time_s, "0000-0000-0000-0000")
    return len(batch) / (perf_counter() - started)


def _measured(decider: Engine, traffic: Iterator[Observation], *, warm: int, enough: int, at_most: int) -> Rounds:
    """Batches of AT_ONCE, after a warm-up, on the core that this runs on."""
    rate(decider, [next(traffic) for _ in range(warm)])
    young_only()  # as the service does

    number = itertools.count()

    def batch() -> float:
        if next(number) % SET_ASIDE_EVERY == 0:
            set_aside()
        # Made a few at a time, as they arrive: nobody parses 20,000 requests before judging the first.
        return rate(decider, [next(traffic) for _ in range(AT_ONCE)])

    core = max(os.sched_getaffinity(0))
    with pinned_to(core):
        return take({"": batch}, [core], enough=enough, at_most=at_most, at_least=at_most // 2, calibrate=brief)


def measure(*, clients: int = CLIENTS, warm: int = 200_000, enough: int = 100, at_most: int = 4_000) -> list[Figure]:
    """Both engines over the same requests, one after the other."""
    figures = []
    makers: tuple[tuple[str, int, Callable[[], Engine]], ...] = (
        ("decide(), every detector on", GOAL_PER_S, engine),
        ("decide() with everything on", GOAL_EVERYTHING_PER_S, engine_with_everything),
    )
    for what, goal, make in makers:
        decider = make()
        traffic = requests(clients, warm + at_most * AT_ONCE, start_s=START_S)
        if decider.devices is not None:
            traffic = with_cookies(traffic, decider)
        rounds = _measured(decider, traffic, warm=warm, enough=enough, at_most=at_most)
        median, of_all = rounds.median(), f"{rounds.median_of_all():,.0f}/s"
        figures.append(
            Figure(
                what=what,
                measured=f"{median:,.0f}/s ({1e6 / median:.1f} us)",
                goal=f"{goal:,}/s",
                reached=rounds.reached(median >= goal),
                how=f"one core, {clients:,} clients, 30 % repeated within 10 s at {RATE_PER_S:,.0f}/s of the simulated clock; "
                + rounds.words(of_all, f"batches of {AT_ONCE}"),
            )
        )
    return figures


if __name__ == "__main__":
    show(measure(warm=20_000, enough=1, at_most=50) if "--quick" in sys.argv else measure())
