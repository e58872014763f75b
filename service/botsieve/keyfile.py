"""The keys file on disk, and the folder that outlives a restart.

Law of the file: made at first start, 0600, whole or not at all; what cannot be read is one clear message without a key in it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from botsieve.challenge.keys import KeyRing, new_keys_text
from botsieve.errors import MachineError
from botsieve.whole_file import make_once

_MAX_BYTES = 65_536


def read_keys(path: str, *, make: bool = True) -> KeyRing:
    """The key ring of a keys file.  `make`: write a first one if there is none.

    Errors: MachineError when it cannot be read or made; ConfigError for lines that are no keys.
    """
    file = Path(path)
    try:
        if make and not file.exists():
            make_folder(str(file.parent), "challenge.keys_file")
            make_once(file, new_keys_text(os.urandom(32)).encode("ascii"))
        with file.open("rb") as stream:
            text = stream.read(_MAX_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise MachineError(
            f"challenge.keys_file: {path}: {reason}; accepted: a file that this user may read, or make"
        ) from error
    return KeyRing.parse(text, where=path)


def open_to_others(path: str) -> list[str]:
    """A sentence if users of this machine that are neither owner nor group may read or write the keys file; none if not, or no file.

    The group may: that is how containers hand out secrets.
    """
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return []
    if not mode & (stat.S_IROTH | stat.S_IWOTH):
        return []
    return [
        f"challenge.keys_file: {path}: every user of this machine may {'write' if mode & stat.S_IWOTH else 'read'} it (mode {mode:04o}), "
        "and whoever can makes sessions and clearances of his own; better: chmod 600, and a new key (docs/challenge.md)"
    ]


def make_folder(path: str, key: str = "state.dir") -> None:
    """Makes a folder of ours, 0700, if it is not there.  Errors: MachineError, naming `key`."""
    try:
        Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(
            f"{key}: {path}: {error.strerror}; accepted: a directory that this user may make and write"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise MachineError(f"{key}: {path}: Permission denied; accepted: a directory that this user may write")
