"""botsieve.config.settings"""

from __future__ import annotations

import pytest
from botsieve.config import Address, loads
from botsieve.config.settings import (
    BrowserSettings,
    DeviceSettings,
    DnsSettings,
    EdgeSettings,
    JournalSettings,
    SessionSettings,
    StateSettings,
)
from botsieve.lookups.settings import LookupSettings


def test_an_edge_is_found_by_its_name() -> None:
    """Those of this version, also when they are off; another one is a KeyError."""
    service = loads(b"# defaults\n").service
    assert service.edge("nginx").socket_group == "www-data"
    assert service.edge("forward").listen is None
    with pytest.raises(KeyError):
        service.edge("envoy")


def test_an_address_reads_as_it_is_written() -> None:
    """For the ready line and for check-config."""
    assert str(Address(path="/run/x.sock")) == "unix:/run/x.sock"
    assert str(Address(host="127.0.0.1", port=80)) == "127.0.0.1:80"
    assert str(Address(host="::1", port=80)) == "[::1]:80"


@pytest.mark.parametrize(
    ("section", "default"),
    [
        ("sessions", SessionSettings()),
        ("device", DeviceSettings()),
        ("browser", BrowserSettings()),
        ("state", StateSettings()),
        ("journal", JournalSettings()),
        ("crawler_dns", DnsSettings()),
        ("lookups", LookupSettings()),
    ],
)
def test_a_default_is_one(section: str, default: object) -> None:
    """What a value has by itself, for tests and demos, is what a file without that section gives."""
    assert getattr(loads(b"# defaults\n").service, section) == default


def test_defaults_of_an_edge_are_one() -> None:
    """The same, for what every edge has and no edge has its own of."""
    edge, default = loads(b"# defaults\n").service.edge("grpc"), EdgeSettings(name="grpc")
    names = [name for name in default.__struct_fields__ if name != "trusted"]
    assert [getattr(edge, name) for name in names] == [getattr(default, name) for name in names]
