"""store/period.py: the options that the commands share."""

from __future__ import annotations

import time
from pathlib import Path

import click
import pytest
from botsieve.journal.address_key import address_key
from botsieve.journal.redact import HMAC, PREFIX, Redactor
from botsieve.observation import pack_address
from botsieve.store.period import client_forms, one_form, period


def test_times() -> None:
    """Days, times with and without a zone, and seconds; a time without a zone is UTC."""
    assert period("2027-01-15", "2027-01-15T08:00", None) == (1_799_971_200.0, 1_800_000_000.0)
    assert period("2027-01-15T09:00:00+01:00", "1800000001.5", None) == (1_800_000_000.0, 1_800_000_001.5)
    assert period(None, None, None) == (0.0, float("inf"))
    began_s, end_s = period(None, None, "24h")
    assert (round(time.time() - began_s) // 10, end_s) == (8_640, float("inf"))
    assert period(None, None, None, "1w")[0] < began_s


@pytest.mark.parametrize(
    ("since", "until", "last", "said"),
    [
        ("yesterday", None, None, "accepted: 2026-11-21"),
        (None, "2026-13-01", None, "accepted: 2026-11-21"),
        (None, None, "24", "accepted: a number and s, m, h, d or w"),
        (None, None, "9999999h", "accepted: a number"),
        ("2026-11-21", None, "24h", "exclude each other"),
        ("9" * 400, None, None, "accepted: 2026-11-21"),
    ],
)
def test_what_is_no_time(since: str | None, until: str | None, last: str | None, said: str) -> None:
    """A usage error that says what is accepted."""
    with pytest.raises(click.UsageError, match=said):
        period(since, until, last)


def test_a_client_in_every_form_in_which_it_may_be_stored(tmp_path: Path) -> None:
    """As written, whole, as a prefix, and as a digest where the service's key is there; what is no address is taken as it is."""
    assert client_forms(None, str(tmp_path)) == ()
    assert client_forms("203.0.113.7", str(tmp_path)) == ("203.0.113.7", "203.0.113.0/24")
    packed = pack_address("2001:db8::7")
    digest = Redactor(HMAC, address_key(tmp_path)).address(packed)
    assert client_forms("2001:DB8:0::7", str(tmp_path)) == (
        "2001:DB8:0::7",
        "2001:db8::7",
        Redactor(PREFIX).address(packed),
        digest,
    )
    assert client_forms("203.0.113.0/24", str(tmp_path)) == ("203.0.113.0/24",)


def test_one_form_only() -> None:
    """--json and --csv together are a usage error."""
    one_form(as_json=True, as_csv=False)
    with pytest.raises(click.UsageError):
        one_form(as_json=True, as_csv=True)
