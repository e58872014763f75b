"""Many addresses of one network at work together.

Law of the file: never an accusation of its own; score.py counts it only beside a finding about behaviour or TLS.
Source: docs/mission.md S1-11, S1-32.
"""

from __future__ import annotations

from botsieve.decision import Measure, Signal
from botsieve.detectors.settings import BusyRange
from botsieve.detectors.view import View
from botsieve.observation import Observation, network_text
from botsieve.state.world import PEOPLE_S

_ACTIVE_AT_LEAST = 10  # other networks, before a mean of them means anything [S1-32 answer]


def busy_range(o: Observation, view: View, settings: BusyRange) -> Signal | None:
    """`network.busy_range`: at least so many addresses and requests, and so many times the mean of the other networks."""
    group = view.profiles.network
    if group is None or len(group.addresses.seen) < settings.addresses_at_least:
        return None
    now_s = view.now_s
    now_slice = int(now_s / 10.0)
    requests = group.requests.read(now_slice)
    if requests < settings.requests_at_least:
        return None
    site = view.profiles.site
    others = site.networks_within(now_s) - 1
    if others < _ACTIVE_AT_LEAST:
        return None
    mean = (site.requests.read(now_slice) - requests) / others
    if requests < settings.times_mean * mean:
        return None
    addresses = sum(1 for seen_s in group.addresses.seen.values() if now_s - seen_s <= settings.window_s)
    if addresses < settings.addresses_at_least:
        return None
    people = group.people.forget_before(now_s - PEOPLE_S)
    if 2 * people >= group.addresses.forget_before(now_s - PEOPLE_S):
        return None  # half of its addresses have been people's in the last hour
    if settings.shared and network_text(o.client) in settings.shared:
        return None
    measures = (
        Measure("addresses", addresses, settings.addresses_at_least),
        Measure("requests", requests, settings.requests_at_least),
        Measure("times_mean", round(requests / mean, 1) if mean > 0 else float(requests), settings.times_mean),
    )
    return Signal("network.busy_range", settings.points, "", "network", measures)
