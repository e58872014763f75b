"""What floods of made-up clients do to what is remembered: to the verdicts on others, and to memory.

1,000 watched clients (tools that solved a challenge, people with a session, people in mid-visit, scrapers) come before and after
a flood; the same clients without the flood say what their verdicts should be.  Each flood runs in a process of its own, because
resident memory is not given back in full.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys

from tests.attack.floods import FLOOD_S, FLOODS, MIB, START_S, Defence, pour, watch
from tests.bench.figures import Figure, show
from tests.bench.memory import resident

WATCHED = 1_000
MAX_MIB = 64
MANY = 1_000_000
GOAL_FLIPS = 0.001
GOAL_ABOVE = 0.05
TIMEOUT_S = 110


def verdicts(defence: Defence, count: int, flood: str, size: int) -> list[str]:
    """What the watched clients hear after the flood; size 0: without one."""
    watched = watch(defence, count)
    if size:
        pour(defence, FLOODS[flood], size)
    found = [one.ask(START_S + FLOOD_S + 1) for one in watched]
    return [f"{decision.would_be} {decision.score} {decision.rule}" for decision in found]


def attack(flood: str, size: int, *, watched: int = WATCHED, max_mib: int = MAX_MIB) -> dict[str, float]:
    """One flood on one engine, in this process: `flips`, `grown` and `accounted` (bytes), `evictions`."""
    calm = verdicts(Defence(max_mib), watched, flood, 0)
    defence = Defence(max_mib)
    pour(Defence(1), FLOODS[flood], min(size, 2_000))  # what every process has once: tables of patterns, arenas
    gc.collect()
    before = resident()
    hit = verdicts(defence, watched, flood, size)
    gc.collect()
    return {
        "flips": sum(one != other for one, other in zip(calm, hit, strict=True)),
        "refused": sum(not one.startswith("allow") for one in calm),
        "grown": resident() - before,
        "accounted": defence.accounted,
        "clients": len(defence.engine.world.clients),
    }


def measure(*, many: int = MANY) -> list[Figure]:
    """Every flood: the one of the goal in full, the others a tenth of it."""
    figures = []
    for flood, does in FLOODS.items():
        size = many if flood == "one_per_64" else many // 40 if flood == "long_names" else many // 10
        command = [sys.executable, "-m", __spec__.name, "--one", flood, str(size)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        found = json.loads(done.stdout)
        above = found["grown"] / (MAX_MIB * MIB) - 1
        figures.append(
            Figure(
                what=f"{size:,} of {flood}",
                measured=f"{found['flips']:.0f} of {WATCHED:,} verdicts changed, {found['grown'] / MIB:.0f} MiB",
                goal=f"{WATCHED * GOAL_FLIPS:.0f}, {MAX_MIB * (1 + GOAL_ABOVE):.0f} MiB",
                reached=found["flips"] <= WATCHED * GOAL_FLIPS and above <= GOAL_ABOVE,
                how=f"{(does.__doc__ or '').split(chr(10))[0]}  Tables: {found['accounted'] / MIB:.1f} MiB by their own account, "
                f"{found['clients']:,.0f} clients; {found['refused']:.0f} of the watched are refused with or without",
            )
        )
    return figures


if __name__ == "__main__":
    if "--one" in sys.argv:
        at = sys.argv.index("--one")
        print(json.dumps(attack(sys.argv[at + 1], int(sys.argv[at + 2]))))
    else:
        show(measure(many=100_000) if "--quick" in sys.argv else measure())
