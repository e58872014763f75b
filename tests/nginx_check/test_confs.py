"""Every trap by a conf that has it and one that does not; all are real confs."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.edge.check import check
from botsieve.edge.check.sources import from_dump, read_conf

from tests.nginx_check.confs import BAD, GOOD, HERE, Folder, wanted


@pytest.mark.parametrize("name", BAD)
def test_a_bad_conf_is_reported_at_the_line(name: str, tmp_path: Path) -> None:
    """Exactly the marked traps, at the marked lines; nginx takes the conf (but for three that it refuses, as reported)."""
    folder = Folder(tmp_path, "bad", name)
    found = check(read_conf(str(folder.conf)), lambda path: False)
    assert [(finding.line, finding.trap) for finding in found] == wanted(name)
    assert {finding.file for finding in found} == {str(folder.conf)}
    refused = "# refused by nginx" in (HERE / "bad" / f"{name}.conf").read_text()
    done = folder.nginx("-t")
    assert (done.returncode != 0) is refused, done.stderr


@pytest.mark.parametrize("name", GOOD)
def test_a_good_conf_is_left_alone(name: str, tmp_path: Path) -> None:
    """Nothing is reported, neither from the file nor from what `nginx -T` makes of it."""
    folder = Folder(tmp_path, "good", name)
    assert [str(finding) for finding in check(read_conf(str(folder.conf)), lambda path: False)] == []
    done = folder.nginx("-T")
    assert done.returncode == 0, done.stderr
    dump = from_dump(done.stdout)
    assert dump is not None
    assert check(dump, lambda path: False) == []


def test_every_bad_conf_has_a_good_one() -> None:
    """What nginx refuses needs no counterpart."""
    refused = {name for name in BAD if "# refused by nginx" in (HERE / "bad" / f"{name}.conf").read_text()}
    assert set(BAD) - refused <= set(GOOD)
    assert refused == {"no_http", "two_http", "satisfy_twice"}
