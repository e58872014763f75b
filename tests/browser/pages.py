"""A site whose pages hold our script, and what a browser keeps of it: for the tests of device ids, fingerprints and extensions."""

from __future__ import annotations

import base64
import contextlib
import grp
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers import ServiceProcess, Site, wait_until

PAGE = '<!doctype html><title>app</title><h1>shop</h1><p id=uri>$request_uri</p><script src="/.botsieve/b.js" defer></script>'
APP = f"""
    default_type text/html;
    location /strict/ {{
        add_header Content-Security-Policy "default-src \\'self\\'; object-src \\'none\\'; base-uri \\'none\\'";
        default_type text/html; return 200 '{PAGE}';
    }}
    location /plain/ {{ default_type text/html; return 200 '<!doctype html><title>plain</title><p>plain'; }}
    location /frame/ {{ default_type text/html; return 200 '<!doctype html><title>frame</title><iframe src="/inner"></iframe>'; }}
    return 200 '{PAGE}';
"""
CONFIG = """
policies:
  - name: shop
    mode: enforce
    challenge_at: 99
    block_at: 100
{more}
edges:
  nginx: {{listen: "unix:{folder}/check.sock", socket_group: {group}, deadline_ms: 1000}}
state: {{dir: "{folder}/state", max_mib: 32}}
challenge: {{keys_file: "{folder}/state/keys"}}
journal: {{decisions: {{to: "{folder}/decisions.log", allow_sample_percent: 100}}}}
web: {{listen: null}}
"""
# What the script posts, beside the usual log.
BODIES = "log_format bodies escape=none '$request_body';"


class Pages:
    """The running site: `url`, the decisions so far, and the reports as they were posted."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder = folder
        self.site = site

    def url(self, path: str = "/", scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.site.http_port if scheme == 'http' else self.site.https_port}{path}"

    def decisions(self, detector: str) -> list[dict[str, Any]]:
        """The decisions in whose findings this detector stands, in order."""
        with contextlib.suppress(FileNotFoundError):
            lines = [json.loads(line) for line in (self.folder / "decisions.log").read_text().splitlines()]
            return [line for line in lines if any(signal["id"] == detector for signal in line.get("signals", []))]
        return []

    def wait_for(self, detector: str) -> dict[str, Any]:
        """The first such decision, as soon as it is written."""
        wait_until(lambda: self.decisions(detector), what=detector)
        return self.decisions(detector)[0]

    def reports(self) -> list[dict[str, Any]]:
        """What was posted to `d` so far."""
        with contextlib.suppress(FileNotFoundError):
            return [
                json.loads(line)
                for line in (self.folder / "bodies.log").read_text().splitlines()
                if line.startswith("{") and '"token"' not in line
            ]
        return []


@contextlib.contextmanager
def running(more: str) -> Iterator[Pages]:
    """nginx, the service and the application; `more`: further lines of the configuration, from the policy on."""
    with tempfile.TemporaryDirectory(prefix="botsieve-") as name:
        folder = Path(name)
        (folder / "state").mkdir()
        (folder / "site").mkdir()
        config = folder / "botsieve.yaml"
        config.write_text(CONFIG.format(folder=folder, group=grp.getgrgid(os.getegid()).gr_name, more=more))
        with ServiceProcess(config):
            server = f"access_log {folder}/bodies.log bodies;"
            with Site(folder / "site", folder / "check.sock", app=APP, http=BODIES, server=server, patient=True) as site:
                yield Pages(folder, site)


def open_page(page: Any, url: str) -> dict[str, Any]:
    """Opens a page and waits until its script has reported and stored; the answer to the report ({} where no ids are given)."""
    with page.expect_response(lambda answer: answer.url.endswith("/.botsieve/d")) as found:
        page.goto(url)
    answer = found.value
    if answer.status != 200:
        return {}
    told: dict[str, Any] = answer.json()
    page.wait_for_function(STORED, arg=told["id"])
    return told


# Both copies hold the text, or the browser has no such storage.
STORED = """text => new Promise(done => {
    let local = text;
    try { local = localStorage.getItem('botsieve_d'); } catch (error) { /* none */ }
    if (local !== text) { done(false); return; }
    let opening;
    try { opening = indexedDB.open('botsieve_d', 1); } catch (error) { done(true); return; }
    opening.onerror = () => done(true);
    opening.onsuccess = () => {
        const asked = opening.result.transaction('copies').objectStore('copies').get('id');
        asked.onsuccess = () => { opening.result.close(); done(asked.result === text); };
    };
})"""


def device_of(text: str) -> bytes:
    """The id in one of our texts: behind version, name of the key and length."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[7:15]


def cookie(page: Any, name: str = "botsieve_d") -> dict[str, Any] | None:
    """One of the browser's cookies."""
    return next((one for one in page.context.cookies() if one["name"] == name), None)
