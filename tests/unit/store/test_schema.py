"""store/schema.py: the file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from botsieve.store.schema import (
    VERSION,
    NotOurs,
    open_for_reading,
    open_for_writing,
    path_in,
    put_aside,
    transaction,
    version_of,
)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """0600, with everything that SQLite lays beside it."""
    path = path_in(tmp_path)
    with closing(open_for_writing(path)) as sql:
        with transaction(sql):
            sql.execute("INSERT INTO statistics VALUES (60, 'shop', 1, 1, 1, 1, 1, 1, 1, 1)")
        assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}
        assert len(list(tmp_path.iterdir())) == 3
        assert version_of(sql) == VERSION
    with closing(open_for_writing(path)) as sql:
        assert sql.execute("SELECT count(*) FROM statistics").fetchone() == (1,)


def test_readers_change_nothing(tmp_path: Path) -> None:
    """A reader beside the writer sees what is committed and cannot write."""
    with closing(open_for_writing(path_in(tmp_path))) as sql, closing(open_for_reading(path_in(tmp_path))) as reader:
        sql.execute("INSERT INTO statistics VALUES (60, 'shop', 1, 1, 1, 1, 1, 1, 1, 1)")
        assert reader.execute("SELECT policy FROM statistics").fetchone()["policy"] == "shop"
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM statistics")


def test_a_path_may_hold_anything(tmp_path: Path) -> None:
    """A folder named with what means something in a URI."""
    folder = tmp_path / "a?b=c#d %20"
    folder.mkdir()
    open_for_writing(path_in(folder)).close()
    open_for_reading(path_in(folder)).close()
    assert path_in(folder).is_file()


@pytest.mark.parametrize("change", ["PRAGMA user_version = 2", "PRAGMA application_id = 1"])
def test_others_and_later_versions_are_refused(tmp_path: Path, change: str) -> None:
    """Neither read nor written."""
    path = path_in(tmp_path)
    with closing(open_for_writing(path)) as sql:
        sql.execute(change)
    for opened in (open_for_reading, open_for_writing):
        with pytest.raises(NotOurs, match="accepted: 1"):
            opened(path)


def test_an_empty_file_is_not_read(tmp_path: Path) -> None:
    """A reader says that there is nothing yet; a writer makes the tables."""
    path_in(tmp_path).touch()
    with pytest.raises(sqlite3.DatabaseError, match="nothing yet"):
        open_for_reading(path_in(tmp_path))
    open_for_writing(path_in(tmp_path)).close()


def test_a_transaction_is_whole_or_not(tmp_path: Path) -> None:
    """An error in the middle leaves nothing of it."""
    put = "INSERT INTO statistics VALUES (?, 'shop', 1, 1, 1, 1, 1, 1, 1, 1)"

    def half() -> None:
        with transaction(sql):
            sql.execute(put, (60,))
            sql.execute(put, (60,))

    with closing(open_for_writing(path_in(tmp_path))) as sql:
        with pytest.raises(sqlite3.IntegrityError):
            half()
        assert sql.execute("SELECT count(*) FROM statistics").fetchone() == (0,)


def test_a_broken_one_is_kept_aside(tmp_path: Path) -> None:
    """Under another name, with its -wal; a second one takes the place of the first."""
    path = path_in(tmp_path)
    for content in (b"first", b"second"):
        path.write_bytes(content)
        Path(f"{path}-wal").write_bytes(content)
        aside = put_aside(path)
    assert (aside.read_bytes(), Path(f"{aside}-wal").read_bytes()) == (b"second", b"second")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["state.sqlite.broken", "state.sqlite.broken-wal"]
