"""botsieve.transports.header_names"""

from __future__ import annotations

from botsieve.transports.header_names import one_name
from hypothesis import given
from hypothesis import strategies as st


@given(st.one_of(st.binary(), st.sampled_from([b"user-agent", b"Cookie", b"accept-language", b"x-unknown"])))
def test_a_name_stays_what_it_is(name: bytes) -> None:
    """Whatever a client calls its field, nobody reads another name."""
    assert one_name(name) == name


def test_a_name_that_is_looked_for_is_one_object() -> None:
    """However often it is read, so that a dict need not compare letters."""
    assert one_name(bytes(bytearray(b"user-agent"))) is one_name(bytes(bytearray(b"user-agent")))
