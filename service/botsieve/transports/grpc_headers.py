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
from botsieve.v1 import decision_pb2 as pb

_NONE: frozenset[bytes] = frozenset()
# No header fields of a client: pseudo-header fields of HTTP/2, and what an edge says and nobody else (docs/headers.md).
_NOT_THE_CLIENTS = (b":", b"x-botsieve-", b"x_botsieve_", b"x-ja3-fingerprint", b"x-ja4-fingerprint")
_OWN_NAMES = frozenset([b"cookie", b"refere", b"author", b"proxy-"])  # the first six letters
# For each byte whether one of those names, in either case, has it as its first or second letter.
_FIRST = bytes([any(name[0] == byte | 0x20 for name in _OWN_NAMES) for byte in range(256)])
_SECOND = bytes([any(name[1] == byte | 0x20 for name in _OWN_NAMES) for byte in range(256)])
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


def of_block(block: bytes) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """`to_headers` of fields as they stand on the wire (grpc_wire.py), each whole.

    Visitors with the same browser send the same fields but for those of their own: the rest, and in what order, is read once.
    """
    end = len(block)
    at = since = count = 0
    shared: list[bytes] = []
    own: list[tuple[bytes, bytes]] = []
    while at < end:
        size, start = block[at + 1], at + 2
        if size >= _LONG:
            size += (block[start] << 7) - _LONG
            start += 1
        if size < 4 or block[start] != _NAME:
            return to_headers(fields_of(block))
        if _FIRST[block[start + 2]] != 0 and _SECOND[block[start + 3]] != 0 and _may_be_own(block[start : start + size]):
            pair = _pair(block[start : start + size])
            if pair is None:
                return to_headers(fields_of(block))
            own.append((pair[0].lower(), pair[1]))
            # Without the value, and with the length of the name: what follows cannot pass for a part of it.
            shared += (block[since:at], block[start : start + 2 + len(pair[0])])
            since = start + size
        elif size > _MAX_KEPT:
            return to_headers(fields_of(block))
        at = start + size
        count += 1
    if end > _MAX_BLOCK or count > _MAX_LOOKED_UP:
        return to_headers(fields_of(block))
    shared.append(block[since:])
    key = b"".join(shared)
    known = _blocks.get(key)
    if known is None:
        headers, duplicated = to_headers(fields_of(block))
        if len(headers) == count and len(key) <= _MAX_KEPT_BLOCK:
            known = headers.copy()
            known.update([(name, b"") for name, _ in own])
            _blocks.put(key, known)
        return headers, duplicated
    headers = known.copy()
    for name, value in own:
        headers[name] = value
    return headers, _NONE


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
    return (b"" if name.startswith(_NOT_THE_CLIENTS) else name), pair[1]


def _pair(raw: bytes) -> tuple[bytes, bytes] | None:
    """Name and value of a Header as every encoder writes it, None for what only protobuf can tell.

    That is: one byte each for the tag and the length of a short name, the name; the value's tag and one or two bytes of length.
    """
    end = len(raw)
    if end < 3 or raw[0] != _NAME or raw[1] >= _LONG:
        return None
    at = 2 + raw[1]
    if at == end:
        return raw[2:], b""
    if at + 2 > end or raw[at] != _VALUE:
        return None
    size, start = raw[at + 1], at + 2
    if size >= _LONG:
        if start == end or raw[start] >= _LONG:
            return None
        size += (raw[start] << 7) - _LONG
        start += 1
    return (raw[2:at], raw[start:end]) if start + size == end else None


def _may_be_own(raw: bytes) -> bool:
    # As every encoder writes it: the name begins with the third byte.  Most names are told apart by their first two letters.
    return len(raw) > 3 and _FIRST[raw[2]] != 0 and _SECOND[raw[3]] != 0 and raw[2:8].lower() in _OWN_NAMES


def _is_common(raw: bytes) -> bool:
    return len(raw) <= _MAX_KEPT and not _may_be_own(raw)


def _too_long(field: str, size: int, limit: int) -> InvalidObservation:
    return InvalidObservation("FIELD_TOO_LONG", field, f"{field} has {size} bytes; accepted: at most {limit}")


# Who invents fields pays for them and pushes only such fields out.  At most 2 MiB of fields are held, 4 MiB of lists, 6 MiB of blocks.
_known: Answers[bytes, tuple[bytes, bytes]] = Answers(1024, _read, _is_common)
_field = _known.__getitem__
_shown: Answers[tuple[bytes, ...], frozenset[bytes]] = Answers(
    256, SHOWN.union, lambda names: len(names) <= 40 and sum(map(len, names)) <= 1024
)
_blocks: Remembered[bytes, dict[bytes, bytes]] = Remembered(512)
