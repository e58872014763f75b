"""The demo's nginx.conf."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.demo.nginx_conf import Ports, find_nginx, lua_modules, nginx_conf
from botsieve.errors import MachineError

PORTS = Ports(http=1, https=2, shop=3, backup=4, web=5)


@pytest.mark.parametrize(
    ("modules", "protect", "inject"), [(None, "protect", "inject"), ("", "protect-app", "inject-app")], ids=["stock", "lua"]
)
def test_it_holds_the_include_lines_that_the_readme_shows(modules: str | None, protect: str, inject: str) -> None:
    """http.conf once, a server include in each server, protect in each location, and our script in its pages: nothing else."""
    text = nginx_conf(Path("/x/.run"), PORTS, modules)
    assert text.count("botsieve/http.conf") == 1
    assert text.count("botsieve/server.conf") == 1
    assert text.count("botsieve/server-tls.conf") == 1
    assert text.count(f"botsieve/{protect}.conf") == 2
    assert text.count(f"botsieve/{inject}.conf") == 2
    assert text.count("include /x/.run/nginx/botsieve/") == 7


def test_it_listens_on_loopback_only() -> None:
    """Nobody outside this machine reaches the demo."""
    listens = [line.split()[1] for line in nginx_conf(Path("/x"), PORTS, "").splitlines() if line.strip().startswith("listen")]
    assert listens == ["127.0.0.1:1;", "127.0.0.1:2"]


def test_without_lua_it_asks_for_no_lua() -> None:
    """A stock nginx without the module can start it."""
    assert "lua" not in nginx_conf(Path("/x"), PORTS, None)


def test_this_machine_has_nginx_with_lua() -> None:
    """What `make setup` installed is found."""
    assert find_nginx()
    assert lua_modules() is not None


def test_a_missing_nginx_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to get it."""
    monkeypatch.setattr("shutil.which", lambda *_args, **_kwargs: None)
    with pytest.raises(MachineError, match="make setup"):
        find_nginx()
