"""The key of `privacy.addresses: hmac`: made once, kept in `state.dir`.

Law of the file: whoever holds the file can test which address a digest belongs to; it is 0600 and never logged.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from botsieve.errors import MachineError
from botsieve.whole_file import make_once

FILE_NAME = "address.key"
_BYTES = 32


def address_key(state_dir: str | Path) -> bytes:
    """The 32 bytes of the key; made at the first call.  Errors: MachineError when the file can be neither read nor made."""
    path = Path(state_dir) / FILE_NAME
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            make_once(path, secrets.token_bytes(_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise MachineError(f"{path}: {error.strerror}; accepted: a state.dir that this user may write") from error
    if len(key) != _BYTES:
        raise MachineError(f"{path}: {len(key)} bytes; accepted: the {_BYTES} bytes that botsieve wrote, or no file")
    return key
