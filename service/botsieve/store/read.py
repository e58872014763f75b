"""Reading the database: what the commands ask, also while the service is down.

Law of the file: read-only; what cannot be read is one clear error; everything that is returned is plain and bounded by `limit`.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from botsieve.errors import InputError, MachineError
from botsieve.store.messages import COUNTS
from botsieve.store.schema import open_for_reading, path_in

STEPS = {"minute": 60, "hour": 3_600, "day": 86_400}


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.  `client`: forms of one address, any of which may be stored; empty: everybody.

    `since_s`, `until_s`: an incident that lasted into this time counts.  `attack_type`: a part of the name, any case.
    """

    policy: str = ""
    attack_type: str = ""
    client: tuple[str, ...] = ()
    since_s: float = 0.0
    until_s: float = float("inf")
    only_open: bool = False
    limit: int = 100


class Reader:
    """One open database.  Use `reading`."""

    def __init__(self, sql: sqlite3.Connection) -> None:
        self._sql = sql

    def incidents(self, filters: Filters) -> tuple[list[dict[str, Any]], bool]:
        """Incidents, the newest first, and whether there are more than `limit`."""
        where = ["started_s < ?", "(ended_s = 0 OR ended_s >= ?)"]
        values: list[Any] = [min(filters.until_s, 1e15), filters.since_s]
        self._narrow(filters, where, values)
        if filters.only_open:
            where.append("ended_s = 0")
        if filters.attack_type:
            where.append("instr(lower(attack_type), ?) > 0")
            values.append(filters.attack_type.lower())
        rows = self._rows("incidents", where, values, "started_s DESC, id", filters.limit + 1)
        return [_incident(row) for row in rows[: filters.limit]], len(rows) > filters.limit

    def incident(self, incident_id: str) -> dict[str, Any] | None:
        """One incident with its sample requests, None if it is unknown."""
        rows = self._rows("incidents", ["id = ?"], [incident_id], "id", 1)
        if not rows:
            return None
        samples = self._rows("samples", ["incident = ?"], [incident_id], "number, time_s", 100)
        return _incident(rows[0]) | {"requests": [_without(dict(row), "incident") for row in samples]}

    def feedback(self, filters: Filters) -> tuple[list[dict[str, Any]], bool]:
        """Feedback, the newest first, and whether there is more than `limit`."""
        where = ["time_s < ?", "time_s >= ?"]
        values: list[Any] = [min(filters.until_s, 1e15), filters.since_s]
        self._narrow(filters, where, values)
        rows = self._rows("feedback", where, values, "time_s DESC, id", filters.limit + 1)
        found = [dict(row) | {"decision": json.loads(row["decision"])} for row in rows[: filters.limit]]
        return found, len(rows) > filters.limit

    def statistics(self, filters: Filters, by: Sequence[str]) -> list[dict[str, Any]]:
        """Sums over the period, for each value of `by`: "policy" and at most one of STEPS (then with `time_s`)."""
        step = next((STEPS[name] for name in by if name in STEPS), 0)
        groups = [f"minute_s / {step} * {step}"] if step else []
        groups += ["policy"] if "policy" in by else []
        sums = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in COUNTS)
        shown = f"{groups[0]} AS time_s, " if step else ""
        shown += "policy, " if "policy" in by else ""
        where, values = "minute_s >= ? AND minute_s < ?", [filters.since_s, min(filters.until_s, 1e15)]
        if filters.policy:
            where += " AND policy = ?"
            values.append(filters.policy)  # type: ignore[arg-type]
        group = f" GROUP BY {', '.join(groups)} ORDER BY {', '.join(groups)}" if groups else ""
        # Every name in it is of this file.
        rows = self._sql.execute(f"SELECT {shown}{sums} FROM statistics WHERE {where}{group} LIMIT {filters.limit}", values)  # noqa: S608
        return [dict(row) for row in rows]

    @staticmethod
    def _narrow(filters: Filters, where: list[str], values: list[Any]) -> None:
        if filters.policy:
            where.append("policy = ?")
            values.append(filters.policy)
        if filters.client:
            where.append(f"client IN ({', '.join('?' * len(filters.client))})")
            values.extend(filters.client)

    def _rows(self, table: str, where: list[str], values: list[Any], order: str, limit: int) -> list[sqlite3.Row]:
        # Table, conditions and order are of this file; what a user wrote is among the values.
        asked = f"SELECT * FROM {table} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT {limit}"  # noqa: S608
        return self._sql.execute(asked, values).fetchall()


@contextmanager
def reading(state_dir: str | Path) -> Iterator[Reader]:
    """The database of a state directory.  Errors: InputError when there is none or it cannot be read; MachineError: not permitted."""
    path = path_in(state_dir)
    accepted = "accepted: --config FILE or --state-dir DIR of a service that has run"
    if not os.path.isfile(path):  # not Path.is_file, which raises for who may not look into the folder
        if os.path.exists(path.parent) and not os.access(path.parent, os.R_OK | os.X_OK):
            raise MachineError(f"{path.parent}: Permission denied; accepted: root, or the user that the service runs as")
        raise InputError(f"{path}: no such file; {accepted}")
    if not os.access(path, os.R_OK):
        raise MachineError(f"{path}: Permission denied; accepted: root, or the user that the service runs as")
    try:
        sql = open_for_reading(path)
    except sqlite3.Error as error:
        raise InputError(f"{path}: {error}; {accepted}") from error
    try:
        yield Reader(sql)
    except sqlite3.Error as error:
        raise InputError(f"{path}: {error}; the service puts a broken database aside and begins a new one") from error
    finally:
        sql.close()


def _incident(row: sqlite3.Row) -> dict[str, Any]:
    found = _without(dict(row), "key", "network_key")
    measures = json.loads(found["measures"])
    found["measures"] = {
        name: {"highest": highest, "last": last} | ({} if limit is None else {"limit": limit})
        for name, (highest, last, limit) in measures.items()
    }
    found["details"] = json.loads(found["details"])
    return found


def _without(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}
