"""The script of device and browser: only what is switched on, and the library as it was vendored."""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files

from botsieve.challenge.device_script import LIBRARY, LIBRARY_FILE, LIBRARY_NAME, Wanted, library_answer, script_of, wanted_by
from botsieve.challenge.extensions import parse_probe
from botsieve.detectors.settings import SuspiciousBrowser
from botsieve.policy import Policy

PROBE = parse_probe("Scraper = selector </script>")
ALL = Wanted(copies=True, fingerprint=True, marks=True, probes=(PROBE,))


def test_what_is_off_is_not_in_it() -> None:
    """Each part appears with its switch, and with no other."""
    marks = {"copies": b"function readCopies", "marks": b"function collectMarks", "fingerprint": b"function takeFingerprint"}
    for switch, mark in marks.items():
        one = script_of(Wanted(**{switch: True}))
        assert [name for name, other in marks.items() if other in one] == [switch]
        assert mark in script_of(ALL)
    assert b"function findExtensions" in script_of(Wanted(probes=(PROBE,)))
    assert b"function findExtensions" not in script_of(Wanted(copies=True))


def test_nothing_wanted_is_no_script() -> None:
    """Neither the script nor the library is there."""
    assert not Wanted().is_any
    assert script_of(Wanted()) == b""
    assert library_answer(Wanted(copies=True), LIBRARY_NAME.encode()) is None
    assert library_answer(ALL, b"other.js") is None


def test_no_setting_breaks_out_of_it() -> None:
    """What an operator writes is a JSON text inside it."""
    assert b"</script" not in script_of(ALL)
    assert b'"selector", "\\u003c/script>"' in script_of(ALL)


def test_it_is_small() -> None:
    """Everything on: below 3 KiB gzip; the device alone below 1.25 KiB."""
    assert len(gzip.compress(script_of(ALL), 9)) < 3072
    assert len(gzip.compress(script_of(Wanted(copies=True)), 9)) < 1280


def test_the_library_is_the_one_of_its_source_table() -> None:
    """Byte for byte: the SHA-256 of web/vendor/SOURCES.md, version 5, MIT."""
    table = (files("botsieve") / "web" / "vendor" / "SOURCES.md").read_text()
    assert f"`{LIBRARY_FILE}`" in table
    assert f"`{hashlib.sha256(LIBRARY).hexdigest()}`" in table
    assert b"FingerprintJS v5." in LIBRARY[:200]
    assert b"MIT License" in LIBRARY[:200]


def test_the_library_is_kept_under_its_hashed_name() -> None:
    """For a year: another version has another name."""
    library = library_answer(ALL, LIBRARY_NAME.encode())
    assert library is not None
    assert "immutable" in library.header("Cache-Control")
    assert library.body == LIBRARY


def test_one_script_serves_all_policies() -> None:
    """The lists of all that watch, each line once; one that ignores browsers asks for nothing."""
    policies = [
        Policy(thresholds={"browser.suspicious": SuspiciousBrowser(action=action, extensions=(line, "A = global a"))})
        for action, line in (("alarm", "B = global b"), ("block", "A = global a"), ("ignore", "C = global c"))
    ]
    wanted = wanted_by(policies, "/x/", copies=False, fingerprint=False)
    assert (wanted.prefix, wanted.marks, [probe.name for probe in wanted.probes]) == ("/x/", True, ["B", "A"])
    assert not wanted_by(policies[2:], "/x/", copies=False, fingerprint=False).is_any
