"""lookups/layers.py: for each number the first layer that holds it."""

from __future__ import annotations

import itertools

from botsieve.lookups.layers import flattened, merged, share_of_ipv4
from hypothesis import given
from hypothesis import strategies as st

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8)


@given(st.lists(spans, max_size=4))
def test_the_first_layer_that_holds_a_number_wins(layers: list[list[tuple[int, int]]]) -> None:
    """Ascending, without overlap, and for every number what a look at each layer says."""
    cut, which = flattened([merged(layer) for layer in layers])
    assert len(cut) == len(which)
    assert all(first <= last for first, last in cut)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(cut))
    for number in range(75):
        wanted = [at for at, layer in enumerate(layers) if any(first <= number <= last for first, last in layer)]
        found = [which[at] for at, (first, last) in enumerate(cut) if first <= number <= last]
        assert found == wanted[:1]


@given(spans)
def test_merged_spans_neither_overlap_nor_touch(given_spans: list[tuple[int, int]]) -> None:
    """And hold the same numbers."""
    found = merged(given_spans)
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(found))
    held = {number for first, last in given_spans for number in range(first, last + 1)}
    assert {number for first, last in found for number in range(first, last + 1)} == held


def test_the_share_of_ipv4() -> None:
    """Only what lies in ::ffff:0:0/96 counts."""
    v4 = 0xFFFF << 32
    assert share_of_ipv4([(v4, v4 + 2**31 - 1)]) == 0.5
    assert share_of_ipv4([(0, 2**127)]) == 1.0
    assert share_of_ipv4([(0, 5), (2**100, 2**101)]) == 0.0
