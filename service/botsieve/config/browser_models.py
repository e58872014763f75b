"""Sections `device` and `browser`: what our scripts in the site's pages may do.

Law of the file: everything that stores something in a visitor's browser, or reads it out, has a switch of its own, and is off
unless switched on (docs/device-and-browser.md, "Privacy").
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from botsieve.challenge.extensions import ACCEPTED, parse_probe
from botsieve.config.kinds import Flag, Kind, Whole, Word
from botsieve.config.mistakes import shown
from botsieve.config.section import Section

# One script asks for all of them, on every page.
MAX_EXTENSIONS = 20


class Extension(Kind):
    """One line of the list of extensions that are not allowed."""

    accepted = ACCEPTED

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.refusal(f"{shown(value)} is no text")
        try:
            parse_probe(value)
        except ValueError:
            raise self.refusal(f"{shown(value)} names no extension") from None
        return value


class Device(Section):
    meaning: ClassVar[str] = "A signed id in the visitor's browser that outlives our session cookie [S2-09, S2-24]."
    enabled: Annotated[bool, Flag()] = Field(
        default=False, description="hand it out; your privacy policy must allow it (docs/device-and-browser.md)"
    )
    valid_min: Annotated[int, Whole(1, 43_200)] = Field(
        default=120, description="minutes that it is valid, from the last page on [S2-25]"
    )


class Browser(Section):
    meaning: ClassVar[str] = (
        'What our script in the site\'s pages looks at: `<script src="/.botsieve/b.js" defer></script>` (docs/human-interaction.md).'
    )
    fingerprint: Annotated[bool, Flag()] = Field(
        default=False,
        description="tell browsers apart by FingerprintJS, together with their network; your privacy policy must allow it [S2-07, S2-23]",
    )
    events: Annotated[bool, Flag()] = Field(
        default=True, description="it reports that pointer, keys, touch and wheel are used, and when; never which key [S2-03]"
    )
    inject: Annotated[str, Word("none", "by_hand", "sub_filter", "lua")] = Field(
        default="none",
        description="none: you may write the line above into pages, and human.interaction asks nobody for a hand whose own pages have "
        "not answered; by_hand: you have written it into every page, so who never answers counts too; sub_filter, lua: the same, by "
        "inject.conf or inject-lua.conf in every location of pages. But for none, pages that never answer are told, in mode monitor "
        "[S2-65]",
    )
