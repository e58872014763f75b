"""The load generator and the processes that are measured: wrk, pinned or not, and what each process spent.

Law of the file: loopback only, every run bounded in time, every process stopped by its pid.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from botsieve.demo.clients import CHROME

CONNECTIONS = 32
# What a page's own fetch() sends, with the headers of a shop's visitor.
HEADERS = {
    "sec-ch-ua": '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Windows"',
    "user-agent": CHROME,
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "upgrade-insecure-requests": "1",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-user": "?1",
    "sec-fetch-dest": "document",
    "referer": "https://shop.example/items?page=3",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-US,en;q=0.9",
    "cookie": "theme=dark; cart=9f3c2a71be04; _ga=GA1.1.1234567890.1700000000",
}
# An item for each client, in Lua.
ITEM = '"/items/" .. (n * 7919 % 100000)'
# Requests are made before the run: 8,000 clients, a path each.  They come in random order: in turn, each would be a metronome.
SCRIPT = """
local made = {{}}
function init()
    for n = 1, 8000 do
        local address = string.format("11.%d.%d.%d", n % 200, math.floor(n / 200), n % 250 + 1)
        wrk.headers["{address}"] = address
        {each}
        made[n] = wrk.format("GET", {target})
    end
end
function request() return made[math.random(8000)] end
"""


def script(folder: Path, *, address: str, target: str, each: str = "", headers: dict[str, str] | None = None) -> Path:
    """A wrk script: each request has a client's address in the header `address`.

    `target`: Lua, the path of client `n`.  `each`: Lua that runs for each client.
    """
    lines = [f"wrk.headers[{name!r}] = {value!r}" for name, value in {**HEADERS, **(headers or {})}.items()]
    file = folder / "load.lua"
    file.write_text("\n".join(lines) + SCRIPT.format(address=address, target=target, each=each))
    return file


def pinned(command: list[str], core: int | None) -> list[str]:
    """The command on one core, or wherever the system puts it."""
    return command if core is None else ["taskset", "-c", str(core), *command]


def wrk(url: str, lua: Path, *, seconds: float, core: int | None) -> float:
    """Requests a second.  AssertionError when wrk is missing or an answer was not 2xx or 3xx."""
    assert shutil.which("wrk"), "wrk is not installed (Debian: apt-get install wrk)"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-s", str(lua), url]
    done = subprocess.run(pinned(command, core), capture_output=True, text=True, timeout=seconds + 30, check=False)
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert "Non-2xx" not in done.stdout, done.stdout
    assert "Socket errors" not in done.stdout, done.stdout
    return float(found.group(1))


def free_port() -> int:
    """A free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], core: int | None, *, port: int | None = None, unix: Path | None = None) -> Iterator[int]:
    """A process, from when it accepts connections on `port` or `unix` until the end of the block; its pid."""
    process = subprocess.Popen(pinned(command, core), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 15
        while not _accepts(port, unix):
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise AssertionError(
                    f"{command} does not answer: {process.stderr.read().decode()[-2000:] if process.stderr else ''}"
                )
            time.sleep(0.02)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(6)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _accepts(port: int | None, unix: Path | None) -> bool:
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as probe:
        return probe.connect_ex(str(unix) if unix else ("127.0.0.1", port or 0)) == 0


def cpu_s(pid: int) -> float:
    """Seconds of processor time of a process and its children that are alive."""
    total = 0.0
    for one in [pid, *_children(pid)]:
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def service_command(folder: Path, listen: str, web: int, name: str = "service") -> list[str]:
    """`botsieve serve` with a configuration for measuring: audience `browser`, monitor, the log as packaged but to a file.

    `web`: the port of its metrics.
    """
    state = folder / f"{name}-state"
    state.mkdir(exist_ok=True)
    config = folder / f"{name}.yaml"
    trusted = "[127.0.0.1]" if not listen.startswith("unix:") else "[]"
    config.write_text(
        "policies: [{name: all, audience: browser}]\n"
        f'edges: {{nginx: {{listen: "{listen}", trusted: {trusted}, socket_group: {_group()}}}}}\n'
        f'state: {{dir: "{state}"}}\nchallenge: {{keys_file: "{state}/keys"}}\n'
        f'journal: {{decisions: {{to: "{folder}/{name}.log"}}}}\nweb: {{listen: "127.0.0.1:{web}"}}\n'
    )
    return [sys.executable, "-m", "botsieve", "serve", "--config", str(config)]


def judged(web: int) -> int:
    """How many decisions the service has made, by its metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("botsieve_decisions_total{"))


def _group() -> str:
    import grp

    return grp.getgrgid(os.getegid()).gr_name
