"""botsieve.transports.http: the second hop and our own paths (docs/headers.md), with a whole service behind them."""

from __future__ import annotations

import json

import pytest
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_readers import Request
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.edge_harness import CURL, PERSON, Service, ask, at, check, shared_edge, with_on_late

DATA = CURL | {"Accept": "application/json"}


# ---- the second hop


def refused(edge: NginxEdge, request: Request) -> Request:
    """Asks for the verdict and returns the request for its page."""
    reply = ask(edge, request)
    assert reply.status == 403
    told = {name: reply.one(f"X-Botsieve-{name}") for name in ("Verdict", "Score", "Id")}
    return at("/v1/page", request, **told)


@pytest.mark.parametrize("uri", ["/", "/strict/"])
def test_page_for_a_document(edge: NginxEdge, service: Service, uri: str) -> None:
    """A page load gets HTML with its id, at the URL that was asked for, kept by nobody, and is not counted again."""
    page = refused(edge, check(uri, CURL | {"Accept": "text/html"}))
    before = service.decisions()
    for target in ("/v1/page", "/v1/page?q=1"):
        reply = ask(edge, at(target, page))
        assert reply.status == 403
        assert reply.one("Content-Type").startswith("text/html")
        assert page.headers[b"x-botsieve-id"] in reply.body
        assert "no-store" in reply.one("Cache-Control")
        assert reply.one("X-Robots-Tag") == "noindex"
        assert reply.one("Vary") == "*"
        assert reply.all("Location") == []
        # The one answer of a refusal that reaches the visitor, so it brings the session.
        assert reply.one("Set-Cookie").startswith("__Host-botsieve_s=")
    assert service.decisions() == before


@pytest.mark.parametrize(("uri", "code"), [("/", "botsieve_challenge"), ("/strict/", "botsieve_block")])
def test_problem_for_anything_else(edge: NginxEdge, uri: str, code: str) -> None:
    """A data call gets a problem document; with a challenge comes one that can be solved; reasons are not told."""
    page = refused(edge, check(uri, DATA))
    reply = ask(edge, page)
    assert (reply.status, reply.one("Content-Type")) == (403, "application/problem+json")
    problem = json.loads(reply.body)
    assert problem["code"] == code
    assert problem["id"] == page.headers[b"x-botsieve-id"].decode()
    assert reply.all("Set-Cookie") == []
    assert ("challenge" in problem) == (code == "botsieve_challenge")
    assert b"curl" not in reply.body


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"Verdict": "block", "Score": "x", "Id": "<script>"},
        {"Verdict": "allow", "Score": "-1", "Id": "0" * 300},
        {"Verdict": "challenge", "Score": "99999", "Id": ""},
        {"Verdict": "nonsense", "Score": "", "Id": "a\x00b"},
    ],
)
def test_pages_for_what_is_not_remembered(edge: NginxEdge, told: dict[str, str]) -> None:
    """After a restart of the service, or with nonsense: a page with 403, and nothing of it can be injected."""
    reply = ask(edge, at("/v1/page", check(), **told))
    assert reply.status == 403
    assert reply.one("Content-Type").startswith("text/html")
    assert b"<script>alert" not in reply.body
    assert b"<script></" not in reply.body


def test_page_without_its_facts(edge: NginxEdge, service: Service) -> None:
    """A page that cannot be made is a small 403, never an empty 200, whatever on_late says; the check was counted already."""
    reply = ask(with_on_late(edge, "allow"), at("/v1/page", check(Client_Addr="-"), Verdict="block"))
    assert reply.status == 403
    assert b"try again" in reply.body
    assert service.unjudged() == {}


# ---- our own paths


def test_assets(edge: NginxEdge) -> None:
    """Script, worker and style are served, cacheable; HEAD is the same without a body; others are 404."""
    for name in ("c.js", "w.js", "c.css"):
        reply = ask(edge, at(f"/.botsieve/{name}", check()))
        assert reply.status == 200
        assert reply.body
        assert reply.one("Cache-Control") == "no-cache"  # under its hashed name it is kept for good: test_assets.py
        head = ask(edge, at(f"/.botsieve/{name}", check(), method="HEAD"))
        assert (head.status, head.headers, head.body) == (200, reply.headers, b"")
    for target in (
        "/.botsieve/",
        "/.botsieve/x.js",
        "/.botsieve/../c.js",
        "/c.js",
        "/",
        "*",
        "/v1/",
        "/v1/check/",
        "/v1/pagex",
    ):
        assert ask(edge, at(target, check())).status == 404, target


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "X_Y", ""])
def test_other_methods(edge: NginxEdge, method: str) -> None:
    """405 with what is accepted."""
    reply = ask(edge, at("/.botsieve/c.js", check(), method=method))
    assert (reply.status, reply.one("Allow")) == (405, "GET, HEAD, POST")


def test_post_to_an_asset(edge: NginxEdge) -> None:
    """A script takes no POST."""
    assert ask(edge, at("/.botsieve/c.js", check(), method="POST")).status == 405


def test_head_never_has_a_body(edge: NginxEdge) -> None:
    """HEAD to any path of ours: the length of what GET would get, and no byte of it."""
    for target in ("/.botsieve/wait", "/.botsieve/c.js", "/.botsieve/solve", "/v1/page", "/nowhere", "/v1/check/nginx"):
        assert ask(edge, at(target, check(Method="HEAD"), method="HEAD")).body == b""


@given(body=st.binary(max_size=200))
def test_solutions_that_are_none(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    """Any body at `solve`: a 4xx with a code, no cookie, never an exception."""
    reply = ask(shared_edge(tmp_path_factory), at("/.botsieve/solve", check(Method="POST"), method="POST", body=body))
    assert 400 <= reply.status < 500
    assert reply.all("Set-Cookie") == []
    assert json.loads(reply.body)["code"].startswith("botsieve_")


def test_too_large_a_solution(edge: NginxEdge) -> None:
    """More than 8 KiB: refused by its length."""
    headers = PERSON | {"Content-Type": "application/json", "Origin": "https://shop.example", "Sec-Fetch-Site": "same-origin"}
    asked = check("/.botsieve/solve", headers, Method="POST")
    reply = ask(edge, at("/.botsieve/solve", asked, method="POST", body=b"{" * 9_000))
    assert reply.status == 413


def test_wait_without_a_token(edge: NginxEdge) -> None:
    """The path without script, without what it needs: a page, never an exception."""
    for query in ("", "?t=", "?t=x", "?t=%ff%00", "?" + "t=x&" * 2_000):
        uri = f"/.botsieve/wait{query}"
        reply = ask(edge, at(uri, check(uri)))
        assert reply.status in (200, 400, 403, 429), query
        assert reply.all("Set-Cookie") == []
