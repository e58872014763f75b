"""A second chance for tests that drive programs which are not ours, and a summary that names each test that needed one.

Browsers, nginx and processes on a machine that others load as well fail for reasons of their own once in some ten thousand tests; a
run that is red for one of them says nothing about the code.  What is wrong in the code fails again.
Law of the file: tests of the core (`tests/unit`, `tests/cases`, `tests/house`...) have one chance, and so has a run in which more than
`AT_MOST` tests fail: that is no accident.  `BOTSIEVE_ONCE=1` gives nobody a second one, to hunt for what fails now and then.
"""

from __future__ import annotations

import os

import pytest
from _pytest.runner import runtestprotocol
from _pytest.terminal import TerminalReporter

AT_MOST = 4
LIVE = frozenset(
    (
        "attack",
        "browser",
        "config",
        "demo",
        "faults",
        "lookups",
        "neighbours",
        "nginx",
        "nginx_check",
        "security",
        "service",
        "store",
        "transports",
    )
)
"""Folders below tests/ whose tests start programs."""

OUTCOME = "again"
_FIRST: list[pytest.TestReport] = []


def live(path: str) -> bool:
    """Whether a test of this file (relative to the clone) drives programs that are not ours."""
    parts = path.split("/")
    return len(parts) > 2 and parts[0] == "tests" and parts[1] in LIVE


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Runs one test; once more, with everything it stands on started anew, when it fails and may."""
    if not live(item.nodeid) or "BOTSIEVE_ONCE" in os.environ or len(_FIRST) >= AT_MOST:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failed = [report for report in reports if report.failed]
    if failed:
        for report in failed:
            # A word of our own in place of "failed": shown and counted, but no failure of the run.
            report.outcome = OUTCOME  # type: ignore[assignment]
        _FIRST.extend(failed[:1])
        _log(item, failed[:1])
        # Browsers and servers that tests share may be what broke: all of them are stopped, the second run starts its own.
        item.session._setupstate.teardown_exact(None)
        item._initrequest()  # type: ignore[attr-defined]
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    _log(item, reports)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _log(item: pytest.Item, reports: list[pytest.TestReport]) -> None:
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A first failure shows as `A`, and as `N again` in the last line."""
    return (OUTCOME, "A", "AGAIN") if report.outcome == OUTCOME else None


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Why each of them failed at first: whole, since it is all there is to find the cause by."""
    if _FIRST:
        terminalreporter.section("failed once, and had a second chance")
    for report in _FIRST:
        terminalreporter.write_line(f"{report.nodeid} ({report.when})")
        terminalreporter.write_line(report.longreprtext)
