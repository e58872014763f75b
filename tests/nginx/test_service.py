"""The whole way: a visitor, nginx with our includes, the real service; what each of them says of the same request."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.nginx import clients
from tests.nginx.raw import ask
from tests.nginx.tee import Tee
from tests.pace import in_time
from tests.servers import ServiceProcess, Site, free_port, service_config, wait_until

BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: none",
)


class Whole:
    """A service in enforce mode and a site in front of it."""

    def __init__(self, folder: Path, *, patient: bool) -> None:
        (folder / "service").mkdir()
        (folder / "site").mkdir()
        self.folder = folder / "service"
        self.web = free_port()
        policies = "policies: [{name: all, audience: browser, mode: enforce}]"
        self.config = service_config(self.folder, policies, web=self.web, deadline_ms=1000 if patient else 20)
        self.service = ServiceProcess(self.config)
        self.site = Site(folder / "site", self.folder / "check.sock", patient=patient)

    def stop(self) -> None:
        self.site.stop()
        self.service.stop()

    def decisions(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "decisions.log").read_bytes().splitlines()]

    def logged(self, path: str) -> dict[str, Any]:
        """The access log's line of a path that was asked for once."""
        wait_until(lambda: f'"{path}"' in self.site.access_log.read_text("latin-1"), what="the line of the log")
        lines = self.site.access_log.read_text("latin-1").split("\n")  # a line may hold 0x85, which splitlines would split at
        return dict(json.loads(next(line for line in lines if f'"uri":"{path}"' in line)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    started = Whole(tmp_path_factory.mktemp("whole"), patient=True)
    yield started
    started.stop()


def test_a_browser_passes_and_curl_does_not(whole: Whole) -> None:
    """Verdicts of the real service, enforced: the application's answer, the challenge page, the problem document."""
    assert ask(whole.site.http_port, "/browser", *BROWSER).body == b"app GET /browser\n"
    assert whole.logged("/browser")["verdict"] == "allow"
    refused = ask(whole.site.http_port, "/curl", "User-Agent: curl/7.88.1", "Accept: */*")
    assert refused.status in (403, 429)
    assert refused.all("Content-Type") == ["application/problem+json"]
    line = whole.logged("/curl")
    assert json.loads(refused.body)["id"] == line["id"] != ""
    assert line["verdict"] in ("challenge", "block")
    page = ask(whole.site.http_port, "/curl?page=1", "User-Agent: curl/7.88.1", "Accept: text/html")
    assert page.status == 403
    assert page.all("Content-Type")[0].startswith("text/html")


@pytest.mark.parametrize(
    "name", ["curl h2", "requests", "httpx h2", "node http2", "curl_cffi chrome150", "curl_cffi firefox147"]
)
def test_fingerprints_reach_the_decision_log(whole: Whole, name: str) -> None:
    """What the service writes down is the print of the hello on the wire."""
    path = f"/print-{time.monotonic_ns()}"
    with Tee(whole.site.https_port) as tee:
        with contextlib.suppress(AssertionError):  # curl is refused: it is a tool, and this service enforces
            clients.CLIENTS[name](f"https://localhost:{tee.port}{path}")
        (prints,) = tee.prints()
    line = whole.logged(path)
    assert (line["ja3"], line["ja4"], line["tls_sig"]) == (prints.ja3_hash, prints.ja4, prints.stable)
    wait_until(lambda: any(line["id"] == decision.get("id") for decision in whole.decisions()), what="the decision's record")
    decision = next(decision for decision in whole.decisions() if decision.get("id") == line["id"])
    assert prints.ja4 in json.dumps(decision)


@pytest.mark.parametrize("name", ["User-Agent", "Referer", "Cookie", "name"])
def test_no_byte_opens_the_gate(whole: Whole, name: str) -> None:
    """Each byte 0x01-0xFF in a value or a name: never a 5xx, never unjudged."""
    for byte in range(1, 256):
        path = f"/bytes-{name}-{byte}"
        raw = bytes([byte])
        line = b"X-A" + raw + b"B: 1" if name == "name" else name.encode() + b": a=" + raw + b"z"
        answer = ask(whole.site.http_port, path, line)
        assert answer.status < 500, byte
        if answer.status != 400:
            assert whole.logged(path)["verdict"] in ("allow", "challenge", "block"), byte


def test_large_headers_are_judged(whole: Whole) -> None:
    """28 KB of headers and a long path: judged."""
    path = "/" + "p" * 5000
    ask(whole.site.http_port, path, *(b"X-Big-%d: " % i + b"x" * 7000 for i in range(3)), *BROWSER)
    assert whole.logged(path)["verdict"] == "allow"


def test_odd_requests_are_judged(whole: Whole) -> None:
    """Upgrades, doubled headers, 400 headers, odd methods: judged."""
    for number, lines in enumerate(
        (
            ["Upgrade: websocket", "Sec-WebSocket-Key: x"],
            ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
            ["User-Agent: a", "User-Agent: b"],
            [f"X-Filler-{i}: {i}" for i in range(400)],
            ["Transfer-Encoding: identity"],
            ["Expect: 100-continue"],
        )
    ):
        for method in ("GET", "OPTIONS", "HEAD", "PROPFIND"):
            path = f"/odd-{number}-{method}"
            answer = ask(whole.site.http_port, path, *lines, method=method)
            assert answer.status < 500 or lines[0].startswith("Transfer"), (lines, answer)
            if answer.status not in (400, 501):
                assert whole.logged(path)["verdict"] in ("allow", "challenge", "block"), (method, lines[0])


@pytest.mark.realtime
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_service_away_under_load(tmp_path_factory: pytest.TempPathFactory, how: str) -> None:
    """SIGSTOP or SIGKILL under 200 requests a second: zero 5xx, judged again within 3 s, unjudged requests counted."""
    whole = Whole(tmp_path_factory.mktemp("away"), patient=False)
    statuses: list[int] = []
    done = threading.Event()

    def load() -> None:
        began = time.monotonic()
        number = 0
        while not done.is_set():
            statuses.append(ask(whole.site.http_port, f"/load-{number}", *BROWSER).status)
            number += 1
            time.sleep(max(0.0, began + number / 50 - time.monotonic()))

    threads = [threading.Thread(target=load) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        wait_until(lambda: len(statuses) > 50, what="50 requests")
        os.kill(whole.service.pid, signal.SIGSTOP if how == "stopped" else signal.SIGKILL)
        time.sleep(1.5)
        if how == "stopped":
            os.kill(whole.service.pid, signal.SIGCONT)
        else:
            whole.service.stop()
            whole.service = ServiceProcess(whole.config)
        back = time.monotonic()

        def judged() -> bool:
            path = f"/again-{time.monotonic_ns()}"
            ask(whole.site.http_port, path, *BROWSER)
            return bool(whole.logged(path)["verdict"] == "allow")

        wait_until(judged, what="a judged request")
        again_s = time.monotonic() - back
        print(f"judged again after {again_s:.2f} s; {len(statuses)} requests")
        assert in_time(again_s, 3.0)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    try:
        assert {status for status in statuses if status >= 500} == set()
        unjudged = whole.site.access_log.read_text().count('"verdict":"unjudged"')
        assert unjudged > 50

        def is_told() -> bool:
            ask(whole.site.http_port, "/tell", *BROWSER)  # nginx tells with the next question
            return told(whole.web) >= unjudged

        wait_until(is_told, what="the count at the service")
    finally:
        whole.stop()


def told(web: int) -> int:
    """botsieve_unjudged_total, all edges and reasons, by the service's metrics."""
    answer = ask(web, "/metrics").body.decode()
    lines = [line for line in answer.splitlines() if line.startswith("botsieve_unjudged_total{")]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


@pytest.mark.parametrize("status", [200, 403, 429])
def test_the_challenge_page_has_the_status_that_is_set(status: int, tmp_path: Path) -> None:
    """`challenge.page_status` reaches the visitor with the page, and is no failure of the service to nginx: it goes on judging."""
    policies = "policies: [{name: all, audience: browser, mode: enforce}]"
    config = service_config(tmp_path, policies, deadline_ms=1000)
    config.write_text(config.read_text().replace("challenge: {", f"challenge: {{page_status: {status}, "))
    with ServiceProcess(config), Site(tmp_path, tmp_path / "check.sock", patient=True) as site:
        for number in range(6):  # three failures would open the breaker
            answer = ask(site.http_port, f"/{number}", "User-Agent: curl/7.88.1", "Accept: text/html")
            assert (answer.status, b"Checking your browser" in answer.body) == (status, True)
