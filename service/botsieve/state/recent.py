"""Decisions of the last seconds by request: a web server that asks twice about one request hears the same, and it counts once.

Law of the file: bounded by count and by time; two generations, the older of which is forgotten whole and freed little by little.
"""

from __future__ import annotations

from botsieve.decision import Decision
from botsieve.observation import MAX_REQUEST_ID, Observation
from botsieve.remembered import Forgotten
from botsieve.state.hashing import Hasher

KEEP_S = 10.0  # two calls with one request id within 10 s are one request (docs/grpc.md)
_MAX = 20_000  # per generation


class Recent:
    """`name`: the keyed hash of client, request id and target (`name_of`)."""

    __slots__ = ("_forgotten", "_old", "_since_s", "_young")

    def __init__(self) -> None:
        self._young: dict[bytes, tuple[float, Decision]] = {}
        self._old: dict[bytes, tuple[float, Decision]] = {}
        self._since_s = 0.0
        self._forgotten = Forgotten()

    def get(self, name: bytes, now_s: float) -> Decision | None:
        """The decision given to this request within the last 10 s."""
        entry = self._young.get(name) or self._old.get(name)
        if entry is None or now_s - entry[0] > KEEP_S:
            return None
        return entry[1]

    def put(self, name: bytes, decision: Decision, now_s: float) -> None:
        """Remembers a decision."""
        if now_s - self._since_s > KEEP_S or len(self._young) >= _MAX:
            self._forgotten.take(self._old)
            self._old, self._young = self._young, {}
            self._since_s = now_s
        self._young[name] = (now_s, decision)
        self._forgotten.free()


# The id alone would let a client that may choose it hide behind one decision.  Its length stands before it: no byte can move.
_LENGTHS = [bytes([length]) for length in range(MAX_REQUEST_ID + 1)]


def name_of(o: Observation, hasher: Hasher) -> bytes:
    """8 bytes that name a request with an id.  About 0.2 us."""
    request_id = o.request_id
    if len(request_id) > MAX_REQUEST_ID:
        request_id = request_id[:MAX_REQUEST_ID]
    return hasher.key(o.client + _LENGTHS[len(request_id)] + request_id + o.uri)
