"""Traps: lines that a protected location no longer inherits, of the operator or of Botsieve.

Law of the file: nginx inherits the lines of one name together, or, where the location has one of that name, none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from botsieve.edge.check.site import CHECK_PATH, PASSES, Finding, Scope, Site
from botsieve.edge.check.tree import Directive

_ACCESS = ("access_by_lua_block", "access_by_lua", "access_by_lua_file")
_FILTER = ("header_filter_by_lua_block", "header_filter_by_lua", "header_filter_by_lua_file")
_NAMED = {
    "add_header": "the answers of `{}` lack {}",
    "proxy_set_header": "the application of `{}` does not hear {}",
}
_AT_MOST = 10
_CORS = "access-control-allow-origin"
_MODULES = re.compile(r"""\brequire\s*\(?\s*["']([^"'\n]{1,200})["']""")
# What ends the block: nginx.exit and its like, or a bouncer's verdict.
_ENDS = re.compile(r"\bngx\.(exit|redirect|exec)\b|[.:]Allow\s*\(")


def lost_headers(site: Site) -> Iterator[Finding]:
    """An own add_header or proxy_set_header in a protected location drops those of outside."""
    for location in site.protected:
        for directive, happens in _NAMED.items():
            own = location.own_of(directive)
            if not own or location.parent is None or location.value(f"{directive}_inherit") == "merge":
                continue
            if directive == "proxy_set_header" and not any(name in location.own for name in PASSES):
                continue
            kept = {one.args[0].lower() for one in own if one.args}
            outer = [one for one in location.parent.effective(directive) if one.args and one.args[0].lower() not in kept]
            if outer:
                names = ", ".join(one.args[0] for one in outer[:_AT_MOST])
                yield Finding(
                    *own[0].shown,
                    f"{directive}_lost",
                    happens.format(location.label, names) + f" of {outer[0].shown[0]}:{outer[0].shown[1]}: "
                    f"a location inherits {directive} lines only if it has none",
                    f"the {directive} lines for {names} here too",
                )


def lost_cors(site: Site) -> Iterator[Finding]:
    """Our refusal is shown in a location of the server's: it has the add_header lines of the server, and only those with always."""
    for location in site.protected:
        allowed = [one for one in location.effective("add_header") if _allows_origin(one)]
        server = next((scope for scope in location.outwards() if scope.kind == "server"), None)
        if not allowed or server is None:
            continue
        if not any(_allows_origin(one) and one.args[-1] == "always" for one in server.effective("add_header")):
            yield Finding(
                *allowed[0].shown,
                "cors_lost",
                f"a page of another host whose call to `{location.label}` is refused hears of a network error, without our code "
                "and id: our answer has the add_header lines of the server, and only those with always",
                "the Access-Control lines in the server, each with `always` (nginx/examples/other-origin.conf)",
            )


def _allows_origin(one: Directive) -> bool:
    return bool(one.args) and one.args[0].lower() == _CORS


def lost_login(site: Site) -> Iterator[Finding]:
    """protect.conf takes the place of another auth_request, or another auth_request_set that of ours."""
    for location in site.protected:
        asks = location.asks_here
        outer = location.parent.effective("auth_request") if location.parent is not None else []
        if asks is not None and outer and outer[0].args not in (("off",), (CHECK_PATH,)):
            yield Finding(
                *asks.shown,
                "login_lost",
                f"nobody is asked by `auth_request {' '.join(outer[0].args)[:100]}` of {outer[0].shown[0]}:{outer[0].shown[1]} any "
                f"more: whom we allow gets in without it",
                "protect the server in front of the one that logs in, or ask for the login in the application",
            )
        sets = location.effective("auth_request_set")
        if sets and not any(one.args[:1] == ("$botsieve_verdict",) for one in sets):
            yield Finding(
                *sets[0].shown,
                "verdict_lost",
                f"who is challenged in `{location.label}` sees nginx's bare 403 and can solve nothing: an auth_request_set of its "
                "own replaced ours",
                "`include botsieve/protect.conf;` here, above this line",
            )


def lost_lua(site: Site) -> Iterator[Finding]:
    """protect-app.conf takes the place of outer Lua, or inner Lua that of protect-app.conf."""
    for location in site.protected:
        if location.parent is None:
            continue
        for names, what in ((_ACCESS, "access_by_lua"), (_FILTER, "header_filter_by_lua")):
            own, outer = location.own_of(*names), location.parent.effective(*names)
            if not own or not outer:
                continue
            if _is_ours(own[0].lua) and not _is_ours(outer[0].lua) and not _calls(own[0].lua, outer[0].lua):
                yield Finding(
                    *own[0].shown,
                    "outer_lua_lost",
                    f"{what} of {outer[0].shown[0]}:{outer[0].shown[1]} no longer runs for visitors of `{location.label}`: "
                    f"protect-app.conf has one",
                    "`include botsieve/protect.conf;` instead, or the lines of protect-app.conf with a call of that Lua below ours",
                )
            elif _is_ours(outer[0].lua) and not _is_ours(own[0].lua):
                told = (
                    "the application of `{}` believes X-Botsieve-* headers that a visitor made up"
                    if names is _ACCESS
                    else "visitors of `{}` do not get our cookie and look new with every request"
                )
                yield Finding(
                    *own[0].shown,
                    "our_lua_lost",
                    told.format(location.label) + f": {what} of protect-app.conf does not run here",
                    f'`require("resty.botsieve.edge").{"to_app" if names is _ACCESS else "to_client"}()` as its first line',
                )


def _is_ours(lua: str) -> bool:
    return "resty.botsieve.edge" in lua


def _calls(lua: str, other: str) -> bool:
    """`lua` loads the modules that `other` loads, and `other` loads some."""
    wanted = set(_MODULES.findall(other))
    return bool(wanted) and wanted <= set(_MODULES.findall(lua))


def lua_too_late(site: Site) -> Iterator[Finding]:
    """Lua above ours in one block that ends it: ours is not reached."""
    for location in site.protected:
        one = location.tells_app
        if one is not None and _ENDS.search(one.lua.partition("to_app")[0]):
            yield Finding(
                *one.shown,
                "lua_too_late",
                f"the application of `{location.label}` believes X-Botsieve-* headers that a visitor made up: the Lua above ours "
                "ends the block",
                '`require("resty.botsieve.edge").to_app()` as its first line',
            )


def lua_too_early(site: Site) -> Iterator[Finding]:
    """access_by_lua_no_postpone makes protect-app.conf speak before there is a verdict."""
    if not any(location.tells_app for location in site.protected):
        return
    for http in site.https:
        for one in http.own_of("access_by_lua_no_postpone"):
            if one.args == ("on",):
                yield Finding(
                    *one.shown,
                    "lua_too_early",
                    "the application hears no verdict on any visitor: access_by_lua runs before we are asked",
                    "take it out, or `include botsieve/protect.conf;` in place of protect-app.conf",
                )


def lost_hello(site: Site) -> Iterator[Finding]:
    """server-tls.conf takes the place of another ssl_client_hello_by_lua."""
    names = ("ssl_client_hello_by_lua_block", "ssl_client_hello_by_lua_file")
    for server in site.servers:
        own = server.own_of(*names)
        outer = server.parent.effective(*names) if server.parent is not None else []
        if own and outer and captures(server) and "botsieve" not in outer[0].lua:
            yield Finding(
                *own[0].shown,
                "outer_lua_lost",
                f"ssl_client_hello_by_lua of {outer[0].shown[0]}:{outer[0].shown[1]} no longer runs for visitors of this server",
                'call it in a block of your own, with `require("resty.botsieve.client_hello").capture()`, in place of the include',
            )


def captures(server: Scope) -> bool:
    """The TLS fingerprint is taken in this server."""
    hello = server.effective("ssl_client_hello_by_lua_block")
    return any("resty.botsieve.client_hello" in one.lua for one in hello)
