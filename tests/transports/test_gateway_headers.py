"""service/botsieve/transports/gateway_headers.py: what a gateway shows."""

from __future__ import annotations

from botsieve.transports.gateway_headers import SHOWN


def test_only_what_every_gateway_passes_on_can_be_missed() -> None:
    """Lower-case names of browsers; nothing that a proxy adds, drops or rewrites."""
    assert all(name and name == name.lower() for name in SHOWN)
    assert {b"user-agent", b"accept", b"accept-language", b"cookie", b"referer", b"sec-fetch-mode"} <= SHOWN
    assert not SHOWN & {b"accept-encoding", b"connection", b"host", b"te", b"x-forwarded-for"}
