"""The software bill of materials, dist/botsieve-VERSION.cdx.json (CycloneDX 1.6): what requirements.lock pins, with every hash, and
the scripts of others that the package carries.

Law of the file: it reads the lock and web/vendor/SOURCES.md and asks nobody outside; it says of each package what it is, never where
it comes from.  A carried file that is not the one written there ends it.  The same lock gives the same document, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from botsieve import __version__
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "service" / "botsieve" / "web" / "vendor"
# `name==version \` and, below it, one `--hash=sha256:...` for each file that may be installed.
PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)((?:.*\\\n)+.*)", re.MULTILINE)
# `file`, what ("npm NAME, its ..."), version, licence ("MIT, ..."), `SHA-256`.
ROW = re.compile(
    r"^\| `([^`]+)` \| npm ([@\w./-]+), [^|]*\| ([^| ]+) \| ([\w.-]+)[, ][^|]*\| `([0-9a-f]{64})` \|$",
    re.MULTILINE,
)


def locked() -> Iterator[Component]:
    """The packages of requirements.lock."""
    for name, version, rest in PIN.findall((ROOT / "requirements.lock").read_text()):
        digests = re.findall(r"--hash=sha256:([0-9a-f]{64})", rest)
        yield _library(name, version, PackageURL("pypi", name=name, version=version), digests)


def carried() -> Iterator[Component]:
    """The scripts of web/vendor.  Errors: SystemExit for one without a row, or with another SHA-256 than its row's."""
    rows = {file: rest for file, *rest in ROW.findall((VENDOR / "SOURCES.md").read_text())}
    files = {path.name: path for path in sorted(VENDOR.iterdir()) if path.name != "SOURCES.md"}
    for name in rows.keys() - files.keys():
        sys.exit(f"{VENDOR / name}: SOURCES.md names it, and it is not there; take the row out, or restore the file")
    for file, path in files.items():
        if file not in rows:
            sys.exit(f"{path}: SOURCES.md has no row of it; write what it is, its version, licence and SHA-256")
        name, version, licence, digest = rows[file]
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            sys.exit(f"{path}: its SHA-256 is not the one of SOURCES.md; write the right one, or restore the file")
        namespace, _, short = name.rpartition("/")
        purl = PackageURL("npm", namespace=namespace or None, name=short, version=version)
        yield _library(short, version, purl, [digest], group=namespace or None, licence=licence)


def _library(
    name: str, version: str, purl: PackageURL, digests: list[str], *, group: str | None = None, licence: str = ""
) -> Component:
    return Component(
        group=group,
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=str(purl),
        licenses=[LicenseExpression(licence)] if licence else [],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in digests],
    )


def document(packages: list[Component], scripts: list[Component]) -> str:
    """The JSON of a package that depends on all of these."""
    root = Component(
        name="botsieve",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref=f"pkg:generic/botsieve@{__version__}",
        licenses=[LicenseExpression("Apache-2.0")],
    )
    bom = Bom(components=[*packages, *scripts])
    bom.metadata.component = root
    bom.register_dependency(root, [*packages, *scripts])
    made = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
    # No time, no number drawn; and nothing of the tool that wrote it.
    made.pop("serialNumber", None)
    made["metadata"] = {"component": made["metadata"]["component"]}
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Writes the document and says what is in it."""
    packages, scripts = list(locked()), list(carried())
    target = ROOT / "dist" / f"botsieve-{__version__}.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(document(packages, scripts))
    told = f"{len(packages)} packages with the hashes of requirements.lock, {len(scripts)} script that is carried along"
    print(f"{target.relative_to(ROOT)}: {told}")


if __name__ == "__main__":
    main()
