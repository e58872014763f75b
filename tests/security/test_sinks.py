"""What a visitor writes, in every place where an operator may read it: no secret, nothing that reaches a terminal or the next line.

The whole service, as an operator starts it, and `botsieve replay` on the log of nginx.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.cost import request_bytes
from tests.servers import ServiceProcess, wait_until
from tests.service.running import Place, botsieve, place, question
from tests.transports.edge_harness import CURL, PERSON, check
from tests.transports.edge_harness import at as to

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


def attacked(at: Place, text: str = "") -> str:
    """Everything that leaves something: an attack, a block page, a hand, a report of the browser, "I am human"; the id of a block."""
    secret = {**PERSON, **SECRET, "Sec-Fetch-Site": "same-origin"} | ({"User-Agent": text} if text else {})
    verdicts = [at.ask(f"/p/x?token={CANARY}&x={n}", secret, Host="shop.example").verdict for n in range(40)]
    assert verdicts.count("block") > 5
    blocked = at.ask(f"/p/x?token={CANARY}", secret, Host="shop.example").one("X-Botsieve-Id")
    own = {**secret, "Cookie": f"botsieve_d={CANARY}; botsieve_t=1; session={CANARY}"}

    def post(name: str, body: str, kind: str) -> int:
        asked = check("/.botsieve/" + name + f"?t={CANARY}", {**own, "Content-Type": kind}, Method="POST", Host="shop.example")
        with at.connect() as connection:
            return (
                connection.send(request_bytes(to(f"/.botsieve/{name}", asked, method="POST", body=body.encode())))
                .reply()
                .status
            )

    assert post("feedback", f"id={blocked}", "application/x-www-form-urlencoded") == 200
    assert post("feedback", f"id={CANARY}", "application/x-www-form-urlencoded") == 403
    said = {"local": CANARY, "indexed": CANARY, "agent": CANARY, "platform": CANARY, "languages": [CANARY], "marks": [CANARY]}
    assert post("d", json.dumps(said | {"extensions": [CANARY]}), "application/json") == 200
    assert post("e", f"{CANARY}\n0\n[[0,1]]", "text/plain") == 403
    return blocked


def commands(at: Place) -> dict[str, str]:
    """What every command that shows attacks prints."""
    where = ("--config", str(at.config))
    found = {}
    for words in (("incidents", "list"), ("statistics",), ("feedback", "list"), ("preventions", "list")):
        for form in ("", "--json") if words[0] == "preventions" else ("", "--json", "--csv"):
            done = botsieve(*words, *where, *[form] * bool(form))
            assert done.returncode == 0, done.stderr
            found[" ".join((*words, form))] = done.stdout + done.stderr
    for one in json.loads(found["incidents list --json"])["incidents"][:2]:
        for form in ("", "--json"):
            found[f"incidents show {one['id']} {form}"] = botsieve(
                "incidents", "show", one["id"], *where, *[form] * bool(form)
            ).stdout
    return found


@pytest.fixture
def watched(at: Place) -> Iterator[Place]:
    """A running place that blocks at thresholds, with everything that looks at browsers and a list of addresses."""
    (at.folder / "bad.txt").write_text("192.0.2.0/24\n")
    at.write(
        "policies: [{name: shop, mode: enforce, audience: browser, preset: strict}]\n",
        more="device: {enabled: true}\nbrowser: {fingerprint: true}\n"
        "detectors: {browser.suspicious: {action: alarm}, surfing.rapid: {refreshes: 20}}\n"
        f"reputation: [{{category: bad, file: {at.folder}/bad.txt, action: alarm}}]\n",
    )
    with at.start():
        yield at


def stored(at: Place) -> bool:
    """The attack and the feedback are in the database."""
    shown = [botsieve(*words, "--config", str(at.config), "--json") for words in (("incidents", "list"), ("feedback", "list"))]
    return all(done.returncode == 0 and not done.stdout.startswith('{"incidents":[]') for done in shown) and (
        '"feedback":[]' not in shown[1].stdout.replace(" ", "")
    )


def test_no_secret_is_in_what_attacks_leave(watched: Place) -> None:
    """Incidents with their samples, feedback, statistics, preventions, kept lists: no cookie, no key, no query, no word of a report."""
    blocked = attacked(watched)
    wait_until(lambda: stored(watched), what="the incident and the feedback in the database")
    wait_until((watched.state / "preventions").is_file, what="the preventions file")
    sinks = commands(watched)
    assert blocked in sinks["feedback list --json"]
    assert "surfing.rapid" in sinks["incidents list --json"]
    assert (watched.state / "lists").is_dir()
    files = [path for folder in (watched.state, watched.log.parent) for path in folder.rglob("*") if path.is_file()]
    sinks |= {str(path): path.read_bytes().decode("latin-1") for path in files if path.name != "secret"}
    assert {Path(name).name for name in sinks} >= {"state.sqlite", "preventions"}
    assert [name for name, text in sinks.items() if CANARY in text] == []


def test_what_attacks_leave_reaches_no_terminal_and_no_formula(watched: Place) -> None:
    """A User-Agent that is a formula in ESC sequences: printable ASCII in every command, and in CSV behind an apostrophe."""
    attacked(watched, "=1+1|' /C calc'!A0\x1b[2J\u202e".encode().decode("latin-1"))
    wait_until(lambda: stored(watched), what="the incident and the feedback in the database")
    said = commands(watched)
    assert [name for name, text in said.items() if [char for char in text if not (char.isprintable() or char in "\r\n")]] == []
    assert [name for name, text in said.items() if not text.isascii()] == []
    assert "'=1+1|" in said["feedback list --csv"]
    cells = [
        cell for name, text in said.items() if name.endswith("csv") for row in csv.reader(text.splitlines()) for cell in row
    ]
    assert [cell for cell in cells if cell[:1] in "=+@" and cell] == []


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
