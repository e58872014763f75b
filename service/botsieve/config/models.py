"""The whole configuration file as one model.

Law of the file: one field a top-level key, in the order of docs/botsieve.yaml.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from botsieve.config.browser_models import Browser, Device
from botsieve.config.crawler_models import Crawlers
from botsieve.config.detector_models import Detectors
from botsieve.config.kinds import OneOf, Whole, Word
from botsieve.config.lookup_models import Geo, ReputationList
from botsieve.config.policy_models import MAX_POLICIES, Policies, PolicyModel, Presets
from botsieve.config.section import Section
from botsieve.config.service_models import Allow, Challenge, Edges, Journal, Privacy, Sessions, State, Web
from botsieve.reputation import MAX_LISTS


class Configuration(Section):
    """Everything that can be written in `botsieve.yaml`."""

    later: ClassVar[tuple[str, ...]] = ("sharing",)

    policies: Policies = Field(default=(PolicyModel(name="default"),), max_length=MAX_POLICIES)
    presets: Presets = Presets()
    bot_at: Annotated[int, Whole(1, 100)] = Field(
        default=60, description="from here a client is called a bot in logs and statistics [S1-23]"
    )
    detectors: Detectors = Detectors()
    allow: Allow = Allow()
    crawlers: Crawlers = Crawlers()
    reputation: tuple[ReputationList, ...] = Field(default=(), max_length=MAX_LISTS)
    geo: Geo = Geo()
    edges: Edges = Edges()
    client_headers: Annotated[str, Word("id", "none", "all")] = Field(
        default="id",
        description="what visitors get with a challenge or a block: X-Botsieve-Id; nothing; or verdict, score and reasons too, for trials",
    )
    challenge: Challenge = Challenge()
    sessions: Sessions = Sessions()
    device: Device = Device()
    browser: Browser = Browser()
    state: State = State()
    workers: Annotated[int, OneOf(1)] = Field(default=1, description="processes; more than one comes with a later version")
    journal: Journal = Journal()
    privacy: Privacy = Privacy()
    web: Web = Web()
