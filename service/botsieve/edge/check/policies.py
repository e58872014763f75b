"""Traps: a Content-Security-Policy of the server's that our challenge page has too, and under which it cannot be solved.

Law of the file: what a browser does is told from the text of the policy alone (CSP Level 3); a part that nginx fills in when it answers
is taken to allow what we need.  tests/browser/test_policies.py asks a browser the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from botsieve.edge.check.site import Finding, Scope, Site

# What the page needs, each with the directives that a browser looks for, the first that there is.
_NEEDED = (
    ("script-src", ("script-src-elem", "script-src", "default-src")),
    ("worker-src", ("worker-src", "child-src", "script-src", "default-src")),
    ("connect-src", ("connect-src", "default-src")),
)
_ANY_HOST = frozenset({"'self'", "*", "https:", "http:"})
_SANDBOX = frozenset({"allow-scripts", "allow-same-origin"})


def locked_out(site: Site) -> Iterator[Finding]:
    """Our page is shown in a location of the server's, and has the server's add_header lines that say `always`."""
    for server in site.guarded:
        for one in server.effective("add_header"):
            if len(one.args) == 3 and one.args[0].lower() == "content-security-policy" and one.args[2] == "always":
                lacks = missing(one.args[1], _names(server))
                if lacks:
                    yield Finding(
                        *one.shown,
                        "csp_locks_out",
                        f"nobody can solve a challenge: our page has this line too, and by it a browser refuses our script ({lacks})",
                        "`'self'` there, or a policy that is empty where $botsieve_verdict is challenge or block "
                        "(docs/nginx-check.md)",
                    )


def missing(value: str, names: frozenset[str] = frozenset()) -> str:
    """The directive by which a page of ours with this policy, beside its own, cannot be solved; "" if it can.

    `value`: of the header, several policies with commas.  `names`: of the server, which count as `'self'`.
    """
    return next((lacks for policy in value.split(",") if (lacks := _missing(policy, names))), "")


def _missing(policy: str, names: frozenset[str]) -> str:
    said: dict[str, list[str]] = {}
    for part in policy.lower().split(";"):
        words = part.split()
        if words:
            said.setdefault(words[0], words[1:])  # of two with one name the first counts
    if "'script'" in said.get("require-trusted-types-for", ()):
        return "require-trusted-types-for"
    if not _SANDBOX.issubset(said.get("sandbox", _SANDBOX)):
        return "sandbox"
    for what, chain in _NEEDED:
        name = next((name for name in chain if name in said), None)
        if name is not None and not _allows(said[name], names, is_script=what == "script-src"):
            return name
    return ""


def _allows(sources: list[str], names: frozenset[str], *, is_script: bool) -> bool:
    if is_script and "'strict-dynamic'" in sources:
        return False  # then a script of a page needs a nonce or a hash, wherever it comes from
    return any(one in _ANY_HOST or _is_own(one, names) for one in sources)


def _is_own(source: str, names: frozenset[str]) -> bool:
    if source.startswith("'"):
        return False
    host = source.partition("://")[2] or source
    host = host.partition("/")[0].partition(":")[0]
    return "$" in host or host in names or any(host.startswith("*.") and name.endswith(host[1:]) for name in names)


def _names(server: Scope) -> frozenset[str]:
    return frozenset(name.lower() for one in server.own_of("server_name") for name in one.args)
