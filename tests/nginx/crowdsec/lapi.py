"""In place of CrowdSec's local API and its AppSec component: the questions of a bouncer, answered as they answer.

Law of the file: the forms are those of CrowdSec's own description of its local API (`GET /v1/decisions`, `/v1/decisions/stream`,
`POST /v1/usage-metrics`) and of the AppSec protocol; which addresses it is about, a test says.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

KEY = "a-bouncers-key"


class Lapi:
    """Listens on a free port of 127.0.0.1 within `with`.  `decisions`: address -> "ban" or "captcha".

    `asked`: method and target of each request so far; `inspected`: headers (lower case) and body of each that AppSec was shown.
    AppSec refuses what has `refused` in its body or target.
    """

    def __init__(self, decisions: dict[str, str]) -> None:
        self.decisions = decisions
        self.asked: list[str] = []
        self.inspected: list[tuple[dict[str, str], str]] = []
        self.refused = "union select"
        self._told: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, target: str, headers: dict[str, str], body: str) -> tuple[int, Any]:
        """Status and what goes out as JSON."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if "x-crowdsec-appsec-ip" in headers:
            if headers.get("x-crowdsec-appsec-api-key") != KEY:
                return 401, None
            self.inspected.append((headers, body))
            if self.refused in body or self.refused in headers["x-crowdsec-appsec-uri"]:
                return 403, {"action": "ban", "http_status": 403}
            return 200, {"action": "allow", "http_status": 200}
        self.asked.append(f"{method} {target}")
        if headers.get("x-api-key") != KEY:
            return 403, {"message": "access forbidden"}
        if path == "/v1/decisions":
            return 200, self._rows({ip: kind for ip, kind in self.decisions.items() if [ip] == query.get("ip")})
        if path == "/v1/decisions/stream":
            before = {} if query.get("startup") == ["true"] else self._told
            now = self._told = dict(self.decisions)
            gone = {ip: kind for ip, kind in before.items() if ip not in now}
            return 200, {"new": self._rows(dict(now.items() - before.items())), "deleted": self._rows(gone)}
        return (201, {}) if path == "/v1/usage-metrics" else (404, None)

    @staticmethod
    def _rows(decisions: dict[str, str]) -> list[dict[str, object]] | None:
        """`null` for none, as CrowdSec has it."""
        rows: list[dict[str, object]] = [
            {
                "id": number,
                "origin": "cscli",
                "type": kind,
                "scope": "Ip",
                "value": ip,
                "duration": "3h59m49s",
                "scenario": "manual",
            }
            for number, (ip, kind) in enumerate(sorted(decisions.items()), 1)
        ]
        return rows or None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        lapi = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length") or 0)).decode("latin-1")
                status, said = lapi.answer(self.command, self.path, headers, body)
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *arguments: object) -> None:
                """A test has `asked`."""

        return Handler
