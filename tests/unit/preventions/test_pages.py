"""botsieve.preventions.pages"""

from __future__ import annotations

import json
from typing import Any

from botsieve.journal.http_server import answer
from botsieve.observation import address_text
from botsieve.preventions.pages import PreventionPages

from tests.unit.attacks.surfers import strict, surf
from tests.unit.rig import START_S, Rig


class Desk:
    """Pages of an engine in which two addresses surf."""

    def __init__(self) -> None:
        self.rig = Rig(strict(name="shop"))
        self.told: list[tuple[str, dict[str, Any]]] = []
        pages = PreventionPages(
            self.rig.engine, lambda: START_S + 40.0, address_text, lambda name, **keys: self.told.append((name, keys))
        )
        self.routes = pages.routes()
        surf(self.rig, 31, client="203.0.113.7")
        surf(self.rig, 31, client="198.51.100.7", at_s=20.0)

    def ask(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        said = answer(self.routes, method, path)
        return said.status, json.loads(said.body)


def test_the_list_shows_what_is_measured_beside_its_limit() -> None:
    """The longest held first, each with its key."""
    status, said = Desk().ask("GET", "/v1/preventions")
    assert status == 200
    assert [row["client"] for row in said["preventions"]] == ["203.0.113.7", "198.51.100.7"]
    row = said["preventions"][0]
    assert (row["attack_type"], row["detector"], row["action"], row["subject"]) == (
        "Bot Detected",
        "surfing.rapid",
        "block",
        "client",
    )
    assert row["measures"]["pages"] == [31, 30]
    assert (row["started_s"], row["at_most_until_s"]) == (START_S + 15.0, START_S + 1815.0)
    assert (len(row["key"]), said["held"]) == (16, 2)


def test_of_one_address() -> None:
    """Only those that it began; what is no address is told so."""
    desk = Desk()
    assert [row["client"] for row in desk.ask("GET", "/v1/preventions/client/198.51.100.7")[1]["preventions"]] == [
        "198.51.100.7"
    ]
    assert desk.ask("GET", "/v1/preventions/client/198.51.100.8")[1]["preventions"] == []
    status, said = desk.ask("GET", "/v1/preventions/client/here")
    assert status == 400
    assert "203.0.113.7" in said["error"]


def test_release_by_key() -> None:
    """It is over at once, told, and cannot be released twice."""
    desk = Desk()
    key = desk.ask("GET", "/v1/preventions")[1]["preventions"][0]["key"]
    status, said = desk.ask("POST", f"/v1/preventions/release/key/{key}")
    assert (status, [row["client"] for row in said["released"]]) == (200, ["203.0.113.7"])
    assert desk.rig.ask("/contact", at_s=40.0, client="203.0.113.7").verdict == "allow"
    assert desk.rig.ask("/contact", at_s=40.0, client="198.51.100.7").verdict == "block"
    assert desk.told == [("prevention_released", {"attack_type": "Bot Detected", "policy": "shop", "client": "203.0.113.7"})]
    assert desk.ask("POST", f"/v1/preventions/release/key/{key}")[1]["released"] == []
    assert desk.ask("POST", "/v1/preventions/release/key/xyz")[0] == 400


def test_release_of_an_address_and_of_all() -> None:
    """`more` says whether to ask again."""
    desk = Desk()
    assert len(desk.ask("POST", "/v1/preventions/release/client/203.0.113.7")[1]["released"]) == 1
    status, said = desk.ask("POST", "/v1/preventions/release/all")
    assert (status, len(said["released"]), said["more"]) == (200, 1, False)
    assert desk.ask("GET", "/v1/preventions")[1]["preventions"] == []
