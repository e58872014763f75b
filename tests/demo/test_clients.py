"""The clients of `make attack`."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time
from pathlib import Path

from botsieve.demo import clients
from botsieve.demo.clients import (
    Target,
    curl,
    evenly,
    imitated_browser,
    irregularly,
    one_session,
    python_requests,
    rhythm,
    shuffled,
    surfing_browser,
)
from botsieve.demo.shop import ITEMS

from tests.conftest import Start, free_port, wait_for_port


def test_addresses_are_loopback_and_differ() -> None:
    """No client's address is anybody else's, and all lie in 127.0.0.0/8."""
    target = Target("https://127.0.0.1:1", 250)
    addresses = [target.address(client, member) for client in range(1, 12) for member in range(1, 13)]
    assert len(set(addresses)) == len(addresses)
    assert all(address.startswith("127.250.") for address in addresses)


def test_the_first_handshake_is_no_part_of_the_rhythm() -> None:
    """However long the first takes, the second comes a whole pause after it."""
    beats = rhythm(evenly(0.2), 3)
    next(beats)
    time.sleep(0.3)
    done_s = time.monotonic()
    next(beats)
    assert time.monotonic() - done_s >= 0.2


def test_a_rhythm_is_bounded_by_count_and_time() -> None:
    """A rhythm ends after its count, and after its longest time whatever the count."""
    assert [number for number, _ in rhythm(evenly(0), 5)] == [0, 1, 2, 3, 4]
    before = clients.LONGEST_S
    clients.LONGEST_S = 0.05
    try:
        started = time.monotonic()
        assert 1 <= len(list(rhythm(evenly(0.01), 10_000))) < 100
        assert time.monotonic() - started < 5
    finally:
        clients.LONGEST_S = before


def test_a_rhythm_says_how_late_it_is() -> None:
    """A request that took longer than the pauses makes the next ones late, and the schedule is kept."""
    late = []
    for number, behind_s in rhythm(evenly(0.02), 5):
        late.append(behind_s)
        if number == 1:  # the first one is no part of it
            time.sleep(0.2)
    assert len(late) == 5
    assert late[2] >= 0.18


def test_pauses_are_random_and_the_same_for_one_seed() -> None:
    """Irregular pauses have the mean that was asked for, and a run can be repeated."""
    first = list(itertools.islice(irregularly(0.5, 7), 2000))
    assert first == list(itertools.islice(irregularly(0.5, 7), 2000))
    assert 0.45 < sum(first) / len(first) < 0.55


def test_shuffled_items_are_different_and_exist() -> None:
    """No item twice, none that the shop lacks."""
    items = shuffled(200, 3)
    assert len(set(items)) == 200
    assert 1 <= min(items) <= max(items) <= ITEMS
    assert items != sorted(items)


def test_clients_come_from_their_own_addresses(start: Start, tmp_path: Path) -> None:
    """curl, requests and curl_cffi each connect from the address of their number, and count what they sent."""
    port = free_port()
    log = tmp_path / "seen"
    start([sys.executable, "-c", _SERVER, str(port)], stdout=log.open("wb"), stderr=subprocess.DEVNULL)
    wait_for_port(port)
    target = Target(f"http://127.0.0.1:{port}", 77)
    assert curl(target, 1, ["/", "/items/2"]).requests == 2
    # The adapter that binds the address is for https; plain http shows that the rest of the client works.
    assert python_requests(target, 2, {"User-Agent": "x/1"}, [1, 2], evenly(0)).requests == 2
    assert imitated_browser(target, 3, "chrome", [1, 2, 3], evenly(0)).requests == 3
    assert surfing_browser(target, 4, [1, 2], evenly(0)).requests == 2
    assert one_session(target, 5, [1, 2, 3], evenly(0)).requests == 5
    seen = log.read_text().splitlines()
    assert sum(text.startswith("127.77.1.1 ") for text in seen) == 2
    assert sum(text.startswith("127.77.3.1 ") for text in seen) == 3
    assert all("Sec-Fetch-Mode=cors" in text for text in seen if text.startswith("127.77.3.1 "))
    modes = [re.findall("Sec-Fetch-Mode=([a-z]+)", text) for text in seen if text.startswith(("127.77.4.1 ", "127.77.5.1 "))]
    assert modes == [["navigate"]] * 4 + [["cors"]] * 3


_SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        print(self.client_address[0], " ".join(f"{k.title()}={v}" for k, v in self.headers.items()), flush=True)
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
