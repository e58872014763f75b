"""Compiles the core into build/compiled/botsieve: the same package, its hot modules as machine code.

    python scripts/compile_core.py            build what is not up to date; needs a C compiler and Python's headers
    python scripts/compile_core.py --guided   the same, laid out by a training run (docs/decisions/0017): faster, in three times the time
    python scripts/compile_core.py --sources  only write the sources that the compiler gets (build/native)

The sources stay what they are and run as they are.  mypyc compiles annotated Python, but the fields of msgspec structs are no more
than generic attributes to it.  So the values that pass through one decision (VALUES) are written out as plain classes first, which
become C structs.  All else is compiled as it stands, and what is not in MODULES is copied.

Law of the file: build/compiled is made anew from the sources as a whole, or not touched.  Nothing is written beside the sources.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "service" / "botsieve"
NATIVE = ROOT / "build" / "native"  # what the compiler gets
COMPILED = ROOT / "build" / "compiled"  # what runs
STAMP = "compiled-from"
TRAINING = ("tests/compiled/training.py", "tests/bench/traffic.py")  # what the compiler learns from

_FUTURE = "from __future__ import annotations\n"
# The last is nothing but a word to the compiler: what runs needs no mypy_extensions.
_NATIVE_IMPORTS = """from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr
"""
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")  # not T, V: those are types

# Every module that a decision passes through.  Whole folders where all of it is pure and hot.
MODULES_OF = {
    "": "applied clock remembered ranges reputation agents observation decision values score verdict identity engine service",
    "state": "hashing parts recent folders routes table profiles world",
    "detectors": "__init__ view agent catalogue claim headers network timing tls traversal",
    "attacks": "activity book cookieless distinct doors human incidents opener openings preventions resets rulings sites "
    "subjects surfing suspects transactions types visits watched",
    "challenge": "session clearance deferrals device cookies tokens browsers keys",
    "journal": "decision_log facade metrics packing redact render ring sink",
    "store": "rows",
    "transports": "asking edge_headers forward gateway_headers gathering grpc_batch grpc_headers grpc_map grpc_told grpc_turns "
    "grpc_wire header_names http http_readers http_wire known_checks surplus whole_request",
}
MODULES = [f"{folder}/{name}" if folder else name for folder, names in MODULES_OF.items() for name in names.split()]

# The structs that become native classes, by module.  Not: what configuration is read into, and what is written to files.
VALUES = {
    "agents": ["Agent"],
    "attacks/book": ["Request", "Sender"],
    "attacks/incidents": ["Incident", "Sample", "Tally"],
    "attacks/types": ["Ruling"],
    "attacks/visits": ["SharedSession"],
    "attacks/watched": ["Watched"],
    "challenge/clearance": ["Standing"],
    "challenge/device": ["Device"],
    "challenge/session": ["Session"],
    "decision": ["Measure", "Signal", "Violation", "Decision"],
    "detectors/view": ["View"],
    "identity": ["Who"],
    "journal/metrics": ["SubjectFigures"],
    "observation": ["Observation"],
    "state/profiles": ["Profiles"],
    "state/routes": ["Route"],
    "transports/edge_headers": ["Shared"],
    "transports/http_readers": ["Request", "Tolerated"],
    "transports/grpc_wire": ["Sent", "SentBatch"],
    "verdict": ["Standpoint", "Outcome"],
}

# Classes that are no structs, of which there are many: nothing in one leads back to it, so the garbage collector need not look.
# (A struct says so itself, with `gc=False`.)
ACYCLIC = {
    "attacks/cookieless": ["_Given"],
    "attacks/doors": ["_Door"],
    "attacks/subjects": ["Subject"],
    "attacks/visits": ["_Visit"],
    "challenge/clearance": ["_Memory"],
    "state/parts": ["Beats", "LastSeen", "Windowed", "Latch"],
    "state/profiles": ["Taken", "Track", "ClientProfile", "GroupTrack", "Group"],
}
_TELL_ACYCLIC = "@mypyc_attr(acyclic=True)"
# Structs of which one decision makes one and nobody keeps it: its place is used again by the next.
ONE_AT_A_TIME = {
    "attacks/book": ["Request"],
    "detectors/view": ["View"],
    "identity": ["Who"],
    "state/profiles": ["Profiles"],
    "verdict": ["Standpoint"],
}
_TELL_REUSED = "@mypyc_attr(free_list_len=1)"


def native_source(source: str, names: list[str], acyclic: Sequence[str] = (), reused: Sequence[str] = ()) -> str:
    """The source of a module as the compiler gets it: these structs as plain classes, constants as `Final`.

    `acyclic`: classes of it that the garbage collector need not look at; `reused`: structs of which there is one at a time.

    Errors: ValueError for a struct that is not there, that asks for what a plain class does not do or that nobody named, and for
    a named slice.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    structs = [node for node in tree.body if isinstance(node, ast.ClassDef) and _is_struct(node)]
    for name in {node.name for node in structs} ^ set(names):
        raise ValueError(f"{name}: VALUES in scripts/compile_core.py names all structs of a compiled module, and no others")
    if any(isinstance(node, ast.Call) and ast.unparse(node.func) == "slice" for node in ast.walk(tree)):
        raise ValueError("mypyc takes the slice of bytes by a named slice for an index; write the numbers")
    for node in reversed(tree.body):  # from below, so that the numbers of the lines above still hold
        assert node.end_lineno is not None
        place = slice(node.lineno - 1, node.end_lineno)
        if isinstance(node, ast.ClassDef) and node in structs:
            lines[place] = [*([_TELL_REUSED] if node.name in reused else []), *_native_class(node, lines)]
        elif isinstance(node, ast.ClassDef) and node.name in acyclic:
            lines.insert(node.lineno - 1, _TELL_ACYCLIC)
        elif isinstance(node, ast.Assign):
            lines[place] = _constants(node, lines[place])
        elif isinstance(node, ast.AnnAssign) and node.value is not None and _CONSTANT.fullmatch(ast.unparse(node.target)):
            name, kind = ast.unparse(node.target), ast.unparse(node.annotation)
            lines[node.lineno - 1] = lines[node.lineno - 1].replace(f"{name}: {kind}", f"{name}: Final[{kind}]", 1)
    for name in {*acyclic, *reused} - {node.name for node in tree.body if isinstance(node, ast.ClassDef)}:
        raise ValueError(f"{name}: ACYCLIC or ONE_AT_A_TIME in scripts/compile_core.py names a class that is not there")
    text = "\n".join(lines) + "\n"
    return text.replace(_FUTURE, f"{_FUTURE}\n{_NATIVE_IMPORTS}", 1)


def _is_struct(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base) in ("Struct", "msgspec.Struct") for base in node.bases)


def _constants(node: ast.Assign, lines: list[str]) -> list[str]:
    """Constants of a module: compiled code reads what is `Final` as C does, all else by its name in a dict."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Name) and _CONSTANT.fullmatch(target.id):
        return [lines[0].replace(f"{target.id} =", f"{target.id}: Final =", 1), *lines[1:]]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return [f"{ast.unparse(a)}: Final = {ast.unparse(b)}" for a, b in zip(target.elts, value.elts, strict=True)]
    return lines


def _native_class(node: ast.ClassDef, lines: list[str]) -> list[str]:
    options = {word.arg: ast.unparse(word.value) for word in node.keywords}
    strange = options.keys() - {"frozen", "gc", "array_like", "eq"}
    if len(node.bases) > 1 or strange or node.decorator_list:
        raise ValueError(f"{node.name} is no plain msgspec.Struct: {ast.unparse(node).splitlines()[0]}")
    fields = [entry for entry in node.body if isinstance(entry, ast.AnnAssign)]
    names = [entry.target.id for entry in fields if isinstance(entry.target, ast.Name)]
    arguments = [
        f"{name}: {ast.unparse(entry.annotation)}" + (f" = {ast.unparse(entry.value)}" if entry.value else "")
        for name, entry in zip(names, fields, strict=True)
    ]
    out = [_TELL_ACYCLIC] if options.get("gc") == "False" else []
    out += ["@final", f"class {node.name}:"]
    out += [f"    def __init__(self, {', '.join(arguments)}) -> None:"]
    out += [f"        self.{name} = {name}" for name in names]
    out += ["", "    def replaced(self, changes: dict[str, object]) -> object:"]
    out += [f"        fields: dict[str, object] = {{{', '.join(f'{name!r}: self.{name}' for name in names)}}}"]
    out += [
        "        fields.update(changes)",
        f"        make: object = {node.name}",
        "        return make(**fields)  # type: ignore",
    ]
    out += [
        "",
        "    def in_order(self) -> tuple[object, ...]:",
        f"        return ({', '.join(f'self.{name}' for name in names)},)",
    ]
    is_compared = options.get("eq") != "False"  # else each is only itself
    if is_compared:
        out += ["", "    def __eq__(self, other: object) -> bool:"]
        out += [f"        return isinstance(other, {node.name}) and self.in_order() == other.in_order()"]
    out += ["", "    def __repr__(self) -> str:"]
    out += [f'        return f"{node.name}({", ".join(f"{name}={{self.{name}!r}}" for name in names)})"']
    if is_compared and options.get("frozen") == "True":
        out += ["", "    def __hash__(self) -> int:", "        return hash(self.in_order())"]
    for entry in node.body:
        if isinstance(entry, ast.FunctionDef):
            first = entry.decorator_list[0].lineno if entry.decorator_list else entry.lineno
            out += ["", *lines[first - 1 : entry.end_lineno]]
    return out


def _print_of_sources() -> str:
    """Changes with any source, this script, the interpreter and the compiler's version."""
    import mypy.version

    told = hashlib.blake2s(f"{sys.version} {mypy.version.__version__}".encode())
    folders = (PACKAGE, ROOT / "nginx", ROOT / "lua")
    own = [Path(__file__), Path(__file__).with_name("compile_native.py"), *(ROOT / name for name in TRAINING)]
    for file in sorted([*own, *(file for folder in folders for file in folder.rglob("*"))]):
        if file.is_file() and "__pycache__" not in file.parts:
            told.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return told.hexdigest()


def write_sources(target: Path) -> list[str]:
    """A copy of the package under `target`, values written out; the files to compile, relative to `target`."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(PACKAGE, target / "botsieve", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("nginx", "lua"):  # as in the wheel
        shutil.copytree(ROOT / name, target / "botsieve" / "edge_files" / name)
    files = []
    for name in MODULES:
        file = target / "botsieve" / f"{name}.py"
        if not file.is_file():
            raise ValueError(f"there is no module {name}; MODULES in scripts/compile_core.py names it")
        file.write_text(native_source(file.read_text(), *(of.get(name, []) for of in (VALUES, ACYCLIC, ONE_AT_A_TIME))))
        files.append(f"botsieve/{name}.py")
    return files


def compile_sources(target: Path, files: list[str], *, guided: bool) -> None:
    """Compiles in place, guided by a profile of a training run or without.  Errors: SystemExit, after what the compiler said."""
    train = shlex.join([sys.executable, "-m", "tests.compiled.training", str(target / "build" / "training")])
    # Sets in the same order each time: the same sources are counted alike.
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": f"{target}{os.pathsep}{ROOT}",
    }
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "compile_native.py", *([f"--train={train}"] if guided else []), *files],
        cwd=target,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout[-8_000:], file=sys.stderr)
        raise SystemExit("compile_core: the core could not be compiled (see above); it runs as it is, uncompiled")
    for line in done.stdout.splitlines():
        if line.startswith("compile_native: "):
            print(line, flush=True)
    shutil.rmtree(target / "build", ignore_errors=True)  # objects, and the profile


def is_up_to_date(stamp: Path, wanted: str, *, guided: bool) -> bool:
    """Whether what was compiled is from these sources; who asks for less is content with the guided form."""
    told = stamp.read_text() if stamp.is_file() else ""
    return told == f"{wanted} guided" or (not guided and told == f"{wanted} quick")


def main() -> None:
    """Builds what is not up to date."""
    if "--sources" in sys.argv:
        write_sources(NATIVE)
        return
    guided = "--guided" in sys.argv
    wanted = _print_of_sources()
    if is_up_to_date(COMPILED / STAMP, wanted, guided=guided):
        return
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    if not headers.is_file():
        raise SystemExit(f"compile_core: there is no {headers}; on Debian: apt-get install python3-dev")
    print(f"compile_core: compiling the core into build/compiled ({'six minutes' if guided else 'two minutes'})", flush=True)
    compile_sources(NATIVE, write_sources(NATIVE), guided=guided)
    (NATIVE / STAMP).write_text(f"{wanted} {'guided' if guided else 'quick'}")
    shutil.rmtree(COMPILED, ignore_errors=True)
    NATIVE.rename(COMPILED)


if __name__ == "__main__":
    main()
