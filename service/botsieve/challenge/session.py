"""The session cookie: a signed name for one browser's visit, set on answers to navigations.

Law of the file: nothing is remembered here.  A session gets state only when its cookie came back (docs/architecture.md); the
cookie alone says who it is and when it was opened.
"""

from __future__ import annotations

import struct

import msgspec

from botsieve.challenge.cookies import SESSION_COOKIE, carried_cookies, set_cookie
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.tokens import MIN_TEXT, SESSION, SKEW_S, Series, open_token
from botsieve.observation import Observation
from botsieve.remembered import Spread

ID_BYTES = 8
# guess: a browser that stays open longer than a day opens a new session.
MAX_AGE_S = 86_400
_PACKED = struct.Struct(f">{ID_BYTES}sI")
# Verified cookies kept, per generation; about 0.3 KiB each.
_MAX_OPENED = 50_000
# Hosts whose cookies are sealed at half the price: those of an operator, and what visitors make up.
_MAX_HOSTS, _MAX_HOST = 256, 255


class Session(msgspec.Struct, frozen=True, gc=False):
    """`id`: 8 bytes.  `opened_s`: when the cookie was issued, the service's clock."""

    id: bytes
    opened_s: int


class Sessions:
    """Issues and reads session cookies; bound to the host, not to the User-Agent, which a session outlives."""

    __slots__ = ("_opened", "_second", "_series", "_stamp", "keys")

    def __init__(self, keys: KeyRing, limit: int = _MAX_OPENED) -> None:
        self.keys = keys
        self._series: dict[bytes, Series] = {}
        self._opened: Spread[Session] = Spread(limit)
        self._second, self._stamp = -1, b""  # a second, and as it is packed: in one second thousands may be opened

    def apply(self, keys: KeyRing) -> None:
        """Takes another key ring."""
        self.keys = keys
        self._series.clear()
        self._opened.clear()

    def read(self, o: Observation, now_s: float) -> Session | None:
        """The session of a request, None without a valid cookie.  With several valid ones the oldest session counts."""
        return self.of(carried_cookies(o)[1], o.host, now_s)

    def of(self, values: list[bytes], host: bytes, now_s: float) -> Session | None:
        """The same, of the values of its cookies.  None of them holds a semicolon."""
        found: Session | None = None
        for value in values:
            if len(value) < MIN_TEXT:
                continue
            seen = host + b";" + value  # one name for both
            session = self._opened.get(seen)
            if session is None:
                session = self._verified(host, value, seen)
                if session is None:
                    continue
            if not session.opened_s - SKEW_S <= now_s < session.opened_s + MAX_AGE_S:
                continue
            if found is None or session.opened_s < found.opened_s:
                found = session
        return found

    def _verified(self, host: bytes, value: bytes, seen: bytes) -> Session | None:
        """What was verified once for these very bytes is not verified again: 0.2 us instead of 3."""
        fields = open_token(self.keys, SESSION, value, (host,))
        if fields is None:
            return None
        session_id, opened_s = _PACKED.unpack(fields[0])
        session = Session(session_id, opened_s)
        self._opened.put(seen, session)
        return session

    def issue(self, o: Observation, now_s: float, random_id: bytes) -> str:
        """The Set-Cookie value of a new session.  `random_id`: 8 random bytes.  Errors: ValueError for another length."""
        if len(random_id) != ID_BYTES:
            raise ValueError(f"a session id has {ID_BYTES} bytes, not {len(random_id)}")
        series = self._series.get(o.host)
        if series is None:
            series = self._new_series(o.host)
        second = int(now_s)
        if second != self._second:
            self._second, self._stamp = second, _PACKED.pack(b"", second)[ID_BYTES:]
        return set_cookie(o, SESSION_COOKIE, series.seal(random_id + self._stamp))

    def _new_series(self, host: bytes) -> Series:
        series = Series(self.keys, SESSION, _PACKED.size, (host,))
        if len(host) <= _MAX_HOST:
            if len(self._series) >= _MAX_HOSTS:
                self._series.clear()
            self._series[host] = series
        return series
