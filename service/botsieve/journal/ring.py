"""The last decisions, in memory, by id: what `botsieve explain ID` asks for.

Law of the file: bounded in number and in bytes; the oldest go first, a sixteenth of all at a time; adding and finding are O(1).
What is dropped is freed a few records with each one that is added, so that no decision waits for it.
"""

from __future__ import annotations

from collections import deque

from botsieve.remembered import Forgotten

MAX_RECORDS = 50_000
# guess: 50,000 ordinary records take about 30 MB; this is what purpose-built long ones may take.
MAX_BYTES = 96 << 20

# What a record costs beside its own bytes: the bytes object's head, its id (str), its place in a dict.  Measured.
OVERHEAD_BYTES = 200

# Dicts that are filled one after the other.  To drop the oldest whole costs a third of looking up the oldest record for each new one;
# and one dict of 50,000 in which records come and go is copied every 125,000, which takes 4 ms.
_PARTS = 16


class Ring:
    """Packed records by decision id: the last `max_records`, and up to a sixteenth more.  Of two under one id the second is found."""

    __slots__ = (
        "_each",
        "_each_bytes",
        "_forgotten",
        "_max_bytes",
        "_max_records",
        "_old",
        "_old_bytes",
        "_old_count",
        "_young",
        "_young_bytes",
    )

    def __init__(self, max_records: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._each = max(1, max_records // _PARTS)
        self._each_bytes = max_bytes // _PARTS
        self._young: dict[str, bytes] = {}
        self._young_bytes = 0
        self._old: deque[tuple[dict[str, bytes], int]] = deque()  # each with its bytes, the oldest first
        self._old_bytes = self._old_count = 0
        self._forgotten = Forgotten()

    def add(self, decision_id: str, packed: bytes) -> None:
        """Keeps one record; the oldest are forgotten as needed."""
        size = len(packed) + OVERHEAD_BYTES
        if len(self._young) >= self._each or self._young_bytes + size > self._each_bytes:
            self._begin_another()
        self._young[decision_id] = packed
        self._young_bytes += size
        if self.bytes_held > self._max_bytes:
            self._forget(0)
        self._forgotten.free()

    def find(self, decision_id: str) -> bytes | None:
        """The packed record, None if it is unknown or forgotten."""
        found = self._young.get(decision_id)
        for records, _ in reversed(self._old):
            if found is not None:
                break
            found = records.get(decision_id)
        return found

    def __len__(self) -> int:
        return self._old_count + len(self._young)

    @property
    def bytes_held(self) -> int:
        """What the records take, overhead included; those of ids that came twice count twice."""
        return self._old_bytes + self._young_bytes

    def _begin_another(self) -> None:
        """The youngest part is full."""
        if self._young:
            self._old.append((self._young, self._young_bytes))
            self._old_count += len(self._young)
            self._old_bytes += self._young_bytes
            self._young, self._young_bytes = {}, 0
        self._forget(1)

    def _forget(self, coming: int) -> None:
        """Drops the oldest parts that nobody is owed: with those that are coming there are records enough, or too many bytes."""
        old = self._old
        while old and (self._old_count + coming - len(old[0][0]) >= self._max_records or self.bytes_held > self._max_bytes):
            records, size = old.popleft()
            self._old_count -= len(records)
            self._old_bytes -= size
            self._forgotten.take(records)
        if self.bytes_held > self._max_bytes:  # one record that is larger than all may be
            self._young, self._young_bytes = {}, 0
