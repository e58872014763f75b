"""How nginx inherits and chooses."""

from __future__ import annotations

import pytest
from botsieve.edge.check.site import MAX_TRIES, Finding, Scope, Site
from botsieve.edge.check.sources import Sources
from botsieve.edge.check.tree import read_tree


def site(inside: str) -> Site:
    text = f"http {{ add_header A 1; server {{ {inside} }} }}"
    return Site(read_tree(Sources("/m", {"/m": text})), "/m", lambda path: False)


def location(found: Scope | None) -> str:
    return found.label if found is not None else ""


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/", "location = /"),
        ("/a", "location /"),
        ("/img/a.php", "location ^~ /img/"),
        ("/x/a.php", "location ~ \\.php$"),
        ("/x/a.PHP", "location /x/"),
        ("/x/a.GIF", "location ~* \\.gif$"),
        ("/x/deep/1", "location /x/deep/"),
        ("/x/deep/1.js", "location ~ js$"),
        ("@name", "location @name"),
        ("@none", ""),
    ],
)
def test_the_location_of_a_path(path: str, wanted: str) -> None:
    """Exact, longest prefix, first pattern; inner locations too."""
    here = site(
        "location / { } location = / { } location ^~ /img/ { } location ~ \\.php$ { } location ~* \\.gif$ { } "
        "location /x/ { location /x/deep/ { location ~ js$ { } } } location @name { } location ~ '(?=php)' { }"
    )
    assert location(here.locate(here.servers[0], path)) == wanted


def test_all_or_nothing_is_inherited() -> None:
    """A location with one add_header has none of those outside; one without has all."""
    here = site("add_header B 1; location /a { add_header C 1; } location /b { if ($x) { set $y 1; } }")
    own, inherits = here.servers[0].inner
    assert [one.args[0] for one in own.effective("add_header")] == ["C"]
    assert [one.args[0] for one in inherits.inner[0].effective("add_header")] == ["B"]
    assert inherits.value("satisfy", "all") == "all"


def test_what_is_protected() -> None:
    """By the question itself, inherited or not; `off` and our own locations are not."""
    here = site(
        "auth_request /_botsieve/check; location /a { } location /b { auth_request off; } location /c { auth_request /sso; } "
        "location = /_botsieve/check { } location ^~ /x/ { proxy_pass http://botsieve; } location /d { auth_request off; "
        "location /d/e { auth_request /_botsieve/check; } }"
    )
    assert [scope.label for scope in here.protected] == ["location /a", "location /d/e"]
    assert here.guarded == here.servers


def test_tries_are_bounded() -> None:
    """Patterns are no longer tried after MAX_TRIES of them; one that RE2 does not know matches nothing."""
    here = site("")
    assert here.matches("^/A", "/a", any_case=True)
    assert not here.matches("(?=a)", "a")
    here._tries = MAX_TRIES
    assert not here.matches("^/a", "/a")


def test_lines_are_for_a_terminal() -> None:
    """No control byte of a configuration reaches the terminal."""
    assert str(Finding("/f", 7, "trap", "a\x1b[2Jü", "x\u202ey")) == "/f:7: a\\x1b[2Jü; x\\u202ey"
