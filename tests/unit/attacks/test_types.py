"""The values of attacks: nothing ruled is nothing, and the names are the mission's."""

from botsieve.attacks.types import ATTACK_TYPES, NOTHING, Ruling


def test_a_ruling_of_nothing_rules_nothing() -> None:
    """Most requests are no part of an attack: the empty ruling has no verdict and names nobody."""
    assert Ruling() == NOTHING
    assert (NOTHING.verdict, NOTHING.violations, NOTHING.hold_s, NOTHING.retry_after_s) == ("", (), 0, 0)


def test_attack_types_are_those_of_the_mission() -> None:
    """S2-65 to S2-70 name six attack types, each once."""
    assert len(set(ATTACK_TYPES)) == len(ATTACK_TYPES) == 6
