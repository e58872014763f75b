"""challenge/feedback.py: "I am human"."""

from __future__ import annotations

import re

import pytest
from botsieve.challenge.feedback import OUTCOMES, PER_PREFIX_PER_MIN, REFUSED, REPEATED, TAKEN, UNKNOWN, FeedbackDesk, Heard
from botsieve.challenge.pages import block_page
from botsieve.decision import Decision
from botsieve.observation import Observation
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.challenge.builders import ID, NOW_S, request, settings
from tests.unit.journal.samples import decision

GIVEN = decision(1, would_be="block", verdict="block", id=ID)
BODY = b"id=" + ID.encode()


def posted(*, headers: dict[bytes, bytes] | None = None, address: str = "203.0.113.7") -> Observation:
    """What the form of the block page sends."""
    sent = {
        b"content-type": b"application/x-www-form-urlencoded",
        b"sec-fetch-site": b"same-origin",
        b"sec-fetch-mode": b"navigate",
    }
    return request(address=address, method=b"POST", uri=b"/.botsieve/feedback", headers={**sent, **(headers or {})})


def take(desk: FeedbackDesk, o: Observation | None = None, body: bytes = BODY, at_s: float = 0.0) -> Heard:
    known: dict[str, Decision] = {GIVEN.id: GIVEN}
    return desk.take(o or posted(), body, settings(), known.get, NOW_S + at_s)


def test_once_for_each_id() -> None:
    """The first is kept with its decision; the same again is thanked for and not kept."""
    desk = FeedbackDesk()
    first, second = take(desk), take(desk)
    assert (first.outcome, first.decision, first.answer.status) == (TAKEN, GIVEN, 200)
    assert (second.outcome, second.decision, second.answer.status) == (REPEATED, None, 200)
    assert ID.encode() in first.answer.body
    assert b"Thank you" in first.answer.body


@pytest.mark.parametrize("body", [b"", b"id=", b"id=aaaa-bbbb-cccc-dddd", BODY + b"&x=1", BODY.upper(), b"id=" + b"7k3m-" * 30])
def test_ids_that_were_not_given(body: bytes) -> None:
    """Nothing is kept, and the page says to load again."""
    heard = take(FeedbackDesk(), body=body)
    assert (heard.outcome, heard.decision, heard.answer.status) == (UNKNOWN, None, 403)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({b"sec-fetch-site": b"cross-site"}, BODY, 403),
        ({b"sec-fetch-site": b"", b"origin": b"https://evil.example"}, BODY, 403),
        ({b"content-type": b"application/json"}, BODY, 415),
        ({b"content-type": b""}, BODY, 415),
        ({}, BODY + b"&" * 300, 413),
    ],
)
def test_what_is_refused(headers: dict[bytes, bytes], body: bytes, status: int) -> None:
    """Other sites' pages, other types, large bodies: a problem document, nothing kept."""
    heard = take(FeedbackDesk(), posted(headers=headers), body)
    assert (heard.outcome, heard.decision, heard.answer.status) == (REFUSED, None, status)
    assert heard.answer.header("Content-Type") == "application/problem+json"


def test_a_prefix_is_bounded() -> None:
    """Ten a minute from one /24 or /64; another prefix and the next minutes are heard."""
    desk = FeedbackDesk()
    assert [take(desk).outcome for _ in range(PER_PREFIX_PER_MIN + 2)].count(REFUSED) == 2
    assert take(desk).answer.status == 429
    assert take(desk, posted(address="203.0.114.7")).outcome == REPEATED
    assert take(desk, at_s=200.0).outcome == REPEATED


@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer(body: bytes) -> None:
    """One of the outcomes, and a status below 500."""
    heard = take(FeedbackDesk(), body=body)
    assert heard.outcome in OUTCOMES
    assert heard.answer.status < 500


def test_the_form_of_the_block_page() -> None:
    """Without script: a post to us with the id, a button that is named, and a policy that allows this form only."""
    answer = block_page(request(), settings(), ID)
    page = answer.body.decode()
    assert '<form method="post" action="/.botsieve/feedback">' in page
    assert f'<input type="hidden" name="id" value="{ID}">' in page
    assert re.search(r"<button>I am human</button>", page)
    assert "<script" not in page
    assert "form-action 'self';" in answer.header("Content-Security-Policy")
    assert "form-action 'none'" in block_page(request(), settings(), "").header("Content-Security-Policy")
    assert b"Ich bin ein Mensch" in block_page(request(headers={b"accept-language": b"de"}), settings(), ID).body
