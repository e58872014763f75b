"""What the tree means: http, servers and locations, what each inherits, and where Botsieve stands in it.

Law of the file: it follows nginx's rules of inheritance and of choosing a location; it finds no fault with anything.  Our parts
are known by what they do, not by their file names, so that a pasted include counts too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import re2

from botsieve.edge.check.tree import Directive
from botsieve.printable import printable

CHECK_PATH = "/_botsieve/check"
PAGE = "@botsieve_page"
UPSTREAM = "http://botsieve"
PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")
CONTENT = (*PASSES, "content_by_lua", "content_by_lua_block", "content_by_lua_file", "js_content", "perl")

_SCOPES = frozenset({"http", "server", "location", "if", "limit_except"})
# Looking for the location of a path tries patterns; beyond this many tries in one configuration nothing more is looked for.
MAX_TRIES = 100_000
# Directives of one name in one block that are looked at.
MAX_SAME = 200
_MAX_LINE = 2_000


class Finding(NamedTuple):
    """One trap.  `visitor`: what happens to a visitor; `write`: what the operator should write."""

    file: str
    line: int
    trap: str
    visitor: str
    write: str

    def __str__(self) -> str:
        return printable(f"{self.file}:{self.line}: {self.visitor}; {self.write}", _MAX_LINE)


class Scope:
    """An http, server, location, `if` or `limit_except` block.  `own`: name -> its directives of that name, in order."""

    __slots__ = ("directive", "inner", "kind", "own", "parent", "pattern")

    def __init__(self, directive: Directive, parent: Scope | None) -> None:
        self.directive = directive
        self.kind = directive.name
        self.parent = parent
        # Of a location: (modifier, path).
        self.pattern = _pattern(directive.args)
        self.own: dict[str, list[Directive]] = {}
        self.inner: list[Scope] = []
        for child in directive.children or ():
            self.own.setdefault(child.name, []).append(child)
            if child.name in _SCOPES and child.children is not None:
                self.inner.append(Scope(child, self))

    def outwards(self) -> Iterator[Scope]:
        """This scope, then those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def everything(self) -> Iterator[Scope]:
        """This scope and all inside it."""
        yield self
        for inner in self.inner:
            yield from inner.everything()

    def own_of(self, *names: str) -> list[Directive]:
        """Own directives with one of these names, the first MAX_SAME of each."""
        return [found for name in names for found in self.own.get(name, ())[:MAX_SAME]]

    def holder(self, *names: str) -> Scope | None:
        """The innermost scope, from here outwards, that has one of these directives: nginx inherits all of it or nothing."""
        return next((scope for scope in self.outwards() if any(name in scope.own for name in names)), None)

    def effective(self, *names: str) -> list[Directive]:
        """The directives in force here."""
        holder = self.holder(*names)
        return [] if holder is None else holder.own_of(*names)

    def value(self, name: str, default: str = "") -> str:
        """The first argument in force."""
        found = self.effective(name)
        return found[-1].args[0] if found and found[-1].args else default

    @property
    def place(self) -> tuple[str, int]:
        return self.directive.shown

    @property
    def label(self) -> str:
        """As the operator wrote it."""
        return " ".join((self.kind, *self.directive.args))[:120]

    @property
    def is_ours(self) -> bool:
        """A location or server of server.conf and http.conf."""
        if self.kind == "server":
            check = next((one for one in self.inner if one.pattern == ("", "/v1/check/")), None)
            return check is not None and any(
                header.args[:1] == ("X-Botsieve-Verdict",) for header in check.own_of("add_header")
            )
        path = self.pattern[1] if self.kind == "location" else ""
        passes = any(one.args and one.args[0].startswith(UPSTREAM) for one in self.own_of("proxy_pass"))
        return path.startswith(("/_botsieve/", "@botsieve_")) or passes

    @property
    def is_protected(self) -> bool:
        """Requests are judged here."""
        return self.value("auth_request") == CHECK_PATH and not self.is_ours

    @property
    def asks_here(self) -> Directive | None:
        """The `auth_request` of ours that stands in this very scope."""
        return next((one for one in self.own_of("auth_request") if one.args == (CHECK_PATH,)), None)

    @property
    def tells_app(self) -> Directive | None:
        """The Lua line of protect-app.conf in force here."""
        found = self.effective("access_by_lua_block", "access_by_lua", "access_by_lua_file")
        return next((one for one in found if "botsieve" in one.lua and "to_app" in one.lua), None)

    @property
    def answers(self) -> bool:
        """It makes content by passing the request on (static files and plain `return` are no application)."""
        return any(name in scope.own for name in CONTENT for scope in (self, *self.inner))


def _pattern(args: tuple[str, ...]) -> tuple[str, str]:
    """Of a location: (modifier, path)."""
    if len(args) >= 2:
        return args[0], args[1]
    path = args[0] if args else ""
    for modifier in ("~*", "^~", "=", "~"):
        if path.startswith(modifier):
            return modifier, path[len(modifier) :]
    return "", path


class Site:
    """The whole configuration.  `exists`: whether a file is on this machine."""

    def __init__(self, tree: list[Directive], main: str, exists: Callable[[str], bool]) -> None:
        self.main = main
        self.exists = exists
        self.https = [Scope(one, None) for one in tree if one.name == "http" and one.children is not None]
        self.scopes = [scope for http in self.https for scope in http.everything()]
        self.servers = [scope for scope in self.scopes if scope.kind == "server" and not scope.is_ours]
        self.protected = [
            scope for server in self.servers for scope in server.everything() if scope.kind == "location" and scope.is_protected
        ]
        self._guarded = {id(self.server_of(location)) for location in self.protected}
        self._tries = 0
        self._patterns: dict[tuple[str, bool], re2._Regexp | None] = {}

    def server_of(self, scope: Scope) -> Scope:
        return next(one for one in scope.outwards() if one.kind == "server")

    def is_guarded(self, server: Scope) -> bool:
        """The server has a protected location."""
        return id(server) in self._guarded

    @property
    def guarded(self) -> list[Scope]:
        return [server for server in self.servers if self.is_guarded(server)]

    @property
    def has_lua(self) -> bool:
        """Installed with Lua."""
        return any("botsieve_edge" in one.args for http in self.https for one in http.own_of("lua_shared_dict"))

    def matches(self, pattern: str, path: str, *, any_case: bool = False) -> bool:
        """nginx's own regular expressions on RE2; one that RE2 does not know matches nothing."""
        self._tries += 1
        if self._tries > MAX_TRIES:
            return False
        key = pattern, any_case
        if key not in self._patterns:
            self._patterns[key] = _compiled(pattern, any_case=any_case)
        compiled = self._patterns[key]
        return compiled is not None and compiled.search(path[:4096]) is not None

    def locate(self, server: Scope, path: str) -> Scope | None:
        """The location that nginx takes for a path (or the name of a named location)."""
        if path.startswith("@"):
            return next((one for one in server.inner if one.kind == "location" and one.pattern[1] == path), None)
        return self._locate(server, path)

    def _locate(self, scope: Scope, path: str) -> Scope | None:
        best: Scope | None = None
        longest = -1
        self._tries += len(scope.inner) // 16
        if self._tries > MAX_TRIES:
            return None
        for location in scope.inner:
            modifier, own = location.pattern
            if location.kind != "location" or own[:1] == "@":
                continue
            if modifier == "=" and own == path:
                return location
            if modifier in ("", "^~") and path.startswith(own) and len(own) > longest:
                best, longest = location, len(own)
        deeper = self._locate(best, path) if best is not None else None
        if deeper is not None and deeper.pattern[0] in ("=", "~", "~*"):
            return deeper
        if best is None or best.pattern[0] != "^~":
            for location in scope.inner:
                modifier, own = location.pattern if location.kind == "location" else ("", "")
                if modifier in ("~", "~*") and self.matches(own, path, any_case=modifier == "~*"):
                    return self._locate(location, path) or location
        return deeper or best


def _compiled(pattern: str, *, any_case: bool) -> re2._Regexp | None:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not any_case
    options.max_mem = 1 << 20
    if len(pattern) > 4096:
        return None
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None
