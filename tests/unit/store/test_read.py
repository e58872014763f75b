"""store/read.py: what the commands ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botsieve.errors import InputError
from botsieve.store.database import Database
from botsieve.store.read import Filters, Reader, reading
from botsieve.store.schema import path_in

from tests.unit.store.rows import AT_S, ID, feedback, incident, minute, sample


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Three incidents, some minutes, two pieces of feedback."""
    database = Database(path_in(tmp_path))
    database.write(
        [
            incident(),
            incident(id="b", policy="api", client="198.51.100.1", started_s=AT_S + 100.0, ended_s=AT_S + 200.0, why="ended"),
            incident(
                id="c", attack_type="Suspicious Clients", started_s=AT_S + 300.0, ended_s=AT_S + 400.0, details=["Scraper"]
            ),
            sample(2),
            sample(1),
            minute(0, attacks=1, blocked=2),
            minute(61, attacks=2),
            minute(61, "api", attacks=4, allowed=3),
            feedback(),
            feedback(id="x", policy="api", time_s=AT_S + 50.0),
        ]
    )
    database.close()
    with reading(tmp_path) as found:
        yield found


def ids(reader: Reader, **filters: Any) -> list[str]:
    return [one["id"] for one in reader.incidents(Filters(**filters))[0]]


def test_filters_of_incidents(reader: Reader) -> None:
    """The newest first; by policy, type, client, state and time, alone and together."""
    assert ids(reader) == ["c", "b", ID]
    assert ids(reader, policy="api") == ["b"]
    assert ids(reader, attack_type="suspicious") == ["c"]
    assert ids(reader, attack_type="%") == []
    assert ids(reader, client=("203.0.113.7", "203.0.113.0/24")) == ["c", ID]
    assert ids(reader, client=("203.0.113.7",), policy="api") == []
    assert ids(reader, only_open=True) == [ID]
    assert ids(reader, since_s=AT_S + 250.0) == ["c", ID], "what lasted into the period counts"
    assert ids(reader, until_s=AT_S + 100.0) == [ID], "the end is not part of it"
    assert reader.incidents(Filters(limit=2))[1]
    assert not reader.incidents(Filters(limit=3))[1]


def test_one_incident_with_its_requests(reader: Reader) -> None:
    """In their order, with the decisions to explain; nothing that only the service needs."""
    found = reader.incident(ID)
    assert found is not None
    assert [one["number"] for one in found["requests"]] == [1, 2]
    assert found["requests"][0]["decision"] == "aaaa-bbbb-cccc-dddd"
    assert found["measures"] == {
        "pages": {"highest": 45.0, "last": 31.0, "limit": 30.0},
        "window_s": {"highest": 30.0, "last": 30.0},
    }
    assert "key" not in found
    assert reader.incident("' OR 1=1 --") is None


def test_statistics(reader: Reader) -> None:
    """Sums over the period, by policy, by time, by both."""
    (total,) = reader.statistics(Filters(), ())
    assert (total["attacks"], total["blocked"], total["allowed"]) == (7, 2, 3)
    assert [(row["policy"], row["attacks"]) for row in reader.statistics(Filters(), ("policy",))] == [("api", 4), ("shop", 3)]
    hour = int(AT_S)
    assert [(row["time_s"], row["attacks"]) for row in reader.statistics(Filters(), ("hour",))] == [
        (hour, 1),
        (hour + 3_600, 6),
    ]
    both = [(row["time_s"] - hour, row["policy"], row["attacks"]) for row in reader.statistics(Filters(), ("minute", "policy"))]
    assert both == [(0, "shop", 1), (3_660, "api", 4), (3_660, "shop", 2)]
    assert reader.statistics(Filters(policy="api", since_s=AT_S, until_s=AT_S + 60.0), ("policy",)) == []


def test_feedback(reader: Reader) -> None:
    """The newest first, with the decision that it is about."""
    found, more = reader.feedback(Filters())
    assert [one["id"] for one in found] == ["x", ID]
    assert found[1]["decision"]["reasons"] == ["bot_useragent:curl"]
    assert not more
    assert [one["id"] for one in reader.feedback(Filters(policy="shop"))[0]] == [ID]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """No folder, no file, no database: an error that says where and what would be accepted."""
    for place in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(InputError, match=r"no such file; accepted: --config"), reading(place):
            pass
    path_in(tmp_path).write_bytes(b"rubbish" * 1_000)
    with pytest.raises(InputError, match="file is not a database"), reading(tmp_path):
        pass
