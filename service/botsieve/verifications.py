"""What DNS has said of clients that name a crawler: verified, refuted, or not known; and what is still to be asked.

Law of the file: pure, bounded in every part, and nobody waits for it: a claim gets the answer that is there now, and the question is
put in a queue for `botsieve/lookups`.  Only an answer makes a liar, its absence never does.  While a question is open, what rests on
the claim alone is held back, for a few requests a client and a network; behaviour counts always.  Source: docs/mission.md S2-11 to S2-18.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from botsieve.observation import network_of
from botsieve.remembered import Remembered

# What a claim comes to.  HELD: it is being asked, and nothing is held against the claim yet.
VERIFIED, REFUTED, HELD, UNVERIFIED = "verified", "refuted", "held", ""

HELD_REQUESTS = 20  # per client, and per network
HELD_S = 3.0
# A network gets its requests anew after so long [guess: an hour, as answers are kept], or when one of its addresses was verified.
HELD_AGAIN_S = 3600.0
MAX_OPEN = 256  # questions that wait [guess: 2.5 s of work at 100 a second, which is less than HELD_S]
MAX_OPEN_PER_NETWORK = 8  # [guess] one network must not take the queue from all others
MAX_ANSWERS = 8_192  # per generation: verified, and others, each in a table of its own [guess: 2 MiB each]
# No answer is believed for so long (RFC 2308 §7.1 and RFC 9520 §3.2: at most five minutes).
UNKNOWN_S = 60.0
_RENEW_AT = 0.9  # of its time: a crawler that goes on is asked again before its answer ends


class Question(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Does `address` (16 bytes) belong to the crawler `name`: has it a name that is or lies below one of `domains`?"""

    name: str
    address: bytes
    domains: tuple[str, ...]


class _Answer(msgspec.Struct, gc=False):
    """`found`: VERIFIED, REFUTED, or UNVERIFIED for no answer.  It is asked again from `renew_s` on, and ends at `until_s`."""

    found: str
    renew_s: float
    until_s: float


class _Open(msgspec.Struct, gc=False):
    question: Question
    since_s: float
    requests: int = 0


class _Patience(msgspec.Struct, gc=False):
    """What a network has had of HELD."""

    since_s: float
    requests: int = 0


_Key = tuple[str, bytes]


class Verifications:
    """The book.  `on_question`: called when a question was put; None: nobody answers, every claim is UNVERIFIED.

    `cache_s`, `negative_cache_s`: how long VERIFIED and REFUTED are believed.  They may be changed at any time.
    """

    __slots__ = (
        "_networks",
        "_open",
        "_others",
        "_patience",
        "_queue",
        "_verified",
        "cache_s",
        "counts",
        "negative_cache_s",
        "on_question",
    )

    def __init__(self, *, cache_s: float = 3600.0, negative_cache_s: float = 3600.0) -> None:
        self.cache_s = cache_s
        self.negative_cache_s = negative_cache_s
        self.on_question: Callable[[], None] | None = None
        self.counts = {"verified": 0, "refuted": 0, "unanswered": 0, "not_asked": 0}
        """Answers so far, and claims that found the queue full."""
        self._queue: deque[Question] = deque()
        self.forget()

    def forget(self) -> None:
        """Everything: the list of crawlers has changed.  What is answered later to an old question is not heard."""
        self._verified: Remembered[_Key, _Answer] = Remembered(MAX_ANSWERS)
        self._others: Remembered[_Key, _Answer] = Remembered(MAX_ANSWERS)
        self._patience: Remembered[bytes, _Patience] = Remembered(MAX_ANSWERS)
        self._open: dict[_Key, _Open] = {}
        self._networks: dict[bytes, int] = {}  # open questions of each
        self._queue.clear()

    def __len__(self) -> int:
        """How many answers, open questions and networks are held."""
        return len(self._verified) + len(self._others) + len(self._patience) + len(self._open)

    # ---- for the engine

    def look(self, name: str, address: bytes, domains: tuple[str, ...], now_s: float) -> str:
        """What is known of a claim now: VERIFIED, REFUTED, HELD or UNVERIFIED.  One request is one call."""
        if self.on_question is None:
            return UNVERIFIED
        key = (name, address)
        known = self._verified.get(key)
        if known is None or now_s >= known.until_s:
            known = self._others.get(key)
        if known is not None and now_s < known.until_s:
            if now_s >= known.renew_s and key not in self._open:
                self._ask(Question(name, address, domains), now_s)
            return known.found
        asked = self._open.get(key) or self._ask(Question(name, address, domains), now_s)
        if asked is None:
            self.counts["not_asked"] += 1
            return UNVERIFIED
        return HELD if self._is_patient(asked, now_s) else UNVERIFIED

    def _ask(self, question: Question, now_s: float) -> _Open | None:
        network = network_of(question.address)
        if len(self._open) >= MAX_OPEN or self._networks.get(network, 0) >= MAX_OPEN_PER_NETWORK:
            return None
        asked = self._open[question.name, question.address] = _Open(question, now_s)
        self._networks[network] = self._networks.get(network, 0) + 1
        self._queue.append(question)
        if self.on_question is not None:
            self.on_question()
        return asked

    def _is_patient(self, asked: _Open, now_s: float) -> bool:
        network = network_of(asked.question.address)
        patience = self._patience.get(network)
        if patience is None or now_s - patience.since_s >= HELD_AGAIN_S:
            patience = _Patience(now_s)
            self._patience.put(network, patience)
        asked.requests += 1
        patience.requests += 1
        return (
            max(asked.requests, patience.requests) <= HELD_REQUESTS
            and now_s - asked.since_s <= HELD_S
            and now_s - patience.since_s <= HELD_S
        )

    # ---- for those who ask DNS

    def next_question(self) -> Question | None:
        """The one that has waited longest, or None.  Whoever takes it gives it back with `answer`."""
        return self._queue.popleft() if self._queue else None

    def answer(self, question: Question, found: str, now_s: float) -> None:
        """`found`: VERIFIED, REFUTED, or UNVERIFIED for no answer, which leaves an answer that still holds as it is."""
        key = (question.name, question.address)
        asked = self._open.get(key)
        if asked is None or asked.question is not question:
            return  # asked before the list changed
        self._close(key)
        self.counts[found or "unanswered"] += 1
        if found == VERIFIED:
            self._verified.put(key, _answer(found, self.cache_s, now_s))
            self._patience.put(network_of(question.address), _Patience(-HELD_AGAIN_S))  # a crawler's network: anew
            return
        known = self._verified.get(key)
        if found == REFUTED:
            if known is not None:
                known.until_s = now_s  # it was the crawler's, and is no longer
            self._others.put(key, _answer(found, self.negative_cache_s, now_s))
        elif known is None or now_s >= known.until_s:
            before = self._others.get(key)
            if before is None or now_s >= before.until_s:
                self._others.put(key, _answer(found, min(UNKNOWN_S, self.negative_cache_s), now_s))

    def _close(self, key: _Key) -> None:
        del self._open[key]
        network = network_of(key[1])
        left = self._networks[network] - 1
        if left:
            self._networks[network] = left
        else:
            del self._networks[network]


def _answer(found: str, lasts_s: float, now_s: float) -> _Answer:
    return _Answer(found, now_s + lasts_s * _RENEW_AT, now_s + lasts_s)
