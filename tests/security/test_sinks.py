"""What a visitor writes, in every place where an operator may read it: no secret, nothing that reaches a terminal or the next line.

The whole service, as an operator starts it, and `botsieve replay` on the log of nginx.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ServiceProcess, wait_until
from tests.service.running import Place, botsieve, place, question
from tests.transports.edge_harness import CURL, PERSON

CANARY = "CANARY5e3fb2"
SECRET = {
    "Cookie": f"session={CANARY}; __Host-botsieve_s={CANARY}; botsieve_c={CANARY}",
    "Authorization": f"Bearer {CANARY}",
    "Proxy-Authorization": f"Basic {CANARY}",
    "X-Api-Key": CANARY,
    "X-Partner": CANARY,
    "Referer": f"https://shop.example/?token={CANARY}",
}
HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    '"}\x85{"event":"decision"}',
    "\u202etxt.exe",
    "\u2028\u2029",
    "\x9b31m\x7f",
    "=1+1|' /C calc'!A0",
    "%0d%0aSet-Cookie: a=b",
    "\\n\\u001b[31m",
]


@pytest.fixture
def at() -> Iterator[Place]:
    """A place whose configuration holds a secret of its own: the exception list's."""
    with place() as made:
        (made.folder / "secret").write_text(CANARY + "-partner")
        made.write(more=f"allow: {{headers: {{x-partner: ['${{file:{made.folder}/secret}}']}}}}\n")
        yield made


@pytest.fixture
def running(at: Place) -> Iterator[ServiceProcess]:
    with at.start() as process:
        yield process


def lines_of(at: Place, count: int) -> list[dict[str, str]]:
    """The decisions of the log, once `count` of them are there."""

    def read() -> list[dict[str, str]]:
        found = [json.loads(line) for line in at.log.read_bytes().split(b"\n") if line]
        return [line for line in found if line["event"] == "decision"]

    wait_until(lambda: len(read()) >= count, what="the line of the log")
    return read()


def test_no_secret_is_in_any_sink(at: Place, running: ServiceProcess) -> None:
    """Cookie, Authorization, keys and query values: in no log, metric, page, explanation, health, output or file of the state."""
    ids = []
    for headers in (PERSON, CURL):
        for uri in (f"/items/17?token={CANARY}", f"/search?q={CANARY}&page=2"):
            reply = at.ask(uri, {**headers, **SECRET})
            ids.append(reply.one("X-Botsieve-Id"))
    with at.connect() as connection:  # a page, a solution and an edge's mistake with secrets in them
        page = question(f"/?t={CANARY}", {**CURL, **SECRET}).replace(b"/v1/check/nginx", b"/v1/page", 1)
        assert connection.send(page).reply().status == 403
        faulty = question(f"/?t={CANARY}", {**CURL, **SECRET}, Client_Addr=CANARY)
        connection.send(faulty).reply()
    lines_of(at, len(ids))
    sinks = {
        "healthz": at.web("/healthz")[1],
        "readyz": at.web("/readyz")[1],
        "metrics": at.web("/metrics")[1],
        "explain": "".join(str(botsieve("explain", "--state-dir", str(at.state), one).stdout) for one in ids),
        "explain --json": botsieve("explain", "--json", "--state-dir", str(at.state), ids[-1]).stdout,
        "check-config": botsieve("check-config", str(at.config)).stdout,
    }
    assert "botsieve_decisions_total" in sinks["metrics"]
    assert ids[-1] in sinks["explain"]
    assert running.stop() == 0
    sinks["output"] = running.output
    files = [path for folder in (at.state, at.log.parent) for path in folder.rglob("*") if path.is_file()]
    # The last good text is the operator's own file as it was written: it names where the secret is.
    sinks |= {str(path): path.read_bytes().decode("latin-1") for path in files if path.name != "secret"}
    assert [name for name, text in sinks.items() if CANARY in text] == []


def test_no_key_is_in_any_sink(at: Place, running: ServiceProcess) -> None:
    """The keys that sign cookies stand in their file and nowhere else."""
    keys = [word for word in at.keys.read_text().split() if len(word) > 20]
    assert keys
    at.ask("/", PERSON)
    told = at.web("/healthz")[1] + at.web("/metrics")[1] + botsieve("check-config", str(at.config)).stdout
    assert running.stop() == 0
    told += running.output + at.log.read_text()
    assert [key for key in keys if key in told] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_every_line_parses_back_to_what_was_sent(at: Place, running: ServiceProcess, text: str) -> None:
    """Whatever a visitor writes is one line of printable ASCII, and comes back from it unchanged; `explain` prints none of it raw."""
    raw = text.encode("utf-8").decode("latin-1")  # the bytes of UTF-8, as a wire carries them
    reply = at.ask("/x", {**CURL, "User-Agent": f"curl {raw}"}, Host=raw)
    (line,) = lines_of(at, 1)
    assert (line["user_agent"], line["host"]) == (f"curl {text}", text)
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in at.log.read_bytes())
    told = botsieve("explain", "--state-dir", str(at.state), reply.one("X-Botsieve-Id")).stdout
    assert told
    assert [char for char in told if not (char.isprintable() or char == "\n")] == []


def test_replay_prints_nothing_raw_and_no_secret(tmp_path: Path) -> None:
    """A log full of hostile lines: the report is printable, and holds neither cookies nor query values."""
    log = tmp_path / "access.log"
    with log.open("w", encoding="utf-8") as lines:
        for number in range(300):
            text = HOSTILE[number % len(HOSTILE)]
            fields = {"client": f"203.0.113.{number % 9}", "time": 1_800_000_000 + number, "method": "GET", "host": text}
            fields |= {"uri": f"/items/{number}?token={CANARY}&x={text}", "user_agent": f"curl {text}"}
            headers = {"headers": {"cookie": CANARY, "authorization": CANARY, "user-agent": f"curl {text}"}}
            lines.write(json.dumps(fields | headers) + "\n")
    for options in ((), ("--json",), ("--client", "203.0.113.1")):
        done = botsieve("replay", str(log), *options)
        assert done.returncode == 0, done.stderr
        assert done.stdout
        assert CANARY not in done.stdout + done.stderr
        assert [char for char in done.stdout + done.stderr if not (char.isprintable() or char == "\n")] == []
