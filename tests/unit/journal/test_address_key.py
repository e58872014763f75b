"""botsieve.journal.address_key"""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from botsieve.errors import MachineError
from botsieve.journal.address_key import FILE_NAME, address_key


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """The second call gives the same 32 bytes; the file is 0600; another directory has another key."""
    key = address_key(tmp_path / "a")
    assert address_key(tmp_path / "a") == key != address_key(tmp_path / "b")
    assert len(key) == 32
    assert stat.S_IMODE((tmp_path / "a" / FILE_NAME).stat().st_mode) == 0o600


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    """Half a key protects nobody: the error says so instead of making lines that compare with nothing."""
    (tmp_path / FILE_NAME).write_bytes(b"half")
    with pytest.raises(MachineError, match=r"4 bytes; accepted: the 32 bytes"):
        address_key(tmp_path)


def test_a_directory_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"address\.key: "):
        address_key(tmp_path / "file")
