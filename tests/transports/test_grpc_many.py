"""service/botsieve/client.py, `check_many`: many requests in one call, against the real edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from botsieve.client import BotsieveClient, Outcome, describe
from botsieve.transports import grpc_calls
from botsieve.v1 import decision_pb2 as pb

from tests.transports.grpc_harness import Judge, observation, on_socket

CURL = describe(client="203.0.113.7", method="GET", uri="/items/17", headers=[("User-Agent", "curl/8.5.0")])
PAGE = describe(client="203.0.113.8", method="GET", uri="/items/18")


def ask(target: str, observations: list[pb.Observation], on_failure: str = "allow", **more: Any) -> list[Outcome]:
    with BotsieveClient(target, timeout_s=5, on_failure=on_failure) as client:
        return client.check_many(observations, **more)


def test_many_requests_get_an_outcome_each(tmp_path: Path) -> None:
    """More than one batch, in order; a malformed one is not judged, says why, and harms no other."""
    with on_socket(tmp_path) as edge:
        outcomes = ask(edge.target, [PAGE, CURL, observation(uri=b""), *[PAGE] * 300, CURL], on_failure="block")
    assert [outcome.verdict for outcome in outcomes] == ["allow", "block", "block", *["allow"] * 300, "block"]
    assert [outcome.judged for outcome in outcomes] == [True, True, False, *[True] * 301]
    assert outcomes[2].why == "ERROR_REASON_FIELD_MISSING"
    assert len({outcome.decision.id for outcome in outcomes if outcome.decision}) == 303


def test_no_requests_are_no_call() -> None:
    """An empty list needs no service."""
    assert ask("unix:/nowhere", []) == []


def test_answers_come_when_they_are_wanted(tmp_path: Path) -> None:
    """`want_answer` holds for all of them."""
    with on_socket(tmp_path) as edge:
        (outcome,) = ask(edge.target, [CURL], want_answer=True)
    assert outcome.decision is not None
    assert outcome.decision.answer.status == 403


def test_without_a_service_each_gets_the_failure_mode(tmp_path: Path) -> None:
    """Nobody there: one outcome a request all the same."""
    outcomes = ask(f"unix:{tmp_path}/none.sock", [PAGE] * 3, on_failure="block")
    assert outcomes == [Outcome("block", False, None, "UNAVAILABLE")] * 3


class FailsLater(Judge):
    """Judges one batch, then nothing."""

    def judge(self, o: Any) -> Any:
        self.fails = len(self.seen) >= 256
        return super().judge(o)


def test_what_was_answered_before_a_failure_counts(tmp_path: Path) -> None:
    """The first batch keeps its verdicts; the rest gets the failure mode and the reason."""
    with on_socket(tmp_path, FailsLater()) as edge:
        outcomes = ask(edge.target, [CURL] * 300)
    assert [outcome.judged for outcome in outcomes] == [True] * 256 + [False] * 44
    assert {outcome.verdict for outcome in outcomes[256:]} == {"allow"}
    assert {outcome.why for outcome in outcomes[256:]} == {grpc.StatusCode.INTERNAL.name}


def test_shed_observations_get_the_failure_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service with too much to do says so for each of them."""
    monkeypatch.setattr(grpc_calls, "MAX_JUDGING", 1)
    with on_socket(tmp_path) as edge:
        outcomes = ask(edge.target, [CURL, CURL])
    assert outcomes == [Outcome("allow", False, None, "ERROR_REASON_OVERLOADED")] * 2
