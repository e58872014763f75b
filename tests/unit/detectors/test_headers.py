"""detectors/headers.py: what a browser always sends, where it would have been seen, and when it sends none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rig import CALL, PAGE, TOOL, Rig, enforcing, found, request

LANGUAGE, ENCODING, REFERER = "headers.no_accept_language", "headers.no_accept_encoding", "headers.no_referer"


@pytest.mark.parametrize(("finding", "header"), [(LANGUAGE, b"accept-language"), (ENCODING, b"accept-encoding")])
class TestAlwaysSent:
    def test_missing_and_empty(self, finding: str, header: bytes) -> None:
        """Who says that it is a browser and does not send it; empty is missing."""
        name = finding.partition(".")[2]
        assert found(Rig().ask(without=[header]), finding) == [name]
        assert found(Rig().ask(plus={header: b""}), finding) == [name]
        assert found(Rig().ask(headers=CALL, without=[header]), finding) == [name]
        assert found(Rig().ask(), finding) == []

    def test_who_claims_nothing(self, finding: str, header: bytes) -> None:
        """An honest program is not asked for it, but where browsers are the audience."""
        assert found(Rig().ask(headers=TOOL), finding) == []
        assert found(Rig(enforcing(audience="api")).ask(headers=TOOL), finding) == []
        assert found(Rig(enforcing(audience="browser")).ask(headers=TOOL), finding) == [finding.partition(".")[2]]

    def test_where_it_cannot_be_seen(self, finding: str, header: bytes) -> None:
        """An edge that cannot show it accuses nobody."""
        assert found(Rig().ask(without=[header], headers_seen=frozenset([b"user-agent", b"accept"])), finding) == []

    def test_web_sockets_and_preflights(self, finding: str, header: bytes) -> None:
        """Browsers leave it out of some of these."""
        rig = Rig()
        upgrade = {b"user-agent": PAGE[b"user-agent"], b"upgrade": b"websocket"}
        preflight = {b"user-agent": PAGE[b"user-agent"], b"access-control-request-method": b"PUT"}
        assert found(rig.ask("/live", headers=upgrade), finding) == []
        assert found(rig.ask("/api", headers=preflight, method=b"OPTIONS"), finding) == []


def visit(*uris: str, rig: Rig | None = None, gap_s: float = 20.0, **last: Any) -> list[str]:
    """What is said of the Referer at the last of these page loads, which comes without one."""
    rig = rig or Rig()
    for at, uri in enumerate(uris[:-1]):
        rig.ask(uri, at_s=at * gap_s)
    return found(rig.ask(uris[-1], at_s=(len(uris) - 1) * gap_s, without=[b"referer"], **last), REFERER)


class TestReferer:
    def test_inside_a_visit(self) -> None:
        """A page load that comes from nowhere [S1-10]."""
        assert visit("/a", "/b") == ["no_referer"]

    def test_the_first_of_a_visit(self) -> None:
        """No earlier request in 30 min."""
        assert visit("/a") == []
        assert visit("/a", "/b", gap_s=1801) == []
        assert visit("/a", "/b", gap_s=1800) == ["no_referer"]

    def test_entry_pages(self) -> None:
        """The home page, and what the operator lists."""
        assert visit("/a", "/") == []
        assert visit("/a", "/?utm=x") == []

    @pytest.mark.parametrize("site", [b"none", b"cross-site"])
    def test_typed_or_from_a_site_that_does_not_tell(self, site: bytes) -> None:
        """Sec-Fetch-Site says so."""
        assert visit("/a", "/b", plus={b"sec-fetch-site": site}) == []

    def test_page_loads_only(self) -> None:
        """Calls, parts of pages and prefetches need none."""
        assert visit("/a", "/api/b", headers=CALL) == []
        assert visit("/a", "/b", plus={b"sec-purpose": b"prefetch"}) == []

    def test_where_it_cannot_be_seen(self) -> None:
        """A log without Referer accuses nobody."""
        assert visit("/a", "/b", headers_seen=frozenset([b"user-agent", b"accept"])) == []

    def test_a_site_that_switched_it_off(self) -> None:
        """More than 30 % of same-origin page loads without one: the site sends `no-referrer`.  At 30 % it still counts."""
        for lacking, says in ((16, []), (14, ["no_referer"])):
            rig = Rig()
            for number in range(50):
                without = [b"referer"] if number < lacking else []
                rig.decide(request("/p", client=f"10.0.{number}.1", without=without), 0.0)
            assert visit("/a", "/b", rig=rig) == says

    def test_few_page_loads_say_nothing_about_the_site(self) -> None:
        """Below 50 the share means nothing."""
        rig = Rig()
        for number in range(40):
            rig.decide(request("/p", client=f"10.0.{number}.1", without=[b"referer"]), 0.0)
        assert visit("/a", "/b", rig=rig) == ["no_referer"]
