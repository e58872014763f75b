"""How a process that runs code of ours is started: by this interpreter, with this package.

Law of the file: a folder that happens to be the working directory is no place to import from (`-P`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[1])


def command(code: str, *arguments: str) -> list[str]:
    """The words of the command.  `code`: Python of ours; `arguments`: its `sys.argv[1:]`."""
    return [sys.executable, "-P", "-c", code, *arguments]


def not_started(error: OSError) -> str:
    """Why a process of ours did not start, for messages: mostly its interpreter lies where the service's user may not go."""
    return f"did not start ({sys.executable}: {error.strerror}); accepted: an interpreter that the service's user may run"


def environment() -> dict[str, str]:
    """Ours, in which the package is found wherever it lies."""
    inherited = os.environ.get("PYTHONPATH", "")
    return os.environ | {"PYTHONPATH": f"{_ROOT}{os.pathsep}{inherited}" if inherited else _ROOT}
