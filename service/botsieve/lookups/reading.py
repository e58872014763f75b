"""The process that reads lists of addresses: parses, merges, lays them over each other, and hands over packed ranges.

`python -c "from botsieve.lookups.reading import main; main()"` takes one encoded Ask on stdin and writes one Report to stdout.

Law of the file: a list that is broken, empty, gone or suddenly ten times larger never takes the place of the one before it: that one
was kept, packed, in `keep`.  What cannot be answered with either is said as `lost`.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from botsieve.confined import confine
from botsieve.lookups.layers import Span, flattened, merged, share_of_ipv4
from botsieve.lookups.list_text import MAX_BYTES, parse_list
from botsieve.ranges import RangeSet
from botsieve.whole_file import replace_whole

# A list that is so many times larger than the one in force is taken for a mistake, above sizes that grow so by themselves.
TIMES = 10
_FEW_RANGES, _FEW_SHARE = 100, 1 / 256
_SUFFIX = ".ranges"


class Wanted(msgspec.Struct, frozen=True):
    """One list, and what of it is in force now: how many ranges, and which share of IPv4.  0: nothing, so any size is accepted."""

    file: str
    ranges: int = 0
    share: float = 0.0


class Ask(msgspec.Struct, frozen=True):
    """`reputation`: the strictest first.  `keep`: the folder of the last good lists, "" to keep none."""

    reputation: tuple[Wanted, ...] = ()
    allow: tuple[Wanted, ...] = ()
    keep: str = ""


class Said(msgspec.Struct, frozen=True):
    """What became of one file.  `mistakes`: `FILE:LINE: text`, empty when it was taken.  `ranges`, `share`: of what is used instead
    too.  `lost`: it is refused and there is nothing to use instead."""

    file: str
    ranges: int = 0
    share: float = 0.0
    mistakes: tuple[str, ...] = ()
    lost: bool = False


class Report(msgspec.Struct, frozen=True):
    """`reputation`, `allow`: packed ranges; `which`: for each range of `reputation` the place of its list in the Ask."""

    reputation: bytes = b""
    which: bytes = b""
    allow: bytes = b""
    said: tuple[Said, ...] = ()


encode = msgspec.msgpack.Encoder().encode  # an Ask, or a Report
_decode_ask = msgspec.msgpack.Decoder(Ask).decode
_decode_report = msgspec.msgpack.Decoder(Report).decode


def decode_report(raw: bytes) -> Report:
    """What a child wrote.  Errors: ValueError for anything else (a child that died half-way)."""
    try:
        return _decode_report(raw)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a report: {error}") from None


def main() -> None:
    """What runs in the child."""
    confine()
    sys.stdout.buffer.write(encode(read_lists(_decode_ask(sys.stdin.buffer.read()))))


def read_lists(ask: Ask) -> Report:
    """Every list of an Ask.  Never raises for what the files hold or lack."""
    said: dict[str, Said] = {}
    spans: dict[str, list[Span]] = {}
    for wanted in (*ask.reputation, *ask.allow):
        if wanted.file not in said:
            said[wanted.file], spans[wanted.file] = _one(wanted, ask.keep)
    if ask.keep:
        _forget_others(ask.keep, list(said))
    allow = merged(span for wanted in ask.allow for span in spans[wanted.file])
    cut, which = flattened([spans[wanted.file] for wanted in ask.reputation])
    return Report(RangeSet.of_numbers(cut).pack(), which, RangeSet.of_numbers(allow).pack(), tuple(said.values()))


def _one(wanted: Wanted, keep: str) -> tuple[Said, list[Span]]:
    spans, mistakes = _read(wanted.file)
    share = share_of_ipv4(spans)
    if not mistakes:
        mistakes = _too_large(wanted, len(spans), share)
    if not mistakes:
        if keep:
            _keep(wanted.file, keep, spans)
        return Said(wanted.file, len(spans), share), spans
    told = tuple(f"{wanted.file}:{mistake}" for mistake in mistakes)
    kept = _kept(wanted.file, keep) if keep else []
    return Said(wanted.file, len(kept), share_of_ipv4(kept), told, lost=not kept), kept


def _read(file: str) -> tuple[list[Span], list[str]]:
    """Merged spans, or mistakes."""
    try:
        with Path(file).open("rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return [], ["1: this is no regular file; accepted: a list of addresses"]
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "not readable"
        return [], [f"1: the file cannot be read ({why}); accepted: a list of addresses"]
    parsed = parse_list(raw)
    return ([], parsed.mistakes) if parsed.mistakes else (merged(parsed.spans), [])


def _too_large(wanted: Wanted, ranges: int, share: float) -> list[str]:
    if not wanted.ranges:
        return []
    if ranges >= TIMES * max(wanted.ranges, _FEW_RANGES):
        what = f"{ranges:,} ranges, where {wanted.ranges:,} are in force"
    elif share >= TIMES * max(wanted.share, _FEW_SHARE):
        what = f"{share:.1%} of all IPv4 addresses, where {wanted.share:.1%} are in force"
    else:
        return []
    return [f"1: the file holds {what}; accepted: less than {TIMES} times as much, or a restart, which takes it as it is"]


# ---- the last good ones


def _kept_file(file: str, keep: str) -> Path:
    return Path(keep) / (hashlib.blake2s(file.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest() + _SUFFIX)


def _keep(file: str, keep: str, spans: Sequence[Span]) -> None:
    """A folder that cannot be written costs the safety net and nothing else."""
    place = _kept_file(file, keep)
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_whole(place, [RangeSet.of_numbers(spans).pack()])


def _kept(file: str, keep: str) -> list[Span]:
    try:
        return merged(RangeSet.unpack(_kept_file(file, keep).read_bytes()).numbers())
    except (OSError, ValueError):
        return []


def _forget_others(keep: str, files: Sequence[str]) -> None:
    mine = {_kept_file(file, keep) for file in files}
    with suppress(OSError):
        for place in Path(keep).glob(f"*{_SUFFIX}"):
            if place not in mine:
                place.unlink()
