"""botsieve.config.loader"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from botsieve.config import load, load_or_last_good
from botsieve.config.loader import LAST_GOOD, keep_last_good, read_bytes
from botsieve.config.yaml_tree import MAX_BYTES
from botsieve.errors import ConfigError, InputError


def write(tmp_path: Path, text: str) -> Path:
    """A configuration whose state lies in the test's folder."""
    file = tmp_path / "botsieve.yaml"
    file.write_text(f"state: {{dir: {tmp_path}}}\n{text}")
    return file


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    """Missing, a folder, a device: exit code 5, never a traceback."""
    for name in (tmp_path / "none.yaml", tmp_path, Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(InputError, match="accepted: a YAML file") as caught:
            load(name)
        assert caught.value.exit_code == 5


def test_no_more_is_read_than_needed_to_refuse(tmp_path: Path) -> None:
    """A file of any size costs one MiB."""
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(50 * MAX_BYTES)
    assert len(read_bytes(str(large))) == MAX_BYTES + 1
    with pytest.raises(ConfigError, match="accepted: at most 1048576"):
        load(large)


def test_a_start_with_a_refused_file_uses_the_last_good_text(tmp_path: Path) -> None:
    """And says every mistake; without a last good text the file is refused."""
    file = write(tmp_path, "bot_at: 70\n")
    keep_last_good(load(file))
    write(tmp_path, "bot_at: 700\n")
    loaded, mistakes = load_or_last_good(file)
    assert loaded.rulebook.bot_at == 70
    assert len(mistakes) == 1
    (tmp_path / LAST_GOOD).unlink()
    with pytest.raises(ConfigError):
        load_or_last_good(file)


def test_a_last_good_text_that_is_refused_too_is_told(tmp_path: Path) -> None:
    """Both lists of mistakes, each with its file."""
    file = write(tmp_path, "bot_at: 700\n")
    (tmp_path / LAST_GOOD).write_text("bot_at: 800\n")
    with pytest.raises(ConfigError) as caught:
        load_or_last_good(file)
    assert [line.rpartition("/")[2].split(":")[0] for line in caught.value.mistakes] == ["botsieve.yaml", LAST_GOOD]


def test_the_last_good_text_is_whole_and_private(tmp_path: Path) -> None:
    """0600, replaced in one step, never written through a symbolic link."""
    file = write(tmp_path, "")
    loaded = load(file)
    keep_last_good(loaded)
    kept = tmp_path / LAST_GOOD
    assert kept.read_bytes() == file.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    other = tmp_path / "other"
    other.write_text("untouched")
    os.symlink(other, tmp_path / f"{LAST_GOOD}.new")
    with pytest.raises(OSError):
        keep_last_good(loaded)
    assert other.read_text() == "untouched"


def test_a_good_file_has_no_mistakes(tmp_path: Path) -> None:
    """The ordinary start."""
    loaded, mistakes = load_or_last_good(write(tmp_path, ""))
    assert mistakes == []
    assert loaded.source.endswith("botsieve.yaml")


def test_no_file_means_the_packaged_defaults_and_a_link_to_nowhere_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-mounted settings must not start a service that only watches."""
    default = tmp_path / "botsieve.yaml"
    monkeypatch.setattr("botsieve.config.loader.DEFAULT_FILE", str(default))
    assert load().source == ""
    default.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no such file"):
        load()
    (tmp_path / "nowhere").write_text("bot_at: 61\n")
    assert load().rulebook.bot_at == 61


def test_a_file_that_is_not_there_is_not_replaced_by_the_last_good_text(tmp_path: Path) -> None:
    """A misspelt name at a start is told, whatever lies in the state folder."""
    file = write(tmp_path, "")
    keep_last_good(load(file))
    file.unlink()
    with pytest.raises(InputError):
        load_or_last_good(file)
