"""scripts/mutation.py: it changes what decides and nothing else, and it knows a test that notices from one that does not."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from types import ModuleType

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "scripts" / "mutation.py"
SOURCE = '''"""Words."""

from __future__ import annotations

LIMIT: int = 3


class A:
    __slots__ = ("x",)

    def f(self, x: int = 1) -> bool:
        """More words."""
        if not x:
            raise ValueError("text")
        return x > LIMIT and x < 9
'''


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutation_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_changed(script: ModuleType) -> None:
    """Numbers, comparisons, conditions and answers; no docstring, annotation, message or slot."""
    found = [(mutant.line, mutant.what) for mutant in script.mutants(SOURCE)]
    assert found == [
        (5, "3 -> 4"),
        (5, "3 -> 2"),
        (11, "1 -> 2"),
        (11, "1 -> 0"),
        (13, "if x -> if True"),
        (13, "if x -> if False"),
        (13, "not x -> x"),
        (15, "return x -> return None"),
        (15, "and -> or"),
        (15, "Gt -> GtE"),
        (15, "Lt -> LtE"),
        (15, "9 -> 10"),
        (15, "9 -> 8"),
    ]


def test_every_mutant_is_another_module_that_compiles(script: ModuleType) -> None:
    """No two mutants of a module are the same, and none is the module itself."""
    for module in script.TESTS:
        source = (ROOT / "service" / f"{module.replace('.', '/')}.py").read_text()
        texts = [ast.unparse(mutant.tree) for mutant in script.mutants(source)]
        assert len(texts) > 40
        assert ast.unparse(ast.parse(source)) not in texts
        for mutant in script.mutants(source):
            compile(mutant.tree, module, "exec")


def test_the_tests_that_are_asked_exist(script: ModuleType) -> None:
    """A file that was renamed is noticed here, not by a lower share."""
    assert [name for names in script.TESTS.values() for name in names if not (ROOT / name).is_file()] == []


def test_it_tells_what_is_noticed() -> None:
    """Two mutants of score.py, run as the command runs them: a line for the module, one for all, and the share that was wanted."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--sample", "2", "--at-least", "0", "--jobs", "1", "botsieve.score"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    assert first.split()[:3] == ["botsieve.score", "2", "mutants"]
    assert last.startswith("all")
    assert last.endswith("(wanted: at least 0 %)")


def test_an_unknown_module_is_said() -> None:
    """Exit code 2 and what is accepted."""
    done = subprocess.run([sys.executable, SCRIPT, "botsieve.nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "accepted: botsieve.score" in done.stderr
