"""The path for browsers without script: a signed link that works once, after a wait.

Law of the file: the wait is kept here and not in the page, the link works once, and the visitor lands on the page that was
asked for: its path is in the signed token and nowhere else.  Any script can wait, so what it earns is short and only given
below a score.
"""

from __future__ import annotations

import struct

import msgspec

from botsieve.challenge.binding import context_of
from botsieve.challenge.issue import Issuer
from botsieve.challenge.settings import ChallengeSettings
from botsieve.challenge.tokens import WAIT, open_token, seal
from botsieve.decision import LEVELS
from botsieve.observation import Observation

# A longer path and query is not kept: the visitor lands on the front page.
MAX_TARGET = 2048
# not before, expires, level
_PACKED = struct.Struct(">IIB")


class Wait(msgspec.Struct, frozen=True, gc=False):
    """An opened wait token.

    `level`: of the challenge that it stands in for.  `target`: path and query to land on, b"" when a form was challenged: it has
    to be sent again.
    """

    not_before_s: int
    expires_s: int
    level: str
    nonce: bytes
    process: bytes
    place: bytes
    family: bytes
    target: bytes


def is_offered(settings: ChallengeSettings, level: str, score: int) -> bool:
    """Whether a challenge may be waited out: switched on, score below the limit, and not a hard one."""
    return settings.no_js.enabled and score < settings.no_js.score_below and level != "hard"


def seal_wait(issuer: Issuer, o: Observation, level: str, now_s: float, random16: bytes) -> str:
    """The token of the link.  `random16`: the nonce of the challenge beside it, so that only one of the two is redeemed."""
    # Seconds are cut, not rounded up: a browser that waits exactly as long as the page says is never too early.
    not_before_s, expires_s = int(now_s) + issuer.settings.no_js.wait_s, int(now_s) + issuer.settings.valid_s
    packed = _PACKED.pack(not_before_s, expires_s, LEVELS.index(level))
    target = safe_target(o.uri) if o.method in (b"GET", b"HEAD") else b""
    return seal(issuer.keys, WAIT, (packed, *issuer.origin(o, random16), target), context_of(o))


def open_wait(issuer: Issuer, o: Observation, token: bytes) -> Wait | None:
    """A wait issued to this host and User-Agent, None for anything else.  Times are not looked at."""
    fields = open_token(issuer.keys, WAIT, token, context_of(o))
    if fields is None:
        return None
    packed, nonce, process, place, family, target = fields
    not_before_s, expires_s, level = _PACKED.unpack(packed)
    return Wait(not_before_s, expires_s, LEVELS[level], nonce, process, place, family, target)


def safe_target(uri: bytes) -> bytes:
    """The path and query of a request as a place on the same host that a browser can be sent to, `/` for anything else.

    Only what begins with `/` and neither `//` nor `/\\` (both are other hosts to a browser).  Bytes outside printable ASCII are
    percent-encoded: browsers drop tabs and line ends, so a slash, a tab and a slash would become `//`.
    """
    if not uri.startswith(b"/") or uri[1:2] in (b"/", b"\\") or len(uri) > MAX_TARGET:
        return b"/"
    target = b"".join(bytes((byte,)) if 0x21 <= byte <= 0x7E else b"%%%02X" % byte for byte in uri)
    return target if len(target) <= MAX_TARGET else b"/"
