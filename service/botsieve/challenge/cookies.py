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
_NEEDLES = {base: base.encode() + b"=" for base in (CLEARANCE_COOKIE, SESSION_COOKIE, DEVICE_COOKIE)}
_BLANKS, _SEMICOLON = b" \t\n\r\x0b\x0c", ord(";")


def cookie_values(o: Observation, base: str) -> list[bytes]:
    """The values of our cookie in a request, in the order sent, at most 8.

    On https only the `__Host-` name counts (nobody but this host can set it), on http only the plain one, both where the edge
    does not know the scheme.
    """
    header = o.headers.get(b"cookie", b"")
    needle = _NEEDLES.get(base) or base.encode() + b"="
    at = header.find(needle)
    if at < 0:
        return []
    values: list[bytes] = []
    while at >= 0 and len(values) < MAX_SAME_NAME:
        begin, after = at, at + len(needle)
        is_host_only = header[at - 7 : at] == _HOST_ONLY if at >= 7 else False
        if is_host_only:
            begin -= 7
        while begin > 0 and header[begin - 1] in _BLANKS:
            begin -= 1
        if (begin == 0 or header[begin - 1] == _SEMICOLON) and (
            o.scheme != b"https" if not is_host_only else o.scheme != b"http"
        ):
            end = header.find(b";", after)
            values.append((header[after:] if end < 0 else header[after:end]).rstrip())
        at = header.find(needle, after)
    return values


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
