"""A client's header fields as a gateway tells them: Header messages, still as bytes, to names and values.

Law of the file: the same bytes always mean the same field, so what many visitors send alike is read once.  What is each visitor's
own (cookies, credentials, the page before) is read every time and not held.
"""

from __future__ import annotations

from collections.abc import Iterable

from botsieve import observation as seen
from botsieve.errors import InvalidObservation
from botsieve.remembered import Answers, Remembered
from botsieve.transports.gateway_headers import SHOWN
from botsieve.transports.grpc_lean import parsed
from botsieve.transports.header_names import one_name
from botsieve.v1 import decision_pb2 as pb

_NONE: frozenset[bytes] = frozenset()
# No header fields of a client: pseudo-header fields of HTTP/2, and what an edge says and nobody else (docs/headers.md).
_NOT_THE_CLIENTS = (b":", b"x-botsieve-", b"x_botsieve_", b"x-ja3-fingerprint", b"x-ja4-fingerprint")
_OWN_NAMES = frozenset([b"cookie", b"refere", b"author", b"proxy-"])  # the first six letters
# For each byte whether one of those names, in either case, has it as its first, second, third or fourth letter.
_FIRST = bytes([any(name[0] == byte | 0x20 for name in _OWN_NAMES) for byte in range(256)])
_SECOND = bytes([any(name[1] == byte | 0x20 for name in _OWN_NAMES) for byte in range(256)])
_THIRD = bytes([any(name[2] == byte | 0x20 for name in _OWN_NAMES) for byte in range(256)])
_FOURTH = bytes([any(name[3] == byte | 0x20 for name in _OWN_NAMES) for byte in range(256)])
_FIELD = 0x52  # tag of an Observation's header field
_NAME, _VALUE, _LONG = 0x0A, 0x12, 0x80  # tags of a Header's fields; from here on a length goes on in the next byte
_MAX_KEPT = 320  # bytes of a field; a User-Agent has 110 to 250
_MAX_BLOCK, _MAX_KEPT_BLOCK = (
    seen.MAX_HEADER_VALUE,
    3072,
)  # bytes of all fields; of them without what is a visitor's own: some 1,000
_MAX_LOOKED_UP = 40  # fields of a request; browsers send 12 to 20, and to look up what is not there costs as much as to read it


def to_headers(fields: list[bytes]) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """Lower-case names with the first value of each, and the names that came more than once.  `fields`: Header messages.

    Several Cookie fields are one list in HTTP/2 (RFC 9113 section 8.2.3) and are joined.  Pseudo-header fields (`:path`) and
    what only an edge may say (`X-Botsieve-*`) are left out.  Errors: InvalidObservation for more than the proto allows, and for
    bytes that are no Header.
    """
    count = len(fields)
    if count > seen.MAX_HEADERS:
        raise InvalidObservation(
            "TOO_MANY_HEADERS",
            "headers",
            f"there are {count} header fields; accepted: at most {seen.MAX_HEADERS}, others cut and headers_cut set",
        )
    size = len(b"".join(fields))
    pairs = [*map(_field if count <= _MAX_LOOKED_UP else _read, fields)]
    # No value is longer than all of them with their lengths, so most requests need no look at each.
    if size > seen.MAX_HEADER_VALUE:
        _check_sizes(fields, size)
    headers = dict(pairs)
    if len(headers) == count and b"" not in headers:
        return headers, _NONE
    return _sorted_out(pairs)


class _Block:
    """What visitors with the same browser send.  `own`: the names of what is their own.

    `pieces`: the fields before the first of those, its name as it stands on the wire, the fields before the next, its name, and so on
    to the fields behind the last.
    """

    __slots__ = ("headers", "own", "pieces")

    def __init__(self, pieces: list[bytes], headers: dict[bytes, bytes], own: list[bytes]) -> None:
        self.pieces = pieces
        self.headers = headers
        self.own = own


def of_block(block: bytes) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """`to_headers` of fields as they stand on the wire (grpc_wire.py), each whole.

    Visitors with the same browser send the same fields but for those of their own: the rest, and in what order, is read once.
    """
    latest: _Block | None = _LATEST[_place(block)]
    headers = _alike(latest, block) if latest is not None and len(block) <= _MAX_BLOCK else None
    return (headers, _NONE) if headers is not None else _looked_up(block)


def _place(block: bytes) -> int:
    """Where the latest block like this one is found: by the lengths of its first fields, in which browsers differ."""
    at = place = 0
    end = len(block) - 2
    for _ in range(_TELLING):
        if at >= end:
            break
        size = block[at + 1]
        if size >= _LONG:
            size += (block[at + 2] << 7) - _LONG + 1
        place = place * 5 + size
        at += size + 2
    return place % _PLACES


def _alike(known: _Block, block: bytes) -> dict[bytes, bytes] | None:
    """The headers of a block that differs from a known one in nothing but the values of a visitor's own; None for any other.

    To compare the fields in between as a whole costs a third of finding each of them.
    """
    pieces, names, end = known.pieces, known.own, len(block)
    values: list[bytes] = []
    at = number = 0
    while number < len(names):
        fields, name = pieces[2 * number], pieces[2 * number + 1]
        to = at + len(fields)
        if to + 3 > end or block[at:to] != fields or block[to] != _FIELD:
            return None
        size, start = block[to + 1], to + 2
        if size >= _LONG:
            size += (block[start] << 7) - _LONG
            start += 1
        at = start + size
        if at > end or block[start : start + len(name)] != name:
            return None
        value_at = _value_at(block, start, at)
        if value_at < 0:
            return None
        values.append(block[value_at:at])
        number += 1
    if block[at:] != pieces[2 * number]:
        return None
    headers = known.headers.copy()
    for number, name in enumerate(names):
        headers[name] = values[number]
    return headers


def _looked_up(block: bytes) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """The same, field by field."""
    end = len(block)
    at = since = count = 0
    shared: list[bytes] = []
    own: list[bytes] = []
    while at < end:
        size, start = block[at + 1], at + 2
        if size >= _LONG:
            size += (block[start] << 7) - _LONG
            start += 1
        if size < 4 or block[start] != _NAME:
            return to_headers(fields_of(block))
        # As every encoder writes it: the name begins with the third byte.  A name that only looks like one of a visitor's own is
        # read every time, which is no mistake.
        if (
            _FIRST[block[start + 2]] != 0
            and _SECOND[block[start + 3]] != 0
            and size > 5
            and _THIRD[block[start + 4]] != 0
            and _FOURTH[block[start + 5]] != 0
        ):
            value_at = _value_at(block, start, start + size)
            if value_at < 0:
                return to_headers(fields_of(block))
            own.append(block[value_at : start + size])
            # Without the value, and with the length of the name: what follows cannot pass for a part of it.
            shared.append(block[since:at])
            shared.append(block[start : start + 2 + block[start + 1]])
            since = start + size
        elif size > _MAX_KEPT:
            return to_headers(fields_of(block))
        at = start + size
        count += 1
    if end > _MAX_BLOCK or count > _MAX_LOOKED_UP:
        return to_headers(fields_of(block))
    shared.append(block[since:])
    key = b"".join(shared)
    known = _BLOCKS.get(key)
    if known is None:
        return _read_block(block, key, shared, count)
    _LATEST[_place(block)] = known
    headers = known.headers.copy()
    for number, name in enumerate(known.own):
        headers[name] = own[number]
    return headers, _NONE


def _read_block(block: bytes, key: bytes, pieces: list[bytes], count: int) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """A block of `count` fields that is not known; from now on it is, if it may be."""
    fields = fields_of(block)
    headers, duplicated = to_headers(fields)
    if len(headers) == count and len(key) <= _MAX_KEPT_BLOCK:  # then they are in the order of the fields, each under its name
        kept = headers.copy()
        own = [name for name, field in zip(headers, fields, strict=True) if _looks_own(field)]
        for name in own:
            kept[name] = b""
        _BLOCKS.put(key, _Block(pieces, kept, own))
    return headers, duplicated


def fields_of(block: bytes) -> list[bytes]:
    """Each field of a block, without tag and length."""
    fields: list[bytes] = []
    at, end = 0, len(block)
    while at < end:
        size, start = block[at + 1], at + 2
        if size >= _LONG:
            size += (block[start] << 7) - _LONG
            start += 1
        at = start + size
        fields.append(block[start:at])
    return fields


def shown_beside(headers: Iterable[bytes]) -> frozenset[bytes]:
    """The names whose absence means something when these came and not everything is shown."""
    return _shown[tuple(headers)]


def _sorted_out(fields: list[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """`to_headers` for names that are repeated or not the client's."""
    headers: dict[bytes, bytes] = {}
    duplicated: set[bytes] = set()
    for name, value in fields:
        if not name:
            continue
        if name not in headers:
            headers[name] = value
        elif name == b"cookie":
            headers[name] += b"; " + value
        else:
            duplicated.add(name)
    return headers, frozenset(duplicated)


def _check_sizes(raws: list[bytes], size: int) -> None:
    longest = max([len(_read(raw)[1]) for raw in raws])
    if longest > seen.MAX_HEADER_VALUE:
        raise _too_long("headers.value", longest, seen.MAX_HEADER_VALUE)
    if size <= seen.MAX_HEADER_BYTES:
        return
    messages: list[pb.Header] = [parsed(pb.Header, raw) for raw in raws]
    total = sum(len(message.name) + len(message.value) for message in messages)
    if total > seen.MAX_HEADER_BYTES:
        raise InvalidObservation(
            "TOO_MANY_HEADERS",
            "headers",
            f"the header fields have {total} bytes; accepted: at most {seen.MAX_HEADER_BYTES}, others cut and headers_cut set",
        )


def _read(raw: bytes) -> tuple[bytes, bytes]:
    """Lower-case name and value of one field; no name: not the client's."""
    pair = _pair(raw)
    if pair is None:
        message: pb.Header = parsed(pb.Header, raw)
        pair = message.name, message.value
    name = pair[0].lower()
    if len(name) > seen.MAX_HEADER_NAME:
        raise _too_long("headers.name", len(name), seen.MAX_HEADER_NAME)
    return (b"" if name.startswith(_NOT_THE_CLIENTS) else one_name(name)), pair[1]


def _pair(raw: bytes) -> tuple[bytes, bytes] | None:
    """Name and value of a Header as every encoder writes it, None for what only protobuf can tell."""
    value_at = _value_at(raw, 0, len(raw))
    return (raw[2 : 2 + raw[1]], raw[value_at:]) if value_at >= 0 else None


def _value_at(raw: bytes, start: int, end: int) -> int:
    """Where the value begins in the Header that stands at `start` to `end`: as every encoder writes it, -1 for any other.

    That is: one byte each for the tag and the length of a short name, the name; the value's tag and one or two bytes of length.
    """
    if end - start < 3 or raw[start] != _NAME or raw[start + 1] >= _LONG:
        return -1
    at = start + 2 + raw[start + 1]
    if at == end:
        return end
    if at + 2 > end or raw[at] != _VALUE:
        return -1
    size, begun = raw[at + 1], at + 2
    if size >= _LONG:
        if begun == end or raw[begun] >= _LONG:
            return -1
        size += (raw[begun] << 7) - _LONG
        begun += 1
    return begun if begun + size == end else -1


def _looks_own(raw: bytes) -> bool:
    # As in `of_block`.
    return len(raw) > 5 and _FIRST[raw[2]] != 0 and _SECOND[raw[3]] != 0 and _THIRD[raw[4]] != 0 and _FOURTH[raw[5]] != 0


def _may_be_own(raw: bytes) -> bool:
    return _looks_own(raw) and raw[2:8].lower() in _OWN_NAMES


def _is_common(raw: bytes) -> bool:
    return len(raw) <= _MAX_KEPT and not _may_be_own(raw)


def _too_long(field: str, size: int, limit: int) -> InvalidObservation:
    return InvalidObservation("FIELD_TOO_LONG", field, f"{field} has {size} bytes; accepted: at most {limit}")


# Who invents fields pays for them and pushes only such fields out.  At most 2 MiB of fields are held, 4 MiB of lists, 8 MiB of blocks.
_known: Answers[bytes, tuple[bytes, bytes]] = Answers(1024, _read, _is_common)
_field = _known.__getitem__
_shown: Answers[tuple[bytes, ...], frozenset[bytes]] = Answers(
    256, SHOWN.union, lambda names: len(names) <= 40 and sum(map(len, names)) <= 1024
)
_BLOCKS: Remembered[bytes, _Block] = Remembered(512)
_PLACES = 256
_LATEST: list[_Block | None] = [None] * _PLACES
_TELLING = 4  # fields
