"""store/rows.py: what leaves the process for the database."""

from __future__ import annotations

import time

import pytest
from botsieve.attacks.incidents import Incident, Sample
from botsieve.journal.redact import FULL, HMAC, PREFIX, Redactor
from botsieve.observation import pack_address
from botsieve.store.messages import IncidentRow, SampleRow
from botsieve.store.rows import cause_of, incident_of, row_of

from tests.unit.attacks.test_incidents import Case

KEY = b"k" * 32
DIGEST = Redactor(HMAC, KEY).address(pack_address("203.0.113.7"))


def rows(form: str, ahead_s: float = 0.0) -> list[IncidentRow | SampleRow]:
    """An incident of 203.0.113.7 and its first request."""
    case = Case()
    case.violate(uri=b"/caf\xe9?q=secret")
    redactor = Redactor(form, KEY if form == HMAC else b"")
    return [row_of(one, redactor, ahead_s) for one in case.taken()]


@pytest.mark.parametrize(
    ("form", "client", "network"),
    [
        (FULL, "203.0.113.7", "203.0.113.0/24"),
        (PREFIX, "203.0.113.0/24", "203.0.113.0/24"),
        (HMAC, DIGEST, Redactor(HMAC, KEY).network(pack_address("203.0.113.7"))),
    ],
)
def test_addresses_are_as_privacy_wants_them(form: str, client: str, network: str) -> None:
    """In the incident and in its requests; nowhere is there another form."""
    incident, sample = rows(form)
    assert isinstance(incident, IncidentRow)
    assert isinstance(sample, SampleRow)
    assert (incident.client, incident.network, sample.client) == (client, network, client)
    if form != FULL:
        assert "203.0.113.7" not in f"{incident} {sample}"


def test_client_text_is_text_without_its_query() -> None:
    """Bytes that are not UTF-8 are escaped; no query value is there."""
    _, sample = rows(FULL)
    assert isinstance(sample, SampleRow)
    assert sample.path == "/caf\\xe9"
    assert "secret" not in str(sample)


def test_times_are_those_of_the_machine_s_clock() -> None:
    """What is kept is moved by what the clock is ahead; read back it is the service's own time again."""
    before, after = rows(FULL), rows(FULL, 3_600.0)
    assert isinstance(before[0], IncidentRow)
    assert isinstance(after[0], IncidentRow)
    assert after[0].started_s - before[0].started_s == after[0].until_s - before[0].until_s == 3_600.0
    assert after[0].ended_s == 0.0
    known = incident_of(after[0], 3_600.0)
    assert (known.started_s, known.until_s, known.client) == (before[0].started_s, before[0].until_s, b"")
    assert (known.measures, known.name) == (before[0].measures, ("Bot Detected", before[0].key, "shop"))


def test_the_cause_in_one_line() -> None:
    """Each number beside its limit."""
    case = Case()
    case.violate()
    (incident,) = case.open()
    assert cause_of(incident) == "pages 31 (limit 30)"


def test_making_a_slice_is_cheap() -> None:
    """64 rows take far less than the 2 ms of a step."""
    case = Case()
    for _ in range(64):
        case.violate()
    taken: list[Incident | Sample] = case.taken() * 5
    redactor = Redactor()
    took_s = []
    for _ in range(3):
        began_s = time.thread_time()
        for one in taken[:64]:
            row_of(one, redactor, 0.0)
        took_s.append(time.thread_time() - began_s)
    assert min(took_s) < 0.01
