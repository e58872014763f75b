"""`make soak`: half an hour at 300 requests a second, and whether anything grows (SOAK_MINUTES=12 make soak: for so long).

nginx with the shipped includes, the real service in mode `enforce` behind it.  Growth counts after five minutes.  Exit code 1 when
memory grows by 1 MiB a minute or more, when open files, threads or tasks grow at all, or when a visitor saw an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import time
from pathlib import Path

from tests.conftest import ROOT
from tests.servers import Process, Site, wait_until
from tests.service.running import place
from tests.soak.trend import GOAL_MIB_PER_MIN, Outcome, Reading, outcome
from tests.soak.visitors import RATE_PER_S, Heard, Visitors

DEFAULT_MINUTES = 30.0
EVERY_S = 5.0
_REAL_IP = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address; keepalive_requests 1000000;"


def read(pid: int, tasks: Path, at_s: float) -> Reading:
    """One look at a process: what the kernel says of it, and what it wrote of its tasks."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Reading(
        at_s,
        int(status["VmRSS"].split()[0]),
        len(os.listdir(f"/proc/{pid}/fd")),
        int(status["Threads"]),
        int(tasks.read_text()),
    )


async def soak(port: int, pid: int, tasks: Path, seconds: float) -> tuple[list[Reading], Heard]:
    """Visits, and a reading every five seconds; a line each minute."""
    visitors = Visitors(port)
    visiting = asyncio.create_task(visitors.run(seconds))
    start = time.monotonic()
    readings: list[Reading] = []
    while not visiting.done():
        await asyncio.wait([visiting], timeout=EVERY_S)
        readings.append(read(pid, tasks, time.monotonic() - start))
        if len(readings) % int(60 / EVERY_S) == 0:
            last, heard = readings[-1], visitors.heard
            print(
                f"{last.at_s / 60:4.0f} min  {heard.answers:>8,} answers  {heard.refused:>7,} refused  {heard.errors} errors  "
                f"{last.rss_kib / 1024:6.1f} MiB  {last.open_files} files  {last.threads} threads  {last.tasks} tasks",
                flush=True,
            )
    await visiting
    return readings, visitors.heard


def report(found: Outcome, heard: Heard, seconds: float) -> str:
    """What to show."""
    return "\n".join(
        [
            f"{heard.answers:,} answers in {seconds / 60:.1f} min ({heard.answers / seconds:.0f}/s): {heard.errors} errors, "
            f"{heard.late} later than 1 s, {heard.refused:,} refused",
            f"memory of the service in the last {found.minutes:.1f} min: {found.rss_mib[0]:.1f} to {found.rss_mib[1]:.1f} MiB, "
            f"{found.mib_per_min:+.2f} MiB/min (goal: below {GOAL_MIB_PER_MIN:.0f})",
            f"open files {found.open_files[0]} to {found.open_files[1]}, threads {found.threads[0]} to {found.threads[1]}, "
            f"asyncio tasks {found.tasks[0]} to {found.tasks[1]} (goal: constant)",
            f"grows: {', '.join(found.grown) or 'nothing'}",
        ]
    )


def main() -> int:
    """The command."""
    seconds = 60.0 * float(os.environ.get("SOAK_MINUTES") or DEFAULT_MINUTES)
    print(f"{RATE_PER_S} requests/s for {seconds / 60:g} min; load of the machine {os.getloadavg()[0]:.1f}", flush=True)
    with place() as at:
        at.write("policies: [{name: shop, mode: enforce, audience: browser}]\n")
        tasks = at.folder / "tasks"
        command = [sys.executable, "-m", "tests.soak.watched", str(tasks), "--config", str(at.config)]
        (at.folder / "nginx").mkdir()
        with Process(command, cwd=ROOT, log=at.folder / "service.out") as service:
            wait_until(lambda: "ready" in service.output and tasks.exists(), at_most_s=30, what="`ready`")
            with contextlib.redirect_stdout(io.StringIO()):  # what the installer of the includes says
                site = Site(at.folder / "nginx", at.socket, http=_REAL_IP, app="return 200 ok;")
            with site:
                readings, heard = asyncio.run(soak(site.http_port, service.pid, tasks, seconds))
    found = outcome(readings, seconds)
    print(report(found, heard, seconds))
    print(f"load of the machine {os.getloadavg()[0]:.1f} at the end")
    return int(not found.is_good or heard.errors > 0)


if __name__ == "__main__":
    sys.exit(main())
