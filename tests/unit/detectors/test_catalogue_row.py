"""detectors/catalogue_row.py: one recorded ClientHello as files hold it."""

from __future__ import annotations

import msgspec
import pytest
from botsieve.detectors.catalogue_row import BROWSER, Row


def test_a_row_is_read_from_the_words_of_a_file_and_from_nothing_else() -> None:
    """What is not recorded is empty; a field of another type is a mistake of the file."""
    row = msgspec.convert({"kind": BROWSER, "family": "gecko", "name": "firefox-144"}, Row)
    assert (row.ja3, row.ja4, row.tls_sig, row.date) == ("", "", "", "")
    with pytest.raises(msgspec.ValidationError, match="ja4"):
        msgspec.convert({"kind": BROWSER, "family": "gecko", "name": "firefox-144", "ja4": 7}, Row)
