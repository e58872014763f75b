"""A rulebook as decisions use it: what each of them asks for lies ready.

Law of the file: made once a rulebook, which does not change, and says nothing that the rulebook does not say.
"""

from __future__ import annotations

from botsieve.decision import ALLOW, BLOCK, CHALLENGE, MONITOR
from botsieve.detectors import Plan, plan
from botsieve.observation import Observation
from botsieve.policy import Policy, Rulebook
from botsieve.state.world import World


class Here:
    """One policy of a rulebook.  `mode`: monitor while the book is paused.  `site`: what the World knows of it."""

    __slots__ = ("_plans", "audience", "block_at", "challenge_at", "family_max", "mode", "name", "policy", "rules", "site")

    def __init__(self, policy: Policy, world: World, *, paused: bool) -> None:
        self.policy = policy
        self.name = policy.name
        self.mode = MONITOR if paused else policy.mode
        self.audience = policy.audience
        self.challenge_at = policy.challenge_at
        self.block_at = policy.block_at
        self.family_max = policy.family_max
        self.rules = policy.rules
        self.site = world.site(policy.name)
        self._plans: list[Plan | None] = [None] * 8  # by what `plan` is asked for

    def verdict_of(self, score: int) -> str:
        """As Policy.verdict_of."""
        if score >= self.block_at:
            return BLOCK
        return CHALLENGE if score >= self.challenge_at else ALLOW

    def plan(self, *, claims_browser: bool, behaviour: bool, time_judged: bool) -> Plan:
        """The detectors that run for one kind of client, as `detectors.plan`; made at first use."""
        kind = claims_browser * 4 + behaviour * 2 + time_judged
        found = self._plans[kind]
        if found is None:
            found = self._plans[kind] = plan(
                self.policy.detectors,
                self.audience,
                claims_browser=claims_browser,
                behaviour=behaviour,
                time_judged=time_judged,
            )
        return found


class Applied:
    """A rulebook.  `only`: the policy that applies to every request, None where that depends.  `admits`: somebody is on the allowlist."""

    __slots__ = ("_here", "_world", "admits", "book", "bot_at", "config", "only", "reputation")

    def __init__(self, book: Rulebook, world: World) -> None:
        self.book = book
        self.bot_at = book.bot_at
        self.config = book.config
        self.reputation = book.reputation
        self.admits = book.allow.networks.size > 0 or book.allow.listed.size > 0 or bool(book.allow.headers)
        self._world = world
        # By identity: the packaged policy and one of the operator's may both be called `default`; each entry keeps its policy alive.
        self._here: dict[int, Here] = {}
        first = book.policies[0] if book.policies else None
        self.only = self._of(first) if first is not None and first.paths.any_path and not first.hosts else None

    def here(self, o: Observation) -> Here:
        """The policy that applies to a request, as Rulebook.policy_for."""
        return self.only if self.only is not None else self._of(self.book.policy_for(o))

    def _of(self, policy: Policy) -> Here:
        known = self._here.get(id(policy))
        if known is None:
            known = self._here[id(policy)] = Here(policy, self._world, paused=self.book.paused)
        return known
