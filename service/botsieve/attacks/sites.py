"""What is known of a site beside its clients: what is usual of its sessions.

Law of the file: sites are policies: few, and ours.
"""

from __future__ import annotations

from botsieve.attacks.transactions import Usual
from botsieve.state.profiles import Site


class SiteFacts:
    """What is known of one site.  `usual`: of its sessions."""

    __slots__ = ("usual",)

    def __init__(self) -> None:
        self.usual = Usual()


class Sites:
    """All sites, by their tags."""

    __slots__ = ("_facts",)

    def __init__(self) -> None:
        self._facts: dict[bytes, SiteFacts] = {}

    def facts(self, site: Site) -> SiteFacts:
        """What is known of a site, made at first use."""
        known = self._facts.get(site.tag)
        if known is None:
            known = self._facts[site.tag] = SiteFacts()
        return known
