"""The last decisions, in memory, by id: what `botsieve explain ID` asks for.

Law of the file: bounded in number and in bytes; the oldest goes first; adding and finding are O(1).
"""

from __future__ import annotations

from collections import deque

MAX_RECORDS = 50_000
# guess: 50,000 ordinary records take about 30 MB; this is what purpose-built long ones may take.
MAX_BYTES = 96 << 20

# What a record costs beside its own bytes: the bytes object's head, its id (str), its places in deque and dict.  Measured.
OVERHEAD_BYTES = 200

# The records lie in so many dicts: one of 50,000 in which records come and go is copied every 125,000, which takes 4 ms.
_SHARDS = 16


class Ring:
    """Packed records by decision id.  A second record under one id takes the place of the first (nginx asks twice)."""

    __slots__ = ("_bytes", "_ids", "_max_bytes", "_max_records", "_records")

    def __init__(self, max_records: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records: list[dict[str, bytes]] = [{} for _ in range(_SHARDS)]
        self._ids: deque[str] = deque()
        self._bytes = 0

    def add(self, decision_id: str, packed: bytes) -> None:
        """Keeps one record; the oldest are forgotten as needed."""
        records = self._records[hash(decision_id) % _SHARDS]
        self._bytes += len(packed) + OVERHEAD_BYTES
        if decision_id in records:
            self._bytes -= len(records[decision_id]) + OVERHEAD_BYTES
        else:
            self._ids.append(decision_id)
        records[decision_id] = packed
        if self._bytes > self._max_bytes or len(self._ids) > self._max_records:
            self._forget()

    def find(self, decision_id: str) -> bytes | None:
        """The packed record, None if it is unknown or forgotten."""
        return self._records[hash(decision_id) % _SHARDS].get(decision_id)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def bytes_held(self) -> int:
        """What the records take, overhead included."""
        return self._bytes

    def _forget(self) -> None:
        while len(self._ids) > self._max_records or self._bytes > self._max_bytes:
            oldest = self._ids.popleft()
            self._bytes -= len(self._records[hash(oldest) % _SHARDS].pop(oldest)) + OVERHEAD_BYTES
