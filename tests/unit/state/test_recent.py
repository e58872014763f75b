"""state/recent.py: a request that is asked about twice hears the same, for 10 s, within a bound."""

from __future__ import annotations

from botsieve.decision import ALLOW, MONITOR, Decision
from botsieve.state.recent import _MAX, KEEP_S, Recent

NOW_S = 1_800_000_000.0
ONE, TWO = [Decision(name, ALLOW, ALLOW, MONITOR, 0, False, (), "", "", "mixed", "") for name in ("one", "two")]


def test_the_same_for_ten_seconds() -> None:
    """Up to 10 s the decision, later nothing."""
    recent = Recent()
    recent.put((b"id", b"client", b"/"), ONE, NOW_S)
    assert recent.get((b"id", b"client", b"/"), NOW_S + KEEP_S) is ONE
    assert recent.get((b"id", b"client", b"/"), NOW_S + KEEP_S + 0.1) is None


def test_the_id_alone_is_nobody() -> None:
    """Another client or another target with the same id is another request."""
    recent = Recent()
    recent.put((b"id", b"client", b"/"), ONE, NOW_S)
    assert recent.get((b"id", b"other", b"/"), NOW_S) is None
    assert recent.get((b"id", b"client", b"/x"), NOW_S) is None


def test_still_known_after_the_generation_turned() -> None:
    """A decision given just before the turn is known for its whole time."""
    recent = Recent()
    recent.put((b"0", b"", b""), TWO, NOW_S)
    recent.put((b"1", b"", b""), ONE, NOW_S + 9)
    recent.put((b"2", b"", b""), TWO, NOW_S + 10.5)
    recent.put((b"3", b"", b""), TWO, NOW_S + 18)
    assert recent.get((b"1", b"", b""), NOW_S + 18.9) is ONE


def test_bounded_by_count() -> None:
    """A flood of ids costs two generations at most."""
    recent = Recent()
    for number in range(3 * _MAX):
        recent.put((b"%d" % number, b"", b""), ONE, NOW_S)
    assert len(recent._young) + len(recent._old) <= 2 * _MAX
    assert recent.get((b"%d" % (3 * _MAX - 1), b"", b""), NOW_S) is ONE


def test_a_generation_is_freed_little_by_little() -> None:
    """To free 20,000 decisions at once would hold everybody for 10 ms: each call frees a few, and they do not pile up."""
    recent = Recent()
    for number in range(4 * _MAX):
        before = len(recent._forgotten)
        recent.put((b"%d" % number, b"", b""), ONE, NOW_S)
        assert before - len(recent._forgotten) <= 4
        assert len(recent._forgotten) <= _MAX
    for number in range(_MAX // 4):
        recent.put((b"%d" % number, b"", b"more"), ONE, NOW_S)
    assert len(recent._forgotten) == 0
