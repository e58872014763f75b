"""service/botsieve/transports/grpc_batch.py: the observations of one batch, judged a turn's worth at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from botsieve.observation import SEES_TLS
from botsieve.transports.grpc_batch import Batch
from botsieve.transports.grpc_turns import SLICE_S, Turns
from botsieve.v1 import decision_pb2
from botsieve.v1 import decision_service_pb2 as pb

from tests.transports.grpc_harness import Judge, header, observation

NOW_S = 1_700_000_000.0
PAGE = observation().SerializeToString()
CURL = observation(headers=[header(b"user-agent", b"curl/8")]).SerializeToString()


def turns(*readings_s: float) -> Turns:
    """Turns by a clock that shows these times, one a look."""
    readings: Iterator[float] = iter(readings_s)
    return Turns(partial(next, readings))


def failed(error: Exception) -> bytes:
    return pb.CheckResult(error=pb.CheckError(message=str(error))).SerializeToString()


def batch(judge: Judge, raws: list[bytes], *, want_answer: bool = False) -> Batch:
    return Batch(judge, raws, SEES_TLS, failed, want_answer=want_answer)


def test_all_are_judged_while_the_turn_lasts() -> None:
    """In order, with what the gateway's profile sees; nothing is left."""
    judge = Judge()
    asked = batch(judge, [PAGE, CURL, PAGE])
    assert not asked.go_on(turns(*[0.0] * 9), NOW_S)
    verdicts = [pb.CheckResult.FromString(result).decision.verdict for result in asked.results]
    assert verdicts == [decision_pb2.VERDICT_ALLOW, decision_pb2.VERDICT_BLOCK, decision_pb2.VERDICT_ALLOW]
    assert [o.sight & SEES_TLS for o in judge.seen] == [SEES_TLS] * 3
    assert {o.edge_time_s for o in judge.seen} == {NOW_S}


def test_a_turn_that_is_used_up_leaves_the_rest() -> None:
    """At least one is judged in each turn, and none twice."""
    judge = Judge()
    asked = batch(judge, [PAGE] * 3)
    late = turns(SLICE_S, 2 * SLICE_S, 3 * SLICE_S)
    assert asked.go_on(late, NOW_S)
    assert len(judge.seen) == len(asked.results) == 1
    assert asked.go_on(late, NOW_S + 1)
    assert not asked.go_on(late, NOW_S + 2)
    assert [o.edge_time_s - NOW_S for o in judge.seen] == [0, 1, 2]


def test_what_is_wrong_with_one_is_its_own_result() -> None:
    """Bytes that are no Observation, or a fault in one: that one's error; the others are judged."""
    judge = Judge()
    asked = batch(judge, [b"\xff", PAGE, observation(uri=b"").SerializeToString(), CURL])
    assert not asked.go_on(turns(*[0.0] * 9), NOW_S)
    results = [pb.CheckResult.FromString(result) for result in asked.results]
    assert [result.WhichOneof("result") for result in results] == ["error", "decision", "error", "decision"]
    assert "no Observation; accepted" in results[0].error.message
    assert len(judge.seen) == 2


def test_an_answer_is_made_where_it_is_wanted_and_needed() -> None:
    """With `want_answer`, for a verdict that is not allow."""
    for want_answer, statuses in ((True, [0, 403]), (False, [0, 0])):
        asked = batch(Judge(), [PAGE, CURL], want_answer=want_answer)
        assert not asked.go_on(turns(*[0.0] * 9), NOW_S)
        assert [pb.CheckResult.FromString(result).decision.answer.status for result in asked.results] == statuses
