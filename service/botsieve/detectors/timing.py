"""A timer at work: intervals between requests that no person keeps.

Law of the file: judged on the page views and data calls of one client on one route template.  Source: docs/mission.md S1-24 to S1-31.
"""

from __future__ import annotations

from botsieve.decision import Measure, Signal
from botsieve.detectors.settings import SuspiciousTiming
from botsieve.detectors.view import View
from botsieve.observation import Observation


def suspicious_timing(o: Observation, view: View, settings: SuspiciousTiming) -> Signal | None:
    """`timing.suspicious_timing`: cv and mean of the intervals under both limits of a step.

    A mean of 0 is a burst, not a timer; stamps that are all multiples of 0.1 s show the clock's rhythm, not the client's.
    """
    track = view.profiles.track
    if track is None:
        return None
    beats = track.beats
    if len(beats.stamps) < settings.at_least or beats.fine == 0:
        return None
    cv, mean_s = beats.rhythm()
    if mean_s <= 0.0:
        return None
    for step in settings.steps:
        if cv < step.cv_below and mean_s < step.mean_below_s:
            points = step.points
            if (view.has_session or view.cleared) and len(track.items.seen) <= 1:
                # One URL again and again, by a client that keeps a cookie of ours: a page that refreshes itself.
                points = min(points, settings.points_without_progress)
            measures = (Measure("cv", round(cv, 4), step.cv_below), Measure("mean_s", round(mean_s, 4), step.mean_below_s))
            return Signal("timing.suspicious_timing", points, str(points), "client", measures)
    return None
