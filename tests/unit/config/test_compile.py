"""botsieve.config.compile"""

from __future__ import annotations

import pytest
from botsieve.config import loads
from botsieve.config.compile import address, build_steps
from botsieve.config.effective import plan_of
from botsieve.config.models import Configuration
from botsieve.config.plan import Answer
from botsieve.decision import Signal
from botsieve.detectors.settings import DEFAULTS, BotUseragent, SuspiciousTiming, TimingStep
from botsieve.observation import SEES_HEADER_ORDER, SEES_TLS, Observation, make_observation, pack_address

RAW = b"""\
policies:
  - name: export
    hosts: [Shop.example.com]
    paths: [/export/]
    detectors:
      agent.bot_useragent: {points: 50}
      timing.suspicious_timing: {steps: [{cv_below: 0.1, mean_below_s: 1.5, points: 30}]}
    rules:
      - name: partner
        when: {network: 203.0.113.0/24, path: /export/, method: [GET], header: {X-Partner: "^acme$"}, score_from: 10}
        then: allow
      - {name: less, when: {signal: traversal.url_pattern}, then: {points: -20}}
  - {name: site, challenge: none}
allow: {networks: [192.0.2.0/28], headers: {X-Api-Key: [correct-horse-battery]}}
edges: {nginx: {sees: [tls, header_order]}, grpc: {listen: "[::1]:9483", trusted: ["::1"]}}
client_headers: none
"""


def request(client: str = "203.0.113.9", path: bytes = b"/export/x", **headers: bytes) -> Observation:
    """A request of shop.example.com."""
    sent = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return make_observation(
        client=pack_address(client), method=b"GET", uri=path, headers=sent, edge_time_s=0.0, host=b"shop.example.com"
    )


def test_policies_are_chosen_by_host_and_path() -> None:
    """Hosts in lower case; the last one takes the rest."""
    rulebook = loads(RAW).rulebook
    assert rulebook.policy_for(request()).name == "export"
    assert rulebook.policy_for(request(path=b"/other")).name == "site"


def test_a_rule_holds_when_all_its_conditions_do() -> None:
    """Network, path, method, header pattern and score together."""
    rule = loads(RAW).rulebook.policies[0].rules[0]
    assert rule.holds(request(x_partner=b"acme"), (), 10)
    assert not rule.holds(request(x_partner=b"acme2"), (), 10)
    assert not rule.holds(request(client="203.0.114.1", x_partner=b"acme"), (), 10)
    assert not rule.holds(request(x_partner=b"acme"), (), 9)
    assert not rule.holds(request(), (), 10)
    less = loads(RAW).rulebook.policies[0].rules[1]
    assert (less.then, less.points) == ("", -20)
    assert less.holds(request(), (Signal("traversal.url_pattern", 30),), 0)


def test_settings_of_findings_are_the_detectors_own_structs() -> None:
    """Changed ones are new, all others are the packaged objects; a policy without changes shares the whole table."""
    policies = loads(RAW).rulebook.policies
    assert policies[0].detectors["agent.bot_useragent"] == BotUseragent(points=50)
    timing = policies[0].detectors["timing.suspicious_timing"]
    assert isinstance(timing, SuspiciousTiming)
    assert timing.steps == (TimingStep(0.1, 1.5, 30),)
    assert policies[0].detectors["claim.contradiction"] is DEFAULTS["claim.contradiction"]
    assert policies[1].detectors is DEFAULTS


def test_the_exception_list_admits_networks_and_secrets() -> None:
    """Header names in any case, secrets to the byte."""
    allow = loads(RAW).rulebook.allow
    assert allow.admits(request(client="192.0.2.15"))
    assert not allow.admits(request(client="192.0.2.16"))
    assert allow.admits(request(x_api_key=b"correct-horse-battery"))
    assert not allow.admits(request(x_api_key=b"correct-horse-batterz"))


def test_edges_know_what_they_see_and_whom_they_believe() -> None:
    """Words become bits, auto becomes None, addresses become hosts and ports."""
    service = loads(RAW).service
    assert service.edge("nginx").sight == SEES_TLS | SEES_HEADER_ORDER
    assert service.edge("grpc").sight is None
    grpc = service.edge("grpc").listen
    assert grpc is not None
    assert (grpc.host, grpc.port, str(grpc)) == ("::1", 9483, "[::1]:9483")
    assert pack_address("::1") in service.edge("grpc").trusted
    assert service.challenge.show_id is False


@pytest.mark.parametrize(("word", "shown"), [("none", (False, False)), ("id", (True, False)), ("all", (True, True))])
def test_what_visitors_are_told(word: str, shown: tuple[bool, bool]) -> None:
    """`client_headers` says whether the id, and whether all, goes out with a challenge or a block."""
    challenge = loads(b"client_headers: %s\n" % word.encode()).service.challenge
    assert (challenge.show_id, challenge.show_all) == shown


def test_the_rulebook_carries_its_id() -> None:
    """Logs name the configuration that decided."""
    loaded = loads(RAW)
    assert loaded.rulebook.config == loaded.config
    assert len(loaded.config) == 12


def test_the_work_comes_in_steps() -> None:
    """At least one pause for each policy and pattern, so that a loop can answer in between."""
    data = {"policies": [{"name": f"p{n}", "paths": [f"/{n}/"]} for n in range(20)]}
    plan = plan_of(Configuration.model_validate(data))
    assert sum(1 for _ in build_steps(Answer(plan=plan), "")) > 20


def test_addresses_are_split() -> None:
    """A socket's path, IPv4, IPv6, localhost, off."""
    assert address("unix:/run/x.sock").path == "/run/x.sock"  # type: ignore[union-attr]
    assert str(address("localhost:80")) == "127.0.0.1:80"
    assert str(address("[::1]:80")) == "[::1]:80"
    assert address(None) is None
