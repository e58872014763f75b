"""botsieve.journal.heard"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from botsieve.journal.heard import FILE_NAME, Heard, read
from hypothesis import given
from hypothesis import strategies as st

from tests.service.running import environment

NOW_S = 1_800_000_000.0


def test_a_restart_counts_nothing_twice(tmp_path: Path) -> None:
    """The next service counts what is new, not everything that the edge ever let pass; each teller on its own."""
    first = Heard(tmp_path, NOW_S)
    assert first.grown("nginx", b"", 40, NOW_S) == 40
    assert first.grown("nginx", b"\x7f\0\0\1", 7, NOW_S) == 7
    first.save()
    second = Heard(tmp_path, NOW_S + 60)
    assert second.grown("nginx", b"", 40, NOW_S + 62) == 0
    assert second.grown("nginx", b"", 45, NOW_S + 62) == 5
    assert second.grown("nginx", b"\x7f\0\0\1", 9, NOW_S + 62) == 2


def test_an_edge_that_was_restarted_too(tmp_path: Path) -> None:
    """Both are new (the machine was restarted): a smaller number counts from 0, once it cannot be a straggler."""
    first = Heard(tmp_path, NOW_S)
    first.grown("nginx", b"", 40, NOW_S)
    first.save()
    second = Heard(tmp_path, NOW_S + 60)
    assert second.grown("nginx", b"", 3, NOW_S + 60.5) is None
    assert second.grown("nginx", b"", 3, NOW_S + 61.5) == 3
    assert second.grown("nginx", b"", 5, NOW_S + 61.6) == 2


def test_it_is_written_only_when_something_changed(tmp_path: Path) -> None:
    """An edge that says the same number again costs no write; the file is for us alone."""
    heard = Heard(tmp_path, NOW_S)
    heard.save()
    assert not (tmp_path / FILE_NAME).exists()
    heard.grown("nginx", b"", 1, NOW_S)
    heard.save()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    (tmp_path / FILE_NAME).unlink()
    heard.grown("nginx", b"", 1, NOW_S)
    heard.save()
    assert not (tmp_path / FILE_NAME).exists()


@given(st.binary(max_size=200) | st.builds(msgspec.json.encode, st.lists(st.tuples(st.text(), st.text(), st.integers()))))
def test_any_bytes_are_a_file_or_none(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Garbage, half a file, impossible numbers: read as nothing, and the next save makes it good."""
    folder = tmp_path_factory.getbasetemp() / "heard"
    folder.mkdir(exist_ok=True)
    (folder / FILE_NAME).write_bytes(data)
    assert all(len(edge) <= 64 and 0 <= total < 10**15 for edge, _, total in read(folder / FILE_NAME))
    heard = Heard(folder, NOW_S)
    heard.grown("an edge", b"", 12, NOW_S + 5)
    heard.save()
    assert ("an edge", b"", 12) in read(folder / FILE_NAME) or len(heard) >= 256


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    """Only 256 tellers and 64 KiB are ever looked at."""
    (tmp_path / FILE_NAME).write_bytes(msgspec.json.encode([("nginx", f"{n:04x}", 1) for n in range(1000)]))
    assert len(Heard(tmp_path, NOW_S)) == 256
    (tmp_path / FILE_NAME).write_bytes(b"[" * 10_000_000)
    assert len(Heard(tmp_path, NOW_S)) == 0


_CANNOT_WRITE = """
import sys
from botsieve.journal.heard import Heard
heard = Heard(sys.argv[1], 0.0)
print(heard.grown("nginx", b"", 4, 9.0), heard.save(), heard.grown("nginx", b"", 6, 9.0))
"""


def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """Read-only or gone: counted all the same."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o500)
    for where in (folder, tmp_path / "gone"):
        command = [sys.executable, "-c", _CANNOT_WRITE, str(where)]
        if os.geteuid() == 0:  # root may write anywhere, but for one without its powers
            command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=120, check=False)
        assert done.stdout == "4 None 2\n", done.stderr
    assert list(folder.iterdir()) == []
