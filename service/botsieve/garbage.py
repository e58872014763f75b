"""When the garbage collector looks at what (docs/decisions/0001, 0014).

Law of the file: a collection looks at some thousands of new objects, never at what is remembered, so no pause grows with the state.
"""

from __future__ import annotations

import gc

# To be set aside so often.  Whoever frees old objects while he makes new ones keeps the collector from counting to its thousand: what
# it then finds at last is bounded by this.
ASIDE_EVERY_S = 0.05

_YOUNG_OBJECTS = 1_000  # a collection of so many takes 0.1 ms, and up to 0.5 ms where the caches are cold
_NEVER = 1_000_000


def young_only() -> None:
    """From now on only new objects are collected."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _NEVER, _NEVER)


def set_aside() -> None:
    """Takes what has survived so far out of the collector's sight, at no cost.  To be called now and then."""
    gc.freeze()
