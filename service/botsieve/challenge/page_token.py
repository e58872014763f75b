"""The token of one opened page: who reports must have loaded a page, lately, from here, and reports each thing once.

Law of the file: bound to host and User-Agent (in the signature), to the network, to the process that issued it and to the time; its
reports count up, and a number is taken once.  What is forgotten is refused, never accepted again: the script fetches another token.
"""

from __future__ import annotations

import struct
from collections import OrderedDict

from botsieve.challenge.binding import context_of, place_of
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.tokens import SKEW_S, open_token, seal
from botsieve.observation import Observation

PAGE = b"page"
NONCE_BYTES = 8
# guess: a tab that is open for longer asks for another token.
VALID_S = 3600
MAX_PAGES = 100_000
_ISSUED = struct.Struct(">I")


class PageTokens:
    """Seals tokens, and takes each report of one once.  `process_id`: another one for every process and every start."""

    __slots__ = ("_forgotten_s", "_limit", "_next", "_process_id", "keys")

    def __init__(self, keys: KeyRing, process_id: bytes, limit: int = MAX_PAGES) -> None:
        self.keys = keys
        self._process_id = process_id
        self._limit = limit
        # Nonce -> (the number that comes next, issued); those heard of last at the end.
        self._next: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        self._forgotten_s = 0

    def issue(self, o: Observation, now_s: float, random8: bytes) -> str:
        """A token for whoever sent this request.  `random8`: 8 random bytes.  Errors: ValueError for another length."""
        if len(random8) != NONCE_BYTES:
            raise ValueError(f"a page token has a nonce of {NONCE_BYTES} bytes, not {len(random8)}")
        return seal(self.keys, PAGE, (_ISSUED.pack(int(now_s)), random8, self._process_id, place_of(o)), context_of(o))

    def take(self, o: Observation, token: bytes, number: int, now_s: float) -> float | None:
        """For how long the page has been open (s), None for a token that is not good here (any more).

        Errors: ValueError for a report that was taken already.
        """
        fields = open_token(self.keys, PAGE, token, context_of(o))
        if fields is None:
            return None
        packed, nonce, process, place = fields
        issued_s: int = _ISSUED.unpack(packed)[0]
        if process != self._process_id or place != place_of(o) or not -SKEW_S <= now_s - issued_s < VALID_S:
            return None
        known = self._next.get(nonce)
        if known is None and issued_s <= self._forgotten_s:
            return None
        if known is not None and number < known[0]:
            raise ValueError("this report was taken already")
        self._next[nonce] = number + 1, issued_s
        self._next.move_to_end(nonce)
        if len(self._next) > self._limit:
            _, (_, oldest_s) = self._next.popitem(last=False)
            self._forgotten_s = max(self._forgotten_s, oldest_s)
        return now_s - issued_s

    def __len__(self) -> int:
        return len(self._next)
