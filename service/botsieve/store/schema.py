"""The database file: where it lies, what it holds, which version, and how it is opened.

Law of the file: only the writer's process opens it for writing; it is 0600; a file that is no database, or one of ours that broke,
is put aside and never deleted here.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

FILE_NAME = "state.sqlite"
VERSION = 1
APPLICATION = 0x62737631  # "bsv1": what `file` and we recognise it by
BROKEN_ENDING = ".broken"
PAGE_BYTES = 4096
_BESIDE = ("-wal", "-shm")

# Only small rows may live in their own index (WITHOUT ROWID): one above 1 KB would take a page of its own there.
_TABLES = """
CREATE TABLE incidents (
    id TEXT PRIMARY KEY, attack_type TEXT NOT NULL, policy TEXT NOT NULL, detector TEXT NOT NULL, subject TEXT NOT NULL,
    key BLOB NOT NULL, network_key BLOB NOT NULL, client TEXT NOT NULL, network TEXT NOT NULL,
    action TEXT NOT NULL, mode TEXT NOT NULL,
    started_s REAL NOT NULL, last_s REAL NOT NULL, until_s REAL NOT NULL, ended_s REAL NOT NULL, why TEXT NOT NULL,
    violations INTEGER NOT NULL, rejected INTEGER NOT NULL, challenged INTEGER NOT NULL, subjects INTEGER NOT NULL,
    samples INTEGER NOT NULL, measures TEXT NOT NULL, details TEXT NOT NULL
);
CREATE INDEX incidents_started ON incidents (started_s);
CREATE INDEX incidents_open ON incidents (until_s) WHERE ended_s = 0;
CREATE TABLE samples (
    incident TEXT NOT NULL, number INTEGER NOT NULL, time_s REAL NOT NULL, decision TEXT NOT NULL, verdict TEXT NOT NULL,
    score INTEGER NOT NULL, reasons TEXT NOT NULL, client TEXT NOT NULL, method TEXT NOT NULL, host TEXT NOT NULL,
    path TEXT NOT NULL, route TEXT NOT NULL, user_agent TEXT NOT NULL, PRIMARY KEY (incident, number, decision)
);
CREATE INDEX samples_time ON samples (time_s);
CREATE TABLE statistics (
    minute_s INTEGER NOT NULL, policy TEXT NOT NULL, attacks INTEGER NOT NULL, violations INTEGER NOT NULL,
    rejected INTEGER NOT NULL, allowed INTEGER NOT NULL, challenged INTEGER NOT NULL, blocked INTEGER NOT NULL,
    would_challenge INTEGER NOT NULL, would_block INTEGER NOT NULL, PRIMARY KEY (minute_s, policy)
) WITHOUT ROWID;
CREATE TABLE feedback (
    id TEXT PRIMARY KEY, time_s REAL NOT NULL, policy TEXT NOT NULL, verdict TEXT NOT NULL, score INTEGER NOT NULL,
    client TEXT NOT NULL, decision TEXT NOT NULL
);
CREATE INDEX feedback_time ON feedback (time_s);
"""


def path_in(state_dir: str | Path) -> Path:
    """Where the database of a service lies."""
    return Path(state_dir) / FILE_NAME


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The database, made if it is not there.  Errors: sqlite3.DatabaseError when it is none, broken, or of a later version."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))  # -wal and -shm get the same mode
    database = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        _prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    version = version_of(database)
    if version == 0:
        database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
    # Readers go on while we write, and a kill at any moment leaves a whole database.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(f"PRAGMA journal_size_limit = {4 << 20}")
    if version == 0:
        with transaction(database):
            for statement in _TABLES.split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {VERSION}")


@contextlib.contextmanager
def transaction(database: sqlite3.Connection):  # type: ignore[no-untyped-def]
    """All of it or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
        raise


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The database, read-only.  Errors: sqlite3.Error; sqlite3.DatabaseError when it is none of ours or of a later version."""
    database = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=5.0)
    try:
        if version_of(database) == 0:
            raise sqlite3.DatabaseError("it holds nothing yet")
        database.row_factory = sqlite3.Row
    except BaseException:
        database.close()
        raise
    return database


def version_of(database: sqlite3.Connection) -> int:
    """The version of what a database holds, 0 for nothing.  Errors: sqlite3.DatabaseError for another's or a later one."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables == 0:
        return 0
    if application != APPLICATION or not 1 <= version <= VERSION:
        raise NotOurs(f"it is no database of this version (application {application}, version {version}); accepted: {VERSION}")
    return int(version)


class NotOurs(sqlite3.DatabaseError):
    """A sound database of somebody else, or of a later version of ours."""


def put_aside(path: Path) -> Path:
    """Moves a broken database (and what lies beside it) to `state.sqlite.broken`, in place of an older one.  Errors: OSError."""
    aside = path.with_name(path.name + BROKEN_ENDING)
    for ending in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{ending}", f"{aside}{ending}")
    os.replace(path, aside)
    return aside
