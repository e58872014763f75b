"""Each byte through nginx to the real service: never a 5xx, never unjudged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stage import Stage, stage
from tests.nginx.raw import ask
from tests.service.running import POLICIES

BYTES = range(1, 256)
LINE_ENDS = {0x0A, 0x0D}


@pytest.fixture(scope="module")
def shop() -> Iterator[Stage]:
    """A shop in enforce mode that waits patiently for its verdict: here bytes are the subject, not budgets of time."""
    with stage(POLICIES, patient=True) as found:
        yield found


def passed_unjudged(shop: Stage) -> float:
    return shop.at.metric("botsieve_unjudged_total")


def decisions(shop: Stage) -> float:
    return shop.at.metric("botsieve_decisions_total")


@pytest.mark.parametrize("name", ["User-Agent", "Referer", "Cookie", "X-Any"])
def test_in_a_value(shop: Stage, name: str) -> None:
    """0x01 to 0xFF in a value: a decision each; line ends are nginx's own business."""
    ask(shop.port)
    unjudged, decided = passed_unjudged(shop), decisions(shop)
    for byte in BYTES:
        answer = ask(shop.port, f"/{byte}", name.encode() + b": a=" + bytes([byte]) + b"z")
        assert answer.status in ((200, 400, 403) if byte in LINE_ENDS else (200, 403)), byte
    ask(shop.port)
    assert passed_unjudged(shop) == unjudged
    assert decisions(shop) >= decided + 254


def test_in_a_name(shop: Stage) -> None:
    """0x01 to 0xFF in a header name: refused by nginx or decided."""
    unjudged = passed_unjudged(shop)
    for byte in BYTES:
        assert ask(shop.port, f"/{byte}", b"X-A" + bytes([byte]) + b"B: 1").status in (200, 400, 403), byte
    ask(shop.port)
    assert passed_unjudged(shop) == unjudged


def test_in_the_path(shop: Stage) -> None:
    """0x01 to 0xFF in the path, raw and encoded, also below our own prefix: never a 5xx, never unjudged."""
    unjudged = passed_unjudged(shop)
    for byte in sorted(set(BYTES) - LINE_ENDS):  # a line end there makes another request of it
        for path in (
            b"/p" + bytes([byte]) + b"z",
            b"/p%%%02x" % byte,
            b"/.botsieve/" + bytes([byte]),
            b"/.botsieve/wait?t=%%%02x" % byte,
        ):
            assert ask(shop.port, path.decode("latin-1")).status < 500, path
    ask(shop.port)
    assert passed_unjudged(shop) == unjudged


def test_in_a_solution(shop: Stage) -> None:
    """Solutions of any bytes through nginx: a 4xx of ours, never a 5xx."""
    for byte in BYTES:
        answer = ask(shop.port, "/.botsieve/solve", "Content-Type: application/json", method="POST", body=bytes([byte]) * 9)
        assert 400 <= answer.status < 500, byte
