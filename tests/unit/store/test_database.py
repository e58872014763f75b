"""store/database.py: rows, and how long they stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botsieve.store.database import DAY_S, MAX_FEEDBACK, Database
from botsieve.store.messages import Setup
from botsieve.store.read import Filters, Reader, reading
from botsieve.store.schema import path_in

from tests.unit.store.rows import AT_S, ID, feedback, incident, minute, sample


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty one."""
    found = Database(path_in(tmp_path))
    yield found
    found.close()


@pytest.fixture
def reader(database: Database, tmp_path: Path) -> Iterator[Reader]:
    """Looks at it from outside."""
    with reading(tmp_path) as found:
        yield found


def counted(reader: Reader) -> dict[str, Any]:
    return reader.statistics(Filters(), ())[0]


def test_taking_a_row_twice_changes_nothing(database: Database, reader: Reader) -> None:
    """Incidents keep their last numbers and their first facts; samples and feedback are there once."""
    for _ in range(2):
        database.write([incident(), sample(1), sample(2), feedback()])
    database.write([incident(violations=130, client="", network="", started_s=0.0, ended_s=AT_S + 99.0, why="ended")])
    found = reader.incident(ID)
    assert found is not None
    assert (found["violations"], found["client"], found["started_s"]) == (130, "203.0.113.7", AT_S)
    assert (found["ended_s"], found["why"]) == (AT_S + 99.0, "ended")
    assert found["measures"]["pages"] == {"highest": 45.0, "last": 31.0, "limit": 30.0}
    assert [one["number"] for one in found["requests"]] == [1, 2]
    assert len(reader.feedback(Filters())[0]) == 1


def test_parts_of_a_minute_add_up(database: Database, reader: Reader) -> None:
    """A restart in the middle of a minute."""
    database.write(
        [minute(attacks=1, violations=5, blocked=4), minute(violations=2, allowed=7), minute(policy="api", attacks=1)]
    )
    found = counted(reader)
    assert (found["attacks"], found["violations"], found["blocked"], found["allowed"]) == (2, 7, 4, 7)


def test_a_batch_is_whole_or_not(database: Database, reader: Reader) -> None:
    """What fails in the middle leaves nothing behind."""

    def batch() -> Iterator[Any]:
        yield incident()
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        database.write(batch())
    assert reader.incidents(Filters()) == ([], False)
    database.write([incident()])


def test_what_was_open_is_known(database: Database) -> None:
    """Exactly as it was told; what has ended is not among it."""
    database.write([incident(), incident(id="other", ended_s=AT_S + 5.0)])
    assert database.open_incidents() == [incident()]


def test_days_are_counted(database: Database, reader: Reader) -> None:
    """Ended incidents with their samples and feedback go after keep_days, statistics after theirs; what is open stays."""
    database.set_up(Setup(3, 256, 5))
    database.write([incident(id="open"), incident(ended_s=AT_S + 9.0), sample(), feedback(), minute(attacks=1)])
    assert database.tidy(AT_S + 2.9 * DAY_S) == 0
    while database.tidy(AT_S + 3.1 * DAY_S):
        pass
    assert [one["id"] for one in reader.incidents(Filters())[0]] == ["open"]
    assert reader.feedback(Filters()) == ([], False)
    assert counted(reader)["attacks"] == 1
    while database.tidy(AT_S + 5.1 * DAY_S):
        pass
    assert counted(reader)["attacks"] == 0


def test_mib_are_counted(database: Database, tmp_path: Path, reader: Reader) -> None:
    """A file that grows to its bound loses the oldest tenth at a time and never exceeds it."""
    database.set_up(Setup(30, 8, 90))
    for number in range(200):
        rows = [sample(number * 100 + n, path="/" + "x" * 900) for n in range(100)]
        database.write([incident(id=str(number), started_s=AT_S + number, last_s=AT_S + number), *rows])
        database.tidy(AT_S + 3_600.0)
    assert path_in(tmp_path).stat().st_size <= 8 << 20
    found, more = reader.incidents(Filters(limit=1_000))
    assert found[0]["id"] == "199"
    assert 10 < len(found) < 200
    assert not more


def test_a_flood_of_feedback_pushes_out_only_feedback(database: Database, reader: Reader) -> None:
    """The oldest of it go, a slice at a time; what attacks left stays, and the newest 10,000."""
    database.write([incident(), sample(), minute()])
    database.write(feedback(id=f"id-{number}", time_s=AT_S + number) for number in range(MAX_FEEDBACK + 700))
    assert (database.tidy(AT_S), database.tidy(AT_S), database.tidy(AT_S)) == (500, 200, 0)
    found, _ = reader.feedback(Filters(limit=MAX_FEEDBACK + 1))
    assert (len(found), found[0]["id"], found[-1]["id"]) == (MAX_FEEDBACK, f"id-{MAX_FEEDBACK + 699}", "id-700")
    incidents, _ = reader.incidents(Filters())
    assert len(incidents) == 1
