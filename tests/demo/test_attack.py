"""`make attack`: its table of clients, and the whole of it against the running demo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botsieve.demo.attack import CLIENTS, TOO_BUSY, _belongs, attack, judge
from botsieve.demo.clients import Sent, Target
from botsieve.demo.report import Entry, Row
from botsieve.errors import MachineError

from tests.conftest import ROOT, Start
from tests.demo.test_run import start_demo
from tests.pace import slowness


def test_every_entry_belongs_to_one_client() -> None:
    """No request of one client is counted for another."""
    target = Target("https://127.0.0.1:1", 9)
    for number in range(1, len(CLIENTS) + 1):
        entry = Entry(event="decision", client=target.address(number, 12))
        owners = [at for at, client in enumerate(CLIENTS, 1) if _belongs(client, at, target)(entry)]
        assert owners == ([] if CLIENTS[number - 1].is_person else [number])


def test_a_client_that_fails_itself_fails_the_run() -> None:
    """A client that could not work proves nothing."""
    row = Row(name="x", requests=0, first_challenge=None, first_block=None, reasons=())
    assert judge(CLIENTS[1], row, Sent(0), "OSError: no route", tls=True).startswith("FAILED: the client itself: OSError")


def test_what_needs_fingerprints_is_not_checked_without_them() -> None:
    """nginx without Lua shows no fingerprint: expectations that rest on one are left out, and said to be."""
    needy = next(client for client in CLIENTS if client.expect.tls)
    row = Row(name="x", requests=1, first_challenge=None, first_block=None, reasons=())
    assert judge(needy, row, Sent(0), "", tls=False).startswith("not checked")
    assert judge(needy, row, Sent(0), "", tls=True).startswith("FAILED")


@pytest.mark.parametrize(
    ("sent", "word"), [(Sent(9), "FAILED"), (Sent(9, 0.2), TOO_BUSY), (Sent(12), TOO_BUSY), (Sent(9, 0.005), "FAILED")]
)
def test_a_machine_that_keeps_no_pace_shows_nothing(sent: Sent, word: str) -> None:
    """What was not as expected, of requests that came late or passed unjudged, is no failure; on a quiet machine it is one."""
    metronome = next(client for client in CLIENTS if "metronome" in client.name)
    row = Row(name="x", requests=9, first_challenge=1, first_block=None, reasons=())
    assert judge(metronome, row, sent, "", tls=True).startswith(word)
    assert judge(metronome, Row("x", 0, None, None, ()), Sent(14, 0.2), "", tls=True).startswith("FAILED: the decision log")


def test_without_a_demo_it_says_what_to_start(tmp_path: Path) -> None:
    """`make attack` alone names `make run`."""
    with pytest.raises(MachineError, match="make run"):
        attack(tmp_path)


@pytest.mark.realtime
def test_every_client_meets_what_it_must(start: Start, tmp_path: Path) -> None:
    """The person passes, honest tools are told, scrapers are stopped: `make attack` ends with 0 within 120 s."""
    start_demo(start, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "botsieve.demo.attack"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "service")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 not" in done.stdout
    assert ".venv/bin/botsieve explain ID --config .run/botsieve.yaml" in done.stdout
    assert ".venv/bin/botsieve incidents list --config .run/botsieve.yaml" in done.stdout
    # Two may be disturbed by chance; when there are more, the machine was busy indeed.
    assert done.stdout.count(TOO_BUSY) <= 2 or slowness() > 1.5, done.stdout
