"""decision.py: plain values, and how a finding is printed."""

from __future__ import annotations

import msgspec
import pytest
from botsieve.decision import ALLOW, ENFORCE, LEVELS, VERDICTS, Decision, Measure, Signal, Words, of_count
from botsieve.values import replace
from hypothesis import given
from hypothesis import strategies as st


def test_how_a_finding_is_printed() -> None:
    """The name after the dot, and the detail behind a colon."""
    signal = Signal("agent.bot_useragent", 40, "curl")
    assert (signal.family, signal.reason) == ("agent", "bot_useragent:curl")
    assert Signal("network.busy_range", 25).reason == "busy_range"


def test_reasons_keep_their_order() -> None:
    """As the signals stand: most points first is score.py's work."""
    signals = (Signal("a.one", 40), Signal("b.two", 20, "x"))
    decision = Decision("id", ALLOW, ALLOW, ENFORCE, 60, True, signals, "threshold.allow", "default", "mixed", "0" * 12)
    assert decision.reasons == ["one", "two:x"]


@pytest.mark.parametrize("value", [Signal("a.b", 1), Measure("cv", 0.1)])
def test_values_do_not_change(value: Signal | Measure) -> None:
    """A value that passed a stage stays what it was."""
    if isinstance(value, msgspec.Struct):  # the compiled core's are plain: its sources are held by these
        with pytest.raises(AttributeError):
            value.points = 2  # type: ignore[union-attr, misc]
    assert replace(value) == value


def test_words() -> None:
    """Verdicts and levels in ascending order: code compares by place."""
    assert VERDICTS == ("allow", "challenge", "block")
    assert LEVELS == ("light", "normal", "hard")


NUMBERS = st.one_of(st.sampled_from([0.0, -0.0, 1.0, 5.0, 2.5, 999.0, 1e9]), st.floats())


@given(st.lists(st.builds(Measure, st.sampled_from(["seen", ""]), NUMBERS, st.none() | NUMBERS), max_size=2).map(tuple))
def test_a_count_is_a_finding_and_back(measures: tuple[Measure, ...]) -> None:
    """What is known by its count is all that the finding says, the sign of a zero too; what is no single count is not known by it."""
    signal = Signal("sessions.opening", 0, "no_cookie", "client", measures, "Some Anomaly")
    counted = signal.as_count
    if counted is not None:
        assert repr(of_count(counted)) == repr(signal)
    is_count = [
        measure.value in range(1, 1_000) and (measure.limit is None or measure.limit > 0.0) for measure in measures
    ] == [True]
    assert (counted is not None) == is_count


@pytest.mark.parametrize("other", ["verdict", "would_be", "mode", "score", "policy", "rule", "config"])
def test_words_that_are_shared(other: str) -> None:
    """They are a decision's from when they were taken of it, and not another's that differs in a single one."""
    one = Decision("id", "allow", "allow", "enforce", 0, False, (), "threshold.allow", "shop", "mixed", "0" * 12)
    words = Words()
    assert not words.are_of(one)
    words.take(one)
    assert words.are_of(replace(one, id="another"))
    assert not words.are_of(replace(one, **{other: 7 if other == "score" else "another"}))
