"""How many checks a second the service answers over its socket: real requests with 24 headers, keep-alive, one core.

The sender on core 0, the service on core 1, over a Unix socket as nginx asks.  What counts are short rounds in which core 1 was
undisturbed (undisturbed.py).  Beside it, in longer rounds that alternate: a process that parses the same requests and answers a
constant, which is what this machine gives at best, and shows that the sender could do more; and the service over loopback TCP, which
costs the kernel more.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

from tests.bench.check_load import Driven, loading
from tests.bench.figures import Figure, alternating, show
from tests.bench.load import CONNECTIONS, cpu_s, free_port, running, service_command
from tests.bench.undisturbed import brief, take

GOAL_PER_S = 25_000
ROUND_S = 0.03


def measure(*, enough: int = 30, at_most: int = 1_500, runs: int = 5) -> list[Figure]:
    """Rounds of 30 ms until `enough` were undisturbed; then `runs` of a second each, in turn."""
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
            pids, senders = {}, {}
            for name, command in commands.items():
                at = addresses[name]
                listening = running(command, 1, unix=at) if isinstance(at, Path) else running(command, 1, port=int(at))
                pids[name] = stack.enter_context(listening)
                senders[name] = stack.enter_context(loading(at, core=0))

            def ask(name: str, seconds: float) -> float:
                before = cpu_s(pids[name])
                found = senders[name](seconds)
                spent[name] += cpu_s(pids[name]) - before
                asked[name] += found.rate_per_s * seconds
                driven[name].append(found)
                return found.rate_per_s

            for name in commands:
                ask(name, 1)
            asks = {"": lambda: ask("unix", ROUND_S)}
            rounds = take(asks, [1], enough=enough, at_most=at_most, at_least=at_most // 5, calibrate=brief)
            rates = alternating(runs, {name: (lambda name=name: ask(name, 1)) for name in commands})  # type: ignore[misc]
    each = {name: spent[name] / asked[name] * 1e6 for name in commands}
    busy = {name: max(run.busy_0_1 for run in found) for name, found in driven.items()}
    unjudged = sum(run.unjudged for run in driven["unix"])
    share = rates["unix"] / rates["constant"]
    how = rounds.words(f"{rounds.median_of_all():,.0f}/s", f"rounds of {ROUND_S * 1e3:.0f} ms each")
    return [
        Figure(
            what="checks over the socket",
            measured=f"{rounds.median():,.0f}/s",
            goal=f"{GOAL_PER_S:,}/s",
            reached=rounds.reached(rounds.median() >= GOAL_PER_S),
            how=f"Unix socket, 24 headers, {CONNECTIONS} keep-alive connections, service on core 1, sender on core 0 (busy "
            f"{busy['unix']:.0%} of it at most); {how}; {each['unix']:.1f} us of processor time each, {unjudged} unjudged",
        ),
        Figure(
            what="the same against a constant answer in Python",
            measured=f"{share:.2f}",
            how=f"{rates['unix']:,.0f} against {rates['constant']:,.0f}/s, medians of {runs} alternating runs of a second, "
            f"however disturbed, ({each['constant']:.1f} us) of a process that parses the same requests and decides nothing; "
            f"the sender, then busy {busy['constant']:.0%}, is not what limits ours",
        ),
        Figure(
            what="the same over loopback TCP",
            measured=f"{rates['tcp']:,.0f}/s",
            how=f"else as above; {each['tcp']:.1f} us of processor time each",
        ),
    ]


if __name__ == "__main__":
    show(measure(enough=1, at_most=20, runs=1) if "--quick" in sys.argv else measure())
