"""Route templates: `/items/17` and `/items/18` are one route, and 17 and 18 are its items.

Law of the file: the same request gives the same template everywhere (live, replay, explain), from path and query alone.
Source: checklist S1-21: numeric, UUID, hexadecimal and slug-with-number segments, and numeric query values, are items.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Deterministic, linear patterns on at most _MAX_SEGMENT bytes each; only segments that hold a digit get here.
_NUMBER = re.compile(rb"[0-9]{1,18}\Z")
_UUID = re.compile(rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_HEX = re.compile(rb"[0-9a-fA-F]{8,128}\Z")
_DIGITS = re.compile(rb"[0-9]+")
_HAS_DIGIT = re.compile(rb"[0-9]")
_VERSION = re.compile(rb"v[0-9]{1,3}(?:\.[0-9]{1,3})?\Z", re.IGNORECASE)

# Query keys whose value is the position in a list: reading such pages slowly is what people do.
_LIST_KEYS = frozenset(b"page p pg offset start skip from cursor after before limit per_page pagenumber".split())
_LIST_SEGMENTS = frozenset([b"page", b"pages", b"pg", b"offset"])
_ITEM_KEYS = frozenset(
    b"id item item_id itemid product product_id productid pid sku article uid user user_id q_id doc nr no num number".split()
)

_MAX_SEGMENTS = 16
_MAX_SEGMENT = 200
_MAX_QUERY_KEYS = 16
_NO_NUMBER = -1


class Route(NamedTuple):
    """`template` names the route; `item` is what varies in it (b"" for none); `number` is its last number, -1 for none.

    `is_list`: the item is a position in a list (`?page=3`), which people turn too.
    """

    template: bytes
    item: bytes
    number: int
    is_list: bool


def route_of(path: bytes, query: bytes) -> Route:
    """The route of a canonical path and a raw query.  O(length); any bytes."""
    item: list[bytes] = []
    number = _NO_NUMBER
    is_list = False
    template = path
    if _HAS_DIGIT.search(path) is not None:
        segments = path.split(b"/", _MAX_SEGMENTS)
        for at, segment in enumerate(segments):
            if _HAS_DIGIT.search(segment) is None:
                continue
            name, value = _segment(segment[:_MAX_SEGMENT])
            if name is segment:
                continue
            segments[at] = name
            item.append(segment)
            if value != _NO_NUMBER:
                number = value
                is_list = at > 0 and segments[at - 1] in _LIST_SEGMENTS
        template = b"/".join(segments)
    if query:
        template, number, is_list = _query(template, query, item, number, is_list=is_list)
    return Route(template, b"/".join(item), number, is_list)


def _segment(segment: bytes) -> tuple[bytes, int]:
    if _NUMBER.match(segment):
        return b"{n}", int(segment)
    if _VERSION.match(segment):
        return segment, _NO_NUMBER  # /v2/ names an interface, not an item
    if _UUID.match(segment):
        return b"{uuid}", _NO_NUMBER
    if _HEX.match(segment):
        return b"{hex}", _NO_NUMBER
    stem, dot, ending = segment.rpartition(b".")
    if dot and _NUMBER.match(stem):
        return b"{n}." + ending, int(stem)
    last = _DIGITS.findall(segment)[-1]
    return b"{slug}", int(last[:18])


def _query(template: bytes, query: bytes, item: list[bytes], number: int, *, is_list: bool) -> tuple[bytes, int, bool]:
    names: list[bytes] = []
    for pair in query.split(b"&", _MAX_QUERY_KEYS)[:_MAX_QUERY_KEYS]:
        name, _, value = pair.partition(b"=")
        lower = name.lower()
        if lower in _LIST_KEYS:
            names.append(lower)
            item.append(value)
            if _NUMBER.match(value):
                number, is_list = int(value), True
        elif lower in _ITEM_KEYS or lower.endswith(b"id"):
            names.append(lower)
            item.append(value)
            if _NUMBER.match(value):
                number, is_list = int(value), False
    if not names:
        return template, number, is_list
    names.sort()
    return template + b"?" + b"&".join(names), number, is_list
