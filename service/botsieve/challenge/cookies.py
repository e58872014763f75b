"""Our cookies: reading all of one name, writing one.

Law of the file: several cookies of one name are normal (an old path, a changed attribute, a sibling host); all are tried.
Nothing is ever cleared: a late answer would delete a fresh cookie.
"""

from __future__ import annotations

from botsieve.observation import Observation

CLEARANCE_COOKIE, SESSION_COOKIE, DEVICE_COOKIE = "botsieve_c", "botsieve_s", "botsieve_d"
# A client that sends more of one name gets the first eight looked at.
MAX_SAME_NAME = 8
_HOST_PREFIX = "__Host-"
_HOST_ONLY = _HOST_PREFIX.encode()
# What all our names begin with; the letter behind it tells them apart.
_MARK = b"botsieve_"
_CLEARANCE, _SESSION, _DEVICE = ord("c"), ord("s"), ord("d")
_EQUALS, _SEMICOLON, _BLANK = ord("="), ord(";"), ord(" ")
_BLANKS = frozenset(b" \t\n\r\x0b\x0c")
_NONE: list[bytes] = []

Carried = tuple[list[bytes], list[bytes], list[bytes]]
# Who carries none of ours.  Nobody changes these lists.
NOTHING_CARRIED: Carried = (_NONE, _NONE, _NONE)


def carried_cookies(o: Observation) -> Carried:
    """The values of our cookies in a request: of clearance, session and device, each in the order sent, at most 8.

    On https only the `__Host-` name counts (nobody but this host can set it), on http only the plain one, both where the edge
    does not know the scheme.
    """
    header = o.headers.get(b"cookie")
    if header is None:
        return NOTHING_CARRIED
    # One call for the whole header: looking for each of the names is what costs.
    pieces = header.split(_MARK)
    if len(pieces) == 1:
        return NOTHING_CARRIED
    clearances = sessions = devices = _NONE
    before = pieces[0]
    for number in range(1, len(pieces)):
        piece = pieces[number]
        if len(piece) > 1 and piece[1] == _EQUALS and _begins_here(before, o.scheme, is_first=number == 1):
            kind = piece[0]
            value, end, _ = piece[2:].partition(b";")
            if not end and number + 1 < len(pieces):  # our names stand in the value itself: nobody's cookie
                value = _MARK.join([value, *pieces[number + 1 :]]).partition(b";")[0]
            if value and value[-1] <= _BLANK:
                value = value.rstrip()
            if kind == _SESSION:
                sessions = _with(sessions, value)
            elif kind == _DEVICE:
                devices = _with(devices, value)
            elif kind == _CLEARANCE:
                clearances = _with(clearances, value)
        before = piece
    return clearances, sessions, devices


def _begins_here(before: bytes, scheme: bytes, *, is_first: bool) -> bool:
    """Whether a cookie's name begins behind these bytes, or with `__Host-` at their end, and may on this scheme.

    `is_first`: nothing is before them.
    """
    at = len(before)
    if at >= 7 and before[at - 1] == _HOST_ONLY[6] and before[at - 7 :] == _HOST_ONLY:
        if scheme == b"http":
            return False
        at -= 7
    elif scheme == b"https":
        return False
    while at > 0 and before[at - 1] <= _BLANK and before[at - 1] in _BLANKS:
        at -= 1
    return before[at - 1] == _SEMICOLON if at > 0 else is_first


def _with(values: list[bytes], value: bytes) -> list[bytes]:
    if not values:
        return [value]
    if len(values) < MAX_SAME_NAME:
        values.append(value)
    return values


def cookie_values(o: Observation, base: str) -> list[bytes]:
    """The values of one of our cookies (CLEARANCE_COOKIE, SESSION_COOKIE or DEVICE_COOKIE): as carried_cookies."""
    clearances, sessions, devices = carried_cookies(o)
    return {CLEARANCE_COOKIE: clearances, SESSION_COOKIE: sessions, DEVICE_COOKIE: devices}[base]


def set_cookie(o: Observation, base: str, value: str, max_age_s: int | None = None, *, returns: bool = False) -> str:
    """The value of a Set-Cookie header for the host of this request.  `max_age_s` None: until the browser closes.

    `returns`: it also comes with a form that another site posts here (a login elsewhere, a payment).  Only where the browser sends Fetch
    Metadata: older ones take `SameSite=None` for `Strict`.
    """
    secure = o.scheme == b"https"
    name = _HOST_PREFIX + base if secure else base
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    same_site = "None" if returns and secure and b"sec-fetch-site" in o.headers else "Lax"
    return f"{name}={value}{age}; Path=/; HttpOnly; SameSite={same_site}{'; Secure' if secure else ''}"
