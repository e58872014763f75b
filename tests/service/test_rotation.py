"""deploy/botsieve.logrotate, rotated by logrotate itself beside a running service."""

from __future__ import annotations

import getpass
import grp
import gzip
import os
import subprocess
from pathlib import Path

from tests.conftest import ROOT
from tests.servers import wait_until
from tests.service.running import CURL, Place

PACKAGED = (ROOT / "deploy" / "botsieve.logrotate").read_text()
PATH = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"  # where Debian has logrotate


def rotation_of(at: Place) -> Path:
    """The packaged file with this place's log and our own user in it: nothing else of it is changed."""
    text = PACKAGED.replace("/var/log/botsieve/decisions.log", str(at.log))
    text = text.replace("su botsieve botsieve", f"su {getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name}")
    assert text.count(str(at.log)) == text.count(f"su {getpass.getuser()} ") == 1
    file = at.folder / "rotation"
    file.write_text(text)
    file.chmod(0o644)
    return file


def systemctl_of(at: Place, pid: int) -> Path:
    """A folder with a `systemctl` that knows one unit: it notes its words, and sends USR1 to the service."""
    folder = at.folder / "bin"
    folder.mkdir(exist_ok=True)
    command = folder / "systemctl"
    command.write_text(f'#!/bin/sh\necho "$@" >> {at.folder}/asked\nkill -USR1 {pid}\n')
    command.chmod(0o755)
    return folder


def rotate(at: Place, pid: int) -> None:
    """One rotation, whether it is time for it or not."""
    done = subprocess.run(
        ["logrotate", "--force", "--state", str(at.folder / "rotated"), str(rotation_of(at))],
        env={**os.environ, "PATH": f"{systemctl_of(at, pid)}{os.pathsep}{PATH}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_line_is_lost_in_two_rotations(at: Place) -> None:
    """Each request is in one of the three files; the newest rotated one is plain (for `botsieve explain`), the older one packed."""
    with at.start() as service:
        for number in range(3):
            at.ask(f"/round/{number}", CURL)
            wait_until(lambda number=number: f"/round/{number}" in at.log.read_text(), what="the line")
            if number < 2:
                rotate(at, service.popen.pid)
                wait_until(at.log.exists, what="the new file")
    assert (at.folder / "asked").read_text() == "kill --signal=USR1 --kill-who=main botsieve.service\n" * 2
    texts = [at.log.read_text(), Path(f"{at.log}.1").read_text(), gzip.decompress(Path(f"{at.log}.2.gz").read_bytes()).decode()]
    assert [[f"/round/{number}" in text for number in range(3)] for text in texts] == [
        [False, False, True],
        [False, True, False],
        [True, False, False],
    ]
