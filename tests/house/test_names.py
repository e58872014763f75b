"""docs/names.md: what others may rely on is what the code has."""

from __future__ import annotations

import re

from botsieve.cli import _COMMANDS
from botsieve.config.loader import LAST_GOOD
from botsieve.detectors.settings import DEFAULTS, THRESHOLDS
from botsieve.edge.includes import NGINX_FILES
from botsieve.journal import address_key, control, heard, pause
from botsieve.preventions import file as preventions
from botsieve.reputation import SIGNAL
from botsieve.store import schema

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "names.md").read_text()


def listed(words: str) -> set[str]:
    """The words of `/a/folder/{one,two}`."""
    found = re.search(re.escape(words) + r"\{([^}]+)\}", PAGE)
    assert found is not None
    return set(found.group(1).split(","))


def test_every_finding_is_named() -> None:
    """By its id: findings, thresholds, lists; and no other."""
    named = set(
        re.findall(r"`((?:agent|headers|tls|claim|timing|traversal|network|surfing|human|sessions|browser)\.\w+)`", PAGE)
    )
    assert named == {*DEFAULTS, *THRESHOLDS, SIGNAL}


def test_every_command_is_named() -> None:
    """Each with what it prints; and no other."""
    table = PAGE.partition("## Commands")[2].partition("\n## ")[0]
    assert set(re.findall(r"`botsieve ([a-z-]+)", table)) == set(_COMMANDS)


def test_files_are_named() -> None:
    """What lies in `state.dir` and in nginx's folder."""
    ours = {
        address_key.FILE_NAME,
        control.SOCKET_NAME,
        heard.FILE_NAME,
        pause.FILE_NAME,
        preventions.FILE_NAME,
        schema.FILE_NAME,
    }
    assert listed("/var/lib/botsieve/") == ours | {LAST_GOOD, "keys", "lists/"}
    assert listed("/etc/nginx/botsieve/") == {name.removesuffix(".conf") for name in NGINX_FILES if name.endswith(".conf")}


def test_routes_of_the_control_socket_are_named() -> None:
    """Every path that it answers."""
    text = "".join((ROOT / "service" / "botsieve" / name).read_text() for name in ("journal/web.py", "preventions/pages.py"))
    routes = re.findall(r'\("(GET|POST)", "(/v1/[^"]+)"\)', text)
    assert len(routes) >= 9
    page = PAGE.replace(
        "{key/KEY,client/ADDR,all}", "key/ POST /v1/preventions/release/client/ POST /v1/preventions/release/all"
    )
    assert [route for route in routes if " ".join(route) not in page] == []
