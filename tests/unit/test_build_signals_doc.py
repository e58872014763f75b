"""scripts/build_signals_doc.py: docs/signals.md is current, complete, and what it tells to write works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from botsieve.config.loader import loads
from botsieve.detectors import TABLE, plan
from botsieve.detectors.settings import THRESHOLDS

from tests.conftest import ROOT

SCRIPT = ROOT / "scripts" / "build_signals_doc.py"
PAGE = (ROOT / "docs" / "signals.md").read_text()


def test_the_page_is_current() -> None:
    """Who changes a detector or its settings writes the page anew."""
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], check=False)
    assert done.returncode == 0, "run: python scripts/build_signals_doc.py"


def test_a_page_that_is_not_current_is_told(tmp_path: Path) -> None:
    """The check can fail."""
    code = (
        f"import sys, pathlib; sys.path.insert(0, {str(SCRIPT.parent)!r}); sys.argv = ['x', '--check']\n"
        f"import build_signals_doc as page; page.PAGE = pathlib.Path({str(tmp_path / 'old.md')!r})\n"
        "print(page.main()); page.PAGE.write_text(page.page()); print(page.main())\n"
        "page.PAGE.write_text(page.page() + 'x'); print(page.main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0", "1"]


def test_every_finding_has_its_section() -> None:
    """In the order of the table, with everything that an operator asks."""
    assert re.findall(r"^## (\S+)$", PAGE, re.MULTILINE) == [*(detector.id for detector in TABLE), "Thresholds"]
    assert re.findall(r"^\| `(\S+)` \| \w+ \| `prevention_s`", PAGE, re.MULTILINE) == list(THRESHOLDS)
    for section in PAGE.split("\n## ")[1:-1]:
        for part in ("points, ", "Source: [", "**Looks at:**", "**Spares:**", "**Shows:**", "**Switch off:**"):
            assert part in section, section[:40]


@pytest.mark.parametrize("line", re.findall(r"\*\*Switch off:\*\* `([^`]+)`", PAGE))
def test_what_switches_a_finding_off_does(line: str) -> None:
    """The line of the page, put into a configuration, takes this one finding away."""
    (policy,) = loads(line.encode()).rulebook.policies
    (name,) = re.findall(r"\{([a-z]+\.[a-z_0-9]+):", line)
    running = plan(policy.detectors, "browser", claims_browser=True, behaviour=True, time_judged=True)
    ids = {watch.detector.id for watch in (*running.of_request, *running.of_state)}
    assert {detector.id for detector in TABLE} - ids == {name}
