"""Visitors at a steady pace, whatever happens to the service behind nginx: an open-loop generator, bounded in time and number.

Law of the file: loopback only; each request is sent when it is due, not when the one before it was answered; it ends by itself.
Only where WAITING of them have no answer yet, which five times the time-out of nginx does not explain, the next one comes later:
more than a machine can carry shows nothing of the service.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

RATE_PER_S = 200
MAX_S = 60.0
TIMEOUT_S = 30.0
WAITING = 64
LATE_S = 0.1  # so late a visit may come: then the pace begins anew
LOOK_EVERY = 20  # visits
_PERSON = (
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip\r\n"
    "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"
)


class Visit(NamedTuple):
    """One request: when it was due (seconds since the start), how long the answer took from then, its status (0: none) and what
    the application was told of the verdict ("": the answer did not come from it)."""

    due_s: float
    ms: float
    status: int
    verdict: str

    @property
    def is_unjudged(self) -> bool:
        """Whether the application got it without anybody's verdict.  Bytes that are no HTTP leave it without any word."""
        return self.status == 200 and self.verdict in ("unjudged", "")


class Share(NamedTuple):
    """What some visits saw."""

    visits: int
    errors: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    unjudged_percent: float


def share(visits: list[Visit]) -> Share:
    """The figures of some visits.  An error is a 5xx or no answer."""
    if not visits:
        return Share(0, 0, 0.0, 0.0, 0.0, 0.0)
    times = sorted(visit.ms for visit in visits)
    return Share(
        len(visits),
        sum(visit.status == 0 or visit.status >= 500 for visit in visits),
        times[len(times) // 2],
        times[min(len(times) - 1, int(len(times) * 0.99))],
        times[-1],
        100.0 * sum(visit.is_unjudged for visit in visits) / len(visits),
    )


async def _visit(port: int, number: int, due: float, start: float) -> Visit:
    """Each visitor is another one: an address of 127/8, a connection of its own."""
    status, verdict = 0, ""
    source = f"127.{1 + number // 60_000 % 250}.{number // 240 % 250}.{1 + number % 240}"
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            try:
                writer.write(
                    f"GET /items/{number} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{_PERSON}\r\n".encode()
                )
                raw = await reader.read(-1)
            finally:
                writer.close()
        head, _, body = raw.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        verdict = body.decode("latin-1").partition("verdict=")[2].strip() if status == 200 else ""
    except (OSError, TimeoutError, IndexError, ValueError):
        status = 0
    return Visit(due - start, (time.perf_counter() - due) * 1000.0, status, verdict)


async def _visits(
    port: int,
    seconds: float,
    events: list[tuple[float, Callable[[], object]]],
    is_enough: Callable[[list[Visit]], bool],
    rate_per_s: float,
) -> list[Visit]:
    start = time.perf_counter()
    tasks: list[asyncio.Task[Any]] = []
    unanswered: set[asyncio.Task[Visit]] = set()
    held_up_s = 0.0
    waiting = sorted(events, key=lambda event: event[0])
    for number in range(int(MAX_S * rate_per_s)):
        due = start + number / rate_per_s + held_up_s
        if due - start > MAX_S or (due - start >= seconds and number % LOOK_EVERY == 0 and is_enough(_seen(tasks))):
            break
        while waiting and time.perf_counter() - start >= waiting[0][0]:
            tasks.append(asyncio.create_task(asyncio.to_thread(waiting.pop(0)[1])))
        pause = due - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        while len(unanswered) >= WAITING:
            await asyncio.wait(unanswered, return_when=asyncio.FIRST_COMPLETED)
        held_up_s += max(0.0, time.perf_counter() - due - LATE_S)
        task = asyncio.create_task(_visit(port, number, max(due, time.perf_counter() - LATE_S), start))
        unanswered.add(task)
        task.add_done_callback(unanswered.discard)
        tasks.append(task)
    await asyncio.gather(*tasks)
    return _seen(tasks)


def _seen(tasks: list[asyncio.Task[Any]]) -> list[Visit]:
    return [task.result() for task in tasks if task.done() and isinstance(task.result(), Visit)]


def visit(
    port: int,
    seconds: float,
    events: list[tuple[float, Callable[[], object]]] | None = None,
    is_enough: Callable[[list[Visit]], bool] = lambda _: True,
    rate_per_s: float = RATE_PER_S,
) -> list[Visit]:
    """Visits at an even pace for some seconds; `events` are called in a thread so many seconds after the start.

    It goes on, up to MAX_S, until `is_enough` says so of what was seen: a busy machine needs longer for the same.
    """
    return asyncio.run(_visits(port, seconds, events or [], is_enough, rate_per_s))
