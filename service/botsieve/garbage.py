"""When the garbage collector looks at what (docs/decisions/0001).

Law of the file: a collection looks at some thousands of new objects, never at what is remembered, so no pause grows with the state.
"""

from __future__ import annotations

import gc

_YOUNG_OBJECTS = 5_000  # a collection of so many takes about 0.3 ms
_NEVER = 1_000_000


def young_only() -> None:
    """From now on only new objects are collected."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _NEVER, _NEVER)


def set_aside() -> None:
    """Takes what has survived so far out of the collector's sight, at no cost.  To be called now and then."""
    gc.freeze()
