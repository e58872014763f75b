"""botsieve.journal.pause"""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.errors import MachineError
from botsieve.journal.pause import FILE_NAME, PauseSwitch


def test_a_pause_survives_a_restart(tmp_path: Path) -> None:
    """What was set is found by the next process, and so is its end."""
    assert PauseSwitch(tmp_path / "state").set()
    again = PauseSwitch(tmp_path / "state")
    assert again.paused
    assert again.clear()
    assert not PauseSwitch(tmp_path / "state").paused


def test_a_file_made_by_hand_is_obeyed(tmp_path: Path) -> None:
    """`touch` and `rm` do the same as the commands, at the next poll."""
    switch = PauseSwitch(tmp_path)
    assert not switch.poll()
    (tmp_path / FILE_NAME).touch()
    assert switch.poll()
    assert switch.paused
    assert not switch.poll()
    (tmp_path / FILE_NAME).unlink()
    assert switch.poll()
    assert not switch.paused


def test_doing_it_twice_changes_nothing(tmp_path: Path) -> None:
    """`set` and `clear` say whether there was something to do."""
    switch = PauseSwitch(tmp_path)
    assert [switch.set(), switch.set(), switch.clear(), switch.clear()] == [True, False, True, False]


def test_a_directory_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    """The error names the file and what would be accepted; the state stays as it was."""
    (tmp_path / "state").write_text("")
    switch = PauseSwitch(tmp_path / "state")
    with pytest.raises(MachineError, match=r"state/paused: .*; accepted: a state\.dir"):
        switch.set()
    assert not switch.paused
