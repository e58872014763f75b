"""No cookie in an open session [S2-05]: a client that was given a session and goes on without it.

Law of the file: it takes five page loads of one client without a cookie after one was set.  Several people may have one client's name:
a session that comes back under it shows that what was set was somebody else's, and the count begins anew.  Bounded; a client that
was seen once costs nothing.  The answer is a challenge at most: cookies may be switched off.
"""

from __future__ import annotations

from typing import NamedTuple

from botsieve.remembered import Bounded

PAGE_LOADS = 5
# guess: so long after it was sent the cookie has arrived; tabs that open together all come without one.
ARRIVES_S = 2.0
IDLE_S = 1800.0
MAX_CLIENTS = 20_000  # about 250 B each


class _Given(NamedTuple):
    set_s: float
    last_s: float
    times: int


class Cookieless:
    """Clients to which a session was given that has not come back, by the World's key of the client."""

    __slots__ = ("_given",)

    def __init__(self, most: int = MAX_CLIENTS) -> None:
        self._given: Bounded[bytes, _Given] = Bounded(most)

    def came(self, client_key: bytes, now_s: float, first_s: float) -> int:
        """A page load without a session; how many there were since one was set, this one included.

        `first_s`: when the client's first request, a page load, came; 0.0 where this is not the one after it.
        """
        given = self._given.get(client_key)
        if given is None or now_s - given.last_s > IDLE_S:
            if not first_s:
                self._given.put(client_key, _Given(now_s, now_s, 0))
                return 0
            given = _Given(first_s, first_s, 0)
        count = given.times + (now_s - given.set_s >= ARRIVES_S)
        self._given.put(client_key, _Given(given.set_s, now_s, count))
        return count

    def came_back(self, client_key: bytes) -> None:
        """A session came under this client's name."""
        self._given.drop(client_key)

    def __len__(self) -> int:
        return len(self._given)
