"""A certificate for the demo's https address, signed by itself: made by the openssl command, valid for a month.

Law of the file: a pair of files that is there and still valid is left alone.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from botsieve.errors import MachineError

DAYS = 30
_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def make_certificate(certificate: Path, key: Path) -> None:
    """Writes both files (PEM, the key 0600).  Errors: MachineError when openssl is missing or refuses."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise MachineError("the command openssl is missing; install it with your system's packages (package openssl)")
    if key.exists() and certificate.exists() and _is_valid(openssl, certificate):
        return
    key.touch(mode=0o600)
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(DAYS)]
    names = ["-subj", "/CN=localhost", "-addext", _NAMES, "-keyout", str(key), "-out", str(certificate)]
    made = _run([openssl, "req", "-x509", *kind, *names])
    if made.returncode:
        raise MachineError(f"openssl could not make {certificate}: {made.stderr.strip()[-300:]}")


def _is_valid(openssl: str, certificate: Path) -> bool:
    """Still valid tomorrow."""
    return _run([openssl, "x509", "-checkend", "86400", "-noout", "-in", str(certificate)]).returncode == 0


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
