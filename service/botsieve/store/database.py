"""Writing: what the service says becomes rows, and what is too old or too much goes.

Law of the file: one transaction a batch: all of it is there or nothing.  Taking an incident, a sample or a feedback twice changes
nothing; a minute that is told in two parts (a restart) adds up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from botsieve.store.messages import COUNTS, FeedbackRow, IncidentRow, MinuteRow, Row, SampleRow, Setup
from botsieve.store.schema import PAGE_BYTES, open_for_writing, transaction

DAY_S = 86_400.0
MAX_OPEN = 10_000
MAX_FEEDBACK = 10_000  # the newest; about 3 KiB each
_SLICE = 500  # rows removed in one transaction
# Rows go when the file is this full, and SQLite itself refuses beyond max_mib.
_FULL_SHARE, _REMOVED_SHARE = 0.85, 0.1

_INCIDENT = IncidentRow.__struct_fields__
# What never changes once it is told.
_FIXED = frozenset(
    {"id", "attack_type", "policy", "detector", "subject", "key", "network_key", "client", "network", "started_s"}
)
_PUT_INCIDENT = (
    f"INSERT INTO incidents ({', '.join(_INCIDENT)}) VALUES ({', '.join('?' * len(_INCIDENT))}) ON CONFLICT (id) DO UPDATE SET "  # noqa: S608
    + ", ".join(f"{name} = excluded.{name}" for name in _INCIDENT if name not in _FIXED)
)


def _put(table: str, row: type[msgspec.Struct], then: str) -> str:
    names = row.__struct_fields__
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT DO {then}"  # noqa: S608


_PUT_SAMPLE = _put("samples", SampleRow, "NOTHING")
_PUT_FEEDBACK = _put("feedback", FeedbackRow, "NOTHING")
_PUT_MINUTE = _put(
    "statistics",
    MinuteRow,
    "UPDATE SET " + ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS),
)
_READ_OPEN = f"SELECT {', '.join(_INCIDENT)} FROM incidents WHERE ended_s = 0 ORDER BY until_s DESC LIMIT {MAX_OPEN}"  # noqa: S608


class Database:
    """The open database of one writer.  Errors, in every method: sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._sql = open_for_writing(path)
        self._setup = Setup()
        self._limit_pages(self._setup)

    def close(self) -> None:
        """Closes; what was committed is in the file."""
        self._sql.close()

    # ---- what the service says

    def set_up(self, setup: Setup) -> None:
        """Takes other bounds."""
        self._setup = setup
        self._limit_pages(setup)

    def write(self, rows: Iterable[Row]) -> None:
        """Stores a batch, all of it or nothing."""
        sql = self._sql
        with transaction(sql):
            for row in rows:
                if isinstance(row, IncidentRow):
                    sql.execute(_PUT_INCIDENT, _values(row))
                elif isinstance(row, SampleRow):
                    sql.execute(_PUT_SAMPLE, msgspec.structs.astuple(row))
                elif isinstance(row, MinuteRow):
                    sql.execute(_PUT_MINUTE, msgspec.structs.astuple(row))
                else:
                    sql.execute(_PUT_FEEDBACK, msgspec.structs.astuple(row))

    def open_incidents(self) -> list[IncidentRow]:
        """What was open when the service stopped; what is beyond MAX_OPEN is closed at its own time."""
        found = [_incident(row) for row in self._sql.execute(_READ_OPEN)]
        if len(found) == MAX_OPEN:
            with transaction(self._sql):
                self._sql.execute(
                    "UPDATE incidents SET ended_s = until_s, why = 'expired' WHERE ended_s = 0 AND until_s < ?",
                    (found[-1].until_s,),
                )
        return found

    # ---- what may stay

    def tidy(self, now_s: float) -> int:
        """Removes a slice of what is too old, or of the oldest when the file is nearly full.  Returns how many rows went."""
        setup = self._setup
        kept_s = now_s - setup.incident_days * DAY_S
        gone = self._remove(
            ("incidents", "id", "started_s < ? AND ended_s > 0", kept_s),
            ("samples", "incident, number, decision", "time_s < ? AND incident NOT IN (SELECT id FROM incidents)", kept_s),
            ("feedback", "id", "time_s < ?", kept_s),
            ("statistics", "minute_s, policy", "minute_s < ?", now_s - setup.statistics_days * DAY_S),
        )
        gone += self._bound_feedback()
        if not gone and self.is_nearly_full:
            gone = self.make_room()
        if gone:
            self._sql.execute("PRAGMA incremental_vacuum").fetchall()
        return gone

    def _bound_feedback(self) -> int:
        """Anybody who is refused may post the form: a flood of it must not push incidents and statistics out of the file."""
        (count,) = self._sql.execute("SELECT count(*) FROM feedback").fetchone()
        too_many = min(_SLICE, count - MAX_FEEDBACK)
        if too_many <= 0:
            return 0
        with transaction(self._sql):
            chosen = "SELECT id FROM feedback ORDER BY time_s LIMIT ?"
            return self._sql.execute(f"DELETE FROM feedback WHERE id IN ({chosen})", (too_many,)).rowcount  # noqa: S608

    @property
    def is_nearly_full(self) -> bool:
        """Whether the rows take more than 85 % of max_mib."""
        return self._pages_used() > _FULL_SHARE * self._max_pages(self._setup)

    def make_room(self) -> int:
        """Removes the oldest tenth of everything; returns how many rows went."""
        gone = 0
        with transaction(self._sql):
            for table, time in (
                ("samples", "time_s"),
                ("incidents", "last_s"),
                ("feedback", "time_s"),
                ("statistics", "minute_s"),
            ):
                (count,) = self._sql.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
                if count:
                    # Neither table nor column is anybody's text: both stand in the line above.
                    where = f"SELECT {time} FROM {table} ORDER BY {time} LIMIT 1 OFFSET ?"  # noqa: S608
                    at = (int(count * _REMOVED_SHARE),)
                    gone += self._sql.execute(f"DELETE FROM {table} WHERE {time} <= ({where})", at).rowcount  # noqa: S608
        return gone

    def _remove(self, *what: tuple[str, str, str, float]) -> int:
        gone = 0
        with transaction(self._sql):
            for table, key, where, before_s in what:
                chosen = f"SELECT {key} FROM {table} WHERE {where} LIMIT {_SLICE}"  # noqa: S608
                gone += self._sql.execute(f"DELETE FROM {table} WHERE ({key}) IN ({chosen})", (before_s,)).rowcount  # noqa: S608
        return gone

    def _pages_used(self) -> int:
        (pages,) = self._sql.execute("PRAGMA page_count").fetchone()
        (free,) = self._sql.execute("PRAGMA freelist_count").fetchone()
        return int(pages) - int(free)

    @staticmethod
    def _max_pages(setup: Setup) -> int:
        return (setup.max_mib << 20) // PAGE_BYTES

    def _limit_pages(self, setup: Setup) -> None:
        self._sql.execute(f"PRAGMA max_page_count = {self._max_pages(setup)}").fetchall()


def _values(row: IncidentRow) -> Sequence[object]:
    plain = list(msgspec.structs.astuple(row))
    plain[-2], plain[-1] = json.dumps(row.measures), json.dumps(row.details)
    return plain


def _incident(row: Sequence[Any]) -> IncidentRow:
    fields = dict(zip(_INCIDENT, row, strict=True))
    return IncidentRow(**fields | {name: json.loads(fields[name]) for name in ("measures", "details")})
