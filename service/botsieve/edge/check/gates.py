"""Traps: other gates of nginx (password, addresses, `satisfy any`) beside the question to Botsieve.

Law of the file: nginx asks `allow`/`deny` first, then the password, then us, then Lua; with `satisfy any` one yes opens.
"""

from __future__ import annotations

from collections.abc import Iterator

from botsieve.edge.check.site import PAGE, Finding, Scope, Site
from botsieve.edge.check.tree import Directive

_LUA = ("access_by_lua_block", "access_by_lua", "access_by_lua_file")


def gates(site: Site) -> Iterator[Finding]:
    """Every gate beside us in a protected location."""
    for location in site.protected:
        password = _password(location)
        refusals = _refusals(location)
        satisfy = location.effective("satisfy")
        if satisfy and satisfy[-1].args == ("any",):
            others = [*password, *refusals, *location.effective(*_LUA), *location.effective("allow")]
            if others:
                yield Finding(
                    *satisfy[-1].shown,
                    "satisfy_any",
                    f"a visitor whom `{others[0].name}` lets in is never stopped by us, and whom we allow needs no `{others[0].name}`",
                    f"`satisfy all;` in `{location.label}`; addresses to be let in unjudged belong into `allowlist` of botsieve.yaml",
                )
            continue
        outer = location.parent.effective("satisfy") if location.parent is not None else []
        if satisfy and satisfy[-1].ours and outer and outer[-1].args == ("any",) and (password or refusals):
            yield Finding(
                *satisfy[-1].shown,
                "satisfy_lost",
                f"`satisfy any` of {outer[-1].shown[0]}:{outer[-1].shown[1]} no longer holds in `{location.label}`: protect-app.conf "
                "has `satisfy all`, and a visitor must pass every gate",
                "leave out here the gate that not everybody can pass",
            )
        if password:
            yield Finding(
                *password[0].shown,
                "auth_basic_first",
                "a visitor without the password is answered 401 before we are asked: guessing passwords is neither counted nor "
                "stopped",
                f"`limit_req` in `{location.label}`, or leave the password to the application",
            )
        if refusals:
            yield Finding(
                *refusals[0].shown,
                "deny_first",
                "a visitor whom `deny` refuses is not judged and not counted, and sees nginx's bare 403",
                "addresses to be refused belong into a rule of botsieve.yaml; or take the include out of "
                f"`{location.label}` if only few may come in at all",
            )


def _password(location: Scope) -> list[Directive]:
    return [one for one in location.effective("auth_basic")[:1] if one.args != ("off",)]


def _refusals(location: Scope) -> list[Directive]:
    """`deny` in force; a location that refuses everybody has nothing to protect."""
    lines = location.effective("allow", "deny")
    if all(one.args == ("all",) and one.name == "deny" for one in lines):
        return []
    return [one for one in lines if one.name == "deny"]


def page_behind_gate(site: Site) -> Iterator[Finding]:
    """Our page has the server's password or `deny`, and a protected location has not."""
    for server in site.guarded:
        page = next((one for one in server.inner if one.pattern[1] == PAGE), None)
        inside = site.protected_in(server)
        for closed in (_password, _refusals):
            lines = closed(page) if page is not None else []
            open_one = next((location for location in inside if not closed(location)), None)
            if lines and open_one is not None:
                yield Finding(
                    *lines[0].shown,
                    "page_behind_gate",
                    f"who is challenged in `{open_one.label}` is refused by this line instead of seeing our page, which is a location "
                    "of this server too",
                    f"`{lines[0].name}` in the locations that are to have it, not at the level of the server",
                )
