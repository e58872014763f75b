"""Traps: somebody answers before Botsieve is asked, or takes the way that its question goes.

Law of the file: nginx runs server rewrites, location rewrites, access (here we are asked), try_files, content; what comes earlier
answers unasked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from botsieve.edge.check.pages import target_of
from botsieve.edge.check.site import CHECK_PATH, Finding, Scope, Site
from botsieve.edge.check.tree import Directive

_EVERYTHING = frozenset({"^", "^/", "/", ".*", "^.*", "^.*$", "^(.*)$", "(.*)", "^/(.*)$", "^/.*$", "^/(.*)", "^(.*)"})
_VARIABLE = re.compile(r"\$\{\w+\}|\$\w+")
_URI_TEST = re.compile(r"\(\s*\$(?:document_)?uri\s+(!?~\*?|!?=)\s+(.*?)\s*\)", re.DOTALL)
_PROTECT = "`include botsieve/protect.conf;`"


def returns_first(site: Site) -> Iterator[Finding]:
    """`return` in a protected location, or at the level of a server that protects."""
    for location in site.protected:
        for scope in _with_ifs(location):
            for one in scope.own_of("return"):
                if _is_content(site, location, scope, one):
                    yield Finding(
                        *one.shown,
                        "return_first",
                        "a visitor gets this answer without being judged: `return` comes before the question",
                        "put what is to be judged into a file or an application (`try_files`, `proxy_pass`), "
                        f"or take {_PROTECT} out of `{location.label}`",
                    )
    for server in site.guarded:
        for one in server.own_of("return"):
            yield Finding(
                *one.shown,
                "return_first",
                "every visitor of this server gets this answer, no location is reached and nobody is judged",
                "move it into the location that is to answer so",
            )
        for scope in server.inner:
            for one in scope.own_of("return") if scope.kind == "if" else ():
                if _is_content(site, server, scope, one):
                    yield Finding(
                        *one.shown,
                        "return_first",
                        "a visitor for whom this `if` is true gets this answer without being judged",
                        "move it into a location of its own, where it is plain that nobody is judged",
                    )


def _with_ifs(location: Scope) -> Iterator[Scope]:
    yield location
    yield from (inner for inner in location.inner if inner.kind == "if")


def _is_content(site: Site, location: Scope, scope: Scope, one: Directive) -> bool:
    code = int(one.args[0]) if one.args and one.args[0].isdecimal() and len(one.args[0]) <= 3 else 302
    told_to_judge = scope is location and location.asks_here is not None
    if code < 400 and scope is location:  # a fixed answer where the server is protected is meant; beside the include it is not
        return told_to_judge
    if code < 400:  # in an `if`: an empty answer or a redirect gives nothing away
        return code < 300 and len(one.args) > 1 and one.args[1] != ""
    target = target_of(scope, code)
    return target is not None and _is_open(site, location, target)


def _is_open(site: Site, location: Scope, path: str) -> bool:
    """The path leads into another location, which gives content and judges nobody."""
    server = site.server_of(location)
    found = site.locate(server, path)
    return found is not None and found is not location and not found.is_protected and not found.is_ours and found.answers


def rewrites_away(site: Site) -> Iterator[Finding]:
    """`rewrite` out of a protected location, into one where nobody is judged."""
    for location in site.protected:
        for scope in _with_ifs(location):
            for one in scope.own_of("rewrite"):
                if len(one.args) < 2 or one.args[2:] == ("break",):
                    continue
                if _redirects(one):
                    if scope is location and location.asks_here and one.args[0] in _EVERYTHING:
                        yield Finding(
                            *one.shown,
                            "rewrite_away",
                            "a visitor is redirected without being judged: `rewrite` comes before the question",
                            f"take {_PROTECT} out of `{location.label}`, where it does nothing",
                        )
                elif _is_open(site, location, _plain(one.args[1])):
                    yield Finding(
                        *one.shown,
                        "rewrite_away",
                        f"a visitor is led out of `{location.label}` before being judged, to a location that judges nobody",
                        f"{_PROTECT} in the location that answers {_plain(one.args[1])[:100]}",
                    )
    for server in site.guarded:
        for one in server.own_of("rewrite"):
            if len(one.args) > 1 and _redirects(one) and one.args[0] in _EVERYTHING:
                yield Finding(
                    *one.shown,
                    "rewrite_away",
                    "every visitor of this server is redirected, no location is reached and nobody is judged",
                    "move it into the server that is to redirect",
                )


def _redirects(one: Directive) -> bool:
    return one.args[1].startswith(("http://", "https://", "$scheme")) or one.args[2:] in (("redirect",), ("permanent",))


def _plain(path: str) -> str:
    """A path of the configuration as an example: without query, variables stand for x."""
    path = _VARIABLE.sub("x", path.partition("?")[0])
    return path if path.startswith(("/", "@")) else "/" + path


def captures_ours(site: Site) -> Iterator[Finding]:
    """A `rewrite` of the server that also catches our own paths (server rewrites run for the question too)."""
    for server in site.guarded:
        ours = [(CHECK_PATH, True)]
        ours += [(one.pattern[1] + "x", False) for one in server.inner if one.is_ours and one.pattern[0] == "^~"]
        for path, is_question in ours:
            one = _catcher(site, server, path)
            if one is None:
                continue
            happens = (
                f"the question {CHECK_PATH} is rewritten too and the application answers it: visitors see a 500, or nobody is judged"
                if is_question
                else f"{path[:-1]} is rewritten too: the challenge page lacks its script and no visitor can solve it"
            )
            yield Finding(
                *one.shown,
                "captures_ours",
                happens,
                "put it below `include botsieve/server.conf;` (TLS: server-tls.conf), or into a location: "
                "`try_files $uri /index.php?$args;`",
            )


def _catcher(site: Site, server: Scope, path: str) -> Directive | None:
    for child in server.directive.children or ():
        if child.name == "rewrite" and len(child.args) > 1:
            # A redirect under a condition hits the visitor's own request first; an unconditional one is returns_first's.
            if not _redirects(child) and site.matches(child.args[0], path):
                return child
        elif child.name == "if" and child.children and _may_hold(site, child, path):
            for inner in child.children:
                if inner.name == "break":
                    if _URI_TEST.fullmatch(" ".join(child.args)):
                        return None
                    break
                leads = inner.name == "rewrite" and len(inner.args) > 1 and not _redirects(inner)
                if leads and site.matches(inner.args[0], path):
                    return inner
    return None


def _may_hold(site: Site, condition: Directive, path: str) -> bool:
    """Whether an `if` can be true for a path of ours: a file it is not; what else is tested but the path, nobody knows."""
    text = " ".join(condition.args)[:4096]
    if re.match(r"\(\s*-[efdx]\b", text):
        return False
    tested = _URI_TEST.fullmatch(text)
    if tested is None:
        return True
    how, wanted = tested.groups()
    same = path == wanted if how.endswith("=") else site.matches(wanted, path, any_case=how.endswith("*"))
    return same is not how.startswith("!")


def open_doors(site: Site) -> Iterator[Finding]:
    """What a protected location hands on to can be asked for directly."""
    for location in site.protected:
        for one in location.own_of("try_files"):
            last = one.args[-1] if len(one.args) > 1 else "="
            # A named location cannot be asked for from outside; the judgement of the first location stands.
            if not last.startswith(("=", "@")):
                yield from _door(site, location, one, _plain(last), "try_files_open")
        if not location.answers and location.pattern[0] in ("", "^~", "=") and location.pattern[1].endswith("/"):
            for one in location.effective("index")[:1]:
                for name in one.args[:20]:
                    yield from _door(site, location, one, location.pattern[1] + _plain(name).lstrip("/"), "index_open")


def _door(site: Site, location: Scope, one: Directive, path: str, trap: str) -> Iterator[Finding]:
    if not _is_open(site, location, path):
        return
    found = site.locate(site.server_of(location), path)
    assert found is not None
    if "internal" not in found.own:
        yield Finding(
            *one.shown,
            trap,
            f"a visitor who asks for {path[:100]} directly is answered without being judged",
            f"{_PROTECT} (or `internal;`) in `{found.label}`, {found.place[0]}:{found.place[1]}",
        )


def switched_off(site: Site) -> Iterator[Finding]:
    """`auth_request off` inside what is protected, where an application answers."""
    for server in site.servers:
        for scope in server.everything():
            off = next((one for one in scope.own_of("auth_request") if one.args == ("off",)), None)
            if off is None or scope.kind != "location" or scope.is_ours or scope.parent is None:
                continue
            if scope.parent.value("auth_request") == CHECK_PATH and scope.answers:
                yield Finding(
                    *off.shown,
                    "switched_off",
                    f"nobody is judged in `{scope.label}`, though an application answers there and what is around it is protected",
                    f"{_PROTECT} in its place; where nobody may be refused, a rule `when: {{path: ...}}, then: allow` of botsieve.yaml",
                )
