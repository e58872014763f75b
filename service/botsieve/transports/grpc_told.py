"""A decision as the bytes of proto/botsieve/v1: Decision, CheckResponse, CheckResult and CheckStreamResponse.

Law of the file: what is written is what protobuf itself would write, byte for byte: fields in the order of their numbers, nothing
for an empty one.  Written by hand because most of a decision is the same for thousands of requests and is kept as bytes; messages
cost three times as much [measured].  An answer for the client is rare and large: protobuf writes that.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign
from struct import Struct
from typing import Protocol

from botsieve.decision import (
    ALLOW,
    BLOCK,
    CHALLENGE,
    ENFORCE,
    MONITOR,
    Again,
    Counted,
    Decision,
    Measure,
    Signal,
    Words,
    again_of,
    of_count,
)
from botsieve.remembered import Answers
from botsieve.v1 import decision_pb2 as pb
from botsieve.v1 import decision_service_pb2 as service_pb

# Kinds of value on the wire (protobuf.dev, "Message structure").
_VARINT, _DOUBLE, _SIZED = 0, 1, 2


def _tag(number: int, kind: int) -> bytes:
    assert 1 <= number <= 15  # one byte
    return bytes([number << 3 | kind])


_RESULT_DECISION = _tag(service_pb.CheckResult.DECISION_FIELD_NUMBER, _SIZED)
_CHECK_DECISION = _tag(service_pb.CheckResponse.DECISION_FIELD_NUMBER, _SIZED)
_BATCH = _tag(service_pb.CheckStreamResponse.BATCH_FIELD_NUMBER, _VARINT)
_RESULTS = _tag(service_pb.CheckStreamResponse.RESULTS_FIELD_NUMBER, _SIZED)
_ID = _tag(pb.Decision.ID_FIELD_NUMBER, _SIZED)
_VERDICT = _tag(pb.Decision.VERDICT_FIELD_NUMBER, _VARINT)
_WOULD_BE = _tag(pb.Decision.WOULD_BE_FIELD_NUMBER, _VARINT)
_MODE = _tag(pb.Decision.MODE_FIELD_NUMBER, _VARINT)
_SCORE = _tag(pb.Decision.SCORE_FIELD_NUMBER, _VARINT)
_SIGNALS = _tag(pb.Decision.SIGNALS_FIELD_NUMBER, _SIZED)
_POLICY = _tag(pb.Decision.POLICY_FIELD_NUMBER, _SIZED)
_RULE = _tag(pb.Decision.RULE_FIELD_NUMBER, _SIZED)
_CONFIG = _tag(pb.Decision.CONFIG_FIELD_NUMBER, _SIZED)
_RETRY_AFTER = _tag(pb.Decision.RETRY_AFTER_S_FIELD_NUMBER, _VARINT)
_SET_COOKIE = _tag(pb.Decision.SET_COOKIE_FIELD_NUMBER, _SIZED)
_ANSWER = _tag(pb.Decision.ANSWER_FIELD_NUMBER, _SIZED)
_SIGNAL_ID = _tag(pb.Signal.ID_FIELD_NUMBER, _SIZED)
_POINTS = _tag(pb.Signal.POINTS_FIELD_NUMBER, _VARINT)
_DETAIL = _tag(pb.Signal.DETAIL_FIELD_NUMBER, _SIZED)
_SUBJECT = _tag(pb.Signal.SUBJECT_FIELD_NUMBER, _VARINT)
_MEASURES = _tag(pb.Signal.MEASURES_FIELD_NUMBER, _SIZED)
_ATTACK_TYPE = _tag(pb.Signal.ATTACK_TYPE_FIELD_NUMBER, _SIZED)
_NAME = _tag(pb.Measure.NAME_FIELD_NUMBER, _SIZED)
_VALUE = _tag(pb.Measure.VALUE_FIELD_NUMBER, _DOUBLE)
_LIMIT = _tag(pb.Measure.LIMIT_FIELD_NUMBER, _DOUBLE)

_VERDICTS = {ALLOW: pb.VERDICT_ALLOW, CHALLENGE: pb.VERDICT_CHALLENGE, BLOCK: pb.VERDICT_BLOCK}
_MODES = {MONITOR: pb.MODE_MONITOR, ENFORCE: pb.MODE_ENFORCE}
_SUBJECTS = {
    "address": pb.SUBJECT_ADDRESS,
    "network": pb.SUBJECT_NETWORK,
    "fingerprint": pb.SUBJECT_FINGERPRINT,
    "client": pb.SUBJECT_CLIENT,
    "session": pb.SUBJECT_SESSION,
    "device": pb.SUBJECT_DEVICE,
    "site": pb.SUBJECT_SITE,
}
_DOUBLE_OF = Struct("<cd").pack
_TWO_DOUBLES_OF = Struct("<cdcd").pack


class Answer(Protocol):
    """The complete HTTP answer in place of the application's."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...

    @property
    def body(self) -> bytes: ...


def to_check_response(decision: bytes) -> bytes:
    """CheckResponse with a Decision."""
    return _CHECK_DECISION + _sized(decision)


def to_check_result(decision: bytes) -> bytes:
    """CheckResult with a Decision."""
    length = len(decision)
    return (_RESULT_HEADS[length] if length < _SHORT else _RESULT_DECISION + _varint(length)) + decision


def to_check_stream_response(batch: int, results: list[bytes]) -> bytes:
    """CheckStreamResponse with its CheckResults.  `batch`: 0 to 2**64 - 1."""
    parts = [_number(_BATCH, batch)]
    for result in results:
        length = len(result)
        parts.append(_RESULTS_HEADS[length] if length < _SHORT else _RESULTS + _varint(length))
        parts.append(result)
    return b"".join(parts)


def to_decision(decision: Decision, answer: Answer | None = None) -> bytes:
    """Decision; `answer` is what the client is to get, if it was asked for and is not allow."""
    # Piece by piece: to put them together by `+` copies each once more.
    name = decision.id.encode()
    length = len(name)
    framed = _framed(decision)
    parts = [_ID_HEADS[length] if length < _SHORT else _ID + _varint(length), name, framed.head]
    again = again_of(decision)
    for signal in decision.signals:
        parts.append(_signal(signal) if again is None or again.signal is not signal else _again(again))
    parts.append(framed.tail)
    if decision.retry_after_s:
        parts.append(_number(_RETRY_AFTER, decision.retry_after_s))
    if decision.set_cookie:
        cookie = decision.set_cookie.encode()
        length = len(cookie)
        parts.append(_COOKIE_HEADS[length] if length < _SHORT else _SET_COOKIE + _varint(length))
        parts.append(cookie)
    if answer is not None:
        parts.append(_ANSWER + _sized(_answer(answer)))
    return b"".join(parts)


def _head(key: tuple[str, str, str, int]) -> bytes:
    verdict, would_be, mode, score = key
    verdicts = _number(_VERDICT, _VERDICTS[verdict]) + _number(_WOULD_BE, _VERDICTS[would_be])
    return verdicts + _number(_MODE, _MODES[mode]) + _number(_SCORE, score)


def _tail(key: tuple[str, str, str]) -> bytes:
    policy, rule, config = key
    return _text(_POLICY, policy) + _text(_RULE, rule) + _text(_CONFIG, config)


# All of them in a running service: a thousand scores, policies and rules.  The signals differ in what was measured only.
_HEADS = Answers(1024, _head)
_TAILS = Answers(256, _tail)


class _Framed:
    """How the last decision was told, but for what is its own: mostly the next one is told the same."""

    __slots__ = ("head", "tail", "words")

    def __init__(self) -> None:
        self.words = Words()
        self.head = self.tail = b""


_LAST: _Framed = _Framed()


def _framed(decision: Decision) -> _Framed:
    """What stands before and behind the findings."""
    last = _LAST
    if not last.words.are_of(decision):
        last.head = _HEADS[decision.verdict, decision.would_be, decision.mode, decision.score]
        last.tail = _TAILS[decision.policy, decision.rule, decision.config]
        last.words.take(decision)
    return last


def _signal(signal: Signal) -> bytes:
    """One of Decision.signals, with its tag."""
    counted = signal.as_count
    return _sized_signal(signal) if counted is None else _COUNTS[counted]


def _again(again: Again) -> bytes:
    """The same of what comes again and again."""
    if not again.told:
        again.told = _sized_signal(again.signal)
    return again.told


def _sized_signal(signal: Signal) -> bytes:
    parts = [_FINDS[signal.id, signal.points, signal.detail, signal.subject]]
    for measure in signal.measures:
        told = _measure(measure)
        parts += (_MEASURES, _size(len(told)), told)
    if signal.attack_type:
        parts.append(_TYPES[signal.attack_type])
    return _SIGNALS + _sized(b"".join(parts))


def _count(told: Counted) -> bytes:
    return _sized_signal(of_count(told))


_COUNTS = Answers(1024, _count)


def _find(key: tuple[str, int, str, str]) -> bytes:
    name, points, detail, subject = key
    zigzag = points << 1 if points >= 0 else (-points << 1) - 1
    qualified = _text(_SIGNAL_ID, name) + _number(_POINTS, zigzag) + _text(_DETAIL, detail)
    return qualified + _number(_SUBJECT, _SUBJECTS.get(subject, pb.SUBJECT_UNSPECIFIED))


_FINDS = Answers(1024, _find)
_TYPES: Answers[str, bytes] = Answers(256, lambda attack_type: _text(_ATTACK_TYPE, attack_type))


def _measure(measure: Measure) -> bytes:
    value, limit = measure.value, measure.limit
    name = _MEASURED[measure.name]
    if value == 0.0 and copysign(1.0, value) > 0.0:  # -0.0 and NaN are told
        return name if limit is None else name + _DOUBLE_OF(_LIMIT, limit)
    return name + (_DOUBLE_OF(_VALUE, value) if limit is None else _TWO_DOUBLES_OF(_VALUE, value, _LIMIT, limit))


_MEASURED: Answers[str, bytes] = Answers(256, lambda name: _text(_NAME, name))


def _answer(answer: Answer) -> bytes:
    headers = [pb.Header(name=name.encode("latin-1"), value=value.encode("latin-1")) for name, value in answer.headers]
    return pb.Answer(status=answer.status, headers=headers, body=answer.body).SerializeToString()


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, the top bit set where more follow."""
    told = bytearray()
    while number > 0x7F:
        told.append(number & 0x7F | 0x80)
        number >>= 7
    told.append(number)
    return bytes(told)


_SHORT = 2048
_SIZES = [_varint(length) for length in range(_SHORT)]


def _heads(tag: bytes) -> list[bytes]:
    """What stands before a value, by its length; nothing before an empty one."""
    return [tag + size if length else b"" for length, size in enumerate(_SIZES)]


_ID_HEADS, _COOKIE_HEADS = _heads(_ID), _heads(_SET_COOKIE)
# Of messages: an empty one is told too.
_RESULT_HEADS, _RESULTS_HEADS = [_RESULT_DECISION + size for size in _SIZES], [_RESULTS + size for size in _SIZES]


def _size(length: int) -> bytes:
    return _SIZES[length] if length < _SHORT else _varint(length)


def _sized(value: bytes) -> bytes:
    return _size(len(value)) + value


def _number(tag: bytes, number: int) -> bytes:
    return tag + _varint(number) if number else b""


def _text(tag: bytes, text: str) -> bytes:
    return tag + _sized(text.encode()) if text else b""
