"""The decision log: which decisions are written, and the thread that renders and writes them.

The loop only appends records to a bounded queue; a thread of its own renders and writes them.  Python's
lock (GIL) is the price of that thread, so it works in slices of half a millisecond and rests three times as long as it
worked.  It lets lines gather meanwhile: to wake up for three costs more than the three.  Events go through structlog; decisions,
thousands a second, are written straight from their records, which costs a quarter.  A record (record.py) is a tuple of texts and
numbers, of which the larger ones are the same objects in many: 10,000 that wait take some 6 MB.

Law of the file: nobody waits for the log.  What does not fit is counted: written + dropped + waiting = submitted, exactly.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, cast

import structlog

from botsieve.decision import ALLOW, Decision
from botsieve.journal.events import Event
from botsieve.journal.record import Record
from botsieve.journal.redact import Redactor
from botsieve.journal.render import line_of, time_text, to_line
from botsieve.journal.sink import Sink

# Lines rendered in one go: about 5 us each, so 0.5 ms of Python's lock, for which the loop may have to wait after each look at its
# sockets.  To hand the lock over costs some 20 us: with 64 lines the thread took a third more processor time.
_SLICE = 96
_REST = 3  # times as long as it worked
# But so long at least while few wait: 96 lines come in it when each of 10,000 requests a second has one.
_GATHER_S, _MANY = 0.01, 500
# How long the thread sleeps when there is nothing to do, and when the place takes nothing.
_IDLE_S, _STUCK_S = 0.05, 0.25
# Room for events when decisions have filled the queue.
_EVENT_ROOM = 256
_OF_EVENT = 2  # parts: its time and itself
_CLOSE_S = 2.0


class DecisionLog:
    """`sink` None: nothing is written.  `queue`: lines that may wait.  `sample_percent`: 0..100, of the quiet decisions."""

    def __init__(self, sink: Sink | None, redactor: Redactor, *, queue: int = 10_000, sample_percent: float = 1.0) -> None:
        self.redactor = redactor
        self.is_on = sink is not None
        self.submitted = 0
        self.reopen_failed = ""  # why the last `reopen` failed
        self.render_error = ""  # the last line that could not be rendered: our fault, and counted as dropped
        self.set_sample(sample_percent)
        self._limit = queue
        self._overflowed = 0  # only the loop counts here,
        self._unwritten = 0  # and only the thread here: two counters need no lock
        self._queue: deque[tuple[object, ...]] = deque()  # a Record; or an event behind its time, by which it is known
        self._sink = sink
        self._stop = threading.Event()
        self._reopen = threading.Event()
        self._lines: list[bytes] = []
        self._logger: Any = structlog.wrap_logger(  # of _Bound, behind a proxy
            _Lines(self._lines),
            processors=[self._lay_out, structlog.processors.JSONRenderer(serializer=to_line)],
            wrapper_class=_Bound,
        )
        self._writer = threading.Thread(target=self._run, name="decision-log", daemon=True)
        if sink is not None:
            self._writer.start()

    def set_sample(self, percent: float) -> None:
        """From now on so many percent of the quiet decisions are written; the first one is among them."""
        self.sample_percent = percent
        self._share = 100.0 - percent if percent else 0.0

    def wants(self, decision: Decision) -> float:
        """How this decision is logged: -1 not at all, 0 for what it is, else as a sample of so many percent.

        Samples are taken evenly: at 1 percent every hundredth quiet decision, the first one included.
        """
        if not self.is_on:
            return -1.0
        if decision.signals or decision.would_be != ALLOW or decision.verdict != ALLOW:
            return 0.0
        self._share += self.sample_percent
        if self._share < 100.0:
            return -1.0
        self._share -= 100.0
        return self.sample_percent

    def put(self, record: tuple[object, ...]) -> None:
        """Hands one Record to the thread, or counts it as dropped."""
        self.submitted += 1
        if len(self._queue) < self._limit:
            self._queue.append(record)
        else:
            self._overflowed += 1

    def put_event(self, event: Event, now_s: float) -> None:
        """Hands one event to the thread, or counts it as dropped."""
        if not self.is_on:
            return
        self.submitted += 1
        if len(self._queue) < self._limit + _EVENT_ROOM:
            self._queue.append((now_s, event))
        else:
            self._overflowed += 1

    @property
    def dropped(self) -> int:
        """Lines that were never written."""
        return self._overflowed + self._unwritten

    @property
    def written(self) -> int:
        """Lines that went out whole."""
        return self._sink.written if self._sink else 0

    @property
    def waiting(self) -> int:
        """Lines on their way."""
        return len(self._queue) + (self._sink.waiting if self._sink else 0)

    def reopen(self) -> None:
        """Has the file opened anew within 0.1 s (USR1, after log rotation)."""
        self._reopen.set()

    def close(self) -> None:
        """Writes what waits, for at most 2 s, and stops.  What could not be written counts as dropped."""
        self._stop.set()
        if self._writer.is_alive():
            self._writer.join(_CLOSE_S)

    def _run(self) -> None:
        sink = self._sink
        assert sink is not None
        end_s = 0.0
        while True:
            if self._reopen.is_set():
                self._reopen.clear()
                self.reopen_failed = sink.reopen()
            stopping = self._stop.is_set()
            began_s = time.monotonic()
            if stopping and not end_s:
                end_s = began_s + _CLOSE_S * 0.75
            # While the place takes nothing the queue is the bound, not the sink.
            if sink.waiting < _SLICE:
                self._render_slice()
            took_s = time.monotonic() - began_s
            trouble = sink.write(self._lines, 0.05 if stopping else _STUCK_S)
            self._lines.clear()
            if stopping and (not self.waiting or time.monotonic() > end_s):
                break
            if stopping and not trouble:
                continue
            self._stop.wait(_STUCK_S if trouble else rest_s(took_s, len(self._queue))) if not stopping else time.sleep(0.05)
        self._unwritten += len(self._queue) + sink.close()
        self._queue.clear()

    def _render_slice(self) -> None:
        queue, lines, redactor = self._queue, self._lines, self.redactor
        for _ in range(min(len(queue), _SLICE)):
            item = queue.popleft()
            try:
                if len(item) == _OF_EVENT:
                    self._logger.say(item)
                else:
                    lines.append(line_of(cast(Record, item), redactor))
            except Exception as error:  # the thread's outermost loop: one line that cannot be rendered must not end the log
                self._unwritten += 1
                self.render_error = type(error).__name__

    def _lay_out(self, _logger: object, _method: str, given: Any) -> dict[str, Any]:
        """A structlog processor: an event of the queue as the object of the line."""
        now_s, event = given["item"]
        return {"time": time_text(now_s)} | {key: value for key, value in event.items() if value is not None}


def rest_s(took_s: float, waiting: int) -> float:
    """How long the thread rests after it worked for `took_s`, when so many lines wait."""
    if not waiting:
        return _IDLE_S
    return _REST * took_s if waiting >= _MANY else max(_REST * took_s, _GATHER_S)


class _Bound(structlog.BoundLoggerBase):
    """structlog's logger with the one method that is used."""

    def say(self, item: tuple[object, ...]) -> None:
        """Runs the processors over one event."""
        self._proxy_to_logger("msg", item=item)


class _Lines:
    """What structlog takes for a logger: it collects the lines of a slice."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def msg(self, line: bytes) -> None:
        self._lines.append(line + b"\n")
