"""Records the ClientHello of one program, as a row of service/botsieve/data/recorded_hellos.tsv.

    python scripts/build_recorded_hellos.py --family node --name node-24 -- node -e "fetch('https://localhost:{port}/')"

It listens on a free port of this machine ({port} in the command), reads the first hello of each connection, closes, and prints
the rows; `--add` appends those that are new.  The fingerprints are computed by the tests' own parser, not by the Lua that
serves.  A program that is refused may try again with another hello: that is a row too.
"""

from __future__ import annotations

import argparse
import datetime
import socket
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "service/botsieve/data/recorded_hellos.tsv"
sys.path[:0] = [str(ROOT), str(ROOT / "service")]

from botsieve.detectors.catalogue_row import Row  # noqa: E402

from tests.lua.ja import hello_body, prints_of  # noqa: E402

MAX_HELLO = 65536
PATIENCE_S = 3.0
HTTP = {"h2": "HTTP/2.0", "h1": "HTTP/1.1", "00": "HTTP/1.1"}


def _read_hello(peer: socket.socket) -> bytes:
    """The body of the hello that this peer sends; b"" if it sends none."""
    data = b""
    peer.settimeout(PATIENCE_S)
    while len(data) < MAX_HELLO:
        try:
            more = peer.recv(MAX_HELLO)
        except OSError:
            return b""
        if not more:
            return b""
        data += more
        try:
            return hello_body(data)
        except ValueError:
            continue
    return b""


def record(command: list[str], timeout_s: float) -> list[bytes]:
    """The hellos that a command sends while it runs."""
    found: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    if body := _read_hello(peer):
                        found.append(body)

        threading.Thread(target=serve, daemon=True).start()
        words = [word.replace("{port}", str(port)) for word in command]
        subprocess.run(words, timeout=timeout_s, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return found


def main() -> None:
    """Runs the command and prints its rows."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kind", default="tool", choices=["tool", "browser"])
    options.add_argument("--family", required=True)
    options.add_argument("--name", required=True)
    options.add_argument("--add", action="store_true", help=f"append new rows to {TARGET.name}")
    options.add_argument("--timeout", type=float, default=20.0)
    options.add_argument("command", nargs="+")
    given = options.parse_args()
    known = TARGET.read_text()
    today = datetime.date.today().isoformat()
    for body in dict.fromkeys(record(given.command, given.timeout)):
        prints = prints_of(body)
        ja3 = "" if given.kind == "browser" else prints.ja3_hash
        http = HTTP.get(prints.ja4[8:10], "")
        row = Row(
            given.kind,
            given.family,
            given.name,
            ja3,
            prints.ja4,
            prints.stable,
            http,
            today,
            "recorded by scripts/build_recorded_hellos.py",
        )
        line = "\t".join(getattr(row, name) for name in Row.__struct_fields__)
        print(line)
        if given.add and f"{row.family}\t{row.name}\t{row.ja3}\t{row.ja4}" not in known:
            with TARGET.open("a") as file:
                file.write(line + "\n")
            known += line


if __name__ == "__main__":
    main()
