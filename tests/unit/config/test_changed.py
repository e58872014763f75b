"""botsieve.config.changed"""

from __future__ import annotations

import pytest
from botsieve.config.changed import changed_sections
from botsieve.config.loader import loads

BEFORE = """
policies: [{name: shop, paths: [/shop/], rules: [{name: office, when: {path: /a}, then: allow}]}]
edges: {forward: {listen: 127.0.0.1:9480, trusted: [10.0.0.0/8]}}
web: {listen: null}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("/shop/", "/shop/", []),
        ("web: {listen: null}", "web: {listen: 127.0.0.1:9482}", ["web"]),
        ("10.0.0.0/8", "10.1.0.0/16", ["edges"]),
        ("127.0.0.1:9480", "127.0.0.1:9481", ["edges"]),
        ("name: shop, paths", "name: shop, mode: enforce, paths", ["policies"]),
        ("/shop/", "/store/", ["policies"]),
        ("path: /a", "path: /b", ["policies"]),
        ("web: {listen: null}", "web: {listen: null}\nbot_at: 70", ["policies"]),
        ("web: {listen: null}", "web: {listen: null}\ndetectors: {traversal.volume: {points: 0}}", ["policies"]),
        ("web: {listen: null}", "web: {listen: null}\nstate: {max_mib: 64}\nsessions: {idle_s: 600}", ["sessions", "state"]),
    ],
)
def test_what_is_said_of_a_change(old: str, new: str, said: list[str]) -> None:
    """Each section by its name, and `policies` for whatever decides; nothing where nothing changed."""
    assert BEFORE.count(old) == 1
    before, after = loads(BEFORE.encode()), loads(BEFORE.replace(old, new).encode())
    assert sorted(changed_sections(before, after)) == said
