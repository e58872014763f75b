"""The files of a configuration."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from botsieve.edge.check.sources import MAX_BYTES, MAX_PATTERNS, Sources, decoded, from_dump, read_conf
from botsieve.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

DUMP = "nginx: the configuration file is ok\n# configuration file /e/nginx.conf:\nuser x;\n\n# configuration file /e/d/a.conf:\na;\n"


def test_a_dump_is_taken_apart() -> None:
    """Each file has its own lines; what nginx said before is left out."""
    sources = from_dump(DUMP)
    assert sources is not None
    assert (sources.main, sources.files) == ("/e/nginx.conf", {"/e/nginx.conf": "user x;\n\n", "/e/d/a.conf": "a;\n"})


def test_includes_are_found_as_nginx_finds_them() -> None:
    """Relative to the main file; patterns per folder, hidden files only by name, sorted."""
    names = ["/e/nginx.conf", "/e/d/b.conf", "/e/d/a.conf", "/e/d/.x.conf", "/e/d/deep/c.conf", "/o/a.conf"]
    sources = Sources("/e/nginx.conf", dict.fromkeys(names, ""))
    assert sources.include("d/*.conf", at="f:1") == ["/e/d/a.conf", "/e/d/b.conf"]
    assert sources.include("/o/a.conf", at="f:1") == ["/o/a.conf"]
    assert sources.include("d/[ab].conf", at="f:1") == ["/e/d/a.conf", "/e/d/b.conf"]
    assert sources.include("none/*.conf", at="f:1") == []
    with pytest.raises(InputError, match=r"^f:7: include /e/none.conf: .*accepted: the whole output of `nginx -T`"):
        sources.include("none.conf", at="f:7")


def test_patterns_are_bounded() -> None:
    """So many patterns are no configuration."""
    sources = Sources("/a", {"/a": ""})
    for _ in range(MAX_PATTERNS):
        assert sources.include("*.none", at="f:1") == []
    with pytest.raises(InputError, match="with a pattern"):
        sources.include("*.none", at="f:1")


def test_a_conf_reads_its_includes(tmp_path: Path) -> None:
    """A plain nginx.conf: includes come from the disk, beside it; folders and what is not there are no files."""
    (tmp_path / "nginx.conf").write_text("include b*.conf; include c.conf;")
    (tmp_path / "b1.conf").write_bytes(b"a \xff;")
    (tmp_path / "b2.conf").mkdir()
    sources = read_conf(str(tmp_path / "nginx.conf"))
    assert sources.include("b*.conf", at="f:1") == [str(tmp_path / "b1.conf")]
    assert sources.files[str(tmp_path / "b1.conf")] == "a \\xff;"
    with pytest.raises(InputError, match="no such file"):
        sources.include("c.conf", at="f:1")


def test_stdin_must_be_a_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` has no folder, so its includes could not be found."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(DUMP.encode())))
    assert read_conf("-").main == "/e/nginx.conf"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"http { }")))
    with pytest.raises(InputError, match="accepted: the output of `nginx -T`"):
        read_conf("-")


def test_what_cannot_be_read() -> None:
    """No such file, and too much of one."""
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_conf("/nonexistent/nginx.conf")
    with pytest.raises(InputError, match="more than"):
        decoded(b"x" * (MAX_BYTES + 1), "f")


@given(st.binary() | st.text().map(lambda text: f"# configuration file /a:\n{text}".encode()))
def test_any_bytes_give_files_or_none(data: bytes) -> None:
    """No byte is an error."""
    sources = from_dump(decoded(data, "f"))
    assert sources is None or sources.main in sources.files
