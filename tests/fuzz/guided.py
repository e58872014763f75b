"""One target under atheris (libFuzzer with the coverage of Python code): `python -m tests.fuzz.guided TARGET FOLDER... OPTION...`.

Law of the file: nothing but the start; what is found is libFuzzer's output.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found,unused-ignore]

with atheris.instrument_imports(include=["botsieve"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()
