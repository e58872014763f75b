"""The process that owns the database: reads what the service says, writes it, tells back how it does.

`python -c "from botsieve.store.writer import main; main()" FD STATE_DIR`: FD is its end of a socket pair.

Law of the file: it lives as long as the service holds the other end.  While nothing can be written it keeps what is newest within
bounds, counts the rest as lost, and tries again; a database that broke is put aside and a new one begun.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sqlite3
import sys
import time
from collections import deque
from itertools import islice
from pathlib import Path

import msgspec

from botsieve.attacks.types import EXPIRED
from botsieve.store.database import Database
from botsieve.store.messages import (
    PACKET_BYTES,
    IncidentRow,
    Ready,
    Row,
    Setup,
    Status,
    ToService,
    for_writer,
    pack_all,
)
from botsieve.store.schema import path_in, put_aside

NICENESS = 10
MAX_WAITING = 20_000  # rows kept while nothing can be written
# It may share its core with the service's loop, which then waits for as long as it works: 0.4 ms for so many rows, and 1 to
# 2 ms for all that came in a moment of many incidents.  So it writes little at once and rests.
_PIECE, _REST_S = 24, 0.002
_PACKETS_AT_ONCE = 8
_BATCH = 500  # rows in one transaction at the end, when nobody waits for the core
_RETRY_S, _TIDY_S, _LAST_S = 1.0, 10.0, 0.8
# While more waits it is told so often what was taken: to hear it costs the loop some 30 us.
_TELL_S = 0.05
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Writer:
    """One life of the process.  `link`: the socket to the service."""

    def __init__(self, link: socket.socket, state_dir: str) -> None:
        self._link = link
        self._path = path_in(state_dir)
        self._setup = Setup()
        self._database: Database | None = None
        self._incidents: dict[str, IncidentRow] = {}
        self._rest: deque[Row] = deque()
        self._status = Status(0, 0, "")
        self._told = self._status
        self._retry_s = 0.0
        self._tidy_s = 0.0
        self._told_s = 0.0
        self._was_ready = False

    def run(self) -> None:
        """Until the service closes its end; what came by then is written if it can be."""
        self._greet()
        while self._hear():
            has_written = self._write(_PIECE)
            self._tidy()
            if not self._is_waiting or time.monotonic() - self._told_s >= _TELL_S:
                self._tell()
            if has_written:
                time.sleep(_REST_S)
        end_s = time.monotonic() + _LAST_S
        while self._is_waiting and time.monotonic() < end_s:
            self._retry_s = 0.0
            while self._write(_BATCH):
                pass
            if self._is_waiting:
                time.sleep(0.05)
        self._close()

    # ---- hearing and telling

    def _greet(self) -> None:
        known: list[ToService] = []
        if self._is_open():
            assert self._database is not None
            with self._trouble():
                known = list(self._database.open_incidents())
        self._was_ready = True
        for packet, _ in pack_all([*known, Ready()]):
            with contextlib.suppress(OSError):  # the service is gone: the next read says so
                self._link.send(packet)
        self._tell()

    def _hear(self) -> bool:
        """Reads what is there, waiting for at most a second, and not at all while there is something to write.

        False when the service has closed its end.
        """
        can_write = self._is_waiting and time.monotonic() >= self._retry_s
        ready, _, _ = select.select([self._link], [], [], 0.0 if can_write else _RETRY_S)
        if not ready:
            return True
        for _ in range(_PACKETS_AT_ONCE):
            try:
                packet = self._link.recv(PACKET_BYTES + 1, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionResetError:
                return False
            if not packet:
                return False
            self._take(packet)
        return True

    def _take(self, packet: bytes) -> None:
        messages = for_writer(packet)
        for message in messages:
            if isinstance(message, Setup):
                self._set_up(message)
            elif isinstance(message, IncidentRow):
                known = self._incidents.pop(message.id, None)
                if known is not None and not message.client:
                    message = msgspec.structs.replace(message, client=known.client, network=known.network)
                self._incidents[message.id] = message
            else:
                self._rest.append(message)
        lost = 0
        while len(self._rest) > MAX_WAITING:
            self._rest.popleft()
            lost += 1
        while len(self._incidents) > MAX_WAITING:
            del self._incidents[next(iter(self._incidents))]
            lost += 1
        self._count(taken=len(messages), lost=lost)

    def _count(self, *, taken: int = 0, lost: int = 0) -> None:
        status = self._status
        self._status = msgspec.structs.replace(status, taken=status.taken + taken, lost=status.lost + lost)

    def _tell(self) -> None:
        if self._status is not self._told:
            with contextlib.suppress(OSError):  # it is told as a whole again, next time
                self._link.send(pack_all([self._status])[0][0], socket.MSG_DONTWAIT)
                self._told = self._status
                self._told_s = time.monotonic()

    # ---- writing

    @property
    def _is_waiting(self) -> bool:
        return bool(self._incidents or self._rest)

    def _write(self, most: int) -> bool:
        """Writes some of what waits; whether it did.  Where little room is left the first ones find it.

        `most`: incidents; of all rows at most a quarter more.
        """
        if not self._is_waiting or time.monotonic() < self._retry_s or not self._is_open():
            return False
        assert self._database is not None
        has_written = False
        with self._trouble():
            incidents = list(islice(self._incidents.values(), most))
            rest = list(islice(self._rest, max(most // 4, most - len(incidents))))
            self._database.write([*incidents, *rest])
            for incident in incidents:
                del self._incidents[incident.id]
            for _ in rest:
                self._rest.popleft()
            has_written = True
            self._say("")
        return has_written

    def _tidy(self) -> None:
        if self._database is not None and time.monotonic() >= self._tidy_s:
            self._tidy_s = time.monotonic() + _TIDY_S
            with self._trouble():
                if self._database.tidy(time.time()):
                    self._tidy_s = time.monotonic() + 0.1  # a slice at a time

    def _set_up(self, setup: Setup) -> None:
        self._setup = setup
        if self._database is not None:
            with self._trouble():
                self._database.set_up(setup)

    def _is_open(self) -> bool:
        if self._database is None:
            with self._trouble():
                database = self._database = Database(self._path)
                database.set_up(self._setup)
                if self._was_ready:
                    self._close_strangers(database)
        return self._database is not None

    def _close_strangers(self, database: Database) -> None:
        """Opened late: what was open in there is nobody's any more, but for what the service just said."""
        now_s = time.time()
        left = [row for row in database.open_incidents() if row.id not in self._incidents]
        database.write(msgspec.structs.replace(row, ended_s=min(row.until_s, now_s), why=EXPIRED) for row in left)

    @contextlib.contextmanager
    def _trouble(self):  # type: ignore[no-untyped-def]
        """What the machine or the file does to us is said, and tried again later."""
        try:
            yield
        except sqlite3.Error as error:
            self._retry_s = time.monotonic() + _RETRY_S
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _BROKEN:
                self._put_aside(str(error))
            else:
                self._say(str(error))
                if code == sqlite3.SQLITE_FULL:
                    self._make_room()
        except OSError as error:
            self._retry_s = time.monotonic() + _RETRY_S
            self._say(f"{self._path}: {error.strerror}")

    def _make_room(self) -> None:
        """SQLite says full: where that is max_mib, not the disk, the oldest tenth goes at once."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                if self._database.is_nearly_full:
                    self._database.make_room()

    def _put_aside(self, why: str) -> None:
        self._close()
        try:
            aside = put_aside(self._path)
            self._say(f"{why}; put aside as {aside.name}")
            self._retry_s = 0.0
        except OSError as error:
            self._say(f"{why}; it cannot be put aside: {error.strerror}")

    def _say(self, trouble: str) -> None:
        if trouble != self._status.trouble:
            self._status = msgspec.structs.replace(self._status, trouble=trouble)
            self._tell()

    def _close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
        self._database = None

    def fault(self, error: Exception) -> None:
        """The last words of a process that ends by a fault of ours."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
        self._say(f"a fault of ours: {type(error).__name__} {where}")


def main() -> None:
    """What runs in the process."""
    # The end of the service is our end: a signal to the whole group must not take its last words from us.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    os.umask(0o077)
    link = socket.socket(fileno=int(sys.argv[1]))
    link.setblocking(True)
    writer = Writer(link, sys.argv[2])
    try:
        writer.run()
    except Exception as error:  # the outermost place of this process
        writer.fault(error)
        sys.exit(70)
