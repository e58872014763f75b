"""What our script posts to `d`: its shape.

Law of the file: any bytes give a BrowserReport or None; at most 4 KiB are looked at.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_REPORT = 4096
# Our texts have 72 characters.  The script cuts at this length: what was blown up is still seen to be none of ours.
MAX_COPY = 160
MAX_EXTENSIONS = 20


def _text(longest: int) -> msgspec.Meta:
    return msgspec.Meta(max_length=longest)


class BrowserReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All fields may be missing: "" and [] say nothing.

    `local`, `indexed`: the copies of the device id.  `fingerprint`: 32 hex digits.
    `marks`: names of marks.py that the script found.  `agent`, `languages`, `platform`: what the browser tells scripts.
    `extensions`: names of the operator's list that answered.
    """

    local: Annotated[str, _text(MAX_COPY)] = ""
    indexed: Annotated[str, _text(MAX_COPY)] = ""
    fingerprint: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{32})?\Z")] = ""
    marks: Annotated[list[Annotated[str, _text(32)]], msgspec.Meta(max_length=32)] = []
    agent: Annotated[str, _text(1024)] = ""
    languages: Annotated[list[Annotated[str, _text(40)]], msgspec.Meta(max_length=10)] = []
    platform: Annotated[str, _text(64)] = ""
    extensions: Annotated[list[Annotated[str, _text(64)]], msgspec.Meta(max_length=MAX_EXTENSIONS)] = []


_DECODER = msgspec.json.Decoder(BrowserReport, strict=True)


def parse_report(body: bytes) -> BrowserReport | None:
    """The report in a request body, None for anything that is not exactly one."""
    if len(body) > MAX_REPORT:
        return None
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
