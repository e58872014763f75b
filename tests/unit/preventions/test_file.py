"""botsieve.preventions.file"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from botsieve.preventions.file import lines, read, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.attacks.test_kept import NOW_S, one


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Only for us to read, and nothing else left in the folder."""
    path = tmp_path / "preventions"
    write(path, [lines([one()]), lines([one(), one()])])
    found, strange = read(path, NOW_S, 10)
    assert (len(found), strange) == (3, 0)
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["preventions"]


def test_no_more_than_asked_for_is_read(tmp_path: Path) -> None:
    """However long the file is."""
    write(tmp_path / "p", [lines([one()] * 50)])
    assert len(read(tmp_path / "p", NOW_S, 7)[0]) == 7


def test_no_file_is_nothing(tmp_path: Path) -> None:
    """Nor is a directory in its place."""
    assert read(tmp_path / "p", NOW_S, 7) == ([], 0)
    assert read(tmp_path, NOW_S, 7) == ([], 0)


def test_garbage_costs_its_lines(tmp_path: Path) -> None:
    """What is between is read."""
    path = tmp_path / "p"
    path.write_bytes(b"\xff\xfe\n" + lines([one()]) + b"x" * 5000 + b"\n[]\n" + lines([one()]) + b'["half')
    found, strange = read(path, NOW_S, 100)
    assert len(found) == 2
    assert strange >= 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3000))
def test_any_file_is_survived(tmp_path: Path, raw: bytes) -> None:
    """Never an error."""
    (tmp_path / "p").write_bytes(raw)
    assert read(tmp_path / "p", NOW_S, 100)[0] == []


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """And nothing beside it."""
    path = tmp_path / "p"
    write(path, [lines([one()])])

    def chunks() -> object:
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write(path, chunks())  # type: ignore[arg-type]
    assert len(read(path, NOW_S, 10)[0]) == 1
    assert os.listdir(tmp_path) == ["p"]


def test_names_of_another_secret_are_not_taken(tmp_path: Path) -> None:
    """Nobody would be known by them again: they are told as strange, and not listed as if they were in force."""
    write(tmp_path / "p", [lines([one(), one()])], "aa")
    assert len(read(tmp_path / "p", NOW_S, 10, "aa")[0]) == 2
    assert read(tmp_path / "p", NOW_S, 10, "bb") == ([], 2)
