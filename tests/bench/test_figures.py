"""What the benchmarks print, and that each of them runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import decide, memory
from tests.bench.check_load import CLIENTS, questions
from tests.bench.figures import Figure, alternating, median_of, table
from tests.bench.load import HEADERS, ITEM, script
from tests.bench.run import BENCHES, figures_of
from tests.bench.traffic import address_of, requests


def test_a_row_shows_goal_and_whether_it_was_reached() -> None:
    """A goal that was not reached is said in capitals, one that could not be shown too; a row without a goal says nothing of one."""
    text = table(
        [
            Figure(what="a", measured="1/s", goal="2/s", reached=False, how="slowly"),
            Figure(what="bb", measured="30/s", goal="2/s", reached=True),
            Figure(what="c", measured="4/s"),
            Figure(what="d", measured="5/s", goal="2/s"),
        ]
    )
    assert text.splitlines() == [
        "  a    1/s  goal 2/s: NOT reached",
        "      slowly",
        "  bb  30/s  goal 2/s: reached",
        "  c    4/s",
        "  d    5/s  goal 2/s: not shown",
    ]


def test_measurements_alternate() -> None:
    """Each turn runs all of them, every other turn backwards; the medians are of each alone."""
    order: list[str] = []

    def run(name: str, value: float) -> float:
        order.append(name)
        return value

    medians = alternating(3, {"a": lambda: run("a", 1.0), "b": lambda: run("b", 5.0)})
    assert medians == {"a": 1.0, "b": 5.0}
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert median_of(3, iter([9.0, 1.0, 5.0]).__next__) == 5.0


def test_traffic_is_the_same_each_time_and_spread_as_promised() -> None:
    """Four clients to a /24, all different; the same seed gives the same requests."""
    assert len({address_of(number) for number in range(1000)}) == 1000
    assert len({address_of(number)[:15] for number in range(1000)}) == 250
    first = [(o.client, o.uri) for o in requests(50, 200, start_s=1e9)]
    assert first == [(o.client, o.uri) for o in requests(50, 200, start_s=1e9)]


def test_decisions_and_memory_are_measured() -> None:
    """The two benchmarks that need no server give a figure for each goal, at a size that shows only that they work."""
    rate, everything = decide.measure(clients=100, warm=200, enough=1, at_most=3)
    assert rate.measured.endswith("us)")
    assert everything.measured.endswith("us)")
    each, times, pause = memory.measure(many=2_000, count=200, runs=1)
    assert each.measured.endswith(" B")
    assert times.measured.endswith(" times")
    assert pause.measured.endswith(" ms")


def test_a_load_script_names_every_header(tmp_path: Path) -> None:
    """What wrk sends holds the browser's headers and the client's address."""
    text = script(tmp_path, address="X-Demo-Address", target=ITEM).read_text()
    assert all(f"wrk.headers['{name}']" in text for name in HEADERS)
    assert 'wrk.headers["X-Demo-Address"] = address' in text


def test_the_checks_that_are_sent_differ_and_have_24_headers() -> None:
    """Each client its own address, page and cookie; Host beside them."""
    asked = questions()
    assert len(set(asked)) == CLIENTS
    assert {request.count(b"\r\n") for request in asked} == {1 + 1 + 24 + 1}


def test_a_benchmark_that_fails_is_a_row_that_says_so() -> None:
    """One that cannot run does not hide the others."""
    (row,) = figures_of("no_such_bench", [])
    assert row.reached is False
    assert "no_such_bench" in row.how


@pytest.mark.parametrize("bench", BENCHES)
def test_every_benchmark_exists(bench: str) -> None:
    """The list of `make bench` names files that are there."""
    assert (Path(__file__).parent / f"{bench}.py").is_file()
