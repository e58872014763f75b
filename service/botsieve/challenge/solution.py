"""What is posted to `solve`: its shape, and whether a page of this site posted it.

Law of the file: any bytes give a Solution or None.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from botsieve.challenge.pow import MAX_ANSWER
from botsieve.challenge.settings import MAX_PUZZLES
from botsieve.challenge.tokens import MAX_TEXT
from botsieve.observation import Observation

Answered = Annotated[int, msgspec.Meta(ge=0, le=MAX_ANSWER)]


class Solution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`token`: as it was handed out.  `answers`: one number a puzzle, in order."""

    token: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    answers: Annotated[list[Answered], msgspec.Meta(min_length=1, max_length=MAX_PUZZLES)]


_DECODER = msgspec.json.Decoder(Solution, strict=True)


def parse_solution(body: bytes) -> Solution | None:
    """The solution in a request body, None for anything that is not exactly one."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def same_origin(o: Observation) -> bool:
    """Whether a page of the same host sent this, or a program that says nothing of origins.

    Fetch Metadata first; where a browser sends none, Origin must name our scheme and host (the port is not known here).
    """
    site = o.header(b"sec-fetch-site")
    if site:
        return site == b"same-origin"
    origin = o.header(b"origin")
    if not origin:
        return True
    scheme, mark, authority = origin.lower().partition(b"://")
    if not mark or (o.scheme and scheme != o.scheme):
        return False
    return host_of(authority) == o.host


def host_of(authority: bytes) -> bytes:
    """`shop.example:8443` without its port; an IPv6 address keeps its brackets."""
    return authority.partition(b"]")[0] + b"]" if authority.startswith(b"[") else authority.partition(b":")[0]
