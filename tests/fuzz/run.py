"""`make fuzz`: the targets with coverage guidance for some seconds each, then 100,000 structured requests on each transport.

Law of the file: bounded in time and count, prints one line a target and a transport, exit code 1 when a promise was broken.
What a target finds is written to .cache/fuzz/, never into the corpus: somebody looks at it first.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT
from tests.fuzz import transports
from tests.fuzz.mutate import CORPUS, changed
from tests.fuzz.targets import TARGETS

FOUND = ROOT / ".cache" / "fuzz"


def guided(target: str, seconds: int) -> bool:
    """One target under atheris, in a process of its own.  True: nothing was found."""
    new, log = FOUND / target, FOUND / f"{target}.log"
    new.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.guided",
        target,
        str(new),
        str(CORPUS / target),
        f"-artifact_prefix={FOUND}/{target}-",
    ]
    command += [
        f"-max_total_time={seconds}",
        "-timeout=60",
        "-rss_limit_mb=2048",
        "-max_len=20000",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    with log.open("wb") as output:
        done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False, timeout=seconds * 3 + 120)
    text = log.read_text("utf-8", "replace")
    runs = next((line.split()[-1] for line in text.splitlines() if "number_of_executed_units" in line), "?")
    print(
        f"{target:13} {runs:>8} inputs in {seconds} s, coverage-guided: {'nothing found' if not done.returncode else f'see {log}'}",
        flush=True,
    )
    return done.returncode == 0


def plain(target: str, seconds: int) -> bool:
    """One target on changed seeds, without coverage: where the guided fuzzer cannot be installed."""
    until_s, number = time.monotonic() + seconds, 0
    while time.monotonic() < until_s:
        try:
            TARGETS[target](changed(target, number))
        except Exception as error:
            print(f"{target:13} input {number} of tests.fuzz.mutate.changed: {type(error).__name__}: {error}")
            return False
        number += 1
    print(f"{target:13} {number:>8} inputs in {seconds} s: nothing found", flush=True)
    return True


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.run", description="Fuzzes parsers and transports.")
    parser.add_argument("--seconds", type=int, default=20, help="for each target; 0 leaves them out")
    parser.add_argument("--requests", type=int, default=100_000, help="for each transport; 0 leaves them out")
    told = parser.parse_args()
    has_atheris = importlib.util.find_spec("atheris") is not None
    if not has_atheris:
        print("fuzz: no atheris for this Python or machine: changed seeds without coverage instead")
    fine = True
    if told.seconds:
        for target in TARGETS:
            fine &= (guided if has_atheris else plain)(target, told.seconds)
    if told.requests:
        fine &= _transports(told.requests)
    return 0 if fine else 1


def _transports(count: int) -> bool:
    with transports.service() as running, tempfile.TemporaryDirectory(prefix="bs-") as folder:
        all_of_them = []
        for send in (transports.over_http, transports.over_grpc, lambda at, n: transports.over_nginx(at, Path(folder), n)):
            found = send(running, count)
            all_of_them.append(found)
            print(found, *found.bad[:5], sep="\n    ", flush=True)
        alive = running.process.popen.poll() is None
        print(f"metrics: {running.series()} series (wanted: at most 2,000)", flush=True)
        running.process.stop()
        faults = running.faults()
        print(
            f"service: {'alive at the end' if alive else 'GONE'}; tracebacks and faults in its output and log: {len(faults)}",
            *faults[:5],
        )
    return alive and not faults and not any(found.bad for found in all_of_them)


if __name__ == "__main__":
    sys.exit(main())
