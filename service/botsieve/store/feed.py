"""The service's side of the store: hands incidents, samples, minutes and feedback to the writer, in slices, and never waits for it.

Law of the file: between two looks of the loop at its sockets one part of a step is done, some 0.2 ms, and none can fail for anything
that the writer does.  What the writer does not take stays where it is bounded; what is given up is counted, and trouble is said once,
and its end once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

import msgspec

from botsieve.attacks.incidents import Incident, IncidentBook, Standing
from botsieve.attacks.types import EXPIRED
from botsieve.interpreter import not_started
from botsieve.journal.redact import Redactor
from botsieve.store.messages import (
    FeedbackRow,
    IncidentRow,
    MinuteRow,
    Ready,
    Setup,
    Status,
    for_service,
    pack_all,
)
from botsieve.store.minutes import Decisions, Minutes
from botsieve.store.process import Gone, WriterProcess
from botsieve.store.rows import cause_of, incident_of, row_of

# Messages made at once, and incidents told: about 0.2 ms.  A step does it several times, and the loop looks at its sockets in between:
# without, a check over HTTP waited for 1 to 2 ms beside many incidents.  More and smaller steps cost more in all.
SLICE, NEWS = 24, 16
SLICES, NEWS_TOLD = 3, 4
REST_S, BUSY_S = 0.25, 0.02
# Some incidents are looked over for their end at most so often: at each busy step it would be one in twenty of all that is done.
LOOK_S, LOOKED_AT = 0.05, 128
# A writer that takes nothing for so long is in trouble: a disk may take a second, not ten.
STALL_S = 10.0
BACK_OFF_S, MOST_BACK_OFF_S, SETTLED_S = 0.5, 60.0, 60.0
MAX_MINUTES, MAX_FEEDBACK = 20_000, 1_000
FINISH_S, LEAST_FINISH_S = 1.2, 0.3
_LAST_SLICES = 600  # at the end: what takes 0.3 s

Tell = Callable[..., None]


def _unknown(_key: bytes, _detector: str, _now_s: float) -> None:
    """No prevention is known of."""


class StoreFeed:
    """`tell(event, **keys)`: the decision log's events.  `redactor`: may be replaced at a reload.

    `wall_s`: the machine's clock, for what people read; None: the same as `now_s`.  `decisions`: the metrics' counts.
    `standing`: how preventions stand.
    """

    def __init__(
        self,
        book: IncidentBook,
        process: WriterProcess,
        setup: Setup,
        *,
        redactor: Callable[[], Redactor],
        tell: Tell,
        now_s: Callable[[], float],
        wall_s: Callable[[], float] | None = None,
        decisions: Callable[[], Decisions] = dict,
        standing: Standing = _unknown,
    ) -> None:
        self.book = book
        self._redactor = redactor
        self.trouble = ""
        self._process = process
        self._setup = setup
        self._tell = tell
        self._now_s = now_s
        self._wall_s = wall_s or now_s
        self._decisions = decisions
        self._standing = standing
        self._minutes = Minutes(self._wall_s())
        self._rows: deque[MinuteRow] = deque(maxlen=MAX_MINUTES)
        self._feedback: deque[FeedbackRow] = deque()
        self._first: deque[msgspec.Struct] = deque()
        self._packets: deque[tuple[bytes, int]] = deque()
        self._is_running = self._is_greeted = self._was_greeted = False
        self._start_at_s = 0.0
        self._started_s = 0.0
        self._back_off_s = BACK_OFF_S
        self._open_ids: set[str] = set()
        self._sent = 0
        self._status = Status(0, 0, "")
        self._heard_s = 0.0
        self._given_up = 0
        self._hung_up_s = 0.0
        self._lost_when_told = 0
        self._look_at_s = 0.0

    # ---- what others hand in

    def feedback(self, row: FeedbackRow) -> bool:
        """Somebody says that they are a person; False: too much of it waits already."""
        if len(self._feedback) >= MAX_FEEDBACK:
            return False
        self._feedback.append(row)
        return True

    def set_up(self, setup: Setup) -> None:
        """Other bounds, after a reload."""
        if setup != self._setup:
            self._setup = setup
            self._first.append(setup)

    @property
    def lost(self) -> int:
        """Rows that will never be in the database."""
        return self._given_up + self._status.lost + self.book.lost

    # ---- the life of the writer

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            now_s = self._now_s()
            if not self._is_running and now_s >= self._start_at_s:
                await self._start(now_s)
            await asyncio.sleep(BUSY_S if await self._step_in_turns() else REST_S)

    async def _start(self, now_s: float) -> None:
        try:
            await asyncio.to_thread(self._process.start)
        except OSError as error:
            self._in_trouble(f"the process that writes {not_started(error)}")
            self._later(now_s)
            return
        self.started(now_s)

    def started(self, now_s: float) -> None:
        """The process runs: it is greeted and asked for what it knows."""
        self._is_running, self._is_greeted = True, False
        self._started_s = self._heard_s = now_s
        self._sent, self._status = 0, Status(0, 0, "")
        self._packets.clear()
        self._first.appendleft(self._setup)
        self.book.refresh()
        self._open_ids = {incident.id for incident in self.book.open.values()}

    def step(self, now_s: float) -> bool:
        """One slice of everything; whether more waits."""
        self._look_round(now_s)
        for _ in range(NEWS_TOLD):
            if not self._tell_news():
                break
        return self._exchange(now_s)

    async def _step_in_turns(self) -> bool:
        """The same, and the loop looks at its sockets after each part; of what is handed on, more than one slice."""
        self._look_round(self._now_s())
        for _ in range(NEWS_TOLD):
            await asyncio.sleep(0)
            if not self._tell_news():
                break
        for _ in range(SLICES):
            await asyncio.sleep(0)
            if not self._exchange(self._now_s()):
                return False
        return True

    def _exchange(self, now_s: float) -> bool:
        """Hears what the writer says and hands on a slice; whether more waits."""
        if not self._is_running:
            return False
        try:
            heard = self._hear(now_s)
            more = self._send(now_s) if self._is_greeted else False
        except Gone:
            self._gone(now_s)
            return False
        if self._status.taken < self._sent and now_s - self._heard_s > STALL_S:
            self._in_trouble("the process that writes takes nothing")
        return heard or more

    def close(self) -> None:
        """Says the rest, has it written, and ends the process; at most FINISH_S and a little."""
        self.last_words()
        self.finish()

    def last_words(self) -> None:
        """Says the rest; from here on the process writes it and ends by itself."""
        now_s = self._now_s()
        self._rows.extend(self._minutes.turn(now_s + self._ahead_s, self._decisions(), self.book.by_policy))
        if self._is_running:
            try:
                while self._hear(now_s):
                    pass
                for _ in range(_LAST_SLICES):
                    if not self._is_greeted or not self._send(now_s + 60.0):
                        break
            except Gone:
                pass
        self._process.hang_up()
        self._is_running = False
        self._hung_up_s = monotonic()

    def finish(self) -> None:
        """Waits for the end of the process, and ends it where that takes longer than FINISH_S since the last words."""
        self._process.finish(max(LEAST_FINISH_S, FINISH_S - (monotonic() - self._hung_up_s)))

    # ---- inside

    def _look_round(self, now_s: float) -> None:
        if now_s >= self._look_at_s or now_s < self._look_at_s - LOOK_S:  # the latter: the clock was set back
            self._look_at_s = now_s + LOOK_S
            self.book.sweep(now_s, self._standing, LOOKED_AT)
        wall_s = now_s + self._ahead_s
        if self._minutes.is_over(wall_s):
            rows = self._minutes.turn(wall_s, self._decisions(), self.book.by_policy)
            self._given_up += max(0, len(self._rows) + len(rows) - MAX_MINUTES)
            self._rows.extend(rows)

    def _tell_news(self) -> bool:
        """Tells the decision log of the next incidents that opened or ended; whether there may be more."""
        for _ in range(NEWS):
            incident = self.book.news()
            if incident is None:
                return False
            self._announce(incident)
        return True

    def _announce(self, incident: Incident) -> None:
        keys: dict[str, object] = {
            "attack_type": incident.attack_type,
            "policy": incident.policy,
            "incident": incident.id,
            "subject": incident.subject,
        }
        if incident.client:
            keys["client"] = self._redactor().address(incident.client)
        if not incident.ended_s:
            keys |= {"detector": incident.detector, "cause": cause_of(incident)}
            self._tell("incident_opened", **keys)
        else:
            seconds = round(incident.ended_s - incident.started_s, 1)
            keys |= {"why": incident.why, "seconds": seconds, "violations": incident.violations, "rejected": incident.rejected}
            self._tell("incident_closed", **keys)

    def _hear(self, now_s: float) -> bool:
        """Reads one packet; whether there was one."""
        packet = self._process.receive()
        if packet is None:
            return False
        for message in for_service(packet):
            if isinstance(message, Status):
                self._heard(message, now_s)
            elif isinstance(message, Ready):
                self._is_greeted = self._was_greeted = True
            else:
                self._meet(message, now_s)
        return True

    def _heard(self, status: Status, now_s: float) -> None:
        self._status, self._heard_s = status, now_s
        if status.trouble:
            self._in_trouble(status.trouble)
        else:
            self._out_of_trouble()

    def _meet(self, row: IncidentRow, now_s: float) -> None:
        """An incident that the database holds open: from before our start, or one whose end the last writer did not hear."""
        if not self._was_greeted:
            self.book.adopt(incident_of(row, self._ahead_s))
        elif row.id not in self._open_ids:
            self._first.append(msgspec.structs.replace(row, ended_s=min(now_s + self._ahead_s, row.until_s), why=EXPIRED))

    def _send(self, now_s: float) -> bool:
        """Hands on one slice; whether more waits and would be taken."""
        if not self._packets:
            self._make(now_s)
        while self._packets:
            packet, count = self._packets[0]
            if not self._process.send(packet):
                return False
            self._packets.popleft()
            if self._sent == self._status.taken:
                self._heard_s = now_s  # from here on an answer is waited for
            self._sent += count
        return bool(self._first or self._rows or self._feedback) or self.book.is_waiting(now_s)

    def _make(self, now_s: float) -> None:
        messages: list[msgspec.Struct] = []
        for queue in (self._first, self._feedback, self._rows):
            while queue and len(messages) < SLICE:
                messages.append(queue.popleft())
        ahead_s = self._ahead_s
        for taken in self.book.take(SLICE - len(messages), now_s):
            messages.append(row_of(taken, self._redactor(), ahead_s))
        packets = pack_all(messages)
        self._given_up += len(messages) - sum(count for _, count in packets)
        self._packets.extend(packets)

    def _gone(self, now_s: float) -> None:
        self._process.finish(0.0)
        self._is_running = False
        # What was on its way may or may not be in the file: an incident is told anew, the rest is given up.
        self._given_up += self._status.lost + max(0, self._sent - self._status.taken)
        self._status = Status(0, 0, "")
        self._packets.clear()
        self._in_trouble(self.trouble or "the process that writes has ended")
        if now_s - self._started_s > SETTLED_S:
            self._back_off_s = BACK_OFF_S
        self._later(now_s)

    def _later(self, now_s: float) -> None:
        self._start_at_s = now_s + self._back_off_s
        self._back_off_s = min(MOST_BACK_OFF_S, self._back_off_s * 2)

    def _in_trouble(self, why: str) -> None:
        if not self.trouble:
            self._lost_when_told = self.lost
            self._tell("store_failed", error=why)
        self.trouble = why

    def _out_of_trouble(self) -> None:
        if self.trouble:
            self.trouble = ""
            self._tell("store_back", lost=self.lost - self._lost_when_told)

    @property
    def _ahead_s(self) -> float:
        """What the machine's clock is ahead of the service's own time."""
        return self._wall_s() - self._now_s()
