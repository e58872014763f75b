"""Requests, desks and solved challenges for the tests of the challenge."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from botsieve.challenge import pow
from botsieve.challenge.answer import Answer
from botsieve.challenge.desk import ChallengeDesk
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.settings import ChallengeSettings, LevelSettings
from botsieve.observation import Observation, make_observation, pack_address

NOW_S = 1_000_000.0
CHROME = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
KEYS = KeyRing((b"k" * 32,))
# As little work as the settings accept: the tests are not about patience.
LEVELS = {"light": LevelSettings(2, 8), "normal": LevelSettings(4, 8), "hard": LevelSettings(8, 8)}
ID = "7k3m-9x2q-f4d1-p8wz"


def request(*, address: str = "203.0.113.7", headers: dict[bytes, bytes] | None = None, **facts: Any) -> Observation:
    """A page load of a browser on https, changed as told; a header of b"" is left out."""
    sent = {b"user-agent": CHROME, b"accept": b"text/html,*/*;q=0.8", b"sec-fetch-dest": b"document", **(headers or {})}
    known = {
        "client": pack_address(address),
        "method": b"GET",
        "uri": b"/items/17?ref=a",
        "host": b"shop.example",
        "scheme": b"https",
        "edge_time_s": NOW_S,
    }
    return make_observation(**{**known, **facts}, headers={name: value for name, value in sent.items() if value})


def post(*, headers: dict[bytes, bytes] | None = None, **facts: Any) -> Observation:
    """The request that a challenge page sends with its solution."""
    sent = {
        b"content-type": b"application/json",
        b"sec-fetch-dest": b"empty",
        b"sec-fetch-site": b"same-origin",
        b"accept": b"*/*",
    }
    return request(headers={**sent, **(headers or {})}, **{"method": b"POST", "uri": b"/.botsieve/solve", **facts})


def settings(**changes: Any) -> ChallengeSettings:
    """Packaged settings with little work."""
    return ChallengeSettings(**{"levels": LEVELS, **changes})


def desk(process_id: bytes = b"process", keys: KeyRing = KEYS, **changes: Any) -> ChallengeDesk:
    """A desk with little work."""
    return ChallengeDesk(settings(**changes), keys, process_id)


def nonce(number: int) -> bytes:
    """Sixteen bytes that differ for each number."""
    return number.to_bytes(16, "big")


def challenged(
    at: ChallengeDesk,
    o: Observation | None = None,
    *,
    level: str = "normal",
    score: int = 50,
    now_s: float = NOW_S,
    number: int = 1,
) -> Answer:
    """The answer to a request that was challenged."""
    return at.answer(
        o or request(), verdict="challenge", level=level, decision_id=ID, score=score, now_s=now_s, random16=nonce(number)
    )


def page_data(answer: Answer) -> dict[str, Any]:
    """What a challenge page hands to its script."""
    found = re.search(r'data-check="([^"]*)"', answer.body.decode())
    assert found, answer.body
    data: dict[str, Any] = json.loads(html.unescape(found[1]))
    return data


def wait_query(answer: Answer) -> bytes:
    """The query of the link for browsers without script."""
    found = re.search(r'/wait\?(t=[\w-]+)"', answer.body.decode())
    assert found, answer.body
    return found[1].encode()


def answers_of(data: dict[str, Any]) -> list[int]:
    """The right answers of a puzzle."""
    return pow.solve(data["token"].encode(), data["puzzles"], data["bits"])


def body_of(data: dict[str, Any], answers: object = None) -> bytes:
    """The body of a solution, with the right answers if none are given."""
    return json.dumps({"token": data["token"], "answers": answers_of(data) if answers is None else answers}).encode()


def code_of(answer: Answer) -> str:
    """The code of a problem document."""
    code: str = json.loads(answer.body)["code"]
    return code


def cookie_of(answer: Answer) -> bytes:
    """`name=value` of the cookie that an answer sets."""
    return answer.header("Set-Cookie").partition(";")[0].encode()


def cleared(at: ChallengeDesk, *, number: int = 1, now_s: float = NOW_S, level: str = "normal", **facts: Any) -> bytes:
    """Gets a challenge, solves it and returns the cookie."""
    data = page_data(challenged(at, request(**facts), level=level, now_s=now_s, number=number))
    answer = at.solve(post(**facts), body_of(data), now_s)
    assert answer.status == 204, answer.body
    return cookie_of(answer)


def waited(at: ChallengeDesk, *, number: int = 1, now_s: float = NOW_S, after_s: float = 5.0, **facts: Any) -> Answer:
    """Gets a challenge and follows its link without script."""
    query = wait_query(challenged(at, request(**facts), now_s=now_s, number=number))
    return at.wait(request(**{**facts, "method": b"GET", "uri": b"/.botsieve/wait?" + query}), now_s + after_s)
