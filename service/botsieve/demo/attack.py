"""`make attack`: clients from a person to a scraper visit the demo's shop; then a table says what became of each.

Law of the file: the table and the exit code come from the decision log; what the clients themselves saw is not asked.
Every client is one row of CLIENTS, with what must become of it.
"""

from __future__ import annotations

import random
import socket
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from botsieve.attacks.types import BOT_DETECTED, TRANSACTIONS
from botsieve.decision import ALLOW, BLOCK, CHALLENGE
from botsieve.demo.clients import (
    CHROME,
    Sent,
    Target,
    curl,
    evenly,
    imitated_browser,
    irregularly,
    many_addresses,
    one_session,
    python_requests,
    shuffled,
    surfing_browser,
)
from botsieve.demo.person import HOW_TO_INSTALL, browse, find_chromium
from botsieve.demo.report import Entry, Expectation, Row, make_row, read_entries, render, render_attacks
from botsieve.demo.shop import PAGES
from botsieve.errors import BotsieveError, MachineError

WAIT_FOR_LOG_S = 5.0
MEMBERS = 12
_OURS = ".venv/bin/botsieve {} --config .run/botsieve.yaml"  # a command about the demo, typed where `make` is
TOO_BUSY = "not checked: this machine is too busy"

LATE_S = 0.03  # on a machine that keeps up: some ms

Visit = Callable[[Target, int], Sent]


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One row: `visit` gets the target and the client's number, which is part of its address, and says how much it sent."""

    name: str
    visit: Visit
    expect: Expectation
    is_person: bool = False


CLIENTS: tuple[Client, ...] = (
    Client(
        name="Chromium at a person's pace",
        visit=lambda target, number: Sent(browse(target.base, number)),
        expect=Expectation(worst=ALLOW, tls=False),
        is_person=True,
    ),
    Client(
        name="curl, two pages",
        visit=lambda target, number: curl(target, number, ["/", "/items/17"]),
        expect=Expectation(worst=ALLOW, reasons=("bot_useragent:curl",), tls=False),
    ),
    Client(
        name="curl, three prices",
        visit=lambda target, number: curl(target, number, [f"/api/items/{item}" for item in (17, 230, 1042)]),
        expect=Expectation(worst=BLOCK, reasons=("bot_useragent:curl",)),
    ),
    Client(
        name="python-requests",
        visit=lambda target, number: python_requests(target, number, {}, list(range(1, 11)), irregularly(0.3, number)),
        expect=Expectation(worst=BLOCK, reasons=("bot_useragent:python-requests",)),
    ),
    Client(
        name="python-requests as Chrome",
        visit=lambda target, number: python_requests(
            target, number, {"User-Agent": CHROME}, shuffled(10, number), irregularly(0.3, number)
        ),
        expect=Expectation(worst=CHALLENGE, reasons=("contradiction:chrome/python",)),
    ),
    Client(
        name="a metronome, one price",
        visit=lambda target, number: python_requests(target, number, {"User-Agent": "price-watch/1.0"}, [7] * 14, evenly(1.5)),
        expect=Expectation(worst=BLOCK, reasons=("suspicious_timing:35",)),
    ),
    Client(
        name="1, 2, 3 ... as Firefox",
        visit=lambda target, number: imitated_browser(target, number, "firefox", list(range(1, 91)), irregularly(0.3, number)),
        expect=Expectation(worst=CHALLENGE, from_request=20, to_request=70, reasons=("url_pattern:30", "volume:25"), tls=False),
    ),
    Client(
        name="curl_cffi as Chrome, 20/s",
        visit=lambda target, number: imitated_browser(
            target, number, "chrome", shuffled(240, number), irregularly(0.05, number)
        ),
        expect=Expectation(worst=BLOCK, from_request=20, to_request=70, reasons=("url_pattern:30", "volume:50"), tls=False),
    ),
    Client(
        name="45 pages, two a second",
        visit=lambda target, number: surfing_browser(
            target, number, random.Random(number).sample(range(1, PAGES + 1), 45), irregularly(0.5, number)
        ),
        expect=Expectation(worst=BLOCK, from_request=31, to_request=34, attacks=(BOT_DETECTED,), tls=False),
    ),
    Client(
        name="410 prices in one session",
        visit=lambda target, number: one_session(target, number, shuffled(410, number), irregularly(0.12, number)),
        # Who has opened a page is asked on the next one; 100 prices later on the spot (docs/challenge.md).
        expect=Expectation(worst=BLOCK, from_request=60, to_request=200, attacks=(TRANSACTIONS,)),
    ),
    Client(
        name=f"the same from {MEMBERS} addresses",
        visit=lambda target, number: many_addresses(
            target, number, "chrome", MEMBERS, shuffled(24 * MEMBERS, number), irregularly(0.06, number)
        ),
        expect=Expectation(worst=CHALLENGE, from_request=100, to_request=24 * MEMBERS, reasons=("spread:network",), tls=False),
    ),
)


def _belongs(client: Client, number: int, target: Target) -> Callable[[Entry], bool]:
    if client.is_person:
        return lambda entry: entry.client == "127.0.0.1" and "Chrome/" in entry.user_agent
    prefix = target.address(number, 0)[:-1]
    return lambda entry: entry.client.startswith(prefix)


def visit_all(target: Target, clients: tuple[Client, ...]) -> list[tuple[Sent, str]]:
    """Lets all clients loose together.  Returns for each what it sent, and what went wrong on its side ("" = nothing)."""
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    with ThreadPoolExecutor(len(clients)) as pool:
        futures = [pool.submit(client.visit, target, number) for number, client in enumerate(clients, 1)]
        return [_outcome(future) for future in futures]


def _outcome(future: Future[Sent]) -> tuple[Sent, str]:
    try:
        return future.result(), ""
    except Exception as error:  # a client of any library may fail in any way; the table says which did
        return Sent(0), f"{type(error).__name__}: {error}"


def read_log(path: Path, offset: int, target: Target, clients: tuple[Client, ...], sent: list[tuple[Sent, str]]) -> list[Entry]:
    """The decisions since `offset`: waits until all that was sent is there, at most WAIT_FOR_LOG_S."""
    until = time.monotonic() + WAIT_FOR_LOG_S
    while True:
        with path.open("rb") as log:
            log.seek(offset)
            entries = read_entries(log)
        missing = any(
            sum(map(_belongs(client, number, target), entries)) < sent[number - 1][0].requests
            for number, client in enumerate(clients, 1)
        )
        if not missing or time.monotonic() > until:
            return entries
        time.sleep(0.1)


def judge(client: Client, row: Row, sent: Sent, trouble: str, *, tls: bool) -> str:
    """The last column: what was expected, or how it failed; a machine that keeps no pace or lets requests pass shows nothing."""
    if trouble:
        return f"FAILED: the client itself: {trouble.splitlines()[0][:200]}"
    if client.expect.tls and not tls:
        return "not checked: this nginx sees no fingerprints"
    failure = client.expect.failure(row)
    if failure and row.requests and (sent.late_s > LATE_S or row.requests < sent.requests):
        return f"{TOO_BUSY}: {sent.late_s:.2f} s late, {max(0, sent.requests - row.requests)} unjudged ({failure})"
    return f"FAILED: {failure}" if failure else f"ok: {client.expect}"


def attack(run: Path) -> int:
    """Visits the demo of the folder `run` and prints the table; 1 when an expectation fails.  Errors: MachineError, no demo."""
    try:
        _http, https = map(int, (run / "ports").read_text().split())
        log = run / "decisions.log"
        offset = log.stat().st_size if log.exists() else 0
    except (OSError, ValueError):
        raise MachineError(f"no demo found in {run}; start it first, in another terminal: make run") from None
    target = Target(f"https://127.0.0.1:{https}", random.randrange(1, 250))
    _require_demo(https)
    clients = tuple(client for client in CLIENTS if find_chromium() or not client.is_person)
    if len(clients) < len(CLIENTS):
        print(f"The person stays away: {HOW_TO_INSTALL}")
    print(f"{len(clients)} clients visit {target.base}, about a minute ...", flush=True)
    sent = visit_all(target, clients)
    entries = read_log(log, offset, target, clients, sent)
    tls = any(entry.ja4 for entry in entries)
    rows = [make_row(client.name, entries, _belongs(client, number, target)) for number, client in enumerate(clients, 1)]
    words = [judge(client, row, *told, tls=tls) for client, row, told in zip(clients, rows, sent, strict=True)]
    print(f"\n{render(zip(rows, words, strict=True))}\n\nFrom {log}; one request in full: {_OURS.format('explain ID')}")
    print(f"Who was part of an attack ({_OURS.format('incidents list')}):\n{render_attacks(rows)}")
    failed = sum(word.startswith("FAILED") for word in words)
    busy = sum(word.startswith(TOO_BUSY) for word in words)
    print(
        f"{len(words) - failed - busy} as expected, {failed} not{f', {busy} not seen: a quieter machine shows them' if busy else ''}"
    )
    return 1 if failed else 0


def _require_demo(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)):
            raise MachineError(f"nobody listens on port {port}; start the demo first, in another terminal: make run")


def main() -> int:
    """Attacks the demo of the current folder; the exit code is that of docs/names.md."""
    try:
        return attack(Path.cwd() / ".run")
    except BotsieveError as error:
        print(f"make attack: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
