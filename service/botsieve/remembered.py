"""What is remembered within a bound: answers of pure functions, in two forms, and facts, oldest first to go.

Law of the file: a flood of new keys costs a constant a key and can never grow the memory.  Answers have two generations of at most
`size` entries each: when the young one is full the old one is forgotten whole.  No call takes long: what is forgotten is freed a
few entries at a time, and what may hold many entries holds them in several dicts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


# A dict is copied whole when it has no room left, also one in which entries only come and go: 50,000 take 3 to 6 ms, so many 0.3.
_SHARD = 4_096
_FREED_AT_ONCE = 4


class Forgotten:
    """What nobody finds any more and is not freed yet.  To free 20,000 decisions at once would hold everybody for 7 ms and more."""

    __slots__ = ("_dicts",)

    def __init__(self) -> None:
        self._dicts: list[dict[Any, Any]] = []

    def take(self, entries: dict[Any, Any]) -> None:
        """Takes over a dict that its owner has no further use for."""
        if entries:
            self._dicts.append(entries)

    def free(self) -> None:
        """Frees a few entries.  To be called with every entry that is put where these were: they are gone before others follow."""
        dicts = self._dicts
        if dicts:
            last = dicts[-1]
            for _ in range(min(_FREED_AT_ONCE, len(last))):
                last.popitem()
            if not last:
                dicts.pop()

    def __len__(self) -> int:
        return sum([len(one) for one in self._dicts])


class Bounded(Generic[K, V]):
    """A dict of at most `limit` entries; the entry put in first goes first.

    Above 4,096 entries it is several, by the hash of the key, and the entry put first into one of them goes first.

    Not plain dicts: finding the first entry of one walks over all those that were dropped before it (28 us a put of 65,536, not 1).
    """

    __slots__ = ("_forgotten", "_limit", "_mask", "_shards")

    def __init__(self, limit: int) -> None:
        count = 1
        while count * _SHARD < limit:
            count *= 2
        self._limit = limit // count
        self._mask = count - 1
        self._shards: list[OrderedDict[K, V]] = [OrderedDict() for _ in range(count)]
        self._forgotten = Forgotten()

    def get(self, key: K) -> V | None:
        """The value of a key, None if it is not there (any more)."""
        return self._shards[hash(key) & self._mask].get(key)

    def put(self, key: K, value: V) -> None:
        """Sets a value and makes the entry the youngest."""
        entries = self._shards[hash(key) & self._mask]
        entries.pop(key, None)
        if len(entries) >= self._limit:
            entries.popitem(last=False)
        entries[key] = value
        self._forgotten.free()

    def drop(self, key: K) -> None:
        """Forgets a key."""
        entries = self._shards[hash(key) & self._mask]
        if entries:
            entries.pop(key, None)

    def clear(self) -> None:
        """Forgets everything."""
        for at, entries in enumerate(self._shards):
            self._forgotten.take(entries)
            self._shards[at] = OrderedDict()

    def __len__(self) -> int:
        return sum([len(entries) for entries in self._shards])


class Remembered(Generic[K, V]):
    """For who computes himself: `get`, else compute and `put`.  `get` answers None for what is not remembered."""

    __slots__ = ("_forgotten", "_old", "_size", "_young")

    def __init__(self, size: int) -> None:
        self._size = size
        self._forgotten = Forgotten()
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
            self._forgotten.take(self._old)
            self._old, self._young = self._young, {}
        self._young[key] = value
        self._forgotten.free()

    def clear(self) -> None:
        """Forgets everything."""
        self._forgotten.take(self._young)
        self._forgotten.take(self._old)
        self._young, self._old = {}, {}

    def __len__(self) -> int:
        """How many answers are held; some may be held twice."""
        return len(self._young) + len(self._old)


SHARDS = 16


class Spread(Generic[V]):
    """As Remembered, for tens of thousands: in 16 shards, since a dict without room left is copied whole.

    Keys are bytes, at least two of them, and the last but one is one of many: a character of a signed text.
    """

    __slots__ = ("_shards",)

    def __init__(self, size: int) -> None:
        """`size`: of a generation of all shards together."""
        self._shards: list[Remembered[bytes, V]] = [Remembered(max(1, size // SHARDS)) for _ in range(SHARDS)]

    def get(self, key: bytes) -> V | None:
        """What was put, or None."""
        return self._shards[key[-2] % SHARDS].get(key)

    def put(self, key: bytes, value: V) -> None:
        """Remembers one answer, which must not be None."""
        self._shards[key[-2] % SHARDS].put(key, value)

    def clear(self) -> None:
        """Forgets everything."""
        for shard in self._shards:
            shard.clear()

    def __len__(self) -> int:
        """How many answers are held; some may be held twice."""
        return sum([len(shard) for shard in self._shards])


class Answers(dict[K, V]):
    """`answers[key]` is `compute(key)`, computed when it is not remembered.  A hit costs no more than a dictionary's.

    `keep(key)` says whether an answer may be held; what a client makes large must not be.
    """

    __slots__ = ("_compute", "_forgotten", "_keep", "_old", "_size")

    def __init__(self, size: int, compute: Callable[[K], V], keep: Callable[[K], bool] | None = None) -> None:
        super().__init__()
        self._size = size
        self._compute = compute
        self._keep = keep
        self._old: dict[K, V] = {}
        self._forgotten = Forgotten()

    def __missing__(self, key: K) -> V:
        if key in self._old:
            value = self._old[key]
        else:
            value = self._compute(key)
            if self._keep is not None and not self._keep(key):
                return value
        if len(self) >= self._size:
            self._forgotten.take(self._old)
            self._old = dict(self)
            self.clear()
        self[key] = value
        self._forgotten.free()
        return value

    @property
    def held(self) -> int:
        """How many answers are held; some may be held twice."""
        return len(self) + len(self._old)
