"""nginx with the shipped includes, the real service behind it, and an application that says which verdict it was told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.nginx.raw import ask
from tests.servers import ServiceProcess, Site, wait_until
from tests.service.running import Place, place

# Everybody is let through who is judged, so that what visitors see is the edge's doing alone.
OPEN = "policies: [{name: shop, mode: monitor, audience: browser}]\n"
_APP = 'return 200 "verdict=$http_x_botsieve_verdict\\n";'


class Stage:
    """One shop.  `service` is replaced when it was killed."""

    def __init__(self, at: Place, site: Site, service: ServiceProcess) -> None:
        self.at = at
        self.site = site
        self.service = service
        self._asked_unjudged = 0

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
        """Requests that passed while nobody judged, as the service's metric says; without those of `verdict`."""
        wait_until(lambda: self.verdict() == "allow", at_most_s=5, what="a verdict")  # brings nginx's last count along
        return int(self.at.metric('botsieve_unjudged_total{edge="nginx",why="edge_down"}')) - self._asked_unjudged

    def signal(self, number: signal.Signals) -> None:
        """To the service."""
        os.kill(self.service.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.signal(signal.SIGKILL)
        self.service.popen.wait()

    def start(self) -> None:
        """Another service in the same place; returns when it is ready."""
        self.service = self.at.start()

    def restart(self) -> None:
        """TERM, and another one, as an upgrade does."""
        self.service.stop()
        self.start()


@contextmanager
def stage(policies: str = OPEN, *, patient: bool = False) -> Iterator[Stage]:
    """A shop that is open, and gone afterwards.  `patient`: nginx waits longer than a test's machine is ever busy."""
    with place() as at:
        at.write(policies)
        folder = at.folder / "nginx"
        folder.mkdir()
        service = at.start()
        try:
            locations = "location / { PROTECT_APP TO_APP }"
            with Site(folder, at.socket, app=_APP, locations=locations, patient=patient) as site:
                found = Stage(at, site, service)
                try:
                    yield found
                finally:
                    service = found.service
        finally:
            if service.popen.poll() is None:
                os.kill(service.pid, signal.SIGCONT)
            service.stop()
