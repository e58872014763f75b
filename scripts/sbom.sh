#!/usr/bin/env bash
# The software bill of materials: dist/botsieve-VERSION.cdx.json (CycloneDX 1.6): what requirements.lock pins, with every hash, and the
# scripts of others that the package carries (web/vendor/SOURCES.md; a file that is not the one written there ends it).
# Needs nobody outside: it reads the lock, and says of each package what it is, never where it comes from.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mkdir -p dist
exec "${VENV:-.venv}/bin/python" - <<'PY'
import hashlib
import json
import re
import sys
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
# A row of the table: `file`, what ("npm NAME, its ..."), version, licence ("MIT, ..."), `SHA-256`.
vendor = Path("service/botsieve/web/vendor")
rows = re.findall(
    r"^\| `([^`]+)` \| npm ([@\w./-]+), [^|]*\| ([^| ]+) \| ([\w.-]+)[, ][^|]*\| `([0-9a-f]{64})` \|$",
    (vendor / "SOURCES.md").read_text(),
    re.MULTILINE,
)
carried = {file for file, *_ in rows}
for path in sorted(vendor.iterdir()):
    if path.name != "SOURCES.md" and path.name not in carried:
        sys.exit(f"{path}: SOURCES.md has no row of it; write what it is, its version, licence and SHA-256")
for file, name, version, licence, digest in rows:
    if hashlib.sha256((vendor / file).read_bytes()).hexdigest() != digest:
        sys.exit(f"{vendor / file}: its SHA-256 is not the one of SOURCES.md; write the right one, or restore the file")
    namespace, _, short = name.rpartition("/")
    purl = PackageURL("npm", namespace=namespace or None, name=short, version=version)
    packages.append(
        Component(
            group=namespace or None,
            name=short,
            version=version,
            type=ComponentType.LIBRARY,
            purl=purl,
            bom_ref=str(purl),
            licenses=[LicenseExpression(licence)],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        )
    )
    bom.components.add(packages[-1])
bom.register_dependency(root, packages)
made = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
# The same lock gives the same document: no time, no number drawn; and nothing of the tool that wrote it.
made.pop("serialNumber", None)
made["metadata"] = {"component": made["metadata"]["component"]}
target = Path("dist") / f"botsieve-{__version__}.cdx.json"
target.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")
print(f"{target}: {len(packages) - len(rows)} packages with the hashes of requirements.lock, {len(rows)} script that is carried along")
PY
