#!/usr/bin/env bash
# The software bill of materials: dist/botsieve-VERSION.cdx.json (CycloneDX 1.6), what requirements.lock pins, with every hash.
# Needs nobody outside: it reads the lock, and says of each package what it is, never where it comes from.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mkdir -p dist
exec "${VENV:-.venv}/bin/python" - <<'PY'
import json
import re
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from botsieve import __version__

root = Component(
    name="botsieve",
    version=__version__,
    type=ComponentType.APPLICATION,
    bom_ref=f"pkg:generic/botsieve@{__version__}",
    licenses=[LicenseExpression("Apache-2.0")],
)
bom = Bom()
bom.metadata.component = root
packages = []
# A package of the lock: `name==version \` and, below it, one `--hash=sha256:...` for each file that may be installed.
for name, version, rest in re.findall(r"^([\w.-]+)==([^\s;\\]+)((?:.*\\\n)+.*)", Path("requirements.lock").read_text(), re.MULTILINE):
    purl = PackageURL("pypi", name=name, version=version)
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in re.findall(r"--hash=sha256:([0-9a-f]{64})", rest)]
    packages.append(
        Component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl), hashes=hashes)
    )
    bom.components.add(packages[-1])
bom.register_dependency(root, packages)
made = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
# The same lock gives the same document: no time, no number drawn; and nothing of the tool that wrote it.
made.pop("serialNumber", None)
made["metadata"] = {"component": made["metadata"]["component"]}
target = Path("dist") / f"botsieve-{__version__}.cdx.json"
target.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")
print(f"{target}: {len(packages)} packages, each with the hashes of requirements.lock")
PY
