"""botsieve.config.plan"""

from __future__ import annotations

import contextlib

import pytest
from botsieve.config.effective import plan_of
from botsieve.config.models import Configuration
from botsieve.config.plan import Answer, config_id, decode, encode
from hypothesis import given
from hypothesis import strategies as st


def test_an_answer_survives_the_way_through_the_pipe() -> None:
    """A plan and mistakes alike."""
    plan = plan_of(Configuration())
    back = decode(encode(Answer(plan=plan, config="0123456789ab", files=["/x"], text=b"\xff")))
    assert back.plan is not None
    assert config_id(back.plan) == config_id(plan)
    assert (back.config, back.files, back.text) == ("0123456789ab", ["/x"], b"\xff")
    assert decode(encode(Answer(mistakes=["a"]))).mistakes == ["a"]


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_value_error(raw: bytes) -> None:
    """What a dying child leaves behind is recognised."""
    with contextlib.suppress(ValueError):
        assert isinstance(decode(raw), Answer)


def test_half_an_answer_is_no_answer() -> None:
    """Cut anywhere, it is refused."""
    whole = encode(Answer(mistakes=["abc"]))
    for end in range(len(whole)):
        with pytest.raises(ValueError):
            decode(whole[:end])


def test_the_id_does_not_hold_secrets_but_follows_them() -> None:
    """Another secret is another configuration."""

    def one(secret: str) -> str:
        return config_id(plan_of(Configuration.model_validate({"allow": {"headers": {"x-key": [secret]}}})))

    assert one("correct-horse") != one("battery-staple")
    assert one("correct-horse") == one("correct-horse")
    assert len(one("correct-horse")) == 12
