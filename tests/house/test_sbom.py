"""`make sbom`: a valid CycloneDX document of exactly what the runtime lock pins and the package carries, and no address."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
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
    subprocess.run([sys.executable, ROOT / "scripts" / "sbom.py"], check=True, capture_output=True, timeout=600)
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
    packages = [one for one in bom["components"] if one["purl"].startswith("pkg:pypi/")]
    assert {canonicalize_name(one["name"]): one["version"] for one in packages} == pins("requirements.lock")
    hashes = {item["content"] for one in packages for item in one["hashes"]}
    assert hashes == set(re.findall(r"--hash=sha256:([0-9a-f]{64})", (ROOT / "requirements.lock").read_text()))
    root = bom["metadata"]["component"]
    assert (root["name"], root["version"]) == ("botsieve", __version__)
    (needed,) = [one["dependsOn"] for one in bom["dependencies"] if one["ref"] == root["bom-ref"]]
    assert sorted(needed) == sorted(one["purl"] for one in bom["components"])


def test_it_holds_what_the_package_carries(bom: dict[str, Any]) -> None:
    """FingerprintJS by name, version, licence and the hash of the very file; nothing else that is no package of the lock."""
    (one,) = [one for one in bom["components"] if not one["purl"].startswith("pkg:pypi/")]
    (file,) = (ROOT / "service" / "botsieve" / "web" / "vendor").glob("*.js")
    assert (one["group"], one["name"], one["version"]) == ("@fingerprintjs", "fingerprintjs", "5.2.0")
    assert one["licenses"] == [{"expression": "MIT"}]
    assert one["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}]
    assert file.name == f"{one['name']}-{one['version']}.min.js"


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("fingerprintjs-5.2.0.min.js", "alert(1)", "is not the one of SOURCES.md"),
        ("new.js", "alert(1)", "has no row"),
        ("fingerprintjs-5.2.0.min.js", None, "it is not there"),
    ],
)
def test_a_file_that_is_not_the_one_written_down_ends_it(tmp_path: Path, file: str, text: str | None, said: str) -> None:
    """Changed, not written down, or gone: no document."""
    for name in ("scripts", "service/botsieve/web/vendor"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("requirements.lock", "service/botsieve/__init__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    script = tmp_path / "service" / "botsieve" / "web" / "vendor" / file
    if text is None:
        script.unlink()
    else:
        with script.open("a") as stream:
            stream.write(text)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "service")}
    done = subprocess.run(
        [sys.executable, tmp_path / "scripts" / "sbom.py"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=environment,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert list(tmp_path.glob("dist/*")) == []


def test_it_names_no_address(bom: dict[str, Any]) -> None:
    """Where packages come from is the business of whoever installs them."""
    del bom["$schema"]  # a name in the form of an address
    assert "://" not in json.dumps(bom)
