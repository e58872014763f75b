"""`make bench`: the table of what was promised about speed and memory, measured here and now.

Each benchmark runs in a process of its own, one after the other; all of it takes eight to ten minutes, at most five each; where
neighbours disturb the cores three minutes more, because rates are told of undisturbed cores (undisturbed.py).
`make bench BENCH=--quick` takes two minutes and shows whether it works, not how fast it is.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import msgspec

from tests.bench.figures import Figure, table

BENCHES = (
    "decide",
    "socket_rate",
    "nginx_rate",
    "memory",
    "fingerprint_cost",
    "grpc_rate",
    "pauses",
    "overload",
    "attack_on_state",
    "store_cost",
)
TIMEOUT_S = 300


def figures_of(bench: str, arguments: list[str]) -> list[Figure]:
    """What one benchmark measured; a row that says so when it could not."""
    command = [sys.executable, "-m", f"tests.bench.{bench}", "--json", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return [Figure(what=bench, measured="-", how=f"not done after {TIMEOUT_S} s")]
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return [Figure(what=bench, measured="-", goal="a figure", reached=False, how=last[0][:300])]
    return msgspec.convert(json.loads(done.stdout), list[Figure])


def main() -> int:
    """Prints the table.  A goal that was not reached, or not shown, is said, and is no failure: the machine may be somebody else's."""
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{where}, load {os.getloadavg()[0]:.1f} before")
    for bench in BENCHES:
        print(table(figures_of(bench, sys.argv[1:])), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} after")
    return 0


if __name__ == "__main__":
    sys.exit(main())
