"""What nginx itself says its configuration is: `nginx -T`.

Law of the file: nginx is run once, in a process of its own that opens no port and ends; its configuration is not touched.
"""

from __future__ import annotations

import subprocess

from botsieve.edge.check.sources import Sources, decoded, from_dump
from botsieve.edge.machine import find_nginx
from botsieve.errors import InputError, MachineError

_PATIENCE_S = 30.0


def ask_nginx(command: str | None = None) -> Sources:
    """The files of the configuration that nginx would load.  Errors: MachineError without an nginx that we can use, InputError
    when nginx does not accept its configuration."""
    nginx = find_nginx(command).command
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            [nginx, "-T"], capture_output=True, check=False, timeout=_PATIENCE_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MachineError(f"{nginx}: cannot be run: {error}; accepted: an nginx or OpenResty of this machine") from error
    dump = from_dump(decoded(done.stdout, f"{nginx} -T"))
    if done.returncode != 0 or dump is None:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        bad = next((line for line in said if "[emerg]" in line), said[-1])
        raise InputError(
            f"`{nginx} -T` shows no configuration: {bad[:300]}; run as root, or mend that first; or give the output of `nginx -T`"
        )
    return dump
