"""`python -m tests.browser.measure`: how big the page is, how long a browser works, what a solution costs the service.

Prints one table; no test.  The browser's part runs in headless Chromium on this machine: median and 95th percentile.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from threading import Thread
from timeit import timeit

from botsieve.challenge import pow
from botsieve.challenge.assets import CONTENT
from botsieve.challenge.desk import ChallengeDesk
from botsieve.challenge.settings import DEFAULT_LEVELS, ChallengeSettings
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.unit.challenge.builders import KEYS, NOW_S, challenged, cleared, nonce, page_data, post, request

_SOLVE = """([token, puzzles, bits]) => new Promise((done) => {
  const begun = performance.now();
  const worker = new Worker('/w.js');
  worker.onmessage = (message) => {
    if (message.data.length === puzzles) { worker.terminate(); done(performance.now() - begun); }
  };
  worker.postMessage({ token, puzzles, bits });
})"""


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if self.path == "/w.js" else "text/html")
        self.end_headers()
        self.wfile.write(CONTENT["w.js"] if self.path == "/w.js" else b"<!doctype html><title>measure</title>")

    def log_message(self, *_: object) -> None:
        pass


def _solve_ms(page: Page, level: str, runs: int) -> list[float]:
    work = DEFAULT_LEVELS[level]
    return sorted(page.evaluate(_SOLVE, [f"{level}-{run}-" + "x" * 90, work.puzzles, work.bits]) for run in range(runs))


def _sizes() -> None:
    desk = ChallengeDesk(ChallengeSettings(), KEYS, b"measure")
    files = {**CONTENT, "page": challenged(desk).body}
    total = 0
    for name, content in files.items():
        packed = len(gzip.compress(content, 9))
        total += packed
        print(f"{name:<28}{len(content):>8} bytes {packed:>8} gzip")
    print(f"{'together':<28}{'':>14} {total:>8} gzip")


def _server_us(what: str, work: Callable[[], object], number: int = 2000) -> None:
    print(f"{what:<28}{min(timeit(work, number=number) for _ in range(3)) / number * 1e6:>8.1f} µs")


def _costs() -> None:
    desk = ChallengeDesk(ChallengeSettings(), KEYS, b"measure")
    data = page_data(challenged(desk, level="light"))
    token = data["token"].encode()
    answers = pow.solve(token, data["puzzles"], data["bits"])
    body = json.dumps({"token": data["token"], "answers": [0] * 16}).encode()
    with_cookie = request(headers={b"cookie": cleared(desk, number=2, level="light")})
    generous = ChallengeDesk(ChallengeSettings(per_prefix_per_min=1_000_000), KEYS, b"measure")
    o = post()
    _server_us("issue a page", lambda: challenged(desk))
    _server_us("verify 16 answers", lambda: pow.holds(token, 16, 12, answers))
    _server_us("refuse a wrong solution", lambda: generous.solve(o, body, NOW_S))
    _server_us("check a clearance", lambda: desk.clearances.standing(with_cookie, NOW_S))
    _server_us("issue a session", lambda: desk.sessions.issue(o, NOW_S, nonce(1)[:8]))


def main(runs: int) -> None:
    """The table."""
    _sizes()
    _costs()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        for level in DEFAULT_LEVELS:
            times = _solve_ms(page, level, runs)
            print(
                f"{'solve ' + level:<28}{median(times):>8.0f} ms median {times[int(len(times) * 0.95)]:>8.0f} ms p95 of {runs}"
            )
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
