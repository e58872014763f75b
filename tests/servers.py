"""Real servers for tests: nginx and the service as private processes on loopback, stopped by their own pid.

Law of the file: each lives in one folder of the test, asks for free ports, and leaves nothing behind.  Works as root and as
anybody else.  Use them as context managers.
"""

from __future__ import annotations

import getpass
import grp
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from botsieve.demo.certificate import make_certificate
from botsieve.edge.machine import find_lua, find_nginx

from tests.conftest import ROOT, free_port, stop, wait_for_port

__all__ = [
    "Nginx",
    "Process",
    "ServiceProcess",
    "Site",
    "be_patient",
    "certificate",
    "free_port",
    "install",
    "is_gone",
    "service_config",
    "wait_until",
]


class Process:
    """A process that is stopped at the end of `with`.  `output`: what it wrote to both outputs so far."""

    def __init__(self, command: list[str], *, cwd: Path, log: Path, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("wb") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment() | (environment or {}),
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def stop(self) -> int:
        return stop(self.popen)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "service"), str(ROOT)]), "PYTHONUNBUFFERED": "1"}


def wait_until(said: object, *, at_most_s: float = 60.0, what: str = "it") -> None:
    """Returns as soon as `said()` is true; AssertionError when it is not in time: longer than any machine is ever busy."""
    assert callable(said)
    until = time.monotonic() + at_most_s
    while not said():
        assert time.monotonic() < until, f"{what} did not happen within {at_most_s} s"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, though nobody may have waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def install(folder: Path, *arguments: str) -> Path:
    """`botsieve nginx install --to folder ...` in this very process; returns the folder."""
    from botsieve.cli import main

    code = main(["nginx", "install", "--to", str(folder), *arguments])
    assert code == 0, f"nginx install ended with {code}"
    return folder


def be_patient(includes: Path) -> None:
    """For tests of anything but time, on a machine that others use too: 5 s in place of the 50 ms (30 of the backup) of the includes."""
    for name in ("server.conf", "http.conf"):
        conf = includes / name
        conf.write_text(conf.read_text().replace(" 50ms;", " 5s;").replace(" 30ms;", " 4s;"))


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key."""
    pair = folder / "certificate.pem", folder / "key.pem"
    make_certificate(*pair)
    return pair


class Nginx(Process):
    """nginx in a folder of its own: `http` is the inside of its http block, `lua_path` where Lua files lie beside the default.

    Returns from the constructor when `port` accepts connections.
    """

    def __init__(
        self,
        folder: Path,
        http: str,
        *,
        port: int,
        lua: bool = True,
        lua_path: Path | None = None,
        workers: int = 1,
        environment: dict[str, str] | None = None,
    ):
        self.folder = folder
        self._port = port
        self._environment = environment
        self.error_log = folder / "nginx-error.log"
        found = find_nginx()
        http = http if "access_log" in http else f"access_log off;\n{http}"
        modules = find_lua(found).load_module if lua else ""
        package_path = f'lua_package_path "{lua_path}/?.lua;;";' if lua and lua_path else ""
        # As root the workers would be somebody else, who may not enter the folder of the test.
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = " ".join(f"{kind}_temp_path {folder}/spool-{kind};" for kind in kinds)
        self.conf = folder / "nginx.conf"
        self.conf.write_text(
            f"{modules}{user}\ndaemon off; worker_processes {workers}; worker_shutdown_timeout 1s;\n"
            f"pid {folder}/nginx.pid; error_log {self.error_log} info;\nevents {{ worker_connections 1024; }}\n"
            f"http {{ {temporary} {package_path}\n{http}\n}}\n"
        )
        self._command = [found.command, "-p", str(folder), "-c", str(self.conf)]
        self.begin()

    def begin(self) -> None:
        """Starts it, also again after it was killed: with the same files."""
        super().__init__(self._command, cwd=self.folder, log=self.folder / "nginx.out", environment=self._environment)
        try:
            wait_for_port(self._port)
        except AssertionError:
            self.stop()
            raise AssertionError(f"nginx did not start: {self.output}") from None

    def worker_pids(self) -> list[int]:
        """Its workers, by what the kernel says."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def kill(self) -> None:
        """SIGKILL for all of it; returns when nothing of it listens any more."""
        workers = self.worker_pids()
        for pid in (self.pid, *workers):
            os.kill(pid, signal.SIGKILL)
        self.popen.wait()
        for pid in workers:
            wait_until(lambda pid=pid: is_gone(pid), what=f"the end of worker {pid}")  # type: ignore[misc]


# The application behind a Site: answers what it was asked, and shows every header that begins with X-Botsieve or X_Botsieve.
APP = """
server {{
    listen 127.0.0.1:{app}; access_log off; underscores_in_headers on; client_max_body_size 100m;
    location / {{ {inside} }}
}}
"""
PLAIN_APP = 'add_header X-App app; add_header Set-Cookie "app=1"; return 200 "app $request_method $request_uri\\n";'


class Site(Nginx):
    """The three lines of a user around an application: http and https on free ports, `/` protected by our includes.

    `socket`: where the service listens.  `locations` goes into both servers, `server` too but before them, `http` before all.
    `patient`: for tests of anything but time (be_patient).
    """

    def __init__(
        self,
        folder: Path,
        socket: Path,
        *,
        arguments: tuple[str, ...] = (),
        locations: str | None = None,
        server: str = "",
        http: str = "",
        app: str = PLAIN_APP,
        tls: str = "TLSv1.2 TLSv1.3",
        patient: bool = False,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.http_port, self.https_port, self.app_port, self.backup_port = (free_port() for _ in range(4))
        lua = "--no-lua" not in arguments
        self.includes = install(folder / "botsieve", "--socket", str(socket), "--port", str(self.backup_port), *arguments)
        if patient:
            be_patient(self.includes)
        pem, key = certificate(folder)
        self.access_log = folder / "access.log"
        if locations is None:
            locations = f"location / {{ include {self.includes}/protect.conf; {self.to_app} }}"
        locations = locations.replace("PROTECT_APP", f"include {self.includes}/protect-app.conf;")
        locations = locations.replace("PROTECT", f"include {self.includes}/protect.conf;").replace("TO_APP", self.to_app)
        super().__init__(
            folder,
            f"""
            include {self.includes}/http.conf;
            access_log {self.access_log} botsieve;
            {http}
            {APP.format(app=self.app_port, inside=app)}
            server {{
                listen 127.0.0.1:{self.http_port};
                {server}
                include {self.includes}/server.conf;
                {locations}
            }}
            server {{
                listen 127.0.0.1:{self.https_port} ssl http2;
                ssl_certificate {pem}; ssl_certificate_key {key}; ssl_protocols {tls};
                {server}
                include {self.includes}/server-tls.conf;
                {locations}
            }}
            """,
            port=self.https_port,
            lua=lua,
            lua_path=self.includes / "lua",
            environment=environment,
        )

    @property
    def to_app(self) -> str:
        return f"proxy_pass http://127.0.0.1:{self.app_port};"


def service_config(folder: Path, policies: str, *, web: int | None = None, deadline_ms: int = 20, more: str = "") -> Path:
    """A configuration whose every path lies in `folder`: socket check.sock, log decisions.log, state.  `more`: further lines."""
    config = folder / "botsieve.yaml"
    group = grp.getgrgid(os.getegid()).gr_name
    (folder / "state").mkdir(exist_ok=True)
    config.write_text(
        f'{policies}\nedges: {{nginx: {{listen: "unix:{folder}/check.sock", socket_group: {group}, deadline_ms: {deadline_ms}}}}}\n'
        f'state: {{dir: "{folder}/state"}}\nchallenge: {{keys_file: "{folder}/state/keys"}}\n'
        f'journal: {{decisions: {{to: "{folder}/decisions.log", allow_sample_percent: 100}}}}\n'
        f'web: {{listen: "127.0.0.1:{web or free_port()}"}}\n{more}'
    )
    return config


class ServiceProcess(Process):
    """`python -m botsieve serve --config FILE`; returns from the constructor when it has said `ready`.

    `under`: a command that starts it in its own way, `environment`: variables beside those of every test.
    """

    def __init__(
        self,
        config: Path,
        *,
        at_most_s: float = 60.0,
        under: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        folder = config.parent
        command = [*under, sys.executable, "-m", "botsieve", "serve", "--config", str(config)]
        super().__init__(command, cwd=folder, log=folder / "service.out", environment=environment)
        try:
            wait_until(self._is_ready_or_gone, at_most_s=at_most_s, what="`ready`")
            assert self.popen.poll() is None, f"the service ended with {self.popen.returncode}"
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}: {self.output}") from None

    def _is_ready_or_gone(self) -> bool:
        return self.popen.poll() is not None or any("ready" in line for line in self.output.splitlines())


def in_threads(work: object, n: int) -> None:
    """Runs `work(i)` for i below n, each in a thread; raises the first error."""
    assert callable(work)
    errors: list[BaseException] = []

    def run(i: int) -> None:
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
