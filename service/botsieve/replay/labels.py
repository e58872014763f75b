"""What is known of some clients: a table of address, User-Agent and label, to count who is caught and who is hurt.

Law of the file: labels that begin with `bot` are positive, with `human` negative, all others are only counted.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path

from botsieve.errors import InputError, InvalidObservation
from botsieve.observation import pack_address
from botsieve.replay.wording import unescape

MAX_LABELS_BYTES = 256 * 1024 * 1024
MAX_LABEL = 64
_ADDRESS_COLUMNS = ("ip", "client", "address", "remote_addr")
_AGENT_COLUMNS = ("ua", "user_agent")
_ACCEPTED = (
    "accepted: tab or comma separated, plain or .gz, with a header line that names ip and label, and ua if agents matter"
)


class Labels:
    """`of(client, agent)`: the label of an address (16 packed bytes) with a User-Agent, else that of the address, else None."""

    def __init__(self, pairs: Mapping[tuple[bytes, bytes | None], str]) -> None:
        self._pairs = pairs

    def of(self, client: bytes, agent: bytes) -> str | None:
        """A line with a User-Agent speaks of that agent only, one without of every agent of the address."""
        return self._pairs.get((client, agent)) or self._pairs.get((client, None))

    def __len__(self) -> int:
        return len(self._pairs)


def is_bot(label: str | None) -> bool:
    """Counted as positive."""
    return label is not None and label.startswith("bot")


def is_human(label: str | None) -> bool:
    """Counted as negative."""
    return label is not None and label.startswith("human")


def read_labels(name: str) -> Labels:
    """Errors: InputError for a file that cannot be read, lacks a column or holds a line that is none."""
    # Agents are a client's bytes: read as Latin-1 they come through, whatever they are.
    rows = _rows(name, _text(name))
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    address_at, agent_at = _column(header, _ADDRESS_COLUMNS), _column(header, _AGENT_COLUMNS)
    label_at = _column(header, ("label",))
    if address_at is None or label_at is None:
        raise InputError(f"{name}:1: no column ip or no column label; {_ACCEPTED}")
    pairs: dict[tuple[bytes, bytes | None], str] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        try:
            client, label = pack_address(row[address_at]), row[label_at][:MAX_LABEL]
            agent = None if agent_at is None else unescape(row[agent_at].encode("latin-1"))
        except (IndexError, InvalidObservation):
            raise InputError(f"{name}:{number}: not an address, or fewer cells than the header; {_ACCEPTED}") from None
        if label and label.isprintable():
            pairs[client, b"" if agent == b"-" else agent] = label
    return Labels(pairs)


def _text(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_LABELS_BYTES + 1)
        if data.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(data)) as unpacked:
                data = unpacked.read(MAX_LABELS_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name}: {getattr(error, 'strerror', None) or error}; {_ACCEPTED}") from None
    if len(data) > MAX_LABELS_BYTES:
        raise InputError(f"{name}: more than {MAX_LABELS_BYTES >> 20} MiB; {_ACCEPTED}")
    return data.decode("latin-1")


def _rows(name: str, text: str) -> list[list[str]]:
    lines = text.split("\n")
    if "\t" in lines[0]:
        # No quoting in tab separated files: a User-Agent may hold quotation marks.
        return [line.rstrip("\r").split("\t") if line.strip() else [] for line in lines]
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError(f"{name}: {error}; {_ACCEPTED}") from None


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)
