"""Traps: other gates of nginx (password, addresses, `satisfy any`) beside the question to Botsieve.

Law of the file: nginx asks `allow`/`deny` first, then the password, then us, then Lua; with `satisfy any` one yes opens.
"""

from __future__ import annotations

from collections.abc import Iterator

from botsieve.edge.check.site import Finding, Scope, Site
from botsieve.edge.check.tree import Directive

_LUA = ("access_by_lua_block", "access_by_lua", "access_by_lua_file")
# What to write where somebody wants `satisfy any`.
_INSTEAD = (
    "no `satisfy`, `allow` or `deny` here: a `geo` that says `off` for the addresses that need no password, and `auth_basic` with "
    "its variable (docs/coexistence.md)"
)


def gates(site: Site) -> Iterator[Finding]:
    """Every gate beside us in a protected location."""
    for location in site.protected:
        twice = _twice(location)
        if twice is not None:
            yield twice
        elif location.value("satisfy") == "any":
            yield from _opened_by_any(location)
        else:
            yield from _asked_first(location)


def _opened_by_any(location: Scope) -> Iterator[Finding]:
    """`satisfy any` in force: another gate's yes stands in for ours, and ours for its."""
    others = [*_password(location), *_refusals(location), *location.effective(*_LUA), *location.effective("allow")]
    if others:
        yield Finding(
            *location.effective("satisfy")[-1].shown,
            "satisfy_any",
            f"a visitor whom `{others[0].name}` lets in is never stopped by us, and whom we allow needs no `{others[0].name}`",
            f"`satisfy all;` in `{location.label}`; addresses to be let in unjudged belong into `allow.networks` of botsieve.yaml",
        )


def _asked_first(location: Scope) -> Iterator[Finding]:
    """Gates that refuse before we are asked, and a `satisfy any` that ours put an end to."""
    password, refusals = _password(location), _refusals(location)
    outer = _ended(location)
    if outer is not None and (password or refusals):
        yield Finding(
            *location.effective("satisfy")[-1].shown,
            "satisfy_lost",
            f"`satisfy any` of {outer.shown[0]}:{outer.shown[1]} no longer holds in `{location.label}`: protect.conf has "
            "`satisfy all`, and a visitor must pass every gate",
            _INSTEAD,
        )
    if password:
        yield Finding(
            *password[0].shown,
            "auth_basic_first",
            "a visitor without the password is answered 401 before we are asked: guessing passwords is neither counted nor stopped",
            f"`limit_req` in `{location.label}`, or leave the password to the application",
        )
    if refusals:
        yield Finding(
            *refusals[0].shown,
            "deny_first",
            "a visitor whom `deny` refuses is not judged and not counted, and sees nginx's bare 403",
            "for addresses to be refused, a rule `when: {network: ...}, then: block` of botsieve.yaml; or take the include out of "
            f"`{location.label}` if only few may come in at all",
        )


def _twice(location: Scope) -> Finding | None:
    """A `satisfy` of the user in the very scope where protect.conf has one."""
    lines = location.own_of("satisfy")
    users = [one for one in lines if not one.ours]
    if not users or len(users) == len(lines):
        return None
    return Finding(
        *users[0].shown,
        "satisfy_twice",
        "nginx refuses the whole configuration (`satisfy` is duplicate): protect.conf has `satisfy all`, because with `any` our "
        "allow would stand in for a password",
        "take this line out" if users[0].args == ("all",) else _INSTEAD,
    )


def _ended(location: Scope) -> Directive | None:
    """The outer `satisfy any` that ours put an end to."""
    holder = location.holder("satisfy")
    if holder is None or holder.parent is None or not holder.own_of("satisfy")[-1].ours:
        return None
    outer = holder.parent.effective("satisfy")
    return outer[-1] if outer and outer[-1].args == ("any",) else None


def _password(location: Scope) -> list[Directive]:
    return [one for one in location.effective("auth_basic")[:1] if one.args != ("off",)]


def _refusals(location: Scope) -> list[Directive]:
    """`deny` in force; a location that refuses everybody has nothing to protect."""
    lines = location.effective("allow", "deny")
    if all(one.args == ("all",) and one.name == "deny" for one in lines):
        return []
    return [one for one in lines if one.name == "deny"]
