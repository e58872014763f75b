"""Traps: the challenge or the block that Botsieve decided does not reach the visitor, or an own error page no longer does.

Law of the file: nginx takes the first error_page line that names a status, and inherits all lines or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from botsieve.edge.check.site import PAGE, Finding, Scope, Site
from botsieve.edge.check.tree import Directive

_INTERCEPTS = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc")
# What nginx itself may answer where an application makes the content: the rest comes from the application, as it is.
_OWN_OF_NGINX = frozenset({400, 408, 413, 414, 416, 429, 494, 495, 496, 497, 500, 502, 503, 504})
_BELOW = "below the include"


class ErrorPage(NamedTuple):
    """One error_page line."""

    codes: frozenset[int]
    target: str
    line: Directive


def error_pages(scope: Scope) -> list[ErrorPage]:
    """The error_page lines in force, in order."""
    pages = []
    for one in scope.effective("error_page"):
        codes = frozenset(int(arg) for arg in one.args[:-1] if arg.isdecimal() and len(arg) == 3)
        pages.append(ErrorPage(codes, one.args[-1] if one.args else "", one))
    return pages


def target_of(scope: Scope, code: int) -> str | None:
    """Where a status leads, None for nginx's own small page."""
    return next((page.target for page in error_pages(scope) if code in page.codes), None)


def swallowed(site: Site) -> Iterator[Finding]:
    """In a protected location 403 does not lead to our page, or it does and an own line for 403 is dead."""
    for location in site.protected:
        pages = error_pages(location)
        named = [page for page in pages if 403 in page.codes]
        if not named:
            place = pages[0].line.shown if pages else location.place
            yield Finding(
                *place,
                "page_lost",
                "who is challenged sees nginx's bare 403 and can solve nothing: this location's own error_page replaced ours",
                f"`error_page 403 = {PAGE};` in `{location.label}`",
            )
        elif named[0].target != PAGE:
            yield Finding(
                *named[0].line.shown,
                "page_swallowed",
                f"who is challenged or blocked gets {named[0].target[:100]} instead of our page: a person cannot solve the "
                "challenge" + (", and a bot is told 200" if any(arg.startswith("=") for arg in named[0].line.args) else ""),
                "take 403 out of this line",
            )
        elif len(named) > 1:
            yield Finding(
                *named[1].line.shown,
                "own_403_dead",
                "nobody ever sees this page for 403: the line of protect.conf comes first",
                "take 403 out of this line; who is refused by `deny` sees nginx's own page",
            )


def intercepted(site: Site) -> Iterator[Finding]:
    """`proxy_intercept_errors on` at work on the application's 403."""
    for location in site.protected:
        for kind in _INTERCEPTS:
            on = location.effective(f"{kind}_intercept_errors")
            passes = any(f"{kind}_pass" in scope.own for scope in (location, *location.inner))
            if passes and on and on[-1].args == ("on",) and target_of(location, 403) == PAGE:
                yield Finding(
                    *on[-1].shown,
                    "app_403_lost",
                    "a visitor to whom the application itself says 403 sees nginx's bare page instead of the application's",
                    f"`{kind}_intercept_errors off;` in `{location.label}`",
                )


def lost_pages(site: Site) -> Iterator[Finding]:
    """Own error pages that the location no longer inherits, because protect.conf has an error_page."""
    for location in site.protected:
        asks = location.asks_here
        if asks is None or location.parent is None or "error_page" not in location.own:
            continue
        kept = {code for page in error_pages(location) for code in page.codes}
        made_by_app = location.answers and not any(location.value(f"{kind}_intercept_errors") == "on" for kind in _INTERCEPTS)
        for page in error_pages(location.parent):
            lost = page.codes - kept
            if page.target == PAGE or not (lost & _OWN_OF_NGINX if made_by_app else lost):
                continue
            yield Finding(
                *asks.shown,
                "error_page_lost",
                f"a visitor who meets a {min(lost)} in `{location.label}` sees nginx's own page, not {page.target[:100]} of "
                f"{page.line.shown[0]}:{page.line.shown[1]}: a location inherits error_page lines only if it has none",
                f"`error_page {' '.join(page.line.args)[:200]};` here, {_BELOW}",
            )
