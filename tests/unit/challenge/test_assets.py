"""challenge/assets.py: script, worker and style."""

from __future__ import annotations

import gzip
import re

import pytest
from botsieve.challenge.assets import CONTENT, HASHED_NAME, asset_answer, script_name
from botsieve.decision import LEVELS


@pytest.mark.parametrize("name", ["c.js", "w.js", "c.css"])
def test_the_present_name_is_kept_and_old_names_still_work(name: str) -> None:
    """The hashed name may be kept for a year; the plain and an old one give the same file, not kept."""
    present = asset_answer(HASHED_NAME[name].encode())
    assert present is not None
    assert present.header("Cache-Control") == "public, max-age=31536000, immutable"
    stem, _, ending = name.partition(".")
    for other in (name, f"{stem}.0123456789ab.{ending}"):
        answer = asset_answer(other.encode())
        assert answer is not None
        assert (answer.body, answer.header("Cache-Control")) == (present.body, "no-cache")


@pytest.mark.parametrize("name", [b"", b"w.css", b"x.js", b"../c.js", b"c.js/", b"c.XY.js", b"texts.json", b"c.js\n", b"\xff"])
def test_nothing_else_is_served(name: bytes) -> None:
    """Other names, other files of the folder and paths are not ours."""
    assert asset_answer(name) is None


@pytest.mark.parametrize("level", LEVELS)
def test_loading_the_script_is_counted(level: str) -> None:
    """The page names its script with the level, which is what the event says; the file is the same, and kept."""
    named, plain = asset_answer(script_name(level).encode()), asset_answer(HASHED_NAME["c.js"].encode())
    assert named is not None
    assert plain is not None
    assert (named.event, named.level, plain.event, plain.level) == ("loaded", level, "", "")
    assert (named.body, named.headers) == (plain.body, plain.headers)
    worker = asset_answer(b"w.js")
    assert worker is not None
    assert worker.event == ""


def test_the_files_are_small_and_name_no_other_host() -> None:
    """Together at most 4 KiB compressed, no address of anybody, no inline evaluation."""
    everything = b"".join(CONTENT.values())
    assert sum(len(gzip.compress(content, 9)) for content in CONTENT.values()) <= 4096
    assert not re.search(rb"https?://|//[a-z]|\beval\b|\bFunction\(|innerHTML|document\.write", everything)
