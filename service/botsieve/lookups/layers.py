"""Several lists laid over each other: for each address the strictest list that holds it.

Law of the file: pure; numbers in, numbers out, ascending and without overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]

_V4_FIRST, _V4_LAST = 0xFFFF << 32, 0xFFFF_FFFF_FFFF


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same addresses as ascending spans that neither overlap nor touch."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            if last > found[-1][1]:
                found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found


def share_of_ipv4(spans: Iterable[Span]) -> float:
    """Which share (0..1) of all IPv4 addresses merged spans hold."""
    held = sum(
        min(last, _V4_LAST) - max(first, _V4_FIRST) + 1 for first, last in spans if first <= _V4_LAST and last >= _V4_FIRST
    )
    return held / 2**32


def flattened(layers: Sequence[Sequence[Span]]) -> tuple[list[Span], bytes]:
    """The spans of all layers cut where they overlap, and for each the place of the first layer that holds it.

    `layers`: merged spans each, the strictest first; at most 255 layers.
    """
    if len(layers) == 1:
        return [*layers[0]], bytes(len(layers[0]))
    spans: list[Span] = []
    which = bytearray()
    for first, last, layer in _pieces(layers):
        if spans and which[-1] == layer and spans[-1][1] + 1 == first:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
            which.append(layer)
    return spans, bytes(which)


def _pieces(layers: Sequence[Sequence[Span]]) -> Iterator[tuple[int, int, int]]:
    edges: list[tuple[int, int, bool]] = []
    for layer, spans in enumerate(layers):
        for first, last in spans:
            edges.append((first, layer, True))
            edges.append((last + 1, layer, False))
    edges.sort()
    holding: set[int] = set()
    since = 0
    for at, layer, begins in edges:
        if holding and at > since:
            yield since, at - 1, min(holding)
        since = at
        if begins:
            holding.add(layer)
        else:
            holding.discard(layer)
