"""A second chance is given where programs run that are not ours, is shown, and hides nothing that fails again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.again import AT_MOST, live
from tests.conftest import ROOT

# Fails at its first run; `shared` counts how often what tests share was started.
ONCE = """
import pathlib, pytest
told = pathlib.Path(__file__).with_suffix(".txt")

@pytest.fixture(scope="session")
def shared():
    with told.open("a") as file:
        file.write("started ")
    yield
    with told.open("a") as file:
        file.write("stopped ")

def test_before(shared):
    pass

@pytest.mark.parametrize("number", range({count}))
def test_it(shared, number):
    mark = told.with_name(f"{{told.stem}}-{{number}}")
    before = mark.exists()
    mark.touch()
    assert before, "the browser went away"

def test_after(shared):
    pass
"""

UP = """
@pytest.fixture
def up():
    mark = told.with_name("up")
    before = mark.exists()
    mark.touch()
    assert before
"""


def _run(folder: Path, where: str, text: str, **env: str) -> tuple[int, str]:
    file = folder / "tests" / where / "test_some.py"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    environment = {key: value for key, value in os.environ.items() if key != "BOTSIEVE_ONCE"} | env
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "pytest", "-p", "tests.again", "-p", "no:cacheprovider", "--rootdir", str(folder), "-ra"]
    done = subprocess.run([*command, str(file)], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout


def test_what_fails_once_is_named_and_is_no_failure(tmp_path: Path) -> None:
    """The run is green, the last line counts it, the reason is printed, and everything shared was started anew."""
    code, said = _run(tmp_path, "browser", ONCE.format(count=1))
    assert code == 0, said
    assert "3 passed, 1 again in" in said
    assert "failed once, and had a second chance" in said
    assert "the browser went away" in said
    assert (tmp_path / "tests/browser/test_some.txt").read_text() == "started stopped started stopped "


def test_what_fails_twice_is_a_failure(tmp_path: Path) -> None:
    """A fault of the code fails again, and the run with it."""
    code, said = _run(tmp_path, "nginx", "def test_it():\n    assert 1 == 2\n")
    assert code == 1
    assert "1 failed, 1 again in" in said


def test_a_fixture_that_fails_once_is_set_up_again(tmp_path: Path) -> None:
    """A server that did not come up has a second chance, too."""
    text = ONCE.format(count=1).replace("def test_it(shared, number):", "def test_it(shared, number, up):")
    code, said = _run(tmp_path, "browser", text.replace("\ndef test_before", UP + "\ndef test_before"))
    # The second run is the first one of the test itself, which then fails: nobody has a third.
    assert code == 1
    assert "1 failed, 2 passed, 1 again in" in said


def test_a_run_in_which_much_fails_is_red(tmp_path: Path) -> None:
    """After a few first failures nobody has a second chance."""
    code, said = _run(tmp_path, "browser", ONCE.format(count=AT_MOST + 1))
    assert code == 1
    assert f"1 failed, {AT_MOST + 2} passed, {AT_MOST} again in" in said


def test_tests_of_the_core_have_one_chance(tmp_path: Path) -> None:
    """Nothing but our own code runs in them."""
    code, said = _run(tmp_path, "unit", ONCE.format(count=1))
    assert code == 1
    assert "1 failed, 2 passed in" in said
    assert live("tests/browser/human/test_visits.py")
    assert not live("tests/cases/test_cases.py")


def test_who_hunts_for_them_sees_each(tmp_path: Path) -> None:
    """`BOTSIEVE_ONCE=1` switches it off."""
    code, _ = _run(tmp_path, "browser", ONCE.format(count=1), BOTSIEVE_ONCE="1")
    assert code == 1
