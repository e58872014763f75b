"""botsieve.service: what every transport calls."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from botsieve.decision import ALLOW, BLOCK, CHALLENGE
from botsieve.observation import Observation
from botsieve.service import _FETCHED_S, _MAX_LATE, _REMEMBERED, Ids
from botsieve.transports.edge_headers import observation_of
from botsieve.values import replace
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.edge_harness import CURL, START_S, Service, check


@pytest.fixture
def whole(tmp_path: Path) -> Service:
    return Service(tmp_path)


def seen(uri: str = "/", headers: dict[str, str] | None = None, **facts: str) -> Observation:
    return observation_of(check(uri, headers, **facts).headers, START_S)


def test_ids() -> None:
    """Four groups of four, of letters that nobody confuses, and never twice."""
    ids = Ids()
    made = [ids.next() for _ in range(5_000)]
    assert len(set(made)) == 5_000
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}", one) for one in made)


def test_a_decision_is_recorded_once(whole: Service) -> None:
    """Counted and found by its id; the repeated answer to one request id is neither counted nor recorded again."""
    first = whole.service.judge(seen("/", CURL, Request_Id="r"))
    again = whole.service.judge(seen("/", CURL, Request_Id="r"))
    assert again is first
    assert whole.decisions() == 1
    found = whole.journal.find(first.id)
    assert found is not None
    assert found["verdict"] == CHALLENGE


def test_a_late_decision_is_none(whole: Service) -> None:
    """Nobody was told: no decision in the counters, the log or the ring; what it took is in the histogram of times."""
    assert whole.service.judge_in_time(seen("/", CURL, Request_Id="r"), 0.0) is None
    assert whole.decisions() == 0
    assert len(whole.journal.ring) == 0
    assert whole.journal.log.submitted == 0
    (times,) = [family for family in whole.journal.metrics.families() if family.name == "botsieve_decision_seconds"]
    assert [sample.value for sample in times.samples if sample.name.endswith("_count")] == [1]


def test_a_late_decision_that_is_told_after_all(whole: Service) -> None:
    """The web server asks again about the same request and hears the decision in time: recorded then, and once."""
    assert whole.service.judge_in_time(seen("/", CURL, Request_Id="r"), 0.0) is None
    decision = whole.service.judge(seen("/", CURL, Request_Id="r"))
    assert whole.service.judge(seen("/", CURL, Request_Id="r")) is decision
    assert whole.decisions() == 1
    assert whole.journal.find(decision.id) is not None


def test_late_decisions_are_bounded(whole: Service) -> None:
    """Only the last ones are remembered."""
    for number in range(_MAX_LATE + 2):
        assert whole.service.judge_in_time(seen(f"/{number}"), 0.0) is None
    assert len(whole.service._late) == 2


def test_pages_use_what_was_decided(whole: Service) -> None:
    """The page of a remembered decision has its level and verdict, whatever the second hop claims."""
    decision = whole.service.judge(seen("/strict/", CURL))
    assert decision.verdict == BLOCK
    answer = whole.service.page(seen("/strict/", CURL), CHALLENGE, decision.id, 0)
    assert b"botsieve_block" in answer.body


def test_visitors_are_told_all_for_trials(whole: Service) -> None:
    """`client_headers: all`: verdict, score and reasons beside the id, with a challenge or a block; else the id alone."""
    decision = whole.service.judge(seen("/strict/", CURL))
    names = {name for name, _ in whole.service.answer(seen("/strict/", CURL), decision).headers}
    assert {name for name in names if name.startswith("X-Botsieve-")} == {"X-Botsieve-Id"}
    whole.service.desk.settings = msgspec.structs.replace(whole.service.desk.settings, show_all=True)
    told = dict(whole.service.page(seen("/strict/", CURL), decision.verdict, decision.id, decision.score).headers)
    assert told["X-Botsieve-Id"] == decision.id
    assert (told["X-Botsieve-Verdict"], told["X-Botsieve-Would-Be"]) == (decision.verdict, decision.would_be)
    assert (told["X-Botsieve-Score"], told["X-Botsieve-Reasons"]) == (str(decision.score), ",".join(decision.reasons))


@pytest.mark.parametrize("verdict", ["challenge", "block", "allow", "", "nonsense"])
def test_pages_of_what_is_not_remembered(whole: Service, verdict: str) -> None:
    """Challenge if that was said; everything else is a block: never a way through."""
    answer = whole.service.page(seen("/", CURL), verdict, "7k3m-9x2q-f4d1-p8wz", 50)
    assert answer.status == 403
    assert (b"botsieve_challenge" in answer.body) == (verdict == "challenge")


def test_memory_of_refusals_is_bounded(whole: Service) -> None:
    """Two generations at most, of a minute at most; the last ones are always among them."""
    decision = whole.service.judge(seen("/", CURL))
    for number in range(2 * _REMEMBERED + 10):
        whole.service._remember(replace(decision, id=str(number)), START_S)
    assert len(whole.service._given) + len(whole.service._given_before) <= 2 * _REMEMBERED
    assert str(2 * _REMEMBERED + 9) in whole.service._given
    for later_s in (_FETCHED_S + 1, 2 * _FETCHED_S + 2):
        whole.service._remember(decision, START_S + later_s)
    assert len(whole.service._given) + len(whole.service._given_before) <= 2


@given(numbers=st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3)), max_size=30))
def test_growth_of_an_edges_count(tmp_path_factory: pytest.TempPathFactory, numbers: list[tuple[int, float]]) -> None:
    """A count that only grows is counted exactly, however often and late it is said."""
    whole = _SHARED[0] if _SHARED else Service(tmp_path_factory.mktemp("growth"))
    _SHARED[:] = [whole]
    peer = repr((len(numbers), numbers)).encode()[:64]
    before = whole.unjudged().get("edge_down", 0)
    total = 0
    for step, pause_s in numbers:
        total += step
        whole.now += pause_s
        whole.service.edge_told_unjudged("nginx", total, peer)
        whole.service.edge_told_unjudged("nginx", total, peer)
    assert whole.unjudged().get("edge_down", 0) == before + total


_SHARED: list[Service] = []


def test_tellers_are_bounded(whole: Service) -> None:
    """However many peers tell: at most 256 are remembered, and those beyond are not counted over and over."""
    for _ in range(3):
        for number in range(1_000):
            whole.service.edge_told_unjudged("nginx", 1, number.to_bytes(16, "big"))
    assert len(whole.journal.heard) == 256
    assert whole.unjudged() == {"edge_down": 256}


def test_paused_and_applied(whole: Service) -> None:
    """A pause puts verdicts into monitor mode at once, and a new configuration does not end it."""
    assert whole.service.judge(seen("/", CURL)).verdict == CHALLENGE
    whole.journal.pause()
    whole.service.set_paused(True)
    decision = whole.service.judge(seen("/", CURL))
    assert (decision.verdict, decision.would_be, decision.mode) == (ALLOW, CHALLENGE, "monitor")
    whole.service.apply(whole.loaded.rulebook)
    assert whole.service.judge(seen("/", CURL)).verdict == ALLOW
    whole.journal.resume()
    whole.service.apply(whole.loaded.rulebook)
    assert whole.service.judge(seen("/", CURL)).verdict == CHALLENGE


def test_steps_of_a_challenge_are_counted(whole: Service) -> None:
    """issued with the page, loaded with its script, failed with a solution that is none."""
    decision = whole.service.judge(seen("/", CURL))
    page = whole.service.answer(seen("/", CURL | {"Accept": "text/html"}), decision)
    script = re.search(rb"/\.botsieve/c\.[0-9a-f.a-z]*js", page.body)
    assert script
    assert whole.service.asset(script[0]) is not None
    assert whole.service.asset(b"/.botsieve/none.js") is None
    assert 400 <= whole.service.solve(seen("/.botsieve/solve", CURL, Method="POST"), b"{}").status < 500
    steps = {step for step, _ in whole.journal.metrics.challenges}
    assert {"issued", "loaded"} <= steps
