"""Challenges that were put off, by session: whether a data call of it may be let through once more.

Law of the file: a session has a minute and a hundred calls before the page that asks it, and as much again while it answers.  Who was
shown that page and did not answer has nothing more put off, however many pages he loads; nor has a session that was opened beside a
page of ours, since nothing of the site is open in it yet.  It is told by session, never by address: neighbours do not pay for each
other.  Solving forgets it.  Bounded; the session put in first goes first.
"""

from __future__ import annotations

from botsieve.remembered import Bounded

# A data call of a client with a session is let through and its next page load challenged, for so long at most.
DEFER_S = 60.0
DEFER_CALLS = 100
# guess: who left a challenge unanswered for so long, and was shown none since, begins anew.
UNANSWERED_S = 1800.0
MAX_SESSIONS = 65_536  # about 300 B each


class _Deferral:
    """`since_s`: when calls were first put off, `calls`: how many.  `asked_s`: when its session was last shown a challenge, 0.0 never."""

    __slots__ = ("asked_s", "calls", "since_s")

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.calls = 0
        self.asked_s = 0.0


class Deferrals:
    """Of all sessions of one process."""

    __slots__ = ("_sessions",)

    def __init__(self, most: int = MAX_SESSIONS) -> None:
        self._sessions: Bounded[bytes, _Deferral] = Bounded(most)

    def allows(self, session: bytes, now_s: float) -> bool:
        """Whether this data call may be let through; counts it."""
        known = self._known(session, now_s)
        if known is None:
            known = _Deferral(now_s)
            self._sessions.put(session, known)
        known.calls += 1
        return known.calls <= DEFER_CALLS and now_s - known.since_s <= DEFER_S

    def asked(self, session: bytes, now_s: float, *, shown: bool) -> None:
        """A page load of it is challenged.  `shown`: the challenge is served, too; else (mode monitor) nobody can have ignored it."""
        if not shown:
            self._sessions.drop(session)
            return
        known = self._known(session, now_s)
        if known is None or not known.asked_s:
            # Other tabs go on while this one answers.
            known = _Deferral(now_s)
            self._sessions.put(session, known)
        known.asked_s = now_s

    def opened(self, session: bytes, now_s: float) -> None:
        """It was opened beside a page of ours, which is all there is in it."""
        known = _Deferral(now_s)
        known.calls = DEFER_CALLS
        known.asked_s = now_s
        self._sessions.put(session, known)

    def solved(self, session: bytes) -> None:
        """It holds a clearance."""
        self._sessions.drop(session)

    def _known(self, session: bytes, now_s: float) -> _Deferral | None:
        known = self._sessions.get(session)
        if known is not None and known.asked_s and now_s - known.asked_s > UNANSWERED_S:
            return None
        return known

    def __len__(self) -> int:
        return len(self._sessions)
