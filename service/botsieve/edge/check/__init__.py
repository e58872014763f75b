"""What in an nginx configuration makes Botsieve not work as the operator believes.

Law of the package: the configuration is only read; a trap is reported where the operator can mend it, as what happens to a
visitor and what to write.  docs/nginx-check.md has a line for each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from botsieve.edge.check import answers, gates, inherited, inject, pages, places, policies, seen, stored
from botsieve.edge.check.site import Finding, Site
from botsieve.edge.check.sources import Sources
from botsieve.edge.check.tree import read_tree

__all__ = ["MAX_FINDINGS", "RULES", "Finding", "check"]

MAX_FINDINGS = 1_000

RULES: tuple[Callable[[Site], Iterator[Finding]], ...] = (
    places.http_include,
    places.server_include,
    places.nothing_protected,
    answers.returns_first,
    answers.rewrites_away,
    answers.captures_ours,
    answers.open_doors,
    answers.switched_off,
    pages.swallowed,
    pages.intercepted,
    pages.lost_pages,
    policies.locked_out,
    inherited.lost_headers,
    inherited.lost_cors,
    inherited.lost_login,
    inherited.lost_lua,
    inherited.lua_too_early,
    inherited.lua_too_late,
    inherited.lost_hello,
    gates.gates,
    seen.tls_without_include,
    seen.underscores,
    seen.hidden_visitors,
    seen.small_buffers,
    seen.lua_path,
    stored.caches,
    stored.cache_in_front,
    inject.packed,
)


def check(sources: Sources, exists: Callable[[str], bool] = os.path.exists) -> list[Finding]:
    """Every trap, by file and line, each place and trap once, at most MAX_FINDINGS.  Errors: InputError for what is no nginx
    configuration."""
    site = Site(read_tree(sources), sources.main, exists)
    found: dict[tuple[str, int, str], Finding] = {}
    for rule in RULES:
        for finding in rule(site):
            found.setdefault(finding[:3], finding)
            if len(found) >= MAX_FINDINGS:
                return sorted(found.values())
    return sorted(found.values())
