"""The store when its writer, its disk or its file fails: nothing waits, what is lost is counted, and it comes back by itself."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botsieve.attacks.incidents import MAX_SAMPLES_WAITING
from botsieve.store.feed import STALL_S
from botsieve.store.messages import MinuteRow, Setup
from botsieve.store.schema import FILE_NAME

from tests.pace import in_time, own_heap
from tests.store.rig import Store


def longest_step(store: Store, steps: int, before_each: Callable[[int], object]) -> float:
    """The longest step of the loop's side, in s of its own processor time."""
    worst = 0.0
    for number in range(steps):
        before_each(number)
        began_s = time.thread_time()
        store.step(0.02)
        worst = max(worst, time.thread_time() - began_s)
    return worst


def test_a_stopped_writer_holds_nobody_up(tmp_path: Path) -> None:
    """SIGSTOP: no step waits, what is kept is bounded, it is said once; on SIGCONT everything that was kept is written."""
    with Store(tmp_path) as store:
        store.violate()
        store.until(lambda: store.stored() == 1, "the first incident")
        os.kill(store.process.pid, signal.SIGSTOP)
        try:
            began_s = time.monotonic()
            with own_heap():
                worst_s = longest_step(
                    store, 600, lambda n: [store.violate(n * 20 + at, client=f"203.{n % 200}.{at}.7") for at in range(20)]
                )
            assert in_time(time.monotonic() - began_s, 20.0)
            assert worst_s < 0.05, "a slice is bounded by its number of messages"
            store.step(STALL_S + 1.0)
            store.step(STALL_S + 1.0)
            assert store.names().count("store_failed") == 1
            assert store.book.lost > 0, "12,000 incidents have more samples than are kept"
            assert len(store.book.open) <= 12_001
        finally:
            os.kill(store.process.pid, signal.SIGCONT)
        store.until(lambda: store.stored() == 12_001, "the rest")
        store.until(lambda: "store_back" in store.names(), "the end of the trouble")
        assert store.names().count("store_back") == 1
        store.until(lambda: store.is_idle, "everything taken")
        kept = store.rows("SELECT count(*) FROM samples")[0][0]
        assert kept == sum(one.samples for one in store.book.open.values()) >= MAX_SAMPLES_WAITING


def test_a_killed_writer_is_started_again(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing: noticed, said once, started again after a while, and every open incident is told anew."""
    with Store(tmp_path) as store:
        for number in range(40):
            store.violate(number)
        store.until(lambda: store.stored() == 40, "forty incidents")
        os.kill(store.process.pid, signal.SIGKILL)
        for number in range(45):
            store.violate(number)
        store.until(lambda: "store_failed" in store.names(), "the loss")
        for _ in range(20):
            store.step()
        store.start()
        store.until(lambda: store.stored() == 85, "what came while it was gone")
        store.until(lambda: "store_back" in store.names(), "the end of the trouble")
        assert store.names().count("store_failed") == 1
        assert store.rows("PRAGMA integrity_check") == [("ok",)]
        assert store.rows("SELECT count(*) FROM incidents WHERE ended_s > 0") == [(0,)]


def test_an_end_that_the_dead_writer_did_not_hear(tmp_path: Path) -> None:
    """An incident that ended while nobody wrote is closed by the next writer's list, not left open for good."""
    with Store(tmp_path) as store:
        store.violate()
        store.until(lambda: store.stored() == 1, "the incident")
        os.kill(store.process.pid, signal.SIGSTOP)
        store.now_s += 5_000.0
        store.until(lambda: not store.book.open, "its end")
        for _ in range(20):
            store.step()  # the end is on its way to a writer that never reads it
        os.kill(store.process.pid, signal.SIGKILL)
        store.until(lambda: "store_failed" in store.names(), "the loss")
        store.start()
        store.until(lambda: store.rows("SELECT why FROM incidents WHERE ended_s > 0") == [("expired",)], "its end in the file")


def can_mount() -> bool:
    """Root of a machine may; root of a container may not."""
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class Disk:
    """A folder with room for little.  `disk`: a file system of its own; `quota`: the largest file that the writer may write."""

    def __init__(self, folder: Path, how: str) -> None:
        self.folder = folder
        self.how = how

    def fill(self, writer: int) -> None:
        """There is no room left."""
        if self.how == "quota":
            resource.prlimit(writer, resource.RLIMIT_FSIZE, (65_536, resource.RLIM_INFINITY))
            return
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            for size in (65_536, 4_096, 512):
                with contextlib.suppress(OSError):
                    while file.write(b"x" * size) == size:
                        pass

    def free(self, writer: int) -> None:
        """There is room again."""
        if self.how == "quota":
            resource.prlimit(writer, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            (self.folder / "ballast").unlink()


@pytest.fixture(params=["quota", *(["disk"] if can_mount() else [])])
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Disk]:
    """A disk that can be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "disk":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "botsieve-test", str(folder)], check=True)
    yield Disk(folder, request.param)
    if request.param == "disk":
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_harms_nothing(disk: Disk) -> None:
    """Said once; the database stays whole; when there is room again the newest is written."""
    with Store(disk.folder) as store:
        store.violate()
        store.until(lambda: store.stored() == 1, "the first incident")
        disk.fill(store.process.pid)
        for number in range(2_000):
            store.violate(number, client=f"203.0.{number % 250}.7", uri=b"/" + b"x" * 900)
        store.until(lambda: store.feed.trouble, "the full disk")
        for _ in range(50):
            store.step()
        assert store.names().count("store_failed") == 1
        (reason,) = [keys["error"] for event, keys in store.events if event == "store_failed"]
        assert re.search("full|disk I/O error", reason)
        disk.free(store.process.pid)
        store.until(lambda: "store_back" in store.names(), "room again")
        store.until(lambda: store.stored() == 2_001, "the rest")
        assert store.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """max_mib is reached: the oldest goes, the newest is there, and the file stays below its bound."""
    with Store(tmp_path, setup=Setup(30, 8, 90)) as store:
        for number in range(6_000):
            store.violate(number, client=f"10.{number // 200}.{number % 200}.7", uri=b"/" + b"x" * 1_000, detail="y" * 900)
            if number % 50 == 0:
                store.step(1.1)
                if number % 1_000 == 0:
                    store.until(lambda: store.is_idle, "a thousand")
        store.until(lambda: store.is_idle, "everything taken")
        size = sum(path.stat().st_size for path in tmp_path.iterdir() if path.name == FILE_NAME)
        assert 4 << 20 < size <= 8 << 20
        newest = store.rows("SELECT max(time_s) FROM samples")[0][0]
        assert store.now_s - newest < 600.0


@pytest.mark.parametrize("how", ["rubbish", "torn", "empty pages"])
def test_a_broken_file_is_put_aside(tmp_path: Path, how: str) -> None:
    """No database, half a database, a database with pages of zeros: kept under another name, and a new one begun."""
    with Store(tmp_path) as store:
        for number in range(300):
            store.violate(number, client=f"203.0.{number % 250}.7")
        store.until(lambda: store.stored() == 300, "a real database")
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    broken = {
        "rubbish": b"this is no database\n" * 1_000,
        "torn": whole[: len(whole) // 2],
        "empty pages": whole[:4096] + bytes(len(whole) - 4096),
    }[how]
    path.write_bytes(broken)
    with Store(tmp_path) as store:
        store.violate(7)
        store.until(lambda: store.stored() == 1, "the new database")
        store.until(lambda: "store_back" in store.names(), "the end of the trouble")
        (reason,) = [keys["error"] for event, keys in store.events if event == "store_failed"]
        assert f"put aside as {FILE_NAME}.broken" in reason
    assert (tmp_path / f"{FILE_NAME}.broken").read_bytes()[:4096] == broken[:4096]
    assert path.stat().st_mode & 0o777 == 0o600


def test_somebody_else_s_database_is_left_alone(tmp_path: Path) -> None:
    """A sound database that is not ours, or of a later version, is neither changed nor moved; it is said."""
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("CREATE TABLE precious (x)")
    before = (tmp_path / FILE_NAME).read_bytes()
    with Store(tmp_path) as store:
        store.violate()
        store.until(lambda: "no database of this version" in store.feed.trouble, "the refusal")
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert not (tmp_path / f"{FILE_NAME}.broken").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """No such folder, or one that is none: said once, nothing else; when it is there, writing begins."""
    folder = tmp_path / "later"
    with Store(folder) as store:
        store.violate()
        store.until(lambda: store.feed.trouble, "the refusal")
        for _ in range(30):
            store.step()
        assert store.names().count("store_failed") == 1
        folder.mkdir()
        store.until(lambda: store.stored() == 1, "the folder")
        store.until(lambda: "store_back" in store.names(), "the end of the trouble")


def test_no_writer_can_be_started(tmp_path: Path) -> None:
    """Without a process every step is an empty one; rows wait within their bounds, and what falls out is counted."""
    store = Store(tmp_path)
    for number in range(30_000):
        store.verdicts[("nginx", "shop", "allow", "allow")] = number
        store.now_s += 60.0
        assert not store.feed.step(store.now_s)
    assert store.feed.lost == 30_000 - 20_000 - 1, "one minute had nothing to tell"
    store.feed.close()
    assert isinstance(store.feed._rows[0], MinuteRow)
