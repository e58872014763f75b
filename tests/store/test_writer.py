"""store/writer.py: what waits while nothing can be written."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from botsieve.store.messages import Status, for_service, pack_all
from botsieve.store.writer import MAX_WAITING, Writer

from tests.servers import is_gone, wait_until
from tests.service.running import environment
from tests.unit.store.rows import incident, minute, sample


def test_what_waits_is_bounded_and_the_newest_stays(tmp_path: Path) -> None:
    """No folder to write to: 20,000 incidents and 20,000 other rows wait, what is older is lost and counted; then all is written."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    folder = tmp_path / "later"
    writer = Writer(theirs, str(folder))
    for number in range(MAX_WAITING + 1_000):
        for packet, _ in pack_all([incident(id=str(number)), minute(number, attacks=1)]):
            writer._take(packet)
    assert writer._status.lost == 2_000
    folder.mkdir()
    ours.close()
    writer.run()
    with closing(sqlite3.connect(folder / "state.sqlite")) as sql:
        assert sql.execute("SELECT count(*), max(id + 0) FROM incidents").fetchone() == (MAX_WAITING, MAX_WAITING + 999)
        assert sql.execute("SELECT sum(attacks) FROM statistics").fetchone() == (MAX_WAITING,)
    theirs.close()


def test_an_incident_that_changes_takes_one_place(tmp_path: Path) -> None:
    """A thousand updates of one incident wait as one; its address is kept from the first."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    writer = Writer(theirs, str(tmp_path))
    for count in range(1_000):
        writer._take(pack_all([incident(violations=count, client="203.0.113.7" if count == 0 else "", network="")])[0][0])
    assert len(writer._incidents) == 1
    ours.close()
    writer.run()
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as sql:
        assert sql.execute("SELECT violations, client FROM incidents").fetchall() == [(999, "203.0.113.7")]
    theirs.close()


def test_it_ends_when_the_service_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the service: what it had sent is written, the database is whole, and no process is left."""
    code = (
        "import sys, time\n"
        "from botsieve.store.process import WriterProcess\n"
        "from botsieve.store.messages import pack_all\n"
        "from tests.unit.store.rows import incident\n"
        f"process = WriterProcess({str(tmp_path)!r})\n"
        "process.start()\n"
        "for n in range(50):\n"
        "    while not process.send(pack_all([incident(id=str(n))])[0][0]): time.sleep(0.01)\n"
        "print(process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    service = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment())
    assert service.stdout is not None
    pid = int(service.stdout.readline())
    service.kill()
    service.wait()
    service.stdout.close()
    wait_until(lambda: is_gone(pid), what="the end of the writer")
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as sql:
        assert sql.execute("SELECT count(*) FROM incidents").fetchone() == (50,)
        assert sql.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_kill_while_it_writes_leaves_a_whole_database(tmp_path: Path) -> None:
    """Ten kills at ten moments of writing: each time the database is sound and holds whole batches."""
    from botsieve.store.process import WriterProcess

    stored = 0
    for turn in range(10):
        process = WriterProcess(str(tmp_path))
        process.start()
        taken = 0
        while taken <= turn * 3:
            rows = [incident(id=f"{turn}-{taken}-{n}") for n in range(10)] + [
                sample(n, incident=f"{turn}-{taken}") for n in range(10)
            ]
            process.send(pack_all(rows)[0][0])
            packet = process.receive()
            statuses = [one for one in for_service(packet) if isinstance(one, Status)] if packet else []
            taken = max([taken, *(status.taken // 20 for status in statuses)])
        os.kill(process.pid, signal.SIGKILL)
        process.finish(60.0)
        with closing(sqlite3.connect(tmp_path / "state.sqlite")) as sql:
            assert sql.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (count,) = sql.execute("SELECT count(*) FROM incidents").fetchone()
            assert count % 10 == 0
            assert count >= stored
            stored = count
    assert stored > 0
