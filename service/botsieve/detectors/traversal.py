"""Item after item of one route: in order, in bulk, or divided among many addresses.

Law of the file: judged per route template on page views and data calls; an item taken twice is one item.  A client is judged by
the template that it is on and by the one of which it took most: a glance at another page does not hide it.
Source: docs/mission.md S1-09, S1-21; `volume` and `spread` are our own (docs/signals.md).
"""

from __future__ import annotations

from botsieve.decision import Measure, Signal
from botsieve.detectors.settings import Spread, UrlPattern, Volume
from botsieve.detectors.view import View
from botsieve.observation import DELIVERS_COOKIE, NAVIGATION, Observation
from botsieve.state.parts import first_of
from botsieve.state.profiles import KEPT_STEPS, GroupTrack, Track

# guess: as verdict.TOGETHER_S.  A client that takes one thing after the other is at it for longer.
TOGETHER_S = 2.0
_LIST_PACE_S = 3.0  # pages of a list that are turned slower than this are being read [S1-21 answer]
_PERSON_LOADS_PARTS_S = 300.0
# Items under many names: as many as the largest step of `volume`, from fewer addresses than `spread` wants.
_NAMES_TAKE = 200
_FEW_ADDRESSES = 5
# guess: and so many page loads of items without a cookie in 300 s.  Of 500 people who come in within ten minutes behind one address, each
# on an item, 250 are seen without one.
_NAMES_ASK = 300
# Tools that people have in their hands: the HTTP library of most Android apps.
_APP_LIBRARIES = frozenset({"okhttp"})


def _tracks(view: View, items_at_least: int) -> tuple[Track, ...]:
    """The tracks worth looking at: none while even the longest holds fewer items than any limit."""
    client = view.profiles.client
    if client is None:
        return ()
    lead, here = client.lead, view.profiles.track
    if lead is None or here is None or len(lead.items.seen) < items_at_least:
        return ()
    return (here,) if lead is here else (here, lead)


def url_pattern(o: Observation, view: View, settings: UrlPattern) -> Signal | None:
    """`traversal.url_pattern`: constant steps, or many different items faster than a person reads."""
    # Read once: a field of settings costs as much as ten of a profile.
    steps, items = settings.steps_at_least, settings.items_at_least
    for track in _tracks(view, min(steps, items)):
        found = _constant_step(track, view, settings, steps) or (
            _fast(track, view.now_s, settings, items) if view.time_judged else ()
        )
        if found and not (view.time_judged and _opened_together(track)):
            return Signal("traversal.url_pattern", settings.points, str(settings.points), "client", found)
    return None


def _opened_together(track: Track) -> bool:
    """All that is remembered was taken at once, and nothing since: tabs that a browser restores, a page that asks for its parts."""
    seen = track.items.seen
    return seen[next(reversed(seen))] - first_of(seen)[1] < TOGETHER_S


def _constant_step(track: Track, view: View, settings: UrlPattern, steps_at_least: int) -> tuple[Measure, ...]:
    # N items by one step are N - 1 steps.
    needed = steps_at_least - 1
    total = len(track.steps)
    if total < needed or (view.time_judged and view.now_s - track.steps[-needed].time_s > settings.window_s):
        return ()
    counts = track.step_counts
    # Of T steps with D different ones none comes more than T - D + 1 times: random items are done with here.
    if 100.0 * (total - len(counts) + 1) < settings.steps_share_percent * total:
        return ()
    count = max(counts.values())
    share = 100.0 * count / total
    if count < needed or share < settings.steps_share_percent:
        return ()
    step = next(step for step, times in counts.items() if times == count)
    if step == 0:
        return ()
    pace_s = (track.steps[-1].time_s - track.steps[-needed].time_s) / (needed - 1) if needed > 1 else 0.0
    if track.is_list and (pace_s >= _LIST_PACE_S or not view.time_judged):
        return ()
    return (
        Measure("steps", count + 1, steps_at_least),
        Measure("steps_share_percent", round(share, 1), settings.steps_share_percent),
        Measure("step", step),
    )


def _fast(track: Track, now_s: float, settings: UrlPattern, items_at_least: int) -> tuple[Measure, ...]:
    needed = min(items_at_least, KEPT_STEPS)
    if len(track.fresh) < needed:
        return ()
    # N items are N - 1 intervals: exactly one in 2 s is not faster than one in 2 s.
    took_s = now_s - track.fresh[-needed].time_s
    if took_s >= (needed - 1) / settings.items_per_s or took_s > settings.window_s:
        return ()
    return (
        Measure("items", needed, items_at_least),
        Measure("items_per_s", round((needed - 1) / took_s, 3) if took_s > 0 else float(needed), settings.items_per_s),
    )


def volume(o: Observation, view: View, settings: Volume) -> Signal | None:
    """`traversal.volume`: so many different items within the window, at any rhythm and in any order, by one client or under many names."""
    if not settings.steps:
        return None
    least = settings.steps[-1].items_at_least
    most = 0
    for track in _tracks(view, least):
        if len(track.items.seen) >= least:
            most = max(most, track.items_within(view.now_s, settings.window_s))
    if most >= least:
        for step in settings.steps:
            if most >= step.items_at_least:
                items = Measure("items", most, step.items_at_least)
                return Signal("traversal.volume", step.points, str(step.points), "client", (items,))
    if view.profiles.network_track is None:
        return None
    together = _under_many_names(o, view, max(settings.steps[0].items_at_least, _NAMES_TAKE))
    if together:
        return Signal("traversal.volume", settings.steps[0].points, str(settings.steps[0].points), "network", together)
    return None


def _under_many_names(o: Observation, view: View, at_least: int) -> tuple[Measure, ...]:
    """What few addresses take together, where this client has no more than a part in it: another User-Agent with each request.

    Only page loads of those who say that they are browsers, and bring back no cookie though each page load gives one: people behind one
    address do, but for their first page.  Whoever is meant by mistake can answer a challenge; data calls of another host's pages could not.
    """
    track, network = view.profiles.network_track, view.profiles.network
    if track is None or network is None or len(track.items.seen) < at_least or len(track.addresses.seen) >= _FEW_ADDRESSES:
        return ()
    if o.kind != NAVIGATION or not view.agent.claims_browser or not o.sight & DELIVERS_COOKIE or not _takes_part(view):
        return ()
    if network.loose.read(int(view.now_s / 10.0)) < _NAMES_ASK:
        return ()
    return (Measure("items", len(track.items.seen), at_least),)


def _takes_part(view: View) -> bool:
    """It is one of those whose items are counted together in a network."""
    if view.has_session or view.cleared or not view.profiles.item:
        return False
    client = view.profiles.client
    return client is None or view.now_s - client.subresource_s >= _PERSON_LOADS_PARTS_S


def spread(o: Observation, view: View, settings: Spread) -> Signal | None:
    """`traversal.spread`: the items of one template, taken together from several addresses of one network or one tool's hello.

    Only those who take part get the points: in a network they are clients without session or clearance that load no parts of
    pages, as neighbours with browsers do.
    """
    profiles = view.profiles
    if not profiles.item:
        return None
    if profiles.fingerprint_track is not None:
        measures = _together(profiles.fingerprint_track, settings)
        if measures and not _is_app(o, view):
            return Signal("traversal.spread", settings.points, "fingerprint", "fingerprint", measures)
    if profiles.network_track is not None and _takes_part(view):
        measures = _together(profiles.network_track, settings)
        if measures:
            return Signal("traversal.spread", settings.points, "network", "network", measures)
    return None


def _is_app(o: Observation, view: View) -> bool:
    """An app that says which library it is built on, where not only browsers are expected: its users share one hello, too."""
    token = view.agent.token
    return (
        token in _APP_LIBRARIES
        and view.policy.audience != "browser"
        and view.catalogue.tool_of(o.ja3, o.ja4, o.tls_sig) == token
    )


def _together(track: GroupTrack, settings: Spread) -> tuple[Measure, ...]:
    items, addresses = len(track.items.seen), len(track.addresses.seen)
    if items < settings.items_at_least or addresses < settings.addresses_at_least:
        return ()
    return (Measure("items", items, settings.items_at_least), Measure("addresses", addresses, settings.addresses_at_least))
