"""botsieve.config.policy_models"""

from __future__ import annotations

import pytest
from botsieve.config.policy_models import SignalId, Then
from botsieve.detectors.settings import DEFAULTS, THRESHOLDS
from pydantic_core import PydanticCustomError


@pytest.mark.parametrize(
    ("then", "value"),
    [("allow", ("allow", 0)), ("challenge", ("challenge", 0)), ("block", ("block", 0)), ({"points": -20}, ("", -20))],
)
def test_a_rule_gives_a_verdict_or_points(then: object, value: tuple[str, int]) -> None:
    """The two forms of `then`."""
    assert Then().take(then) == value


@pytest.mark.parametrize("then", ["unjudged", "points", {"points": 101}, {"points": True}, {"points": 1, "x": 2}, {}, 5, None])
def test_anything_else_is_refused(then: object) -> None:
    """With both forms in the message."""
    with pytest.raises(PydanticCustomError, match="allow, challenge, block, or points"):
        Then().take(then)


def test_a_signal_is_one_of_this_version() -> None:
    """All findings and thresholds are known; a mistake in writing is told the nearest one."""
    known = [*DEFAULTS, *THRESHOLDS]
    assert [SignalId().take(signal) for signal in known] == known
    with pytest.raises(PydanticCustomError, match=r"did you mean sessions\.opening"):
        SignalId().take("sessions.openings")
