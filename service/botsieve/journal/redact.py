"""The one place where personal data is made fit for a sink: addresses as `privacy.addresses` says, and routes without values.

Law of the file: whatever leaves the process with an address in it, log line, control answer or export, went through here.
Cookie, Authorization and query values need no redaction: they are never copied into a record (journal/record.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from botsieve.observation import DIGITS, address_text, network_text
from botsieve.ranges import V4_PREFIX

_DOTTED = [f"{number}." for number in range(256)]
FULL, PREFIX, HMAC = "full", "prefix", "hmac"
ADDRESS_FORMS = (FULL, PREFIX, HMAC)

# What is known of an address (16 packed bytes) from the operator's databases, by key of the decision log.
Whereabouts = Callable[[bytes], Mapping[str, int | str]]


class Redactor:
    """`form`: one of ADDRESS_FORMS.  `key`: secret bytes for `hmac`, at least 16, kept as long as lines are to be compared.
    `whereabouts`: network and country of an address, None when nobody wants to know.

    Errors: ValueError for another form or a short key.
    """

    __slots__ = ("_form", "_key", "whereabouts")

    def __init__(self, form: str = FULL, key: bytes = b"") -> None:
        if form not in ADDRESS_FORMS:
            raise ValueError(f"privacy.addresses is {form!r}; accepted: {', '.join(ADDRESS_FORMS)}")
        if form == HMAC and len(key) < 16:
            raise ValueError(f"privacy.addresses is hmac and its key has {len(key)} bytes; accepted: at least 16")
        self._form = form
        self._key = key[:64]
        self.whereabouts: Whereabouts | None = None

    def address(self, packed: bytes) -> str:
        """An address (16 packed bytes): whole, its /24 or /48, or 16 hex digits that are the same for the same address."""
        if self._form == FULL:
            return address_text(packed)
        if self._form == PREFIX:
            return network_text(packed)
        return self._digest(packed)

    def network(self, packed: bytes) -> str:
        """The network of an address, /24 or /48; with `hmac` a digest of it."""
        text = network_text(packed)
        return self._digest(text.encode()) if self._form == HMAC else text

    def both(self, packed: bytes) -> tuple[str, str]:
        """What `address` and `network` say, for whoever wants both."""
        if self._form == FULL and packed[:12] == V4_PREFIX:
            one, two, three = _DOTTED[packed[12]], _DOTTED[packed[13]], _DOTTED[packed[14]]
            return f"{one}{two}{three}{DIGITS[packed[15]]}", f"{one}{two}{three}0/24"
        return self.address(packed), self.network(packed)

    def _digest(self, data: bytes) -> str:
        # 64 bits: that any two of a million clients share a digest has one chance in 37 million.
        return hashlib.blake2s(data, key=self._key[:32], person=b"address", digest_size=8).hexdigest()


def route_text(route: str) -> str:
    """A route template without what a client wrote after `?`: values stay only if they are placeholders such as `{n}`."""
    path, mark, query = route.partition("?")
    if not mark:
        return route
    kept = []
    for pair in query.split("&"):
        key, equals, value = pair.partition("=")
        placeholder = value.startswith("{") and value.endswith("}") and value[1:-1].isalpha()
        kept.append(f"{key}={value if placeholder else '{}'}" if equals else "{}")
    return f"{path}?{'&'.join(kept)}"
