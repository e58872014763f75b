"""What is remembered within a bound: answers of pure functions, in two forms, and facts, oldest first to go.

Law of the file: a flood of new keys costs a constant a key and can never grow the memory.  Answers have two generations of at most
`size` entries each: when the young one is full the old one is dropped whole.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """A dict of at most `limit` entries; the entry put in first goes first.

    Not a plain dict: finding its first entry walks over all those that were dropped before it (28 us a put of 65,536, not 1).
    """

    __slots__ = ("_entries", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value of a key, None if it is not there (any more)."""
        return self._entries.get(key)

    def put(self, key: K, value: V) -> None:
        """Sets a value and makes the entry the youngest."""
        self._entries.pop(key, None)
        if len(self._entries) >= self._limit:
            self._entries.popitem(last=False)
        self._entries[key] = value

    def drop(self, key: K) -> None:
        """Forgets a key."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forgets everything."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


class Remembered(Generic[K, V]):
    """For who computes himself: `get`, else compute and `put`.  `get` answers None for what is not remembered."""

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What was put, or None."""
        value = self._young.get(key)
        if value is None and self._old:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Remembers one answer, which must not be None."""
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        """How many answers are held; some may be held twice."""
        return len(self._young) + len(self._old)


class Answers(dict[K, V]):
    """`answers[key]` is `compute(key)`, computed when it is not remembered.  A hit costs no more than a dictionary's.

    `keep(key)` says whether an answer may be held; what a client makes large must not be.
    """

    __slots__ = ("_compute", "_keep", "_old", "_size")

    def __init__(self, size: int, compute: Callable[[K], V], keep: Callable[[K], bool] | None = None) -> None:
        super().__init__()
        self._size = size
        self._compute = compute
        self._keep = keep
        self._old: dict[K, V] = {}

    def __missing__(self, key: K) -> V:
        if key in self._old:
            value = self._old[key]
        else:
            value = self._compute(key)
            if self._keep is not None and not self._keep(key):
                return value
        if len(self) >= self._size:
            self._old = dict(self)
            self.clear()
        self[key] = value
        return value

    @property
    def held(self) -> int:
        """How many answers are held; some may be held twice."""
        return len(self) + len(self._old)
