"""What operators may ask a running service: metrics and health over TCP, decisions and the pause over the control socket.

Law of the file: TCP only reads and tells nothing of a client; changes and names need the control socket (0600).
"""

from __future__ import annotations

from typing import Protocol

from botsieve.errors import MachineError
from botsieve.journal.http_server import Answer, Routes, as_json
from botsieve.journal.metrics import CONTENT_TYPE


class Operated(Protocol):
    """What the pages need of the journal."""

    @property
    def is_ready(self) -> bool: ...
    def status(self) -> dict[str, object]: ...
    def render_metrics(self) -> bytes: ...
    def find(self, decision_id: str) -> dict[str, object] | None: ...
    def pause(self) -> bool: ...
    def resume(self) -> bool: ...


def public_routes(journal: Operated) -> Routes:
    """`web.listen`: /metrics, /healthz (200 while the service lives), /readyz (503 until it judges)."""
    return {
        ("GET", "/metrics"): lambda _rest: Answer(journal.render_metrics(), content_type=CONTENT_TYPE),
        ("GET", "/healthz"): lambda _rest: as_json(journal.status()),
        ("GET", "/readyz"): lambda _rest: as_json(journal.status(), 200 if journal.is_ready else 503),
    }


def control_routes(journal: Operated) -> Routes:
    """The control socket."""
    return {
        ("GET", "/v1/decisions/"): lambda decision_id: _decision(journal, decision_id),
        ("GET", "/v1/status"): lambda _rest: as_json(journal.status()),
        ("POST", "/v1/pause"): lambda _rest: _switch(journal, to_pause=True),
        ("POST", "/v1/resume"): lambda _rest: _switch(journal, to_pause=False),
    }


def _decision(journal: Operated, decision_id: str) -> Answer:
    found = journal.find(decision_id)
    if found is None:
        return as_json({"error": "this id is not among the last decisions of the running service"}, 404)
    return as_json(found)


def _switch(journal: Operated, *, to_pause: bool) -> Answer:
    try:
        changed = journal.pause() if to_pause else journal.resume()
    except MachineError as error:
        return as_json({"error": str(error)}, 500)
    return as_json(journal.status() | {"changed": changed})
