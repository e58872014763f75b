"""The errors that may leave a module.  A programming mistake is none of these: it raises at once as what it is.

Law of the file: a message says what is wrong, where, and what would be accepted; it holds no byte of a client.
"""

from __future__ import annotations


class BotsieveError(Exception):
    """Anything that an operator or an edge did, and can mend."""

    exit_code = 70


class InvalidObservation(BotsieveError):
    """An edge described a request in a way that cannot be judged: an edge fault, never the visitor's.

    `reason` is the name of an `ErrorReason` of the proto without its prefix (`ADDRESS_MALFORMED`, `FIELD_MISSING`,
    `FIELD_TOO_LONG`, `TOO_MANY_HEADERS`); `field` is the observation's field at fault.
    """

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


class ConfigError(BotsieveError):
    """A configuration was refused.  `mistakes` holds every mistake, one line each: `FILE:LINE: key.path: ...`."""

    exit_code = 3

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class MachineError(BotsieveError):
    """The machine does not let us: a port in use, a directory not writable, nginx or its Lua module missing."""

    exit_code = 4


class InputError(BotsieveError):
    """What was given to read cannot be read: no such log, an unknown format, a broken gzip."""

    exit_code = 5


class LookupFailed(BotsieveError):
    """Somebody outside was asked (DNS) and gave no answer that can be believed."""
