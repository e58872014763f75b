"""scripts/nginx-packages.sh: nothing to do is nothing done; what it cannot do it says, with exit code 4."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.conftest import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", str(ROOT / "scripts" / "nginx-packages.sh"), *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_there() -> None:
    """Where nginx and Lua are, it says nothing and does nothing."""
    for arguments in ((), ("--no-lua",)):
        done = run(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_unknown_word() -> None:
    """Exit code 2 and what is accepted."""
    done = run("--fast")
    assert (done.returncode, "accepted: nothing, or --no-lua" in done.stderr) == (2, True)


def test_no_package_manager(tmp_path: Path) -> None:
    """Lua missing, and no apt-get: what is missing and what to do; --no-lua does without."""
    for tool in ("openssl", "id"):
        (tmp_path / tool).symlink_to("/bin/true")
    done = run(NGINX_MODULES=str(tmp_path), PATH=str(tmp_path))
    assert done.returncode == 4
    assert "missing: libnginx-mod-http-lua; there is no apt-get here: install nginx and its Lua module" in done.stderr
    assert run("--no-lua", NGINX_MODULES=str(tmp_path), PATH=str(tmp_path)).returncode == 0


def test_refusal_of_the_package_manager(tmp_path: Path) -> None:
    """apt-get that fails: its last words, exit code 4, and the policy file of this machine as it was."""
    policy = Path("/usr/sbin/policy-rc.d")
    before = policy.read_bytes() if policy.exists() else None
    for name, script in (("apt-get", "echo E: no such package; exit 100"), ("sudo", '"$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    done = run(NGINX_MODULES=str(tmp_path), PATH=f"{tmp_path}:/usr/bin:/bin", CI="1")
    assert done.returncode == 4
    assert "will install libnginx-mod-http-lua with apt-get; no service is started" in done.stdout
    assert "E: no such package" in done.stderr
    assert (policy.read_bytes() if policy.exists() else None) == before
