"""What became of each client of a log.  A client here is one address with one User-Agent.

Law of the file: memory is bounded (`keep` clients; the others wait in a temporary file on disk, and come back when they do),
and no total depends on it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice

import msgspec
import xxhash

from botsieve.decision import ALLOW, BLOCK, CHALLENGE, Decision
from botsieve.errors import MachineError
from botsieve.observation import Observation

KEEP = 100_000
MAX_AGENT = 256
# A client has one User-Agent, so its findings differ little; this bounds what purpose-built logs can do.
MAX_REASONS = 64

RANK = {ALLOW: 0, CHALLENGE: 1, BLOCK: 2}


class Tally(msgspec.Struct, array_like=True):
    """One client.  `client`: 16 packed bytes.  `worst`: the worst verdict it met.  `first_*`: at which request, from 1."""

    client: bytes
    agent: bytes
    label: str | None
    first_s: float
    last_s: float
    requests: int = 0
    allowed: int = 0
    challenged: int = 0
    blocked: int = 0
    max_score: int = 0
    worst: str = ALLOW
    first_challenge: int | None = None
    first_block: int | None = None
    reasons: dict[str, int] = {}

    def add(self, o: Observation, decision: Decision, reasons: set[str]) -> list[str]:
        """Counts one request.  Returns those of `reasons` that are new to this client."""
        self.requests += 1
        self.last_s = max(self.last_s, o.edge_time_s)
        self.first_s = min(self.first_s, o.edge_time_s)
        self.max_score = max(self.max_score, decision.score)
        verdict = decision.would_be
        if verdict == BLOCK:
            self.blocked += 1
            self.first_block = self.first_block or self.requests
        elif verdict == CHALLENGE:
            self.challenged += 1
            self.first_challenge = self.first_challenge or self.requests
        else:
            self.allowed += 1
        if RANK[verdict] > RANK[self.worst]:
            self.worst = verdict
        new = [reason for reason in reasons if reason not in self.reasons and len(self.reasons) < MAX_REASONS]
        self.reasons.update(dict.fromkeys(new, 0))
        for reason in reasons:
            if reason in self.reasons:
                self.reasons[reason] += 1
        return new


def client_key(o: Observation) -> bytes:
    """24 bytes that name an address with a User-Agent."""
    return o.client + xxhash.xxh3_64_digest(o.user_agent)


class ClientTable:
    """Tallies by `client_key`.  `keep`: how many are held in memory, at least 2."""

    def __init__(self, keep: int = KEEP) -> None:
        self._keep = keep
        self._held: dict[bytes, Tally] = {}
        self._disk: sqlite3.Connection | None = None
        self._on_disk = 0

    def __len__(self) -> int:
        return len(self._held) + self._on_disk

    def find(self, key: bytes) -> Tally | None:
        """The tally of a client seen before, None for a new one."""
        tally = self._held.get(key)
        if tally is None and self._on_disk:
            tally = self._fetch(key)
        return tally

    def add(self, key: bytes, tally: Tally) -> None:
        """A client seen for the first time."""
        self._held[key] = tally
        if len(self._held) > self._keep:
            self._spill(self._keep // 2)

    def worst_first(self, limit: int | None = None) -> Iterator[Tally]:
        """By worst verdict, then by requests, then by who came first; at most `limit`."""
        if self._disk is None:
            yield from islice(sorted(self._held.values(), key=_order), limit)
            return
        self._spill(len(self._held))
        rows = self._disk.execute(
            "SELECT tally FROM clients ORDER BY rank DESC, requests DESC, first_s, key LIMIT ?",
            (-1 if limit is None else limit,),
        )
        for (packed,) in rows:
            yield _DECODER.decode(packed)

    def _spill(self, number: int) -> None:
        """Moves the clients that have been held longest to the disk.  Errors: MachineError if the disk is full."""
        if self._disk is None:
            # An empty name: a file in the temporary folder that nobody else sees and that goes when it is closed.
            self._disk = sqlite3.connect("", isolation_level=None)
            self._disk.execute("CREATE TABLE clients (key BLOB PRIMARY KEY, rank, requests, first_s, tally BLOB) WITHOUT ROWID")
        keys = list(islice(self._held, number))
        rows = ((key, RANK[t.worst], t.requests, t.first_s, _ENCODER.encode(t)) for key in keys for t in (self._held.pop(key),))
        try:
            self._disk.execute("BEGIN")
            self._disk.executemany("INSERT INTO clients VALUES (?, ?, ?, ?, ?)", rows)
            self._disk.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise MachineError(
                f"the table of clients does not fit the temporary folder ({error}); set SQLITE_TMPDIR to another"
            ) from None
        self._on_disk += len(keys)

    def _fetch(self, key: bytes) -> Tally | None:
        assert self._disk is not None
        row = self._disk.execute("SELECT tally FROM clients WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        self._disk.execute("DELETE FROM clients WHERE key = ?", (key,))
        self._on_disk -= 1
        tally: Tally = _DECODER.decode(row[0])
        self.add(key, tally)
        return tally


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Tally)


def _order(tally: Tally) -> tuple[int, int, float, bytes, bytes]:
    return -RANK[tally.worst], -tally.requests, tally.first_s, tally.client, tally.agent
