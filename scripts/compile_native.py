"""Makes machine code of the sources in the working directory: mypyc writes the C once, the C compiler reads it once or twice.

    python scripts/compile_native.py [--train=COMMAND] FILE...

With `--train` the second reading is guided by a profile: the first makes code that counts which way it goes, COMMAND (one argument of
a shell's words) runs on it, and the second lays out what is hot together and what is never taken far away.  The decisions are the
same; docs/decisions/0017 has what it brings.  A C compiler that cannot do it (clang has other words for it) makes the plain form, and
that is said.

Law of the file: nothing is written outside the working directory; the C, the objects and the profile lie in its folder `build`.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import setuptools
from mypyc.build import mypycify
from setuptools._distutils import ccompiler, sysconfig

# Nothing of the core is called from outside by its name: what is known to be ours alone can be put in line or left out.  With a
# profile -O2 knows where more is worth it: less code than -O3, and faster [measured: docs/decisions/0017].
_OWN = ("-O2", "-fno-semantic-interposition", "-fvisibility=hidden", "-fno-plt", "-frandom-seed=botsieve")
# One thread at a time counts (Python's lock), so counts need none.  A warning of a second reading is no reason to have no core.
COUNTING = (*_OWN, "-fprofile-generate", "-fprofile-update=single", "-Wno-error")
# Partial: what was not trained (a reload, an incident) is compiled as if nothing were known, not as if it never ran.
GUIDED = (
    *_OWN,
    "-fprofile-use",
    "-fprofile-partial-training",
    "-fprofile-correction",
    "-Wno-missing-profile",
    "-Wno-error",
)
_MYPY = ("--ignore-missing-imports", "--follow-imports=silent", "--cache-dir", "../mypy-native")
_PROBE = "int botsieve_probe(int n);\nint botsieve_probe(int n) { return n > 3 ? n * 2 : n + 1; }\n"


def can_be_guided(compiler: Sequence[str] | None = None) -> bool:
    """Whether the C compiler knows every word of COUNTING and GUIDED, and can link what they make.  Default: Python's compiler."""
    command = list(compiler or _python_compiler())
    with tempfile.TemporaryDirectory(prefix="probe-", dir=".") as folder:
        (Path(folder) / "probe.c").write_text(_PROBE)
        for flags in (COUNTING, GUIDED):
            words = [word for word in flags if word != "-Wno-error"]
            line = [*command, "-Werror", "-fPIC", "-shared", *words, "probe.c", "-o", "probe.so"]
            try:
                done = subprocess.run(line, cwd=folder, capture_output=True, check=False)
            except OSError:
                return False
            if done.returncode:
                return False
    return True


def _python_compiler() -> list[str]:
    compiler: Any = ccompiler.new_compiler()
    sysconfig.customize_compiler(compiler)
    return list(compiler.compiler)


def build(extensions: Sequence[Any], flags: Sequence[str] = ()) -> None:
    """Compiles in place, with these flags besides their own.  Errors: SystemExit with what the compiler said before."""
    for extension in extensions:
        extension.own_flags = getattr(extension, "own_flags", extension.extra_compile_args)
        extension.extra_compile_args = [*extension.own_flags, *flags]
        extension.extra_link_args = [*flags]
    jobs = f"--parallel={os.cpu_count() or 1}"
    words = ["-q", "build_ext", "--inplace", "--force", jobs]
    setuptools.setup(name="botsieve-core", packages=[], ext_modules=list(extensions), script_args=words)


def main(arguments: list[str]) -> int:
    """Errors: SystemExit for C that does not compile and for a training that fails; CalledProcessError from the training."""
    train = [word.removeprefix("--train=") for word in arguments if word.startswith("--train=")]
    files = [word for word in arguments if not word.startswith("--train=")]
    extensions = mypycify([*_MYPY, *files], opt_level="3", debug_level="0")
    # One holds the code; the others are doors to it, one for each module.
    core = [extension for extension in extensions if extension.name.endswith("__mypyc")]
    doors = [extension for extension in extensions if extension not in core]
    if train and not can_be_guided():
        print(
            "compile_native: this C compiler cannot be guided by a profile as gcc can; the core is compiled without one",
            flush=True,
        )
        train = []
    if not train:
        build(extensions)
        return 0
    build(doors)
    build(core, COUNTING)
    subprocess.run(shlex.split(train[0]), check=True, stdout=subprocess.DEVNULL)
    build(core, GUIDED)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
