"""Traps: one of our includes is missing, or there twice.

Law of the file: each include is known by what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from botsieve.edge.check.site import CHECK_PATH, PAGE, Finding, Scope, Site


def http_include(site: Site) -> Iterator[Finding]:
    """http.conf: none, or two."""
    upstreams = [one for http in site.https for one in http.own.get("upstream", ()) if one.args == ("botsieve",)]
    for one in upstreams[1:2]:
        yield Finding(
            *one.shown,
            "two_http",
            "nginx does not start: this is the second include of http.conf, and visitors stay with the old configuration or none",
            "take this line out",
        )
    uses = [scope for scope in site.scopes if scope.is_protected or scope.pattern[1] == CHECK_PATH]
    if uses and not upstreams:
        place = site.https[0].place
        yield Finding(
            *place,
            "no_http",
            "nginx does not start, or asks a host named `botsieve`: visitors are not judged",
            "`include botsieve/http.conf;` inside this http block, before the servers",
        )


def server_include(site: Site) -> Iterator[Finding]:
    """server.conf: none in a server that protects."""
    for location in site.protected:
        server = site.server_of(location)
        if not _holds(server, CHECK_PATH):
            asks = location.asks_here or location.effective("auth_request")[0]
            yield Finding(
                *asks.shown,
                "no_server",
                "every visitor here sees a 500, or nobody is judged, as the application answers "
                f"{CHECK_PATH}: this server has no {CHECK_PATH} of ours",
                f"`include botsieve/server.conf;` (TLS: server-tls.conf) in the server of {server.place[0]}:{server.place[1]}",
            )
        elif not _holds(server, PAGE):
            yield Finding(
                *server.place,
                "no_server",
                f"who is challenged sees a 500: this server has no {PAGE}",
                "`include botsieve/server.conf;` (TLS: server-tls.conf), whole",
            )


def _holds(server: Scope, path: str) -> bool:
    return any(one.kind == "location" and one.pattern[1] == path for one in server.inner)


def nothing_protected(site: Site) -> Iterator[Finding]:
    """No location asks us."""
    if not site.protected:
        place = site.https[0].place if site.https else (site.main, 1)
        yield Finding(
            *place,
            "nothing_protected",
            "no visitor is judged: no location includes protect.conf",
            "`include botsieve/protect.conf;` in every location to protect",
        )
