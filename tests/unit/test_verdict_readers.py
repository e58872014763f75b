"""verdict.py with challenge/clearance.py: how often somebody is asked who goes on with what a clearance was earned for."""

from __future__ import annotations

from typing import Any

from tests.unit.rig import PAGE, TOOL, Rig, enforcing, found, hello, request


def walk(*, gap_s: float, pages: int) -> list[tuple[int, str]]:
    """Somebody who solves each challenge walks through pages in order; on which ones a challenge of which level came."""
    rig, cookie, asked = Rig(enforcing(challenge_at=30), cookies=True), b"", []
    for number in range(pages):
        at_s = number * gap_s + number * 7 % 5 * 0.3
        facts: dict[str, Any] = {"headers": {**PAGE, b"cookie": cookie}}
        decision = rig.ask(f"/chapters/{number}", at_s=at_s, **facts)
        if decision.verdict != "allow":
            asked.append((number, decision.level))
            o = request(f"/chapters/{number}", **facts)
            cookie = rig.clearance_cookie(o, level=decision.level, at_s=at_s, number=number + 1)
            facts["headers"] = {**PAGE, b"cookie": cookie}
            assert rig.ask(f"/chapters/{number}", at_s=at_s + 1, **facts).verdict == "allow"
    return asked


def test_who_reads_from_the_first_chapter_to_the_last_is_asked_every_sixty_pages() -> None:
    """The same finding came again under the new name, ended each clearance after five pages, and made the next challenge harder."""
    asked = walk(gap_s=20.0, pages=160)
    assert [number for number, _ in asked] == [5, 74, 143]
    assert {level for _, level in asked} == {"normal"}


def test_who_takes_a_catalogue_so_is_not_let_off() -> None:
    """Faster than pages are read, a solution is good for a few more, and the next one is harder."""
    asked = walk(gap_s=1.2, pages=100)
    assert len(asked) >= 7
    assert [level for _, level in asked] == ["normal"] + ["hard"] * (len(asked) - 1)


def test_what_was_there_when_it_was_earned_is_forgiven() -> None:
    """A finding that others share in (one tool's hello from everywhere) is not new because an image came first."""
    rig = Rig(enforcing(audience="api", challenge_at=30), cookies=True)
    facts: dict[str, Any] = {"headers": TOOL, **hello("python-requests-2.34")}
    for number in range(110):
        at_s = number * 0.7
        decision = rig.ask(f"/items/{number * number}", client=f"198.51.{number % 40}.7", at_s=at_s, **facts)
    assert (found(decision), decision.verdict) == (["spread:fingerprint"], "challenge")
    cookie = rig.clearance_cookie(request("/p", **facts), at_s=80)
    facts["headers"] = {**TOOL, b"cookie": cookie}
    assert rig.ask("/a.png", at_s=81, **facts).verdict == "allow"
    forgiven = rig.ask("/items/7", at_s=82, **facts)
    assert (found(forgiven), forgiven.verdict) == (["spread:fingerprint"], "allow")
