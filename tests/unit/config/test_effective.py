"""botsieve.config.effective"""

from __future__ import annotations

from typing import Any

from botsieve.config.effective import plan_of
from botsieve.config.models import Configuration
from botsieve.config.plan import Plan, config_id


def plan(data: dict[str, Any]) -> Plan:
    """The effective form of what is written."""
    return plan_of(Configuration.model_validate(data))


def test_presets_fill_the_thresholds_that_a_policy_leaves_open() -> None:
    """A policy's own value, else the preset of the file, else the packaged preset."""
    made = plan(
        {
            "presets": {"strict": {"challenge_at": 20}},
            "policies": [
                {"name": "a", "preset": "strict"},
                {"name": "b", "preset": "relaxed", "challenge_at": 50},
                {"name": "c"},
            ],
        }
    )
    assert [(p.challenge_at, p.block_at) for p in made.policies] == [(20, 60), (50, 90), (45, 80)]


def test_changes_of_a_policy_lie_over_those_of_everybody() -> None:
    """Key by key; a policy without changes has none."""
    made = plan(
        {
            "detectors": {"agent.bot_useragent": {"points": 50}, "family_max": {"headers": 20}},
            "policies": [
                {
                    "name": "a",
                    "paths": ["/a/"],
                    "detectors": {"agent.bot_useragent": {"tokens": ["x"]}, "family_max": {"timing": 10}},
                },
                {"name": "b"},
            ],
        }
    )
    assert made.detectors["agent.bot_useragent"]["points"] == 50
    assert made.policies[0].detectors["agent.bot_useragent"]["points"] == 50
    assert made.policies[0].detectors["agent.bot_useragent"]["tokens"] == ("x",)
    assert list(made.policies[0].detectors) == ["agent.bot_useragent"]
    assert made.policies[1].detectors == {}
    assert made.policies[0].family_max == {"headers": 20, "network": 25, "timing": 10}
    assert made.policies[1].family_max == {"headers": 20, "network": 25, "timing": 35}


def test_the_packaged_policy_follows_when_none_matches_everything() -> None:
    """With the changes of everybody; under another name if `default` is taken."""
    assert [p.name for p in plan({"policies": [{"name": "a", "paths": ["/a/"]}]}).policies] == ["a", "default"]
    assert [p.name for p in plan({"policies": [{"name": "default", "paths": ["/a/"]}]}).policies] == ["default", "default-2"]
    assert [p.name for p in plan({"policies": [{"name": "a"}]}).policies] == ["a"]


def test_the_id_tells_apart_what_acts_differently_and_nothing_else() -> None:
    """Writing a default out changes nothing; any other value does."""
    same = config_id(plan({}))
    assert config_id(plan({"bot_at": 60, "detectors": {"agent.bot_useragent": {"points": 40}}})) == same
    assert config_id(plan({"policies": [{"name": "default", "detectors": {"agent.bot_useragent": {"points": 40}}}]})) == same
    assert config_id(plan({"bot_at": 61})) != same
    assert config_id(plan({"web": {"listen": None}})) != same
