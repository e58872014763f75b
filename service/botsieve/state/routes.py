"""Route templates: `/items/17` and `/items/18` are one route, and 17 and 18 are its items.

Law of the file: the same request gives the same template everywhere (live, replay, explain), from path and query alone.
Source: docs/mission.md S1-21: numeric, UUID, hexadecimal and slug-with-number segments, and numeric query values, are items.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from botsieve.remembered import Remembered

# Deterministic, linear patterns on at most _MAX_SEGMENT bytes each; only segments that hold a digit get here.
_NUMBER = re.compile(rb"[0-9]{1,18}\Z")  # _MAX_DIGITS: fits 63 bits
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

# Whether a query may hold one of them at all: most do not.
_VARYING_KEY = re.compile(
    rb"(?i:id|p|pg|page|offset|start|skip|from|cursor|after|before|limit|per_page|pagenumber|sku|item|product|article|user|doc|nr|no|num|number)="
)

_MAX_DIGITS = 18
_ZERO, _NINE, _SLASH = ord("0"), ord("9"), ord("/")
_MAX_SEGMENTS = 16
_MAX_SEGMENT = 200
_MAX_QUERY_KEYS = 16
# Up to here the search for a varying key is quicker than taking the query apart; over 8 KiB of other keys it was 1.4 ms.
_SHORT_QUERY = 128
_NO_NUMBER = -1


class Route(msgspec.Struct, frozen=True, gc=False):
    """`template` names the route; `item` is what varies in it (b"" for none); `number` is its last number, -1 for none.

    `is_list`: the item is a position in a list (`?page=3`), which people turn too.
    """

    template: bytes
    item: bytes
    number: int
    is_list: bool


def route_of(path: bytes, query: bytes) -> Route:
    """The route of a canonical path and a raw query.  O(length); any bytes."""
    # The common case is /items/17.  Its digits are read from the end, one by one: compiled, three calls cost five times as much.
    cut = len(path)
    least = max(0, cut - _MAX_DIGITS)
    number, worth = 0, 1
    while cut > least and _ZERO <= path[cut - 1] <= _NINE:
        number += (path[cut - 1] - _ZERO) * worth
        worth *= 10
        cut -= 1
    is_number = worth > 1 and cut > 0 and path[cut - 1] == _SLASH
    if not is_number:
        cut = path.rfind(b"/") + 1
    folder = _folders.get(path[:cut])
    if folder is None:
        folder = _folder(path[:cut])
    if not folder.is_plain:
        route = _by_segments(path)
    elif is_number:
        route = Route(folder.template, path[cut:], number, folder.is_list)
    elif _HAS_DIGIT.search(path, cut) is None:
        route = Route(path, b"", _NO_NUMBER, False)
    else:
        route = _by_segments(path)
    if query and (len(query) > _SHORT_QUERY or _VARYING_KEY.search(query) is not None):
        return _query(query, route)
    return route


class _Folder(NamedTuple):
    """What is known of the part of a path before its last segment.  `is_plain`: nothing in it varies."""

    is_plain: bool
    template: bytes
    is_list: bool


# Folders are few on a real site and many under attack.
_folders: Remembered[bytes, _Folder] = Remembered(4_096)


def _folder(folder: bytes) -> _Folder:
    found = _Folder(
        _HAS_DIGIT.search(folder) is None or _by_segments(folder).item == b"",
        folder + b"{n}",
        folder[:-1].rpartition(b"/")[2] in _LIST_SEGMENTS,
    )
    if len(folder) <= _MAX_SEGMENT:
        _folders.put(folder, found)
    return found


def _by_segments(path: bytes) -> Route:
    item: list[bytes] = []
    number = _NO_NUMBER
    is_list = False
    segments = path.split(b"/", _MAX_SEGMENTS)
    for at, segment in enumerate(segments):
        looked_at = segment[:_MAX_SEGMENT]
        if _HAS_DIGIT.search(looked_at) is None:
            continue
        name, value = _segment(looked_at)
        if name == segment:
            continue
        segments[at] = name
        item.append(segment)
        if value != _NO_NUMBER:
            number = value
            is_list = at > 0 and segments[at - 1] in _LIST_SEGMENTS
    return Route(b"/".join(segments), b"/".join(item), number, is_list)


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


def _query(query: bytes, route: Route) -> Route:
    template, path_item, number, is_list = route.template, route.item, route.number, route.is_list
    item = [path_item] if path_item else []
    names: list[bytes] = []
    for pair in query.split(b"&", _MAX_QUERY_KEYS)[:_MAX_QUERY_KEYS]:
        name, _, value = pair.partition(b"=")
        lower = name[:_MAX_SEGMENT].lower()
        in_list = lower in _LIST_KEYS
        if not in_list and lower not in _ITEM_KEYS and not lower.endswith(b"id"):
            continue
        names.append(lower)
        item.append(value)
        if _NUMBER.match(value):
            number, is_list = int(value), in_list
    if not names:
        return route
    names.sort()
    return Route(template + b"?" + b"&".join(names), b"/".join(item), number, is_list)
