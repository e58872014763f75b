"""No legal request is dear: processor time beside the ordinary request's. (Operators' patterns: tests/unit/config/test_patterns.py.)"""

from __future__ import annotations

from tests.security.cost import ALL, PREPARED, measure, quiet_place

# The goal is 10 (`python -m tests.security.cost` prints the figures); a machine that others use too disturbs ratios of short times.
MOST_RATIO = 30.0


def test_no_request_is_dear() -> None:
    """The dearest legal request costs the service at most 30 times the processor time of an ordinary one."""
    costs = measure(times=60, turns=2)
    assert {cost.name for cost in costs} == ALL
    assert costs[0].ratio < MOST_RATIO, costs[:3]


def test_what_is_measured_is_not_refused() -> None:
    """The calls of our script reach the code behind every check."""
    with quiet_place() as where, where.start(), where.connect() as connection:
        statuses = {name: connection.send(make(where, 7)).reply().status for name, make in PREPARED.items()}
    assert statuses == {"Cookie of 24 damaged tokens": 200, "a human report of 256 events": 204, "a device report of 4 KB": 200}
