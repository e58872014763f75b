"""No cookie in an open session [S2-05]: a client that was given a session and goes on without it.

Law of the file: it takes five page loads of one client without a cookie after one was set.  Several people may have one client's name:
a session that comes back under it shows that what was set was somebody else's, and the count begins anew.  Bounded; a client that
was seen once costs nothing.  The answer is a challenge at most: cookies may be switched off.
"""

from __future__ import annotations

from botsieve.remembered import Bounded

PAGE_LOADS = 5
# guess: so long after it was sent the cookie has arrived; tabs that open together all come without one.
ARRIVES_S = 2.0
IDLE_S = 1800.0
MAX_CLIENTS = 20_000  # about 300 B each
# Who goes on is put last among those that may be forgotten, but not at every request of a flood.
PUT_EVERY_S = 1.0


class _Given:
    """`set_s`: when the cookie was set.  `last_s`: the last page load without it.  `put_s`: when this was put last."""

    __slots__ = ("last_s", "put_s", "set_s", "times")

    def __init__(self, set_s: float, put_s: float) -> None:
        self.set_s = set_s
        self.last_s = set_s
        self.put_s = put_s
        self.times = 0


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
                self._given.put(client_key, _Given(now_s, now_s))
                return 0
            given = _Given(first_s, now_s)
            self._given.put(client_key, given)
        elif now_s - given.put_s >= PUT_EVERY_S:
            given.put_s = now_s
            self._given.put(client_key, given)
        given.times += now_s - given.set_s >= ARRIVES_S
        given.last_s = now_s
        return given.times

    def came_back(self, client_key: bytes) -> None:
        """A session came under this client's name."""
        self._given.drop(client_key)

    def __len__(self) -> int:
        return len(self._given)
