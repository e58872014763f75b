"""`make sbom`: a valid CycloneDX document of exactly what the runtime lock pins, and no address."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botsieve import __version__
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.house.test_locks import pins


@pytest.fixture(scope="module")
def bom() -> dict[str, Any]:
    """The document, made anew."""
    subprocess.run(["bash", ROOT / "scripts" / "sbom.sh"], check=True, capture_output=True, timeout=600)
    made: dict[str, Any] = json.loads(path().read_text())
    return made


def path() -> Path:
    return ROOT / "dist" / f"botsieve-{__version__}.cdx.json"


def test_it_is_cyclonedx(bom: dict[str, Any]) -> None:
    """The schema of the version that it names takes it."""
    assert bom["specVersion"] == "1.6"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None


def test_it_holds_what_the_lock_pins(bom: dict[str, Any]) -> None:
    """Name, version and every hash of each package, nothing more, and we are what needs them."""
    assert {canonicalize_name(one["name"]): one["version"] for one in bom["components"]} == pins("requirements.lock")
    hashes = {item["content"] for one in bom["components"] for item in one["hashes"]}
    assert hashes == set(re.findall(r"--hash=sha256:([0-9a-f]{64})", (ROOT / "requirements.lock").read_text()))
    root = bom["metadata"]["component"]
    assert (root["name"], root["version"]) == ("botsieve", __version__)
    (needed,) = [one["dependsOn"] for one in bom["dependencies"] if one["ref"] == root["bom-ref"]]
    assert sorted(needed) == sorted(one["purl"] for one in bom["components"])


def test_it_names_no_address(bom: dict[str, Any]) -> None:
    """Where packages come from is the business of whoever installs them."""
    del bom["$schema"]  # a name in the form of an address
    assert "://" not in json.dumps(bom)
