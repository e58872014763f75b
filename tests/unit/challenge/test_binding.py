"""challenge/binding.py: what tokens are bound to."""

from __future__ import annotations

from botsieve.challenge.binding import family_of, place_of, prefix_of, who_of, wide_prefix_of
from botsieve.observation import pack_address
from hypothesis import given
from hypothesis import strategies as st

from .builders import request


def test_places_are_networks() -> None:
    """IPv4 binds to the /24, IPv6 to the /48; quotas count the /64."""
    assert place_of(request(address="203.0.113.7")) == place_of(request(address="203.0.113.250")) == bytes([203, 0, 113])
    assert place_of(request(address="2001:db8:1:2::7")) == place_of(request(address="2001:db8:1:ffff::9"))
    assert prefix_of(request(address="2001:db8:1:2::7")) != prefix_of(request(address="2001:db8:1:3::7"))
    assert wide_prefix_of(request(address="2001:db8:1:2::7")) == wide_prefix_of(request(address="2001:db8:1:3::7")) != b""
    assert wide_prefix_of(request(address="203.0.113.7")) == b""
    assert place_of(request(address="2001:db8:1::7")) != place_of(request(address="2001:db8:2::7"))


def test_the_family_is_the_cipher_part() -> None:
    """ALPN and extensions may differ between connections of one browser; the cipher list does not."""
    first = request(ja4=b"t13d1516h2_8daaf6152771_02713d6af862")
    second = request(ja4=b"t13d1516h1_8daaf6152771_b0da82dd1658")
    assert family_of(first) == family_of(second) == b"8daaf6152771"


def test_a_balancers_fingerprint_is_absent() -> None:
    """Behind a proxy, without TLS or with a malformed fingerprint there is no family."""
    assert family_of(request(ja4=b"t13d1516h2_8daaf6152771_02713d6af862", peer=pack_address("198.51.100.1"))) == b""
    assert family_of(request()) == family_of(request(ja4=b"x_y_z")) == family_of(request(ja4=b"8daaf6152771")) == b""


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_who_tells_parts_apart(host: bytes, agent: bytes) -> None:
    """Bytes that move from the host to the User-Agent name somebody else."""
    assert who_of(request(host=host, headers={b"user-agent": b"x" + agent})) != who_of(
        request(host=host + b"x", headers={b"user-agent": agent})
    )
