"""botsieve.config.lookup_models: files are named here and nowhere opened."""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.config.effective import plan_of
from botsieve.config.models import Configuration
from botsieve.lookups.settings import ListEntry, LookupSettings
from botsieve.reputation import MAX_LISTS
from msgspec import convert
from pydantic import ValidationError


def settings(**given: Any) -> LookupSettings:
    """What the service is told of a configuration."""
    return convert(plan_of(Configuration.model_validate(given)).service["lookups"], LookupSettings)


def test_nothing_is_named_by_default() -> None:
    """No list, no database, no file of exceptions."""
    assert settings() == LookupSettings()


def test_what_is_named_arrives() -> None:
    """Lists in the order of the file, with action alarm if none is given; exceptions without the networks, each file once."""
    lists = [{"file": "/a", "category": "spam"}, {"file": "/b", "category": "scan", "action": "block"}]
    found = settings(reputation=lists, geo={"asn_mmdb": "/asn"}, allow={"networks": ["192.0.2.1", "/partners", "/partners"]})
    assert found == LookupSettings((ListEntry("/a", "spam"), ListEntry("/b", "scan", "block")), ("/partners",), asn_mmdb="/asn")


@pytest.mark.parametrize(
    "entry",
    [
        {"file": "a", "category": "x"},
        {"file": "/a"},
        {"category": "x"},
        {"file": "/a", "category": "two words"},
        {"file": "/a", "category": "x" * 65},
        {"file": "/a", "category": "x", "action": "challenge"},
    ],
)
def test_what_is_no_entry(entry: dict[str, str]) -> None:
    """A relative path, a missing key, a category that no log could show, an action that is none."""
    with pytest.raises(ValidationError):
        Configuration.model_validate({"reputation": [entry]})


def test_only_so_many_lists() -> None:
    """Which of them holds a range is one byte."""
    lists = [{"file": f"/{n}", "category": "x"} for n in range(MAX_LISTS + 1)]
    assert len(settings(reputation=lists[1:]).reputation) == MAX_LISTS <= 255
    with pytest.raises(ValidationError):
        Configuration.model_validate({"reputation": lists})
