"""What an operator is told to do about a refusal that was a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botsieve.config.loader import load
from botsieve.detectors.settings import DEFAULTS, THRESHOLDS
from botsieve.policy import Policy
from botsieve.replay.explain import explain_record
from botsieve.replay.explain_text import explain_lines, explain_object

from tests.unit.replay.test_explain import CURL, TIMER, record

LISTED = {"id": "network.reputation", "points": 0, "detail": "spam", "subject": "address"}
RAPID = {"id": "surfing.rapid", "points": 0, "measures": {"pages": [45, 30]}, "attack_type": "Bot Detected"}


def written(found: dict[str, Any], policy: Policy | None = None) -> list[str]:
    """What there is to write."""
    return [remedy.write for remedy in explain_record(found, policy or Policy(), "").remedies]


def test_a_listed_address_is_no_prevention() -> None:
    """A block by a list of `reputation` was called a prevention, which nobody could find or release."""
    found = record(35, [LISTED], "block", "prevention", client="203.0.113.9", policy="site")
    explanation = explain_record(found, Policy())
    assert explanation.notes[0].startswith("The client's address is on a list of `reputation` (category spam)")
    assert not any("release" in line for line in written(found))
    assert "allow: {networks: [203.0.113.9]}" in written(found)


def test_a_prevention_is_named_and_released() -> None:
    """Which threshold, and the command that ends it."""
    found = record(45, [RAPID], "block", "prevention", client="203.0.113.9", policy="site")
    assert "(surfing.rapid)" in explain_record(found, Policy()).notes[0]
    assert written(found)[0] == "botsieve preventions release --client 203.0.113.9"
    assert "detectors: {surfing.rapid: {action: alarm}} (in policy site)" in written(found)


def test_a_prevention_beside_a_list() -> None:
    """Both may have settled it: both are said."""
    found = record(45, [RAPID, LISTED], "block", "prevention", client="203.0.113.9", policy="site")
    note = explain_record(found, Policy()).notes[0]
    assert "surfing.rapid" in note
    assert "category spam" in note
    assert "action: alarm (in its entry of `reputation`)" in written(found)


def test_a_prevention_of_another_session() -> None:
    """Nothing was crossed by this one: it is said where it came from, and can still be released."""
    found = record(0, [], "block", "prevention", client="203.0.113.9")
    assert "another session of the client, or by its network" in explain_record(found, Policy()).notes[0]
    assert written(found)[0].startswith("botsieve preventions release")


@pytest.mark.parametrize("rule", ["threshold.challenge", "prevention", "rule.one"])
@pytest.mark.parametrize("client", ["203.0.113.0/24", "0123456789abcdef", ""])
def test_hidden_addresses_are_not_made_up(rule: str, client: str) -> None:
    """Where the log shows less than the address, nothing pretends to be it."""
    lines = written(record(75, [CURL, TIMER], "challenge", rule, client=client))
    assert not client or not any(client in line for line in lines)


def test_a_rule_is_named() -> None:
    """The operator's own rule is where to look."""
    assert "one (in `rules` of policy shop)" in written(record(75, [CURL], "block", "rule.one", policy="shop"))


def test_who_was_let_through_needs_no_remedy() -> None:
    """No remedy, and no heading for it."""
    explanation = explain_record(record(40, [CURL]), Policy())
    assert explanation.remedies == ()
    assert not any("mistake" in line for line in explain_lines(explanation))


@pytest.mark.parametrize("finding", [*DEFAULTS, *THRESHOLDS])
def test_what_is_advised_is_accepted(finding: str, tmp_path: Path) -> None:
    """Each key that is advised is one that a configuration may hold, under the policy that is named."""
    by = "prevention" if finding in THRESHOLDS else "threshold.block"
    points = 0 if finding in THRESHOLDS else 90
    advised = written(record(points, [{"id": finding, "points": points}], "block", by, policy="shop", client="2001:db8::7"))
    key = next(line.removesuffix(" (in policy shop)") for line in advised if line.startswith("detectors:"))
    networks = next(line for line in advised if line.startswith("allow:"))
    file = tmp_path / "botsieve.yaml"
    file.write_text(f"policies:\n  - name: shop\n    {key}\n{networks}\n")
    loaded = load(str(file))
    policy = loaded.rulebook.policies[0]
    if finding in THRESHOLDS:
        assert policy.thresholds[finding].action == "alarm"
    else:
        assert policy.detectors[finding].points == 0
    assert networks == 'allow: {networks: ["2001:db8::7"]}'


def test_both_forms_show_them() -> None:
    """As text, one a line; as JSON, `what` and `write`."""
    explanation = explain_record(record(75, [CURL, TIMER], client="203.0.113.7", policy="shop"), Policy())
    assert "  only watch, everywhere, at once   botsieve pause" in list(explain_lines(explanation))
    assert {"what": "only watch, everywhere, at once", "write": "botsieve pause"} in explain_object(explanation)["remedies"]
