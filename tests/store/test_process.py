"""store/process.py and store/writer.py: a process of its own."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from botsieve.store.messages import Ready, Status, for_service, for_writer, pack_all
from botsieve.store.process import Gone, WriterProcess
from botsieve.store.writer import NICENESS

from tests.pace import in_time
from tests.servers import wait_until
from tests.unit.store.rows import incident, minute


def heard(process: WriterProcess) -> list[object]:
    """Everything that it says now."""
    found: list[object] = []
    while packet := process.receive():
        found += for_service(packet)
    return found


@pytest.fixture
def process(tmp_path: Path) -> WriterProcess:
    """A writer that has greeted."""
    found = WriterProcess(str(tmp_path))
    found.start()
    wait_until(lambda: Ready() in heard(found), what="the greeting")
    return found


def test_it_says_how_much_it_took(process: WriterProcess) -> None:
    """The status is a sum since the start, and comes after writing."""
    for packet, _ in pack_all([incident(), minute(attacks=1)]):
        assert process.send(packet)
    wait_until(lambda: Status(2, 0, "") in heard(process))
    process.finish(60.0)


def test_signals_to_the_whole_group_do_not_end_it(process: WriterProcess, tmp_path: Path) -> None:
    """TERM, INT, HUP: it goes on until the service has said its last word; then it is gone at once."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        os.kill(process.pid, number)
    process.send(pack_all([incident()])[0][0])
    pid = process.pid
    began_s = time.monotonic()
    process.finish(60.0)
    assert in_time(time.monotonic() - began_s, 4.0, niceness=NICENESS)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert (tmp_path / "state.sqlite").is_file()


def test_one_that_hangs_is_killed(process: WriterProcess) -> None:
    """Stopped for good: the end of the service waits no longer than it was told to."""
    os.kill(process.pid, signal.SIGSTOP)
    began_s = time.monotonic()
    process.finish(0.3)
    took_s = time.monotonic() - began_s
    assert took_s >= 0.3
    assert in_time(took_s, 2.0)


def test_who_is_gone_is_noticed(process: WriterProcess) -> None:
    """A send or a read says so; before the start there is nobody either."""
    os.kill(process.pid, signal.SIGKILL)

    def is_gone() -> bool:
        try:
            return process.receive() is not None
        except Gone:
            return True

    wait_until(is_gone)
    with pytest.raises(Gone):
        process.send(b"x")
    process.finish(1.0)
    with pytest.raises(Gone):
        WriterProcess("/nowhere").receive()


def test_it_takes_nothing_when_it_is_full(process: WriterProcess) -> None:
    """A stopped reader: the send says so at once and takes up no time."""
    os.kill(process.pid, signal.SIGSTOP)
    (packet, _) = pack_all([incident(details=["x" * 30_000])])[0]
    began_s = time.monotonic()
    taken = [process.send(packet) for _ in range(1_000)]
    assert taken.count(True) < 100
    assert in_time(time.monotonic() - began_s, 1.0)
    assert len(for_writer(packet)) == 1
    process.finish(0.0)


def test_rubbish_ends_it_with_its_last_words(process: WriterProcess) -> None:
    """A packet that is none is a fault of ours: it is said where, and the process is gone."""
    process.send(b"\xc1rubbish")
    said: list[object] = []

    def is_over() -> bool:
        try:
            while packet := process.receive():
                said.extend(for_service(packet))
        except Gone:
            return True
        return False

    wait_until(is_over)
    assert any(isinstance(one, Status) and "a fault of ours: ValueError messages.py" in one.trouble for one in said)
    process.finish(1.0)
