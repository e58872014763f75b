"""state/recent.py: a request that is asked about twice hears the same, for 10 s, within a bound."""

from __future__ import annotations

from botsieve.decision import ALLOW, MONITOR, Decision
from botsieve.observation import MAX_REQUEST_ID
from botsieve.state.hashing import Hasher
from botsieve.state.recent import _MAX, KEEP_S, Recent, name_of

from tests.unit.rig import request

NOW_S = 1_800_000_000.0
ONE, TWO = [Decision(name, ALLOW, ALLOW, MONITOR, 0, False, (), "", "", "mixed", "") for name in ("one", "two")]
NAMES = [Hasher(b"secret" * 4).key(b"%d" % number) for number in range(4)]


def test_the_same_for_ten_seconds() -> None:
    """Up to 10 s the decision, later nothing."""
    recent = Recent()
    recent.put(NAMES[0], ONE, NOW_S)
    assert recent.get(NAMES[0], NOW_S + KEEP_S) is ONE
    assert recent.get(NAMES[0], NOW_S + KEEP_S + 0.1) is None


def test_the_id_alone_is_nobody() -> None:
    """Another client or another target with the same id is another request, and no byte moves from one to the other."""
    hasher = Hasher(b"secret" * 4)
    same = {"client": "203.0.113.7", "request_id": b"id"}
    others = ({"client": "203.0.113.8", "request_id": b"id"}, {**same, "request_id": b"id/"}, {**same, "request_id": b"i"})
    asked = [request(b"/x/", **same), request(b"/x", **same), request(b"d/x/", **others[2])]
    asked += [request(b"/x/", **other) for other in others]
    assert len({name_of(o, hasher) for o in asked}) == len(asked)
    assert name_of(asked[0], hasher) == name_of(request(b"/x/", **same), hasher)
    assert name_of(request(b"/", request_id=b"x" * MAX_REQUEST_ID), hasher) != name_of(request(b"/", request_id=b"x"), hasher)


def test_still_known_after_the_generation_turned() -> None:
    """A decision given just before the turn is known for its whole time."""
    recent = Recent()
    recent.put(NAMES[0], TWO, NOW_S)
    recent.put(NAMES[1], ONE, NOW_S + 9)
    recent.put(NAMES[2], TWO, NOW_S + 10.5)
    recent.put(NAMES[3], TWO, NOW_S + 18)
    assert recent.get(NAMES[1], NOW_S + 18.9) is ONE


def test_bounded_by_count() -> None:
    """A flood of ids costs two generations at most."""
    recent = Recent()
    for number in range(3 * _MAX):
        recent.put(b"%08d" % number, ONE, NOW_S)
    assert len(recent._young) + len(recent._old) <= 2 * _MAX
    assert recent.get(b"%08d" % (3 * _MAX - 1), NOW_S) is ONE


def test_a_generation_is_freed_little_by_little() -> None:
    """To free 20,000 decisions at once would hold everybody for 10 ms: each call frees a few, and they do not pile up."""
    recent = Recent()
    for number in range(4 * _MAX):
        before = len(recent._forgotten)
        recent.put(b"%08d" % number, ONE, NOW_S)
        assert before - len(recent._forgotten) <= 4
        assert len(recent._forgotten) <= _MAX
    for number in range(_MAX // 4):
        recent.put(b"more%08d" % number, ONE, NOW_S)
    assert len(recent._forgotten) == 0
