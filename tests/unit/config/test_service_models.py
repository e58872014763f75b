"""botsieve.config.service_models"""

from __future__ import annotations

import pytest
from botsieve.challenge.settings import ChallengeSettings
from botsieve.config import loads
from botsieve.config.service_models import SIGHTS, Challenge, Sees
from botsieve.errors import ConfigError
from botsieve.observation import SIGHT_WORDS
from pydantic_core import PydanticCustomError


def test_what_an_edge_sees_is_auto_or_known_words() -> None:
    """`auto` leaves it to the edge; an empty list means that it sees nothing of it."""
    assert Sees().take("auto") is None
    assert Sees().take([]) == ()
    assert Sees().take(list(SIGHTS)) == SIGHTS
    assert set(SIGHTS) <= set(SIGHT_WORDS)
    for wrong in ("tls", ["tls", 5], [None], {"tls": True}, ["tls"] * 9):
        with pytest.raises(PydanticCustomError, match="auto, or a list of"):
            Sees().take(wrong)


def test_grpc_does_not_promise_what_it_cannot_do() -> None:
    """`on_late: block` has no form in the proto: it is refused where it would do nothing, and taken where it acts."""
    assert loads(b"edges: {nginx: {on_late: block}, forward: {on_late: block}, grpc: {on_late: allow}}").service
    with pytest.raises(ConfigError, match=r"edges\.grpc\.on_late: 'block' is not available in this version; accepted: allow"):
        loads(b"edges: {grpc: {on_late: block}}")


def test_every_setting_of_the_challenge_can_be_set() -> None:
    """The section has the fields of ChallengeSettings, besides the key file; show_id and show_all follow client_headers."""
    assert set(Challenge.model_fields) - {"keys_file"} == set(ChallengeSettings.__struct_fields__) - {"show_id", "show_all"}


@pytest.mark.parametrize(
    "text",
    [
        "page_status: 200",
        "valid_s: 30",
        "valid_s: 3600",
        "clearance_s: 86400",
        "roam: 64",
        "clearance_requests: 1000000",
        "per_prefix_per_min: 1000000",
        "loop_limit: 100",
        "no_js: {wait_s: 60, clearance_s: 86400, score_below: 100}",
        "levels: {hard: {puzzles: 64, bits: 22}}",
        "prefix: /a.b/c-d/",
        "contact: 'https://example.com/help?a=b'",
    ],
)
def test_what_the_file_may_say_the_challenge_takes(text: str) -> None:
    """The bounds here are not wider than those of ChallengeSettings, which would raise."""
    assert loads(f"challenge: {{{text}}}\n".encode()).service.challenge != ChallengeSettings()
