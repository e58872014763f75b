"""service/botsieve/transports/grpc_told.py: a decision as bytes, the same that protobuf writes."""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.decision import (
    ALLOW,
    BLOCK,
    CHALLENGE,
    ENFORCE,
    MONITOR,
    VERDICTS,
    Again,
    Decision,
    Measure,
    Signal,
    Violation,
)
from botsieve.transports.grpc_told import (
    to_check_response,
    to_check_result,
    to_check_stream_response,
    to_decision,
)
from botsieve.v1 import decision_pb2 as pb
from botsieve.v1 import decision_service_pb2 as service_pb
from botsieve.values import replace
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.grpc_harness import Answer

SUBJECTS = ("", "address", "network", "fingerprint", "client", "session", "device", "site", "nobody")


def read(decision: Decision, answer: Answer | None = None) -> pb.Decision:
    return pb.Decision.FromString(to_decision(decision, answer))


def decision(**fields: Any) -> Decision:
    whole = {"id": "7k3m-9x2q-f4d1-p8wz", "verdict": ALLOW, "would_be": CHALLENGE, "mode": MONITOR, "score": 55, "bot": False}
    rest = {"signals": (), "rule": "threshold.challenge", "policy": "shop", "audience": "mixed", "config": "0123456789ab"}
    return Decision(**{**whole, **rest, **fields})


def test_a_decision_arrives_whole() -> None:
    """Every field of the proto's Decision says what ours says."""
    signals = (
        Signal(
            "timing.suspicious_timing", 35, "cv", "client", (Measure("cv", 0.01, 0.05), Measure("count", 50)), "Bot Detected"
        ),
        Signal("agent.bot_useragent", 40, "curl"),
    )
    told = read(decision(signals=signals, retry_after_s=7, set_cookie="__Host-botsieve_s=x; Path=/"))
    assert (told.id, told.verdict, told.would_be, told.mode) == (
        "7k3m-9x2q-f4d1-p8wz",
        pb.VERDICT_ALLOW,
        pb.VERDICT_CHALLENGE,
        pb.MODE_MONITOR,
    )
    assert (told.score, told.policy, told.rule, told.config) == (55, "shop", "threshold.challenge", "0123456789ab")
    assert (told.retry_after_s, told.set_cookie) == (7, "__Host-botsieve_s=x; Path=/")
    first, second = told.signals
    assert (first.id, first.points, first.detail, first.subject) == ("timing.suspicious_timing", 35, "cv", pb.SUBJECT_CLIENT)
    assert first.attack_type == "Bot Detected"
    limited, free = first.measures
    assert (limited.name, limited.value, limited.limit, limited.HasField("limit")) == ("cv", 0.01, 0.05, True)
    assert not free.HasField("limit")
    assert second.subject == pb.SUBJECT_UNSPECIFIED
    assert not told.HasField("answer")
    assert not told.HasField("lease")


def test_verdicts_and_modes_have_their_own_numbers() -> None:
    """allow, challenge, block, monitor and enforce are told apart."""
    told = [read(decision(verdict=verdict, would_be=verdict, mode=ENFORCE)) for verdict in (ALLOW, CHALLENGE, BLOCK)]
    assert [one.verdict for one in told] == [pb.VERDICT_ALLOW, pb.VERDICT_CHALLENGE, pb.VERDICT_BLOCK]
    assert told[0].mode == pb.MODE_ENFORCE


def test_an_answer_is_carried_as_it_is() -> None:
    """Status, headers in order and any bytes of the body."""
    told = read(decision(verdict=BLOCK), Answer(403, [("a", "1"), ("b", "\xff")], b"\x00\xff"))
    assert (told.answer.status, told.answer.body) == (403, b"\x00\xff")
    assert [(field.name, field.value) for field in told.answer.headers] == [(b"a", b"1"), (b"b", b"\xff")]


def in_protobufs_own_words(decision: Decision, answer: Answer | None) -> pb.Decision:
    """The same, made of messages: what the bytes are held against."""
    return pb.Decision(
        id=decision.id,
        verdict=f"VERDICT_{decision.verdict.upper()}",
        would_be=f"VERDICT_{decision.would_be.upper()}",
        mode=f"MODE_{decision.mode.upper()}",
        score=decision.score,
        signals=[
            pb.Signal(
                id=signal.id,
                points=signal.points,
                detail=signal.detail,
                subject=f"SUBJECT_{signal.subject.upper()}" if signal.subject in SUBJECTS[1:-1] else None,
                measures=[pb.Measure(name=one.name, value=one.value, limit=one.limit) for one in signal.measures],
                attack_type=signal.attack_type,
            )
            for signal in decision.signals
        ],
        policy=decision.policy,
        rule=decision.rule,
        config=decision.config,
        retry_after_s=decision.retry_after_s,
        set_cookie=decision.set_cookie,
        answer=None
        if answer is None
        else pb.Answer(
            status=answer.status,
            headers=[pb.Header(name=name.encode("latin-1"), value=value.encode("latin-1")) for name, value in answer.headers],
            body=answer.body,
        ),
    )


# Lengths on both sides of one and two bytes of a varint, and of what is kept ready.
TEXT = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "x", "y" * 127, "\u00e9" * 64, "z" * 128, "n" * 2047, "m" * 20_000])
)
NUMBER = st.one_of(st.sampled_from([0.0, -0.0, 1.0, 5e-324]), st.floats(), st.integers(-(2**53), 2**53))
SIGNALS = st.builds(
    Signal,
    id=TEXT,
    points=st.one_of(st.integers(-100, 100), st.sampled_from([2**31 - 1, -(2**31)])),
    detail=TEXT,
    subject=st.sampled_from(SUBJECTS),
    measures=st.lists(st.builds(Measure, TEXT, NUMBER, st.none() | NUMBER), max_size=3).map(tuple),
    attack_type=TEXT,
)
DECISIONS = st.builds(
    Decision,
    id=TEXT,
    verdict=st.sampled_from(VERDICTS),
    would_be=st.sampled_from(VERDICTS),
    mode=st.sampled_from((MONITOR, ENFORCE)),
    score=st.one_of(st.integers(0, 100), st.just(2**32 - 1)),
    bot=st.booleans(),
    signals=st.lists(SIGNALS, max_size=3).map(tuple),
    rule=TEXT,
    policy=TEXT,
    audience=st.just("mixed"),
    config=TEXT,
    retry_after_s=st.one_of(st.integers(0, 300), st.just(2**32 - 1)),
    set_cookie=TEXT,
)
ANSWERS = st.none() | st.builds(
    Answer,
    status=st.integers(400, 499),
    headers=st.lists(
        st.tuples(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255))), max_size=3
    ),
    body=st.one_of(st.binary(max_size=50), st.just(bytes(20_000))),
)


@given(DECISIONS, ANSWERS)
def test_the_bytes_are_those_that_protobuf_writes(decision: Decision, answer: Answer | None) -> None:
    """Any decision: byte for byte what protobuf makes of the same values, and nothing that it does not know."""
    written = to_decision(decision, answer)
    assert written == in_protobufs_own_words(decision, answer).SerializeToString(deterministic=True)


@pytest.mark.parametrize("value", [7.0, 0.0, -0.0, 0.5, -7.0, 1e9])
@pytest.mark.parametrize("limit", [None, 5.0, 0.0, -0.0])
def test_a_count_that_comes_again_is_told_again(value: float, limit: float | None) -> None:
    """What is known from the last time is what protobuf writes this time."""
    signal = Signal("sessions.opening", 0, "no_cookie", "client", (Measure("page_loads", value, limit),), "Some Anomaly")
    decision = Decision("id", ALLOW, ALLOW, MONITOR, 0, False, (signal,), "threshold.allow", "all", "browser", "0" * 12)
    for _ in range(2):
        assert to_decision(decision) == in_protobufs_own_words(decision, None).SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verdict", BLOCK),
        ("would_be", BLOCK),
        ("mode", ENFORCE),
        ("score", 7),
        ("policy", "x"),
        ("rule", "rule.x"),
        ("config", "x"),
    ],
)
def test_what_the_last_decision_was_told_is_not_told_of_another(name: str, value: object) -> None:
    """Two answers in a row that differ in one thing."""
    for found in (decision(), decision(**{name: value}), decision()):
        assert to_decision(found) == in_protobufs_own_words(found, None).SerializeToString(deterministic=True)


def test_a_finding_that_comes_again_is_told_like_any_other() -> None:
    """The first time and the next, alone and beside others, and where it does not stand among the signals."""
    signal = Signal("sessions.opening", 0, "no_cookie", "client", (Measure("page_loads", 7.0, 5.0),), "Some Anomaly")
    other = Signal("agent.bot_useragent", 40, "curl")
    violation = Violation("sessions.opening", "Some Anomaly", "client", bytes(8), "alarm", signal.measures, 60.0, "no_cookie")
    violation = replace(violation, again=Again(signal))
    assert violation.signal is signal
    for signals in ((signal,), (signal,), (other, signal), (signal, other), (other,), ()):
        found = decision(signals=signals, violations=(violation,))
        assert to_decision(found) == in_protobufs_own_words(found, None).SerializeToString(deterministic=True)


@given(st.lists(DECISIONS, max_size=4), st.one_of(st.sampled_from([0, 1, 127, 128, 2**64 - 1]), st.integers(0, 2**64 - 1)))
def test_the_frames_are_those_that_protobuf_writes(decisions: list[Decision], batch: int) -> None:
    """CheckResponse, CheckResult and CheckStreamResponse around decisions, and around an error that protobuf wrote."""
    each = [in_protobufs_own_words(decision, None) for decision in decisions]
    for decision, message in zip(decisions, each, strict=True):
        response = service_pb.CheckResponse(decision=message)
        assert to_check_response(to_decision(decision)) == response.SerializeToString(deterministic=True)
    error = service_pb.CheckResult(error=service_pb.CheckError(reason="ERROR_REASON_OVERLOADED", message="no room"))
    results = [service_pb.CheckResult(decision=message) for message in each]
    whole = service_pb.CheckStreamResponse(batch=batch, results=[*results, error])
    told = [to_check_result(to_decision(decision)) for decision in decisions]
    assert to_check_stream_response(batch, [*told, error.SerializeToString()]) == whole.SerializeToString(deterministic=True)


@pytest.mark.parametrize("fields", [{"verdict": "maybe"}, {"mode": "dreaming"}])
def test_a_word_that_the_proto_does_not_know_is_no_decision(fields: dict[str, str]) -> None:
    """A verdict or mode without a number is our own fault and never sent as something else."""
    with pytest.raises(KeyError):
        to_decision(decision(**fields))
