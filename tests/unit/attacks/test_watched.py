"""botsieve.attacks.watched"""

from __future__ import annotations

import msgspec
from botsieve.attacks.types import IGNORE
from botsieve.attacks.watched import watched
from botsieve.detectors.settings import THRESHOLDS
from botsieve.policy import Policy
from botsieve.values import replace


def test_the_packaged_policy_watches_all_but_extensions() -> None:
    """Whose action is ignore."""
    found = watched(Policy())
    assert found.suspicious is None
    assert (found.rapid, found.human) == (THRESHOLDS["surfing.rapid"], THRESHOLDS["human.interaction"])
    assert found.any
    assert found.counts


def test_nothing_is_watched_where_everything_is_ignored() -> None:
    """The book has then nothing to do."""
    off = {name: msgspec.structs.replace(settings, action=IGNORE) for name, settings in THRESHOLDS.items()}
    found = watched(Policy(thresholds=off))
    assert not found.any
    assert not found.counts
    assert watched(Policy(thresholds={})) == replace(found, policy=watched(Policy(thresholds={})).policy)


def test_where_programs_are_expected_nobody_needs_a_hand() -> None:
    """Whatever is written."""
    assert watched(Policy(audience="api")).human is None
    assert watched(Policy(audience="browser")).human is not None
