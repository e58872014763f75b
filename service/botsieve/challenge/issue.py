"""The puzzle that a challenge hands out, as a signed token.

Law of the file: everything that redeeming needs is in the token and signed: level, difficulty, expiry, nonce, the process
that issued it and where it was asked from.
"""

from __future__ import annotations

import struct

import msgspec

from botsieve.challenge.binding import context_of, family_of, place_of
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.settings import ChallengeSettings
from botsieve.challenge.tokens import CHALLENGE, open_token, seal
from botsieve.decision import LEVELS
from botsieve.observation import Observation

NONCE_BYTES = 16
MAX_PROCESS_ID = 16
# issued, expires, level, puzzles, bits
_PACKED = struct.Struct(">IIBBB")


class Challenge(msgspec.Struct, frozen=True, gc=False):
    """An opened challenge token.  Times are the service's clock; `place`, `family` are those of the request that got it."""

    issued_s: int
    expires_s: int
    level: str
    puzzles: int
    bits: int
    nonce: bytes
    process: bytes
    place: bytes
    family: bytes


class Issuer:
    """Seals and opens challenge tokens, and holds what sealing any token needs."""

    __slots__ = ("keys", "process_id", "settings")

    def __init__(self, settings: ChallengeSettings, keys: KeyRing, process_id: bytes) -> None:
        """`process_id`: 1 to 16 bytes, another one for every process and every start.  Errors: ValueError."""
        if not 1 <= len(process_id) <= MAX_PROCESS_ID:
            raise ValueError(f"a process id has 1 to {MAX_PROCESS_ID} bytes, not {len(process_id)}")
        self.settings = settings
        self.keys = keys
        self.process_id = process_id

    def seal(self, o: Observation, level: str, now_s: float, random16: bytes) -> str:
        """A puzzle for whoever sent this request.  `random16`: the nonce.  Errors: ValueError for another length."""
        work = self.settings.levels[level]
        packed = _PACKED.pack(int(now_s), int(now_s) + self.settings.valid_s, LEVELS.index(level), work.puzzles, work.bits)
        return seal(self.keys, CHALLENGE, (packed, *self.origin(o, random16)), context_of(o))

    def open(self, o: Observation, token: bytes) -> Challenge | None:
        """A puzzle issued to this host and User-Agent, None for anything else.  Expiry is not looked at."""
        fields = open_token(self.keys, CHALLENGE, token, context_of(o))
        if fields is None:
            return None
        packed, nonce, process, place, family = fields
        issued_s, expires_s, level, puzzles, bits = _PACKED.unpack(packed)
        return Challenge(issued_s, expires_s, LEVELS[level], puzzles, bits, nonce, process, place, family)

    def origin(self, o: Observation, random16: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """Nonce, process, place and family: what every token that can be redeemed carries."""
        if len(random16) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(random16)}")
        return (random16, self.process_id, place_of(o), family_of(o))
