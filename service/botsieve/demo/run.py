"""`make run`: a shop, nginx and Botsieve on this machine, until Ctrl-C.

Law of the file: three children, started in order, stopped in the reverse order, none left behind.  When the service ends the
others go on: that nginx does not need it to serve the shop is one of the things to see.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from botsieve.demo.folder import choose_ports, plainly_named, write_folder
from botsieve.demo.nginx_conf import Ports, find_nginx, lua_modules
from botsieve.errors import BotsieveError, MachineError

READY_WITHIN_S = 15.0
STOP_WITHIN_S = 6.0
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Children:
    """The processes of the demo, by name.  Each writes what it says to `NAME.log` in the demo's folder."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], answers: Callable[[], bool]) -> None:
        """Starts one and returns when it answers.  Errors: MachineError with its last words when it does not."""
        log = self._run / f"{name}.log"
        with log.open("wb") as out:
            child = subprocess.Popen(  # noqa: S603 - our own arguments
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, preexec_fn=_die_with_parent
            )
        self._running[name] = child
        (self._run / f"{name}.pid").write_text(f"{child.pid}\n")
        until = time.monotonic() + READY_WITHIN_S
        while child.poll() is None and time.monotonic() < until:
            if answers():
                return
            time.sleep(0.02)
        words = log.read_text(errors="replace").strip()[-1500:] or "it said nothing"
        how = "does not answer" if child.poll() is None else f"ended with code {child.returncode}"
        raise MachineError(f"{name} {how}; its last words ({log}):\n{words}")

    def ended(self) -> list[str]:
        """The names of those that ended by themselves; each is named once."""
        names = [name for name, child in self._running.items() if child.poll() is not None]
        for name in names:
            del self._running[name]
        return names

    def stop(self) -> None:
        """Stops all, the last started first."""
        for child in reversed(self._running.values()):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()


def _die_with_parent() -> None:
    """Runs in the child: the kernel stops it should this process be killed, so that nothing keeps a port."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _accepts(family: int, address: tuple[str, int] | str) -> bool:
    with socket.socket(family) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(address) == 0


def start_all(run: Path, ports: Ports, children: Children) -> None:
    """Shop, service, nginx: each waits for the one before."""
    check_socket = write_folder(run, ports)
    shop = [sys.executable, "-m", "botsieve.demo.shop", str(ports.shop)]
    children.start("shop", shop, lambda: _accepts(socket.AF_INET, ("127.0.0.1", ports.shop)))
    service = [sys.executable, "-m", "botsieve", "serve", "--config", str(run / "botsieve.yaml")]
    children.start("service", service, lambda: _accepts(socket.AF_UNIX, str(check_socket)))
    nginx = [find_nginx(), "-c", str(run / "nginx" / "nginx.conf"), "-e", str(run / "nginx-error.log")]
    children.start("nginx", nginx, lambda: _accepts(socket.AF_INET, ("127.0.0.1", ports.https)))


def greeting(ports: Ports, *, lua: bool) -> str:
    """What is printed when everything answers: one `ready` line, the addresses, seven things to try."""
    api = f"https://127.0.0.1:{ports.https}/api/items/17"
    python = (
        f"import http.client, ssl; c = http.client.HTTPSConnection('127.0.0.1', {ports.https}, "
        f"context=ssl._create_unverified_context()); c.request('GET', '/api/items/17', headers={{'User-Agent': '{CHROME}'}}); "
        "print(c.getresponse().read().decode())"
    )
    blind = (
        ""
        if lua
        else "\n  This nginx has no Lua module: no TLS fingerprints, no order of headers, no sessions; the rest is whole."
    )
    return f"""ready: the shop is protected, mode enforce; Ctrl-C stops everything

  http://127.0.0.1:{ports.http}/
  https://127.0.0.1:{ports.https}/   (it signed its certificate itself: your browser will ask){blind}

Seven things to try in a second terminal, here:
  1. curl takes a price, and says that it is curl:
       curl -k {api}
  2. Python takes a price, and says that it is Chrome:
       python3 -c "{python}"
  3. why?  Every refusal carries an id; put one of these in place of ID:
       .venv/bin/botsieve explain ID --config .run/botsieve.yaml
  4. look around in the shop with your browser; its pages report that a hand was seen (never what it typed):
       curl -s http://127.0.0.1:{ports.web}/metrics | grep human_reports
  5. the same judgement from nothing but a log:
       .venv/bin/botsieve replay .run/access.log --config .run/botsieve.yaml
  6. clients from a person to a scraper, and what becomes of each (a minute and a half):
       make attack
  7. after that: which attacks there were, who is refused for how long, and what it adds up to:
       .venv/bin/botsieve incidents list --config .run/botsieve.yaml
       .venv/bin/botsieve preventions list --config .run/botsieve.yaml
       .venv/bin/botsieve statistics --by policy --config .run/botsieve.yaml
"""


class _Stopped(Exception):
    """Somebody asked us to stop."""


def _on_signal(_number: int, _frame: object) -> None:
    raise _Stopped


def _watch(children: Children) -> int:
    """Returns when the demo cannot go on; _Stopped ends it from outside."""
    while True:
        for name in children.ended():
            if name != "service":
                print(f"{name} ended; see .run/{name}.log", file=sys.stderr)
                return MachineError.exit_code
            print(
                "The service ended.  nginx lets requests pass unjudged now: try the shop.  Ctrl-C stops the rest.", flush=True
            )
        time.sleep(0.2)


def main() -> int:
    """Runs the demo in `.run` of the current folder; the exit code is that of docs/names.md."""
    run = Path.cwd() / ".run"
    children, stack = Children(run), contextlib.ExitStack()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    try:
        find_nginx()
        ports = choose_ports()
        plain = stack.enter_context(plainly_named(run))
        start_all(plain, ports, children)
        (run / "ports").write_text(f"{ports.http} {ports.https}\n")
        print(greeting(ports, lua=lua_modules() is not None), flush=True)
        return _watch(children)
    except _Stopped:
        print("stopping")
        return 0
    except BotsieveError as error:
        print(f"make run: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        children.stop()
        stack.close()


if __name__ == "__main__":
    sys.exit(main())
