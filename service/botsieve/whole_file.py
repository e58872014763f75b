"""Files of ours in `state.dir`: whoever reads one finds the old text or the new one, never half of either.

Law of the file: 0600 from the first moment on; a link that lies in the place of the new text is not followed; what fails leaves the
file as it was and nothing beside it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def replace_whole(path: Path, chunks: Iterable[bytes], *, lasting: bool = True) -> None:
    """Puts a new text in the place of the old one.  Errors: OSError.

    `lasting`: it is on the disk when this returns, which may take long; else the kernel writes it when it likes.
    """
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
            if lasting:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(fresh, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise


def make_once(path: Path, text: bytes) -> None:
    """Writes a first text, unless somebody was faster: then theirs stays.  Errors: OSError."""
    descriptor, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        os.unlink(fresh)
