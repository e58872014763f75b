"""What nginx keeps of its throughput: unprotected, asking a constant 200, asking Botsieve; in alternating runs.

Pinned: nginx and wrk on core 0, the decider on core 1 (a constant-200 nginx, or Botsieve): what the sub-request costs nginx.
Unpinned: all on both cores: what a small machine keeps.  All three have the same http block; the app behind is nginx itself.
What counts is the share of each round, whose runs stand side by side; the machine may be slow in all of them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import msgspec
from botsieve.demo.nginx_conf import find_nginx, lua_modules

from tests.bench.figures import Figure, show
from tests.bench.load import CONNECTIONS, ITEM, cpu_s, free_port, judged, running, script, service_command, wrk
from tests.bench.undisturbed import take

# Whom against whom, and the goal.  The last pair is what asking anybody at all costs nginx (decisions/0019).
PAIRS = (("botsieve", "constant", 0.9), ("botsieve", "bare", 0.6), ("constant", "bare", 0.0))
WORDS = {"botsieve": "Botsieve", "constant": "a constant 200", "bare": "nobody"}
JUDGED_SHARE = 0.98  # wrk's rate times its seconds is not to the request
TRIES = 5
BREAKER_S = 2.5  # fail_timeout of the include, and a little

FRONT = """{modules}{user}daemon off; worker_processes 1; pid {at}/{name}.pid; error_log {at}/{name}-error.log error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;
    uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;
    keepalive_requests 100000000;
    set_real_ip_from 127.0.0.0/8;
    real_ip_header X-Demo-Address;
    upstream app {{ server unix:{at}/{name}-app.sock; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen unix:{at}/{name}-app.sock;
        location / {{ return 200 "an item of the shop\\n"; }}
    }}
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
        location / {{ {protect} proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""
CONSTANT = """{user}daemon off; worker_processes 1; pid {at}/constant.pid; error_log {at}/constant-error.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {at}/c1; proxy_temp_path {at}/c2; fastcgi_temp_path {at}/c3;
    uwsgi_temp_path {at}/c4; scgi_temp_path {at}/c5;
    server {{ listen unix:{at}/constant.sock; keepalive_requests 100000000; location / {{ return 200; }} }}
}}
"""


class Front(msgspec.Struct, frozen=True):
    """A running nginx, and the process that it asks (0: none)."""

    port: int
    nginx: int
    decider: int
    web: int = 0


def _spent(front: Front) -> tuple[float, float, float]:
    """Processor time of nginx and of the decider (s), and decisions made so far."""
    decider = cpu_s(front.decider) if front.decider else 0.0
    return cpu_s(front.nginx), decider, float(judged(front.web)) if front.web else 0.0


def user() -> str:
    return "user root;\n" if os.geteuid() == 0 else ""


def _includes(at: Path, name: str, check_socket: Path) -> Path:
    """The shipped includes, for one socket."""
    folder = at / f"{name}-includes"
    command = [
        sys.executable,
        "-m",
        "botsieve",
        "nginx",
        "install",
        "--to",
        folder,
        "--socket",
        check_socket,
        "--port",
        str(free_port()),
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def front_conf(
    at: Path, name: str, port: int, check_socket: Path | None, *, module: str = "", http: str = "", server: str = ""
) -> Path:
    """Writes the configuration of an nginx that asks the check socket, or has lines of its own in the main, http and server block."""
    protect = ""
    if check_socket is not None:
        folder = _includes(at, name, check_socket)
        http = f'lua_package_path "{folder}/lua/?.lua;;"; include {folder}/http.conf;'
        server, protect = f"include {folder}/server.conf;", f"include {folder}/protect.conf;"
    values = {"at": at, "name": name, "port": port, "http": http, "server": server, "protect": protect, "user": user()}
    file = at / f"{name}.conf"
    file.write_text(FRONT.format(modules=(lua_modules() or "") + module, **values))
    return file


@contextlib.contextmanager
def fronts(at: Path, *, front_core: int | None, decider_core: int | None) -> Iterator[dict[str, Front]]:
    """Three nginx that differ in nothing but whom they ask."""
    nginx = find_nginx()
    constant_conf = at / "constant.conf"
    constant_conf.write_text(CONSTANT.format(at=at, user=user()))
    with contextlib.ExitStack() as stack:
        enter: Callable[..., int] = lambda *args, **kwargs: stack.enter_context(running(*args, **kwargs))  # noqa: E731
        constant = enter([nginx, "-c", str(constant_conf)], decider_core, unix=at / "constant.sock")
        web = free_port()
        service = enter(service_command(at, f"unix:{at}/check.sock", web), decider_core, port=web)
        asked = {"bare": (None, 0), "constant": (at / "constant.sock", constant), "botsieve": (at / "check.sock", service)}
        found = {}
        for name, (check_socket, decider) in asked.items():
            port = free_port()
            pid = enter([nginx, "-c", str(front_conf(at, name, port, check_socket))], front_core, port=port)
            found[name] = Front(port, pid, decider, web if decider == service else 0)
        yield found


def placed(*, pin: bool, rounds: int, seconds: float) -> tuple[list[dict[str, float]], dict[str, tuple[float, float]]]:
    """Requests a second by front, for each round; and processor time a request (us) of nginx and of the decider."""
    with tempfile.TemporaryDirectory(prefix="botsieve-bench-") as folder:
        at = Path(folder)
        lua = script(at, address="X-Demo-Address", target=ITEM)
        spent = {name: [0.0, 0.0, 0.0] for name in ("bare", "constant", "botsieve")}
        unjudged: list[float] = []
        with fronts(at, front_core=0 if pin else None, decider_core=1 if pin else None) as found:

            def run(name: str) -> float:
                front = found[name]
                for _ in range(TRIES):
                    before = _spent(front)
                    rate = wrk(f"http://127.0.0.1:{front.port}", lua, seconds=seconds, core=0 if pin else None)
                    after = _spent(front)
                    if not front.web or after[2] - before[2] >= JUDGED_SHARE * rate * seconds:
                        break
                    # A neighbour held the service for more than 50 ms and the breaker opened: a run without it proves nothing.
                    unjudged.append(rate * seconds - (after[2] - before[2]))
                    time.sleep(BREAKER_S)
                else:
                    raise AssertionError(f"the breaker opened in {TRIES} runs in a row: this machine is too busy to measure")
                spent[name][0] += rate * seconds
                spent[name][1] += after[0] - before[0]
                spent[name][2] += after[1] - before[1]
                return rate

            for name in found:
                wrk(f"http://127.0.0.1:{found[name].port}", lua, seconds=1, core=0 if pin else None)
            runs = {name: (lambda name=name: run(name)) for name in found}
            taken = take(runs, (), enough=rounds, at_most=rounds)
    if unjudged:
        print(f"{len(unjudged)} runs repeated, because the breaker had opened", file=sys.stderr)
    return [one.values for one in taken.all], {
        name: (nginx / count * 1e6, decider / count * 1e6) for name, (count, nginx, decider) in spent.items()
    }


def measure(*, rounds: int = 15, seconds: float = 1) -> list[Figure]:
    """Pinned with goals, unpinned beside it."""
    figures = []
    for pin in (True, False):
        found, spent = placed(pin=pin, rounds=rounds, seconds=seconds)
        where = "nginx and wrk on core 0, decider on core 1" if pin else "not pinned"
        for name, against, goal in PAIRS:
            shares = sorted(one[name] / one[against] for one in found)
            share = median(shares)
            rates = {name: median(one[name] for one in found) for name in found[0]}
            wanted = goal if pin else 0.0
            figures.append(
                Figure(
                    what=f"nginx asking {WORDS[name]} against asking {WORDS[against]}" + ("" if pin else ", unpinned"),
                    measured=f"{share:.2f}",
                    goal=f"{wanted:.2f}" if wanted else "",
                    reached=share >= wanted if wanted else None,
                    how=f"{rates[name]:,.0f} against {rates[against]:,.0f}/s; {where}, {CONNECTIONS} connections; median share of "
                    f"{rounds} alternating rounds of {seconds:.0f} s each (from {shares[0]:.2f} to {shares[-1]:.2f}); us a request: "
                    f"nginx {spent[name][0]:.0f} against {spent[against][0]:.0f}, "
                    f"decider {spent[name][1]:.0f} against {spent[against][1]:.0f}",
                )
            )
    return figures


if __name__ == "__main__":
    show(measure(rounds=1) if "--quick" in sys.argv else measure())
