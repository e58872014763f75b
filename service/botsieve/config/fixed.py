"""Which settings a running service cannot change, and what it keeps instead.

Law of the file: pure.  A reload applies everything else and names these.
"""

from __future__ import annotations

import msgspec

from botsieve.config.settings import ServiceSettings

_EDGE_FIXED = ("listen", "socket_group", "max_in_flight", "reflection")
_SECTION_FIXED = {
    "state": ("dir", "max_mib", "max_preventions", "idle_s"),
    "journal": ("to", "queue"),
}
_JOURNAL_KEYS = {"to": "journal.decisions.to", "queue": "journal.decisions.queue"}


def keep_fixed(running: ServiceSettings, wanted: ServiceSettings) -> tuple[ServiceSettings, tuple[str, ...]]:
    """`wanted` with the values that only a restart can change left as they run, and the keys of those that differ."""
    keys: list[str] = []
    edges = []
    for edge in wanted.edges:
        old = running.edge(edge.name)
        kept = {key: getattr(old, key) for key in _EDGE_FIXED if getattr(old, key) != getattr(edge, key)}
        keys += [f"edges.{edge.name}.{key}" for key in kept]
        edges.append(msgspec.structs.replace(edge, **kept))
    changes: dict[str, object] = {"edges": tuple(edges)}
    for section, names in _SECTION_FIXED.items():
        old_section, new_section = getattr(running, section), getattr(wanted, section)
        kept = {key: getattr(old_section, key) for key in names if getattr(old_section, key) != getattr(new_section, key)}
        keys += [_JOURNAL_KEYS[key] if section == "journal" else f"{section}.{key}" for key in kept]
        changes[section] = msgspec.structs.replace(new_section, **kept)
    if running.web != wanted.web:
        keys.append("web.listen")
        changes["web"] = running.web
    if running.keys_file != wanted.keys_file:
        keys.append("challenge.keys_file")
        changes["keys_file"] = running.keys_file
    return msgspec.structs.replace(wanted, **changes), tuple(keys)
