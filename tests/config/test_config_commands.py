"""botsieve.config.commands: `botsieve check-config`"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def check(*arguments: str | Path) -> tuple[int, list[str], str]:
    """Exit code, lines of stdout, stderr of the real command."""
    done = subprocess.run(
        [sys.executable, "-m", "botsieve", "check-config", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_a_right_file_says_what_it_would_do(tmp_path: Path) -> None:
    """Exit code 0; policies, modes, thresholds and listeners in a few lines."""
    file = tmp_path / "b.yaml"
    file.write_text(
        "policies:\n  - {name: api, paths: [/api/], audience: api, mode: enforce}\n  - {name: site, challenge: none}\n"
    )
    code, said, wrong = check(file)
    assert (code, wrong) == (0, "")
    assert said[0].startswith(f"{file}: no mistakes, configuration ")
    assert "  api: any host, /api/: enforce, audience api, challenge from 45, block from 80" in said
    assert "  site: any host, any path: monitor, audience mixed, block from 80" in said
    assert said[-1] == "listeners: nginx unix:/run/botsieve/check.sock, web 127.0.0.1:9482"


def test_every_mistake_is_a_line(tmp_path: Path) -> None:
    """Exit code 1, nothing but the mistakes."""
    file = tmp_path / "b.yaml"
    file.write_text("bot_at: 600\npolices: []\n")
    code, said, wrong = check(file)
    assert (code, wrong) == (1, "")
    assert [line.split(":")[1] for line in said] == ["1", "2"]
    assert said[1].startswith(f"{file}:2: polices: there is no key polices (did you mean policies?)")


def test_a_warning_is_said_and_is_no_mistake() -> None:
    """Exit code 0, the warning above what applies."""
    code, said, _ = check(ROOT / "tests" / "config" / "good" / "hidden-policy.yaml")
    assert code == 0
    assert said[0].endswith("(a warning)")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Exit code 5, one line, no traceback."""
    code, said, wrong = check(tmp_path / "none.yaml")
    assert (code, said) == (5, [])
    assert wrong.count("\n") == 1
    assert "there is no such file; accepted: " in wrong


def test_many_policies_are_said_in_few_lines(tmp_path: Path) -> None:
    """A long list is cut, and the rest is counted."""
    file = tmp_path / "b.yaml"
    paths = ", ".join(f"/{n}/" for n in range(9))
    file.write_text(
        "policies:\n" + "".join(f"  - {{name: p{n}, hosts: [h{n}.example.com], paths: [{paths}]}}\n" for n in range(40))
    )
    code, said, _ = check(file)
    assert code == 0
    assert len(said) == 24
    assert "and 21 more" in said[-2]
    assert "/0/ /1/ /2/ and 6 more" in said[2]


def test_the_example_has_no_mistakes() -> None:
    """deploy/botsieve.yaml can be copied as it is."""
    code, said, _ = check(ROOT / "deploy" / "botsieve.yaml")
    assert code == 0
    assert not any("(a warning)" in line for line in said)


def test_lists_are_checked_too(tmp_path: Path) -> None:
    """What is wrong in the files that a configuration names is said with their lines."""
    file, bad = tmp_path / "b.yaml", tmp_path / "drop.netset"
    bad.write_text("203.0.113.0/24\n203.0.113.0/33\n")
    file.write_text(f"reputation: [{{file: {bad}, category: spam}}]\ngeo: {{asn_mmdb: {tmp_path}/none}}\n")
    code, said, _ = check(file)
    assert code == 1
    assert said[0].startswith(f"{bad}:2: '203.0.113.0/33' is no network (the prefix is none from /1 to /32); accepted: ")
    assert said[1].startswith(f"{tmp_path}/none: the file cannot be read (No such file or directory); accepted: ")
    bad.write_text("203.0.113.0/24\n")
    file.write_text(f"reputation: [{{file: {bad}, category: spam}}]\n")
    assert check(file)[0] == 0
