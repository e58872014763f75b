"""Decisions of the last seconds by request: a web server that asks twice about one request hears the same, and it counts once.

Law of the file: bounded by count and by time; two generations, the older of which is forgotten whole and freed little by little.
"""

from __future__ import annotations

from botsieve.decision import Decision
from botsieve.remembered import Forgotten

KEEP_S = 10.0  # two calls with one request id within 10 s are one request (docs/grpc.md)
_MAX = 20_000  # per generation

Name = tuple[bytes, bytes, bytes]


class Recent:
    """`name`: request id, client and target.  The id alone would let a client that may choose it hide behind one decision."""

    __slots__ = ("_forgotten", "_old", "_since_s", "_young")

    def __init__(self) -> None:
        self._young: dict[Name, tuple[float, Decision]] = {}
        self._old: dict[Name, tuple[float, Decision]] = {}
        self._since_s = 0.0
        self._forgotten = Forgotten()

    def get(self, name: Name, now_s: float) -> Decision | None:
        """The decision given to this request within the last 10 s."""
        entry = self._young.get(name) or self._old.get(name)
        if entry is None or now_s - entry[0] > KEEP_S:
            return None
        return entry[1]

    def put(self, name: Name, decision: Decision, now_s: float) -> None:
        """Remembers a decision."""
        if now_s - self._since_s > KEEP_S or len(self._young) >= _MAX:
            self._forgotten.take(self._old)
            self._old, self._young = self._young, {}
            self._since_s = now_s
        self._young[name] = (now_s, decision)
        self._forgotten.free()
