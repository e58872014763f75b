"""One client in full: every request of an address, with its verdict and its findings, as the replay goes.

Law of the file: nothing is kept; each request is printed when it was judged.
"""

from __future__ import annotations

from collections.abc import Callable

from botsieve.decision import Decision, Signal
from botsieve.journal.packing import pack
from botsieve.journal.record import unpack
from botsieve.journal.redact import Redactor, route_text
from botsieve.journal.render import render, second_text, to_line
from botsieve.observation import Observation
from botsieve.printable import printable

_MAX_TARGET = 120

Write = Callable[[str], None]


class ClientView:
    """Prints the requests of `client` (16 packed bytes).  `count`: how many there were."""

    def __init__(self, client: bytes, write: Write, *, as_json: bool) -> None:
        self.count = 0
        self._client = client
        self._write = write
        self._as_json = as_json
        self._agent: bytes | None = None

    def __call__(self, o: Observation, decision: Decision) -> None:
        if o.client != self._client:
            return
        self.count += 1
        if self._as_json:
            self._write(decision_line(o, decision))
            return
        if o.user_agent != self._agent:
            self._agent = o.user_agent
            self._write(f"User-Agent: {printable(o.user_agent) or '(none seen)'}")
        # Reports are copied into mails and tickets: the values of a query stay in the log that the operator has.
        uri = route_text(o.uri.decode("latin-1")).encode("latin-1")
        target = printable(uri, _MAX_TARGET) + ("..." if len(uri) > _MAX_TARGET else "")
        score = f"{decision.would_be} {decision.score}"
        self._write(f"  {self.count:>5}  {second_text(o.edge_time_s)}  {score:<13}  {printable(o.method)} {target}")
        for signal in decision.signals:
            self._write(f"         {signal_text(signal)}")


def decision_line(o: Observation, decision: Decision) -> str:
    """One decision in the form of docs/decision-log.md."""
    return to_line(render(unpack(pack(o, decision, o.edge_time_s, 0)), Redactor())).decode()


def signal_text(signal: Signal) -> str:
    """`+30 url_pattern:30  (steps 6, limit 6)`."""
    measures = ", ".join(f"{m.name} {m.value:g}" + ("" if m.limit is None else f", limit {m.limit:g}") for m in signal.measures)
    return f"{signal.points:+d} {printable(signal.reason)}" + (f"  ({measures})" if measures else "")
