"""`botsieve serve`: puts the parts together, listens, reloads, drains.

Law of the file: no decision is made here.  The last line it says at start is `ready`, when every listener answers; whatever
keeps it from starting is one message and an exit code of docs/names.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
import uvloop

from botsieve.challenge.desk import ChallengeDesk
from botsieve.challenge.device_script import wanted_by
from botsieve.clock import Clock
from botsieve.config.changed import changed_sections
from botsieve.config.loader import DEFAULT_FILE, keep_last_good, load_or_last_good
from botsieve.config.settings import Loaded, ServiceSettings
from botsieve.config.watch import Reload, Reloader
from botsieve.engine import Engine
from botsieve.errors import BotsieveError
from botsieve.garbage import ASIDE_EVERY_S, set_aside, young_only
from botsieve.journal import Journal, JournalOptions, SubjectFigures
from botsieve.journal.render import time_text
from botsieve.keyfile import make_folder, open_to_others, read_keys
from botsieve.lookups.address_data import AddressData
from botsieve.observation import make_observation
from botsieve.policy import Rulebook
from botsieve.preventions.keeper import keeper_of
from botsieve.service import DecisionService
from botsieve.state.table import Table
from botsieve.store.serving import setup_of, store_of
from botsieve.transports.asking import Asking
from botsieve.transports.forward import ForwardEdge
from botsieve.transports.gathering import gathering_of_thread
from botsieve.transports.http import NginxEdge
from botsieve.transports.listeners import EdgeListener, listen
from botsieve.transports.surplus import Surplus

if TYPE_CHECKING:
    from botsieve.lookups.crawler_lookups import CrawlerLookups
    from botsieve.transports.grpc import GrpcTransport

DRAIN_S = 2.5  # SIGTERM ends it within 5 s: this, and at most 2 s for the journal
_LAST_LOOK_S = 0.05
_HOUSEKEEPING_S = 0.5
_ASIDE_EACH = round(_HOUSEKEEPING_S / ASIDE_EVERY_S)
_MAX_FILES = 32_768  # four times MAX_CONNECTIONS, twice, and our own


class Server:
    """One process of the service, from its configuration to its end."""

    def __init__(self, loaded: Loaded, path: str | None) -> None:
        self.loaded = loaded
        self.path = path
        settings = loaded.service
        make_folder(settings.state.dir)
        keys = read_keys(settings.keys_file)
        clock = Clock()
        self.journal = Journal(JournalOptions.of(settings), clock.now_s, self._paused, self._figures, clock.wall_s)
        self.desk = ChallengeDesk(settings.challenge, keys, os.urandom(8))
        self.engine = Engine(
            loaded.rulebook,
            keys.oldest,  # the names of subjects outlive a rotation, and with them the preventions that are kept
            max_bytes=settings.state.max_mib * 1024 * 1024,
            idle_s=settings.state.idle_s,
            clearances=self.desk.clearances,
            sessions=self.desk.sessions if settings.sessions.cookie else None,
            session_idle_s=settings.sessions.idle_s,
            max_preventions=settings.state.max_preventions,
            on_detector_error=self.journal.detector_failed,
        )
        renew_browser(self.engine, self.desk, self.loaded)
        self.service = DecisionService(self.engine, self.desk, self.journal, clock.now_s)
        self._nginx = NginxEdge(self.service, settings.edge("nginx"), settings.challenge.prefix)
        self._forward = ForwardEdge(self.service, settings.edge("forward"), settings.challenge.prefix)
        self._listeners: list[EdgeListener] = []
        self._grpc: list[GrpcTransport] = []
        self._lookups: CrawlerLookups | None = None
        self._data = AddressData(
            settings.lookups, os.path.join(settings.state.dir, "lists"), self.journal.data_event, self._take_lists
        )
        self._tell_whereabouts()
        self._keeper = keeper_of(settings, self.engine, self.journal, clock.now_s)
        self._store = store_of(settings, self.engine, self.journal, clock)
        self._stop = asyncio.Event()

    # ---- life

    async def run(self, started: float, notes: list[str]) -> None:
        """Listens until a signal.  `started`: monotonic time of the start.  Errors: MachineError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGUSR1, self.journal.reopen)
        reloader = Reloader(self.loaded, self.path, self._applied, self._refused)
        loop.add_signal_handler(signal.SIGHUP, reloader.request)
        await self._data.read()
        notes = [*notes, *open_to_others(self.loaded.service.keys_file), *self._data.mistakes]
        self._take_lists()  # before anybody asks: also a pause outlives a restart
        try:
            names = await self._listen()
        except BaseException:
            await self._drain()
            raise
        with contextlib.suppress(OSError):  # read-only: the next start has one safety net less, and nothing else
            keep_last_good(self.loaded)  # not before every listener answers: a port that is taken is no good configuration
        self.journal.config_applied(self.loaded.rulebook)
        self.journal.is_ready = True
        seconds = round(monotonic() - started, 3)
        self.journal.event("service_ready", listeners=names, config=self.loaded.config, seconds=seconds)
        _say_ready(self.loaded, names, notes, paused=self.journal.paused, seconds=seconds)
        tasks = [loop.create_task(self._keep_house()), loop.create_task(reloader.run()), loop.create_task(self._data.run())]
        tasks += [loop.create_task(self._store.run()), loop.create_task(self._keeper.run())]
        try:
            await self._stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await self._drain()

    async def _listen(self) -> list[str]:
        """Opens every listener, the ones that visitors wait for last, when nothing is left to be loaded."""
        settings = self.loaded.service
        own = settings.edge("grpc")
        others = []
        if own.listen is not None:
            from botsieve.transports import grpc as transport  # grpc costs 60 ms of start and 25 MiB: only who uses it pays

            server = transport.GrpcTransport(
                self.service,
                now_s=self.service.now_s,
                on_unjudged=lambda why: self.service.unjudged("grpc", why),
                tell=self.journal.event,
            )
            await server.start(transport.GrpcSettings.of(own))
            self._grpc.append(server)
            others.append(f"grpc={own.listen}")
        others.extend(f"web={address}" for address in await self.journal.listen() if not address.startswith("unix:"))
        from botsieve.lookups.crawler_lookups import CrawlerLookups  # dnspython costs 80 ms and 14 MiB: only who serves pays

        self._lookups = CrawlerLookups(self.engine.verifications, self.service.now_s, self.journal.event)
        self._lookups.start(settings.crawler_dns)
        self.journal.metrics.crawler_lookups = lambda: self.engine.verifications.counts
        warm_up(self.loaded.rulebook)
        young_only()
        names = []
        surplus = Surplus(asyncio.get_running_loop())
        surplus.tell = lambda count: self.journal.event("overloaded", count=count)
        surplus.gathering = gathering_of_thread()
        # Only nginx does as it is told; other gateways are left in peace.
        self._nginx.asking = surplus.asking = Asking(self._nginx.ask)
        for name, edge in (("nginx", self._nginx), ("forward", self._forward)):
            own = settings.edge(name)
            if own.listen is not None:
                listener = await listen(own.listen, own.socket_group, edge, f"edges.{name}.listen", surplus)
                self._listeners.append(listener)
                names.append(f"{name}={listener.address}")
        return [*names, *others]

    async def _drain(self) -> None:
        was_ready, self.journal.is_ready = self.journal.is_ready, False
        for listener in self._listeners:
            listener.close()
        await asyncio.gather(self._finish(), *(server.drain(DRAIN_S) for server in self._grpc))
        if self._lookups is not None:
            await self._lookups.close()
        self._keeper.close()
        self._store.last_words()
        if was_ready:
            self.journal.event("service_stopped")
        self.journal.close()
        self._store.finish()  # it had the journal's time

    async def _finish(self) -> None:
        """What has begun on the HTTP edges is answered, then they are closed."""
        await asyncio.sleep(_LAST_LOOK_S)  # what was already on the sockets is answered
        for listener in self._listeners:
            listener.finish()
        until_s = monotonic() + DRAIN_S - _LAST_LOOK_S
        while any(listener.open_connections for listener in self._listeners) and monotonic() < until_s:
            await asyncio.sleep(0.01)
        for listener in self._listeners:
            listener.abort()

    async def _keep_house(self) -> None:
        """Twice a second: notices a pause.  More often: sets aside what has survived (docs/decisions/0001).

        A collection looks at some thousands of new objects, never at what is remembered: no pause grows with the state.
        """
        while True:
            for _ in range(_ASIDE_EACH):
                set_aside()
                await asyncio.sleep(ASIDE_EVERY_S)
            self.journal.poll()
            self.service.tell_unasked()
            self._tell_shared()

    def _tell_shared(self) -> None:
        """A cache gave one visitor's session to many: the operator is to look for it."""
        news = self.engine.attacks.openings.visits.news
        while news:
            one = news.popleft()
            opened = time_text(one.opened_s)
            self.journal.event(
                "session_shared", policy=one.policy, networks=one.networks, opened=opened, see="botsieve nginx check"
            )

    # ---- configuration

    def _applied(self, reload: Reload) -> None:
        """Puts a new configuration in force."""
        before, settings = self.loaded, reload.loaded.service
        self.loaded = reload.loaded
        self._renew_desk(settings)
        renew_browser(self.engine, self.desk, self.loaded)
        self.engine.sessions = self.desk.sessions if settings.sessions.cookie else None
        self.engine.session_idle_s = self.engine.attacks.session_idle_s = settings.sessions.idle_s
        for edge in (self._nginx, self._forward):
            edge.settings = settings.edge(edge.settings.name)
            edge.prefix = settings.challenge.prefix.encode()
        for server in self._grpc:
            server.apply(settings.edge("grpc"))
        if self._lookups is not None:
            self._lookups.apply(settings.crawler_dns)
        try:
            self.journal.reconfigure(JournalOptions.of(settings))
        except BotsieveError as error:
            print(f"botsieve: {error}; the journal goes on as it was", file=sys.stderr, flush=True)
        self._data.want(settings.lookups)
        self._tell_whereabouts()
        self._take_lists()
        self._store.set_up(setup_of(settings.journal))
        self.journal.config_applied(reload.loaded.rulebook, changed=changed_sections(before, reload.loaded))
        print(f"applied {_in_force(reload.loaded, paused=self.journal.paused)}", file=sys.stderr, flush=True)
        for key in reload.restart:
            print(f"botsieve: {key} takes effect at the next start", file=sys.stderr, flush=True)
        for note in reload.notes:
            print(f"botsieve: {note}", file=sys.stderr, flush=True)

    def _take_lists(self) -> None:
        """Puts the rules in force with the lists as they were read last."""
        lists = self._data.lists
        self.service.apply(lists.into(self.loaded.rulebook).located(self._data.places))
        self.journal.metrics.listed = {"allow": len(lists.allow), "reputation": len(lists.reputation or ())}

    def _tell_whereabouts(self) -> None:
        self.journal.tell_whereabouts(self._data.places.of if self.loaded.service.lookups.databases else None)

    def _renew_desk(self, settings: ServiceSettings) -> None:
        before = self.desk.clearances.keys
        try:
            keys = read_keys(settings.keys_file, make=False)  # a file that is gone must not end every clearance
        except BotsieveError as error:
            self.journal.event("keys_refused", error=str(error))
            keys = before
        if keys.newest_kid != before.newest_kid:
            self.journal.event("keys_rotated", newest=keys.newest_kid.hex())
        self.desk.apply(settings.challenge, keys)

    def _refused(self, mistakes: list[str]) -> None:
        self._data.want(self.loaded.service.lookups)
        self.journal.config_refused(self.loaded.source or DEFAULT_FILE, mistakes)
        for line in (*mistakes, "the configuration was refused; the last good one goes on"):
            print(f"botsieve: {line}", file=sys.stderr, flush=True)

    def _paused(self, paused: bool) -> None:
        self.service.set_paused(paused)

    def _figures(self) -> Mapping[str, SubjectFigures]:
        world = self.engine.world
        return {
            "client": _figures_of(world.clients),
            "network": _figures_of(world.networks),
            "fingerprint": _figures_of(world.fingerprints),
        }


def renew_browser(engine: Engine, desk: ChallengeDesk, loaded: Loaded) -> None:
    """What the script in the pages does, and what is made of it, as a configuration says."""
    settings = loaded.service
    desk.human.enabled = settings.browser.events
    engine.attacks.collector_injected = settings.browser.events and settings.browser.inject != "none"
    on, fingerprint = settings.device.enabled, settings.browser.fingerprint
    wanted = wanted_by(loaded.rulebook.policies, settings.challenge.prefix, copies=on, fingerprint=fingerprint)
    desk.device.apply(wanted, desk.clearances.keys, settings.device.valid_min * 60)
    engine.devices = desk.device.devices if on else None
    engine.browsers = desk.device.browsers if fingerprint else None


def warm_up(rulebook: Rulebook) -> None:
    """Loads what is loaded at first use, by judging made-up requests in an engine of their own: nothing of it is remembered."""
    engine = Engine(rulebook, b"", max_bytes=1_048_576)
    for agent in (
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        b"curl/8",
    ):
        headers = {
            b"user-agent": agent,
            b"accept": b"text/html",
            b"sec-fetch-mode": b"navigate",
            b"sec-fetch-dest": b"document",
        }
        for at_s in range(3):
            o = make_observation(
                client=bytes(16),
                method=b"GET",
                uri=b"/items/1",
                headers=headers,
                edge_time_s=float(at_s),
                ja4=b"-",
                http=b"HTTP/2.0",
            )
            engine.decide(o, float(at_s), "")


def _figures_of(table: Table[Any]) -> SubjectFigures:
    return SubjectFigures(len(table), table.bytes_used, table.evictions)


def _in_force(loaded: Loaded, *, paused: bool) -> str:
    modes = " ".join(f"{policy.name}={'paused' if paused else policy.mode}" for policy in loaded.rulebook.policies)
    return f"policies: {modes} config={loaded.config}"


def _say_ready(loaded: Loaded, names: list[str], notes: list[str], *, paused: bool, seconds: float) -> None:
    for note in (*notes, *loaded.warnings):
        print(f"botsieve: {note}", file=sys.stderr)
    print(f"ready {' '.join(names)} {_in_force(loaded, paused=paused)} in {seconds} s", file=sys.stderr, flush=True)


def _allow_files() -> None:
    """A connection is an open file, and 1,024 of them is the usual limit: takes what the machine allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _MAX_FILES if most == resource.RLIM_INFINITY else min(most, _MAX_FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False),
    help="the configuration file; none: /etc/botsieve/botsieve.yaml, else all defaults",
)
def serve(path: str | None) -> None:
    """Run the decision service until SIGTERM.  HUP reloads, USR1 reopens the decision log."""
    started = monotonic()
    loaded, notes = load_or_last_good(path)

    _allow_files()

    async def main() -> None:
        await Server(loaded, path).run(started, notes)

    uvloop.run(main())
