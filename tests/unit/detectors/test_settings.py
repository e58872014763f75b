"""detectors/settings.py: the first mission document's numbers, and one entry a detector."""

from __future__ import annotations

from botsieve.detectors import TABLE
from botsieve.detectors.settings import DEFAULTS, FAMILY_MAX, SuspiciousTiming, Volume

# Source: docs/mission.md S1-06 to S1-30 and docs/names.md.
POINTS = {
    "agent.bot_useragent": 40,
    "agent.no_useragent": 40,
    "agent.known_crawler": 40,
    "headers.no_accept_language": 20,
    "headers.no_accept_encoding": 15,
    "headers.no_referer": 15,
    "tls.suspicious_ja3": 30,
    "claim.unlike_headers": 25,
    "claim.contradiction": 45,
    "claim.false_crawler": 100,
    "timing.suspicious_timing": 35,
    "traversal.url_pattern": 30,
    "traversal.volume": 50,
    "traversal.spread": 30,
    "network.busy_range": 25,
}


def test_the_seeds_weights() -> None:
    """Every finding has the points of its source."""
    assert {name: settings.points for name, settings in DEFAULTS.items()} == POINTS


def test_one_entry_a_detector_in_order() -> None:
    """What the table runs can be set, and nothing else."""
    assert [detector.id for detector in TABLE] == list(DEFAULTS)


def test_steps_are_tried_from_the_highest() -> None:
    """The first that holds counts, so a lower step never hides a higher one."""
    timing, volume = DEFAULTS["timing.suspicious_timing"], DEFAULTS["traversal.volume"]
    assert isinstance(timing, SuspiciousTiming)
    assert isinstance(volume, Volume)
    assert [(step.cv_below, step.mean_below_s, step.points) for step in timing.steps] == [(0.05, 2.0, 35), (0.15, 1.0, 25)]
    assert [(step.items_at_least, step.points) for step in volume.steps] == [(200, 50), (60, 25)]


def test_two_weak_findings_challenge_nobody() -> None:
    """15 + 25 stay under 45, and so does every cap of a family."""
    assert max(FAMILY_MAX.values()) < 45
    assert DEFAULTS["headers.no_referer"].points + DEFAULTS["claim.unlike_headers"].points < 45
