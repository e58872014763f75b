"""Traps: the page goes out without our script, though an include is there to put it in.

Law of the file: only what is certain from the configuration: nginx asks the application for packed answers unless it is told not to.
"""

from __future__ import annotations

from collections.abc import Iterator

from botsieve.edge.check.site import Finding, Scope, Site
from botsieve.edge.check.tree import Directive

_LUA = ("body_filter_by_lua_block", "body_filter_by_lua", "body_filter_by_lua_file")


def packed(site: Site) -> Iterator[Finding]:
    """An include of ours in a location whose application may answer gzip."""
    for server in site.servers:
        for scope in server.everything():
            tag = _tag(scope)
            if scope.kind != "location" or tag is None or not _passes(scope) or _asks_plain(scope):
                continue
            yield Finding(
                *tag.shown,
                "inject_packed",
                f"pages of `{scope.label}` that the application packs (gzip, br) reach visitors without our script: nobody there shows a "
                "hand",
                '`proxy_set_header Accept-Encoding "";` beside your other proxy_set_header lines',
            )


def _tag(scope: Scope) -> Directive | None:
    """The line in force here that puts our script in."""
    for one in scope.effective("sub_filter"):
        if len(one.args) == 2 and "/b.js" in one.args[1] and "<script" in one.args[1]:
            return one
    return next((one for one in scope.effective(*_LUA) if "resty.botsieve.inject" in one.lua), None)


def _passes(scope: Scope) -> bool:
    return any("proxy_pass" in one.own for one in (scope, *(inner for inner in scope.inner if inner.kind == "if")))


def _asks_plain(scope: Scope) -> bool:
    lines = scope.effective("proxy_set_header")
    return any(
        len(one.args) == 2 and one.args[0].lower() == "accept-encoding" and one.args[1] in ("", "identity") for one in lines
    )
