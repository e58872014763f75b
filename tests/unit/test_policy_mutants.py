"""policy.py and score.py: what could be broken without any other test noticing (`make mutation`)."""

from __future__ import annotations

import pytest
from botsieve.decision import Signal
from botsieve.policy import Allowlist, PathSet, Policy, Rule, Rulebook
from botsieve.ranges import RangeSet
from botsieve.score import BEHAVIOUR_FAMILIES, settle, total


@pytest.mark.parametrize(
    ("path", "is_held"),
    [
        (b"/a/x/", True),
        (b"/a/x/y", True),
        (b"/a/x/y/z", True),
        (b"/a/x", False),
        (b"/a//y", False),
        (b"/b/x/", False),
        (b"/a/", False),
    ],
)
def test_a_star_before_a_final_slash(path: bytes, is_held: bool) -> None:
    """`/a/*/` is everything below any one segment, and not that segment itself."""
    assert (path in PathSet(("/a/*/",))) is is_held


def test_a_star_without_a_final_slash_is_as_long_as_written() -> None:
    """`/a/*` is one segment, no more and no less."""
    held = PathSet(("/a/*",))
    assert [path in held for path in (b"/a/x", b"/a/x/y", b"/a/", b"/a")] == [True, False, False, False]


def test_the_front_page_is_not_everything() -> None:
    """`/` alone is the front page."""
    held = PathSet(("/",))
    assert [path in held for path in (b"/", b"/a", b"/a/")] == [True, False, False]


def test_the_packaged_policy() -> None:
    """The defaults of docs/settings.md, spelt out: other tests take them from where they stand."""
    policy = Policy()
    assert (policy.name, policy.mode, policy.audience, policy.challenge) == ("default", "monitor", "mixed", "pow")
    assert (policy.challenge_at, policy.block_at, policy.challenge_first) == (45, 80, True)
    assert policy.never_challenge.texts == ("/robots.txt", "/favicon.ico", "/.well-known/")
    assert policy.entry_pages.texts == ("/",)
    book = Rulebook()
    assert (book.bot_at, book.config, book.paused) == (60, "000000000000", False)
    assert (Rule(name="r").then, Rule(name="r").points) == ("", 0)
    assert len(Allowlist().networks) == len(RangeSet()) == 0


def test_a_name_below_is_longer_than_the_name() -> None:
    """`*.example.com` is neither example.com nor the bare dot before it, and bytes of a Host are any bytes."""
    policy = Policy(hosts=("*.example.com",))
    hosts = (b"a.example.com", b"example.com", b".example.com", b"xexample.com", b"\xff.example.com")
    assert [policy.matches_host(host) for host in hosts] == [True, False, False, False, True]


def test_behaviour_is_timing_and_traversal() -> None:
    """New findings of these families end what a clearance has earned."""
    assert {"timing", "traversal"} == BEHAVIOUR_FAMILIES


def test_the_ends_of_a_score() -> None:
    """0 and 100 belong to it; an operator's minus points count within the sum, and the sum is never below 0."""
    assert total((), {}) == 0
    assert total((Signal("a.x", -1),), {}) == 0
    assert total((Signal("a.x", 1),), {}) == 1
    assert total((Signal("a.x", 100),), {}) == 100
    assert total((Signal("a.x", 101), Signal("b.x", -1)), {}) == 99
    assert total((Signal("a.x", 130), Signal("b.x", -2)), {}) == 98


def test_one_finding_settles_as_itself() -> None:
    """Alone, with another, and the busy range alone and beside behaviour."""
    one, other, busy = Signal("tls.suspicious_ja3", 30), Signal("headers.no_accept", 10), Signal("network.busy_range", 25)
    timing = Signal("timing.suspicious_timing", 35)
    assert settle((one,)) == (one,)
    assert settle((other, one)) == (one, other)
    assert settle((busy,)) == ()
    assert settle((other, busy)) == (other,)
    for family in ("timing.x", "traversal.x", "tls.x", "claim.x"):
        assert busy in settle((busy, Signal(family, 35)))
    assert settle((busy, timing)) == (timing, busy)
