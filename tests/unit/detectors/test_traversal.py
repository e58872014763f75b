"""detectors/traversal.py: item after item, in order, in bulk, or divided among many addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from botsieve.decision import Decision
from botsieve.detectors.settings import UrlPattern, Volume, VolumeStep

from tests.unit.rig import CALL, PAGE, TOOL, Rig, enforcing, found, hello, points, tuned

PATTERN, VOLUME, SPREAD = "traversal.url_pattern", "traversal.volume", "traversal.spread"
# Items far apart in no order: no constant step.
SHUFFLED = [number * number * 7 + 13 for number in range(400)]


def walk(
    numbers: Iterable[int],
    gap_s: float = 5.0,
    *,
    uri: str = "/items/{}",
    rig: Rig | None = None,
    start_s: float = 0.0,
    headers: Any = TOOL,
    **facts: Any,
) -> Decision:
    """The decision on the last of these items, `gap_s` apart."""
    rig = rig or Rig()
    for at, number in enumerate(numbers):
        decision = rig.ask(uri.format(number), at_s=start_s + at * gap_s, headers=headers, **facts)
    return decision


class TestConstantStep:
    @pytest.mark.parametrize(
        ("numbers", "says"),
        [
            (range(1, 6), False),
            (range(1, 7), True),
            (range(60, 54, -1), True),
            (range(100, 700, 100), True),
            ([1, 2, 3, 4, 5, 90, 91, 92, 93, 94], True),  # 8 of 9 steps are by one
            ([1, 2, 3, 4, 5, 6, 50, 90, 200], False),  # 5 of 8
            ([1, 2, 3, 4, 5, 6, 50], True),  # 5 of 6
            ([1, 2, 3, 4, 5, 6, 50, 51, 90], False),  # 6 of 8 = 75 %
            ([1, 2, 3, 4, 5, 6, 50, 51, 52, 53, 90], True),  # 8 of 10 = 80 %
            (SHUFFLED[:19], False),
        ],
    )
    def test_six_items_by_one_step(self, numbers: Iterable[int], says: bool) -> None:
        """At least 6 items, up or down, in at least 80 % of the steps [S1-21]."""
        assert found(walk(numbers), PATTERN) == (["url_pattern:30"] if says else [])

    def test_six_different_items(self) -> None:
        """The same item again is neither an item nor a step."""
        assert found(walk([1, 2, 3, 4, 5, 5, 5, 5, 5]), PATTERN) == []
        assert found(walk([1, 2, 1, 2, 1, 2, 1, 2]), PATTERN) == []

    def test_inside_the_window(self) -> None:
        """Six items within 300 s; slower is no finding."""
        assert found(walk(range(1, 7), 59.0), PATTERN) == ["url_pattern:30"]
        assert found(walk(range(1, 7), 76.0), PATTERN) == []

    def test_on_one_route(self) -> None:
        """Steps of different routes are different walks; padding with another route hides nothing."""
        rig = Rig()
        for number in range(1, 7):
            walk([number], rig=rig, start_s=number * 5.0, uri=f"/r{'abcdef'[number - 1]}/{{}}")
        assert found(rig.ask("/ra/2", at_s=40, headers=TOOL), PATTERN) == []
        for number in range(1, 8):
            rig.ask(f"/items/{number}", at_s=40 + number, headers=TOOL)
            padding = rig.ask("/about", at_s=40.5 + number, headers=TOOL)
        assert found(padding, PATTERN) == ["url_pattern:30"]

    def test_query_values_are_items(self) -> None:
        """`?id=7` walks like `/items/7`."""
        assert found(walk(range(1, 7), uri="/view.php?lang=en&id={}"), PATTERN) == ["url_pattern:30"]

    @pytest.mark.parametrize(("gap_s", "says"), [(2.9, True), (3.0, False), (20.0, False)])
    def test_pages_of_a_list(self, gap_s: float, says: bool) -> None:
        """Read at 3 s a page or slower they give nothing; a program that turns them faster is found [S1-21]."""
        for uri in ("/list?page={}", "/list/page/{}", "/list?offset={}0"):
            assert found(walk(range(1, 12), gap_s, uri=uri), PATTERN) == (["url_pattern:30"] if says else [])

    def test_where_no_clock_can_be_trusted(self) -> None:
        """A scrambled log still shows steps, but neither speed nor how slowly a list was read."""

        def blind() -> Rig:
            rig = Rig()
            rig.engine.time_judged = False
            return rig

        assert found(walk(range(1, 7), 0.0, rig=blind()), PATTERN) == ["url_pattern:30"]
        assert found(walk(SHUFFLED[:80], 0.0, rig=blind()), PATTERN) == []
        assert found(walk(range(1, 12), 0.0, rig=blind(), uri="/list?page={}"), PATTERN) == []


class TestFastItems:
    @pytest.mark.parametrize(
        ("count", "gap_s", "says"), [(20, 1.9, True), (19, 1.9, False), (20, 2.0, False), (20, 0.2, True), (20, 0.1, False)]
    )
    def test_twenty_items_faster_than_one_in_two_seconds(self, count: int, gap_s: float, says: bool) -> None:
        """In any order; exactly one in 2 s is not faster [S1-21].  All within 2 s are tabs that are opened, and no pace."""
        assert found(walk(SHUFFLED[:count], gap_s), PATTERN) == (["url_pattern:30"] if says else [])

    def test_different_items(self) -> None:
        """The same twelve again and again are twelve."""
        assert found(walk(SHUFFLED[:12] * 5, 0.5), PATTERN) == []

    def test_long_ago_is_over(self) -> None:
        """Twenty fast items, then a pause: reading on is no finding."""
        rig = Rig()
        assert found(walk(SHUFFLED[:20], 0.5, rig=rig), PATTERN)
        assert found(rig.ask("/items/77777", at_s=60, headers=TOOL), PATTERN) == []

    def test_own_limits(self) -> None:
        """The operator's numbers count, on both sides."""
        rig = Rig(
            enforcing(detectors=tuned(traversal_url_pattern=UrlPattern(items_at_least=10, items_per_s=1.0, steps_at_least=20)))
        )
        assert found(walk(SHUFFLED[:10], 0.9, rig=rig), PATTERN) == ["url_pattern:30"]
        assert found(walk(SHUFFLED[:10], 1.0, rig=rig, uri="/b/{}", start_s=900), PATTERN) == []


class TestVolume:
    @pytest.mark.parametrize(("count", "says"), [(59, []), (60, ["volume:25"]), (199, ["volume:25"]), (200, ["volume:50"])])
    def test_items_within_the_window(self, count: int, says: list[str]) -> None:
        """60 and 200 different items within 300 s, at any rhythm."""
        assert found(walk(SHUFFLED[:count], 1.49), VOLUME) == says

    def test_the_window_slides(self) -> None:
        """Sixty items in 400 s are never sixty within 300."""
        assert found(walk(SHUFFLED[:120], 6.0), VOLUME) == []
        assert found(walk(SHUFFLED[:120], 5.0), VOLUME) == ["volume:25"]

    def test_repeats_and_media_do_not_count(self) -> None:
        """Different items of page views and data calls."""
        assert found(walk(SHUFFLED[:59] * 3, 1.0), VOLUME) == []
        assert found(walk(SHUFFLED[:300], 0.5, uri="/tiles/{}.png"), VOLUME) == []
        assert found(walk(SHUFFLED[:300], 0.5, headers={**CALL, b"sec-purpose": b"prefetch"}), VOLUME) == []
        assert found(walk(SHUFFLED[:300], 0.5, headers={**CALL, b"sec-fetch-site": b"cross-site"}), VOLUME) == []

    def test_a_glance_elsewhere_does_not_hide_it(self) -> None:
        """Judged by the route of which most was taken, until that is 300 s ago."""
        rig = Rig()
        walk(SHUFFLED[:70], 1.0, rig=rig)
        assert found(rig.ask("/about", at_s=80, headers=TOOL), VOLUME) == ["volume:25"]
        assert found(rig.ask("/about", at_s=400, headers=TOOL), VOLUME) == []

    def test_own_steps_and_window(self) -> None:
        """A shorter window counts what lies in it, and reading it changes nothing for others."""
        short = enforcing(detectors=tuned(traversal_volume=Volume(window_s=60, steps=(VolumeStep(50, 40),))))
        rig = Rig(short)
        assert found(walk(SHUFFLED[:100], 1.3, rig=rig), VOLUME) == []
        assert found(walk(SHUFFLED[100:160], 1.0, rig=rig, start_s=130), VOLUME) == ["volume:40"]
        assert found(walk(SHUFFLED[:300], 0.5, rig=Rig(enforcing(detectors=points(VOLUME, 0)))), VOLUME) == []

    def test_another_client_has_its_own(self) -> None:
        """Two clients of one address with other User-Agents are two."""
        rig = Rig()
        walk(SHUFFLED[:70], 1.0, rig=rig)
        other = {**TOOL, b"user-agent": b"other/1"}
        assert found(walk(SHUFFLED[70:75], 1.0, rig=rig, headers=other, start_s=70), VOLUME) == []


def together(
    rig: Rig, items: int, addresses: int, *, client: str = "198.51.100.{}", start_s: float = 0.0, **facts: Any
) -> list[str]:
    """`items` different items taken by turns from `addresses`; what spread says of the last."""
    facts.setdefault("headers", TOOL)
    for number in range(items):
        decision = rig.ask(
            f"/items/{SHUFFLED[number]}", at_s=start_s + number * 0.31, client=client.format(number % addresses + 1), **facts
        )
    return found(decision, SPREAD)


class TestSpread:
    # The first requests of a network are not kept one by one: WARM_NETWORK - 1 = 31 items more.
    @pytest.mark.parametrize(
        ("items", "addresses", "says"),
        [(131, 5, ["spread:network"]), (99, 5, []), (150, 4, []), (140, 12, ["spread:network"])],
    )
    def test_one_network(self, items: int, addresses: int, says: list[str]) -> None:
        """100 items of one route from 5 addresses of a /24 within 300 s."""
        assert together(Rig(), items, addresses) == says

    def test_slowly_it_is_none(self) -> None:
        """What is older than 300 s is forgotten."""
        rig = Rig()
        together(rig, 60, 5)
        assert together(rig, 60, 5, start_s=400) == []

    def test_bystanders_of_the_network_get_nothing(self) -> None:
        """Who takes no item, who loads the parts of pages, who is known, and who is elsewhere."""
        rig = Rig(cookies=True)
        together(rig, 150, 6)
        at = {"client": "198.51.100.200", "at_s": 50.0}
        for uri in ("/", "/about"):
            assert found(rig.ask(uri, **at), SPREAD) == []
        rig.ask("/a.css", **{**at, "headers": {**CALL, b"sec-fetch-dest": b"style"}})
        assert found(rig.ask("/items/4711", **at), SPREAD) == []
        known = {**PAGE, b"cookie": rig.session_cookie(opened_s=-1000)}
        assert found(rig.ask("/items/4712", client="198.51.100.201", at_s=50.0, headers=known), SPREAD) == []
        assert found(rig.ask("/items/4713", client="198.51.101.7", at_s=50.0, headers=TOOL), SPREAD) == []
        assert found(rig.ask("/other/4713", client="198.51.100.7", at_s=50.0, headers=TOOL), SPREAD) == []
        assert found(rig.ask("/items/4714", client="198.51.100.7", at_s=50.0, headers=TOOL), SPREAD) == ["spread:network"]

    def test_one_tools_hello_from_everywhere(self) -> None:
        """100 items with one tool's hello from 5 networks: its users on that route, and nobody else."""
        rig = Rig(enforcing(audience="api"))
        tool = hello("python-requests-2.34")
        assert together(rig, 99, 5, client="198.51.{}.7", **tool) == []
        assert together(rig, 100, 5, client="198.51.{}.7", start_s=40, **tool) == ["spread:fingerprint"]
        at = {"client": "203.0.113.9", "at_s": 80.0, "headers": TOOL}
        assert found(rig.ask("/items/4711", **at, **tool), SPREAD) == ["spread:fingerprint"]
        assert found(rig.ask("/other/4711", **at, **tool), SPREAD) == []
        assert found(rig.ask("/items/4711", **at), SPREAD) == []
        assert found(rig.ask("/items/4711", **at, **hello("curl-7.88")), SPREAD) == []

    def test_a_browsers_hello_is_never_a_reason(self) -> None:
        """Thousands of people share it."""
        assert together(Rig(), 200, 8, client="198.51.{}.7", headers=CALL, **hello("chromium-156")) == []

    def test_a_balancers_hello_is_nobodys(self) -> None:
        """Behind a CDN the hello is the CDN's."""
        assert together(Rig(), 200, 8, client="198.51.{}.7", peer=b"\1" * 16, **hello("python-requests-2.34")) == []
