"""Everything that the demo writes before it starts: configuration, nginx files, certificate, all under one folder (`.run`).

Law of the file: nothing is written outside that folder, but for a link to it where its name cannot stand in an nginx file.
"""

from __future__ import annotations

import contextlib
import grp
import io
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from botsieve.cli import main as botsieve
from botsieve.demo.certificate import make_certificate
from botsieve.demo.nginx_conf import Ports, lua_modules, nginx_conf
from botsieve.edge.includes import Filling
from botsieve.errors import MachineError


def choose_ports() -> Ports:
    """The two that people type, from BOTSIEVE_HTTP_PORT and BOTSIEVE_HTTPS_PORT or 8080 and 8443; the others are any free ones.

    Errors: MachineError for no number, or a port that somebody else has.
    """
    http, https = _wanted("BOTSIEVE_HTTP_PORT", 8080), _wanted("BOTSIEVE_HTTPS_PORT", 8443)
    if http == https:
        raise MachineError(f"http and https cannot both have port {http}; set BOTSIEVE_HTTP_PORT and BOTSIEVE_HTTPS_PORT apart")
    shop, backup, web = _free_ports(3)
    return Ports(http=http, https=https, shop=shop, backup=backup, web=web)


def _wanted(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise MachineError(f"{name}={text} is no port; accepted: 1 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            raise MachineError(
                f"port {text} of 127.0.0.1 cannot be had ({error.strerror}); choose another: {name}=PORT make run"
            ) from None
    return int(text)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@contextlib.contextmanager
def plainly_named(run: Path) -> Iterator[Path]:
    """The demo's folder, made if it is not there, under a name that nginx files and socket addresses can hold.

    That is its own; for a clone with a blank or an umlaut on its way, or a very long one, that of a link in the temporary folder, which
    goes when the demo ends.  Errors: MachineError when the folder cannot be made.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"cannot write the demo's folder {run}: {error.strerror}") from None
    if _is_plain(run):
        yield run
        return
    with tempfile.TemporaryDirectory(prefix="botsieve-") as short:
        link = Path(short) / "run"
        link.symlink_to(run, target_is_directory=True)
        yield link


def _is_plain(run: Path) -> bool:
    try:
        Filling(folder=str(run), socket=str(run / "state" / "control.sock"))  # the longest of its sockets
    except ValueError:
        return False
    return True


def service_config(run: Path, ports: Ports, check_socket: Path, *, lua: bool) -> str:
    """botsieve.yaml of the demo: enforced everywhere, the catalogue for browsers only, two thresholds that block, every decision logged."""
    group = grp.getgrgid(os.getegid()).gr_name
    return f"""# Written by `make run`; changes are lost.
policies:
  - name: catalogue
    paths: [/api/]
    audience: browser
    mode: enforce
  - name: shop
    mode: enforce
detectors:
  surfing.rapid: {{action: block}}
  sessions.transactions: {{action: block}}
browser: {{events: true, inject: {"lua" if lua else "sub_filter"}}}
edges:
  nginx: {{listen: "unix:{check_socket}", socket_group: {group}, deadline_ms: 40}}
state: {{dir: "{run}/state", max_mib: 64}}
challenge: {{keys_file: "{run}/state/keys", contact: "mailto:owner@shop.example"}}
journal: {{decisions: {{to: "{run}/decisions.log", allow_sample_percent: 100}}}}
web: {{listen: "127.0.0.1:{ports.web}"}}
"""


def write_folder(run: Path, ports: Ports) -> Path:
    """Writes it all and returns the path of the service's socket.  `run`: of `plainly_named`.  Errors: MachineError, with what to do."""
    try:
        for name in ("state", "spool", "nginx"):
            (run / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"cannot write the demo's folder {run}: {error.strerror}") from None
    check_socket = run / "check.sock"
    check_socket.unlink(missing_ok=True)
    modules = lua_modules()
    (run / "botsieve.yaml").write_text(service_config(run, ports, check_socket, lua=modules is not None))
    make_certificate(run / "certificate.pem", run / "key.pem")
    _install_includes(run, ports, check_socket, lua=modules is not None)
    (run / "nginx" / "nginx.conf").write_text(nginx_conf(run, ports, modules))
    return check_socket


def _install_includes(run: Path, ports: Ports, check_socket: Path, *, lua: bool) -> None:
    """The shipped includes, by the command that a user has.  Its advice is for nginx.conf files of others: not shown."""
    arguments = [
        "nginx",
        "install",
        "--to",
        str(run / "nginx" / "botsieve"),
        "--socket",
        str(check_socket),
        "--port",
        str(ports.backup),
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        code = botsieve(arguments if lua else [*arguments, "--no-lua"])
    if code:
        raise MachineError(f"`botsieve {' '.join(arguments)}` ended with code {code}; see above")
