"""challenge/pages.py: what visitors see."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from botsieve.challenge.answer import Answer
from botsieve.challenge.assets import TEXTS
from botsieve.challenge.pages import (
    CSP,
    Puzzle,
    block_page,
    busy_page,
    challenge_page,
    early_page,
    late_page,
    problem,
    resend_page,
)
from hypothesis import example, given
from hypothesis import strategies as st

from .builders import ID, page_data, request, settings

PUZZLE = Puzzle(level="normal", token="TOKEN", puzzles=16, bits=14, wait="WAIT")


class _Outline(HTMLParser):
    """The elements of a page with their attributes, and the text that is shown."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _pages(**changes: object) -> dict[str, Answer]:
    kept, o = settings(**changes), request()
    return {
        "challenge": challenge_page(o, kept, PUZZLE, ID),
        "form": challenge_page(o, kept, Puzzle("normal", "TOKEN", 16, 14, form=True), ID),
        "loop": challenge_page(o, kept, Puzzle("normal", "TOKEN", 16, 14, "WAIT", loop=True), ID),
        "block": block_page(o, kept, ID, 30),
        "early": early_page(o, kept, "WAIT", 3),
        "late": late_page(o, kept, b"/a?b=c&d"),
        "busy": busy_page(o, kept),
        "resend": resend_page(o, kept, "cookie=1"),
    }


@pytest.mark.parametrize("name", _pages())
def test_every_page_is_private_strict_and_readable(name: str) -> None:
    """Not kept, not indexed, nothing inline, nothing from elsewhere, one heading, a language."""
    answer = _pages()[name]
    headers = {key: value for key, value in answer.headers if key != "Set-Cookie"}
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Vary"] == "*"
    # The block page's form posts to us; nothing else differs.
    assert headers["Content-Security-Policy"] == (
        CSP if name != "block" else CSP.replace("form-action 'none'", "form-action 'self'")
    )
    assert "unsafe" not in CSP
    outline = _Outline(answer.body.decode())
    assert outline.all("html")[0]["lang"] == "en"
    assert len(outline.all("h1")) == len(outline.all("main")) == 1
    assert not outline.all("style")
    for tag, attributes in outline.elements:
        assert not any(key.startswith("on") or key == "style" for key in attributes), tag
        for key in ("src", "href"):
            link = attributes.get(key)
            assert link is None or link.startswith(("/", "data:,")), link
            assert link is None or not link.startswith("//")
    assert all(script.get("src") for script in outline.all("script"))


def test_the_challenge_page_speaks_to_everybody() -> None:
    """A labelled progress bar, a polite status, an alert, the reference, and a path without script."""
    outline = _Outline(_pages()["challenge"].body.decode())
    assert outline.all("progress")[0]["aria-label"]
    roles = [(attributes.get("role"), attributes.get("aria-live")) for attributes in outline.all("p")]
    assert ("status", "polite") in roles
    assert ("alert", None) in roles
    assert ID in outline.text
    refresh = [meta for meta in outline.all("meta") if meta.get("http-equiv") == "refresh"]
    assert [meta["content"] for meta in refresh] == ["5; url=/.botsieve/wait?t=WAIT"]
    assert {"href": "/.botsieve/wait?t=WAIT"} in outline.all("a")


def test_what_the_script_is_told() -> None:
    """Token, difficulty, addresses and texts stand in one attribute."""
    data = page_data(_pages()["challenge"])
    assert (data["token"], data["puzzles"], data["bits"], data["solve"]) == ("TOKEN", 16, 14, "/.botsieve/solve")
    assert (data["form"], data["manual"], data["id"]) == (False, False, ID)
    assert data["worker"].startswith("/.botsieve/w.")


def test_a_form_has_to_be_sent_again() -> None:
    """The page for a POST says so from the start and goes nowhere by itself."""
    answer = _pages()["form"]
    outline = _Outline(answer.body.decode())
    assert page_data(answer)["form"] is True
    assert TEXTS["en"]["resend_text"] in outline.text
    assert not [meta for meta in outline.all("meta") if meta.get("http-equiv") == "refresh"]


def test_a_loop_is_explained_and_waits_to_be_told() -> None:
    """No script starts and no refresh runs by itself; both ways remain open by hand."""
    answer = _pages()["loop"]
    outline = _Outline(answer.body.decode())
    assert page_data(answer)["manual"] is True
    assert TEXTS["en"]["explain"] in outline.text
    assert not [meta for meta in outline.all("meta") if meta.get("http-equiv") == "refresh"]
    assert {"href": "/.botsieve/wait?t=WAIT"} in outline.all("a")


def test_statuses() -> None:
    """The challenge page has the status that is set; refusals are 403, too many 429."""
    assert {name: answer.status for name, answer in _pages(page_status=429).items()} == {
        "challenge": 429,
        "form": 429,
        "loop": 429,
        "block": 403,
        "early": 403,
        "late": 403,
        "busy": 429,
        "resend": 200,
    }
    assert _pages()["block"].header("Retry-After") == "30"
    assert _pages()["resend"].header("Set-Cookie") == "cookie=1"


def test_the_contact_is_shown() -> None:
    """Mail and links become links on challenge and block pages."""
    for name in ("challenge", "block"):
        outline = _Outline(_pages(contact="help@shop.example")[name].body.decode())
        assert {"href": "mailto:help@shop.example"} in outline.all("a")


def test_the_id_header_can_be_left_out() -> None:
    """`client_headers: none` sends no X-Botsieve-Id."""
    assert block_page(request(), settings(), ID).header("X-Botsieve-Id") == ID
    assert block_page(request(), settings(show_id=False), ID).header("X-Botsieve-Id") == ""


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_pages_speak_the_visitors_language(language: str) -> None:
    """Title, text and script texts are of one language, and the answer says which."""
    o = request(headers={b"accept-language": language.encode()})
    answer = challenge_page(o, settings(), PUZZLE, ID)
    outline = _Outline(answer.body.decode())
    assert outline.all("html")[0]["lang"] == answer.header("Content-Language") == language
    assert TEXTS[language]["title"] in outline.text
    assert page_data(answer)["texts"]["slow"] == TEXTS[language]["slow"]


@example("</code><img src=x>", b"", b"")
@example('"><script src=//x>', b"", b"")
@given(st.text(max_size=40), st.binary(max_size=40), st.binary(max_size=60))
def test_nothing_can_break_out_of_a_page(decision_id: str, language: bytes, agent: bytes) -> None:
    """Whatever an edge or a client writes into id, language or User-Agent, the page has the same elements."""
    shown_id = decision_id or ID
    plain = challenge_page(request(), settings(), PUZZLE, ID)
    o = request(headers={b"accept-language": language, b"user-agent": agent})
    odd = challenge_page(o, settings(), PUZZLE, shown_id)
    tags, odd_tags = ([tag for tag, _ in _Outline(page.body.decode()).elements] for page in (plain, odd))
    assert odd_tags == tags
    assert page_data(odd)["id"] == shown_id
    assert [tag for tag, _ in _Outline(odd.body.decode()).elements] == [
        tag for tag, _ in _Outline(plain.body.decode()).elements
    ]
    assert page_data(odd)["id"] == (decision_id or ID)


def test_a_problem_document() -> None:
    """RFC 9457 with our code and the id; what is more comes after."""
    answer = problem(settings(), status=403, title="Blocked", code="botsieve_block", decision_id=ID, more={"x": 1})
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.header("Cache-Control") == "no-store"
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "Blocked",
        "status": 403,
        "code": "botsieve_block",
        "id": ID,
        "x": 1,
    }
