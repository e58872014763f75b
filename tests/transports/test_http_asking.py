"""X-Botsieve-Ask on the wire: on the answers to nginx's checks while there is overload, and nowhere else."""

from __future__ import annotations

import pytest
from botsieve.transports.asking import STEP_S, Asking
from botsieve.transports.forward import ForwardEdge
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_readers import Request

from tests.transports.edge_harness import CURL, PERSON, Service, ask, at, by, check, with_on_late
from tests.transports.wire import Reply, get, only_reply

OURS = ("X-Botsieve-Ask", "X-Botsieve-On-Late")


def said(reply: Reply) -> list[list[str]]:
    return [reply.all(name) for name in OURS]


def answers(edge: NginxEdge) -> list[Reply]:
    """An allow, a challenge, one for an edge that says too little, one too many read and unread."""
    surplus = edge.surplus(get(b"/v1/check/nginx"))
    assert surplus is not None
    judged = [ask(edge, check("/", headers)) for headers in (PERSON, CURL)]
    return [*judged, ask(edge, check(Uri="-")), only_reply(edge.overloaded(check())), only_reply(surplus)]


def test_every_answer_to_a_check_says_it(edge: NginxEdge) -> None:
    """Judged or not, with nothing else changed; and none before or after."""
    before = answers(edge)
    assert [said(reply) for reply in before] == [[[], []]] * 5
    edge.ask(40)
    during = answers(edge)
    assert [said(reply) for reply in during] == [[["40"], []]] * 5
    for one, other in zip(before, during, strict=True):
        kept = [name for name, _ in other.headers if name not in OURS]
        assert (other.status, kept, other.body) == (one.status, [name for name, _ in one.headers], one.body)
    edge.ask(0)
    assert [said(reply) for reply in answers(edge)] == [[[], []]] * 5


def test_who_is_not_asked_about_is_refused_where_on_late_says_so(edge: NginxEdge) -> None:
    """`on_late: block` goes along, for nginx does not know it."""
    edge = with_on_late(edge, "block")
    edge.ask(7)
    assert [said(reply) for reply in answers(edge)] == [[["7"], ["block"]]] * 5


@pytest.mark.parametrize("target", ["/v1/page", "/.botsieve/c.js", "/.botsieve/wait", "/nothing"])
def test_visitors_are_not_told(edge: NginxEdge, target: str) -> None:
    """A page, a script, a solution: what reaches a visitor does not say that there is overload."""
    edge.ask(40)
    assert said(ask(edge, at(target, check("/", CURL)))) == [[], []]
    assert said(only_reply(edge.refused())) == [[], []]


def test_other_gateways_go_on_as_they_did(service: Service) -> None:
    """What is told to nginx is not told to them: they would hand it on."""
    forward = ForwardEdge(service.service, service.settings("forward"), "/.botsieve/")
    facts = {b"x-forwarded-method": b"GET", b"x-forwarded-uri": b"/", b"x-forwarded-for": b"192.0.2.7"}
    request = Request("GET", b"/v1/check/forward", facts, b"", by("127.0.0.1", check()).peer)
    assert forward.asking is None
    assert said(only_reply(forward.handle(request))) == [[], []]


# ---- what nginx says of those that it did not ask about


def told(edge: NginxEdge, total: str, peer: str = "127.0.0.1") -> None:
    ask(edge, by(peer, check(Unjudged=total)))


def test_both_numbers_are_counted(edge: NginxEdge, service: Service) -> None:
    """Let pass because nobody answered, and not asked about: each once, however often and in which order it is said."""
    for total in ("0", "3", "3+10", "3+10", "3+12", "3+11", "5+12", "5+40"):
        told(edge, total)
    assert service.unjudged() == {"edge_down": 5, "unasked": 40}
    told(edge, "7+50", "127.0.0.2")
    assert service.unjudged() == {"edge_down": 12, "unasked": 90}


def test_it_is_said_once_in_10_s(edge: NginxEdge, service: Service) -> None:
    """One event for all, with how many: more than is judged passes then, and somebody should know."""
    for total in range(0, 1_000, 10):
        told(edge, f"0+{total}")
    service.service.tell_unasked()
    service.service.tell_unasked()
    (line,) = [line for line in service.events() if '"overloaded"' in line]
    assert '"count":990' in line


def test_the_part_rests_on_them(edge: NginxEdge) -> None:
    """What is not asked about counts as having arrived."""
    parts: list[int] = []
    edge.asking = Asking(parts.append)
    edge.asking.begin(0.0)
    told(edge, "0")
    for step in range(1, 30):
        told(edge, f"0+{step * 300}")
        edge.asking.turn(step * STEP_S, 100, 0, STEP_S, 0.0)
    assert parts[-1] in (25, 26)


@pytest.mark.parametrize("text", ["+", "+5", "5+", "5+x", "5+-1", "1+2+3", "5+" + "9" * 40, "5 +6", "5+\xb2"])
def test_numbers_that_are_none(edge: NginxEdge, service: Service, text: str) -> None:
    """Half a number is none: nothing is counted, and the verdict comes all the same."""
    assert ask(edge, check(Unjudged=text)).verdict != "unjudged"
    assert service.unjudged() == {}
