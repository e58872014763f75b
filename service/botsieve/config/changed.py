"""Which sections another configuration changes: what the log says of a reload.

Law of the file: pure, and only words: a reload applies everything, whatever is said here.
"""

from __future__ import annotations

from botsieve.config.settings import Loaded


def changed_sections(old: Loaded, new: Loaded) -> list[str]:
    """The sections of the service that differ, and `policies` when what decides is another.

    LIMIT: what is inside a rule or a list of networks is not compared.  Where nothing else differs but the ids of the
    configurations, it is that; beside a change of another section it goes unsaid.
    """
    own = [name for name in new.service.__struct_fields__ if name != "edges"]
    names = [name for name in own if getattr(old.service, name) != getattr(new.service, name)]
    if _edges(old) != _edges(new):
        names.append("edges")
    if old.config != new.config and (not names or _decides(old) != _decides(new)):
        names.append("policies")
    return names


def _edges(loaded: Loaded) -> list[object]:
    return [
        edge.trusted.pack() if name == "trusted" else getattr(edge, name)  # equal sets of addresses are not the same object
        for edge in loaded.service.edges
        for name in edge.__struct_fields__
    ]


def _decides(loaded: Loaded) -> list[tuple[object, ...]]:
    rules = loaded.rulebook
    places = [(p.name, p.mode, p.hosts, p.paths.texts, p.audience, len(p.rules)) for p in rules.policies]
    limits = [(p.challenge_at, p.block_at, p.challenge, p.challenge_first, p.detectors, p.thresholds) for p in rules.policies]
    return [*places, *limits, (rules.bot_at,)]
