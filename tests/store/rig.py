"""A store with its real writer, fed by a test: the book, the feed and the process, on a clock that the test moves."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from botsieve.attacks.incidents import IncidentBook, Standing
from botsieve.decision import Decision
from botsieve.journal.redact import Redactor
from botsieve.store.feed import StoreFeed
from botsieve.store.messages import Setup
from botsieve.store.process import WriterProcess
from botsieve.store.schema import path_in

from tests.servers import wait_until
from tests.unit.attacks.violations import HASHER, violation
from tests.unit.rig import request

SETUP = Setup(30, 256, 90)
_NUMBERS = itertools.count(1)  # no two decisions have one id, also over a restart


class Store:
    """A book, a feed and its writer in one folder.  `events`: what the decision log was told.  `now_s`: moved by each step."""

    def __init__(
        self, state_dir: Path, *, setup: Setup = SETUP, redactor: Redactor | None = None, standing: Standing | None = None
    ) -> None:
        self.path = path_in(state_dir)
        self.now_s = time.time()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.redactor = redactor or Redactor()
        self.verdicts: dict[tuple[str, ...], int] = {}
        self.book = IncidentBook(HASHER.key)
        self.process = WriterProcess(str(state_dir))
        self.feed = StoreFeed(
            self.book,
            self.process,
            setup,
            redactor=lambda: self.redactor,
            tell=lambda event, **keys: self.events.append((event, keys)),
            now_s=lambda: self.now_s,
            decisions=lambda: self.verdicts,
            **({"standing": standing} if standing is not None else {}),
        )

    def start(self) -> None:
        """What `StoreFeed.run` does when its time has come."""
        self.process.start()
        self.feed.started(self.now_s)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.feed.close()

    def step(self, seconds: float = 0.3) -> None:
        self.now_s += seconds
        self.feed.step(self.now_s)

    def until(self, said: Callable[[], object], what: str = "it") -> None:
        """Steps until it is so; at most a real minute."""

        def look() -> bool:
            self.step(0.05)
            return bool(said())

        wait_until(look, what=what)

    def violate(self, number: int = 1, *, client: str = "203.0.113.7", uri: bytes = b"/items/17?q=secret", **facts: Any) -> str:
        """One violating request of subject `number`; the id of its decision."""
        number_of_decision = next(_NUMBERS)
        decision = Decision(
            id=f"0000-0000-{number_of_decision // 10_000:04d}-{number_of_decision % 10_000:04d}",
            verdict="block",
            would_be="block",
            mode="enforce",
            score=10,
            bot=False,
            signals=(),
            rule="prevention",
            policy="shop",
            audience="browser",
            config="c",
            route="/items/{n}",
            violations=(violation(number, **facts),),
        )
        self.book.note(request(uri, client=client), decision, self.now_s)
        return decision.id

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What is in the file now, [] while there is none."""
        if not self.path.is_file():
            return []
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10.0)) as sql:
            try:
                return sql.execute(query, values).fetchall()
            except sqlite3.DatabaseError:
                return []  # it is just being made, or put aside

    def stored(self) -> int:
        """Violations that are in the file."""
        found = self.rows("SELECT sum(violations) FROM incidents")
        return int(found[0][0] or 0) if found else 0

    @property
    def is_idle(self) -> bool:
        """Nothing is on its way to the file, but for what changes once a second."""
        feed = self.feed
        return not self.book.is_waiting(self.now_s + 2.0) and not feed._packets and feed._status.taken == feed._sent

    def names(self) -> list[str]:
        return [event for event, _ in self.events]
