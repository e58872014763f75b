"""The replay itself."""

from __future__ import annotations

from pathlib import Path

from botsieve.decision import Decision
from botsieve.engine import Engine
from botsieve.observation import Observation
from botsieve.policy import Policy, Rulebook
from botsieve.replay.run import Result, decision_id, replay, without_timing

from tests.replay.samples import FIREFOX, botsieve, combined, write


def scraper(count: int, step_s: float = 1.003) -> list[bytes]:
    """curl takes item after item."""
    return [
        botsieve("198.51.100.9", at * step_s, f"/items/{at}", "curl/8.5", accept="*/*", accept_language="", sec_fetch="  ")
        for at in range(count)
    ]


def replayed(names: list[str], rulebook: Rulebook | None = None) -> tuple[Result, list[tuple[Observation, Decision]]]:
    """A result and every decision."""
    seen: list[tuple[Observation, Decision]] = []
    return replay(names, rulebook or Rulebook(), on_decision=lambda o, d: seen.append((o, d))), seen


def test_same_decisions_as_the_live_engine(tmp_path: Path) -> None:
    """Replay feeds the engine that decides live: same verdicts, same findings, same scores."""
    lines = sorted(
        scraper(80) + [botsieve("203.0.113.7", at * 9.7, "/", FIREFOX) for at in range(8)], key=lambda line: line[:24]
    )
    _, seen = replayed([write(tmp_path / "a.log", lines)])
    engine = Engine(Rulebook(), b"another secret of another process")
    live = [engine.decide(o, o.edge_time_s, "x") for o, _ in seen]
    assert [(d.would_be, d.score, d.signals) for d in live] == [(d.would_be, d.score, d.signals) for _, d in seen]
    assert {d.would_be for d in live} == {"allow", "challenge", "block"}


def test_totals(tmp_path: Path) -> None:
    """Lines, requests, unreadable lines and clients add up."""
    result, seen = replayed([write(tmp_path / "a.log", [*scraper(10), b"junk", botsieve(at_s=20.5)])])
    assert (result.lines, result.unreadable, result.totals.requests, len(result.totals.table)) == (12, 1, 11, 2)
    assert len(seen) == 11
    assert (result.format, result.not_seen, result.clock.clock) == ("botsieve", ["tls"], "ordered")


def test_only_would_be_verdicts(tmp_path: Path) -> None:
    """Mode monitor and a pause change nothing of what a replay says."""
    name = write(tmp_path / "a.log", scraper(60))
    verdicts = [
        [d.would_be for _, d in replayed([name], book)[1]]
        for book in (Rulebook(), Rulebook(policies=(Policy(mode="enforce"),)), Rulebook(paused=True))
    ]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert "block" in verdicts[0]


def test_scrambled_clock_is_neutral(tmp_path: Path) -> None:
    """With a clock that jumps, nothing that needs a clock is found; what needs none still is."""
    lines = [
        combined("198.51.100.9", 7200.0 * (at * 7 % 11), f"/page{'abcdefghijk'[at % 11]}", "curl/8.5") for at in range(400)
    ]
    result, seen = replayed([write(tmp_path / "a.log", lines)])
    assert (result.clock.clock, result.clock.timing_judged) == ("scrambled", False)
    found = {signal.id for _, d in seen for signal in d.signals}
    assert "agent.bot_useragent" in found
    assert not {"timing.suspicious_timing", "traversal.volume", "network.busy_range"} & found


def test_timer_needs_a_fine_clock(tmp_path: Path) -> None:
    """One URL every 1.003 s: found on milliseconds, not judged on whole seconds, where the rounding makes the rhythm."""
    fine = write(tmp_path / "fine.log", [botsieve(at_s=at * 1.003, uri="/poll") for at in range(30)])
    coarse = write(tmp_path / "coarse.log", [combined(at_s=at * 1.003, uri="/poll") for at in range(30)])
    for name, expected in ((fine, True), (coarse, False)):
        result, seen = replayed([name])
        assert result.clock.timing_judged is expected
        assert any(signal.id == "timing.suspicious_timing" for _, d in seen for signal in d.signals) is expected


def test_without_timing_reaches_the_packaged_policy() -> None:
    """A request that no policy matches is not timed either."""
    book = without_timing(Rulebook(policies=(Policy(name="shop", hosts=("shop.example",)),)))
    assert [policy.name for policy in book.policies] == ["shop", "default"]
    assert all(policy.detectors["timing.suspicious_timing"].points == 0 for policy in book.policies)
    assert all(policy.detectors["traversal.volume"].points for policy in book.policies)


def test_mixed_files(tmp_path: Path) -> None:
    """Several formats: `mixed`, and not seen is what one of them cannot hold."""
    result, seen = replayed(
        [
            write(tmp_path / "b.log", [combined(at_s=5)]),
            write(tmp_path / "a.log", [botsieve(at_s=1.5)]),
            write(tmp_path / "c.log", []),
        ]
    )
    assert result.format == "mixed"
    assert result.not_seen == ["accept_encoding", "accept_language", "header_order", "sec_fetch", "tls"]
    assert [o.edge_time_s % 10 for o, _ in seen] == [0.5, 4.0]


def test_same_log_same_result(tmp_path: Path) -> None:
    """Nothing of a replay is drawn by lot."""
    name = write(tmp_path / "a.log", scraper(100))
    first, second = replayed([name])[1], replayed([name])[1]
    assert [d for _, d in first] == [d for _, d in second]


def test_decision_id() -> None:
    """The form of docs/headers.md."""
    assert decision_id(42) == "0000-0000-0000-0042"
