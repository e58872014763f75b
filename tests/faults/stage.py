"""nginx with the shipped includes, the real service behind it, and an application that says which verdict it was told."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import ROOT
from tests.faults.stepped import SteppedClock
from tests.nginx.raw import ask
from tests.servers import Process, ServiceProcess, Site, wait_until
from tests.service.running import Place, place, without_power

# Everybody is let through who is judged, so that what visitors see is the edge's doing alone.
OPEN = "policies: [{name: shop, mode: monitor, audience: browser}]\n"
_APP = 'return 200 "verdict=$http_x_botsieve_verdict\\n";'


class Stage:
    """One shop.  `service` is replaced when it was killed.  `clock`: that of nginx and the service."""

    def __init__(self, at: Place, site: Site, service: ServiceProcess, clock: SteppedClock) -> None:
        self.at = at
        self.site = site
        self.service = service
        self.clock = clock
        self.impostor: Process | None = None
        self.reader: int | None = None  # of the log, while it is a pipe
        self._asked_unjudged = 0
        self._reported_before = 0

    @property
    def port(self) -> int:
        return self.site.http_port

    def verdict(self) -> str:
        """What the application is told now, "" when it was not asked."""
        answer = ask(self.port, "/now")
        verdict = answer.body.decode().partition("verdict=")[2].strip() if answer.status == 200 else ""
        self._asked_unjudged += verdict == "unjudged"
        return verdict

    def reported(self) -> int:
        """Requests that passed while nobody judged, as the metrics of all services so far say; without those of `verdict`."""
        wait_until(lambda: self.verdict() == "allow", what="a verdict")  # brings nginx's last count along
        return self._reported_before + self._metric() - self._asked_unjudged

    def _metric(self) -> int:
        return int(self.at.metric('botsieve_unjudged_total{edge="nginx",why="edge_down"}'))

    def signal(self, number: signal.Signals) -> None:
        """To the service."""
        os.kill(self.service.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self._reported_before += self._metric()
        self.signal(signal.SIGKILL)
        self.service.popen.wait()

    def start(self) -> None:
        """Another service in the same place; returns when it is ready."""
        self.service = start(self.at, self.clock)

    def restart(self) -> None:
        """TERM, and another one, as an upgrade does."""
        self._reported_before += self._metric()
        self.service.stop()
        self.start()

    def usurp(self, how: str) -> None:
        """Somebody else listens in the service's place (impostor.py), and the service ends."""
        command = [sys.executable, "-m", "tests.faults.impostor", str(self.at.socket), how]
        self.impostor = Process(command, cwd=ROOT, log=self.at.folder / "impostor.out")
        wait_until(lambda: "ready" in (self.impostor.output if self.impostor else ""), what="the impostor")
        self.kill()

    def restore(self) -> None:
        """The service is back in its place."""
        if self.impostor is not None:
            self.impostor.stop()
            self.impostor = None
        self.start()

    def move_log(self) -> None:
        """The file of the log is gone; what is put in its place is opened by `reopen`."""
        self.at.log.rename(self.at.log.with_suffix(".before"))

    def reopen(self) -> None:
        """USR1, as log rotation does."""
        self.signal(signal.SIGUSR1)


def start(at: Place, clock: SteppedClock) -> ServiceProcess:
    """The service as it runs on a machine: without the powers of root, so that a folder may be closed to it."""
    return at.start(without_power(), clock.environment)


@contextmanager
def stage(policies: str = OPEN, *, patient: bool = False) -> Iterator[Stage]:
    """A shop that is open, and gone afterwards.  `patient`: nginx waits longer than a test's machine is ever busy."""
    with place() as at:
        at.write(policies)
        clock = SteppedClock(at.folder)
        folder = at.folder / "nginx"
        folder.mkdir()
        at.state.mkdir(mode=0o700)
        found: Stage | None = None
        service = start(at, clock)
        try:
            locations = "location / { PROTECT_APP TO_APP }"
            environment = clock.environment
            with Site(folder, at.socket, app=_APP, locations=locations, patient=patient, environment=environment) as site:
                found = Stage(at, site, service, clock)
                yield found
        finally:
            at.state.chmod(0o700)
            if found is not None:
                service = found.service
                if found.impostor is not None:
                    found.impostor.stop()
            if service.popen.poll() is None:
                os.kill(service.pid, signal.SIGCONT)
            service.stop()
