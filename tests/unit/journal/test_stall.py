"""botsieve.journal.stall"""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.journal import Journal
from botsieve.journal.stall import STALLED_S, Stall

from tests.servers import wait_until
from tests.unit.journal.samples import CURL, NOW_S, decision, observation
from tests.unit.journal.test_facade import Hand, options


def test_said_once_while_it_lasts_and_when_it_is_over() -> None:
    """Lines wait and none goes out for two seconds: said; one goes out: said."""
    stall = Stall("/var/log/d.log")
    assert [stall.look(7, 3, at) for at in (10.0, 10.5, 11.9)] == ["", "", ""]
    said = stall.look(7, 130, 10.0 + STALLED_S)
    assert said.startswith("/var/log/d.log takes no line of the decision log (a full disk")
    assert "130 wait" in said
    assert stall.is_stalled
    assert stall.look(7, 140, 20.0) == ""
    assert stall.look(8, 139, 21.0) == "/var/log/d.log takes lines of the decision log again"
    assert not stall.is_stalled


@pytest.mark.parametrize(
    "steps", [[(1, 0, 0.0), (1, 0, 9.0)], [(1, 5, 0.0), (2, 5, 1.9), (3, 5, 3.8)], [(1, 0, 0.0), (1, 2, 9.0)]]
)
def test_a_log_that_is_idle_or_busy_is_not_stalled(steps: list[tuple[int, int, float]]) -> None:
    """Nothing to write, always something on its way, or something new after a long rest."""
    stall = Stall("stdout")
    assert not any(stall.look(*step) for step in steps)


def test_a_full_disk_is_said_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, since the log itself cannot, and in the metric that the alert asks."""
    clock = Hand()
    journal = Journal(options(tmp_path, to="/dev/full"), clock)
    journal.record(observation(), decision(7, CURL, would_be="challenge"), NOW_S, 14)
    wait_until(lambda: journal.log.waiting > 0, what="a line that waits")
    assert b"botsieve_log_stalled 0.0" in journal.render_metrics()
    for _ in range(3):
        clock.now_s += 60
        journal.poll()
    assert b"botsieve_log_stalled 1.0" in journal.render_metrics()
    journal.close()
    assert "botsieve: /dev/full takes no line of the decision log" in capsys.readouterr().err


def test_stdout_is_not_complained_about_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They may be one pipe, and whoever writes to a pipe that nobody reads waits for ever."""
    clock = Hand()
    journal = Journal(options(tmp_path, to="stdout"), clock)
    journal.poll()
    journal.log.close()
    journal.record(observation(), decision(7, CURL, would_be="challenge"), NOW_S, 14)
    for _ in range(3):
        clock.now_s += 60
        journal.poll()
    assert b"botsieve_log_stalled 1.0" in journal.render_metrics()
    journal.close()
    assert "takes no line" not in capsys.readouterr().err
