"""The check of every shipped nginx file."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT


def test_nginx_takes_every_file_that_we_ship() -> None:
    """`nginx -t` accepts the installed includes, with Lua and without, in http, server and location, and every example."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "lint_nginx.py"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": ok\n") == 2 + len(list((ROOT / "nginx" / "examples").glob("*.conf")))
