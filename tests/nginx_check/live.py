"""Visits to started confs.

Law of the file: what a test says of a trap is what a socket heard.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import Answer, ask
from tests.nginx_check.confs import Folder, Running

BLOCK = "X-Want: block"
OURS = (403, b"page block 7k3m-9x2q-f4d1-p8wz\n")
BARE = (403, b"<html>")
APP = (200, b"app ")

both = pytest.mark.parametrize("kind", ["bad", "good"])


class Row(NamedTuple):
    """One visit: what it gets in bad/NAME.conf and in good/NAME.conf, as (status, a part of the body)."""

    name: str
    path: str
    bad: tuple[int, bytes]
    good: tuple[int, bytes] = OURS
    lines: tuple[str, ...] = (BLOCK,)
    method: str = "GET"


def visit(
    kind: str, name: str, standin: StandIn, at: Path, *visits: tuple[int, str, tuple[str, ...]], method: str = "GET"
) -> list[Answer]:
    """The answers to visits of one started conf, each (stand-in port, path, header lines)."""
    folder = Folder(at / f"{kind}-{name}", kind, name, standin.socket)
    with Running(folder):
        return [ask(folder.ports[port], path, *lines, tls=port == 8443, method=method) for port, path, lines in visits]


def visit_as(row: Row, kind: str, standin: StandIn, at: Path) -> None:
    """The answer of the trap in the bad conf, ours in the good one."""
    (answer,) = visit(kind, row.name, standin, at, (8080, row.path, row.lines), method=row.method)
    status, body = row.bad if kind == "bad" else row.good
    assert answer.status == status
    assert body in answer.body
