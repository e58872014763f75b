"""challenge/desk.py: handing out challenges and taking solutions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botsieve.challenge import pow
from botsieve.challenge.desk import PREFIXES_OF_A_48
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.settings import LevelSettings, NoJsSettings
from hypothesis import given
from hypothesis import strategies as st

from .builders import (
    ID,
    KEYS,
    LEVELS,
    NOW_S,
    answers_of,
    body_of,
    challenged,
    cleared,
    code_of,
    cookie_of,
    desk,
    nonce,
    page_data,
    post,
    request,
    settings,
    wait_query,
    waited,
)

API = {b"accept": b"application/json", b"sec-fetch-dest": b"empty"}


def _blocked(o: Any, retry_after_s: int = 0) -> Any:
    return desk().answer(
        o, verdict="block", decision_id=ID, retry_after_s=retry_after_s, score=90, now_s=NOW_S, random16=nonce(1)
    )


def test_a_document_gets_the_page() -> None:
    """Challenge: HTML with `page_status`, said to be issued at its level."""
    answer = challenged(desk(), level="hard")
    assert (answer.status, answer.event, answer.level) == (403, "issued", "hard")
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("X-Botsieve-Id") == ID
    assert page_data(answer)["puzzles"] == LEVELS["hard"].puzzles


@pytest.mark.parametrize(
    ("headers", "method", "is_page"),
    [
        ({}, b"GET", True),
        ({b"sec-fetch-dest": b"iframe"}, b"GET", True),
        ({b"sec-fetch-dest": b"document"}, b"POST", True),
        ({b"sec-fetch-dest": b""}, b"GET", True),
        ({b"sec-fetch-dest": b""}, b"POST", False),
        ({b"sec-fetch-dest": b"empty"}, b"GET", False),
        ({b"sec-fetch-dest": b"image"}, b"GET", False),
        ({b"sec-fetch-dest": b"", b"accept": b"*/*"}, b"GET", False),
    ],
)
def test_who_gets_a_page(headers: dict[bytes, bytes], method: bytes, is_page: bool) -> None:
    """The table of docs/headers.md, "The second hop"."""
    answer = challenged(desk(), request(headers=headers, method=method))
    assert answer.header("Content-Type").startswith("text/html" if is_page else "application/problem+json")


def test_the_problem_document_of_a_challenge() -> None:
    """Exactly the keys that docs/headers.md names."""
    document = json.loads(challenged(desk(), request(headers=API)).body)
    assert document == {
        "type": "about:blank",
        "title": "Challenge required",
        "status": 403,
        "code": "botsieve_challenge",
        "id": ID,
        "challenge": {"token": document["challenge"]["token"], "puzzles": 4, "bits": 8, "solve": "/.botsieve/solve"},
    }


def test_refusals() -> None:
    """Block: a page for documents; for others 403, or 429 with Retry-After when it rests on a rate."""
    page = _blocked(request(), 30)
    assert (page.status, page.header("Content-Type"), page.header("Retry-After")) == (403, "text/html; charset=utf-8", "30")
    assert (code_of(_blocked(request(headers=API))), _blocked(request(headers=API)).status) == ("botsieve_block", 403)
    rate = _blocked(request(headers=API), 30)
    assert (code_of(rate), rate.status, rate.header("Retry-After"), rate.event) == ("botsieve_rate", 429, "30", "")


def test_a_solution_earns_a_clearance() -> None:
    """204, no body, one cookie of the challenge's level for this host."""
    at = desk()
    answer = at.solve(post(), body_of(page_data(challenged(at, level="hard"))), NOW_S + 1)
    assert (answer.status, answer.body, answer.event, answer.level) == (204, b"", "solved", "hard")
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Set-Cookie").endswith("; Max-Age=86400; Path=/; HttpOnly; SameSite=None; Secure")
    standing = at.clearances.standing(request(headers={b"cookie": cookie_of(answer)}), NOW_S + 2)
    assert standing is not None
    assert standing.level == "hard"


def test_a_program_can_solve_the_problem_document() -> None:
    """The token of the problem document is solved like that of the page; no header of a browser is needed."""
    at = desk()
    program = {b"user-agent": b"acme-sdk/1.2", b"accept": b"application/json", b"sec-fetch-dest": b""}
    asked = json.loads(challenged(at, request(headers=program)).body)["challenge"]
    headers = {**program, b"sec-fetch-site": b"", b"content-type": b"application/json; charset=utf-8"}
    answer = at.solve(post(headers=headers), body_of(asked), NOW_S)
    assert answer.status == 204
    assert at.clearances.standing(request(headers={**program, b"cookie": cookie_of(answer)}), NOW_S) is not None


# Refused before a challenge of ours was recognised: nothing to count.
_NOT_OURS = {"method", "cross_site", "content_type", "too_large", "malformed", "invalid"}


def _refused(code: str, at: Any = None, o: Any = None, body: Any = None, after_s: float = 1.0) -> int:
    """Asks for a challenge, changes one thing, and expects this code and no cookie; returns the status."""
    at = at or desk()
    data = page_data(challenged(at))
    answer = at.solve(o or post(), body_of(data) if body is None else body(data), NOW_S + after_s)
    assert code_of(answer) == f"botsieve_{code}"
    assert answer.header("Set-Cookie") == ""
    assert (answer.event, answer.level) in (("failed", "normal"), ("", "")), "an event has a level"
    assert answer.event or code in _NOT_OURS
    return answer.status


def test_each_check_refuses_with_its_code() -> None:
    """One changed thing at a time; everything else is right."""
    assert _refused("method", o=post(method=b"GET")) == 405
    assert _refused("cross_site", o=post(headers={b"sec-fetch-site": b"cross-site"})) == 403
    assert _refused("cross_site", o=post(headers={b"sec-fetch-site": b"", b"origin": b"https://evil.example"})) == 403
    assert _refused("content_type", o=post(headers={b"content-type": b"text/plain"})) == 415
    assert _refused("too_large", body=lambda data: body_of(data) + b" " * 8192) == 413
    assert _refused("malformed", body=lambda data: b"{}") == 400
    assert _refused("invalid", body=lambda data: body_of({**data, "token": data["token"][:-1]}, [0])) == 403
    assert _refused("invalid", o=post(host=b"other.example")) == 403
    assert _refused("invalid", o=post(headers={b"user-agent": b"other"})) == 403
    assert _refused("expired", after_s=300.0) == 403
    assert _refused("work", body=lambda data: body_of(data, [0] * 4)) == 403
    assert _refused("work", body=lambda data: body_of(data, answers_of(data)[:-1])) == 403


def test_a_solution_is_good_to_the_last_second() -> None:
    """`valid_s` less a moment is still in time."""
    at = desk()
    assert at.solve(post(), body_of(page_data(challenged(at))), NOW_S + 299.9).status == 204


def test_it_is_redeemed_once() -> None:
    """The second time the same solution is refused."""
    at = desk()
    body = body_of(page_data(challenged(at)))
    assert at.solve(post(), body, NOW_S).status == 204
    again = at.solve(post(), body, NOW_S + 1)
    assert (again.status, code_of(again), again.header("Set-Cookie")) == (409, "botsieve_spent", "")


def test_only_the_process_that_issued_redeems() -> None:
    """Another process with the same keys, and this one after a restart, send the visitor for a new challenge."""
    data = page_data(challenged(desk(b"one")))
    answer = desk(b"two").solve(post(), body_of(data), NOW_S)
    assert (answer.status, code_of(answer)) == (409, "botsieve_elsewhere")


def test_one_solution_of_page_and_wait_is_redeemed() -> None:
    """Both ways out of one page share a nonce: two clearances are not to be had."""
    at = desk()
    page = challenged(at)
    assert at.solve(post(), body_of(page_data(page)), NOW_S).status == 204
    late = at.wait(request(uri=b"/.botsieve/wait?" + wait_query(page)), NOW_S + 6)
    assert (late.status, late.header("Set-Cookie")) == (403, "")


def test_a_solution_from_elsewhere_counts_as_roaming() -> None:
    """Who solves from another network uses up one of `roam`; with 0 it is refused and the work is spent."""
    at = desk(roam=1)
    data = page_data(challenged(at))
    answer = at.solve(post(address="198.51.100.9"), body_of(data), NOW_S)
    cookie = {b"cookie": cookie_of(answer)}
    assert at.clearances.standing(request(headers=cookie), NOW_S) is not None
    assert at.clearances.standing(request(headers=cookie, address="192.0.2.1"), NOW_S) is None
    assert _refused("invalid", at=desk(roam=0), o=post(address="198.51.100.9")) == 403


def test_a_prefix_has_its_solutions_a_minute() -> None:
    """The limit counts the /24; the refused solution is not spent and works a minute later; others are not concerned."""
    at = desk(per_prefix_per_min=3)
    for number in range(3):
        cleared(at, number=number, address=f"203.0.113.{number}")
    data = page_data(challenged(at, number=9))
    refused = at.solve(post(), body_of(data), NOW_S + 1)
    assert (refused.status, code_of(refused), refused.header("Retry-After")) == (429, "botsieve_too_many", "60")
    assert cleared(at, number=10, address="198.51.100.1")
    assert at.solve(post(), body_of(data), NOW_S + 120).status == 204


def test_an_ipv6_network_has_one_quota_too() -> None:
    """A /48 has sixteen times that of a /64, by solving and by waiting, however many of its 65,536 are used; others are not concerned."""
    at = desk(per_prefix_per_min=1)
    for number in range(PREFIXES_OF_A_48):
        assert cleared(at, number=number, address=f"2001:db8:1:{number:x}::7")
    data = page_data(challenged(at, number=99))
    refused = at.solve(post(address="2001:db8:1:ffff::7"), body_of(data), NOW_S + 1)
    assert (refused.status, code_of(refused)) == (429, "botsieve_too_many")
    assert cleared(at, number=100, address="2001:db8:2::7")
    got = [
        waited(at, number=200 + number, address=f"2001:db8:3:{number:x}::7").status for number in range(PREFIXES_OF_A_48 + 1)
    ]
    assert got == [303] * PREFIXES_OF_A_48 + [429]


def test_a_prefix_has_its_attempts_too() -> None:
    """Who posts rubbish is soon not read any more."""
    at = desk(per_prefix_per_min=1)
    statuses = [at.solve(post(), b"{}", NOW_S).status for _ in range(11)]
    assert statuses == [400] * 10 + [429]
    assert at.solve(post(address="198.51.100.1"), b"{}", NOW_S).status == 400


def test_a_loop_is_explained_and_ends() -> None:
    """After three clearances in five minutes that never came back the page explains; later, or elsewhere, it does not."""
    at = desk(loop_limit=3)
    for number in range(3):
        assert page_data(challenged(at, number=number))["manual"] is False
        cleared(at, number=number)
    assert page_data(challenged(at, number=5))["manual"] is True
    assert page_data(challenged(at, request(address="203.0.113.8"), number=6))["manual"] is False
    assert page_data(challenged(at, number=7, now_s=NOW_S + 301))["manual"] is False


def test_clearances_that_come_back_are_no_loop() -> None:
    """Many people behind one address with one browser version see no explanation."""
    at = desk(loop_limit=3)
    for number in range(10):
        cookie = {b"cookie": cleared(at, number=number)}
        standing = at.clearances.standing(request(headers=cookie), NOW_S)
        assert standing is not None
        at.clearances.count(standing, NOW_S)
    assert page_data(challenged(at, number=11))["manual"] is False


def test_clearances_that_are_not_enough_are_a_loop() -> None:
    """Who comes back with a clearance that holds and is challenged all the same, three times, gets the explanation."""
    at = desk(loop_limit=3)
    held = request(headers={b"cookie": cleared(at, level="light")})
    standing = at.clearances.standing(held, NOW_S)
    assert standing is not None
    at.clearances.count(standing, NOW_S)
    manual = [page_data(challenged(at, held, level="normal", number=number))["manual"] for number in range(2, 5)]
    assert manual == [False, False, True]


def test_the_level_is_raised_after_a_spoiled_clearance() -> None:
    """The desk serves the higher level by itself; an unknown level is normal."""
    at = desk()
    standing = at.clearances.standing(request(headers={b"cookie": cleared(at, level="normal")}), NOW_S)
    assert standing is not None
    at.clearances.spoil(standing)
    assert challenged(at, level="light", number=2).level == "hard"
    assert challenged(at, request(address="203.0.113.8"), level="", number=3).level == "normal"


def test_waiting_leads_to_the_page_that_was_asked_for() -> None:
    """303 to path and query, with a clearance of 300 s that says how it was earned."""
    at = desk()
    answer = waited(at)
    assert (answer.status, answer.header("Location"), answer.event) == (303, "/items/17?ref=a", "solved")
    assert "; Max-Age=300; " in answer.header("Set-Cookie")
    standing = at.clearances.standing(request(headers={b"cookie": cookie_of(answer)}), NOW_S + 6)
    assert standing is not None
    assert (standing.no_js, standing.level, standing.expires_s) == (True, "normal", int(NOW_S) + 305), "the level asked for"


def test_waiting_too_short_too_long_or_twice() -> None:
    """Too early: the page asks again by itself and nothing is spent.  Too late or again: no clearance."""
    at = desk()
    query = wait_query(challenged(at))
    o = request(uri=b"/.botsieve/wait?" + query)
    early = at.wait(o, NOW_S + 3.2)
    assert (early.status, early.header("Set-Cookie"), early.event) == (403, "", "failed")
    assert b'content="2; url=/.botsieve/wait?' in early.body
    assert at.wait(o, NOW_S + 5).status == 303
    again = at.wait(o, NOW_S + 6)
    assert (again.status, again.header("Set-Cookie")) == (403, "")
    assert b'href="/items/17?ref=a"' in again.body
    assert waited(at, number=2, after_s=300.0).status == 403


def test_a_wait_belongs_to_its_browser() -> None:
    """Another User-Agent, another host, another process or a switched-off path get nothing; nor does another method."""
    at = desk()
    query = wait_query(challenged(at))
    uri = b"/.botsieve/wait?" + query
    others = [
        request(uri=uri, headers={b"user-agent": b"x"}),
        request(uri=uri, host=b"other.example"),
        request(uri=uri, method=b"POST"),
    ]
    for o in others:
        assert at.wait(o, NOW_S + 6).header("Set-Cookie") == ""
    assert desk(b"two").wait(request(uri=uri), NOW_S + 6).header("Set-Cookie") == ""
    assert desk(no_js=NoJsSettings(enabled=False)).wait(request(uri=uri), NOW_S + 6).header("Set-Cookie") == ""
    assert at.wait(request(uri=uri), NOW_S + 6).status == 303


def test_a_form_is_sent_again_after_waiting() -> None:
    """Where a form was challenged the visitor is told to go back, with the clearance."""
    at = desk()
    query = wait_query(challenged(at, request(method=b"POST")))
    answer = at.wait(request(uri=b"/.botsieve/wait?" + query), NOW_S + 5)
    assert (answer.status, answer.header("Location"), answer.event) == (200, "", "solved")
    assert answer.header("Set-Cookie")


def test_waiting_has_a_small_quota() -> None:
    """A tenth of the solutions of a prefix; then 429."""
    at = desk(per_prefix_per_min=20)
    assert [waited(at, number=number).status for number in range(3)] == [303, 303, 429]


def test_a_score_too_high_has_to_work() -> None:
    """From `score_below` on the page offers no path without script."""
    page = challenged(desk(), score=60)
    assert b"/wait?" not in page.body
    assert b"<noscript>" in page.body


def test_assets_lie_under_the_prefix() -> None:
    """Script, worker and style are found under the configured prefix only."""
    at = desk(prefix="/.guard/")
    data = page_data(challenged(at))
    answer = at.asset(data["worker"].encode())
    assert answer is not None
    assert answer.status == 200
    assert at.asset(b"/.guard/c.js") is not None
    assert at.asset(b"/.botsieve/c.js") is None
    assert at.asset(b"/") is None


def test_new_settings_and_keys_take_effect() -> None:
    """After a reload tokens of dropped keys are void, kept keys verify, spent nonces stay spent."""
    at = desk()
    body, cookie = body_of(page_data(challenged(at))), cleared(at, number=2)
    assert at.solve(post(), body, NOW_S).status == 204
    at.apply(settings(levels={**LEVELS, "normal": LevelSettings(3, 8)}), KeyRing((b"k" * 32, b"n" * 32)))
    assert at.solve(post(), body, NOW_S).status == 409
    assert page_data(challenged(at, number=3))["puzzles"] == 3
    assert at.clearances.standing(request(headers={b"cookie": cookie}), NOW_S) is not None
    at.apply(settings(), KeyRing((b"n" * 32,)))
    assert at.clearances.standing(request(headers={b"cookie": cookie}), NOW_S) is None


@given(st.binary(max_size=300), st.sampled_from([b"GET", b"POST", b"PUT", b"\xff"]), st.binary(max_size=40))
def test_nothing_that_is_sent_raises(body: bytes, method: bytes, query: bytes) -> None:
    """Any body, method and query gives an answer and no clearance."""
    at = desk(keys=KEYS)
    for answer in (at.solve(post(method=method), body, NOW_S), at.wait(request(method=method, uri=b"/w?" + query), NOW_S)):
        assert 400 <= answer.status < 500
        assert answer.header("Set-Cookie") == ""
    at.asset(b"/.botsieve/" + body)


def test_an_odd_id_is_left_out() -> None:
    """What is no id of ours reaches neither a header nor the page."""
    for odd in ("a\r\nSet-Cookie: x=y", "<b>", "x" * 65, "ä"):
        answer = desk().answer(request(), verdict="block", decision_id=odd, score=90, now_s=NOW_S, random16=nonce(1))
        assert answer.header("X-Botsieve-Id") == ""
        assert odd not in answer.body.decode()


def test_the_signed_difficulty_counts() -> None:
    """After a reload to more work, a token that was issued with less is still redeemed by its own difficulty."""
    at = desk()
    data = page_data(challenged(at))
    at.apply(settings(levels={**LEVELS, "normal": LevelSettings(4, 12)}), KEYS)
    answers = pow.solve(data["token"].encode(), 4, 8)
    assert at.solve(post(), body_of(data, answers), NOW_S).status == 204
