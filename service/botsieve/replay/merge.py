"""The requests of several files as one stream in the order of their clock.

Law of the file: memory is bounded by the sort window, whatever the files hold; requests of the same instant keep the order of
the files and of their lines.  A scrambled clock has no order: file after file, line after line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count

from botsieve.observation import Observation
from botsieve.replay.clock import SORT_WINDOW_S
from botsieve.replay.files import LogFile, OnBytes

# LIMIT: a burst of more requests than this within the sort window leaves the window early, in nearly the right order.
MAX_WAITING = 200_000


def in_order(observations: Iterable[Observation], window_s: float = SORT_WINDOW_S) -> Iterator[Observation]:
    """Sorts a stream in which nothing is displaced by `window_s` or more."""
    waiting: list[tuple[float, int, Observation]] = []
    newest_s = 0.0
    for order, o in enumerate(observations):
        heappush(waiting, (o.edge_time_s, order, o))
        newest_s = max(newest_s, o.edge_time_s)
        while waiting[0][0] <= newest_s - window_s or len(waiting) > MAX_WAITING:
            yield heappop(waiting)[2]
    while waiting:
        yield heappop(waiting)[2]


def merged(files: list[LogFile], on_bytes: OnBytes, *, ordered: bool) -> Iterator[Observation]:
    """All requests of all files.  A file is opened when the stream reaches its first request: a year of rotated logs is one
    open file at a time."""
    if not ordered:
        for file in files:
            yield from file.observations(on_bytes)
        return
    closed = sorted((file for file in files if file.clock.count), key=lambda file: file.clock.first_s, reverse=True)
    heads: list[tuple[float, int, Observation, Iterator[Observation]]] = []
    opened = count()
    while heads or closed:
        while closed and (not heads or closed[-1].clock.first_s <= heads[0][0]):
            file = closed.pop()
            stream = file.observations(on_bytes)
            _advance(heads, in_order(stream) if file.clock.backward else stream, next(opened))
        if not heads:
            continue
        _, order, o, stream = heappop(heads)
        yield o
        _advance(heads, stream, order)


def _advance(
    heads: list[tuple[float, int, Observation, Iterator[Observation]]], stream: Iterator[Observation], order: int
) -> None:
    o = next(stream, None)
    if o is not None:
        heappush(heads, (o.edge_time_s, order, o, stream))
