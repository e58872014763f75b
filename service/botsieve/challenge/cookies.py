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
# What all our names begin with; the letter behind it tells them apart.
_MARK, _HOST_MARK = b"botsieve_", b"__Host-botsieve_"
_CLEARANCE, _SESSION, _DEVICE = ord("c"), ord("s"), ord("d")
_FIRST, _HOST_FIRST = ord("b"), ord("_")
_LENGTH, _HOST_LENGTH = 9, 16
_EQUALS, _BLANK = ord("="), ord(" ")
_BLANKS = frozenset(b"\t\n\r\x0b\x0c")
# Browsers keep 180 a host at most.  What stands behind so many is not looked at: a header of nothing but semicolons costs no more.
MAX_COOKIES = 400
_NONE: list[bytes] = []
_KEPT = "; Path=/; HttpOnly; SameSite=Lax"
_KEPT_SECURE = _KEPT + "; Secure"

Carried = tuple[list[bytes], list[bytes], list[bytes]]
# Who carries none of ours.  Nobody changes these lists.
NOTHING_CARRIED: Carried = (_NONE, _NONE, _NONE)


def carried_cookies(o: Observation) -> Carried:
    """The values of our cookies in a request: of clearance, session and device, each in the order sent, at most 8.

    On https only the `__Host-` name counts (nobody but this host can set it), on http only the plain one, both where the edge
    does not know the scheme.
    """
    header = o.headers.get(b"cookie")
    # Who carries none of ours, a newcomer or a program, is done with at one look: half the price of a look at each.  (By `find` it
    # would cost half as much again.)
    if header is None or not header.partition(_MARK)[1]:
        return NOTHING_CARRIED
    pieces: list[bytes] = header.split(b";", MAX_COOKIES)
    if len(pieces) > MAX_COOKIES:
        pieces.pop()
    scheme = o.scheme
    clearances = sessions = devices = _NONE
    for piece in pieces:
        # Letter by letter: compiled, that costs a tenth of a call, and most pieces are done with at their first letter.
        end = len(piece)
        at = 0
        while at < end and (piece[at] == _BLANK or (piece[at] < _BLANK and piece[at] in _BLANKS)):
            at += 1
        if at == end or (piece[at] != _HOST_FIRST and piece[at] != _FIRST):
            continue
        name = piece[at:] if at else piece
        if name.startswith(_HOST_MARK):
            if scheme == b"http":
                continue
            at = _HOST_LENGTH
        elif name.startswith(_MARK) and scheme != b"https":
            at = _LENGTH
        else:
            continue
        if len(name) < at + 2 or name[at + 1] != _EQUALS:
            continue
        kind, value = name[at], name[at + 2 :]
        if value and value[-1] <= _BLANK:
            value = value.rstrip()
        if kind == _SESSION:
            sessions = _with(sessions, value)
        elif kind == _DEVICE:
            devices = _with(devices, value)
        elif kind == _CLEARANCE:
            clearances = _with(clearances, value)
    return clearances, sessions, devices


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
    if max_age_s is None and not returns:  # of a session, which each newcomer is given
        return f"{_HOST_PREFIX}{base}={value}{_KEPT_SECURE}" if secure else f"{base}={value}{_KEPT}"
    name = _HOST_PREFIX + base if secure else base
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    same_site = "None" if returns and secure and b"sec-fetch-site" in o.headers else "Lax"
    return f"{name}={value}{age}; Path=/; HttpOnly; SameSite={same_site}{'; Secure' if secure else ''}"
