"""botsieve.journal.facade"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from botsieve.config import loads
from botsieve.errors import MachineError
from botsieve.journal import Journal, JournalOptions
from botsieve.journal.pause import FILE_NAME
from botsieve.journal.render import time_text

from tests.unit.journal.samples import CURL, NOW_S, SCHEMA, decision, observation


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


def options(folder: Path, **changes: Any) -> JournalOptions:
    return JournalOptions(**({"state_dir": str(folder / "state"), "to": str(folder / "log"), "web_listen": None} | changes))


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log").read_bytes().splitlines()]


def test_a_decision_is_counted_kept_and_written(tmp_path: Path) -> None:
    """One call does all three; what `find` gives is the line of the log."""
    journal = Journal(options(tmp_path), Hand())
    journal.record(observation(), decision(7, CURL, would_be="challenge"), NOW_S, 14)
    found = journal.find(" 0000-0000-0000-0007 ")
    journal.close()
    assert lines_of(tmp_path) == [found]
    SCHEMA.validate(found)
    assert journal.metrics.decisions_total == 1
    assert journal.find("0000-0000-0000-0008") is None


def test_quiet_decisions_are_kept_even_if_not_written(tmp_path: Path) -> None:
    """`explain` can tell of any of the last decisions, the log holds the share that was asked for."""
    journal = Journal(options(tmp_path, allow_sample_percent=10.0), Hand())
    for number in range(100):
        journal.record(observation(), decision(number), NOW_S, 14)
    journal.close()
    written = lines_of(tmp_path)
    assert len(written) == 10
    assert all(line["sample_percent"] == 10.0 for line in written)
    assert all(journal.find(decision(number).id) is not None for number in range(100))


@pytest.mark.parametrize("form", ["prefix", "hmac"])
def test_addresses_are_redacted_in_every_sink(tmp_path: Path, form: str) -> None:
    """Neither the log nor an answer to an operator holds the address when the configuration says so."""
    journal = Journal(options(tmp_path, addresses=form), Hand())
    journal.record(observation(), decision(7, CURL), NOW_S, 14)
    told = json.dumps(journal.find(decision(7).id)) + journal.render_metrics().decode() + json.dumps(journal.status())
    journal.close()
    assert "203.0.113.7" not in told + (tmp_path / "log").read_text()


def test_canaries_are_in_no_sink(tmp_path: Path) -> None:
    """Cookie, Authorization and query values: not in the log, the metrics, the status, nor in any file of the state."""
    journal = Journal(options(tmp_path, addresses="hmac"), Hand())
    o = observation(
        b"/a?token=CANARY", cookie=b"s=CANARY", authorization=b"Bearer CANARY", referer=b"https://a/?CANARY", x_key=b"CANARY"
    )
    for number in range(50):
        journal.record(o, decision(number, CURL, route="/a?token=CANARY"), NOW_S, 14)
    journal.detector_failed("agent.bot_useragent", ValueError("CANARY"))
    journal.pause()
    told = json.dumps(journal.find(decision(7).id)) + journal.render_metrics().decode() + json.dumps(journal.status())
    journal.close()
    assert "CANARY" not in told
    assert all(b"CANARY" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_events_repeat_at_most_every_ten_seconds(tmp_path: Path) -> None:
    """The first is written at once, the others together by the poll ten seconds later, the last ones at the end."""
    clock = Hand()
    journal = Journal(options(tmp_path), clock)
    for _ in range(5):
        journal.event("overloaded")
    clock.now_s += 10.0
    journal.poll()
    journal.event("overloaded")
    journal.close()
    assert [line.get("count") for line in lines_of(tmp_path)] == [None, 4, None]


def test_lines_bear_the_time_of_the_machines_clock(tmp_path: Path) -> None:
    """Somebody sets the machine's clock on by an hour: from the next look on the log says so, though our own time went on."""
    own, wall = Hand(), Hand()
    journal = Journal(options(tmp_path), own, wall_s=wall)
    journal.record(observation(), decision(1, CURL), own(), 14)
    wall.now_s += 3600.0
    journal.poll()
    journal.record(observation(), decision(2, CURL), own(), 14)
    journal.event("overloaded")
    journal.close()
    assert [line["time"] for line in lines_of(tmp_path)] == [time_text(NOW_S), *[time_text(NOW_S + 3600.0)] * 2]


def test_lost_lines_are_told(tmp_path: Path) -> None:
    """What the queue could not take is an event, a metric and a figure of the status."""
    journal = Journal(options(tmp_path, queue=0), Hand())
    for number in range(3):
        journal.record(observation(), decision(number, CURL), NOW_S, 14)
    journal.poll()
    assert journal.status()["log"] == {"written": journal.log.written, "waiting": journal.log.waiting, "dropped": 3}
    assert b"botsieve_log_dropped_total 3.0" in journal.render_metrics()
    journal.close()
    assert [(line["event"], line["count"]) for line in lines_of(tmp_path)] == [("log_dropped", 3)]


def test_a_pause_is_told_to_the_service_and_survives(tmp_path: Path) -> None:
    """By the switch, by hand, over a restart: the service is called at each change and only then."""
    told: list[bool] = []
    journal = Journal(options(tmp_path), Hand(), told.append)
    journal.config_applied(loads(b"policies: [{name: shop, mode: enforce}]").rulebook)
    assert [journal.pause(), journal.pause()] == [True, False]
    assert journal.status()["policies"] == {"shop": "monitor"}
    (tmp_path / "state" / FILE_NAME).unlink()
    journal.poll()
    assert told == [True, False]
    assert journal.status()["policies"] == {"shop": "enforce"}
    journal.pause()
    journal.close()
    again = Journal(options(tmp_path), Hand(), told.append)
    assert again.paused
    assert again.resume()
    again.close()
    assert told == [True, False, True, False]
    said = [line["event"] for line in lines_of(tmp_path) if line["event"] != "config_applied"]
    assert sorted(said) == ["paused", "paused", "resumed", "resumed"]


def test_configurations_are_counted_and_told(tmp_path: Path) -> None:
    """Applied: event, timestamp, id. Refused: event with every mistake, counter, and the old one stays."""
    journal = Journal(options(tmp_path), Hand())
    rulebook = loads(b"policies: [{name: shop}]").rulebook
    journal.config_applied(rulebook, changed=["policies"])
    journal.config_refused("botsieve.yaml", ["botsieve.yaml:3: bot_at: 200; accepted: 0 to 100"])
    status, metrics = journal.status(), journal.render_metrics()
    journal.close()
    applied, refused = lines_of(tmp_path)
    assert (applied["event"], applied["config"], applied["changed"]) == ("config_applied", rulebook.config, ["policies"])
    assert (refused["event"], refused["level"], len(refused["mistakes"])) == ("config_refused", "error", 1)
    assert (status["config"], status["config_refused"]) == (rulebook.config, 1)
    assert b"botsieve_config_refused_total 1.0" in metrics
    assert b"botsieve_config_applied_timestamp_seconds 1.795296799898e+09" in metrics


def test_the_options_are_those_of_the_configuration() -> None:
    """A loaded file says where to write, what, and where to listen."""
    text = b"state: {dir: /srv/b}\njournal: {decisions: {to: null, allow_sample_percent: 5, queue: 500}}\n"
    text += b"privacy: {addresses: hmac}\n"
    made = JournalOptions.of(loads(text + b'web: {listen: "[::1]:9999"}\n').service)
    assert made == JournalOptions(
        state_dir="/srv/b", to=None, allow_sample_percent=5.0, queue=500, addresses="hmac", web_listen="[::1]:9999"
    )


def test_a_running_journal_takes_over_what_it_can(tmp_path: Path) -> None:
    """Sample and addresses at once, for the log and for `find`; what needs a restart is named by its key."""
    journal = Journal(options(tmp_path, allow_sample_percent=0.0), Hand())
    assert journal.reconfigure(options(tmp_path, allow_sample_percent=100.0, addresses="prefix")) == []
    journal.record(observation(), decision(7), NOW_S, 14)
    found = journal.find(decision(7).id)
    assert journal.reconfigure(options(tmp_path, addresses="prefix", queue=5, to=None)) == [
        "journal.decisions.to",
        "journal.decisions.queue",
    ]
    journal.close()
    assert lines_of(tmp_path) == [found]
    assert found is not None
    assert found["client"] == "203.0.113.0/24"


def test_a_place_that_cannot_be_used_is_a_clear_error(tmp_path: Path) -> None:
    """The log's file and the state's directory: exit code 4, with the key that is wrong."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"^journal\.decisions\.to: "):
        Journal(options(tmp_path, to=str(tmp_path / "no" / "log")), Hand())
    journal = Journal(options(tmp_path, state_dir=str(tmp_path / "file" / "state")), Hand())
    with pytest.raises(MachineError, match=r"^state\.dir: "):
        asyncio.run(journal.listen())
    journal.close()
