"""Sessions whose cookie came back: for the first time, or from so many networks that a cache must have given it away.

Law of the file: a session is remembered when its cookie comes back, for 10 to 20 min, bounded.  One that was seen from more than 8
networks within 10 min is shared: it names nobody from then on, and the operator is told.
Source: docs/mission.md S2-04, S2-05.
"""

from __future__ import annotations

from collections import deque

import msgspec

from botsieve.challenge.session import Session

WITHIN_S = 600.0
NETWORKS = 8
# About 250 B each.
MAX_SESSIONS = 32_768  # per generation
MAX_SHARED = 1_000
MAX_NEWS = 100


class _Visit:
    """A session that came back: from `network`, last at `last_s`; or from several, `more`: each with its last time."""

    __slots__ = ("last_s", "more", "network")

    def __init__(self, network: bytes, now_s: float) -> None:
        self.network = network
        self.last_s = now_s
        self.more: dict[bytes, float] | None = None


class SharedSession(msgspec.Struct, frozen=True, gc=False):
    """What the operator is told.  `opened_s`: when the answer with its cookie left us; `networks`: that it was seen from."""

    policy: str
    opened_s: int
    networks: int


class Visits:
    """`shared`: the ids of shared sessions, the newest last.  `news`: those that nobody was told of yet."""

    __slots__ = ("_most", "_old", "_since_s", "_young", "news", "shared")

    def __init__(self, most: int = MAX_SESSIONS) -> None:
        self._most = most
        self._young: dict[bytes, _Visit] = {}  # by session
        self._old: dict[bytes, _Visit] = {}
        self._since_s = 0.0
        self.shared: dict[bytes, None] = {}
        self.news: deque[SharedSession] = deque(maxlen=MAX_NEWS)

    def take(self, session: Session, network: bytes, policy: str, now_s: float) -> bool:
        """One request of a session, from a network (its bytes); true when its cookie comes back for the first time."""
        name = session.id
        known = self._young.get(name)
        if known is None:
            if now_s - self._since_s > WITHIN_S or len(self._young) >= self._most:
                self._old, self._young, self._since_s = self._young, {}, now_s
            known = self._old.pop(name, None)
            if known is None:
                self._young[name] = _Visit(network, now_s)
                return now_s - session.opened_s < WITHIN_S
            self._young[name] = known
        if known.more is not None:
            self._seen(session, known.more, network, policy, now_s)
        elif known.network == network:
            known.last_s = now_s
        else:
            known.more = {known.network: known.last_s, network: now_s}
        return False

    def _seen(self, session: Session, seen: dict[bytes, float], network: bytes, policy: str, now_s: float) -> None:
        seen.pop(network, None)
        seen[network] = now_s
        if len(seen) <= NETWORKS:
            return
        oldest = next(iter(seen))
        if now_s - seen[oldest] >= WITHIN_S:
            del seen[oldest]
            return
        if session.id not in self.shared:
            self.news.append(SharedSession(policy, session.opened_s, len(seen)))
        self.shared[session.id] = None
        if len(self.shared) > MAX_SHARED:
            del self.shared[next(iter(self.shared))]
        del self._young[session.id]

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
