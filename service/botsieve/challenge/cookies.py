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


def cookie_values(o: Observation, base: str) -> list[bytes]:
    """The values of our cookie in a request, in the order sent, at most 8.

    On https only the `__Host-` name counts (nobody but this host can set it), on http only the plain one, both where the edge
    does not know the scheme.
    """
    header = o.header(b"cookie")
    plain = base.encode()
    if plain not in header:
        return []
    names = {b"https": (b"__Host-" + plain,), b"http": (plain,)}.get(o.scheme, (b"__Host-" + plain, plain))
    values: list[bytes] = []
    for part in header.split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name in names:
            values.append(value)
            if len(values) == MAX_SAME_NAME:
                break
    return values


def set_cookie(o: Observation, base: str, value: str, max_age_s: int | None = None) -> str:
    """The value of a Set-Cookie header for the host of this request.  `max_age_s` None: until the browser closes."""
    secure = o.scheme == b"https"
    name = _HOST_PREFIX + base if secure else base
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    return f"{name}={value}{age}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
