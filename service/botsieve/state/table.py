"""A table of subjects that never outgrows its bytes, and forgets newcomers first.

Law of the file: no operation touches more than one of up to 256 small shards, so none of them holds the loop for a millisecond, and a
flood of subjects seen once can only push out other subjects seen once.

A shard has two parts, probation and settled, each of two generations, young and old.  A subject enters young probation; being
used moves it to the young generation; `settle` moves it to the settled part.  When a young generation has used up half of its
part's budget (or its time), it becomes the old one, and what was old is dropped whole: least recently used goes first, at no cost
per access and without a list of who was used when.
"""

from __future__ import annotations

from typing import Generic, TypeVar

V = TypeVar("V")

SHARDS = 256  # at most; by the first byte of the key
# A shard is never smaller than this: three networks of the largest kind, 300 KB each, must find room in one.
MIN_SHARD_BYTES = 1024 * 1024
PROBATION_SHARE = 0.2  # of the budget (design: newcomers are evicted first)


class Part(Generic[V]):
    """Two generations of one part of one shard."""

    __slots__ = ("old", "old_bytes", "since_s", "young", "young_bytes")

    def __init__(self) -> None:
        self.young: dict[bytes, V] = {}
        self.old: dict[bytes, V] = {}
        self.young_bytes = 0
        self.old_bytes = 0
        self.since_s = 0.0  # when the young generation began, 0.0: no subject yet

    @property
    def bytes_used(self) -> int:
        """The costs of both generations."""
        return self.young_bytes + self.old_bytes

    def turn(self, now_s: float) -> int:
        """Young becomes old, old is dropped; how many subjects were."""
        dropped = len(self.old)
        self.old, self.old_bytes = self.young, self.young_bytes
        self.young, self.young_bytes = {}, 0
        self.since_s = now_s
        return dropped


class Table(Generic[V]):
    """Keys are 8 bytes with a uniform first byte (Hasher.key).  `max_bytes` bounds the sum of the costs told to it.

    Settled subjects may use four fifths of it; newcomers have the rest and whatever the settled do not need.
    `settled[key[0]].young` is where a subject in use is found: the hot path looks there itself and tells `grow`.
    `idle_s`: a subject unused for so long may be forgotten, and is after twice that.
    """

    __slots__ = ("_budget", "_half", "_idle_s", "_probation", "_share", "evictions", "parts", "settled")

    def __init__(self, max_bytes: int, idle_s: float, *, min_shard_bytes: int = MIN_SHARD_BYTES) -> None:
        shards = SHARDS
        while shards > 1 and max_bytes // shards < min_shard_bytes:
            shards //= 2
        self._budget = max(1, max_bytes // shards)  # of one shard
        self._share = self._budget * (1 - PROBATION_SHARE)
        self._half = self._share / 2
        # Several first bytes may lead to one part.
        settled: list[Part[V]] = [Part() for _ in range(shards)]
        newcomers: list[Part[V]] = [Part() for _ in range(shards)]
        self.parts = (*settled, *newcomers)  # each once
        self.settled = settled * (SHARDS // shards)
        self._probation = newcomers * (SHARDS // shards)
        self._idle_s = idle_s
        self.evictions = 0

    def get(self, key: bytes) -> V | None:
        """The subject's value, without marking it used."""
        value = self.settled[key[0]].young.get(key)
        return self.get_elsewhere(key) if value is None else value

    def get_elsewhere(self, key: bytes) -> V | None:
        """As `get`, for who did not find it in `settled[key[0]].young`."""
        shard = key[0]
        value = self.settled[shard].old.get(key)
        if value is None:
            newcomers = self._probation[shard]
            value = newcomers.young.get(key)
            if value is None:
                value = newcomers.old.get(key)
        return value

    def enter(self, key: bytes, value: V, cost: int, now_s: float, *, settle: bool) -> None:
        """As `put`, for a subject that is not in the table, as `get` has just said."""
        shard = key[0]
        part = self.settled[shard] if settle else self._probation[shard]
        part.young[key] = value
        part.young_bytes += cost
        if part.since_s == 0.0:
            part.since_s = now_s
        self._make_room(shard, part, now_s)

    def put(self, key: bytes, value: V, cost: int, grown: int, now_s: float, *, settle: bool) -> None:
        """Stores a subject of now `cost` bytes, which is `grown` more than at the last put, as used now.

        `settle`: it has proven more than a first sight.  A settled subject stays settled.
        """
        shard = key[0]
        part = self.settled[shard]
        if key in part.young:
            part.young[key] = value
            part.young_bytes += grown
        else:
            # Looked for before it is taken out: most are newcomers, and in none of them.
            if key in part.old:
                del part.old[key]
                part.old_bytes -= cost - grown
            else:
                newcomers = self._probation[shard]
                if key in newcomers.young:
                    del newcomers.young[key]
                    newcomers.young_bytes -= cost - grown
                elif key in newcomers.old:
                    del newcomers.old[key]
                    newcomers.old_bytes -= cost - grown
                if not settle:
                    part = newcomers
            part.young[key] = value
            part.young_bytes += cost
        if part.since_s == 0.0:
            part.since_s = now_s
        self._make_room(shard, part, now_s)

    def _make_room(self, shard: int, part: Part[V], now_s: float) -> None:
        settled, newcomers = self.settled[shard], self._probation[shard]
        settled_bytes = settled.young_bytes + settled.old_bytes
        # Below this no generation can be over its share.
        if now_s - part.since_s <= self._idle_s and settled_bytes + newcomers.young_bytes + newcomers.old_bytes < self._half:
            return
        if settled.young_bytes > self._half or settled_bytes > self._share:
            self.evictions += settled.turn(now_s)
            if settled.old_bytes > self._share:
                self.evictions += settled.turn(now_s)  # one subject larger than all the room there is
            settled_bytes = settled.young_bytes + settled.old_bytes
        if newcomers.young_bytes > (self._budget - settled_bytes) / 2:
            self.evictions += newcomers.turn(now_s)
        if settled_bytes + newcomers.young_bytes + newcomers.old_bytes > self._budget:
            self.evictions += newcomers.turn(now_s)  # the settled grew into what newcomers had borrowed
        if now_s - part.since_s > self._idle_s:
            self.evictions += part.turn(now_s)

    def grow(self, shard: int, grown: int, now_s: float) -> None:
        """Counts what a subject in `settled[shard].young` has grown since its last put (may be negative)."""
        part = self.settled[shard]
        part.young_bytes += grown
        if grown > 0:
            self._make_room(shard, part, now_s)

    def drop(self, key: bytes) -> None:
        """Forgets a subject.  Its bytes are given back with its generation."""
        for part in (self.settled[key[0]], self._probation[key[0]]):
            part.young.pop(key, None)
            part.old.pop(key, None)

    def __len__(self) -> int:
        return sum(len(part.young) + len(part.old) for part in self.parts)

    @property
    def bytes_used(self) -> int:
        """The sum of the costs told to it."""
        return sum(part.bytes_used for part in self.parts)
