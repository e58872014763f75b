"""botsieve.journal.events"""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.journal.events import EVENTS, EVERY_S, Repeats


def test_the_first_is_said_at_once_and_the_rest_together() -> None:
    """One event in ten seconds; the next one carries how many it stands for."""
    repeats = Repeats()
    assert repeats.admit("overloaded", {}, 100.0) == {"level": "warning", "event": "overloaded"}
    assert [repeats.admit("overloaded", {}, 100.0 + n) for n in range(1, 6)] == [None] * 5
    assert repeats.due(100.0 + EVERY_S - 0.001) == []
    assert repeats.due(100.0 + EVERY_S) == [{"level": "warning", "event": "overloaded", "count": 5}]
    assert repeats.due(200.0) == []


def test_given_counts_add_up() -> None:
    """Events that count themselves are added, not counted as one each."""
    repeats = Repeats()
    assert repeats.admit("log_dropped", {"count": 7}, 0.0) == {"level": "warning", "event": "log_dropped", "count": 7}
    repeats.admit("log_dropped", {"count": 2}, 1.0)
    repeats.admit("log_dropped", {"count": 3}, 2.0)
    assert repeats.due(10.0) == [{"level": "warning", "event": "log_dropped", "count": 5}]


def test_what_passed_adds_up() -> None:
    """No request that passed unjudged is missing from the log: what is held back is summed, for each edge on its own."""
    repeats = Repeats()
    first = repeats.admit("unjudged", {"edge": "nginx", "passed": 4}, 0.0)
    for passed in (10, 20, 3):
        repeats.admit("unjudged", {"edge": "nginx", "passed": passed}, 1.0)
    repeats.admit("unjudged", {"edge": "other", "passed": 100}, 1.0)
    assert first == {"level": "warning", "event": "unjudged", "edge": "nginx", "passed": 4}
    assert repeats.due(10.0) == [{"level": "warning", "event": "unjudged", "edge": "nginx", "passed": 33, "count": 3}]
    repeats.admit("unjudged", {"edge": "nginx", "passed": 5}, 30.0)
    repeats.admit("unjudged", {"edge": "nginx", "passed": 7}, 31.0)
    assert repeats.due(40.0) == [{"level": "warning", "event": "unjudged", "edge": "nginx", "passed": 7}]


def test_different_things_do_not_hide_each_other() -> None:
    """The failure of one detector does not hold back that of another; what is told is the latest of each."""
    repeats = Repeats()
    assert repeats.admit("detector_failed", {"signal": "a.b", "error": "KeyError"}, 0.0)
    assert repeats.admit("detector_failed", {"signal": "c.d", "error": "KeyError"}, 0.0)
    assert repeats.admit("detector_failed", {"signal": "a.b", "error": "ValueError"}, 1.0) is None
    assert [event["error"] for event in repeats.due(10.0)] == ["ValueError"]


def test_nothing_is_lost_at_the_end() -> None:
    """What is held back when the service stops is said then."""
    repeats = Repeats()
    repeats.admit("overloaded", {}, 0.0)
    repeats.admit("overloaded", {}, 0.1)
    assert [event["event"] for event in repeats.due(0.2, everything=True)] == ["overloaded"]


def test_everything_is_bounded() -> None:
    """Ten thousand different things take the place of a few hundred, and long values are cut."""
    repeats = Repeats()
    said = [repeats.admit("detector_failed", {"signal": f"a.{n}", "error": "x" * 5000}, 0.0) for n in range(10_000)]
    told = [event for event in said if event is not None]
    assert 0 < len(told) <= 300
    assert max(len(str(event["error"])) for event in told) <= 1024
    mistakes = repeats.admit("config_refused", {"file": "a", "mistakes": ["m"] * 1000}, 0.0)
    assert mistakes is not None
    assert mistakes["mistakes"] == ["m"] * 100
    total = len(told) + sum(event.get("count", 1) for event in repeats.due(10.0))  # type: ignore[misc]
    assert total == 10_000


def test_an_unknown_name_is_a_mistake() -> None:
    """Event names are constants; docs/decision-log.md lists each with its level."""
    with pytest.raises(ValueError, match="accepted: service_ready"):
        Repeats().admit("oops", {}, 0.0)


def test_the_document_lists_every_event(root: Path) -> None:
    """docs/decision-log.md and the table agree on names and levels."""
    table = (root / "docs" / "decision-log.md").read_text().partition("## Other events")[2]
    rows = [row.split("|")[1:3] for row in table.splitlines() if row.startswith("| `")]
    written = {name.strip("`"): level.strip() for names, level in rows for name in names.split()}
    assert written == {name: level for name, (level, _) in EVENTS.items()}
