"""botsieve.config.settings"""

from __future__ import annotations

import pytest
from botsieve.config import Address, loads


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
