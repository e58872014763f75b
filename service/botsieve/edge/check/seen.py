"""Traps: what the edge tells Botsieve of a visitor is missing, somebody else's, or made up by the visitor.

Law of the file: only what stands in the configuration is judged; who stands in front of nginx is guessed from nothing but the
headers that the configuration itself reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from botsieve.edge.check.inherited import captures
from botsieve.edge.check.site import CHECK_PATH, Finding, Scope, Site
from botsieve.edge.check.tree import Directive

_FORWARDED = re.compile(
    r"\$\{?(?:http_(?:x_forwarded_for|x_forwarded_proto|x_real_ip|true_client_ip|cf_connecting_ip|cf_ipcountry|fastly_client_ip"
    r"|x_azure_clientip|cloudfront_viewer_address|x_appengine_user_ip)|proxy_protocol_addr)\b"
)
_READERS = ("map", "geo", "if", "set", "limit_req_zone", "limit_conn_zone", "split_clients")
_EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})
_SIZE = re.compile(r"(\d{1,9})([kKmM]?)")
# guess: a Cookie line of an application and ours (below 1 KiB together, docs/headers.md) beside it; nginx's default is 8 KiB.
LEAST_HEADER_LINE = 4 * 1024
# docs/headers.md: an answer of the service has at most 2 KB of headers.
LEAST_ANSWER = 4 * 1024
_REAL_IP = "`set_real_ip_from` with the ranges of whoever stands in front, and `real_ip_header`"


def addresses(server: Scope) -> list[tuple[str, tuple[str, ...]]]:
    """Of each `listen` line: (address:port, the other words)."""
    lines = [one.args for one in server.own_of("listen") if one.args] or [("80",)]
    return [(_address(args[0]), args[1:]) for args in lines]


def _address(text: str) -> str:
    if text.isdecimal():
        text = f"*:{text}"
    elif not text.startswith("unix:") and not re.search(r":\d+$", text):
        text = f"{text}:80"
    for everybody in ("0.0.0.0:", "localhost:"):
        if text.startswith(everybody):
            text = ("*:" if everybody[0] == "0" else "127.0.0.1:") + text.removeprefix(everybody)
    return text


def _speaks_tls(server: Scope) -> bool:
    return any("ssl" in words for _, words in addresses(server)) or server.value("ssl") == "on"


def tls_without_include(site: Site) -> Iterator[Finding]:
    """A TLS server that does not take the fingerprint, itself protected or beside one on its listener."""
    if not site.has_lua:
        return
    with_hello = [server for server in site.servers if _speaks_tls(server) and captures(server)]
    listeners = {address for server in with_hello for address, words in addresses(server) if "ssl" in words}
    for server in site.servers:
        if not _speaks_tls(server) or captures(server):
            continue
        shared = sorted(listeners & {address for address, words in addresses(server) if "ssl" in words})
        if site.is_guarded(server):
            yield Finding(
                *server.place,
                "tls_without_include",
                "visitors of this TLS server are judged without their TLS fingerprint: a tool that poses as a browser is not "
                "found out by it",
                "`include botsieve/server-tls.conf;` in this server, in place of server.conf",
            )
        elif shared:
            yield Finding(
                *server.place,
                "tls_beside",
                f"on {shared[0]} another server takes TLS fingerprints and this one does not: from nginx 1.29.2 on a visitor of this "
                "one cannot connect, and where this is the default server the other one sees no fingerprint",
                "`include botsieve/server-tls.conf;` in this server too",
            )


def underscores(site: Site) -> Iterator[Finding]:
    """`underscores_in_headers on` where a protected location is."""
    for server in site.guarded:
        on = server.effective("underscores_in_headers")
        if on and on[-1].args == ("on",):
            yield Finding(
                *on[-1].shown,
                "underscores",
                "a visitor's own X_Real_IP or X_Botsieve_Verdict reaches the application, and many read `_` as `-`",
                "`underscores_in_headers off;` (the default), or proxy_set_header with an empty value for each such name",
            )


def hidden_visitors(site: Site) -> Iterator[Finding]:
    """Somebody stands in front of nginx and every visitor has that one's address; or everybody may choose an address."""
    behind = _proxied_addresses(site)
    for server in site.guarded:
        trusted = server.effective("set_real_ip_from")
        if trusted:
            yield from _trusting_everybody(server, trusted)
        else:
            yield from _counted_as_one(server, behind)


def _trusting_everybody(server: Scope, trusted: list[Directive]) -> Iterator[Finding]:
    for one in trusted:
        if one.args[:1] and one.args[0] in _EVERYBODY and server.value("real_ip_header") != "proxy_protocol":
            yield Finding(
                *one.shown,
                "trusts_everybody",
                "every visitor may claim any address, a new one with each request: addresses mean nothing, and others are blamed",
                "the ranges of your own CDN or balancer only",
            )


def _counted_as_one(server: Scope, behind: dict[str, Directive]) -> Iterator[Finding]:
    """Without set_real_ip_from: signs that somebody stands in front all the same."""
    read = _reads_forwarded(server)
    if read is not None:
        yield Finding(
            *read.shown,
            "no_real_ip",
            "this line reads what a CDN or balancer in front tells, but all visitors are counted under that one's address: one "
            "scraper gets everybody challenged",
            f"{_REAL_IP} at http level",
        )
    for address, words in addresses(server):
        if "proxy_protocol" in words:
            yield Finding(
                *server.place,
                "no_real_ip",
                f"{address} hears the visitor's address by proxy_protocol, but all are counted under the balancer's: one scraper "
                "gets everybody challenged",
                "`set_real_ip_from` with the balancer's addresses and `real_ip_header proxy_protocol;`",
            )
        if address in behind:
            yield Finding(
                *behind[address].shown,
                "no_real_ip",
                f"this line sends visitors to the protected server on {address}, where all have the address of this nginx: one "
                "scraper gets everybody challenged",
                "`include botsieve/protect.conf;` here instead, or `set_real_ip_from` and `real_ip_header` there",
            )


def _proxied_addresses(site: Site) -> dict[str, Directive]:
    """Address -> the proxy_pass of an unprotected location that leads there."""
    found: dict[str, Directive] = {}
    for server in site.servers:
        for scope in server.everything():
            for one in scope.own_of("proxy_pass"):
                target = re.match(r"https?://([^/$]+)", one.args[0]) if one.args else None
                if target and not scope.is_protected and not scope.is_ours:
                    found.setdefault(_address(target.group(1)), one)
    return found


def _reads_forwarded(server: Scope) -> Directive | None:
    """A line of http, or of this server and what is in it, that makes something of a forwarded header."""
    scopes = [*(one for one in server.outwards() if one is not server), *server.everything()]
    for scope in scopes:
        if scope.is_ours:
            continue
        lines = [*scope.own_of(*_READERS), *scope.own_of("proxy_set_header")]
        for one in lines:
            if not one.ours and any(_FORWARDED.search(arg[:4096]) for arg in one.args):
                return one
    return None


def small_buffers(site: Site) -> Iterator[Finding]:
    """Header buffers that our cookie or our answer does not fit in."""
    for server in site.guarded:
        for name in ("large_client_header_buffers", "http2_max_field_size"):
            for one in server.effective(name)[-1:]:
                if one.args and 0 < _bytes(one.args[-1]) < LEAST_HEADER_LINE:
                    yield Finding(
                        *one.shown,
                        "small_buffers",
                        "a visitor whose Cookie line grows by our cookies is answered 400 Request Header Or Cookie Too Large",
                        f"`{name} {'4 8k' if len(one.args) == 2 else '8k'};`",
                    )
        for location in server.inner:
            if location.kind == "location" and location.pattern[1] == CHECK_PATH:
                for one in location.effective("proxy_buffer_size"):
                    if one.args and 0 < _bytes(one.args[0]) < LEAST_ANSWER:
                        yield Finding(
                            *one.shown,
                            "small_buffers",
                            "an answer of the service with long headers does not fit: the visitor is let through unjudged, or sees a 500",
                            f"`proxy_buffer_size 8k;` in `{location.label}`",
                        )


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text)
    return int(found.group(1)) * {"": 1, "k": 1024, "m": 1024 * 1024}[found.group(2).lower()] if found else 0


def lua_path(site: Site) -> Iterator[Finding]:
    """A lua_package_path that ends the default one, and our files are not on it."""
    if not site.has_lua:
        return
    for http in site.https:
        for one in http.own_of("lua_package_path"):
            patterns = [part for part in (one.args[0] if one.args else "")[:4096].split(";") if part]
            hidden = ";;" not in ";" + (one.args[0] if one.args else "")
            if hidden and not _finds(site, patterns[:20]):
                yield Finding(
                    *one.shown,
                    "lua_path",
                    "nginx does not start, or Lua does not find our files: visitors have no TLS fingerprint and unjudged requests are not "
                    "counted",
                    f'`lua_package_path "{";".join(patterns)[:200]};;";` (`;;` is the default path)',
                )


def _finds(site: Site, patterns: list[str]) -> bool:
    """Our files and those of the Lua module itself lie on this path of this machine."""
    return all(any(site.exists(part.replace("?", f"resty/{name}")) for part in patterns) for name in ("core", "botsieve/edge"))
