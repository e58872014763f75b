"""Writes databases in MaxMind's format, as small as they can be: a tree of 24-bit records, data, metadata.

Source: the MaxMind DB File Format Specification 2.0.  IPv4 networks stand at ::/96, as there.
"""

from __future__ import annotations

import ipaddress
from typing import Any

_MARK = b"\xab\xcd\xefMaxMind.com"
_TEXT, _MAP, _UINT16, _UINT32, _UINT64, _ARRAY = 2, 7, 5, 6, 9, 11


def database(records: dict[str, dict[str, Any]], kind: str = "Test") -> bytes:
    """`records`: network (IPv4 or IPv6) to record; no network inside another."""
    data, offsets = b"", {}
    for record in records.values():
        offsets[repr(record)] = len(data)
        data += _value(record)
    tree: list[list[Any]] = [[None, None]]
    for text, record in records.items():
        _insert(tree, text, offsets[repr(record)])
    count = len(tree)
    packed = b"".join(_record(side, count) for node in tree for side in node)
    metadata = {
        "node_count": (_UINT32, count),
        "record_size": (_UINT16, 24),
        "ip_version": (_UINT16, 6),
        "database_type": kind,
        "languages": [],
        "binary_format_major_version": (_UINT16, 2),
        "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, 1_700_000_000),
        "description": {"en": "a test"},
    }
    return packed + bytes(16) + data + _MARK + _value(metadata)


def _insert(tree: list[list[Any]], text: str, offset: int) -> None:
    network = ipaddress.ip_network(text)
    bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
    path = ("0" * 96 if network.version == 4 else "") + bits
    at = 0
    for bit in path[:-1]:
        if tree[at][int(bit)] is None:
            tree.append([None, None])
            tree[at][int(bit)] = ("node", len(tree) - 1)
        at = tree[at][int(bit)][1]
    tree[at][int(path[-1])] = ("data", offset)


def _record(side: Any, count: int) -> bytes:
    number = count if side is None else side[1] if side[0] == "node" else count + 16 + side[1]
    return int(number).to_bytes(3, "big")


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _control(_TEXT, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return _control(_MAP, len(value)) + b"".join(_value(key) + _value(inner) for key, inner in value.items())
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_value, value))
    kind, number = value if isinstance(value, tuple) else (_UINT32, value)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return _control(kind, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    """Type and size; types above 7 have a second byte, sizes from 29 on another."""
    first = (kind << 5 if kind <= 7 else 0) | min(size, 29)
    return bytes([first]) + (bytes([kind - 7]) if kind > 7 else b"") + (bytes([size - 29]) if size >= 29 else b"")


ASN = database(
    {
        "203.0.113.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example"},
        "2001:db8::/32": {"autonomous_system_number": 64501},
    }
)
COUNTRY = database(
    {"203.0.113.0/24": {"country": {"iso_code": "DE"}}, "2001:db8::/32": {"registered_country": {"iso_code": "JP"}}}
)
