"""challenge/human_desk.py: a token for each page, and what a report shows."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from botsieve.challenge.events import MAX_REPORT
from botsieve.challenge.human_desk import COLLECTOR, PER_PREFIX_MIN, Heard, HumanDesk, script_answer
from botsieve.challenge.sequence_settings import SequenceRules
from botsieve.challenge.sequences import IRREGULAR, REGULAR
from botsieve.observation import Observation
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.challenge import hands
from tests.unit.challenge.builders import KEYS, NOW_S, request

RULES = SequenceRules()


def asked(method: bytes = b"GET", **facts: Any) -> Observation:
    """A call of the page's script."""
    headers = {b"sec-fetch-dest": b"empty", b"sec-fetch-site": b"same-origin", b"accept": b"*/*", **facts.pop("headers", {})}
    return request(method=method, uri=b"/.botsieve/e", headers=headers, **facts)


def desk() -> HumanDesk:
    return HumanDesk(KEYS, b"process")


def token(at: HumanDesk, now_s: float = NOW_S, number: int = 1) -> str:
    answer = at.open(asked(), now_s, number.to_bytes(8, "big"))
    assert answer.status == 200
    return answer.body.decode()


def heard(at: HumanDesk, body: bytes, now_s: float = NOW_S + 20, **facts: Any) -> Heard:
    return at.hear(asked(b"POST", **facts), body, RULES, now_s)


def test_a_report_is_scored() -> None:
    """204 and what it shows."""
    at = desk()
    found = heard(at, hands.body(token(at), hands.REGULAR["mouse"]))
    assert (found.answer.status, found.answer.body) == (204, b"")
    assert found.finding is not None
    assert found.finding.word == REGULAR


def test_a_driven_report_is_answered_alike() -> None:
    """Who drives a browser does not hear that it was noticed."""
    at = desk()
    good = heard(at, hands.body(token(at), hands.REGULAR["mouse"]))
    bad = heard(at, hands.body(token(at, number=2), hands.IRREGULAR["press_dwell"]))
    assert bad.finding is not None
    assert bad.finding.word == IRREGULAR
    assert good.answer == bad.answer


def test_a_report_counts_once() -> None:
    """The same bytes again: 409, and nothing is taken."""
    at = desk()
    body = hands.body(token(at), hands.REGULAR["keys"])
    assert heard(at, body).answer.status == 204
    again = heard(at, body)
    assert (again.answer.status, again.finding) == (409, None)


def test_without_a_page_there_is_no_report() -> None:
    """A made-up token is refused, whatever the events are; the script then fetches another."""
    at = desk()
    assert heard(at, hands.body("made-up", hands.REGULAR["mouse"])).answer.status == 403
    assert heard(at, hands.body(token(HumanDesk(KEYS, b"other")), hands.REGULAR["mouse"])).answer.status == 403


def test_a_report_of_more_time_than_has_passed_is_irregular() -> None:
    """Ten minutes at the page within a second of opening the page: nobody's."""
    at = desk()
    entries = [*hands.movement(), *hands.press(), [8, 600_000, 0]]
    found = heard(at, hands.body(token(at), entries), NOW_S + 1)
    assert found.finding is not None
    assert found.finding.rules == ("time",)
    later = heard(at, hands.body(token(at, number=2), entries), NOW_S + 700)
    assert later.finding is not None
    assert later.finding.word == REGULAR


@pytest.mark.parametrize(
    ("body", "facts", "status"),
    [
        (b"x" * (MAX_REPORT + 1), {}, 413),
        (b"rubbish", {}, 400),
        (None, {"headers": {b"sec-fetch-site": b"cross-site"}}, 403),
        (None, {"headers": {b"sec-fetch-site": b"", b"origin": b"https://evil.example"}}, 403),
        (None, {"method": b"PUT"}, 405),
    ],
)
def test_what_is_refused(body: bytes | None, facts: dict[str, Any], status: int) -> None:
    """A status each, and nothing is taken."""
    at = desk()
    method = facts.pop("method", b"POST")
    whole = hands.body(token(at), hands.REGULAR["mouse"]) if body is None else body
    found = at.hear(asked(method, **facts), whole, RULES, NOW_S + 20)
    assert (found.answer.status, found.finding) == (status, None)


def test_a_valid_token_with_bad_events_is_malformed() -> None:
    """The token is looked at first, then the events."""
    at = desk()
    assert heard(at, hands.body(token(at), [])).answer.status == 400


def test_one_network_is_heard_so_often_a_minute() -> None:
    """Then 429; another network is heard."""
    at = desk()
    for number in range(PER_PREFIX_MIN):
        assert at.open(asked(), NOW_S, number.to_bytes(8, "big")).status == 200
    assert at.open(asked(), NOW_S, b"12345678").status == 429
    assert heard(at, b"x", NOW_S).answer.status == 429
    assert at.open(asked(address="198.51.100.1"), NOW_S, b"12345678").status == 200
    assert at.open(asked(), NOW_S + 120, b"12345678").status == 200


def test_switched_off_it_is_not_there() -> None:
    """`browser.events: false`: 404 for both."""
    at = desk()
    at.apply(KEYS, enabled=False)
    assert at.open(asked(), NOW_S, b"12345678").status == 404
    assert heard(at, b"x").answer.status == 404


def test_a_token_is_never_kept_by_a_cache() -> None:
    """The page holds nothing of one visitor; the token does, and is fetched."""
    assert desk().open(asked(), NOW_S, b"12345678").header("Cache-Control") == "no-store"


@given(st.binary(max_size=MAX_REPORT + 10))
def test_any_bytes_are_answered(body: bytes) -> None:
    """4xx for what is no report; nothing raises."""
    assert 400 <= heard(desk(), body).answer.status < 500


def test_nothing_is_kept_of_a_report() -> None:
    """After scoring the desk holds a number for the page's token, and no event."""
    at = desk()
    text = token(at)
    heard(at, hands.body(text, hands.REGULAR["mouse"]))
    assert list(at.tokens._next.values()) == [(1, int(NOW_S))]


def test_the_collector_is_small() -> None:
    """At most 1 KB gzip, as it is sent."""
    assert len(gzip.compress(COLLECTOR, 9)) <= 1024


def test_the_collector_never_reads_a_key_or_a_text() -> None:
    """No key value, no content of a field, no other host."""
    for word in (b".key)", b".key ", b"e.code", b".value", b".innerText", b".data", b"http:", b"https:", b"cookie", b"Storage"):
        assert word not in COLLECTOR, word


def test_one_script_for_everything_that_is_on() -> None:
    """The collector stays out of the worker that the device's script starts of itself; nothing on is an empty script."""
    assert script_answer(COLLECTOR, b"").body == COLLECTOR
    both = script_answer(COLLECTOR, b"device();\n").body
    assert both.startswith(b"device();\n")
    assert b"typeof document!='undefined'" in both
    assert script_answer(b"", b"device();\n").body == b"device();\n"
    nothing = script_answer(b"", b"")
    assert (nothing.status, nothing.body) == (200, b"")
