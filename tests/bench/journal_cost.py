"""What the journal costs: `python tests/bench/journal_cost.py`.  One process, one core is enough; about five seconds.

Prints CPU microseconds per decision on the calling thread, bytes per kept record, lines rendered per second, and the time of a
scrape with ordinary and with the most possible series.  The machine's noise is about a fifth; the least of five runs is shown.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from botsieve.decision import Decision, Measure, Signal
from botsieve.journal import Journal, JournalOptions
from botsieve.journal.metrics import Metrics
from botsieve.journal.packing import pack
from botsieve.journal.record import unpack
from botsieve.journal.redact import Redactor
from botsieve.journal.render import render, to_line
from botsieve.journal.ring import OVERHEAD_BYTES, Ring
from botsieve.observation import make_observation, pack_address

NOW_S = 1795296799.898
N = 20_000
AGENT = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
SIGNALS = (
    Signal("agent.bot_useragent", 40, "curl"),
    Signal("timing.suspicious_timing", 35, "35", "client", (Measure("cv", 0.012, 0.05), Measure("mean_s", 1.001, 2.0))),
)
REQUEST = make_observation(
    client=pack_address("203.0.113.7"),
    method=b"GET",
    uri=b"/items/17?ref=a",
    headers={b"user-agent": AGENT, b"accept": b"*/*"},
    edge_time_s=NOW_S,
    host=b"shop.example",
    request_id=b"b5" * 16,
    ja3=b"78f0dc5ac5b19daf131a133cfdee9691",
    ja4=b"t13i3111h2_e8f1e7e78f70_b26ce05bbdd6",
    tls_sig=b"t13i3110h2_e8f1e7e78f70_375ca2c5e164",
)


def decisions(signals: tuple[Signal, ...]) -> list[Decision]:
    """N decisions with ids of their own."""
    would_be = "challenge" if signals else "allow"
    facts = (would_be, "monitor", 75, True, signals, "threshold.challenge", "shop", "mixed", "3f9c2a71be04")
    return [Decision(f"{n:019d}", "allow", *facts, route="/items/{n}") for n in range(N)]


def least_us(work: Callable[[], None], times: int) -> float:
    """CPU microseconds of one of `times` pieces of work, the least of five runs."""
    found = []
    for _ in range(5):
        began_s = time.thread_time()
        work()
        found.append((time.thread_time() - began_s) / times * 1e6)
    return min(found)


def over(items: list[Decision], one: Callable[[Decision], object]) -> Callable[[], None]:
    """Work that does one thing with each item."""

    def work() -> None:
        for item in items:
            one(item)

    return work


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        for name, signals in (("quiet", ()), ("with findings", SIGNALS)):
            made = decisions(signals)
            off = Journal(JournalOptions(state_dir=folder, to=None), time.time)
            on = Journal(JournalOptions(state_dir=folder, to=str(Path(folder) / "log"), queue=10 * N), time.time)
            parts: dict[str, Callable[[Decision], object]] = {
                "count": lambda d, j=off: j.metrics.count_decision("nginx", d, 14),
                "pack": lambda d: pack(REQUEST, d, NOW_S, 14),
                "record, log off": lambda d, j=off: j.record(REQUEST, d, NOW_S, 14),
                "record, log on": lambda d, j=on: j.record(REQUEST, d, NOW_S, 14),
            }
            for part, one in parts.items():
                print(f"{name:14} {part:16} {least_us(over(made, one), N):6.2f} us")
            packed = pack(REQUEST, made[0], NOW_S, 14)
            print(f"{name:14} {'kept':16} {len(packed)} bytes, {len(packed) + OVERHEAD_BYTES} with overhead")
            redactor = Redactor()
            line_us = least_us(over(made, lambda _d, p=packed, r=redactor: to_line(render(unpack(p), r))), N)  # type: ignore[misc]
            print(f"{name:14} {'line':16} {line_us:6.2f} us")
            off.close()
            on.close()
    ring = Ring()
    made = decisions(())
    print(f"{'ring.add':31} {least_us(over(made, lambda d: ring.add(d.id, b'x')), N):6.2f} us")
    for edges, policies in ((1, 3), (12, 200)):
        metrics = Metrics()
        for n in range(3000):
            signal = Signal(f"a.s{n % (20 if edges == 1 else 100)}", 1)
            facts = (
                ["allow", "challenge", "block"][n % 3],
                "monitor",
                1,
                False,
                (signal,),
                "x",
                f"p{n % policies}",
                "mixed",
                "x",
            )
            metrics.count_decision(f"e{n % edges}", Decision(str(n), "allow", *facts), 14)
        series = sum(not line.startswith(b"#") for line in metrics.render().splitlines())
        print(f"scrape of {series:5} series {least_us(lambda m=metrics: m.render() and None, 1) / 1000:18.2f} ms")  # type: ignore[misc]


if __name__ == "__main__":
    main()
