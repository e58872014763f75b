"""One batch of CheckStream: each of its observations judged, a turn's worth at a time.

Law of the file: a result for every observation, in order; what is wrong with one is that one's result.  The hot loop of the gRPC
edge, apart from its calls so that it can be compiled (docs/decisions/0013).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from botsieve.decision import ALLOW, Decision
from botsieve.errors import InvalidObservation
from botsieve.observation import Observation
from botsieve.transports.grpc_map import to_observation
from botsieve.transports.grpc_told import Answer, to_check_result, to_decision
from botsieve.transports.grpc_turns import Turns


class Service(Protocol):
    """What judges: `judge` never raises; `answer` is asked for verdicts other than allow.

    `judge_in_time`: the same, None when it took until after `until_s` of `perf_counter`.
    """

    def judge(self, o: Observation, /) -> Decision: ...
    def judge_in_time(self, o: Observation, until_s: float, /) -> Decision | None: ...

    def answer(self, o: Observation, decision: Decision, /) -> Answer: ...


def told(service: Service, o: Observation, decision: Decision, *, want_answer: bool) -> bytes:
    """A Decision of the proto, with the answer for the visitor where it is wanted and needed."""
    answer = service.answer(o, decision) if want_answer and decision.verdict != ALLOW else None
    return to_decision(decision, answer)


class Batch:
    """`raws`: the observations, each as the proto's bytes; `results`: the CheckResults so far.

    `sees`: SEES_* bits for an observation without `sight`.  `failed(error)`: the CheckResult of an observation with that fault.
    """

    def __init__(
        self, service: Service, raws: list[bytes], sees: int, failed: Callable[[Exception], bytes], *, want_answer: bool
    ) -> None:
        self.results: list[bytes] = []
        self._service = service
        self._raws = raws
        self._sees = sees
        self._failed = failed
        self._want_answer = want_answer

    def go_on(self, turns: Turns, now_s: float) -> bool:
        """Judges the next ones, one at least, until the turn is used up; whether some are left.  `now_s`: the service's clock."""
        service, raws, results = self._service, self._raws, self.results
        while len(results) < len(raws):
            try:
                o = to_observation(raws[len(results)], now_s=now_s, sees=self._sees)
                decision = told(service, o, service.judge(o), want_answer=self._want_answer)
                results.append(to_check_result(decision))
            except InvalidObservation as error:
                results.append(self._failed(error))
            if not turns.has_time():
                break
        return len(results) < len(raws)
