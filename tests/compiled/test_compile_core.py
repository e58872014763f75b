"""scripts/compile_core.py and what it makes: the same decisions, the same promises, as machine code."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT

# What holds the core's promises: run once more on what was compiled.
CORE = [
    "unit/state",
    "unit/detectors",
    "unit/attacks",
    "unit/challenge",
    "unit/journal",
    "unit/test_engine.py",
    "unit/test_engine_device.py",
    "unit/test_identity.py",
    "unit/test_decision.py",
    "unit/test_verdict.py",
    "unit/test_score.py",
    "unit/test_observation.py",
    "unit/test_remembered.py",
    "unit/test_ranges.py",
    "unit/test_agents.py",
    "unit/test_service.py",
    "cases",
    "transports",
]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("compile_core", ROOT / "scripts" / "compile_core.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def compiled() -> dict[str, str]:
    """The environment in which the compiled core runs; compiled first where it is not up to date (a minute)."""
    made = subprocess.run(
        ["bash", "scripts/compile.sh"], cwd=ROOT, env={**os.environ, "YES": "1"}, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return {**os.environ, "PYTHONPATH": str(ROOT / "build" / "compiled")}


# ---- the sources that the compiler gets

STRUCT = '''"""A module."""

from __future__ import annotations

import msgspec

SMALL, LARGE = 1, 2
NAMES = frozenset("ab")  # a comment


class Thing(msgspec.Struct, frozen=True, gc=False):
    """A value."""

    name: str
    size: int = SMALL

    @property
    def is_large(self) -> bool:
        """Large."""
        return self.size >= LARGE
'''


def test_a_struct_becomes_a_plain_class(script: ModuleType) -> None:
    """Same fields, defaults, methods, equality and hash; constants are final."""
    source = script.native_source(STRUCT, ["Thing"])
    assert "SMALL: Final = 1" in source
    assert 'NAMES: Final = frozenset("ab")  # a comment' in source
    assert "@mypyc_attr(acyclic=True)\n@final\nclass Thing" in source  # gc=False
    names: dict[str, object] = {"__name__": "made", "mypyc_attr": lambda **_: lambda made: made}
    exec(compile(source, "made", "exec"), names)  # what was just written out
    thing = names["Thing"]
    assert isinstance(thing, type)
    small, large = thing("a"), thing("a", size=2)
    assert (small.name, small.size, small.is_large, large.is_large) == ("a", 1, False, True)
    assert small == thing("a", 1)
    assert small != large
    assert small != "a"
    assert len({small, thing("a"), large}) == 2
    assert small.replaced({"size": 2}) == large
    assert large.in_order() == ("a", 2)
    assert repr(large) == "Thing(name='a', size=2)"


def test_a_struct_that_is_not_compared_is_only_itself(script: ModuleType) -> None:
    """`eq=False`: neither equal to another nor hashed by its fields."""
    source = script.native_source(STRUCT.replace("gc=False", "eq=False"), ["Thing"])
    assert "def in_order" in source
    assert "__eq__" not in source
    assert "__hash__" not in source


@pytest.mark.parametrize(
    ("source", "names", "error"),
    [
        (STRUCT, [], "Thing: VALUES"),
        (STRUCT, ["Thing", "Other"], "Other: VALUES"),
        (STRUCT.replace("gc=False", "kw_only=True"), ["Thing"], "no plain msgspec.Struct"),
        (STRUCT + "\n_PART = slice(1, 2)\n", ["Thing"], "write the numbers"),
    ],
)
def test_what_would_not_be_the_same_is_refused(script: ModuleType, source: str, names: list[str], error: str) -> None:
    """A struct that nobody named or that asks for more, and what mypyc takes for something else."""
    with pytest.raises(ValueError, match=error):
        script.native_source(source, names)


def test_a_class_without_cycles_is_marked(script: ModuleType) -> None:
    """As it stands but for the mark; one that is named and not there is a mistake."""
    source = STRUCT + "\n\nclass Part:\n    size = 1\n"
    assert "@mypyc_attr(acyclic=True)\nclass Part:\n    size = 1\n" in script.native_source(source, ["Thing"], ["Part"])
    with pytest.raises(ValueError, match="Other: ACYCLIC"):
        script.native_source(source, ["Thing"], ["Other"])
    assert "@mypyc_attr(free_list_len=1)\n@mypyc_attr(acyclic=True)\n@final\nclass Thing" in script.native_source(
        source, ["Thing"], [], ["Thing"]
    )


def test_every_module_that_is_named_is_there(script: ModuleType, tmp_path: Path) -> None:
    """All of MODULES and VALUES can be written out; the rest of the package lies beside them as it is."""
    files = script.write_sources(tmp_path / "native")
    assert len(files) == len(script.MODULES)
    assert {*script.VALUES, *script.ACYCLIC, *script.ONE_AT_A_TIME} <= set(script.MODULES)
    assert (tmp_path / "native/botsieve/cli.py").read_bytes() == (ROOT / "service/botsieve/cli.py").read_bytes()
    assert (tmp_path / "native/botsieve/edge_files/nginx/protect.conf").is_file()


def test_who_asks_for_less_takes_the_guided_form(script: ModuleType, tmp_path: Path) -> None:
    """Up to date is what was made of these sources; the quick form does not pass for the guided one."""
    stamp = tmp_path / "stamp"
    assert not script.is_up_to_date(stamp, "abc", guided=False)
    for written, quick, guided in (("abc guided", True, True), ("abc quick", True, False), ("abd guided", False, False)):
        stamp.write_text(written)
        assert script.is_up_to_date(stamp, "abc", guided=False) is quick
        assert script.is_up_to_date(stamp, "abc", guided=True) is guided


def test_the_training_takes_every_way_in(tmp_path: Path) -> None:
    """Decisions, checks over HTTP, batches over gRPC: all judged, some refused, the same each time, nothing written elsewhere."""
    told = set()
    for name in "ab":
        command = [sys.executable, "-m", "tests.compiled.training", str(tmp_path / name), "500"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told.add(done.stdout)
    (counted,) = told
    assert '"decisions":1000,' in counted
    assert '"checks":500,"unjudged":0,"batches":15,"faults":0' in counted
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["keys", "log", "state"]


# ---- what was compiled


def stream(environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.compiled.stream"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_same_decisions(compiled: dict[str, str]) -> None:
    """Line by line, with everything on; no detector fails in either."""
    plain = {name: value for name, value in compiled.items() if name != "PYTHONPATH"}
    (told_from, *told), (native_from, *native) = stream(plain), stream(compiled)
    assert told_from.endswith("service/botsieve/engine.py")
    assert native_from.endswith(".so")
    assert native == told
    assert told[-1] == "[]"
    assert len({re.sub(r'"(time|id)":"[^"]*"', "", line) for line in told}) > 1_000  # else it would show nothing


def test_the_core_s_own_tests_hold_compiled(compiled: dict[str, str]) -> None:
    """Every promise of the core but those that put something of their own into it (marker `plain`)."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not real and not plain"]
    done = subprocess.run(
        [*command, *(f"tests/{name}" for name in CORE)], cwd=ROOT, env=compiled, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) > 2_000
