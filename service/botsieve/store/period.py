"""The options that the commands of the store share: whom and how many, which time, in which form.

Law of the file: a time without a zone is UTC; what is not understood is a usage error that says what is accepted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import click

from botsieve.errors import InvalidObservation, MachineError
from botsieve.journal.address_key import FILE_NAME as ADDRESS_KEY
from botsieve.journal.redact import FULL, HMAC, PREFIX, Redactor
from botsieve.observation import pack_address
from botsieve.store.read import Filters

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LAST = re.compile(r"([0-9]{1,6})([smhdw])")
Command = TypeVar("Command", bound=Callable[..., Any])


def whom_options(command: Command) -> Command:
    """`--policy`, `--client`, `--limit`."""
    command = click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many.")(
        command
    )
    command = click.option("--client", metavar="ADDR", help="Of this address (in whatever form addresses are kept).")(command)
    return click.option("--policy", metavar="NAME", help="Of this policy.")(command)


def time_options(command: Command) -> Command:
    """`--since`, `--until`, `--last`."""
    command = click.option("--last", metavar="TIME", help="Only the last 90s, 30m, 24h, 7d or 4w.")(command)
    command = click.option("--until", metavar="TIME", help="Only before this time.")(command)
    return click.option(
        "--since", metavar="TIME", help="Only from this time on: 2026-11-21, 2026-11-21T10:30 (UTC), or seconds since 1970."
    )(command)


def form_options(command: Command) -> Command:
    """`--json`, `--csv`."""
    command = click.option("--csv", "as_csv", is_flag=True, help="CSV, safe to open in a spreadsheet.")(command)
    return click.option("--json", "as_json", is_flag=True, help="One JSON object.")(command)


def one_form(*, as_json: bool, as_csv: bool) -> None:
    """Errors: UsageError when both are asked for."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")


def period(since: str | None, until: str | None, last: str | None, default_last: str = "") -> tuple[float, float]:
    """The beginning and the end of what is asked for, seconds since 1970."""
    if last is not None and since is not None:
        raise click.UsageError("--last and --since exclude each other")
    end_s = _time(until, "--until") if until is not None else float("inf")
    if since is not None:
        return _time(since, "--since"), end_s
    last = last or default_last
    if not last:
        return 0.0, end_s
    match = _LAST.fullmatch(last)
    if match is None:
        raise click.BadParameter(f"{last!r}: accepted: a number and s, m, h, d or w, such as 24h", param_hint="--last")
    return time.time() - int(match.group(1)) * _SECONDS[match.group(2)], end_s


def _time(text: str, option: str) -> float:
    try:
        if text.replace(".", "", 1).isdigit():
            number = float(text)
            if not isfinite(number):
                raise ValueError(text)
            return number
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        accepted = "accepted: 2026-11-21, 2026-11-21T10:30:00 (UTC), with a zone, or seconds since 1970"
        raise click.BadParameter(f"{text!r}: {accepted}", param_hint=option) from None


def client_forms(client: str | None, state_dir: str) -> tuple[str, ...]:
    """Every form in which this client may be stored: as it is written, and as each setting of `privacy.addresses` writes an address.

    Errors: MachineError for a key of addresses that may not be read.
    """
    if client is None:
        return ()
    try:
        packed = pack_address(client)
    except InvalidObservation:
        return (client,)  # a network, or the digest of an address
    forms = [client, Redactor(FULL).address(packed), Redactor(PREFIX).address(packed)]
    key = Path(state_dir) / ADDRESS_KEY
    try:
        forms.append(Redactor(HMAC, key.read_bytes()).address(packed))
    except FileNotFoundError:
        pass  # addresses were never kept in that form
    except OSError as error:
        raise MachineError(f"{key}: {error.strerror}; accepted: root, or the user that the service runs as") from error
    return tuple(dict.fromkeys(forms))


def filters_of(
    state_dir: str, times: tuple[float, float], *, policy: str | None = None, client: str | None = None, limit: int, **more: Any
) -> Filters:
    """The filters that these options mean."""
    since_s, until_s = times
    return Filters(
        policy=policy or "", client=client_forms(client, state_dir), since_s=since_s, until_s=until_s, limit=limit, **more
    )
