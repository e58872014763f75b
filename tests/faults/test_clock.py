"""The clock of nginx and the service is set while people visit: nobody who was let through is stopped, nobody gets away."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest
from botsieve.challenge import pow

from tests.faults.catalogue import DAY_S, HOUR_S
from tests.faults.stage import Stage, stage
from tests.nginx.raw import Answer, ask
from tests.servers import wait_until
from tests.service.running import POLICIES

_TOOL = "User-Agent: curl/8.5.0\r\nAccept: application/json"
_PERSON = (
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip\r\n"
    "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document"
)
# What visits here has no pauses but the machine's own, now and then as even as a timer's: not the subject.
_NO_TIMING = "detectors: {timing.suspicious_timing: {points: 0}}\n"
# One after the other, each on top of those before: on and back again, and beyond.
STEPS = (HOUR_S, -HOUR_S, DAY_S, -DAY_S, -HOUR_S, HOUR_S, -DAY_S, 2 * DAY_S)


@pytest.fixture(scope="module")
def shop() -> Iterator[Stage]:
    """A shop in enforce mode, with time to answer."""
    with stage(POLICIES + _NO_TIMING, patient=True) as found:
        yield found


def person(shop: Stage) -> str:
    """What the application is told of a person."""
    return ask(shop.port, "/now", _PERSON).body.decode().partition("verdict=")[2].strip()


def cookie_of(answer: Answer) -> str:
    return answer.all("Set-Cookie")[0].partition(";")[0]


def solved(shop: Stage) -> str:
    """A clearance, earned as a program earns it."""
    problem = json.loads(ask(shop.port, "/data", _TOOL).body)["challenge"]
    answers = pow.solve(problem["token"].encode(), problem["puzzles"], problem["bits"])
    body = json.dumps({"token": problem["token"], "answers": answers}).encode()
    return cookie_of(ask(shop.port, problem["solve"], _TOOL, "Content-Type: application/json", method="POST", body=body))


def test_a_clearance_and_a_session_outlive_every_step(shop: Stage) -> None:
    """Set by an hour or a day, on or back: who solved a challenge is let through, a session is the same, a tool is challenged."""
    clearance = solved(shop)
    session = cookie_of(ask(shop.port, "/", _PERSON))
    for by_s in STEPS:
        shop.clock.step(by_s)
        # The same addresses each time: numbered ones are a walk, and six of them are rightly challenged.
        assert ask(shop.port, "/data", _TOOL, f"Cookie: {clearance}").status == 200, by_s
        assert ask(shop.port, "/data", _TOOL).status == 403, by_s
        again = ask(shop.port, "/news", _PERSON, f"Cookie: {session}")
        assert (again.status, again.all("Set-Cookie")) == (200, []), by_s


def test_a_challenge_can_be_solved_across_a_step(shop: Stage) -> None:
    """The clock is set between the challenge and its solution: the work counts all the same."""
    for by_s in (HOUR_S, -2 * HOUR_S, DAY_S):
        problem = json.loads(ask(shop.port, "/data", _TOOL).body)["challenge"]
        answers = pow.solve(problem["token"].encode(), problem["puzzles"], problem["bits"])
        shop.clock.step(by_s)
        body = json.dumps({"token": problem["token"], "answers": answers}).encode()
        assert ask(shop.port, problem["solve"], _TOOL, "Content-Type: application/json", method="POST", body=body).status == 204


def test_a_clock_set_back_while_nobody_judges(shop: Stage) -> None:
    """nginx would ask again when its clock has caught up, an hour later.  Its backup does at once: verdicts, pages and solutions.

    And when the service goes away once more nobody is kept waiting.  `--no-lua` has no such backup (docs/limits.md).
    """
    wait_until(lambda: person(shop) == "allow", what="a verdict")
    shop.kill()
    for _ in range(5):
        person(shop)
    shop.clock.step(-HOUR_S)
    assert {person(shop) for _ in range(5)} == {"unjudged"}
    shop.start()
    wait_until(lambda: person(shop) == "allow", what="a verdict")
    assert {person(shop) for _ in range(20)} == {"allow"}
    assert ask(shop.port, "/data", _TOOL, f"Cookie: {solved(shop)}").status == 200
    shop.kill()
    assert [person(shop) for _ in range(5)] == ["unjudged"] * 5
    shop.start()
    wait_until(lambda: person(shop) == "allow", what="a verdict")
    os.kill(shop.site.pid, signal.SIGHUP)
    wait_until(lambda: person(shop) == "allow", what="a verdict after a reload")


def test_the_clock_is_really_set(shop: Stage) -> None:
    """nginx's own Date header follows: without this the tests above would show nothing."""
    before = ask(shop.port, "/", _PERSON).all("Date")[0]
    shop.clock.step(40 * DAY_S)
    after = ask(shop.port, "/", _PERSON).all("Date")[0]
    assert before.split()[2:4] != after.split()[2:4]
