"""botsieve.config.section"""

from __future__ import annotations

import pytest
from botsieve.config.mistakes import Mistakes
from botsieve.config.models import Configuration
from botsieve.config.policy_models import PolicyModel
from botsieve.config.section import Section, inner_section, keys_of, known_only


def test_keys_are_named_as_they_are_written() -> None:
    """A finding is called by its id, not by the name of a Python field."""
    detectors = inner_section(keys_of(Configuration)["detectors"])
    assert detectors is not None
    assert "agent.bot_useragent" in keys_of(detectors)
    assert inner_section(keys_of(Configuration)["policies"]) is PolicyModel
    assert inner_section(keys_of(Configuration)["bot_at"]) is None


def test_unknown_keys_and_keys_of_later_versions_are_taken_out_and_told_apart() -> None:
    """At any depth, in lists too; what is known stays; the data handed in stays as it was."""
    data = {"bot_at": 1, "sharing": {}, "policies": [{"name": "a", "nmae": 1}], "edges": {"envoy": {}, "nginx": 5}}
    mistakes = Mistakes("f")
    kept = known_only(Configuration, data, (), mistakes)
    assert kept == {"bot_at": 1, "policies": [{"name": "a"}], "edges": {"nginx": 5}}
    told = mistakes.render()
    assert len(told) == 3
    assert sum("not available in this version" in line for line in told) == 2
    assert any("did you mean name?" in line for line in told)
    assert "sharing" in data


def every_section(section: type[Section]) -> list[type[Section]]:
    """A section and all sections inside it."""
    inner = [kind for kind in map(inner_section, keys_of(section).values()) if kind is not None]
    return [section, *(deep for kind in inner for deep in every_section(kind))]


def test_no_key_is_known_and_later_at_once() -> None:
    """A key that works is not announced, a key that is announced does not work."""
    for section in every_section(Configuration):
        assert not set(section.later) & set(keys_of(section))


def test_every_key_is_explained_or_is_a_section() -> None:
    """docs/settings.md has no empty cell."""
    for section in every_section(Configuration):
        for key, info in keys_of(section).items():
            assert info.description or inner_section(info) is not None, (section, key)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"mode": "enforce"}, "policies[].mode"),
        ({"keys_file": "/k"}, "challenge.keys_file"),
        ({"decisions": {}}, "journal.decisions"),
        ({"detectors": {"volume": {"points": 0}}}, "traversal.volume"),
        ({"policies": [{"name": "a", "detectors": {"rapid": {"action": "alarm"}}}]}, "surfing.rapid"),
    ],
)
def test_a_key_in_the_wrong_place_is_told_its_place(data: dict[str, object], where: str) -> None:
    """`mode: enforce` at the top of the file, a finding by the word that the log shows: where it belongs is said."""
    mistakes = Mistakes("f")
    known_only(Configuration, data, (), mistakes)
    (said,) = mistakes.render()
    assert f"(did you mean {where}?)" in said
