"""Loads a configuration file: the one way in for `serve`, `check-config`, `replay` and tests.

Law of the file: a file gives a Loaded or one of two errors: ConfigError with every mistake, InputError when it cannot be read.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from botsieve.config.compile import build
from botsieve.config.plan import Answer
from botsieve.config.reader import packaged, read
from botsieve.config.settings import Loaded, StateSettings
from botsieve.config.yaml_tree import MAX_BYTES
from botsieve.errors import ConfigError, InputError
from botsieve.whole_file import replace_whole

DEFAULT_FILE = "/etc/botsieve/botsieve.yaml"
LAST_GOOD = "config.last-good"


def load(path: str | os.PathLike[str] | None = None) -> Loaded:
    """The configuration of a file.  `path` None: DEFAULT_FILE if it exists, else the packaged defaults.

    Errors: ConfigError (every mistake), InputError (no such file, not readable, no regular file).
    """
    source = find(path)
    return build(_judged(answer_for(source)), source)


def loads(raw: bytes, name: str = "botsieve.yaml") -> Loaded:
    """The configuration of a text, for tests and demos.  Errors: ConfigError."""
    return build(_judged(read(raw, name, os.environ)), name)


def load_or_last_good(path: str | os.PathLike[str] | None = None) -> tuple[Loaded, list[str]]:
    """For a start: the file, or when it is refused the last good text from `state.dir`; and the mistakes of the refused file.

    Errors: InputError as `load`: a file that is not there is a wrong start, not a mistake in a file.  ConfigError when there is
    no last good text, or it is refused too.
    """
    source = find(path)
    answer = answer_for(source)
    try:
        return build(_judged(answer), source), []
    except ConfigError as error:
        kept = Path(answer.state_dir or StateSettings().dir) / LAST_GOOD
        if not os.path.isfile(kept):  # not Path.is_file: who may not look into the folder has none either
            raise
        old = _answer_of(str(kept))
        if old.plan is None:
            raise ConfigError([*error.mistakes, *old.mistakes]) from None
        return build(old, source), error.mistakes


def keep_last_good(loaded: Loaded) -> None:
    """Writes the text of an applied file to `state.dir`, whole or not at all, 0600.  Errors: OSError."""
    if loaded.text:
        replace_whole(Path(loaded.service.state.dir) / LAST_GOOD, [loaded.text])


def find(path: str | os.PathLike[str] | None) -> str:
    """The file that is meant, "" for the packaged defaults."""
    if path is not None:
        return os.fspath(path)
    try:
        # Not `exists`: a link that leads nowhere is a file that cannot be read, not the absence of one.
        os.lstat(DEFAULT_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError:
        return DEFAULT_FILE
    return DEFAULT_FILE


def answer_for(source: str) -> Answer:
    """What a file says, "" for the packaged defaults.  Never raises for what a file holds or lacks."""
    return _answer_of(source) if source else packaged()


def _answer_of(source: str) -> Answer:
    try:
        raw = read_bytes(source)
    except InputError as error:
        return Answer(unreadable=str(error))
    return read(raw, source, os.environ)


def read_bytes(source: str) -> bytes:
    """The first MAX_BYTES + 1 bytes of a regular file.  Errors: InputError."""
    file = Path(source)
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InputError(f"{source} is no regular file; accepted: a YAML file, see docs/settings.md")
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{source}: there is no such file; accepted: a YAML file, see docs/settings.md") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{source} cannot be read ({why}); accepted: a YAML file, see docs/settings.md") from None


def _judged(answer: Answer) -> Answer:
    if answer.unreadable:
        raise InputError(answer.unreadable)
    if answer.plan is None:
        raise ConfigError(answer.mistakes)
    return answer
