"""The result of a replay as the JSON object of docs/replay.md.

Law of the file: scalars and small tables first, the list of clients last and written one by one: it may be long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from botsieve import __version__
from botsieve.decision import ALLOW, BLOCK, CHALLENGE
from botsieve.journal.render import second_text
from botsieve.observation import address_text
from botsieve.printable import printable
from botsieve.replay.clients import Tally
from botsieve.replay.run import Result
from botsieve.replay.totals import LabelTotal, shares_of

_encode = msgspec.json.Encoder().encode


def head_of(result: Result) -> dict[str, Any]:
    """Everything but `clients`, in the order of docs/replay.md."""
    totals, clock, shares = result.totals, result.clock, shares_of(result.totals.labels)
    return {
        "schema": 1,
        "version": __version__,
        "config": result.config,
        "files": len(result.files),
        "format": result.format,
        "lines": result.lines,
        "requests": totals.requests,
        "unreadable_lines": result.unreadable,
        "first_time": None if clock.first_s is None else second_text(clock.first_s),
        "last_time": None if clock.last_s is None else second_text(clock.last_s),
        "seconds": round(result.seconds, 3),
        "clock": clock.clock,
        "clock_resolution_s": clock.resolution_s,
        "clock_backward_lines": clock.backward,
        "timing_judged": clock.timing_judged,
        "not_seen": result.not_seen,
        "client_count": len(totals.table),
        "requests_allowed": totals.requests_by[ALLOW],
        "requests_challenged": totals.requests_by[CHALLENGE],
        "requests_blocked": totals.requests_by[BLOCK],
        "clients_allowed": totals.clients_by[ALLOW],
        "clients_challenged": totals.clients_by[CHALLENGE],
        "clients_blocked": totals.clients_by[BLOCK],
        "labelled_clients": shares.labelled_bots + shares.labelled_humans,
        **msgspec.to_builtins(shares),
        "labels": {label: _label_object(total) for label, total in sorted(totals.labels.items())},
        "reasons": {
            reason: msgspec.to_builtins(total)
            for reason, total in sorted(totals.reasons.items(), key=lambda item: (-item[1].requests, item[0]))
        },
    }


def client_object(tally: Tally) -> dict[str, Any]:
    """One line of `clients`."""
    return {
        "client": address_text(tally.client),
        "user_agent": printable(tally.agent),
        "label": tally.label,
        "requests": tally.requests,
        "worst": tally.worst,
        "allowed": tally.allowed,
        "challenged": tally.challenged,
        "blocked": tally.blocked,
        "max_score": tally.max_score,
        "first_challenge": tally.first_challenge,
        "first_block": tally.first_block,
        "first_time": second_text(tally.first_s),
        "last_time": second_text(tally.last_s),
        "reasons": dict(sorted(tally.reasons.items(), key=lambda item: (-item[1], item[0]))),
    }


def json_report(result: Result, limit: int | None = None) -> Iterator[bytes]:
    """The object in pieces; one client a line.  `limit` shortens `clients` and nothing else."""
    yield _encode(head_of(result))[:-1] + b',\n"clients": ['
    separator = b"\n"
    for tally in result.totals.table.worst_first(limit):
        yield separator + _encode(client_object(tally))
        separator = b",\n"
    yield b"]}\n"


def _label_object(total: LabelTotal) -> dict[str, int]:
    return {
        "clients": total.clients,
        "requests": total.requests,
        "allowed": total.by_verdict[ALLOW],
        "challenged": total.by_verdict[CHALLENGE],
        "blocked": total.by_verdict[BLOCK],
    }
