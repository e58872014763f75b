"""What became of each client of `make attack`, computed from the decision log and from nothing else.

Law of the file: pure; lines in, rows and text out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from botsieve.decision import ALLOW, BLOCK, CHALLENGE


class Finding(msgspec.Struct, frozen=True):
    """What is read of one finding: the attack that the request is part of, "" for none."""

    attack_type: str = ""


class Entry(msgspec.Struct, frozen=True):
    """What is read of one line of docs/decision-log.md."""

    event: str
    client: str = ""
    verdict: str = ""
    reasons: list[str] = []
    signals: list[Finding] = []
    user_agent: str = ""
    ja4: str = ""


class Row(msgspec.Struct, frozen=True):
    """One client: how many requests were judged, at which of them (from 1) it was first challenged and blocked, and why;
    `attacks`: the types of incidents that its requests are part of.
    """

    name: str
    requests: int
    first_challenge: int | None
    first_block: int | None
    reasons: tuple[str, ...]
    attacks: tuple[str, ...] = ()

    @property
    def worst(self) -> str:
        """The worst verdict that it met."""
        if self.first_block is not None:
            return BLOCK
        return CHALLENGE if self.first_challenge is not None else ALLOW

    @property
    def first_stop(self) -> int | None:
        """The first request that was not let through."""
        stops = [at for at in (self.first_challenge, self.first_block) if at is not None]
        return min(stops, default=None)


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What must become of a client.

    `worst` is the worst verdict that it may and must meet; its first stop lies in `from_request`..`to_request` (from 1, both
    inclusive); each of `reasons` was given, each of `attacks` found, at least once.  `tls`: rests on the fingerprint, not
    checked where nginx has no Lua.
    """

    worst: str
    from_request: int = 1
    to_request: int = 1
    reasons: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    tls: bool = True

    def __str__(self) -> str:
        if self.worst == ALLOW:
            return "let through"
        place = str(self.to_request) if self.from_request == self.to_request else f"{self.from_request} to {self.to_request}"
        return f"{self.worst}, stopped at request {place}"

    def failure(self, row: Row) -> str | None:
        """What is not as it must be, None when everything is."""
        if not row.requests:
            return "the decision log has no request of it"
        if row.worst != self.worst:
            return f"met {row.worst}, not {self.worst}"
        if row.first_stop is not None and not self.from_request <= row.first_stop <= self.to_request:
            return f"first stopped at request {row.first_stop}, not {self.from_request} to {self.to_request}"
        missing = [reason for reason in self.reasons if reason not in row.reasons]
        missing += [attack for attack in self.attacks if attack not in row.attacks]
        return f"was never told {', '.join(missing)}" if missing else None


_DECODER = msgspec.json.Decoder(Entry)


def read_entries(lines: Iterable[bytes]) -> list[Entry]:
    """The decisions among the lines of a decision log; anything else (other events, half a line) is passed over."""
    entries = []
    for line in lines:
        try:
            entry = _DECODER.decode(line)
        except msgspec.DecodeError:
            continue
        if entry.event == "decision":
            entries.append(entry)
    return entries


def make_row(name: str, entries: Iterable[Entry], belongs: Callable[[Entry], bool]) -> Row:
    """The row of the client whose entries `belongs` picks, in the order of the log; reasons by how often they were given."""
    own = [entry for entry in entries if belongs(entry)]
    reasons = Counter(reason for entry in own for reason in entry.reasons)
    return Row(
        name=name,
        requests=len(own),
        first_challenge=_first(own, CHALLENGE),
        first_block=_first(own, BLOCK),
        reasons=tuple(reason for reason, _ in reasons.most_common()),
        attacks=tuple(sorted({signal.attack_type for entry in own for signal in entry.signals} - {""})),
    )


def _first(entries: list[Entry], verdict: str) -> int | None:
    return next((at for at, entry in enumerate(entries, 1) if entry.verdict == verdict), None)


def render(rows: Iterable[tuple[Row, str]]) -> str:
    """The table; beside each row a word on what was expected."""
    lines = [("client", "requests", "first challenge", "first block", "reasons", "expected")]
    for row, word in rows:
        reasons = ", ".join(map(_short, row.reasons[:3])) + (
            f" and {len(row.reasons) - 3} more" if len(row.reasons) > 3 else ""
        )
        lines.append((row.name, str(row.requests), _at(row.first_challenge), _at(row.first_block), reasons or "-", word))
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(_aligned(line, widths) for line in lines)


def render_attacks(rows: Iterable[Row]) -> str:
    """Who was part of which attack, a line each; "" for nobody."""
    attackers = [row for row in rows if row.attacks]
    width = max((len(row.name) for row in attackers), default=0)
    return "\n".join(f"  {row.name:<{width}}  {', '.join(row.attacks)}" for row in attackers)


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    name, requests, challenge, block, reasons, expected = line
    numbers = "  ".join(text.rjust(width) for text, width in zip((requests, challenge, block), widths[1:4], strict=True))
    return f"  {name:<{widths[0]}}  {numbers}  {reasons:<{widths[4]}}  {expected}"


def _short(reason: str) -> str:
    """The finding alone where its detail is a fingerprint: nobody reads those in a table."""
    name, _, detail = reason.partition(":")
    return name if len(detail) >= 16 else reason


def _at(number: int | None) -> str:
    if number is None:
        return "-"
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
