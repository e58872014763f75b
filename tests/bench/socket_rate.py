"""How many checks a second the service answers over its socket: real requests with 24 headers, keep-alive, one core.

wrk on core 0, the service on core 1.  wrk cannot speak to Unix sockets, so the listener is loopback TCP, which costs more.  Beside
it, in alternating runs, a process that parses the same requests and answers a constant: what this machine gives at best.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

from tests.bench.figures import Figure, show
from tests.bench.load import CONNECTIONS, ITEM, cpu_s, free_port, running, script, service_command, wrk

GOAL_PER_S = 25_000
_EDGE = {
    "X-Botsieve-Edge": "1 order tls",
    "X-Botsieve-Method": "GET",
    "X-Botsieve-Scheme": "https",
    "X-Botsieve-Host": "shop.example",
    "X-Botsieve-Http": "HTTP/2.0",
    "X-JA3-Fingerprint": "cd08e31494f9531f560d64c695473da9",
    "X-JA4-Fingerprint": "t13d1516h2_8daaf6152771_d8a2da3f94cd",
    "X-Botsieve-Tls-Sig": "t13d1515h2_8daaf6152771_31ec0a762479",
}
_EACH = f'wrk.headers["X-Botsieve-Uri"] = {ITEM}'


def measure(*, runs: int = 5, seconds: float = 3) -> list[Figure]:
    """The median of several runs, after one that warms up."""
    with tempfile.TemporaryDirectory(prefix="botsieve-bench-") as name:
        folder = Path(name)
        lua = script(folder, address="X-Botsieve-Client-Addr", target='"/v1/check/nginx"', each=_EACH, headers=_EDGE)
        service, constant = free_port(), free_port()
        commands = {
            service: service_command(folder, f"127.0.0.1:{service}", free_port()),
            constant: [sys.executable, "-m", "tests.bench.bare", str(constant)],
        }
        with contextlib.ExitStack() as stack:
            pids = {port: stack.enter_context(running(command, 1, port=port)) for port, command in commands.items()}

            def ask(port: int) -> float:
                return wrk(f"http://127.0.0.1:{port}", lua, seconds=seconds, core=0)

            for port in commands:
                wrk(f"http://127.0.0.1:{port}", lua, seconds=1, core=0)
            before = cpu_s(pids[service])
            rates: dict[int, list[float]] = {port: [] for port in commands}
            for _ in range(runs):
                for port in commands:
                    rates[port].append(ask(port))
            spent = cpu_s(pids[service]) - before
    median = {port: sorted(found)[runs // 2] for port, found in rates.items()}
    share = median[service] / median[constant]
    return [
        Figure(
            what="checks over the socket",
            measured=f"{median[service]:,.0f}/s",
            goal=f"{GOAL_PER_S:,}/s",
            reached=median[service] >= GOAL_PER_S,
            how=f"24 headers, {CONNECTIONS} keep-alive connections, service on core 1, wrk on core 0, loopback TCP; "
            f"median of {runs} runs of {seconds:.0f} s; {spent / (sum(rates[service]) * seconds) * 1e6:.1f} us of processor time each",
        ),
        Figure(
            what="the same against a constant answer in Python",
            measured=f"{share:.2f}",
            goal="",
            reached=None,
            how=f"{median[service]:,.0f} against {median[constant]:,.0f}/s of a process that parses the same requests and decides nothing",
        ),
    ]


if __name__ == "__main__":
    show(measure(runs=1, seconds=1) if "--quick" in sys.argv else measure())
