"""scripts/build_*.py: the generators of the packaged data."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botsieve.crawlers import INSIDE, parse_crawlers
from botsieve.detectors.catalogue import Catalogue
from botsieve.observation import pack_address

SCRIPTS = Path(__file__).parents[2] / "scripts"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_recording_a_program() -> None:
    """What a Python client sends is recorded, and the packaged catalogue knows it for what it is."""
    script = load("build_recorded_hellos")
    client = "import urllib.request\ntry: urllib.request.urlopen('https://localhost:{port}/', timeout=5)\nexcept OSError: pass"
    bodies = script.record([sys.executable, "-c", client], timeout_s=20.0)
    assert bodies
    prints = script.prints_of(bodies[0])
    assert Catalogue.builtin().tool_of(b"", prints.ja4.encode(), prints.stable.encode()) == "python"


def test_crawlers_from_their_sources(tmp_path: Path) -> None:
    """Ranges of several lists are united; libraries and search-engine optimisers are left out; names become printable."""
    script = load("build_crawlers")
    (tmp_path / "googlebot_ipv4.txt").write_text("198.51.100.0/25\n198.51.100.128/25\n")
    published: dict[str, Any] = {
        "generated_at": "2026-09-02T14:41:10+00:00",
        "sources": {
            key: {"ipv4": ["203.0.113.0/24"], "ipv6": []} for key in ("google-googlebot", "bing-bingbot", "google-special")
        },
        "crawlers": {
            "googlebot": {
                "ua": "Googlebot",
                "verification_method": "published-ranges",
                "source": "google-googlebot",
                "rdns_suffixes": [],
            },
            "otherbot": {
                "ua": "FarBot",
                "verification_method": "reverse-dns",
                "source": None,
                "rdns_suffixes": ["far.example"],
            },
            "ahrefsbot": {"ua": "AhrefsBot", "verification_method": "published-ranges", "source": "x", "rdns_suffixes": []},
            "feeds": {
                "ua": "FeedFetcher-Google",
                "verification_method": "published-ranges",
                "source": "google-user-triggered",
                "rdns_suffixes": [],
            },
            "other": {"ua": "OtherBot", "verification_method": "none", "source": None, "rdns_suffixes": []},
        },
    }
    published["sources"]["duckduckgo-duckduckbot"] = {"ipv4": [], "ipv6": []}
    published["sources"]["google-user-triggered"] = {"ipv4": ["192.0.2.0/24"], "ipv6": []}
    published["sources"]["google-user-triggered-google"] = {"ipv4": ["192.0.3.0/24"], "ipv6": []}
    patterns = ["^curl", "Acme\\/Bot", "^[xX]bot", "Spider[\\s\\S]*spider"]
    agents = [{"pattern": pattern} for pattern in patterns]
    document = script.build(published, tmp_path, agents)
    assert [(entry["text"], entry["at"]) for entry in document["names"]] == [
        ("Acme/Bot", ""),
        ("xbot", "start"),
        ("Xbot", "start"),
    ]
    assert document["ranges"]["google-googlebot"] == ["198.51.100.0/24", "203.0.113.0/24"]
    tokens = [entry["token"] for entry in document["verified"]]
    assert "googlebot" in tokens
    assert not {"ahrefsbot", "otherbot"} & set(tokens)
    assert "google-user-triggered" not in document["ranges"]
    assert next(entry["ranges"] for entry in document["verified"] if entry["token"] == "feedfetcher-google") == [
        "google-user-triggered-google"
    ]
    crawlers = parse_crawlers(document)
    assert (crawlers.domains("Googlebot"), crawlers.domains("FarBot")) == (("googlebot.com",), ("far.example",))
    from botsieve.agents import parse_agent

    assert crawlers.judge(parse_agent(b"Googlebot/2.1", crawlers), pack_address("198.51.100.200"))[0] == INSIDE


@pytest.fixture
def rules() -> ModuleType:
    return load("build_header_rules")


def seen(rules: ModuleType, engine: str, version: int, **headers: str) -> Any:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return rules.Seen(engine, version, True, True, named)


def test_header_rules_keep_their_distance(rules: ModuleType) -> None:
    """A header is called too early only for versions observed without it, and some versions before the first with it."""
    observed = [seen(rules, "chromium", version) for version in (60, 70, 80)]
    observed += [seen(rules, "chromium", version, sec_ch_ua="x") for version in (82, 90)]
    facts = rules.build(observed, [])["engines"]["chromium"]
    assert facts["not_until"]["sec-ch-ua"] == 76
    assert facts["newest"] == 90


def test_header_rules_across_engines(rules: ModuleType) -> None:
    """What one engine sends and another never did is foreign to the other; a weight that went is retired."""
    old = "text/html,application/signed-exchange;v=b3;q=0.9"
    new = "text/html,application/signed-exchange;v=b3;q=0.7"
    observed = [
        seen(rules, "chromium", 100, accept=old, sec_ch_ua="x"),
        seen(rules, "chromium", 120, accept=new, sec_ch_ua="x"),
        seen(rules, "gecko", 120, accept="text/html", te="trailers"),
    ]
    engines = rules.build(observed, [])["engines"]
    assert engines["chromium"]["never"] == ["te"]
    assert engines["gecko"]["never"] == ["sec-ch-ua"]
    assert engines["chromium"]["foreign_accept"] == ["text/html"]
    assert engines["gecko"]["foreign_accept"] == sorted([old, new])
    assert engines["chromium"]["retired"] == {"application/signed-exchange;v=b3;q=0.9": 120}
