"""What begins with X-Botsieve- is said by us: no client can say any of it, whatever the spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.servers import Site

FORGED = "forged-by-the-client"


@pytest.fixture(scope="module")
def site(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that lets underscores through, the worst case."""
    folder = tmp_path_factory.mktemp("site")
    with Site(folder, standin.socket, server="underscores_in_headers on;", patient=True) as nginx:
        yield nginx


def trusted(conf: str) -> list[str]:
    """The names that headers.conf sets, so that the list cannot drift: X-Botsieve-* and the two fingerprints, with `-`."""
    names = set(re.findall(r"^proxy_set_header\s+(X[-_]\S+)", conf, re.MULTILINE))
    return sorted({name.replace("_", "-") for name in names})


def names() -> list[str]:
    from botsieve.edge.includes import shipped

    return trusted((shipped("nginx") / "headers.conf").read_text())


def test_the_list_is_the_contract() -> None:
    """headers.conf overwrites every header that nginx tells and that the service answers, in both spellings."""
    from botsieve.edge.includes import shipped

    conf = (shipped("nginx") / "headers.conf").read_text()
    answers = ("Verdict", "Would-Be", "Mode", "Score", "Reasons", "Id", "Hold", "Ask", "On-Late")
    told = "Client-Addr Method Uri Host Scheme Http Time Request-Id Peer-Addr Edge Tls-Sig Tls-Error Unjudged Header-Order"
    expected = {f"X-Botsieve-{name}" for name in (*answers, *told.split())} | {"X-JA3-Fingerprint", "X-JA4-Fingerprint"}
    assert set(names()) == expected
    for name in expected:
        assert re.search(rf"^proxy_set_header\s+{name}\s", conf, re.MULTILINE)
        assert re.search(rf'^proxy_set_header\s+{name.replace("-", "_")}\s+"";', conf, re.MULTILINE)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", names())
def test_no_spelling_comes_through(site: Site, standin: StandIn, name: str, tls: bool) -> None:
    """Once, twice, upper and lower case, underscores, listed in Connection: only nginx's own value arrives, once."""
    spellings = [name, name.upper(), name.lower(), name.replace("-", "_"), name.replace("-", "_").lower()]
    lines = [f"{spelling}: {FORGED}" for spelling in spellings for _ in range(2)]
    port = site.https_port if tls else site.http_port
    for path, target in (("/", "/v1/check/nginx"), ("/.botsieve/solve", "/.botsieve/solve")):
        assert ask(port, path, *lines, f"Connection: {name}", tls=tls).status in (200, 204)
        told = standin.last(target)
        assert FORGED not in [value for values in told.values() for value in values]
        assert len(told.get(name.lower(), [""])) == 1
        assert name.lower().replace("-", "_") not in told


@pytest.mark.parametrize("name", ["X-Botsieve-Client-Addr", "X-Botsieve-Uri", "X-JA4-Fingerprint"])
def test_an_empty_header_changes_nothing(site: Site, standin: StandIn, name: str) -> None:
    """A client's empty header does not remove ours."""
    ask(site.https_port, "/x", f"{name}:", f"{name.replace('-', '_')}:", tls=True)
    assert standin.last()[name.lower()][0]


def test_page_hop(site: Site, standin: StandIn) -> None:
    """On the second hop verdict, score, reasons and id are those of the service, not the client's."""
    lines = [f"{name}: {FORGED}" for name in names()]
    assert ask(site.http_port, "/", "X-Want: block", *lines).body == b"page block 7k3m-9x2q-f4d1-p8wz\n"
    told = standin.last("/v1/page")
    assert FORGED not in [value for values in told.values() for value in values]
    assert told["x-botsieve-reasons"] == ["bot_useragent:curl,no_accept_language"]


def test_the_application_hears_only_us(standin: StandIn, tmp_path: Path) -> None:
    """protect-app.conf: every spelling of the client is gone, our five are there, and cookies of both arrive."""
    echo = """add_header Set-Cookie "app=1"; add_header Set-Cookie "app=2"; content_by_lua_block {
        local names = ngx.req.get_headers(0, true)
        local lines = {}
        for name, value in pairs(names) do
            if name:lower():find("^x[-_]") then
                lines[#lines + 1] = name .. "=" .. (type(value) == "table" and "TABLE" or value)
            end
        end
        table.sort(lines)
        ngx.print(table.concat(lines, "\\n"))
    }"""
    locations = "location / { PROTECT_APP TO_APP }"
    with Site(
        tmp_path, standin.socket, server="underscores_in_headers on;", locations=locations, app=echo, patient=True
    ) as site:
        spellings = [spelling for name in names() for spelling in (name, name.upper(), name.replace("-", "_"))]
        spellings += ["X-Botsieve-Unknown", "X_Botsieve-Mixed", "x-botsieve_id"]
        answer = ask(site.http_port, "/", "X-Want: cookie", *(f"{name}: {FORGED}" for name in spellings), "X-Mine: 1")
        assert answer.body.decode().lower().split("\n") == [
            "x-botsieve-id=7k3m-9x2q-f4d1-p8wz",
            "x-botsieve-reasons=bot_useragent:curl,no_accept_language",
            "x-botsieve-score=75",
            "x-botsieve-verdict=allow",
            "x-botsieve-would-be=allow",
            "x-mine=1",
            "x-want=cookie",
        ]
        assert FORGED not in answer.body.decode()
        assert answer.all("Set-Cookie") == ["app=1", "app=2", "botsieve_s=1; Path=/"]
        for want in ("garbage", "empty", "error", "close"):
            heard = ask(site.http_port, "/", f"X-Want: {want}", f"X-Botsieve-Verdict: {FORGED}").body.decode().lower()
            assert heard.split("\n") == ["x-botsieve-verdict=unjudged", f"x-want={want}"]
