"""Marks of automation: their weights, and what is compared with the request."""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.challenge.browser_report import BrowserReport
from botsieve.challenge.marks import SUSPICIOUS_FROM, WEIGHTS, Marked, judge_marks
from botsieve.detectors.catalogue import Catalogue
from botsieve.observation import Observation

from tests.unit.challenge.builders import CHROME
from tests.unit.rig import hello
from tests.unit.rig import request as rig_request

LINUX = {"agent": CHROME.decode(), "platform": "Linux x86_64", "languages": ["en-US", "en"]}


def came(**headers: bytes) -> Observation:
    sent = {b"user-agent": CHROME, b"accept-language": b"en-US,en;q=0.9", b"sec-ch-ua-platform": b'"Linux"'}
    return rig_request(
        "/.botsieve/d", headers=sent | {name.replace("_", "-").encode(): value for name, value in headers.items()}
    )


def judged(o: Observation | None = None, **report: Any) -> Marked:
    return judge_marks(o or came(), BrowserReport(**{**LINUX, **report}), Catalogue.builtin())


def test_a_person_s_browser_has_none() -> None:
    """Script and request say the same."""
    assert judged() == Marked()


def test_no_mark_accuses_alone() -> None:
    """Not one of them reaches the limit by itself."""
    assert max(WEIGHTS.values()) < SUSPICIOUS_FROM
    for mark, weight in WEIGHTS.items():
        assert not Marked((mark,), weight).is_suspicious


def test_two_heavy_ones_do() -> None:
    """A driven browser: webdriver and an open debugger."""
    found = judged(marks=["debugger", "webdriver"])
    assert (found.marks, found.points, found.is_suspicious) == (("webdriver", "debugger"), 100, True)
    assert not judged(marks=["debugger", "plugins", "software_gl", "small_screen"]).is_suspicious


def test_a_mark_said_twice_counts_once_and_an_unknown_one_never() -> None:
    """Nobody can add up by repeating, nor name what the service itself compares."""
    assert judged(marks=["webdriver", "webdriver", "tls", "agent", "nonsense"]).points == 60


def test_headless_says_so_itself() -> None:
    """In the User-Agent that arrived."""
    agent = CHROME.replace(b"Chrome/", b"HeadlessChrome/")
    assert judged(came(user_agent=agent), agent=agent.decode()).marks == ("headless",)


def test_two_user_agents() -> None:
    """What scripts are told is not what was sent."""
    assert judged(agent=CHROME.decode().replace("140", "141")).marks == ("agent",)
    assert judged(agent="").marks == ()


@pytest.mark.parametrize(
    ("platform", "hint", "marks"),
    [
        ("Win32", b'"Linux"', ("platform",)),
        ("Linux x86_64", b'"Windows"', ("platform",)),
        ("MacIntel", b"", ("platform",)),
        ("", b"", ()),
        ("FreeBSD amd64", b'"Unknown"', ()),
        ("Linux armv81", b'"Android"', ()),
    ],
)
def test_two_operating_systems(platform: str, hint: bytes, marks: tuple[str, ...]) -> None:
    """navigator.platform and the hint beside the User-Agent's; what we do not know is nothing."""
    assert judged(came(sec_ch_ua_platform=hint), platform=platform).marks == marks


def test_a_tablet_asks_for_the_desktop_site() -> None:
    """An iPad that says Macintosh, and MacIntel to scripts, is one and the same."""
    agent = (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15"
    )
    assert judged(came(user_agent=agent.encode(), sec_ch_ua_platform=b""), agent=agent, platform="MacIntel").marks == ()


def test_two_languages() -> None:
    """The first of each, without its region."""
    assert judged(languages=["de-DE"]).marks == ("languages",)
    assert judged(came(accept_language=b"en;q=1"), languages=["en-GB"]).marks == ()
    assert judged(came(accept_language=b""), languages=["de"]).marks == ()


def test_a_script_ran_but_the_hello_is_a_tool_s() -> None:
    """The JA4 family beside the User-Agent's engine."""
    tool = rig_request("/.botsieve/d", headers={b"user-agent": CHROME}, **hello("python-requests-2.34"))
    assert "tls" in judged(tool).marks
    behind = rig_request("/.botsieve/d", headers={b"user-agent": CHROME}, peer=b"p" * 16, **hello("python-requests-2.34"))
    assert "tls" not in judged(behind).marks, "a balancer's hello is nobody's"
