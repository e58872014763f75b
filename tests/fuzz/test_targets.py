"""The fuzz targets on their corpora: short, and the same inputs on every run.  `make fuzz` goes on from here."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import changed, names, seeds
from tests.fuzz.targets import TARGETS

# A configuration or a judged request costs a hundred times a log line.
EXAMPLES = {"config": 200, "judgement": 400, "message": 400, "cookie": 400}


def test_every_target_has_a_corpus() -> None:
    """And no corpus is without its target."""
    assert sorted(names()) == sorted(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_breaks_no_promise(target: str) -> None:
    """Each seed, and each seed cut off at some places: a value or the declared error."""
    for seed in seeds(target):
        TARGETS[target](seed)
        for part in (1, 2, 3):
            TARGETS[target](seed[: len(seed) * part // 4])


@pytest.mark.parametrize("target", TARGETS)
def test_no_change_of_a_seed_breaks_a_promise(target: str) -> None:
    """Seeds with parts cut, doubled, swapped, spliced and overwritten, and any bytes."""

    @settings(max_examples=EXAMPLES.get(target, 1000))
    @given(st.integers(0, 2**32))
    def holds(number: int) -> None:
        TARGETS[target](changed(target, number))

    holds()
