"""Traps: a cache gives one visitor what was meant for another, our cookie or a page for another verdict, or answers unjudged.

Law of the file: proxy_cache comes after the question, so that a stored page is judged like any other; a cache outside is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from botsieve.edge.check.seen import addresses
from botsieve.edge.check.site import Finding, Scope, Site
from botsieve.edge.check.tree import Directive

_KINDS = ("proxy", "fastcgi", "uwsgi", "scgi")
_SHARED = ("public", "s-maxage", "max-age")


def caches(site: Site) -> Iterator[Finding]:
    """proxy_cache and its like in protected locations, and lifetimes that a cache outside obeys."""
    for location in site.protected:
        for kind in _KINDS:
            store = _store(location, kind)
            if store is None:
                continue
            ignored = {arg for one in location.effective(f"{kind}_ignore_headers") for arg in one.args}
            hidden = {arg.lower() for one in location.effective(f"{kind}_hide_header") for arg in one.args}
            if "Set-Cookie" in ignored and "set-cookie" not in hidden:
                yield Finding(
                    *store.shown,
                    "stored_cookie",
                    "the first visitor's cookies are stored with the page and given to everybody: many people share one session",
                    f"`{kind}_hide_header Set-Cookie;` in `{location.label}`, or take Set-Cookie out of {kind}_ignore_headers",
                )
            key = " ".join(arg for one in location.effective(f"{kind}_cache_key") for arg in one.args)
            if location.tells_app is not None and "$botsieve_" not in key:
                yield Finding(
                    *store.shown,
                    "stored_verdict",
                    "a page that the application made for one verdict is given to visitors with another",
                    f'`{kind}_cache_key "{key or "$scheme$proxy_host$request_uri"} $botsieve_verdict";` in `{location.label}`, or '
                    "protect.conf in place of protect-app.conf",
                )
        lasting = _lasts(location)
        if location.tells_app is not None and lasting is not None:
            yield Finding(
                *lasting.shown,
                "kept_outside",
                "a cache in front of nginx may keep the page with one visitor's session cookie of ours and give it to everybody",
                f"protect.conf in place of protect-app.conf in `{location.label}`, or `Cache-Control: private`",
            )


def _store(location: Scope, kind: str) -> Directive | None:
    if not any(f"{kind}_pass" in scope.own for scope in (location, *location.inner)):
        return None
    found = location.effective(f"{kind}_cache")
    return found[-1] if found and found[-1].args != ("off",) else None


def _lasts(location: Scope) -> Directive | None:
    """A line that lets a shared cache keep the answers."""
    for one in location.effective("expires"):
        if one.args and one.args[0] not in ("off", "epoch", "0") and not one.args[0].startswith(("-", "@", "$", "modified")):
            return one
    for one in location.effective("add_header"):
        value = " ".join(one.args[1:]).lower() if one.args and one.args[0].lower() == "cache-control" else ""
        if any(word in value for word in _SHARED) and not any(word in value for word in ("private", "no-store", "max-age=0")):
            return one
    return None


def cache_in_front(site: Site) -> Iterator[Finding]:
    """A server of this nginx stores what a protected server of this nginx answers."""
    guarded = {address for server in site.guarded for address, _ in addresses(server)}
    for server in site.servers:
        for scope in server.everything():
            for one in scope.own_of("proxy_pass"):
                target = one.args[0].removeprefix("http://").removeprefix("https://").partition("/")[0] if one.args else ""
                store = _store(scope, "proxy")
                if target in guarded and store is not None and not scope.is_protected:
                    yield Finding(
                        *store.shown,
                        "cache_in_front",
                        f"a visitor gets stored pages of the protected server on {target} without being judged",
                        f"`include botsieve/protect.conf;` in `{scope.label}`",
                    )
