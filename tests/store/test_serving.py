"""store/serving.py: the store behind `botsieve serve`, as an operator sees it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botsieve.attacks.surfing import TOGETHER_S
from botsieve.store.schema import FILE_NAME

from tests.pace import in_time
from tests.servers import ServiceProcess, is_gone, wait_until
from tests.service.running import PERSON, Place, botsieve, place, question

# The score blocks nobody here: how regular these requests come depends on the machine.  Nobody is asked for his cookie.
STRICT = (
    "policies: [{name: shop, mode: enforce, audience: browser, preset: strict, challenge_at: 100, block_at: 100,"
    " detectors: {sessions.opening: {action: ignore}}}]\n"
)
ADDRESS = "203.0.113.9"


@pytest.fixture
def at() -> Iterator[Place]:
    """A place whose policy blocks at a threshold."""
    with place() as made:
        made.write(STRICT)
        yield made


def surf(at: Place, pages: int = 40, first: int = 0) -> list[str]:
    """So many different pages, more than 30 in 30 s; the verdicts.  All within two seconds would be tabs that a browser restores."""
    with at.connect() as connection:
        verdicts = []
        for n in range(first, first + pages):
            if n == first + pages // 2:
                time.sleep(TOGETHER_S + 0.2)
            asked = question(f"/p{n}/{n}x?q=secret", PERSON, Client_Addr=ADDRESS)
            verdicts.append(connection.send(asked).reply().verdict)
        return verdicts


def writer_of(service: ServiceProcess) -> int:
    """The process id of the service's writer."""
    found: list[int] = []

    def look() -> bool:
        children = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()
        found[:] = [int(pid) for pid in children if b"store.writer" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        # Started by a thread of the service, it may be that thread's child.
        for thread in Path(f"/proc/{service.pid}/task").iterdir():
            for pid in (thread / "children").read_text().split():
                if b"store.writer" in Path(f"/proc/{pid}/cmdline").read_bytes() and int(pid) not in found:
                    found.append(int(pid))
        return bool(found)

    wait_until(look, what="the writer's start")
    return found[0]


def listed(at: Place, *arguments: str) -> list[dict[str, Any]]:
    """`botsieve incidents list --json`, [] while there is no database."""
    done = botsieve("incidents", "list", "--config", str(at.config), "--json", *arguments)
    if done.returncode:
        assert done.returncode == 5
        return []
    found: list[dict[str, Any]] = json.loads(done.stdout)["incidents"]
    return found


def rows(at: Place, query: str) -> list[tuple[Any, ...]]:
    path = at.state / FILE_NAME
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as sql:
        try:
            return sql.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


def test_an_attack_from_its_first_request_to_the_next_day(at: Place) -> None:
    """Opened and told, listed while it goes on, shown with its requests, still there when the service is down, counted."""
    with at.start() as service:
        verdicts = surf(at)
        assert "block" in verdicts
        wait_until(lambda: rows(at, "SELECT violations FROM incidents") == [(verdicts.count("block"),)], what="the row")
        (one,) = listed(at, "--open", "--policy", "shop", "--client", ADDRESS, "--last", "1h")
        assert (one["attack_type"], one["client"], one["rejected"]) == ("Bot Detected", ADDRESS, verdicts.count("block"))
        assert at.metric("botsieve_incidents_open") == 1
        assert at.metric('botsieve_incidents_total{attack_type="Bot Detected"}') == 1
        assert service.popen.poll() is None
    assert (at.state / FILE_NAME).stat().st_mode & 0o777 == 0o600
    (opened,) = [line for line in map(json.loads, at.log.read_text().splitlines()) if line["event"] == "incident_opened"]
    assert (opened["incident"], opened["level"], opened["client"]) == (one["id"], "warning", ADDRESS)
    shown = botsieve("incidents", "show", one["id"], "--config", str(at.config))
    assert shown.returncode == 0
    assert "pages" in shown.stdout
    assert "secret" not in shown.stdout
    sums = json.loads(botsieve("statistics", "--config", str(at.config), "--by", "policy", "--json").stdout)["statistics"]
    assert [(row["policy"], row["attacks"], row["blocked"]) for row in sums] == [("shop", 1, verdicts.count("block"))]


def test_the_service_is_killed(at: Place) -> None:
    """SIGKILL: no writer is left, the file is whole, and the next start goes on with the same incident."""
    service = at.start()
    try:
        writer = writer_of(service)
        surf(at)
        wait_until(lambda: rows(at, "SELECT count(*) FROM incidents") == [(1,)], what="the row")
    finally:
        service.popen.kill()
        service.popen.wait()
    wait_until(lambda: is_gone(writer), what="the end of the writer")
    assert rows(at, "PRAGMA integrity_check") == [("ok",)]
    (before,) = listed(at, "--open")
    with at.start():
        surf(at, first=1_000)
        wait_until(lambda: rows(at, "SELECT sum(violations) FROM incidents")[0][0] > before["violations"], what="more of it")
        assert [one["id"] for one in listed(at)] == [before["id"]]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_writer_is_killed_or_stopped(at: Place, number: signal.Signals) -> None:
    """Verdicts come as before, the service ends in time, it is said in the log once; a killed one is started again."""
    with at.start() as service:
        writer = writer_of(service)
        surf(at)
        wait_until(lambda: rows(at, "SELECT count(*) FROM incidents") == [(1,)], what="the row")
        os.kill(writer, number)
        took = []
        for n in range(200):
            began_s = time.perf_counter()
            at.ask(f"/q{n}")
            took.append(time.perf_counter() - began_s)
        assert in_time(sorted(took)[198], 0.1)
        if number is signal.SIGKILL:
            wait_until(lambda: writer_of(service) != writer, what="another writer")
            wait_until(lambda: "store_back" in at.log.read_text(), what="that it is back")
            surf(at, first=2_000)
        began_s = time.monotonic()
        service.popen.terminate()
        assert service.popen.wait(60) == 0
        assert in_time(time.monotonic() - began_s, 5.0)
    assert at.log.read_text().count('"store_failed"') <= 1
    wait_until(lambda: is_gone(writer), what="the end of the writer")
    assert "Traceback" not in service.output


def test_other_bounds_and_forms_at_a_reload(at: Place) -> None:
    """privacy.addresses holds for what is stored from then on; keep_days and max_mib are taken without a restart."""
    with at.start() as service:
        kept = "incidents: {keep_days: 1, max_mib: 8}, statistics: {keep_days: 1}"
        text = at.config.read_text().replace("allow_sample_percent: 100}", "allow_sample_percent: 100}, " + kept)
        at.config.write_text(text + "privacy: {addresses: prefix}\n")
        service.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: at.log.read_text().count('"config_applied"') == 2, what="the reload")
        surf(at)
        wait_until(lambda: rows(at, "SELECT count(*) FROM samples") > [(5,)], what="the rows")
        assert rows(at, "SELECT DISTINCT client FROM samples") == [("203.0.113.0/24",)]
        assert [one["client"] for one in listed(at, "--client", ADDRESS)] == ["203.0.113.0/24"]
    assert ADDRESS.encode() not in b"".join(path.read_bytes() for path in at.state.glob("state.sqlite*"))


def test_a_state_that_cannot_hold_it(at: Place) -> None:
    """A folder in the database's place: the service starts, judges and ends; it says once why nothing is stored."""
    at.state.mkdir(mode=0o700)
    (at.state / FILE_NAME).mkdir()
    with at.start() as service:
        assert "block" in surf(at)
        wait_until(lambda: '"store_failed"' in at.log.read_text(), what="the event")
        assert at.metric("botsieve_store_failing") == 1
        assert json.loads(at.web("/healthz")[1])["status"] == "ready"
        assert service.stop() == 0
    assert botsieve("incidents", "list", "--config", str(at.config)).returncode == 5
