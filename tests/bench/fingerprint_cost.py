"""What the fingerprint costs a handshake: processor time of an nginx worker with and without capture.

Many short runs alternate, so that a neighbour on this machine hits both alike.

Both servers stand in one nginx with one worker and differ in nothing but the block of server-tls.conf.  A handshake is TLS 1.3
with a P-256 certificate, without resumption, and no request follows.  The kernel's own account of the worker is read (ns).
"""

from __future__ import annotations

import socket
import ssl
import sys
import tempfile
from pathlib import Path

from tests.bench.figures import Figure, alternating, show
from tests.servers import Nginx, certificate, free_port, install

GOAL_US = 50.0


def worker_s(nginx: Nginx) -> float:
    """Processor seconds that the worker has used so far."""
    (pid,) = nginx.worker_pids()
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def handshakes(port: int, n: int) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    for _ in range(n):
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost"),
        ):
            pass


def measure(*, runs: int = 60, n: int = 100) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="botsieve-bench-") as name:
        folder = Path(name)
        pem, key = certificate(folder)
        includes = install(folder / "botsieve", "--port", str(free_port()), "--socket", str(folder / "none.sock"))
        ports = {"with": free_port(), "without": free_port()}
        servers = "".join(
            f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {pem}; ssl_certificate_key {key}; ssl_protocols TLSv1.3; "
            f"include {includes}/{'server-tls' if what == 'with' else 'server'}.conf; }}"
            for what, port in ports.items()
        )
        http = f"include {includes}/http.conf; {servers}"
        with Nginx(folder, http, port=ports["with"], lua_path=includes / "lua") as nginx:

            def cost(what: str) -> float:
                before = worker_s(nginx)
                handshakes(ports[what], n)
                return (worker_s(nginx) - before) / n * 1e6

            for what in ports:
                handshakes(ports[what], 500)  # LuaJIT compiles, caches fill
            found = alternating(runs, {"with": lambda: cost("with"), "without": lambda: cost("without")})
    extra = found["with"] - found["without"]
    return [
        Figure(
            what="JA3, JA4 and stable form, of one handshake",
            measured=f"{extra:.0f} us",
            goal=f"{GOAL_US:.0f} us at most",
            reached=extra <= GOAL_US,
            how=f"nginx worker {found['with']:.0f} us with, {found['without']:.0f} us without; {n} handshakes a run, "
            f"TLS 1.3 P-256, median of {runs} alternating runs, not pinned",
        )
    ]


if __name__ == "__main__":
    import contextlib
    import os

    with contextlib.redirect_stdout(open(os.devnull, "w")):
        figures = measure(runs=5, n=100) if "--quick" in sys.argv else measure()
    show(figures)
