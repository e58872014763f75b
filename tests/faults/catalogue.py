"""What may go wrong, one row each: how it begins, how it ends, and what must be true afterwards.

Law of the file: every fault is made with a real signal, file, socket or clock; nothing inside the service is replaced.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from tests.faults.stage import OPEN, Stage
from tests.servers import wait_until

Step = Callable[[Stage], None]

# Who nobody judges while it lasts, who goes on as if nothing were, and what takes the web server itself away.
NOBODY_JUDGES, GOES_ON, NO_WEB_SERVER = "nobody judges", "goes on", "no web server"
HOUR_S, DAY_S = 3600.0, 86_400.0


class Fault(NamedTuple):
    """`end` None: `begin` returns when it is over.  `after`: what must be true then."""

    kind: str
    begin: Step
    end: Step | None = None
    after: Step | None = None


def _signal(number: signal.Signals) -> Step:
    return lambda at: at.signal(number)


def _usurped(how: str) -> Fault:
    return Fault(NOBODY_JUDGES, lambda at: at.usurp(how), Stage.restore)


# ---- the configuration


def _reload(at: Stage) -> None:
    """HUP with another good file, until it is in force."""
    before = at.at.health()["config"]
    at.at.write(OPEN, more="sessions: {idle_s: 1234}\n")
    at.signal(signal.SIGHUP)
    wait_until(lambda: at.at.health()["config"] != before, what="the new configuration")


def _reload_broken(at: Stage) -> None:
    """HUP with a file that is none, until it is refused."""
    at.at.write("policies: [{name: shop, mode: nonsense\n")
    at.signal(signal.SIGHUP)
    wait_until(lambda: at.at.metric("botsieve_config_refused_total") >= 1, what="the refusal")


# ---- the decision log


def _log_full(at: Stage) -> None:
    at.move_log()
    at.at.log.symlink_to("/dev/full")
    at.reopen()


def _log_stalled(at: Stage) -> None:
    at.move_log()
    os.mkfifo(at.at.log)
    at.reader = os.open(at.at.log, os.O_RDONLY | os.O_NONBLOCK)  # somebody who opened it, and never reads
    at.reopen()


def _log_good(at: Stage) -> None:
    at.at.log.unlink()
    at.reopen()
    wait_until(lambda: at.at.log.exists(), what="the log's file")
    if at.reader is not None:
        os.close(at.reader)
        at.reader = None


def _log_whole(at: Stage) -> None:
    """What waited is written, and every decision of the service is a line or counted as dropped."""
    wait_until(lambda: at.at.health()["log"]["waiting"] == 0, what="the log's end")
    told = at.at.health()
    assert told["decisions"] <= told["log"]["written"] + told["log"]["dropped"]


# ---- the state's folder


def _close_folder(at: Stage) -> None:
    """Read-only, and a configuration is reloaded meanwhile."""
    at.at.state.chmod(0o500)
    _reload(at)


def _open_folder(at: Stage) -> None:
    at.at.state.chmod(0o700)


# ---- the clock


def _step(by_s: float) -> Fault:
    def is_told(at: Stage) -> None:
        """The log bears the machine's time."""
        wait_until(lambda: abs(_last_time_s(at) - time.time() - by_s) < 60, what="the log's own time")

    return Fault(GOES_ON, lambda at: at.clock.step(by_s), after=is_told)


def _last_time_s(at: Stage) -> float:
    at.verdict()
    line = at.at.log.read_bytes().splitlines()[-1]
    return datetime.fromisoformat(json.loads(line)["time"]).timestamp()


# ---- nginx


def _nginx_reload(at: Stage) -> None:
    old = at.site.worker_pids()
    os.kill(at.site.pid, signal.SIGHUP)
    wait_until(lambda: not set(old) & set(at.site.worker_pids()), what="new workers")


FAULTS: dict[str, Fault] = {
    "service stopped": Fault(NOBODY_JUDGES, _signal(signal.SIGSTOP), _signal(signal.SIGCONT)),
    "service killed": Fault(NOBODY_JUDGES, Stage.kill, Stage.start),
    "service restarted": Fault(NOBODY_JUDGES, Stage.restart),
    "answers late": _usurped("late"),
    "answers nonsense": _usurped("nonsense"),
    "answers half": _usurped("half"),
    "closes, no answer": _usurped("closes"),
    "reloaded": Fault(GOES_ON, _reload),
    "reloaded, bad file": Fault(GOES_ON, _reload_broken),
    "log disk full": Fault(GOES_ON, _log_full, _log_good, _log_whole),
    "log pipe not read": Fault(GOES_ON, _log_stalled, _log_good, _log_whole),
    "state dir read-only": Fault(GOES_ON, _close_folder, _open_folder),
    "clock +1 h": _step(HOUR_S),
    "clock -1 h": _step(-HOUR_S),
    "clock +1 day": _step(DAY_S),
    "clock -1 day": _step(-DAY_S),
    "nginx reloaded": Fault(GOES_ON, _nginx_reload),
    "nginx killed": Fault(NO_WEB_SERVER, lambda at: at.site.kill(), lambda at: at.site.begin()),
}
