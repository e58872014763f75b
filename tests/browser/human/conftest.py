"""A site with our script in its pages by Lua, the real service behind it, and hands of three sorts: drivers, WebDriver, xdotool.

Law of the file: loopback only; what a report showed is read from the service's own counters.
"""

from __future__ import annotations

import json
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ServiceProcess, Site, free_port, service_config, wait_until

# Ten requests of grace, then unsafe until a hand is seen; a hand is good for 200.
POLICIES = """
policies:
  - name: site
    mode: enforce
    challenge_at: 99
    block_at: 100
    detectors: {human.interaction: {action: block, grace: 10, unsafe: 1000, safe: 200}, surfing.rapid: {action: ignore}}
browser: {inject: lua}
"""
STRICT = "script-src 'nonce-n0nce' 'strict-dynamic'; connect-src 'self'"
PAGE = (
    '<!doctype html><html><head><title>app $uri</title></head><body style="height:5000px;margin:20px"><h1 id=uri>app $uri</h1>'
    '<p><a id=next href="/next">next</a> <input id=text> <button id=button type=button>button</button></p></body></html>'
)


class Human:
    """The running site.  `url`: of a path; `told`: what reports showed so far, by finding."""

    def __init__(self, folder: Path) -> None:
        self._web = free_port()
        for part in ("service", "site"):
            (folder / part).mkdir()
        config = service_config(folder / "service", POLICIES, web=self._web, deadline_ms=1000)
        self.service = ServiceProcess(config)
        includes = folder / "site" / "botsieve"
        plain = 'proxy_set_header Accept-Encoding "";'
        self.site = Site(
            folder / "site",
            folder / "service" / "check.sock",
            locations=f"location / {{ PROTECT_APP include {includes}/inject-app.conf; {plain} TO_APP }} "
            f"location ~ ^/(csp-)?sub/ {{ include {includes}/inject.conf; {plain} TO_APP }}",
            http=f'map $uri $policy {{ ~^/csp "{STRICT}"; default ""; }}',
            app=f"default_type text/html; add_header Content-Security-Policy $policy; return 200 '{PAGE}';",
            patient=True,
        )

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.site.http_port}{path}"

    def told(self) -> dict[str, int]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._web}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        found = re.findall(r'^botsieve_human_reports_total\{finding="(\w+)"\} (\d+)', text, re.MULTILINE)
        return {finding: int(float(count)) for finding, count in found}

    def hear(self, before: dict[str, int], count: int = 1) -> set[str]:
        """What the next `count` reports show: waits for them."""
        until = sum(before.values()) + count
        wait_until(lambda: sum(self.told().values()) >= until, what="a report")
        return {finding for finding, total in self.told().items() if total > before.get(finding, 0)}

    def shown(self, prefix: str) -> dict[str, str]:
        """Path -> verdict, of every request whose path begins so."""
        lines = [json.loads(line) for line in self.site.access_log.read_text("latin-1").splitlines() if line.startswith("{")]
        return {line["uri"]: line["verdict"] for line in lines if line["uri"].startswith(prefix)}

    def stop(self) -> None:
        self.site.stop()
        self.service.stop()


@pytest.fixture(scope="package")
def human() -> Iterator[Human]:
    """One for all tests of this folder; each visitor is another User-Agent."""
    with tempfile.TemporaryDirectory(prefix="botsieve-") as name:
        running = Human(Path(name))
        yield running
        running.stop()
