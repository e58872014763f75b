"""botsieve.keyfile"""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from botsieve.challenge.keys import KeyRing
from botsieve.errors import ConfigError, MachineError
from botsieve.keyfile import make_folder, open_to_others, read_keys
from hypothesis import given
from hypothesis import strategies as st


def test_the_first_read_makes_it(tmp_path: Path) -> None:
    """0600, in a folder 0700, whole, with nothing left beside it; the next read gives the same key."""
    file = tmp_path / "state" / "keys"
    first = read_keys(str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [found.name for found in file.parent.iterdir()] == ["keys"]
    assert read_keys(str(file)).newest_kid == first.newest_kid


def test_two_starts_at_once_agree(tmp_path: Path) -> None:
    """Whoever is slower reads the key of the faster one."""
    file = tmp_path / "keys"
    rings: list[KeyRing] = []
    threads = [threading.Thread(target=lambda: rings.append(read_keys(str(file)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rings) == 8
    assert len({ring.newest_kid for ring in rings}) == 1


def test_a_reload_makes_none(tmp_path: Path) -> None:
    """`make=False`: a file that is gone is an error, and stays gone."""
    file = tmp_path / "keys"
    with pytest.raises(MachineError, match="No such file"):
        read_keys(str(file), make=False)
    assert not file.exists()


def test_the_last_line_signs(tmp_path: Path) -> None:
    """Append to rotate: all verify."""
    file = tmp_path / "keys"
    old = read_keys(str(file))
    with file.open("a") as lines:
        lines.write("ab" * 32 + "\n")
    ring = read_keys(str(file))
    assert len(ring) == 2
    assert ring.newest_kid != old.newest_kid
    assert ring.key(old.newest_kid) == old.key(old.newest_kid)


@pytest.mark.parametrize(
    ("mode", "word"), [(0o644, "may read it (mode 0644)"), (0o602, "may write it (mode 0602)"), (0o640, "")]
)
def test_a_key_that_everybody_can_read_is_told(tmp_path: Path, mode: int, word: str) -> None:
    """Owner and group may; of others the service says so, with what to do.  A file that is not there is not told."""
    file = tmp_path / "keys"
    assert open_to_others(str(file)) == []
    read_keys(str(file))
    assert open_to_others(str(file)) == []
    file.chmod(mode)
    told = open_to_others(str(file))
    assert len(told) == bool(word)
    assert all(word in line and "chmod 600" in line and str(file) in line for line in told)


@pytest.mark.parametrize("what", ["folder", "below a file", "dangling"])
def test_what_cannot_be_read(tmp_path: Path, what: str) -> None:
    """One message with the key, the path, and what would be accepted."""
    file = tmp_path / "keys"
    if what == "folder":
        file.mkdir()
    elif what == "below a file":
        file.write_text("")
        file = file / "keys"
    else:
        file.symlink_to(tmp_path / "none" / "keys")
    with pytest.raises(MachineError) as error:
        read_keys(str(file))
    assert str(error.value).startswith("challenge.keys_file: ")
    assert "accepted: " in str(error.value)


@given(raw=st.binary(max_size=300))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    """A key ring, or one of the two declared errors."""
    file = tmp_path_factory.getbasetemp() / "any-keys"
    file.write_bytes(raw)
    try:
        ring = read_keys(str(file))
    except (MachineError, ConfigError):
        return
    assert len(ring) >= 1


def test_folders(tmp_path: Path) -> None:
    """Made with their parents, 0700; one that cannot be is named with its key."""
    make_folder(str(tmp_path / "a" / "b"))
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"^some\.key: .*accepted: "):
        make_folder(str(tmp_path / "file" / "x"), "some.key")
    with pytest.raises(MachineError, match=r"^state\.dir: "):
        make_folder(str(tmp_path / "file"))
