"""botsieve.config.checks"""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.config.checks import check_together
from botsieve.config.models import Configuration
from hypothesis import given
from hypothesis import strategies as st


def strange(data: dict[str, Any]) -> list[str]:
    """The messages about a valid configuration; warnings begin with `warning`."""
    found = check_together(Configuration.model_validate(data))
    return [one.message if one.is_mistake else f"warning {one.message}" for one in found]


def policies(*given: dict[str, Any]) -> dict[str, Any]:
    """Policies called a, b, c."""
    return {"policies": [{"name": "abc"[at], **policy} for at, policy in enumerate(given)]}


def test_the_defaults_are_not_strange() -> None:
    """Nothing is said about the packaged configuration."""
    assert strange({}) == []


@pytest.mark.parametrize(
    ("above", "below", "hidden"),
    [
        ({}, {"paths": ["/a/"]}, True),
        ({"paths": ["/a/"]}, {"paths": ["/a/b/", "/a/c"]}, True),
        ({"paths": ["/a/"]}, {"paths": ["/a/", "/b/"]}, False),
        ({"paths": ["/a/"]}, {}, False),
        ({"paths": ["/a"]}, {"paths": ["/a/"]}, False),
        ({"hosts": ["*.example.com"]}, {"hosts": ["x.example.com"]}, True),
        ({"hosts": ["*.example.com"]}, {"hosts": ["example.com"]}, False),
        ({"hosts": ["x.example.com"]}, {"hosts": ["*.example.com"]}, False),
        ({"hosts": ["x.example.com"], "paths": ["/a/"]}, {"hosts": ["x.example.com"]}, False),
        ({"paths": ["/"]}, {"paths": ["/a/"]}, False),
        ({"paths": ["/*/"]}, {"paths": ["/a/"]}, False),
    ],
)
def test_a_policy_that_can_never_apply_is_told(above: dict[str, Any], below: dict[str, Any], hidden: bool) -> None:
    """Only where it is certain; with globs nothing is said."""
    assert any("never applies" in message for message in strange(policies(above, below))) is hidden


@pytest.mark.parametrize(
    ("given", "is_told"),
    [
        ([{"hosts": ["x.example.com"], "mode": "enforce"}], True),
        ([{"hosts": ["x.example.com"], "mode": "enforce"}, {"paths": ["/a/"]}], True),
        ([{"hosts": ["x.example.com"]}], False),
        ([{"hosts": ["x.example.com"], "mode": "enforce"}, {}], False),
        ([{"hosts": ["x.example.com"], "mode": "enforce"}, {"paths": ["/a/"], "mode": "enforce"}], False),
        ([{"paths": ["/a/"], "mode": "enforce"}], False),
    ],
)
def test_a_host_that_nobody_named_is_told(given: list[dict[str, Any]], is_told: bool) -> None:
    """Enforced for some names only, and no policy of the operator's for the rest: the client may choose a name."""
    said = strange(policies(*given))
    assert [message for message in said if "any other Host" in message] == [m for m in said if m.startswith("warning a client")]
    assert any("any other Host" in message for message in said) is is_told


def test_thresholds_may_be_equal_but_not_crossed() -> None:
    """Own values, presets and changed presets."""
    assert strange(policies({"challenge_at": 80})) == []
    assert "challenge_at 81 is above block_at 80" in strange(policies({"challenge_at": 81}))[0]
    assert "above block_at 30" in strange(policies({"block_at": 30}))[0]
    assert "above" in strange({"presets": {"balanced": {"block_at": 40}}})[0]


def test_a_prevention_that_can_ask_nobody_is_told() -> None:
    """New sessions are challenged, and the policy has no challenge: a warning, since it harms nobody."""
    opening = {"sessions.opening": {"action": "block"}}
    (told,) = strange(policies({"challenge": "none", "detectors": opening}))
    assert told.startswith("warning sessions.opening blocks by a challenge")
    assert strange(policies({"challenge": "none", "preset": "strict"})) == [told]
    assert strange(policies({"challenge": "none"})) == []
    assert strange(policies({"detectors": opening})) == []
    opening["sessions.opening"]["prevention"] = ["rate_limit"]  # type: ignore[assignment]
    assert strange(policies({"challenge": "none", "detectors": opening})) == []


def test_listeners_need_addresses_of_their_own() -> None:
    """Two edges, or an edge and the web pages, at one address."""
    edges = {"nginx": {"listen": "127.0.0.1:9482", "trusted": ["127.0.0.1"]}}
    assert any("edges.nginx listens at 127.0.0.1:9482 too" in message for message in strange({"edges": edges}))


_PATHS = st.lists(st.sampled_from(["/", "/a", "/a/", "/a/b", "/a/b/", "/b/", "/*/b"]), max_size=2)
_HOSTS = st.lists(st.sampled_from(["example.com", "x.example.com", "*.example.com", "*.x.example.com"]), max_size=2)


@given(st.lists(st.fixed_dictionaries({"paths": _PATHS, "hosts": _HOSTS}), min_size=2, max_size=2), st.data())
def test_a_hidden_policy_is_never_chosen(given_policies: list[dict[str, Any]], data: st.DataObject) -> None:
    """What the warning says is true of the rulebook: no request of a sample gets the policy that is said never to apply."""
    from botsieve.config.compile import build
    from botsieve.config.effective import plan_of
    from botsieve.config.plan import Answer
    from botsieve.observation import make_observation, pack_address

    configuration = Configuration.model_validate(policies(*given_policies))
    if not any("never applies" in one.message for one in check_together(configuration)):
        return
    rulebook = build(Answer(plan=plan_of(configuration)), "").rulebook
    for path in (b"/", b"/a", b"/a/", b"/a/b", b"/a/b/c", b"/b/x", b"/c/b"):
        for host in (b"example.com", b"x.example.com", b"y.x.example.com", b""):
            o = make_observation(
                client=pack_address("192.0.2.1"), method=b"GET", uri=path, headers={}, edge_time_s=0.0, host=host
            )
            assert rulebook.policy_for(o).name != "b"


def test_only_so_many_files_of_exceptions() -> None:
    """20 are possible, 21 are a mistake at the first one too many."""

    def told(count: int) -> list[str]:
        networks = ["192.0.2.1", *(f"/lists/{n}" for n in range(count))]
        found = check_together(Configuration.model_validate({"allow": {"networks": networks}}))
        return [f"{one.path[-1]} {one.message}" for one in found if one.path[:1] == ("allow",)]

    assert told(20) == []
    assert told(21) == ["21 21 files are named; accepted: at most 20"]
