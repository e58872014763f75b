"""What README and CONTRIBUTING tell people to type exists, and CI types the same."""

from __future__ import annotations

import re
import subprocess

from tests.conftest import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/limits.md")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_make_alone_lists_every_target_with_a_line() -> None:
    """`make` installs nothing and says what there is; each public target has one line."""
    said = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make ([a-z-]+) +\S.*$", said, re.MULTILINE)
    assert sorted(listed) == sorted(targets() - {"setup-test"})


def test_every_target_that_a_page_names_exists() -> None:
    """No page names a `make` target that is not there."""
    for page in PAGES:
        named = re.findall(r"(?:`|^ {4}|&& )make ([a-z-]+)", (ROOT / page).read_text(), re.MULTILINE)
        assert set(named) <= targets(), page


def test_every_command_that_a_page_names_exists() -> None:
    """No page names a `botsieve` command that is not there."""
    from botsieve.cli import _COMMANDS

    for page in PAGES:
        named = re.findall(r"(?:`|^ {4}|bin/)botsieve ([a-z][a-z-]+)", (ROOT / page).read_text(), re.MULTILINE)
        assert set(named) <= set(_COMMANDS), page


def test_every_page_that_a_page_links_to_exists() -> None:
    """No link inside the repository leads nowhere."""
    for page in [*PAGES, *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]:
        here = (ROOT / page).parent
        for link in re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text()):
            if "://" not in link:
                assert (here / link).exists(), f"{page}: {link}"


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """CI proves what the README tells people to type: `make test`, with nobody there to answer."""
    script = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"\bmake [a-z-]+", script.rpartition("exec")[2]) == ["make test"]
    assert "make test" in (ROOT / "README.md").read_text()
    assert "</dev/null" in script


def test_the_readme_shows_the_include_lines_that_exist() -> None:
    """The three lines of the README name files that the wheel ships."""
    named = re.findall(r"include botsieve/([a-z-]+\.conf);", (ROOT / "README.md").read_text())
    assert set(named) == {"http.conf", "server-tls.conf", "protect.conf"}
    assert all((ROOT / "nginx" / name).is_file() for name in named)
