"""The lock files: everything that pyproject.toml asks for, exact, with hashes, and without a word on where it comes from."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

LOCKS = ("requirements.lock", "requirements-test.lock")


def pins(lock: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def wanted(*, test: bool) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"] + (project["optional-dependencies"]["test"] if test else [])]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_pinned_as_pyproject_allows(lock: str) -> None:
    """A dependency added to pyproject.toml without `make lock` fails here, by name."""
    held = pins(lock)
    for requirement in wanted(test="test" in lock):
        version = held.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in {lock}: run make lock"
        assert version in requirement.specifier, f"{requirement.name} {version} in {lock}: run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_hashes_and_no_address(lock: str) -> None:
    """Every line is a pin, a hash or a comment: no index, no link, no host."""
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=sha256:[0-9a-f]{64})", text, re.MULTILINE)
    blocks = re.findall(r"^[A-Za-z0-9].*?(?=^[A-Za-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)


def test_tests_run_on_the_versions_that_users_get() -> None:
    """The test lock holds every pin of the runtime lock."""
    assert pins("requirements.lock").items() <= pins("requirements-test.lock").items()
