"""What DNS costs, and DNS that hangs: the time of an answer while a flood of false crawlers asks, beside one that asks no DNS.

One connection asks as a person would; beside it another one claims to be Googlebot, from another address each time.  The service is
the real one, on the same core for both; the phases take turns, so that a slow minute of the machine hits both.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.bench.checks import connected, percentile_ms, question
from tests.bench.figures import Figure, show
from tests.lookups.dns_servers import Dnsmasq
from tests.servers import ServiceProcess, service_config

GOAL_MS = 2.0
_LIAR = question(b"%s", b"/liar").replace(
    b"user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    b"user-agent: Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)


class Service:
    """One service with one DNS server (`dns`: what stands in the configuration), and a flood of claims while a phase is measured."""

    def __init__(self, folder: Path, dns: str) -> None:
        folder.mkdir()
        more = f"crawlers: {{dns: {{{dns}}}}}\n"
        self.process = ServiceProcess(service_config(folder, "policies: [{name: shop}]", more=more))
        self._socket = folder / "check.sock"
        self._liar = 0

    def times_s(self, requests: int) -> list[float]:
        """How long each of so many answers took to a person, while others claim to be crawlers."""
        over = threading.Event()
        flood = threading.Thread(target=self._flood, args=(over,))
        flood.start()
        took = []
        with connected(str(self._socket)) as sock:
            for n in range(requests):
                began = time.perf_counter()
                sock.sendall(question(b"203.0.113.%d" % (n % 250), b"/"))
                sock.recv(65536)
                took.append(time.perf_counter() - began)
                time.sleep(0.002)
        over.set()
        flood.join()
        return took

    def _flood(self, over: threading.Event) -> None:
        with connected(str(self._socket)) as sock:
            while not over.wait(0.001):
                self._liar += 1
                n = self._liar
                sock.sendall(_LIAR.replace(b"%s", b"10.%d.%d.%d" % (n >> 16 & 255, n >> 8 & 255, n & 255)))
                sock.recv(65536)


def measure(requests: int, turns: int) -> list[Figure]:
    """Both services, in turn."""
    with (
        tempfile.TemporaryDirectory(prefix="bs-") as name,
        socket.socket(type=socket.SOCK_DGRAM) as silent,
    ):
        folder = Path(name)
        silent.bind(("127.0.0.1", 0))
        with Dnsmasq(folder, ["host-record=crawl-1.googlebot.com,66.249.66.1"], ("com",)) as answering:
            ports = {"answering": answering.port, "hanging": silent.getsockname()[1]}
            services = {name: Service(folder / name, f"servers: ['127.0.0.1:{port}']") for name, port in ports.items()}
            services["off"] = Service(folder / "off", "max_in_flight: 0")
            seen: dict[str, list[float]] = {name: [] for name in services}
            try:
                for turn in range(turns):
                    for which in sorted(services, reverse=bool(turn % 2)):
                        seen[which] += services[which].times_s(requests)
            finally:
                for service in services.values():
                    service.process.stop()
    p99_ms = {which: percentile_ms(sorted(times_s), 0.99) for which, times_s in seen.items()}
    without = p99_ms["off"]
    return [
        Figure(
            what=f"p99 of an answer with DNS {which}, less without DNS",
            measured=f"{p99_ms[which] - without:+.2f} ms",
            goal=f"<= {GOAL_MS:g} ms",
            reached=p99_ms[which] - without <= GOAL_MS,
            how=f"{p99_ms[which]:.2f} ms against {without:.2f} ms; {requests * turns} answers each, beside some 500 liars a second",
        )
        for which in ports
    ]


def main() -> None:
    """Prints the figure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--quick", action="store_true")
    given = options.parse_args()
    show(measure(200 if given.quick else 1000, 2 if given.quick else 4))


if __name__ == "__main__":
    try:
        main()
    except (OSError, AssertionError, subprocess.SubprocessError) as error:
        sys.exit(str(error))
