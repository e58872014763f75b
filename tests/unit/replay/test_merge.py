"""Several files as one stream."""

from __future__ import annotations

import random
from pathlib import Path

from botsieve.replay.files import LogFile
from botsieve.replay.merge import in_order, merged

from tests.replay.samples import START_S, botsieve, write


def files_of(tmp_path: Path, *logs: list[float]) -> list[LogFile]:
    """One surveyed file for each list of times."""
    files = []
    for at, times in enumerate(logs):
        file = LogFile(write(tmp_path / f"{at}.log", [botsieve(at_s=time, uri=f"/{at}") for time in times]))
        file.survey()
        files.append(file)
    return files


def stream_of(files: list[LogFile], *, ordered: bool = True) -> list[tuple[float, bytes]]:
    """Time and target of the merged requests."""
    return [(round(o.edge_time_s - START_S, 3), o.uri) for o in merged(files, lambda _: None, ordered=ordered)]


def test_by_time_whatever_the_order_of_the_files(tmp_path: Path) -> None:
    """Rotated files and those of several servers come as one log; at the same instant the earlier opened file goes first."""
    files = files_of(tmp_path, [10, 11, 30], [0, 1, 2], [5, 11, 12], [])
    assert [time for time, _ in stream_of(files)] == [0, 1, 2, 5, 10, 11, 11, 12, 30]


def test_small_disorder_is_sorted(tmp_path: Path) -> None:
    """Servers write a line when the request ends: less than 60 s of disorder goes away."""
    times = [at + random.Random(7).uniform(0, 50) * (at % 3 == 0) for at in range(300)]
    assert [time for time, _ in stream_of(files_of(tmp_path, times))] == sorted(round(time, 3) for time in times)


def test_scrambled_keeps_the_order_of_the_lines(tmp_path: Path) -> None:
    """Without a clock there is nothing to sort by."""
    files = files_of(tmp_path, [30, 10], [20, 5])
    assert stream_of(files, ordered=False) == [(30, b"/0"), (10, b"/0"), (20, b"/1"), (5, b"/1")]


def test_window_bounds_what_waits(tmp_path: Path) -> None:
    """A request leaves as soon as nothing earlier can come."""
    file = files_of(tmp_path, [0, 30, 59, 61, 200])[0]
    taken = 0

    def counted() -> object:
        nonlocal taken
        for o in file.observations():
            taken += 1
            yield o

    stream = in_order(counted())  # type: ignore[arg-type]
    next(stream)
    assert taken == 4
