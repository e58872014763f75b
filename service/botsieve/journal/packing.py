"""One decision packed: everything that the log and `explain` say of it, nothing else.

It is a record (record.py) at once, free of the observation, whose headers may hold 64 KiB and secrets.  The log's queue holds it as
it is; for `explain` it is packed into one `bytes` object of about 400 bytes, which the garbage collector does not see.  What many
decisions have in common is packed once and is the same object in all their records: the log need not even compare it.

Law of the file: no header but the User-Agent is ever copied here, no query, no cookie; every field has a bound.
"""

from __future__ import annotations

import msgspec

from botsieve.decision import Counted, Decision, Signal, Words, again_of, of_count
from botsieve.observation import Observation
from botsieve.remembered import Answers

# Bytes.  The User-Agent's is docs/decision-log.md's; the others keep 50,000 records of the worst clients below 100 MB.
MAX_USER_AGENT, MAX_PATH, MAX_PRINT = 256, 1024, 64
# Of what is remembered in two generations of 1,024: together at most 4 MiB.
_MAX_KEPT_ROUTE = 256

_Ruled = tuple[str, str, str, int, bool, str, str, str, str, str, bool, str, str, str]
_Seen = tuple[bytes, bytes, bytes, bytes, bytes, bytes]

_ENCODE, _ENCODE_INTO = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Encoder().encode_into
# What was packed last lies here: it has the length of most others, so there is nearly always room for the next, which costs half as
# much as to make room step by step.  The loop's thread packs, and nobody else.
_ROOM = bytearray()


def pack(o: Observation, decision: Decision, now_s: float, decide_us: int, sample_percent: float = 0.0) -> bytes:
    """One decision as the ring holds it.  `now_s`: seconds since 1970, the service's clock."""
    return packed(record_of(o, decision, now_s, decide_us, sample_percent))


def packed(record: tuple[object, ...]) -> bytes:
    """A Record as the ring holds it."""
    try:
        _ENCODE_INTO(record, _ROOM)
        return bytes(_ROOM)
    except UnicodeEncodeError:
        # A lone surrogate in a name of ours.  Recording a decision must not fail for it.
        return _ENCODE(_as_text(record))


def record_of(
    o: Observation, decision: Decision, now_s: float, decide_us: int, sample_percent: float = 0.0
) -> tuple[object, ...]:
    """One decision as a Record: what the log's queue holds.  `now_s`: as above."""
    path = o.path
    agent = o.headers.get(b"user-agent", b"")
    # By position, in the order of Record.
    return (
        now_s,
        decide_us,
        sample_percent,
        decision.id,
        _ruled(o, decision),
        _told(decision) if decision.signals else _NOTHING_TOLD,
        _SEEN[
            o.method,
            o.host,
            agent if len(agent) <= MAX_USER_AGENT else agent[:MAX_USER_AGENT],
            o.ja3 if len(o.ja3) <= MAX_PRINT else o.ja3[:MAX_PRINT],
            o.ja4 if len(o.ja4) <= MAX_PRINT else o.ja4[:MAX_PRINT],
            o.tls_sig if len(o.tls_sig) <= MAX_PRINT else o.tls_sig[:MAX_PRINT],
        ],
        o.client,
        o.peer,
        path if len(path) <= MAX_PATH else path[:MAX_PATH],
        o.request_id,
    )


class _Last:
    """What was decided last, and how that was packed: mostly the next decision says the same."""

    __slots__ = ("audience", "bot", "deferred", "edge", "kind", "level", "packed", "route", "words")

    def __init__(self) -> None:
        self.words = Words()
        self.audience = self.level = self.route = self.edge = self.kind = ""
        self.bot = self.deferred = False
        self.packed = b""

    def take(self, o: Observation, decision: Decision) -> None:
        """From now on it is this one."""
        route = decision.route
        self.packed = _RULED[
            decision.verdict,
            decision.would_be,
            decision.mode,
            decision.score,
            decision.bot,
            decision.rule,
            decision.policy,
            decision.audience,
            decision.config,
            decision.level,
            decision.deferred,
            route if len(route) <= MAX_PATH else route[:MAX_PATH],
            o.edge,
            o.kind,
        ]
        self.words.take(decision)
        self.audience, self.level, self.route = decision.audience, decision.level, route
        self.bot, self.deferred = decision.bot, decision.deferred
        self.edge, self.kind = o.edge, o.kind


_LAST: _Last = _Last()


def _ruled(o: Observation, decision: Decision) -> bytes:
    """What was decided beside the findings."""
    last = _LAST
    if not (
        last.route is decision.route  # by identity, as the words
        and last.words.are_of(decision)
        and last.kind is o.kind
        and last.edge is o.edge
        and last.level is decision.level
        and last.audience is decision.audience
        and last.bot == decision.bot
        and last.deferred == decision.deferred
    ):
        last.take(o, decision)
    return last.packed


def _told(decision: Decision) -> bytes:
    """The findings."""
    signals = decision.signals
    if len(signals) == 1:
        again = again_of(decision)
        if again is not None and again.signal is signals[0]:
            if not again.logged:
                again.logged = packed((_signal(again.signal),))
            return again.logged
        counted = signals[0].as_count
        if counted is not None:
            return _COUNTS[counted]
    return packed(tuple([_signal(signal) for signal in signals]))


def _signal(signal: Signal) -> tuple[object, ...]:
    # By itself, since a finding of the compiled core would be asked for its fields by way of `enc_hook`, which costs more.
    measures = [(measure.name, measure.value, measure.limit) for measure in signal.measures] if signal.measures else ()
    return signal.id, signal.points, signal.detail, signal.subject, measures, signal.attack_type


def _count(told: Counted) -> bytes:
    return packed((_signal(of_count(told)),))


def _as_text(value: object) -> object:
    """The same with every text as UTF-8 can write it."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return [_as_text(part) for part in value] if isinstance(value, tuple | list) else value


_NOTHING_TOLD = packed(())
_RULED: Answers[_Ruled, bytes] = Answers(1024, packed, lambda ruled: len(ruled[11]) <= _MAX_KEPT_ROUTE)
_SEEN: Answers[_Seen, bytes] = Answers(1024, packed)
_COUNTS = Answers(1024, _count)
