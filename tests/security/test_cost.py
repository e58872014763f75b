"""No legal request is dear: processor time beside the ordinary request's. (Operators' patterns: tests/unit/config/test_patterns.py.)"""

from __future__ import annotations

from tests.security.cost import DEAR, measure

# The goal is 10 (`python -m tests.security.cost` prints the figures); a machine that others use too disturbs ratios of short times.
MOST_RATIO = 30.0


def test_no_request_is_dear() -> None:
    """The dearest legal request costs the service at most 30 times the processor time of an ordinary one."""
    costs = measure(times=60, turns=2)
    assert {cost.name for cost in costs} == {"ordinary", *DEAR}
    assert costs[0].ratio < MOST_RATIO, costs[:3]
