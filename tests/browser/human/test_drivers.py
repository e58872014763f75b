"""Driven browsers: each way that scripts imitate a person is irregular; keys, fingers and assistive technology alone are a person."""

from __future__ import annotations

import itertools
import json
import math
import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from botsieve.challenge.event_facts import Facts
from botsieve.challenge.events import parse_report
from botsieve.challenge.sequence_settings import SequenceRules
from botsieve.challenge.sequences import IRREGULAR, NO_EVIDENCE, REGULAR, Finding, score

from tests.browser.human.conftest import Human

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
# Playwright does not show the body of a beacon.
BEACON = "navigator.sendBeacon = (url, body) => fetch(url, {method: 'POST', body, keepalive: true})"
_NUMBERS = itertools.count(200)


class Hand:
    """A visit, and what its reports show by our own rules; `send`: the page is hidden, as when a tab is left."""

    def __init__(self, visit: Any, human: Human, **options: Any) -> None:
        self.visit = visit(init=BEACON, user_agent=AGENT.format(next(_NUMBERS)), **options)
        self.human = human
        self.bodies: list[bytes] = []
        self.page = self.visit.page
        self.visit.context.on("request", self._sent)
        self.before = human.told()
        self.page.goto(human.url("/"))
        self.page.wait_for_function("() => performance.getEntriesByType('resource').some(one => one.name.endsWith('/e'))")

    def _sent(self, request: Any) -> None:
        if request.method == "POST" and request.url.endswith("/.botsieve/e"):
            self.bodies.append(request.post_data_buffer)

    def found(self) -> Finding:
        """What the reports of the page show together, as if it was left now; the service came to the same."""
        self.page.evaluate("dispatchEvent(new Event('visibilitychange'))")
        until_s = time.monotonic() + 60.0
        while not self.bodies:
            assert time.monotonic() < until_s, "no report"
            self.page.wait_for_timeout(50)
        findings = [score(parse_report(body).events, SequenceRules()) for body in self.bodies]
        self.human.hear(self.before, len(findings))
        words = {finding.word for finding in findings}
        assert {word for word, count in self.human.told().items() if count > self.before.get(word, 0)} == words
        rules = tuple(rule for finding in findings for rule in finding.rules)
        return Finding(next(word for word in (IRREGULAR, REGULAR, NO_EVIDENCE) if word in words), rules)

    def pause(self, low_ms: int = 60, high_ms: int = 140) -> None:
        self.page.wait_for_timeout(random.uniform(low_ms, high_ms))

    def key(self, name: str) -> None:
        self.page.keyboard.down(name)
        self.pause(50, 110)
        self.page.keyboard.up(name)
        self.pause()


@pytest.fixture
def hand(visit: Any, human: Human) -> Any:
    """Opens a page with our script."""
    return lambda **options: Hand(visit, human, **options)


def at_once(hand: Any, gesture: Callable[[Any], object], lasting: Callable[[Facts], list[int]], **options: Any) -> Finding:
    """What a driver's gesture shows that was over at once, as drivers' are: one that a busy machine held up is made again."""
    for _ in range(20):
        one = hand(**options)
        gesture(one.page)
        finding = one.found()
        times_ms = [ms for body in one.bodies for ms in lasting(Facts(parse_report(body).events, SequenceRules()))]
        if times_ms and median(times_ms) < 8:
            return finding
    raise AssertionError("no gesture of twenty was over at once")


# ---- scripts


def test_fill_is_irregular(hand: Any) -> None:
    """Playwright's `fill`: a text that no key wrote."""
    one = hand()
    one.page.wait_for_timeout(600)
    one.page.fill("#text", "hello")
    finding = one.found()
    assert (finding.word, finding.rules) == (IRREGULAR, ("input_without_key",))


def test_element_click_is_irregular(hand: Any) -> None:
    """`element.click()`: a click that no hand made."""
    one = hand()
    one.page.evaluate("document.querySelector('#button').click()")
    finding = one.found()
    assert (finding.word, finding.rules) == (IRREGULAR, ("untrusted",))


def test_scroll_by_is_irregular(hand: Any) -> None:
    """`scrollBy` in a loop: scrolling without a wheel, key or finger."""
    one = hand()
    one.page.wait_for_timeout(1_700)
    for _ in range(6):
        one.page.evaluate("scrollBy(0, 300)")
        one.page.wait_for_timeout(100)
    finding = one.found()
    assert (finding.word, finding.rules) == (IRREGULAR, ("scroll_without_cause",))


def test_a_drivers_click_is_irregular(hand: Any) -> None:
    """Playwright's `click`: over the button in one jump, pressed for no time."""
    finding = at_once(hand, lambda page: page.click("#button"), lambda seen: seen.dwells)
    assert finding.word == IRREGULAR
    assert "press_dwell" in finding.rules


def test_a_drivers_typing_is_irregular(hand: Any) -> None:
    """Playwright's `type`: keys that go down and up at once."""
    finding = at_once(hand, lambda page: page.keyboard.type("hello there"), lambda seen: seen.key_dwells)
    assert finding.word == IRREGULAR
    assert "key_dwell" in finding.rules


def test_a_straight_line_is_irregular(hand: Any) -> None:
    """Playwright's `move` in steps: the same length each."""
    one = hand()
    one.page.mouse.move(10, 10)
    one.page.mouse.move(600, 400, steps=40)
    assert one.found().word == IRREGULAR


def _curve(start: tuple[float, float], end: tuple[float, float], steps: int) -> list[tuple[float, float]]:
    """A Bezier curve with easing and an overshoot, as ghost-cursor and its like draw it."""
    (x0, y0), (x3, y3) = start, end
    x1, y1 = x0 + random.uniform(0, 200), y0 - random.uniform(40, 120)
    x2, y2 = x3 + random.uniform(20, 90), y3 + random.uniform(30, 90)
    points = []
    for step in range(1, steps + 1):
        t = (1 - math.cos(math.pi * step / steps)) / 2
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        points.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return points


def test_ghost_cursor_moves_are_irregular(hand: Any) -> None:
    """Curved, eased moves through CDP look like a hand's; the press, and where the window is said to be, do not."""
    one = hand()
    session = one.visit.context.new_cdp_session(one.page)
    box = one.page.locator("#button").bounding_box()
    target = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for x, y in _curve((600.0, 420.0), target, 45):
        session.send("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})
        one.pause(8, 18)
    button = {"x": target[0], "y": target[1], "button": "left", "clickCount": 1}
    session.send("Input.dispatchMouseEvent", {"type": "mousePressed", **button})
    session.send("Input.dispatchMouseEvent", {"type": "mouseReleased", **button})
    finding = one.found()
    assert finding.word == IRREGULAR
    assert {"press_dwell", "no_pressure"} & set(finding.rules)
    assert "constant_speed" not in finding.rules, "the moves themselves are good"


def test_a_drivers_tap_is_irregular(hand: Any) -> None:
    """`touchscreen.tap`: a finger that is there for no time."""
    finding = at_once(hand, lambda page: page.touchscreen.tap(100, 100), lambda seen: seen.taps, has_touch=True)
    assert (finding.word, finding.rules) == (IRREGULAR, ("tap_dwell",))


# ---- one modality alone is a person


def test_keys_alone_are_a_person(hand: Any) -> None:
    """Tab and Enter, each held as fingers hold keys; no pointer anywhere."""
    one = hand()
    for name in ("Tab", "Tab", "Shift", "ArrowDown", "PageDown"):
        one.key(name)
    assert one.found() == Finding(REGULAR)


def test_a_finger_alone_is_a_person(hand: Any) -> None:
    """A tap of a finger's length; no rule of a mouse is asked."""
    one = hand(has_touch=True)
    session = one.visit.context.new_cdp_session(one.page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 120, "y": 300}]})
    one.pause(60, 110)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert one.found() == Finding(REGULAR)


def test_no_key_and_no_text_leave_the_browser(hand: Any) -> None:
    """What was typed is in no report: kinds, times and distances only."""
    one = hand()
    one.page.click("#text")
    for letter in "secret7":
        one.key(letter)
    one.found()
    for body in one.bodies:
        _, number, events = body.split(b"\n")
        assert b"secret" not in body
        assert number.isdigit()
        assert all(isinstance(value, int) for entry in json.loads(events) for value in entry)
    assert [url for url in one.visit.requested if "127.0.0.1" not in url] == []
    assert one.visit.complaints == []
