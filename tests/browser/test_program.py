"""What a program sees of a challenge, through real nginx and the real service: a document that it can solve.

The solver here is written from docs/challenge.md with nothing of ours, as somebody else's would be.
"""

from __future__ import annotations

import hashlib
import http.client
import json
from typing import Any

import pytest

from tests.servers import Site, in_threads

AGENT = "acme-sdk/1.2"


def _ask(shop: Site, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", shop.http_port, timeout=60)
    sent = {
        "User-Agent": AGENT,
        "Accept": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    connection.request(method, path, body or None, sent)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def _solve(challenge: dict[str, Any]) -> list[int]:
    seed = hashlib.sha256(challenge["token"].encode("ascii")).digest()
    answers = []
    for index in range(challenge["puzzles"]):
        number = 0
        while True:
            digest = hashlib.sha256(seed + index.to_bytes(4, "big") + number.to_bytes(4, "big")).digest()
            if int.from_bytes(digest, "big") >> (256 - challenge["bits"]) == 0:
                break
            number += 1
        answers.append(number)
    return answers


def _solution(challenge: dict[str, Any]) -> str:
    return json.dumps({"token": challenge["token"], "answers": _solve(challenge)})


@pytest.mark.parametrize("path", ["/shop/data", "/shop/data?page=2&q=a%20b"])
def test_a_program_solves_and_goes_on(shop: Site, path: str) -> None:
    """403 with a problem document, a solution for a cookie, and the data with the cookie."""
    status, headers, text = _ask(shop, "GET", path)
    assert (status, headers["content-type"]) == (403, "application/problem+json")
    problem = json.loads(text)
    assert problem["code"] == "botsieve_challenge"
    assert problem["id"] == headers["x-botsieve-id"]
    challenge = problem["challenge"]
    solved, given, _ = _ask(shop, "POST", challenge["solve"], _solution(challenge), Content_Type="application/json")
    assert solved == 204
    cookie = given["set-cookie"].partition(";")[0]
    assert _ask(shop, "GET", path, Cookie=cookie)[0] == 200
    assert _ask(shop, "GET", path)[0] == 403
    assert _ask(shop, "GET", path, Cookie=cookie, User_Agent="another/1.0")[0] == 403


def test_sixty_four_at_once_earn_one_clearance(shop: Site) -> None:
    """One solution posted over 64 connections at the same time mints one cookie."""
    challenge = json.loads(_ask(shop, "GET", "/shop/data")[2])["challenge"]
    body = _solution(challenge)
    answers: list[tuple[int, dict[str, str], str]] = []
    in_threads(lambda _: answers.append(_ask(shop, "POST", challenge["solve"], body, Content_Type="application/json")), 64)
    assert sorted(status for status, _, _ in answers) == [204] + [409] * 63
    assert len([headers for _, headers, _ in answers if "set-cookie" in headers]) == 1


def test_other_sites_cannot_post(shop: Site) -> None:
    """A solution that another site's page sends is refused, and a form cannot carry one."""
    challenge = json.loads(_ask(shop, "GET", "/shop/data")[2])["challenge"]
    body = _solution(challenge)
    foreign = _ask(shop, "POST", challenge["solve"], body, Content_Type="application/json", Sec_Fetch_Site="cross-site")
    form = _ask(shop, "POST", challenge["solve"], body, Content_Type="text/plain")
    assert (foreign[0], form[0]) == (403, 415)
    assert _ask(shop, "POST", challenge["solve"], body, Content_Type="application/json")[0] == 204


def test_a_refused_program_is_told_so(shop: Site) -> None:
    """A block is a problem document without a challenge."""
    status, _, text = _ask(shop, "GET", "/closed/data")
    assert status == 403
    assert json.loads(text)["code"] == "botsieve_block"
    assert "challenge" not in json.loads(text)


def test_assets_come_through_nginx(shop: Site) -> None:
    """Script, worker and style are served below the prefix, anything else there is 404."""
    for name in ("c.js", "w.js", "c.css"):
        assert _ask(shop, "GET", f"/.botsieve/{name}")[0] == 200
    assert _ask(shop, "GET", "/.botsieve/texts.json")[0] == 404
