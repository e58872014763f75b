"""The longest pause of the check socket: a pinger asks 1,000 times a second while the service grows, evicts, reloads its configuration
and two lists of 200,000 ranges (exceptions, reputation), and is scraped.

Two figures.  The longest answer is what a visitor saw; on a machine that others use it holds their share too.  The longest hold
is the processor time of the loop's own thread between two requests that it answered: what the loop was busy with, and nothing
else.  The service here is the real one, told of the time by one wrapper around the answer to a request.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

from tests.bench.checks import ask_all, at_pace, connected, percentile_ms, question
from tests.bench.figures import Figure, show
from tests.bench.load import free_port, judged

GOAL_MS, GOAL_HOLD_MS = 20.0, 10.0
NETWORKS = 9_999
RANGES = 200_000  # of each list
RELOADS = 20
LISTS_EVERY = 5  # reloads of the configuration for each change of the lists


# ---- in the service's process


def serve(config: str, report: str) -> None:
    """`botsieve serve`, which writes its longest holds at SIGUSR2: the longest waits in ms, then lines of the loop's, the process's and
    wall ms, and how many of the loop's went into the request before."""
    from botsieve.cli import main
    from botsieve.transports.http import NginxEdge

    handle = NginxEdge.handle
    last = [0.0, 0.0, 0.0]
    answered = [0.0]
    worst: list[tuple[float, float, float, float]] = []
    waits: list[float] = []

    def timed(self: NginxEdge, request: object) -> bytes:
        loop_s, process_s, wall_s = time.thread_time(), time.process_time(), time.perf_counter()
        held = (loop_s - last[0], process_s - last[1], wall_s - last[2])
        last[:] = [loop_s, process_s, wall_s]
        if held[2] > 0.02 and held[2] < wall_s:
            waits.append(held[2] * 1e3)
            waits.sort(reverse=True)
            del waits[5:]
        if held[0] > 0.002 and held[0] < loop_s:  # the first answer has nothing before it
            worst.append((held[0] * 1e3, held[1] * 1e3, held[2] * 1e3, answered[0] * 1e3))
            worst.sort(reverse=True)
            del worst[20:]
        try:
            return handle(self, request)  # type: ignore[arg-type]
        finally:
            answered[0] = time.thread_time() - loop_s

    def tell(*_: object) -> None:
        lines = ["".join(f"{one:.1f} " for one in waits), *(f"{a:.2f} {b:.2f} {c:.2f} {d:.2f}" for a, b, c, d in worst)]
        Path(report + ".new").write_text("\n".join(lines))
        os.rename(report + ".new", report)
        worst.clear()
        waits.clear()

    NginxEdge.handle = timed  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR2, tell)
    sys.exit(main(["serve", "--config", config]))


# ---- in processes of their own


def feed(path: str, first: int, seconds: float) -> None:
    """New clients, one request each, as fast as they are answered: 16 under way on one connection."""
    with connected(path) as sock:
        until, number = time.monotonic() + seconds, first
        while time.monotonic() < until:
            numbers = range(number, number := number + 16)
            if not ask_all(sock, [question(address_of(n), b"/items/%d" % n, b"%032x" % n) for n in numbers]):
                return


def address_of(number: int) -> bytes:
    """Another one for each."""
    return b"%d.%d.%d.%d" % (11 + (number >> 24), number >> 16 & 255, number >> 8 & 255, number & 255)


def ping(path: str, seconds: float) -> None:
    """Asks every ms, one at a time; prints how many, and the 50th and 99th percentile and the longest answers, in ms."""
    took = at_pace(path, question(b"203.0.113.9", b"/ping"), seconds, 0.001)
    longest = [one * 1e3 for one in took[-5:]]
    print(len(took), *(f"{one:.2f}" for one in (percentile_ms(took, 0.5), percentile_ms(took, 0.99), *longest)))


def rest(seconds: float) -> None:
    """Sleeps 1 ms at a time; prints the longest five sleeps in ms: what the machine does to a process that does nothing."""
    slept: list[float] = []
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        time.sleep(0.001)
        slept.append(time.perf_counter() - began)
    print(*(f"{one * 1e3:.1f}" for one in sorted(slept)[-5:]))


# ---- all of it


def write_config(folder: Path, turn: int) -> Path:
    """A configuration with as many exceptions as can be written in it, and a file of more; another one each turn."""
    config = folder / "botsieve.yaml"
    ranges = ", ".join(f"10.{n >> 8 & 255}.{n & 255}.{turn % 250}/32" for n in range(NETWORKS))
    text = (
        "policies: [{name: all, audience: browser}]\n"
        f"edges: {{nginx: {{listen: 'unix:{folder}/s', socket_group: null}}}}\n"
        f"allow: {{networks: [{ranges}, {folder}/allow.txt]}}\n"
        f"reputation: [{{file: {folder}/drop.netset, category: spam}}]\n"
        f"state: {{dir: {folder}/state, max_mib: 64}}\nchallenge: {{keys_file: {folder}/state/keys}}\n"
        f"journal: {{decisions: {{to: {folder}/log}}}}\nweb: {{listen: '127.0.0.1:{(folder / 'port').read_text()}'}}\n"
    )
    (folder / "new").write_text(text)
    (folder / "new").replace(config)
    return config


def write_lists(folder: Path, turn: int) -> None:
    """Two lists of 200,000 ranges each, other ones each turn."""
    chance = random.Random(turn)
    for name in ("allow.txt", "drop.netset"):
        networks = chance.sample(range(1 << 22), RANGES)
        text = "".join(f"{n >> 14 & 255}.{n >> 6 & 255}.{(n & 63) << 2}.{turn % 250}\n" for n in networks)
        (folder / "new").write_text(text)
        (folder / "new").replace(folder / name)


class Run(NamedTuple):
    """What one run showed.  `answers`: what the pinger printed; `waits` and `holds`: what the service reported, in ms."""

    answers: list[bytes]
    idle: str
    waits: tuple[float, ...]
    holds: list[tuple[float, ...]]
    metrics: str
    clients: int
    log: str


def run(seconds: float, reloads: int) -> Run:
    """Grows and evicts all the time; reloads and scrapes on the way."""
    with tempfile.TemporaryDirectory(prefix="bs-") as name:
        folder = Path(name)
        (folder / "port").write_text(str(free_port()))
        web = int((folder / "port").read_text())
        write_lists(folder, 0)
        me = [sys.executable, "-m", __spec__.name]
        service = subprocess.Popen(
            [*me, "--serve", str(write_config(folder, 0)), str(folder / "holds")], stderr=subprocess.PIPE
        )
        others: list[subprocess.Popen[bytes]] = []
        try:
            _wait(lambda: _is_ready(web))
            _holds(service.pid, folder)  # the start is not counted
            pinger = subprocess.Popen([*me, "--ping", f"{folder}/s", str(seconds)], stdout=subprocess.PIPE)
            idler = subprocess.Popen([*me, "--rest", str(seconds)], stdout=subprocess.PIPE)
            others.extend((pinger, idler))
            others.extend(subprocess.Popen([*me, "--feed", f"{folder}/s", str(n * 2_000_000), str(seconds)]) for n in range(2))
            for turn in range(1, reloads + 1):
                time.sleep(seconds / (reloads + 2))
                write_config(folder, turn)
                if turn % LISTS_EVERY == 1:
                    write_lists(folder, turn)
                service.send_signal(signal.SIGHUP)
                _scrape(web)
            answers = pinger.communicate(timeout=seconds + 20)[0].split()
            idle = b", ".join(idler.communicate(timeout=20)[0].split()).decode()
            waits, *holds = _holds(service.pid, folder)
            metrics, clients = _scrape(web), judged(web)
        finally:
            for process in (*others, service):
                process.terminate()
                process.wait(10)
        return Run(answers, idle, waits, holds, metrics, clients, (folder / "log").read_text())


def measure(*, seconds: float = 70.0, reloads: int = RELOADS) -> list[Figure]:
    """The longest hold, and the longest answer."""
    seen = run(seconds, reloads)
    asked, median, p99, *longest = map(float, seen.answers)
    hold = seen.holds[0] if seen.holds else (0.0, 0.0, 0.0, 0.0)
    evicted = _value(seen.metrics, 'botsieve_evictions_total{subject="client"}')
    applied, lists = seen.log.count('"config_applied"') - 1, _lists_applied(seen.log)
    reloaded = f"{applied} reloads of {NETWORKS:,} networks, {lists} of {RANGES:,} ranges"
    return [
        Figure(
            what="longest hold of the loop",
            measured=f"{hold[0]:.1f} ms",
            goal=f"{GOAL_HOLD_MS:.0f} ms",
            reached=hold[0] <= GOAL_HOLD_MS,
            how=f"processor time of the loop's thread between two answers (the process: {hold[1]:.1f}, wall: {hold[2]:.1f} ms; "
            f"{hold[3]:.1f} of it the answer before); "
            f"{len(seen.holds)} above 2 ms: {', '.join(f'{one[0]:.1f}' for one in seen.holds[:8])}; "
            f"{seen.clients:,} clients, {evicted:,.0f} evicted, {reloaded}, {reloads} scrapes",
        ),
        Figure(
            what="longest answer of the check socket",
            measured=f"{longest[-1]:.1f} ms",
            goal=f"{GOAL_MS:.0f} ms",
            reached=longest[-1] <= GOAL_MS,
            how=f"of {int(asked):,} asked every ms, under full load: median {median:.2f}, 99th percentile {p99:.2f}, "
            f"the longest five {', '.join(f'{one:.1f}' for one in longest)} ms; "
            f"the service itself was longest without an answer for {', '.join(map(str, seen.waits)) or 'less than 20'} ms, a process "
            f"that only sleeps for {seen.idle} ms; "
            f"load of the machine {os.getloadavg()[0]:.1f}",
        ),
    ]


def _lists_applied(log: str) -> int:
    """How often a list was read and applied, without the start.  Events of the same file within 10 s are one line with a count."""
    events = [json.loads(line) for line in log.splitlines() if '"data_applied"' in line]
    return sum(event.get("count", 1) for event in events) - 2


def _holds(pid: int, folder: Path) -> list[tuple[float, ...]]:
    report = folder / "holds"
    report.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)
    _wait(report.exists)
    return [tuple(map(float, line.split())) for line in report.read_text().splitlines()]


def _wait(done: object, at_most_s: float = 30.0) -> None:
    until = time.monotonic() + at_most_s
    while not done():  # type: ignore[operator]
        assert time.monotonic() < until, "not in time"
        time.sleep(0.05)


def _is_ready(web: int) -> bool:
    try:
        return bool(urllib.request.urlopen(f"http://127.0.0.1:{web}/readyz", timeout=2).read())
    except OSError:
        return False


def _scrape(web: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics", timeout=20) as answer:
        text: str = answer.read().decode()
    return text


def _value(metrics: str, series: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(series))


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", nargs=2)
    parser.add_argument("--feed", nargs=3)
    parser.add_argument("--ping", nargs=2)
    parser.add_argument("--rest")
    parser.add_argument("--seconds", type=float, default=70.0, help="how long; the longer, the more clients")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.serve:
        serve(*given.serve)
    elif given.feed:
        feed(given.feed[0], int(given.feed[1]), float(given.feed[2]))
    elif given.ping:
        ping(given.ping[0], float(given.ping[1]))
    elif given.rest:
        rest(float(given.rest))
    else:
        show(measure(seconds=10, reloads=3) if given.quick else measure(seconds=given.seconds))


if __name__ == "__main__":
    _main()
