"""Ids as people pass them on, and decisions in the log."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from botsieve.replay.logged import MAX_LOGGED, find_logged, id_of
from hypothesis import given
from hypothesis import strategies as st

ID = "7k3m-9x20-f4d1-p8wz"


@pytest.mark.parametrize(
    "said",
    [ID, ID.upper(), ID.replace("-", ""), ID.replace("-", " "), f" {ID}\n", "7K3M-9X2O-F4DL-P8WZ", "7k3m–9x20–f4d1–p8wz"],
)
def test_an_id_as_people_say_it(said: str) -> None:
    """From a screenshot, a mail, the telephone: capitals, blanks, no dashes, long dashes, O for 0, l for 1."""
    assert id_of(said) == ID


@pytest.mark.parametrize("said", ["", "nonsense", ID[:-1], ID + "0", "../v1/pause", "7k3m-9x20-f4d1-p8w!", "é" * 16])
def test_what_is_no_id(said: str) -> None:
    """Nothing else is taken for one."""
    assert id_of(said) is None


@given(st.text(max_size=40))
def test_any_text_is_an_id_or_none(said: str) -> None:
    """What comes out can stand in a path and in a shell."""
    found = id_of(said)
    assert found is None or (len(found) == 19 and found.isascii() and found.replace("-", "").isalnum())


def line(decision_id: str, **more: object) -> bytes:
    """A line as the journal writes it."""
    return json.dumps({"event": "decision", "id": decision_id, **more}, separators=(",", ":")).encode() + b"\n"


def other(number: int) -> bytes:
    """The line of another decision."""
    return line(f"0000-0000-0000-{number:04d}", path="/" + "x" * 400)


@pytest.mark.parametrize("place", [0, 1, 2600, 3999])
def test_anywhere_in_a_log(tmp_path: Path, place: int) -> None:
    """First line, last line, and in any block between."""
    file = tmp_path / "decisions.log"
    lines = [other(number) for number in range(4000)]
    lines[place] = line(ID, score=75)
    file.write_bytes(b"".join(lines))
    assert file.stat().st_size > 1 << 20
    assert find_logged(str(file), ID) == {"event": "decision", "id": ID, "score": 75}
    assert find_logged(str(file), "zzzz-zzzz-zzzz-zzzz") is None


def test_across_two_blocks(tmp_path: Path) -> None:
    """An id whose bytes lie in two blocks is found, whichever byte the border is at."""
    file = tmp_path / "decisions.log"
    for missing in range(40):
        tail = b"\n" + b"x" * ((1 << 20) - 2 - missing) + b"\n"
        file.write_bytes(line(ID) + tail)
        assert find_logged(str(file), ID) is not None, missing


def test_in_the_log_that_was_rotated_away(tmp_path: Path) -> None:
    """The customer calls the next morning."""
    (tmp_path / "decisions.log").write_bytes(other(1))
    (tmp_path / "decisions.log.1").write_bytes(other(2) + line(ID))
    assert find_logged(str(tmp_path / "decisions.log"), ID) is not None


def test_what_only_looks_like_it(tmp_path: Path) -> None:
    """Another event, half a line, garbage and a longer line than any of ours are not taken for it; an earlier whole one is."""
    file = tmp_path / "decisions.log"
    half = b'{"event":"decision","id":"' + ID.encode() + b'","sco'
    event = json.dumps({"event": "strange", "id": ID}, separators=(",", ":")).encode() + b"\n"
    long = line(ID, path="x" * 2 * MAX_LOGGED)
    file.write_bytes(line(ID, score=1) + event + os.urandom(300).replace(b"\n", b"") + b"\n" + long + half)
    assert find_logged(str(file), ID) == {"event": "decision", "id": ID, "score": 1}


def test_no_file_and_no_line(tmp_path: Path) -> None:
    """A log that is not there, an empty one, and a pipe hold nothing."""
    (tmp_path / "empty").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    assert [find_logged(str(tmp_path / name), ID) for name in ("none", "empty", "pipe")] == [None, None, None]
