"""What a detector looks at besides the observation: who claims to send it, and what is remembered of whom.

Law of the file: a view lives for one decision.  Detectors read it and change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from botsieve.agents import Agent
    from botsieve.detectors.catalogue import Catalogue
    from botsieve.policy import Policy
    from botsieve.state.profiles import Profiles


class View(msgspec.Struct, gc=False):
    """`agent`: the parsed User-Agent.  `cleared`: the client has solved a challenge.  `profiles`: state after this request.
    `has_session`: our session cookie came back.  `time_judged`: the clock can be trusted.  `claim`: what the claim to be a crawler
    came to, a word of verifications.py ("" also for clients that claim nothing)."""

    agent: Agent
    catalogue: Catalogue
    policy: Policy
    profiles: Profiles
    now_s: float
    cleared: bool
    has_session: bool
    time_judged: bool
    claim: str = ""
