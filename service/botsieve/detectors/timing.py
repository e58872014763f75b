"""A timer at work: intervals between requests that no person keeps.

Law of the file: judged on the page views and data calls of one client on one route template.  Source: docs/mission.md S1-24 to S1-31.
What comes within BURST_S was sent together, or waited together in front of us: its rhythm is that of whoever let it go.
"""

from __future__ import annotations

from botsieve.decision import Measure, Signal
from botsieve.detectors.settings import SuspiciousTiming
from botsieve.detectors.view import View
from botsieve.observation import Observation
from botsieve.state.parts import ID_BITS

# A browser that opens its tabs, a queue that empties after a machine was held up: no pace of the client's can be seen in less.  Of
# simulated people who type and click, one in twenty was called a timer within thirty calls, nine in ten of them where a queue of
# 5 s emptied; with this one in 200, and none (tests/unit/detectors/test_timing.py).  Five beats of a second are 4 s.
BURST_S = 4.0
_BURST_STAMPS = int(BURST_S * 1000.0) << ID_BITS


def suspicious_timing(o: Observation, view: View, settings: SuspiciousTiming) -> Signal | None:
    """`timing.suspicious_timing`: cv and mean of the intervals under both limits of a step.

    Fewer than BURST_S between the first and the last are a burst, not a timer; stamps that are all multiples of 0.1 s show the clock's
    rhythm, not the client's.
    """
    track = view.profiles.track
    if track is None:
        return None
    beats = track.beats
    if beats.fine == 0 or beats.newest - beats.oldest < _BURST_STAMPS or beats.count < settings.at_least:
        return None
    cv, mean_s = beats.rhythm()
    for step in settings.steps:
        if cv < step.cv_below and mean_s < step.mean_below_s:
            points = step.points
            if (view.has_session or view.cleared) and len(track.items.seen) <= 1:
                # One URL again and again, by a client that keeps a cookie of ours: a page that refreshes itself.
                points = min(points, settings.points_without_progress)
            measures = (Measure("cv", round(cv, 4), step.cv_below), Measure("mean_s", round(mean_s, 4), step.mean_below_s))
            return Signal("timing.suspicious_timing", points, str(points), "client", measures)
    return None
