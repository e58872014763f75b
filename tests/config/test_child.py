"""botsieve.config.child"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from botsieve.config.child import Child
from botsieve.config.loader import answer_for
from botsieve.config.plan import config_id


def test_the_child_says_what_the_loader_says(tmp_path: Path) -> None:
    """A plan, mistakes, an unreadable file, the packaged defaults."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("bot_at: 61\n")
    bad.write_text("bot_at: 610\n")
    for source in (str(good), str(bad), str(tmp_path / "none.yaml"), ""):
        said, wanted = Child(source).ask(), answer_for(source)
        assert (said.mistakes, said.unreadable, said.config) == (wanted.mistakes, wanted.unreadable, wanted.config)
        assert (said.plan and config_id(said.plan)) == (wanted.plan and config_id(wanted.plan))


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """And is a mistake of the file, with the time that was allowed."""
    file = tmp_path / "b.yaml"
    file.write_text("# nothing\n")
    said = Child(str(file), wait_s=0.001).ask()
    assert said.plan is None
    assert "took longer than 0.001 s" in said.mistakes[0]


def test_a_child_that_cannot_start_names_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment below somebody's home: the service ran, its reloads said `Permission denied` of a good file."""
    file, python = tmp_path / "b.yaml", tmp_path / "python"
    file.write_text("# nothing\n")
    python.write_text("")
    monkeypatch.setattr("sys.executable", str(python))
    (said,) = Child(str(file)).ask().mistakes
    assert f"({python}: Permission denied); accepted: an interpreter that the service's user may run" in said


def test_a_child_that_is_stopped_is_no_answer(tmp_path: Path) -> None:
    """As at a shutdown in the middle of a reload."""
    file = tmp_path / "b.yaml"
    file.write_text("k: v\n" * 100_000)
    child = Child(str(file))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(child.ask()))
    thread.start()
    while not child.is_running and thread.is_alive():
        thread.join(0.001)
    child.stop()
    thread.join(10)
    assert answers[0].plan is None
    assert answers[0].mistakes


def test_a_large_hostile_file_stays_within_the_childs_limits(tmp_path: Path) -> None:
    """The largest file, all of it keys: an answer comes back, with bounded mistakes."""
    file = tmp_path / "b.yaml"
    file.write_bytes(b"".join(b"k%d: [1, {a: b}]\n" % n for n in range(55_000))[: 1024 * 1024])
    said = Child(str(file)).ask()
    assert said.plan is None
    assert 1 <= len(said.mistakes) <= 101


def test_a_child_that_was_stopped_does_not_start() -> None:
    """A shutdown between the wish and the start."""
    child = Child("")
    child.stop()
    assert child.ask().plan is None
    assert not child.is_running


def test_a_child_that_dies_is_a_mistake_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed by its own limits, or by the machine: said with the limits, never an exception."""
    for code in ("import os; os._exit(9)", "import os; os.write(1, b'half'); os.kill(os.getpid(), 9)", "syntax error"):
        monkeypatch.setattr("botsieve.config.child._CODE", code)
        said = Child("b.yaml").ask()
        assert said.plan is None
        assert said.mistakes[0].startswith("b.yaml:1: the file could not be checked within 768 MiB and 30 s")


def test_the_child_limits_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would need beyond its memory it does not get."""
    greedy = "child.answer_for = lambda source: bytearray(1024 * 1024 * 1024)"
    monkeypatch.setattr("botsieve.config.child._CODE", f"from botsieve.config import child\n{greedy}\nchild.main()")
    assert "ended with 1" in Child("b.yaml").ask().mistakes[0]
