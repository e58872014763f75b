"""Mutation testing of what decides: breaks one thing at a time in a module and asks its unit tests whether they notice.

Law of the file: the tree is never written to.  A mutant lives in a forked child, which gets the changed module from an import
hook, runs the module's tests until the first failure and ends.  A child that takes too long is killed by itself: noticed, too.

Usage: scripts/mutation.py [--at-least 85] [--jobs 2] [--sample N] [MODULE...]
Exit code 1 when fewer than `--at-least` percent of all mutants were noticed, 2 for a module that is not in the table.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SERVICE = ROOT / "service"
# A mutant that loops is noticed by the clock; the tests of a module take a few seconds on a machine that others use too.
PATIENCE_S = 90

# The tests of a module, those that notice most first.
TESTS: dict[str, tuple[str, ...]] = {
    "botsieve.score": ("tests/unit/test_score.py", "tests/unit/test_policy_mutants.py", "tests/unit/test_engine.py"),
    "botsieve.policy": ("tests/unit/test_policy.py", "tests/unit/test_policy_mutants.py", "tests/unit/test_engine.py"),
    "botsieve.verdict": (
        "tests/unit/test_verdict.py",
        "tests/unit/test_verdict_mutants.py",
        "tests/unit/test_verdict_never.py",
        "tests/unit/test_verdict_readers.py",
        "tests/unit/test_engine_crawlers.py",
        "tests/unit/test_engine.py",
    ),
    "botsieve.challenge.tokens": ("tests/unit/challenge/test_tokens.py", "tests/unit/challenge/test_tokens_mutants.py"),
}

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


class Mutant(NamedTuple):
    """One changed module.  `what`: the change, for people."""

    line: int
    what: str
    tree: ast.Module


def mutants(source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    found = []
    for index, node in enumerate(_nodes(tree)):
        for kind, what in enumerate(_changes(node)):
            changed = copy.deepcopy(tree)
            _apply(_nodes(changed)[index], kind)
            found.append(Mutant(getattr(node, "lineno", 0), what, ast.fix_missing_locations(changed)))
    return sorted(found, key=lambda mutant: mutant.line)


def _nodes(tree: ast.AST) -> list[ast.AST]:
    """What may be changed: no annotation, docstring, text of an error, `__slots__` or option of a class."""
    kept: list[ast.AST] = []

    def visit(node: ast.AST) -> None:
        kept.append(node)
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_left_alone(node, name, child):
                    visit(child)

    visit(tree)
    return kept


def _is_left_alone(parent: ast.AST, field: str, child: ast.AST) -> bool:
    if field in ("annotation", "returns", "decorator_list", "ctx") or isinstance(
        child, (ast.Raise, ast.ImportFrom, ast.Import)
    ):
        return True
    if isinstance(parent, ast.ClassDef) and field in ("keywords", "bases"):
        return True
    if isinstance(child, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in child.bases):
        return True
    if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name) and child.targets[0].id == "__slots__":
        return True
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _changes(node: ast.AST) -> list[str]:
    """The changes that `_apply` can make to a node, in its numbering."""
    match node:
        case ast.Compare(ops=[op]):
            return [f"{type(op).__name__} -> {_COMPARE[type(op)].__name__}"]
        case ast.BoolOp(op=op):
            return ["and -> or" if isinstance(op, ast.And) else "or -> and"]
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            return [f"{type(op).__name__} -> {_ARITHMETIC[type(op)].__name__}"]
        case ast.UnaryOp(op=ast.Not()):
            return ["not x -> x"]
        case ast.UnaryOp(op=ast.USub()):
            return ["-x -> x"]
        case ast.If() | ast.IfExp():
            return ["if x -> if True", "if x -> if False"]
        case ast.Return(value=value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            return ["return x -> return None"]
        case ast.Expr(value=ast.Call()) | ast.Delete():
            return ["statement left out"]
        case ast.Continue() | ast.Break():
            return ["break <-> continue"]
        case ast.Constant(value=bool()):
            return ["True <-> False"]
        case ast.Constant(value=int() | float() as value):
            return [f"{value} -> {value + 1}", f"{value} -> {value - 1}"]
        case ast.Constant(value=str() | bytes() as text):
            return [f"{text!r} -> another text"]
    return []


def _apply(node: ast.AST, kind: int) -> None:
    match node:
        case ast.Compare():
            node.ops = [_COMPARE[type(node.ops[0])]()]
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.BinOp() | ast.AugAssign():
            node.op = _ARITHMETIC[type(node.op)]()
        case ast.UnaryOp():
            # `not not x` and `+x`: x, as far as any caller of ours can tell.
            inner = node.operand
            node.operand = ast.UnaryOp(ast.Not(), inner) if isinstance(node.op, ast.Not) else inner
            node.op = node.op if isinstance(node.op, ast.Not) else ast.UAdd()
        case ast.If() | ast.IfExp():
            node.test = ast.Constant(kind == 0)
        case ast.Return():
            node.value = ast.Constant(None)
        case ast.Expr():
            node.value = ast.Constant(None)
        case ast.Delete():
            node.targets = [ast.Name("_gone", ast.Del())]
        case ast.Continue() | ast.Break():
            node.__class__ = ast.Break if isinstance(node, ast.Continue) else ast.Continue  # type: ignore[assignment]
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant(value=int() | float()):
            node.value = node.value + 1 if kind == 0 else node.value - 1
        case ast.Constant(value=str() | bytes()):
            node.value = node.value + ("\x7f" if isinstance(node.value, str) else b"\x7f")


class _Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module from a changed tree; all others come as always."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self.module, self.tree = module, tree

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, f"<mutant of {self.module}>", "exec"), module.__dict__)


def is_noticed(module: str, tree: ast.Module | None, tests: Sequence[str]) -> bool:
    """Whether the tests fail with this tree in place of the module (None: as it is).  Runs in a forked child."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os._exit(_run_tests(module, tree, tests))
    return os.waitpid(child, 0)[1] != 0


def _run_tests(module: str, tree: ast.Module | None, tests: Sequence[str]) -> int:
    import pytest

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(PATIENCE_S)
    if tree is not None:
        sys.meta_path.insert(0, _Hook(module, tree))
        for name in _users_of(module):
            del sys.modules[name]
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-m", "not real and not crowdsec"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        # One file after the other: most mutants are noticed by the first, and the next is then not even read.
        return next((code for name in tests if (code := int(pytest.main([*options, name])))), 0)


def _preload() -> None:
    """What every child needs, so that it is read once.  What uses the mutated module is forgotten in the child."""
    sys.path[:0] = [str(SERVICE), str(ROOT)]
    for name in (
        "pytest",
        "hypothesis.strategies",
        "hypothesis.internal.conjecture.engine",
        "botsieve.engine",
        "tests.conftest",
    ):
        importlib.import_module(name)
    gc.freeze()


def _users_of(module: str) -> list[str]:
    """The loaded modules of ours that import `module`, directly or not, and itself."""
    texts = {
        name: Path(loaded.__file__).read_text()
        for name, loaded in sys.modules.items()
        if name.startswith(("botsieve.", "tests.")) and loaded.__file__
    }
    found = {module} & set(sys.modules)
    while more := {
        name for name, text in texts.items() if name not in found and any(f"{user} import" in text for user in found)
    }:
        found |= more
    return sorted(found)


def _judge(module: str, chosen: Sequence[Mutant], jobs: int) -> list[Mutant]:
    """The mutants that nobody noticed.  `jobs` processes share the work."""
    readers = []
    for job in range(jobs):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(reader)
            for number in range(job, len(chosen), jobs):
                if not is_noticed(module, chosen[number].tree, TESTS[module]):
                    os.write(writer, f"{number}\n".encode())
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    left: list[int] = []
    for reader in readers:
        with os.fdopen(reader) as lines:
            left += [int(line) for line in lines]
    for _ in readers:
        os.wait()
    return [chosen[number] for number in sorted(left)]


def measure(modules: Sequence[str], *, jobs: int, sample: int = 0) -> Iterator[tuple[str, int, list[Mutant], float]]:
    """Module, how many mutants, those not noticed, seconds.  `sample`: so many of each module, always the same; 0 for all."""
    _preload()
    for module in modules:
        begun_s = time.monotonic()
        if is_noticed(module, None, TESTS[module]):
            raise SystemExit(f"mutation: the tests of {module} fail without any change: {' '.join(TESTS[module])}")
        found = mutants((SERVICE / f"{module.replace('.', '/')}.py").read_text())
        chosen = random.Random(module).sample(found, sample) if 0 < sample < len(found) else found
        yield module, len(chosen), _judge(module, chosen, jobs), time.monotonic() - begun_s


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="mutation", description="Breaks one thing at a time and asks the tests.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(TESTS)}; all without one")
    parser.add_argument("--at-least", type=float, default=85.0, help="percent to be noticed, of all together")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--sample", type=int, default=0, help="so many mutants of each module; 0 for all")
    told = parser.parse_args(arguments)
    if unknown := [name for name in told.modules if name not in TESTS]:
        parser.error(f"unknown module {unknown[0]}; accepted: {', '.join(TESTS)}")
    total = missed = 0
    for module, count, left, took_s in measure(told.modules or list(TESTS), jobs=max(1, told.jobs), sample=told.sample):
        total, missed = total + count, missed + len(left)
        print(
            f"{module:28} {count:4} mutants  {count - len(left):4} killed  {100 * (count - len(left)) / count:5.1f} %  {took_s:4.0f} s"
        )
        for mutant in left:
            print(f"    survived  line {mutant.line}: {mutant.what}")
    share = 100 * (total - missed) / total
    print(f"{'all':28} {total:4} mutants  {total - missed:4} killed  {share:5.1f} %  (wanted: at least {told.at_least:g} %)")
    return 0 if share >= told.at_least else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
