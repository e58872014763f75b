"""Reads the time of a log line: `$time_local`, `$time_iso8601` and `$msec` as seconds since 1970.

Law of the file: any bytes give seconds or None.  The minute of a stamp is parsed once and remembered, since neighbouring lines
share it; the memory is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

TimeParser = Callable[[bytes], float | None]

_LOCAL = re.compile(rb"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_ISO = re.compile(rb"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:(Z)|([+-])(\d\d):?(\d\d))")
_MSEC = re.compile(rb"\d{1,11}(?:\.\d{1,9})?")
_MONTHS = {name: at for at, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
# No log is from later than the year 9999: beyond it nothing can print the time.
_LATEST_S = 253_402_300_799.0
_REMEMBERED = 4096
_minutes: dict[bytes, float] = {}

LOCAL_LENGTH = 26  # bytes of `17/May/2015:10:05:40 +0000`


def parse_time_local(stamp: bytes) -> float | None:
    """`17/May/2015:10:05:40 +0000`, resolution 1 s."""
    minute = stamp[:17] + stamp[20:]
    start_s = _minutes.get(minute)
    if start_s is not None and len(stamp) == LOCAL_LENGTH:
        second = stamp[18:20]
        if second.isdigit() and second < b"61" and stamp[17] == 0x3A:
            return start_s + int(second)
        return None
    found = _LOCAL.fullmatch(stamp)
    if found is None or found[2] not in _MONTHS or found[6] > b"60":
        return None
    day, hour, minute_of_hour = int(found[1]), int(found[4]), int(found[5])
    start_s = _seconds(int(found[3]), _MONTHS[found[2]], day, hour, minute_of_hour, _offset(found[7], found[8], found[9]))
    if start_s is None:
        return None
    if len(_minutes) >= _REMEMBERED:
        _minutes.clear()
    _minutes[minute] = start_s
    return start_s + int(found[6])


def parse_time_iso8601(stamp: bytes) -> float | None:
    """`2015-05-17T10:05:40+00:00`, also with `Z` and with a fraction."""
    found = _ISO.fullmatch(stamp)
    if found is None or found[6] > b"60":
        return None
    year, month, day, hour, minute = (int(found[at]) for at in range(1, 6))
    offset = timedelta(0) if found[8] else _offset(found[9], found[10], found[11])
    start_s = _seconds(year, month, day, hour, minute, offset)
    if start_s is None:
        return None
    return start_s + int(found[6]) + float(found[7] or 0)


def parse_msec(stamp: bytes) -> float | None:
    """`1795296799.898`, the form of `$msec`."""
    if _MSEC.fullmatch(stamp) is None:
        return None
    time_s = float(stamp)
    return time_s if time_s <= _LATEST_S else None


def _offset(sign: bytes, hours: bytes, minutes: bytes) -> timedelta:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == b"-" else offset


def _seconds(year: int, month: int, day: int, hour: int, minute: int, offset: timedelta) -> float | None:
    try:
        start_s = datetime(year, month, day, hour, minute, tzinfo=timezone(offset)).timestamp()
    except (ValueError, OverflowError):
        return None
    # A minute before the last one: the second is added by the caller.
    return start_s if 0 <= start_s <= _LATEST_S - 60 else None
