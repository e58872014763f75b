"""What an operator can do about a refusal that was a mistake: the command to run, the key to set.

Law of the file: pure.  Every line can be copied as it stands: tests/unit/replay/test_remedies.py gives each to the reader of
configurations.  A letting through gets none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import msgspec

from botsieve.decision import ALLOW, Signal
from botsieve.detectors.settings import DEFAULTS, THRESHOLDS, Threshold
from botsieve.reputation import SIGNAL as LISTED

_MAX_FINDINGS = 3  # the heaviest: more would be no advice


class Remedy(msgspec.Struct, frozen=True):
    """`what` becomes of it, and what to `write`: a command, or keys of the configuration as one line of YAML."""

    what: str
    write: str


def causes(signals: Sequence[Signal], thresholds: Mapping[str, Threshold]) -> tuple[str, ...]:
    """The thresholds among the findings whose action is to block; where none has it (any more), all of them."""
    crossed = tuple(s.id for s in signals if s.id in THRESHOLDS)
    return tuple(one for one in crossed if one in thresholds and thresholds[one].action == "block") or crossed


def categories(signals: Sequence[Signal]) -> tuple[str, ...]:
    """Of the lists that the address is on."""
    return tuple(s.detail for s in signals if s.id == LISTED)


def remedies_of(
    record: Mapping[str, Any], signals: Sequence[Signal], thresholds: Mapping[str, Threshold]
) -> tuple[Remedy, ...]:
    """`record`: of a decision (docs/decision-log.md).  `thresholds`: of its policy."""
    if record.get("would_be") == ALLOW:
        return ()
    return tuple(_all(record, signals, thresholds))


def _all(record: Mapping[str, Any], signals: Sequence[Signal], thresholds: Mapping[str, Threshold]) -> Iterator[Remedy]:
    client, policy, rule = _address(record), str(record.get("policy", "default")), str(record.get("rule", ""))
    listed = categories(signals)
    if rule == "prevention" and (causes(signals, thresholds) or not listed):
        yield Remedy("end it now", f"botsieve preventions release --client {client or 'ADDRESS'}")
    if client:
        yield Remedy("let this address through, always", f"allow: {{networks: [{_quoted(client)}]}}")
    else:
        yield Remedy("let an address through, always", "allow: {networks: [203.0.113.7]}")
    if rule == "prevention":
        for category in listed:
            yield Remedy(f"tell of the list {category}, refuse nobody", "action: alarm (in its entry of `reputation`)")
        for name in causes(signals, thresholds):
            yield _of_policy("tell, refuse nobody", policy, f"{name}: {{action: alarm}}")
    elif rule.startswith("rule."):
        yield Remedy("change the rule", f"{rule[5:]} (in `rules` of policy {policy})")
    else:
        heaviest = sorted((s for s in signals if s.points > 0 and s.id in DEFAULTS), key=lambda s: -s.points)
        for signal in heaviest[:_MAX_FINDINGS]:
            yield _of_policy("leave this finding out", policy, f"{signal.id}: {{points: 0}}")
    yield Remedy("only watch, everywhere, at once", "botsieve pause")


def _of_policy(what: str, policy: str, detector: str) -> Remedy:
    return Remedy(what, f"detectors: {{{detector}}} (in policy {policy})")


def _address(record: Mapping[str, Any]) -> str:
    """The client's whole address, "" where privacy.addresses shows less."""
    try:
        return str(ip_address(str(record.get("client", ""))))
    except ValueError:
        return ""


def _quoted(address: str) -> str:
    """A colon inside [ ] is a mapping to YAML."""
    return f'"{address}"' if ":" in address else address
