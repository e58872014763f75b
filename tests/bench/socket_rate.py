"""How many checks a second the service answers over its socket: real requests with 24 headers, keep-alive, one core.

The sender on core 0, the service on core 1, over a Unix socket as nginx asks.  Beside it, in alternating runs: a process that parses
the same requests and answers a constant, which is what this machine gives at best, and shows that the sender could do more; and the
service over loopback TCP, which costs the kernel more.  What counts are rounds in which core 1 was undisturbed (undisturbed.py).
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

from tests.bench.check_load import Driven, load
from tests.bench.figures import Figure, show
from tests.bench.load import CONNECTIONS, cpu_s, free_port, running, service_command
from tests.bench.undisturbed import take

GOAL_PER_S = 25_000


def measure(*, enough: int = 7, at_most: int = 30, seconds: float = 1) -> list[Figure]:
    """Alternating runs, after one of each that warms up, until `enough` rounds were undisturbed."""
    with tempfile.TemporaryDirectory(prefix="botsieve-bench-") as name:
        folder = Path(name)
        port = free_port()
        addresses: dict[str, str | Path] = {
            "unix": folder / "check.sock",
            "constant": folder / "constant.sock",
            "tcp": str(port),
        }
        commands = {
            "unix": service_command(folder, f"unix:{folder}/check.sock", free_port(), "unix"),
            "constant": [sys.executable, "-m", "tests.bench.bare", f"{folder}/constant.sock"],
            "tcp": service_command(folder, f"127.0.0.1:{port}", free_port(), "tcp"),
        }
        driven: dict[str, list[Driven]] = {name: [] for name in commands}
        asked = dict.fromkeys(commands, 0.0)
        spent = dict.fromkeys(commands, 0.0)
        with contextlib.ExitStack() as stack:
            pids = {}
            for name, command in commands.items():
                at = addresses[name]
                listening = running(command, 1, unix=at) if isinstance(at, Path) else running(command, 1, port=int(at))
                pids[name] = stack.enter_context(listening)

            def ask(name: str, seconds: float) -> float:
                before = cpu_s(pids[name])
                found = load(addresses[name], seconds=seconds, core=0)
                spent[name] += cpu_s(pids[name]) - before
                asked[name] += found.rate_per_s * seconds
                driven[name].append(found)
                return found.rate_per_s

            for name in commands:
                ask(name, 1)
            asks = {name: (lambda name=name: ask(name, seconds)) for name in commands}  # type: ignore[misc]
            rounds = take(asks, [1], enough=enough, at_most=at_most)
    each = {name: spent[name] / asked[name] * 1e6 for name in commands}
    busy = {name: max(run.busy_0_1 for run in found) for name, found in driven.items()}
    unjudged = sum(run.unjudged for run in driven["unix"])
    rates = {name: rounds.median(name) for name in commands}
    share = rates["unix"] / rates["constant"]
    how = rounds.words(f"{rounds.median_of_all('unix'):,.0f}/s", f"rounds of {seconds:.0f} s each")
    return [
        Figure(
            what="checks over the socket",
            measured=f"{rates['unix']:,.0f}/s",
            goal=f"{GOAL_PER_S:,}/s",
            reached=rounds.reached(rates["unix"] >= GOAL_PER_S),
            how=f"Unix socket, 24 headers, {CONNECTIONS} keep-alive connections, service on core 1, sender on core 0 (busy "
            f"{busy['unix']:.0%} of it at most); {how}; {each['unix']:.1f} us of processor time each, {unjudged} unjudged",
        ),
        Figure(
            what="the same against a constant answer in Python",
            measured=f"{share:.2f}",
            how=f"{rates['unix']:,.0f} against {rates['constant']:,.0f}/s ({each['constant']:.1f} us) of a process that parses the same "
            f"requests and decides nothing; the sender, then busy {busy['constant']:.0%}, is not what limits ours",
        ),
        Figure(
            what="the same over loopback TCP",
            measured=f"{rates['tcp']:,.0f}/s",
            how=f"else as above; {each['tcp']:.1f} us of processor time each",
        ),
    ]


if __name__ == "__main__":
    show(measure(enough=1, at_most=1) if "--quick" in sys.argv else measure())
