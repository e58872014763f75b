"""botsieve.journal.web"""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

from botsieve.journal import Journal
from botsieve.journal.control import ask

from tests.unit.journal.samples import CURL, NOW_S, decision, observation


def get(address: str, path: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", path)
    response = connection.getresponse()
    found = (response.status, response.headers["content-type"], response.read())
    connection.close()
    return found


def test_health_and_readiness(running: tuple[Journal, str]) -> None:
    """Alive from the start; ready when the service says that it judges; both tell the same."""
    journal, address = running
    status, kind, body = get(address, "/healthz")
    assert (status, kind, json.loads(body)["status"]) == (200, "application/json", "starting")
    assert get(address, "/readyz")[0] == 503
    journal.is_ready = True
    status, _, body = get(address, "/readyz")
    assert status == 200
    assert json.loads(body) == json.loads(json.dumps(journal.status()))


def test_metrics_are_served(running: tuple[Journal, str]) -> None:
    """The exposition text, with the content type that Prometheus wants."""
    journal, address = running
    journal.record(observation(), decision(1, CURL), NOW_S, 14)
    status, kind, body = get(address, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    assert b'botsieve_findings_total{signal="agent.bot_useragent"} 1.0' in body


def test_the_open_port_tells_nothing_of_a_client_and_changes_nothing(running: tuple[Journal, str]) -> None:
    """Decisions and the pause are not to be had over TCP."""
    journal, address = running
    journal.record(observation(), decision(1, CURL), NOW_S, 14)
    assert get(address, f"/v1/decisions/{decision(1).id}")[0] == 404
    assert get(address, "/v1/pause")[0] == 404
    assert not journal.paused


def test_the_control_socket_tells_of_a_decision(running: tuple[Journal, str]) -> None:
    """By id, as the object of the log; 404 for an id that is unknown."""
    journal, _ = running
    journal.record(observation(), decision(1, CURL), NOW_S, 14)
    folder = journal.options.state_dir
    assert ask(folder, "GET", f"/v1/decisions/{decision(1).id}") == (200, journal.find(decision(1).id))
    unknown = ask(folder, "GET", f"/v1/decisions/{decision(2).id}")
    assert unknown is not None
    assert unknown[0] == 404


def test_the_control_socket_pauses(running: tuple[Journal, str]) -> None:
    """Pause, again, resume: the answer is the status and whether anything changed."""
    journal, _ = running
    answers: list[Any] = [ask(journal.options.state_dir, "POST", f"/v1/{word}") for word in ("pause", "pause", "resume")]
    assert [(status, said["paused"], said["changed"]) for status, said in answers] == [
        (200, True, True),
        (200, True, False),
        (200, False, True),
    ]
    assert ask(journal.options.state_dir, "GET", "/v1/pause") == (405, {"error": "/v1/pause takes no GET; accepted: POST"})


def test_a_pause_that_cannot_last_is_refused(running: tuple[Journal, str], tmp_path: Path) -> None:
    """When the file cannot be written the answer is an error, not a pause that a restart forgets."""
    journal, _ = running
    (tmp_path / "state" / "paused").mkdir()
    asked = ask(journal.options.state_dir, "POST", "/v1/pause")
    assert asked is not None
    assert asked[0] == 500
    assert "accepted" in asked[1]["error"]
