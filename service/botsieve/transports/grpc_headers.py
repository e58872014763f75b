"""A client's header fields as a gateway tells them: Header messages, still as bytes, to names and values.

Law of the file: the same bytes always mean the same field, so what many visitors send alike is read once.  What is each visitor's
own (cookies, credentials, the page before) is read every time and not held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from botsieve import observation as seen
from botsieve.errors import InvalidObservation
from botsieve.remembered import Answers
from botsieve.transports.gateway_headers import SHOWN
from botsieve.transports.grpc_lean import parsed
from botsieve.v1 import decision_pb2 as pb

_NONE: frozenset[bytes] = frozenset()
# No header fields of a client: pseudo-header fields of HTTP/2, and what an edge says and nobody else (docs/headers.md).
_NOT_THE_CLIENTS = (b":", b"x-botsieve-", b"x_botsieve_", b"x-ja3-fingerprint", b"x-ja4-fingerprint")
_OWN_NAMES = frozenset([b"cookie", b"refere", b"author", b"proxy-"])  # the first six letters
_MAX_KEPT = 320  # bytes of a field; a User-Agent has 110 to 250
_MAX_LOOKED_UP = 40  # fields of a request; browsers send 12 to 20, and to look up what is not there costs as much as to read it


def to_headers(fields: Sequence[bytes]) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
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
    raws = fields[:]
    size = len(b"".join(raws))
    pairs = [*map(_field if count <= _MAX_LOOKED_UP else _read, raws)]
    # No value is longer than all of them with their lengths, so most requests need no look at each.
    if size > seen.MAX_HEADER_VALUE:
        _check_sizes(raws, pairs, size)
    headers = dict(pairs)
    if len(headers) == count and b"" not in headers:
        return headers, _NONE
    return _sorted_out(pairs)


def shown_beside(headers: Iterable[bytes]) -> frozenset[bytes]:
    """The names whose absence means something when these came and not everything is shown."""
    return _shown[tuple(headers)]


def _sorted_out(fields: Iterable[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
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


def _check_sizes(raws: Sequence[bytes], pairs: Sequence[tuple[bytes, bytes]], size: int) -> None:
    longest = max(len(value) for _, value in pairs)
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
    message: pb.Header = parsed(pb.Header, raw)
    name = message.name.lower()
    if len(name) > seen.MAX_HEADER_NAME:
        raise _too_long("headers.name", len(name), seen.MAX_HEADER_NAME)
    return (b"" if name.startswith(_NOT_THE_CLIENTS) else name), message.value


def _is_common(raw: bytes) -> bool:
    # As every encoder writes it: one byte each for the tag and the length of a short name, then the name.
    return len(raw) <= _MAX_KEPT and raw[2:8].lower() not in _OWN_NAMES


def _too_long(field: str, size: int, limit: int) -> InvalidObservation:
    return InvalidObservation("FIELD_TOO_LONG", field, f"{field} has {size} bytes; accepted: at most {limit}")


# Who invents fields pays for them and pushes only such fields out.  At most 2 MiB of fields are held, and 4 MiB of lists.
_field = Answers(1024, _read, _is_common).__getitem__
_shown: Answers[tuple[bytes, ...], frozenset[bytes]] = Answers(
    256, SHOWN.union, lambda names: len(names) <= 40 and sum(map(len, names)) <= 1024
)
