"""The demo's certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from botsieve.demo.certificate import make_certificate
from botsieve.errors import MachineError


def test_a_certificate_serves_tls_and_is_kept(tmp_path: Path) -> None:
    """Key and certificate belong together, only the owner reads the key, and a second call changes nothing."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    make_certificate(certificate, key)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    assert key.stat().st_mode & 0o077 == 0
    before = certificate.read_bytes()
    make_certificate(certificate, key)
    assert certificate.read_bytes() == before


def test_a_broken_certificate_is_made_anew(tmp_path: Path) -> None:
    """Half a file from an interrupted run does not stop the next one."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_text("half")
    key.write_text("half")
    make_certificate(certificate, key)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without openssl the message names the command and the package."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="openssl is missing"):
        make_certificate(tmp_path / "c.pem", tmp_path / "k.pem")
