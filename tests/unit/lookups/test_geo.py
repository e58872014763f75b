"""lookups/geo.py: network and country of an address, from files that may be anything."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from botsieve.lookups.geo import Database, Places, open_database, value_of
from botsieve.observation import pack_address
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.lookups.mmdb import ASN, COUNTRY, database


def opened(folder: Path, raw: bytes, kind: str) -> Database:
    file = folder / "x.mmdb"
    file.write_bytes(raw)
    return open_database(str(file), kind)


def test_asn_and_country_of_an_address(tmp_path: Path) -> None:
    """Both families, inside and outside; without a database nothing."""
    places = Places()
    assert places.of(pack_address("203.0.113.7")) == {}
    places.asn = opened(tmp_path, ASN, "asn")
    places.country = opened(tmp_path, COUNTRY, "country")
    assert places.of(pack_address("203.0.113.7")) == {"asn": 64500, "country": "DE"}
    assert places.of(pack_address("2001:db8::7")) == {"asn": 64501, "country": "JP"}
    assert places.of(pack_address("198.51.100.1")) == {}


def test_what_a_rule_asks(tmp_path: Path) -> None:
    """One value each; None without a database, for an address that is not in it, and again what is true once it was replaced."""
    places, known, unknown = Places(), pack_address("203.0.113.7"), pack_address("198.51.100.1")
    assert (places.asn_of(known), places.country_of(known)) == (None, None)
    places.asn, places.country = opened(tmp_path, ASN, "asn"), opened(tmp_path, COUNTRY, "country")
    for _ in range(2):  # the second time it is remembered
        assert (places.asn_of(known), places.country_of(known)) == (64500, "DE")
        assert (places.asn_of(unknown), places.country_of(unknown)) == (None, None)
    assert (places.asn_of(known), places.country_of(known)) == (64500, "DE")
    places.asn = opened(tmp_path, database({"203.0.113.0/24": {"asn": "AS7"}}), "asn")
    assert places.asn_of(known) == 7
    places.asn = None
    assert places.asn_of(known) is None


def test_whoever_writes_over_the_file_changes_nothing(tmp_path: Path) -> None:
    """Cut to nothing in place, which ends a process that has it mapped."""
    places = Places()
    places.asn = opened(tmp_path, ASN, "asn")
    os.truncate(tmp_path / "x.mmdb", 0)
    assert places.of(pack_address("203.0.113.7")) == {"asn": 64500}


@pytest.mark.parametrize(
    ("raw", "kind", "said"),
    [
        (b"", "asn", "it has 0 bytes"),
        (b"nonsense" * 100, "asn", "no database, or a damaged one"),
        (ASN[:200], "asn", "no database, or a damaged one"),
        (COUNTRY, "asn", "no record tells the asn"),
        (database({"203.0.113.0/24": {"city": "x"}}), "country", "no record tells the country"),
        (ASN[:3] + b"\xff" * 600 + ASN[603:], "asn", "a damaged one"),
    ],
)
def test_what_is_no_database(tmp_path: Path, raw: bytes, kind: str, said: str) -> None:
    """Refused with what is wrong and what is accepted."""
    with pytest.raises(ValueError, match="accepted: a database in MaxMind's format") as caught:
        opened(tmp_path, raw, kind)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    """And neither waits."""
    with pytest.raises(ValueError, match="No such file"):
        open_database(str(tmp_path / "none"), "asn")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="no regular file"):
        open_database(str(tmp_path / "pipe"), "asn")


@pytest.mark.parametrize(
    ("record", "kind", "value"),
    [
        ({"autonomous_system_number": 64500}, "asn", 64500),
        ({"asn": "AS64500"}, "asn", 64500),
        ({"asn": "64500"}, "asn", 64500),
        ({"asn": "ASx"}, "asn", None),
        ({"asn": 2**32}, "asn", None),
        ({"asn": 0}, "asn", None),
        ({"country": {"iso_code": "DE"}}, "country", "DE"),
        ({"country": "DE"}, "country", "DE"),
        ({"country": "Germany", "country_code": "DE"}, "country", "DE"),
        ({"registered_country": {"iso_code": "JP"}}, "country", "JP"),
        ({"country": {"iso_code": "de\n"}}, "country", None),
        ("DE", "country", None),
        (None, "asn", None),
    ],
)
def test_the_forms_of_a_record(record: object, kind: str, value: int | str | None) -> None:
    """MaxMind's, DB-IP's, IPinfo's; whatever could not be meant is nothing."""
    assert value_of(record, kind) == value


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from(["asn", "country", "iso_code", "country_code"]), inner),
    )
)
def test_any_record_gives_a_value_or_nothing(record: object) -> None:
    """Bounded: a number of 32 bits, two capitals."""
    assert value_of(record, "asn") is None or 0 < int(value_of(record, "asn") or 0) < 2**32
    assert value_of(record, "country") is None or len(str(value_of(record, "country"))) == 2


def test_a_lookup_is_cheap(tmp_path: Path) -> None:
    """Some microseconds (the bar leaves room for a busy machine)."""
    found = opened(tmp_path, ASN, "asn")
    begun_s = time.thread_time()
    for _ in range(5_000):
        found.get("203.0.113.7")
    took_us = (time.thread_time() - begun_s) / 5_000 * 1e6
    print(f"{took_us:.1f} us a lookup")
    assert took_us < 50
