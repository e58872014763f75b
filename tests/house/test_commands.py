"""What our pages tell people to type exists, and CI types the same as the README."""

from __future__ import annotations

import re
import subprocess

import click
from botsieve.cli import _root

from tests.conftest import ROOT


def pages() -> list[str]:
    """Everything that people read."""
    folders = [ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), (ROOT / "nginx").glob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in folder)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_make_alone_lists_every_target_with_a_line() -> None:
    """`make` installs nothing and says what there is; each public target has one line."""
    said = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make ([a-z-]+) +\S.*$", said, re.MULTILINE)
    assert sorted(listed) == sorted(targets() - {"setup-test"})


def test_every_target_that_a_page_names_exists() -> None:
    """No page names a `make` target that is not there."""
    for page in pages():
        named = re.findall(r"(?:`|^ {4,}|&& )(?:[A-Z_]+=\S+ )*make ([a-z-]+)", (ROOT / page).read_text(), re.MULTILINE)
        assert set(named) <= targets(), page


def commands_of(text: str) -> list[tuple[str, list[str], set[str]]]:
    """Each `botsieve ...` of a page: as it stands, its words before the first argument, and its options."""
    found = re.finditer(r"(?:`|^ {4,}|bin/|&& |\| )(botsieve ((?:[a-z][a-z-]+ ?)+)([^`\n#]*))", text, re.MULTILINE)
    return [(one[1], one[2].split(), set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", one[3].split(" | ")[0]))) for one in found]


def command_of(words: list[str]) -> click.Command:
    """The command that these words begin with.  Errors: AssertionError for a word that is none."""
    command: click.Command = _root
    for word in words:
        if not isinstance(command, click.Group):
            break
        inner = command.get_command(click.Context(command), word)
        assert inner is not None, word
        command = inner
    return command


def test_every_command_that_a_page_names_exists_with_its_options() -> None:
    """No page shows a `botsieve` command or an option of one that is not there."""
    shown = [(page, *one) for page in pages() for one in commands_of((ROOT / page).read_text())]
    assert len(shown) > 60
    for page, text, words, options in shown:
        known = {name for parameter in command_of(words).params for name in parameter.opts}
        assert options <= known | {"--help"}, f"{page}: {text}"


def test_every_module_that_a_page_runs_is_there() -> None:
    """`python -m ...` and `python scripts/...` of a page."""
    for page in pages():
        text = (ROOT / page).read_text()
        named = [one.replace(".", "/") + ".py" for one in re.findall(r"python -m ((?:tests|botsieve)\.[\w.]+\w)", text)]
        for name in [*named, *re.findall(r"python (scripts/\w+\.py)", text)]:
            assert (ROOT / name).is_file() or (ROOT / "service" / name).is_file(), f"{page}: {name}"


def test_every_page_that_a_page_links_to_exists() -> None:
    """No link inside the repository leads nowhere."""
    for page in pages():
        here = (ROOT / page).parent
        prose = re.sub(r"`[^`\n]+`", "", (ROOT / page).read_text())  # a pattern may look like a link
        for link in re.findall(r"\]\(([^)#\s]+)", prose):
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
