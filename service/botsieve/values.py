"""Changed copies of values that pass through a decision.

Law of the file: works on both forms of a value: the msgspec struct that the sources say, and the native class that
scripts/compile_core.py makes of it.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

V = TypeVar("V")


def replace(value: V, /, **changes: object) -> V:
    """A copy with these fields changed.  Errors: TypeError for a field that there is not."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)
    made: V = value.replaced(changes)  # type: ignore[attr-defined]
    return made
