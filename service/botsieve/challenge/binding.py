"""What a token is bound to, and whom a quota counts.

Law of the file: host and User-Agent never change during a visit and bind strictly.  The network and the TLS family do change
(IPv4 and IPv6, mobile, WebSocket and HTTP/3 say hello differently), so they form a set that may grow a little.
"""

from __future__ import annotations

from hashlib import blake2s

from botsieve.observation import Observation
from botsieve.ranges import V4_PREFIX

_JA4_B_LENGTH = 12


def context_of(o: Observation) -> tuple[bytes, bytes]:
    """What goes into the MAC: host and User-Agent as seen at this request."""
    return (o.host, o.user_agent)


def place_of(o: Observation) -> bytes:
    """The /24 (3 bytes) or /48 (6 bytes) that the client comes from."""
    return o.client[12:15] if o.client[:12] == V4_PREFIX else o.client[:6]


def family_of(o: Observation) -> bytes:
    """The cipher part of the client's JA4 (12 bytes), b"" when there is none or when it is a balancer's.

    The same browser keeps it over ALPN, server name and extension order; absence is not evidence.
    """
    if not o.has_fingerprint:
        return b""
    parts = o.ja4.split(b"_")
    return parts[1] if len(parts) == 3 and len(parts[1]) == _JA4_B_LENGTH else b""


def prefix_of(o: Observation) -> bytes:
    """The /24 (3 bytes) or /64 (8 bytes) that quotas count.

    Who holds an IPv6 /48 has 65,536 of them, and shares one of `wide_prefix_of`.
    """
    return o.client[12:15] if o.client[:12] == V4_PREFIX else o.client[:8]


def wide_prefix_of(o: Observation) -> bytes:
    """The /48 of an IPv6 client (6 bytes), which one customer of a provider may hold; b"" for IPv4."""
    return b"" if o.client[:12] == V4_PREFIX else o.client[:6]


def who_of(o: Observation) -> bytes:
    """Names address, host and User-Agent together (16 bytes): how somebody without a cookie is remembered."""
    message = b"".join(len(part).to_bytes(4, "big") + part for part in (o.client, o.host, o.user_agent))
    return blake2s(message, digest_size=16, person=b"who").digest()
