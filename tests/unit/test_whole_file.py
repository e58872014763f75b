"""service/botsieve/whole_file.py: the old text or the new one, and nobody else's business."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from botsieve.whole_file import make_once, replace_whole


@pytest.mark.parametrize("lasting", [True, False])
def test_a_text_takes_the_place_of_another(tmp_path: Path, lasting: bool) -> None:
    """Whole, 0600, and nothing is left beside it."""
    file = tmp_path / "kept.text"
    for chunks in ([b"old"], [b"new ", b"text"]):
        replace_whole(file, chunks, lasting=lasting)
        assert file.read_bytes() == b"".join(chunks)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["kept.text"]


def test_what_fails_on_the_way_changes_nothing(tmp_path: Path) -> None:
    """The old text stays, and no half of the new one lies beside it."""
    file = tmp_path / "kept"
    replace_whole(file, [b"old"])

    def breaking() -> Iterator[bytes]:
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        replace_whole(file, breaking())
    assert file.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Whoever may write into the folder cannot have us write into a file of ours elsewhere."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "kept.new").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"):
        replace_whole(tmp_path / "kept", [b"text"])
    assert precious.read_text() == "mine"


def test_the_first_text_stays(tmp_path: Path) -> None:
    """Two that start together agree on one text, 0600, and leave nothing beside it."""
    file = tmp_path / "key"
    make_once(file, b"first")
    make_once(file, b"second")
    assert file.read_bytes() == b"first"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["key"]
