"""What the store does to a decision: the 99th percentile of answers while it is well, stopped, full, and without a disk.

One service with 200 clients in an attack (each request of theirs violates) and a pinger that asks 500 times a second.  The writer is
stopped with SIGSTOP; it has no disk when it may write no larger file; it is full when the database has reached max_mib before.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.checks import ask_all, at_pace, connected, percentile_ms, question
from tests.bench.figures import Figure, alternating, show
from tests.store.rig import Store

GOAL_MS = 2.0
CLIENTS, TURNS, SECONDS = 200, 5, 4.0
WELL, STOPPED, NO_DISK, FULL = "well", "stopped (SIGSTOP)", "without a disk", "full"


def attack(path: str, seconds: float) -> None:
    """About 500 requests a second of 200 clients that surf too fast: nearly all of them violate."""
    with connected(path) as sock:
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            began_s = time.monotonic()
            numbers = range(number, number := number + 10)
            ask_all(sock, [question(b"203.0.%d.7" % (n % CLIENTS), b"/p%d/%dx" % ((n // CLIENTS % 500,) * 2)) for n in numbers])
            time.sleep(max(0.0, began_s + 0.02 - time.monotonic()))


def p99_ms(path: str, seconds: float) -> float:
    """Asks 500 times a second, one at a time."""
    return percentile_ms(at_pace(path, question(b"198.51.100.9", b"/ping"), seconds, 0.002), 0.99)


class Stage:
    """A service under attack, and its writer."""

    def __init__(self, folder: Path, *, max_mib: int = 256) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.path = str(folder / "s")
        config = folder / "botsieve.yaml"
        config.write_text(
            "policies: [{name: all, audience: browser, mode: enforce, preset: strict}]\n"
            f"edges: {{nginx: {{listen: 'unix:{folder}/s', socket_group: null, deadline_ms: 1000}}}}\n"
            f"state: {{dir: {folder}/state, max_mib: 64}}\nchallenge: {{keys_file: {folder}/state/keys}}\nweb: {{listen: null}}\n"
            f"journal: {{decisions: {{to: null}}, incidents: {{max_mib: {max_mib}}}}}\n"
        )
        me = [sys.executable, "-m"]
        self.service = subprocess.Popen([*me, "botsieve", "serve", "--config", str(config)], stderr=subprocess.DEVNULL)
        self.attack: subprocess.Popen[bytes] | None = None
        try:
            _wait(lambda: (folder / "s").exists() and _has_writer(self.service.pid))
        except AssertionError:
            self.end()
            raise
        self.writer = _writer_of(self.service.pid)

    def begin(self, seconds: float) -> None:
        """The attack begins; after a while every request of it violates."""
        self.attack = subprocess.Popen([sys.executable, "-m", __spec__.name, "--attack", self.path, str(seconds)])
        time.sleep(9.0)

    def size(self) -> int:
        return (self.folder / "state" / "state.sqlite").stat().st_size

    def incidents(self) -> tuple[int, int]:
        """Incidents and violations that are in the file."""
        with sqlite3.connect(f"file:{self.folder}/state/state.sqlite?mode=ro", uri=True) as sql:
            found = sql.execute("SELECT count(*), coalesce(sum(violations), 0) FROM incidents").fetchone()
            return int(found[0]), int(found[1])

    def end(self) -> None:
        for process in (self.attack, self.service):
            if process is not None:
                process.terminate()
                process.wait(10)


def fill(folder: Path, mib: int) -> None:
    """A database of that size, of incidents as long as they can be."""
    from botsieve.store.database import Database
    from botsieve.store.schema import path_in

    from tests.unit.store.rows import incident, sample

    (folder / "state").mkdir(parents=True, mode=0o700)
    database = Database(path_in(folder / "state"))
    now_s, number = time.time() - 3_600.0, 0
    while path_in(folder / "state").stat().st_size < mib << 20:
        number += 1
        rows = [sample(n, incident=str(number), time_s=now_s + number, path="/" + "x" * 1_000) for n in range(20)]
        database.write(
            [incident(id=str(number), started_s=now_s + number, last_s=now_s + number, ended_s=now_s + number + 1.0), *rows]
        )
    database.close()


def measure(*, turns: int = TURNS, seconds: float = SECONDS) -> list[Figure]:
    """All four in turn, so that a slow minute of the machine hits all of them."""
    with tempfile.TemporaryDirectory(prefix="bs-") as name:
        fill(Path(name) / "full", 8)
        stages = [Stage(Path(name) / "well")]
        try:
            stages.append(Stage(Path(name) / "full", max_mib=8))
            well, full = stages
            for stage in stages:
                stage.begin(2.0 * turns * 4 * (seconds + 1.0) + 60.0)
            medians = alternating(
                turns,
                {
                    WELL: lambda: p99_ms(well.path, seconds),
                    STOPPED: lambda: _stopped(well, seconds),
                    NO_DISK: lambda: _without_disk(well, seconds),
                    FULL: lambda: p99_ms(full.path, seconds),
                },
            )
            stored = well.incidents()
            size = full.size()
        finally:
            for stage in stages:
                stage.end()
    rows = []
    for name in (STOPPED, NO_DISK, FULL):
        rise = medians[name] - medians[WELL]
        rows.append(
            Figure(
                what=f"p99 of a check, the store {name}",
                measured=f"{rise:+.2f} ms",
                goal=f"+{GOAL_MS:.0f} ms",
                reached=rise <= GOAL_MS,
                how=f"{medians[name]:.2f} ms against {medians[WELL]:.2f} ms while it is well; medians of {turns} runs of {seconds:g} s",
            )
        )
    rows.append(
        Figure(
            what="incidents and violations that were stored meanwhile",
            measured=f"{stored[0]:,} and {stored[1]:,}",
            how=f"500 requests/s in an attack on each service; the full database has {size >> 20} of 8 MiB",
        )
    )
    return rows


def _stopped(stage: Stage, seconds: float) -> float:
    os.kill(stage.writer, signal.SIGSTOP)
    try:
        return p99_ms(stage.path, seconds)
    finally:
        os.kill(stage.writer, signal.SIGCONT)


def _without_disk(stage: Stage, seconds: float) -> float:
    resource.prlimit(stage.writer, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        return p99_ms(stage.path, seconds)
    finally:
        resource.prlimit(stage.writer, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _writer_of(service: int) -> int:
    """The service's writer, by what the kernel says."""
    for children in Path(f"/proc/{service}/task").glob("*/children"):
        for pid in children.read_text().split():
            if b"store.writer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
    raise AssertionError("the service has no writer")


def _has_writer(service: int) -> bool:
    try:
        return _writer_of(service) > 0
    except AssertionError:
        return False


def _wait(said: Callable[[], bool]) -> None:
    until = time.monotonic() + 30.0
    while not said():
        if time.monotonic() > until:
            raise AssertionError("the service did not start within 30 s")
        time.sleep(0.05)


def slices(folder: Path) -> list[Figure]:
    """What one step of the feed takes of the loop's processor time: so long a decision may have to wait.  Noise does not touch it."""
    found: dict[str, list[float]] = {}
    with Store(folder) as store:
        store.until(lambda: store.feed._is_greeted)
        for name in (WELL, NO_DISK, STOPPED):
            if name == NO_DISK:
                resource.prlimit(store.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
            if name == STOPPED:
                os.kill(store.process.pid, signal.SIGSTOP)
            took = found[name] = []
            for number in range(2_000):
                for at in range(10):
                    store.violate(number * 10 + at, client=f"10.{number % 250}.{at}.7")
                began_s = time.thread_time()
                store.step(0.02)
                took.append((time.thread_time() - began_s) * 1e3)
        os.kill(store.process.pid, signal.SIGCONT)
    return [
        Figure(
            what=f"p99 of the loop's time for a slice, the store {name}",
            measured=f"{sorted(took)[len(took) * 99 // 100]:.2f} ms",
            goal=f"{GOAL_MS:.0f} ms",
            reached=sorted(took)[len(took) * 99 // 100] <= GOAL_MS,
            how=f"processor time; median {sorted(took)[len(took) // 2]:.2f}, longest {max(took):.2f} ms; 10 new violations a slice",
        )
        for name, took in found.items()
    ]


def main() -> None:
    """Prints the rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--attack", nargs=2, metavar=("SOCKET", "SECONDS"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.attack:
        attack(given.attack[0], float(given.attack[1]))
        return
    with tempfile.TemporaryDirectory(prefix="bs-") as name:
        held = slices(Path(name))
    show([*held, *(measure(turns=1, seconds=1.0) if given.quick else measure())])


if __name__ == "__main__":
    main()
