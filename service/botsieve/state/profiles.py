"""What is remembered of each kind of subject, made of the parts.

Law of the file: a profile is changed by `world.py` alone, and read by detectors in O(1).  Nothing here knows a limit of a policy:
the bounds below are those of memory.
"""

from __future__ import annotations

import msgspec

from botsieve.state.folders import Folders
from botsieve.state.parts import Beats, LastSeen, Windowed, first_of

MAX_TRACKS = 8  # route templates a client is watched on
MAX_ITEMS = 200  # items remembered of one template: the largest step of traversal.volume
KEPT_STEPS = 20  # newest steps between items that are looked at
MAX_GROUP_ITEMS = 256
MAX_ADDRESSES = 10
MAX_MEMBERS = 64  # addresses of a network that are remembered beside each other

# Bytes, by sys.getsizeof and the dict entry that holds them; tests/unit/state/test_profiles.py keeps them honest.
CLIENT_BYTES = 760
TRACK_BYTES = 1_500
ITEM_BYTES = 130
COLD_CLIENT_BYTES = 230
NETWORK_BYTES = 4_000
GROUP_TRACK_BYTES = 2_000
COLD_NETWORK_BYTES = 200


class Taken:
    """One item as it was first taken: when, and how far its number is from that of the one before (-1: not known)."""

    __slots__ = ("step", "time_s")

    def __init__(self, time_s: float, step: int) -> None:
        self.time_s = time_s
        self.step = step


# Nobody changes these.
_NO_STEPS: list[Taken] = []
_NO_COUNTS: dict[int, int] = {}


class Track:
    """One client on one route template: its rhythm, its items, its steps."""

    __slots__ = ("beats", "count", "fresh", "is_list", "items", "last_number", "last_s", "step_counts", "steps")

    def __init__(self) -> None:
        self.beats = Beats()
        self.items = LastSeen()
        self.count = 0
        self.last_s = 0.0
        self.is_list = False
        self.last_number = -1
        # Lists of one and the same objects, not arrays of numbers: compiled, one of those costs a call to add to or to read.
        self.fresh: list[Taken] = []  # the newest items of the window, newest last
        # Made with the first step: most tracks never have one.
        self.steps = _NO_STEPS  # those of them that have a step and are in the window
        self.step_counts = _NO_COUNTS

    def take(self, item: int, number: int, now_s: float, window_s: float) -> int:
        """Counts one item; by how many remembered items the track has grown (may be negative)."""
        seen = self.items.seen
        before = len(seen)
        seen[item] = now_s
        if len(seen) == before:
            if before > 1:  # else it is the only one
                del seen[item]
                seen[item] = now_s
                self.items.forget_before(now_s - window_s)
            return len(seen) - before
        oldest, oldest_s = first_of(seen)
        if oldest_s < now_s - window_s:
            self.items.forget_before(now_s - window_s)
        elif before >= MAX_ITEMS:
            del seen[oldest]
        step = abs(number - self.last_number) if number >= 0 and self.last_number >= 0 else -1
        if number >= 0:
            self.last_number = number
        taken = Taken(now_s, step)
        fresh = self.fresh
        fresh.append(taken)
        while len(fresh) > KEPT_STEPS or fresh[0].time_s < now_s - window_s:
            fresh.pop(0)
        if step >= 0:
            self._step(taken, now_s - window_s)
        return len(seen) - before

    def _step(self, taken: Taken, horizon_s: float) -> None:
        if self.steps is _NO_STEPS:
            self.steps, self.step_counts = [], {}
        steps, counts = self.steps, self.step_counts
        steps.append(taken)
        counts[taken.step] = counts.get(taken.step, 0) + 1
        while len(steps) > KEPT_STEPS or steps[0].time_s < horizon_s:
            old = steps.pop(0).step
            left = counts[old] - 1
            if left:
                counts[old] = left
            else:
                del counts[old]

    def items_within(self, now_s: float, window_s: float) -> int:
        """How many different items were taken in the window (at most MAX_ITEMS).  Changes nothing; O(1) for the full window."""
        horizon_s = now_s - window_s
        seen = self.items.seen
        old = 0
        for time_s in seen.values():  # oldest first
            if time_s >= horizon_s:
                break
            old += 1
        return len(seen) - old


class ClientProfile:
    """One client, from its second request on."""

    __slots__ = (
        "challenged_s",
        "cost",
        "deferred_calls",
        "deferred_since_s",
        "first_s",
        "last_s",
        "lead",
        "requests",
        "subresource_s",
        "tracks",
        "was_shown",
    )

    def __init__(self, first_s: float) -> None:
        self.first_s = first_s
        self.last_s = first_s
        self.requests = 0
        self.subresource_s = 0.0  # when it last loaded a part of a page, as browsers do
        self.tracks: dict[int, Track] = {}
        self.lead: Track | None = None  # the track with the most items: scraping is judged wherever the client goes
        self.challenged_s: tuple[float, ...] = ()  # challenges that it was given lately ...
        self.was_shown = True  # ... and saw (mode enforce), or would have been given
        self.deferred_since_s = 0.0
        self.deferred_calls = 0
        self.cost = CLIENT_BYTES

    def track(self, template: int) -> Track:
        """The track of a template, made at first use; beyond MAX_TRACKS the least used one makes room."""
        track = self.tracks.get(template)
        if track is None:
            if len(self.tracks) >= MAX_TRACKS:
                gone = min(self.tracks, key=lambda name: (self.tracks[name].count, self.tracks[name].last_s))
                lost = self.tracks.pop(gone)
                self.cost -= TRACK_BYTES + ITEM_BYTES * len(lost.items.seen)
                if self.lead is lost:
                    self.lead = None
            track = self.tracks[template] = Track()
            self.cost += TRACK_BYTES
        return track

    def forget_lead(self, horizon_s: float) -> None:
        """Drops the items of the lead that were last taken before `horizon_s`, when the client is elsewhere."""
        lead = self.lead
        if lead is not None:
            before = len(lead.items.seen)
            self.cost += ITEM_BYTES * (lead.items.forget_before(horizon_s) - before)


class GroupTrack:
    """What the members of a network or fingerprint take of one template together."""

    __slots__ = ("addresses", "items", "last_s")

    def __init__(self) -> None:
        self.items = LastSeen()
        self.addresses = LastSeen()
        self.last_s = 0.0

    def take(self, item: int, address: int, now_s: float, window_s: float) -> int:
        """Counts one item of one address; by how many items the track has grown (may be negative)."""
        before = len(self.items.seen)
        self.items.turn(item, now_s, MAX_GROUP_ITEMS, now_s - window_s)
        self.addresses.turn(address, now_s, MAX_ADDRESSES, now_s - window_s)
        self.last_s = now_s
        return len(self.items.seen) - before


class Group:
    """A network or a fingerprint: the subjects that many clients share."""

    __slots__ = ("addresses", "cost", "loose", "people", "requests", "slice", "tracks")

    def __init__(self) -> None:
        self.requests = Windowed(30)  # 10 s each
        self.loose = Windowed(30)  # page loads that took an item without a cookie of ours, though each is given one
        self.addresses = LastSeen()  # of the last hour
        self.people = LastSeen()  # those of them that have been people
        self.tracks: dict[int, GroupTrack] = {}
        self.slice = 0  # the time slice in which the site counted it as active
        self.cost = NETWORK_BYTES

    def track(self, template: int) -> GroupTrack:
        """The group's track of a template; beyond MAX_TRACKS the longest unused one makes room."""
        track = self.tracks.get(template)
        if track is None:
            if len(self.tracks) >= MAX_TRACKS:
                lost = self.tracks.pop(min(self.tracks, key=lambda name: self.tracks[name].last_s))
                self.cost -= GROUP_TRACK_BYTES + ITEM_BYTES * len(lost.items.seen)
            track = self.tracks[template] = GroupTrack()
            self.cost += GROUP_TRACK_BYTES
        return track

    def take(self, template: int, item: int, address: int, now_s: float, window_s: float) -> GroupTrack:
        """Counts one item of one address on the track of a template, which is returned."""
        track = self.tracks.get(template) or self.track(template)
        self.cost += ITEM_BYTES * track.take(item, address, now_s, window_s)
        return track


class Site:
    """All clients of one policy.  `tag` names it in the keys of its networks: each site knows networks by what they did there."""

    __slots__ = ("active_networks", "folders", "navigations", "no_referer", "requests", "tag")

    def __init__(self, tag: bytes = b"") -> None:
        self.tag = tag
        self.folders = Folders()
        self.requests = Windowed(30)  # 10 s each
        self.active_networks: dict[int, int] = {}  # time slice of 10 s: networks seen last in it
        self.navigations = Windowed(12)  # 5 min each: same-origin navigations ...
        self.no_referer = Windowed(12)  # ... and those of them without a Referer

    def network_moved(self, before: int, after: int) -> None:
        """A network was seen in slice `after`, and last in `before` (0: never)."""
        active = self.active_networks
        known = active.get(before)
        if known is not None:
            active[before] = known - 1
        active[after] = active.get(after, 0) + 1
        if len(active) > 40:
            for old in [number for number in active if number < after - 30]:
                del active[old]

    def networks_within(self, now_s: float) -> int:
        """How many networks were seen in the last 300 s."""
        newest = int(now_s / 10.0)
        return sum(count for number, count in self.active_networks.items() if number > newest - 30)


class Profiles(msgspec.Struct, gc=False):
    """What one request finds remembered, itself counted.  `client` is None at a client's first request.

    `previous_s`: the client's request before this one, 0.0 if none is remembered.  `template`, `item`: of a page view, data call or
    feed of the client itself, else 0.  `cold`: at a client's second request what is remembered of its first, else b"".
    """

    site: Site
    client: ClientProfile | None = None
    previous_s: float = 0.0
    track: Track | None = None
    network: Group | None = None
    network_track: GroupTrack | None = None
    fingerprint_track: GroupTrack | None = None
    item: int = 0
    template: int = 0
    cold: bytes = b""
