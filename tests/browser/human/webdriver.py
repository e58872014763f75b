"""The little of WebDriver that a scraper uses: what Selenium sends to chromedriver, without Selenium."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.browser.conftest import CHROMIUM
from tests.conftest import stop, wait_for_port
from tests.servers import free_port

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class WebDriver:
    """One headless session.  Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for_port(port)
            options = {
                "binary": CHROMIUM,
                "args": ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}/profile"],
            }
            wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
            self._session = self._call("POST", "/session", wanted)["sessionId"]
        except BaseException:
            stop(self._driver)
            raise

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def tell(self, path: str, body: object) -> Any:
        return self._call("POST", f"/session/{self._session}{path}", body)

    def find(self, css: str) -> str:
        found: str = self.tell("/element", {"using": "css selector", "value": css})[_ELEMENT]
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._call("DELETE", f"/session/{self._session}")
        finally:
            stop(self._driver)
