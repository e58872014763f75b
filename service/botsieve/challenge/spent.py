"""Which challenges were redeemed: each once, in the process that issued it.

Law of the file: spend first, mint after.  What cannot be recorded is not spent, so nothing is minted for it (closed);
visiting with a clearance already earned does not depend on this table (open).
"""

from __future__ import annotations

from collections import OrderedDict

MAX_SPENT = 200_000


class SpentNonces:
    """A bounded set of nonces with the time until which they must be remembered.

    `keep_s`: at least as long as a challenge is valid.  Insertion order is expiry order, so the oldest go first and in O(1): not a
    plain dict, which walks over all that was dropped before to find its first entry.
    """

    __slots__ = ("_limit", "_until")

    def __init__(self, limit: int = MAX_SPENT) -> None:
        self._limit = limit
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __contains__(self, nonce: bytes) -> bool:
        return nonce in self._until

    def __len__(self) -> int:
        return len(self._until)

    def spend(self, nonce: bytes, keep_s: float, now_s: float) -> bool:
        """True exactly once for a nonce within `keep_s`.

        Nothing in here awaits, so requests that arrive together cannot come between looking and marking.  False also when the
        table is full of nonces that still count: then nobody is given anything.
        """
        self._forget(now_s)
        if len(self._until) >= self._limit:
            return False
        if nonce in self._until:
            return False
        self._until[nonce] = now_s + keep_s
        return True

    def _forget(self, now_s: float) -> None:
        until = self._until
        while until:
            oldest = next(iter(until))
            if until[oldest] > now_s:
                return
            del until[oldest]
