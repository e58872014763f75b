"""A running service and its files: what is applied, how soon, and what never takes it down."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
from botsieve.confined import NICENESS
from botsieve.journal.control import ask

from tests.pace import in_time
from tests.servers import wait_until
from tests.service.running import CURL, PERSON, Load, Place, botsieve

pytestmark = pytest.mark.realtime

MONITOR = "policies: [{name: shop, mode: monitor, audience: browser}]\n"
ENFORCE = "policies: [{name: shop, mode: enforce, audience: browser}]\n"


def mode(at: Place) -> str:
    """The mode in which a verdict comes now."""
    return at.ask("/m", CURL).one("X-Botsieve-Mode")


def applied_s(at: Place, wanted: str) -> float:
    """How long it takes until the mode is `wanted`."""
    began = time.monotonic()
    wait_until(lambda: mode(at) == wanted, what=f"mode {wanted}")
    return time.monotonic() - began


def test_hup_and_change(at: Place) -> None:
    """HUP applies a changed file, and so does saving it: soon (the best of three: the machine may be busy), and logged."""
    by_hup, by_change = [], []
    with at.start() as service:
        assert mode(at) == "enforce"
        for number in range(3):
            at.write(MONITOR, more=f"sessions: {{idle_s: {900 + number}}}\n")
            os.kill(service.pid, signal.SIGHUP)
            by_hup.append(applied_s(at, "monitor"))
            at.write(ENFORCE, more=f"sessions: {{idle_s: {900 + number}}}\n")
            by_change.append(applied_s(at, "enforce"))
        print(f"applied {min(by_hup):.2f} s after HUP, {min(by_change):.2f} s after saving")
        assert in_time(min(by_hup), 2.0, niceness=NICENESS)
        # 1.5 s on a quiet machine: two polls of 0.5 s, and a child that yields to everybody.
        assert in_time(min(by_change), 3.0, niceness=NICENESS)
        wait_until(lambda: at.log.read_text().count('"config_applied"') == 7, what="the seventh config_applied")


def test_a_reload_says_what_is_in_force(at: Place) -> None:
    """Which policies bite since when: on stderr and in the log, and that it was the policies that changed."""
    with at.start() as service:
        at.write(MONITOR)
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: "applied policies: shop=monitor config=" in service.output, what="the line on stderr")
        wait_until(lambda: at.log.read_text().count('"config_applied"') == 2, what="the event")
        at.write(MONITOR, more="sessions: {idle_s: 901}\n")
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: at.log.read_text().count('"config_applied"') == 3, what="the third event")
    events = [json.loads(line) for line in at.log.read_text().splitlines() if '"config_applied"' in line]
    assert [(event["policies"], event.get("changed")) for event in events] == [
        (["shop enforce"], None),
        (["shop monitor"], ["policies"]),
        (["shop monitor"], ["sessions"]),
    ]


@pytest.mark.parametrize("bad", ["policies: [\n", "policies: []\n", "nonsense: 1\n", "", "\0\1\2"])
def test_a_bad_file_keeps_the_last_good_one(at: Place, bad: str) -> None:
    """Refused with its lines on stderr, in the log and in the metrics; verdicts go on; the next good one is applied."""
    with at.start() as service:
        if bad:
            at.write(bad)
        else:
            at.config.unlink()
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: "the last good one goes on" in service.output, what="the refusal")
        assert str(at.config) in service.output
        assert "accepted" in service.output
        assert mode(at) == "enforce"
        assert at.metric("botsieve_config_refused_total") >= 1
        wait_until(lambda: '"config_refused"' in at.log.read_text(), what="config_refused in the log")
        at.write(MONITOR)
        applied_s(at, "monitor")


def test_20_reloads_under_load(at: Place) -> None:
    """20 configurations one after another under load: no error, no request unjudged, none told to close."""
    with at.start() as service, Load(at) as load:
        for number in range(20):
            at.write(MONITOR if number % 2 == 0 else ENFORCE, more=f"sessions: {{idle_s: {1000 + number}}}\n")
            os.kill(service.pid, signal.SIGHUP)
            wait_until(lambda n=number: mode(at) == ("monitor" if n % 2 == 0 else "enforce"), what="a reload")  # type: ignore[misc]
        assert load.total > 100
    assert load.errors == []
    assert "unjudged" not in load.verdicts


def test_what_needs_a_restart_is_said(at: Place) -> None:
    """A changed listener is named; the rest of the file is applied."""
    with at.start() as service:
        old = at.socket
        at.socket = at.folder / "other.sock"
        at.write(MONITOR)
        at.socket = old
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: "edges.nginx.listen takes effect at the next start" in service.output)
        assert mode(at) == "monitor"


# ---- keys


def solved_cookie(at: Place) -> str:
    """The session of a page load, as a Cookie header."""
    return at.ask("/", PERSON).one("Set-Cookie").partition(";")[0]


def test_key_rotation_costs_nobody_anything(at: Place) -> None:
    """A line appended and HUP: what the old key signed is still accepted, new sessions bear the new key, and the log says so."""
    with at.start() as service:
        cookie = solved_cookie(at)
        with at.keys.open("a") as keys:
            keys.write("ab" * 32 + "\n")
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: '"keys_rotated"' in at.log.read_text(), what="keys_rotated")
        assert at.ask("/a", PERSON | {"Cookie": cookie}).all("Set-Cookie") == []
        fresh = solved_cookie(at)
        lines = at.keys.read_text().splitlines()
        at.keys.write_text(lines[-1] + "\n")
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: at.ask("/b", PERSON | {"Cookie": cookie}).all("Set-Cookie") != [], what="the old key's end")
        assert at.ask("/c", PERSON | {"Cookie": fresh}).all("Set-Cookie") == []


@pytest.mark.parametrize("text", [None, "nonsense\n", ""])
def test_bad_keys_keep_the_old_ones(at: Place, text: str | None) -> None:
    """A keys file that is broken or gone: told, and every session is still good; no new file is made."""
    with at.start() as service:
        cookie = solved_cookie(at)
        if text is None:
            at.keys.unlink()
        else:
            at.keys.write_text(text)
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: '"keys_refused"' in at.log.read_text(), what="keys_refused")
        assert at.ask("/a", PERSON | {"Cookie": cookie}).all("Set-Cookie") == []
        assert at.keys.exists() == (text is not None)


# ---- pause


def test_pause_and_resume(at: Place) -> None:
    """Every policy is in monitor mode within 1 s and back; shown in /healthz and in the log."""
    with at.start():
        refused = at.ask("/", CURL)
        assert (refused.status, refused.verdict) == (403, "challenge")
        done = botsieve("pause", "--config", str(at.config))
        assert (done.returncode, done.stdout) == (0, "paused: shop monitor\n")
        passed = at.ask("/p", CURL)
        assert (passed.status, passed.one("X-Botsieve-Would-Be"), passed.one("X-Botsieve-Mode")) == (
            200,
            "challenge",
            "monitor",
        )
        assert at.health()["paused"] is True
        assert at.health()["policies"] == {"shop": "monitor"}
        assert botsieve("pause", "--config", str(at.config)).stdout.startswith("was paused already")
        assert botsieve("resume", "--config", str(at.config)).stdout == "resumed: shop enforce\n"
        assert at.ask("/r", CURL).status == 403
        wait_until(lambda: '"resumed"' in at.log.read_text(), what="resumed in the log")
        assert '"paused"' in at.log.read_text()


def test_a_pause_by_hand(at: Place) -> None:
    """Whoever makes or removes the file is obeyed within 1 s (the best of three: the machine may be busy)."""
    paused, resumed = [], []
    with at.start():
        for _ in range(3):
            (at.state / "paused").touch()
            paused.append(applied_s(at, "monitor"))
            (at.state / "paused").unlink()
            resumed.append(applied_s(at, "enforce"))
        assert in_time(min(paused), 1.0)
        assert in_time(min(resumed), 1.0)


def test_a_pause_outlives_a_restart(at: Place) -> None:
    """From the first verdict on; and a reload does not end it."""
    with at.start():
        botsieve("pause", "--config", str(at.config))
    with at.start() as service:
        assert "shop=paused" in service.output
        assert mode(at) == "monitor"
        at.write(ENFORCE, more="sessions: {idle_s: 999}\n")
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: at.log.read_text().count('"config_applied"') >= 3, what="the reload")
        assert mode(at) == "monitor"
        found = ask(at.state, "POST", "/v1/resume")
        assert found is not None
        assert found[0] == 200
        assert mode(at) == "enforce"


def test_no_finding_of_the_log_holds_what_it_must_not(at: Place) -> None:
    """Every line of the log is one JSON object; cookies and keys are in none."""
    with at.start():
        cookie = solved_cookie(at)
        at.ask("/x?token=topsecret", CURL | {"Cookie": cookie + "; sid=topsecret", "Authorization": "Basic topsecret"})
    lines = at.log.read_text().splitlines()
    assert len(lines) >= 4
    for line in lines:
        json.loads(line)
        assert "topsecret" not in line
        assert cookie.partition("=")[2] not in line


# ---- lists of addresses


def test_a_list_of_addresses_is_followed_and_never_lost(at: Place) -> None:
    """Its file changes: in force without a reload; broken: told in the log and the metrics, and the one before goes on."""
    listed = at.folder / "drop.netset"
    listed.write_text("198.51.100.0/24\n")
    at.write(more=f"reputation: [{{file: {listed}, category: spam, action: block}}]\n")
    client = "203.0.113.77"

    def rule() -> str:
        return at.ask("/l", PERSON, Client_Addr=client).verdict

    with at.start():
        assert rule() == "allow"
        listed.write_text("198.51.100.0/24\n203.0.113.64/26 # and these\n")
        wait_until(lambda: rule() == "block", what="the new list")
        listed.write_text("<html>gone</html> 1\n")
        wait_until(lambda: '"data_refused"' in at.log.read_text(), what="data_refused")
        assert rule() == "block"
        assert at.metric("botsieve_data_refused_total") == 1
        assert at.metric('botsieve_listed_ranges{list="reputation"}') == 2
    with at.start() as service:
        assert rule() == "block"
        assert f"{listed}:1: " in service.output
