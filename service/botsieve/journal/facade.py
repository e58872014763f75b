"""The journal as the service uses it: one object that records, counts, tells and pauses.

Law of the file: `record` never raises for anything that a client or an edge sent, never waits, and costs about 2 us.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from botsieve import __version__
from botsieve.decision import MONITOR, Decision
from botsieve.journal.address_key import address_key
from botsieve.journal.control import SOCKET_NAME
from botsieve.journal.decision_log import DecisionLog
from botsieve.journal.events import Repeats
from botsieve.journal.heard import Heard
from botsieve.journal.http_server import Listener, Routes, listen_tcp, listen_unix
from botsieve.journal.metrics import Metrics, StateFigures
from botsieve.journal.options import STDOUT, JournalOptions
from botsieve.journal.packing import packed, record_of
from botsieve.journal.pause import PauseSwitch
from botsieve.journal.record import unpack
from botsieve.journal.redact import HMAC, Redactor, Whereabouts
from botsieve.journal.render import render, time_text, to_line
from botsieve.journal.ring import Ring
from botsieve.journal.sink import Sink
from botsieve.journal.stall import Stall
from botsieve.journal.web import control_routes, public_routes
from botsieve.keyfile import make_folder
from botsieve.observation import Observation
from botsieve.store.messages import MAX_DECISION, FeedbackRow

if TYPE_CHECKING:
    from botsieve.attacks.incidents import IncidentBook
    from botsieve.policy import Rulebook
    from botsieve.store.feed import StoreFeed

# What two clocks that nobody touched differ by, read one after the other, is less; and the log has whole milliseconds.
_SET_S = 0.001


# What only a start reads, and its key in the configuration.
_AT_START = {
    "state_dir": "state.dir",
    "to": "journal.decisions.to",
    "queue": "journal.decisions.queue",
    "web_listen": "web.listen",
}


class Journal:
    """`now_s`: the service's clock.  `on_pause` is called with the new state whenever a pause begins or ends.

    `wall_s`: what the machine's clock says, which stands in the log; None: the same.

    Errors: MachineError when the log's file cannot be opened or `state.dir` not be used.
    """

    def __init__(
        self,
        options: JournalOptions,
        now_s: Callable[[], float],
        on_pause: Callable[[bool], None] | None = None,
        state: StateFigures | None = None,
        wall_s: Callable[[], float] | None = None,
    ) -> None:
        self.options = options
        self._now_s = now_s
        self._wall_s = wall_s or now_s
        self._ahead_s = 0.0  # of the machine's clock before ours, once somebody has set it; looked at in `poll`
        self._on_pause = on_pause
        redactor = _redactor(options)
        sink = None if options.to is None else Sink("" if options.to == STDOUT else options.to)
        self._redactor = redactor
        self.log = DecisionLog(sink, redactor, queue=options.queue, sample_percent=options.allow_sample_percent)
        self.ring = Ring(options.keep_decisions)
        self.metrics = Metrics(state)
        self.metrics.log_dropped = lambda: self.log.dropped
        self._stall = Stall(options.to or "")
        self.metrics.log_stalled = lambda: self._stall.is_stalled
        self._repeats = Repeats()
        self.heard = Heard(options.state_dir, now_s())
        self.incidents: IncidentBook | None = None
        self.store: StoreFeed | None = None
        self._switch = PauseSwitch(options.state_dir)
        self.control: Routes = {}  # what else the control socket answers
        self._listeners: list[Listener] = []
        self._dropped_said = 0
        self._started_s = self._wall_s()
        self._policies: Mapping[str, str] = {}
        self._config = ""
        self.is_ready = False

    # ---- the hot path

    def record(self, o: Observation, decision: Decision, now_s: float, decide_us: int) -> None:
        """Counts one decision, keeps it for `find`, and has it written if it is to be.  `decide_us`: whole, >= 0."""
        self.metrics.count_decision(o.edge, decision, decide_us)
        log = self.log
        percent = log.wants(decision)
        record = record_of(o, decision, now_s + self._ahead_s, decide_us, percent if percent > 0.0 else 0.0)
        self.ring.add(decision.id, packed(record))
        if percent >= 0.0:
            log.put(record)
        if decision.violations and self.incidents is not None:
            self.incidents.note(o, decision, now_s)

    def count_unjudged(self, edge: str, why: str, n: int = 1) -> None:
        """Requests without a verdict; `why` is one of metrics.WHY_UNJUDGED."""
        self.metrics.count_unjudged(edge, why, n)

    def challenge(self, step: str, level: str) -> None:
        """One step (`issued`, `loaded`, `solved`, `failed`) of a challenge of a level."""
        self.metrics.count_challenge(step, level)

    def feedback(self, o: Observation, outcome: str, decision: Decision | None) -> None:
        """Somebody who was shown a page says that they are a person.  `decision`: the one to keep with it, None for nothing to keep."""
        counts = self.metrics.feedback
        counts[outcome] = counts.get(outcome, 0) + 1
        if decision is None or self.store is None:
            return
        known = self.find(decision.id) or {"id": decision.id, "reasons": decision.reasons, "rule": decision.rule}
        facts = (decision.id, self._wall_s(), decision.policy, decision.verdict, decision.score)
        kept = to_line(known)
        if len(kept) > MAX_DECISION:
            kept = to_line({"id": decision.id, "rule": decision.rule})
        self.store.feedback(FeedbackRow(*facts, self._redactor.address(o.client), kept.decode()))

    # ---- events

    def event(self, name: str, **keys: object) -> None:
        """An event of docs/decision-log.md: at once, then at most every 10 s with `count`."""
        now_s = self._now_s()
        event = self._repeats.admit(name, keys, now_s)
        if event is not None:
            self.log.put_event(event, now_s + self._ahead_s)

    def detector_failed(self, signal: str, error: Exception) -> None:
        """A detector raised and was skipped.  Only the kind of the error is told: its text may hold a client's bytes."""
        self.metrics.count_detector_error(signal)
        self.event("detector_failed", signal=signal, error=type(error).__name__)

    def config_applied(self, rulebook: Rulebook, **keys: object) -> None:
        """A configuration is in effect from now on."""
        self._config = rulebook.config
        self._policies = {policy.name: policy.mode for policy in rulebook.policies}
        self.metrics.config_applied_s = self._wall_s()
        modes = [f"{name} {mode}" for name, mode in self._policies.items()]
        self.event("config_applied", config=rulebook.config, policies=modes, **keys)

    def data_event(self, name: str, **keys: object) -> None:
        """A list or database was applied or refused (`data_applied`, `data_refused`)."""
        self.metrics.data_refused += name == "data_refused"
        self.event(name, **keys)

    def tell_whereabouts(self, whereabouts: Whereabouts | None) -> None:
        """From now on every record says what is known of its client's address; None: no more."""
        self._redactor.whereabouts = whereabouts

    def config_refused(self, file: str, mistakes: list[str]) -> None:
        """A configuration was refused; the last good one stays."""
        self.metrics.config_refused += 1
        self.event("config_refused", file=file, mistakes=mistakes)

    # ---- what operators ask

    @property
    def redactor(self) -> Redactor:
        """What makes addresses fit for a sink, as configured now."""
        return self._redactor

    def find(self, decision_id: str) -> dict[str, object] | None:
        """One of the last decisions as the object of docs/decision-log.md, None if it is unknown."""
        packed = self.ring.find(decision_id.strip().lower())
        return None if packed is None else render(unpack(packed), self._redactor)

    @property
    def paused(self) -> bool:
        """Whether every policy is in monitor mode now."""
        return self._switch.paused

    def pause(self) -> bool:
        """Begins a pause; whether there was none.  Errors: MachineError when it could not be made to last."""
        return self._tell_pause(self._switch.set())

    def resume(self) -> bool:
        """Ends the pause; whether there was one.  Errors: MachineError as `pause`."""
        return self._tell_pause(self._switch.clear())

    def status(self) -> dict[str, object]:
        """What /healthz shows.  `policies`: name and the mode in effect."""
        return {
            "status": "ready" if self.is_ready else "starting",
            "version": __version__,
            "started": time_text(self._started_s),
            "paused": self.paused,
            "config": self._config,
            "policies": {name: MONITOR if self.paused else mode for name, mode in self._policies.items()},
            "decisions": self.metrics.decisions_total,
            "unjudged": self.metrics.unjudged_total,
            "config_refused": self.metrics.config_refused,
            "log": {"written": self.log.written, "waiting": self.log.waiting, "dropped": self.log.dropped},
        }

    def render_metrics(self) -> bytes:
        """The text of /metrics."""
        return self.metrics.render()

    # ---- life

    async def listen(self) -> list[str]:
        """Opens the control socket and `web.listen`; returns their addresses.  Errors: MachineError."""
        make_folder(self.options.state_dir)
        self._listeners.append(
            await listen_unix(str(Path(self.options.state_dir) / SOCKET_NAME), {**control_routes(self), **self.control})
        )
        if self.options.web_listen is not None:
            self._listeners.append(await listen_tcp(self.options.web_listen, public_routes(self)))
        return [listener.address for listener in self._listeners]

    def reconfigure(self, options: JournalOptions) -> list[str]:
        """Takes over the sample and the form of addresses at once; returns the keys whose change needs a restart.

        Errors: MachineError when the key for `hmac` cannot be made; nothing has changed then.
        """
        redactor = _redactor(options)
        redactor.whereabouts = self._redactor.whereabouts
        self._redactor = self.log.redactor = redactor
        self.log.set_sample(options.allow_sample_percent)
        return [key for name, key in _AT_START.items() if getattr(options, name) != getattr(self.options, name)]

    def poll(self) -> None:
        """To be called every 0.5 s: notices a pause made by hand, says what was held back, keeps what edges told."""
        ahead_s = self._wall_s() - self._now_s()
        if abs(ahead_s - self._ahead_s) > _SET_S:
            self._ahead_s = ahead_s
        self._tell_pause(self._switch.poll())
        said = self._stall.look(self.log.written, self.log.waiting, self._now_s())
        if said and self.options.to != STDOUT:  # stderr may be the same pipe: who writes to it would wait
            print(f"botsieve: {said}", file=sys.stderr, flush=True)
        dropped = self.log.dropped
        if dropped > self._dropped_said:
            self.event("log_dropped", count=dropped - self._dropped_said)
            self._dropped_said = dropped
        if self.log.reopen_failed:
            self.event("log_reopen_failed", file=self.options.to, error=self.log.reopen_failed)
            self.log.reopen_failed = ""
        self.heard.save()
        self._write_due()

    def reopen(self) -> None:
        """Opens the log's file anew (USR1)."""
        self.log.reopen()

    def close(self) -> None:
        """Stops listening, writes what waits (at most 2 s), stops."""
        self.is_ready = False
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        self.heard.save()
        self._write_due(everything=True)
        self.log.close()

    def _write_due(self, *, everything: bool = False) -> None:
        now_s = self._now_s()
        for event in self._repeats.due(now_s, everything=everything):
            self.log.put_event(event, now_s + self._ahead_s)

    def _tell_pause(self, changed: bool) -> bool:
        if changed:
            self.event("paused" if self.paused else "resumed")
            if self._on_pause is not None:
                self._on_pause(self.paused)
        return changed


def _redactor(options: JournalOptions) -> Redactor:
    return Redactor(options.addresses, address_key(options.state_dir) if options.addresses == HMAC else b"")
