"""errors.py: each error knows its exit code, and holds what an edge or an operator needs."""

from __future__ import annotations

import pytest
from botsieve.errors import BotsieveError, ConfigError, InputError, InvalidObservation, MachineError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BotsieveError("x"), 70),
        (InvalidObservation("FIELD_MISSING", "uri", "x"), 70),
        (ConfigError(["x"]), 3),
        (MachineError("x"), 4),
        (InputError("x"), 5),
    ],
)
def test_exit_codes(error: BotsieveError, code: int) -> None:
    """Those of docs/names.md."""
    assert error.exit_code == code


def test_every_mistake_of_a_configuration_is_told() -> None:
    """One line each."""
    error = ConfigError(["a.yaml:1: x", "a.yaml:2: y"])
    assert str(error).splitlines() == error.mistakes


def test_an_invalid_observation_names_reason_and_field() -> None:
    """For the edge that has to mend it."""
    error = InvalidObservation("FIELD_MISSING", "uri", "the uri is empty")
    assert (error.reason, error.field, str(error)) == ("FIELD_MISSING", "uri", "the uri is empty")
