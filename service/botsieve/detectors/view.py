"""What a detector looks at besides the observation: who claims to send it, and what is remembered of whom.

Law of the file: a view lives for one decision.  Detectors read it and change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botsieve.agents import Agent
    from botsieve.detectors.catalogue import Catalogue
    from botsieve.policy import Policy
    from botsieve.state.profiles import Profiles


class View:
    """`agent`: the parsed User-Agent.  `cleared`: the client has solved a challenge.  `profiles`: state after this request.
    `has_session`: our session cookie came back.  `time_judged`: the clock can be trusted."""

    __slots__ = ("agent", "catalogue", "cleared", "has_session", "now_s", "policy", "profiles", "time_judged")

    def __init__(
        self,
        agent: Agent,
        catalogue: Catalogue,
        policy: Policy,
        profiles: Profiles,
        now_s: float,
        cleared: bool,
        has_session: bool,
        time_judged: bool,
    ) -> None:
        self.agent = agent
        self.catalogue = catalogue
        self.policy = policy
        self.profiles = profiles
        self.now_s = now_s
        self.cleared = cleared
        self.has_session = has_session
        self.time_judged = time_judged
