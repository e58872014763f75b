"""scripts/compile_native.py: a small package as machine code, with a profile and without."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "scripts" / "compile_native.py"
COUNT = '''"""Counts."""


def count(limit: int) -> int:
    """How many below `limit` are even."""
    found = 0
    for number in range(limit):
        if number % 2 == 0:
            found += 1
    return found
'''
ASK = '''"""Asks."""

from small.count import count


def ask(limit: int) -> str:
    """The count in words."""
    return f"{count(limit)} are even"
'''
TRAIN = "import small.ask, pathlib; pathlib.Path('trained').write_text(small.ask.__file__ + small.ask.ask(1000))"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package of two modules, in a folder of its own."""
    here = tmp_path / "native"
    (here / "small").mkdir(parents=True)
    for name, text in {"__init__": "", "count": COUNT, "ask": ASK}.items():
        (here / "small" / f"{name}.py").write_text(text)
    return here


def compiled(folder: Path, *words: str, compiler: str | None = None) -> str:
    """Compiles the package; what was said.  `compiler`: in place of Python's own."""
    environment = {**os.environ, "PYTHONPATH": str(folder)} | ({"CC": compiler} if compiler else {})
    command = [sys.executable, SCRIPT, *words, "small/count.py", "small/ask.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answer(folder: Path) -> str:
    """What the package says now, and that it is machine code that says so."""
    code = "import small.ask; print(small.ask.__file__.endswith('.so'), small.ask.ask(10))"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


def train() -> str:
    return "--train=" + shlex.join([sys.executable, "-c", TRAIN])


def test_without_a_training_there_is_no_profile(folder: Path) -> None:
    """The quick form: compiled once."""
    assert compiled(folder) == ""
    assert answer(folder) == "True 5 are even\n"
    assert not [*folder.rglob("*.gcda")]


def test_a_training_guides_the_second_reading(folder: Path) -> None:
    """It runs on machine code that counts; what is left in the end neither counts nor lies about what it says."""
    assert compiled(folder, train()) == ""
    assert ".so" in (folder / "trained").read_text()
    (profile,) = folder.rglob("*.gcda")
    assert profile.is_relative_to(folder / "build")  # which compile_core.py removes as a whole
    before = profile.stat().st_mtime_ns
    assert answer(folder) == "True 5 are even\n"
    assert profile.stat().st_mtime_ns == before
    (core,) = folder.glob("*__mypyc*.so")
    assert b"gcov" not in core.read_bytes()
    assert not [*folder.glob("probe*")]


def test_a_compiler_without_profiles_makes_the_plain_form_and_says_so(folder: Path) -> None:
    """As clang: it knows what everybody knows, and refuses the words of gcc's profiles."""
    other = folder.parent / "other-cc"
    other.write_text('#!/bin/sh\ncase " $* " in *-fprofile-*) echo unknown argument >&2; exit 1;; esac\nexec cc "$@"\n')
    other.chmod(0o755)
    assert "cannot be guided" in compiled(folder, train(), compiler=str(other))
    assert answer(folder) == "True 5 are even\n"
    assert not (folder / "trained").exists()


def test_a_training_that_fails_is_said(folder: Path) -> None:
    """No core is better than one that could not even be trained."""
    command = [sys.executable, SCRIPT, "--train=false", "small/count.py", "small/ask.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "'false'" in done.stderr
