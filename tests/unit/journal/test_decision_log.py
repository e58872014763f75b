"""botsieve.journal.decision_log"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from botsieve.journal.decision_log import DecisionLog, rest_s
from botsieve.journal.packing import record_of
from botsieve.journal.redact import Redactor
from botsieve.journal.sink import Sink

from tests.unit.journal.samples import CURL, NOW_S, SCHEMA, decision, observation


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def record(number: int) -> tuple[object, ...]:
    return record_of(observation(), decision(number, CURL), NOW_S, 14)


def test_what_is_put_is_written_in_order(tmp_path: Path) -> None:
    """Decisions and events come out as lines of the contract, in the order of their arrival, all of them by `close`."""
    log = DecisionLog(Sink(str(tmp_path / "log")), Redactor())
    log.put_event({"level": "info", "event": "keys_rotated", "newest": "k2", "nothing": None}, NOW_S)
    for number in range(1000):
        log.put(record(number))
    log.close()
    first, *rest = lines_of(tmp_path / "log")
    assert first == {"time": "2026-11-21T21:33:19.898Z", "level": "info", "event": "keys_rotated", "newest": "k2"}
    assert [line["id"][-4:] for line in rest] == [f"{number:04d}" for number in range(1000)]
    SCHEMA.validate(rest[0])
    assert (log.submitted, log.written, log.waiting, log.dropped) == (1001, 1001, 0, 0)


def test_findings_are_always_written_and_quiet_decisions_sampled(tmp_path: Path) -> None:
    """A finding, or any other verdict or would-be than allow, is written for what it is; of the rest every hundredth."""
    log = DecisionLog(Sink(str(tmp_path / "log")), Redactor(), sample_percent=1.0)
    assert log.wants(decision(1, CURL)) == 0.0
    assert log.wants(decision(1, would_be="challenge")) == 0.0
    assert log.wants(decision(1, verdict="block", mode="enforce")) == 0.0
    assert [log.wants(decision(n)) for n in range(300)].count(1.0) == 3
    log.close()


@pytest.mark.parametrize(("percent", "written"), [(0.0, 0), (0.1, 1), (1.0, 10), (33.0, 330), (100.0, 1000)])
def test_a_sample_is_as_large_as_it_says(tmp_path: Path, percent: float, written: int) -> None:
    """Of 1,000 quiet decisions just that share is written."""
    log = DecisionLog(Sink(str(tmp_path / "log")), Redactor(), sample_percent=percent)
    assert sum(log.wants(decision(n)) == percent for n in range(1000) if percent) == written
    log.close()


def test_without_a_place_nothing_is_wanted() -> None:
    """`to: null`: no thread, no line, no count."""
    log = DecisionLog(None, Redactor())
    assert log.wants(decision(1, CURL)) == -1.0
    log.put_event({"event": "overloaded"}, NOW_S)
    log.close()
    assert (log.submitted, log.dropped, log.waiting) == (0, 0, 0)


@pytest.mark.realtime
@pytest.mark.parametrize("place", ["/dev/full", "fifo"])
def test_what_does_not_fit_is_counted_exactly(tmp_path: Path, place: str) -> None:
    """A full disk, a FIFO that nobody reads: putting never waits, and at the end every line was written or counted."""
    path = place
    if place == "fifo":
        path = str(tmp_path / "fifo")
        os.mkfifo(path)
    log = DecisionLog(Sink(path), Redactor(), queue=100)
    for number in range(1000):
        log.put(record(number))
    assert log.dropped + log.waiting <= 1000
    assert log.dropped >= 1000 - 100 - 200
    log.close()
    assert (log.submitted, log.written, log.dropped, log.waiting) == (1000, 0, 1000, 0)


@pytest.mark.realtime
def test_it_goes_on_when_the_place_takes_lines_again(tmp_path: Path) -> None:
    """A FIFO whose reader comes late: it gets what was kept, and the rest was counted."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    log = DecisionLog(Sink(str(path)), Redactor(), queue=50)
    for number in range(500):
        log.put(record(number))
    reader = os.open(path, os.O_RDONLY)  # returns when the log opens its end
    with os.fdopen(reader, "rb") as stream:
        log.close()
        got = stream.read().splitlines()
    assert len(got) == log.written > 0
    assert log.written + log.dropped == 500
    assert [json.loads(line)["id"] for line in got] == sorted(json.loads(line)["id"] for line in got)


@pytest.mark.realtime
def test_events_have_room_when_decisions_fill_the_queue() -> None:
    """`log_dropped` itself is not among what is dropped."""
    log = DecisionLog(Sink("/dev/full"), Redactor(), queue=1)
    for number in range(300):
        log.put(record(number))
    before = log.dropped
    log.put_event({"level": "warning", "event": "log_dropped", "count": before}, NOW_S)
    assert log.dropped == before
    log.close()


def test_a_line_that_cannot_be_rendered_does_not_end_the_log(tmp_path: Path) -> None:
    """A fault of ours in one record is counted as dropped; the next line is written."""
    log = DecisionLog(Sink(str(tmp_path / "log")), Redactor())
    log.put((b"not", b"a", b"record"))
    log.put(record(1))
    log.close()
    assert len(lines_of(tmp_path / "log")) == 1
    assert (log.written, log.dropped) == (1, 1)
    assert log.render_error in ("ValueError", "TypeError")  # the latter compiled


@pytest.mark.realtime
def test_reopen_reaches_the_file(tmp_path: Path) -> None:
    """After `reopen` lines go to a new file under the old name."""
    path = tmp_path / "log"
    log = DecisionLog(Sink(str(path)), Redactor())
    path.rename(tmp_path / "log.1")
    log.reopen()
    until = time.monotonic() + 60.0
    while not path.exists() and time.monotonic() < until:
        pass
    log.put(record(1))
    log.close()
    assert len(lines_of(path)) == 1


def test_lines_gather_before_the_thread_wakes_up() -> None:
    """It takes a quarter of a core at most, and while few lines wait it wakes up a hundred times a second at most."""
    assert rest_s(0.0005, 0) > rest_s(0.0005, 1) >= 0.01
    assert rest_s(0.02, 1) == pytest.approx(0.06)
    assert rest_s(0.001, 5_000) == pytest.approx(0.003)
