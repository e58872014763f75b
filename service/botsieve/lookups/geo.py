"""Network (ASN) and country of an address, from databases of the operator's in MaxMind's format (.mmdb).

A database is copied into memory that belongs to us alone and mapped from there: whoever writes over the file while it is in use
(a mapped file that becomes shorter ends the process that reads it) changes nothing here.  It is validated in a process of its own,
from the same memory, its first million records, before it is used.

`python -c "from botsieve.lookups.geo import main; main()" /proc/self/fd/N asn` writes one line: "" or what is wrong.

Law of the file: a lookup gives a value or nothing; it never raises and opens nothing.  About 2 us; a decision pays for it only where a
rule asks.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import Any

import maxminddb

from botsieve.confined import CPU_S, MEMORY_MIB, Confined, confine
from botsieve.interpreter import not_started
from botsieve.observation import address_text

ASN, COUNTRY = "asn", "country"
MAX_BYTES = 256 * 1024 * 1024
_CODE = "from botsieve.lookups.geo import main; main()"
_CHUNK = 1024 * 1024
_COUNTRY = re.compile("[A-Z]{2}")
_ASN = re.compile("(?:AS)?([0-9]{1,10})")
_MAX_ASN = 2**32 - 1
_MAX_VALIDATED = 1_000_000  # records: about 5 s

Value = int | str


class Places:
    """The databases in force.  Each may be replaced at any time by another; one lookup uses one of them."""

    __slots__ = ("_last", "asn", "country")

    def __init__(self) -> None:
        self.asn: Database | None = None
        self.country: Database | None = None
        self._last: dict[str, tuple[Database, bytes, Value | None]] = {}

    def asn_of(self, address: bytes) -> int | None:
        """The network (ASN) of an address (16 packed bytes), None if it is not known."""
        found = self._known(self.asn, address)
        return found if isinstance(found, int) else None

    def country_of(self, address: bytes) -> str | None:
        """Its country (two capitals), None if it is not known."""
        found = self._known(self.country, address)
        return found if isinstance(found, str) else None

    def _known(self, database: Database | None, address: bytes) -> Value | None:
        """What a database says.  A policy may ask a hundred times about one request: the answer is found once."""
        if database is None:
            return None
        last = self._last.get(database.kind)
        if last is not None and last[0] is database and last[1] == address:
            return last[2]
        found = database.get(address_text(address))
        self._last[database.kind] = database, address, found
        return found

    def of(self, address: bytes) -> dict[str, Value]:
        """`asn` (a number) and `country` (two capitals) of an address (16 packed bytes), as far as they are known."""
        found: dict[str, Value] = {}
        for kind, database in ((ASN, self.asn), (COUNTRY, self.country)):
            value = None if database is None else database.get(address_text(address))
            if value is not None:
                found[kind] = value
        return found


class Database:
    """One open database.  `kind`: asn or country."""

    __slots__ = ("_get", "kind", "networks")

    def __init__(self, reader: Any, kind: str) -> None:
        self._get = reader.get  # holds the reader too
        self.kind = kind
        self.networks = int(reader.metadata().node_count)

    def get(self, address: str) -> Value | None:
        """What it says of an address, None if nothing or nothing that can be meant."""
        try:
            record = self._get(address)
        except (maxminddb.InvalidDatabaseError, ValueError):
            return None  # IPv6 in a database of IPv4, or a record that was damaged in spite of all
        return value_of(record, self.kind)


def value_of(record: object, kind: str) -> Value | None:
    """The value in a record of MaxMind's, DB-IP's or IPinfo's form."""
    if not isinstance(record, dict):
        return None
    if kind == ASN:
        value = record.get("autonomous_system_number", record.get("asn"))
        match = _ASN.fullmatch(value) if isinstance(value, str) else None
        number = int(match[1]) if match else value
        return number if isinstance(number, int) and 0 < number <= _MAX_ASN else None
    for key in ("country", "registered_country"):
        value = record.get(key)
        code = value.get("iso_code") if isinstance(value, dict) else record.get("country_code", value)
        if isinstance(code, str) and _COUNTRY.fullmatch(code):
            return code
    return None


def open_database(file: str, kind: str) -> Database:
    """Copies, validates and opens a file; belongs in a thread.  Errors: ValueError with what is wrong and what is accepted."""
    try:
        memory = _copied(file)
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ValueError(f"the file cannot be read ({why}); accepted: a database in MaxMind's format (.mmdb)") from None
    try:
        wrong = _validated(memory, kind)
        if wrong:
            raise ValueError(f"{wrong}; accepted: a database in MaxMind's format (.mmdb) that tells the {kind} of addresses")
        return Database(maxminddb.open_database(f"/proc/self/fd/{memory}"), kind)
    finally:
        os.close(memory)  # what is mapped stays


def _copied(file: str) -> int:
    """A descriptor of memory with the bytes of a file.  Errors: OSError; ValueError for what is no regular file, or too large."""
    source = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    try:
        facts = os.fstat(source)
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError("it is no regular file")
        if not 0 < facts.st_size <= MAX_BYTES:
            raise ValueError(f"it has {facts.st_size:,} bytes, possible are 1 to {MAX_BYTES:,}")
        memory = os.memfd_create("botsieve-geo", os.MFD_CLOEXEC)
        try:
            at = 0
            while at < facts.st_size and (sent := os.sendfile(memory, source, at, _CHUNK)):
                at += sent
        except OSError:
            os.close(memory)
            raise
        return memory
    finally:
        os.close(source)


def _validated(memory: int, kind: str) -> str:
    child = Confined(_CODE, f"/proc/self/fd/{memory}", kind, keep_open=(memory,))
    try:
        said = child.run().decode("utf-8", "replace")
    except TimeoutError:
        return f"checking it took longer than {child.wait_s:g} s"
    except OSError as error:
        return f"it could not be checked: the process that reads it {not_started(error)}"
    if not said.endswith("\n"):
        return f"it could not be checked within {MEMORY_MIB} MiB and {CPU_S} s (the process that reads it ended with {child.returncode})"
    return said.strip()


def main() -> None:
    """What runs in the child."""
    confine()
    print(mistake_of(sys.argv[1], sys.argv[2]))


def mistake_of(file: str, kind: str) -> str:
    """What is wrong with a database, "" for nothing: its records can be read, and one at least tells what is asked."""
    told = False
    try:
        reader = maxminddb.open_database(file)
        for number, (_, record) in enumerate(reader):
            told = told or value_of(record, kind) is not None
            if told and number >= _MAX_VALIDATED:
                break
    except (maxminddb.InvalidDatabaseError, ValueError, OSError, RecursionError, OverflowError, UnicodeError):
        return "the file is no database, or a damaged one"
    return "" if told else f"no record tells the {kind}"
