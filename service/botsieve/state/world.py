"""Counts one observation on every subject that it belongs to, and hands back what is remembered of them.

Law of the file: the only place that changes a profile.  O(1) a request; a client seen once costs a packed record, not objects.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from botsieve.observation import FEED, NAVIGATION, SUBRESOURCE, Observation
from botsieve.remembered import Remembered
from botsieve.state.hashing import Hasher
from botsieve.state.profiles import (
    COLD_CLIENT_BYTES,
    COLD_NETWORK_BYTES,
    ITEM_BYTES,
    MAX_MEMBERS,
    NETWORK_BYTES,
    ClientProfile,
    Group,
    Profiles,
    Site,
    Track,
)
from botsieve.state.routes import Route
from botsieve.state.table import Table

WINDOW_S = 300.0  # [S1-13]
WINDOW_MS = 300_000
KEEP_BEATS = 50  # [S1-24]
PEOPLE_S = 3600.0
# Requests of a network within 300 s before it gets a profile.  Most networks never do: a count is all they cost, in memory and in
# time; what is taken together is counted from then on, so `traversal.spread` in a network needs so many requests more.
WARM_NETWORK = 32

_NETWORK_SHARE = 0.25  # of the byte budget
_FINGERPRINT_BYTES = 16 * 1024 * 1024
_NO_ITEM = 0
# Templates whose names are remembered, per generation, and the longest of them.
_MAX_TEMPLATES, _MAX_TEMPLATE = 4_096, 256

# A client's only request so far: time, edge time in ms, id bits, template, item, number, flags.
_COLD_CLIENT = Struct("<dqHQQqB")
_COUNTED, _LIST, _SUB, _PAGE, _FEED = 1, 2, 4, 8, 16
_KIND_FLAGS = {SUBRESOURCE: _SUB, NAVIGATION: _PAGE, FEED: _FEED}
# A network's few requests so far are one number: the slice of the last one, and below it their count.
_COUNT_BITS = 16


class World:
    """The state of one process.  `secret` keys the hashes; `max_bytes` bounds everything remembered about clients."""

    def __init__(self, secret: bytes, *, max_bytes: int = 512 * 1024 * 1024, idle_s: float = 3600.0) -> None:
        self.hasher = Hasher(secret)
        networks = int(max_bytes * _NETWORK_SHARE)
        prints = min(_FINGERPRINT_BYTES, max_bytes // 32)
        self.clients: Table[bytes | ClientProfile] = Table(max_bytes - networks - prints, idle_s)
        self.networks: Table[int | Group] = Table(networks, idle_s)
        self.fingerprints: Table[Group] = Table(prints, idle_s)
        self._sites: dict[str, Site] = {}
        self._templates: Remembered[bytes, int] = Remembered(_MAX_TEMPLATES)
        self._named_key = self._named = b""  # the last answer of `name_on`, and whose
        self._named_site: Site | None = None

    def site(self, policy: str) -> Site:
        """The site of a policy, made at first use (policies are few and ours)."""
        site = self._sites.get(policy)
        if site is None:
            site = self._sites[policy] = Site(policy.encode() + b"|")
        return site

    def client_key(self, o: Observation, name: bytes = b"") -> bytes:
        """The key of a client: of `name` (a clearance or session), else of address + TLS signature + User-Agent."""
        if name:
            return self.hasher.key(name)
        sig = o.tls_sig if o.peer == o.client else b""
        address = o.client if o.client.startswith(b"\0\0\0\0\0\0\0\0\0\0\xff\xff") else o.client[:8]
        return self.hasher.key(b"|".join((address, sig, o.headers.get(b"user-agent", b""))))

    def name_on(self, site: Site, client_key: bytes) -> bytes:
        """The 8 bytes of a client on a site.  `client_key`: as above."""
        if self._named_key is not client_key or self._named_site is not site:  # several ask for it while one request is judged
            self._named = self.hasher.key(site.tag + client_key)
            self._named_key, self._named_site = client_key, site
        return self._named

    def last_seen_s(self, key: bytes) -> float:
        """When a client was last seen, 0.0 if it is not remembered.  `key`: `client_key`."""
        known = self.clients.get(key)
        if isinstance(known, ClientProfile):
            return known.last_s
        return 0.0 if known is None else float(_COLD_CLIENT.unpack(known)[0])

    def learned_route(self, o: Observation, route: Route, site: Site) -> Route:
        """The route of a page view or data call without a number: in a folder full of pages the page is an item."""
        known = site.folders.route(o.path)
        if known is not None:
            return known
        if o.kind == NAVIGATION:
            site.folders.learn(o.path, self.hasher.thing(o.path))
        return route

    def observe(
        self,
        o: Observation,
        route: Route,
        key: bytes,
        site: Site,
        now_s: float,
        *,
        counted: bool,
        vouched: bool,
        is_tool: bool,
        loose: bool = False,
    ) -> Profiles:
        """Counts the request.  `key`: `client_key`.  `counted`: a page view or data call (feeds are items too).

        `vouched`: the client holds a session or clearance.  `is_tool`: its TLS hello is a tool's.  `loose`: the page load of
        what says that it is a browser, without a cookie of ours where each is given one.
        """
        found = Profiles(site)
        template = item = _NO_ITEM
        is_item = counted or o.kind == FEED
        if is_item and not o.is_foreign:
            template = found.template = self._thing_of(route.template)
            if route.item:
                item = found.item = self.hasher.thing(route.item)
        client = self._client(o, route, key, found, now_s, template, item, vouched)
        if is_item:
            now_slice = int(now_s / 10.0)
            # Who loads the parts of pages, or has proven to be a person, does not take part in what its neighbours do.
            shared_item = _NO_ITEM if vouched or (client is not None and now_s - client.subresource_s < WINDOW_S) else item
            self._network(o, found, template, shared_item, now_s, now_slice, vouched)
            if loose and shared_item and found.network is not None:
                found.network.loose.add(now_slice)
            if is_tool and item:
                self._fingerprint(o, found, template, item, now_s)
            site.requests.add(now_slice)
            if o.kind == NAVIGATION and o.headers.get(b"sec-fetch-site") == b"same-origin":
                site.navigations.add(now_slice // 30)
                if not o.headers.get(b"referer"):
                    site.no_referer.add(now_slice // 30)
        return found

    def _thing_of(self, template: bytes) -> int:
        """`hasher.thing` of a route template: a site has few, so it is looked up."""
        known = self._templates.get(template)
        if known is None:
            known = self.hasher.thing(template)
            if len(template) <= _MAX_TEMPLATE:
                self._templates.put(template, known)
        return known

    # ------------------------------------------------------------------------------------------------------------- clients

    def _client(
        self, o: Observation, route: Route, key: bytes, found: Profiles, now_s: float, template: int, item: int, vouched: bool
    ) -> ClientProfile | None:
        table = self.clients
        part = table.settled[key[0]]
        known = part.young.get(key)
        is_hot = known is not None
        if known is None:
            known = table.get_elsewhere(key)
        time_ms = int(o.edge_time_s * 1000.0 + 0.5)
        name = o.request_id
        length = len(name)
        # The last two bytes, number by number: int.from_bytes is a call, and half a microsecond of them.
        id_bits = name[length - 2] << 8 | name[length - 1] if length >= 2 else name[0] if length else 0
        if known is None:
            flags = (_COUNTED if template else 0) | (_LIST if route.is_list else 0) | _KIND_FLAGS.get(o.kind, 0)
            cold = _COLD_CLIENT.pack(now_s, time_ms, id_bits, template, item, route.number, flags)
            table.enter(key, cold, COLD_CLIENT_BYTES, now_s, settle=vouched)
            return None
        if isinstance(known, bytes):
            client = _warm(known)
            found.cold = known
            before = COLD_CLIENT_BYTES
            is_hot = False
        else:
            client = known
            before = client.cost
        found.client = client
        found.previous_s = client.last_s
        if template:
            found.track = _count(client, template, item, route, time_ms, id_bits, now_s)
        elif o.kind == SUBRESOURCE:
            client.subresource_s = now_s
        client.requests += 1
        client.last_s = now_s
        if is_hot:
            if client.cost != before:
                table.grow(key[0], client.cost - before, now_s)
        else:
            settle = vouched or int(now_s) != int(client.first_s)
            table.put(key, client, client.cost, client.cost - before, now_s, settle=settle)
        return client

    # ------------------------------------------------------------------------------------------------------------ networks

    def _network(
        self, o: Observation, found: Profiles, template: int, item: int, now_s: float, now_slice: int, vouched: bool
    ) -> None:
        name = self.hasher.key(found.site.tag + o.network)
        known = self.networks.settled[name[0]].young.get(name)
        if isinstance(known, Group):
            group = known
        else:
            warmed = self._warm_network(name, known, found.site, now_s, now_slice, vouched)
            if warmed is None:
                return
            group = warmed
        if group.slice != now_slice:
            found.site.network_moved(group.slice, now_slice)
            group.slice = now_slice
        group.requests.add(now_slice)
        address = self.hasher.thing(o.client)
        group.addresses.add(address, now_s, MAX_MEMBERS)
        if vouched:
            group.people.add(address, now_s, MAX_MEMBERS)
        found.network = group
        if item:
            before = group.cost
            found.network_track = group.take(template, item, address, now_s, WINDOW_S)
            if group.cost != before:
                self.networks.grow(name[0], group.cost - before, now_s)

    def person(self, o: Observation, site: Site, now_s: float) -> None:
        """Somebody of this address showed a hand: a network of people is not called busy.  The client itself is not vouched for."""
        name = self.hasher.key(site.tag + o.network)
        group = self._warm_network(name, self.networks.settled[name[0]].young.get(name), site, now_s, int(now_s / 10.0), True)
        if group is not None:
            group.people.add(self.hasher.thing(o.client), now_s, MAX_MEMBERS)

    def _warm_network(
        self, name: bytes, hot: int | Group | None, site: Site, now_s: float, now_slice: int, vouched: bool
    ) -> Group | None:
        """The profile of a network; None while it has sent too little to get one.  `hot`: what is in the hot place."""
        known = hot if hot is not None else self.networks.get_elsewhere(name)
        if isinstance(known, Group):
            self.networks.put(name, known, known.cost, 0, now_s, settle=True)
            return known
        cold = known or 0
        last_slice, count = cold >> _COUNT_BITS, cold & (1 << _COUNT_BITS) - 1
        count = count + 1 if now_slice - last_slice < 30 else 1
        if count < WARM_NETWORK and not vouched:  # people are remembered from the first on
            if last_slice != now_slice:
                site.network_moved(last_slice, now_slice)
            cold = now_slice << _COUNT_BITS | count
            if hot is not None:
                self.networks.settled[name[0]].young[name] = cold  # it is there, and has not grown
            elif known is not None:
                self.networks.put(name, cold, COLD_NETWORK_BYTES, 0, now_s, settle=count > 2)
            else:
                self.networks.enter(name, cold, COLD_NETWORK_BYTES, now_s, settle=count > 2)
            return None
        group = Group()
        group.slice = last_slice
        group.requests.add(now_slice, count - 1)
        self.networks.put(name, group, NETWORK_BYTES, NETWORK_BYTES - COLD_NETWORK_BYTES, now_s, settle=True)
        return group

    def _fingerprint(self, o: Observation, found: Profiles, template: int, item: int, now_s: float) -> None:
        name = self.hasher.key(o.tls_sig or o.ja4)
        group = self.fingerprints.get(name)
        grown = 0
        if group is None:
            group = Group()
            grown = group.cost
        before = group.cost
        found.fingerprint_track = group.take(template, item, self.hasher.thing(o.client), now_s, WINDOW_S)
        self.fingerprints.put(name, group, group.cost, grown + group.cost - before, now_s, settle=True)


class FirstRequest(NamedTuple):
    """A client's first request, told at its second.  `page`: template ^ item, 0 when it was no page view or data call."""

    time_s: float
    page: int
    is_page_load: bool


def first_request(cold: bytes) -> FirstRequest:
    """What `Profiles.cold` holds."""
    first_s, _, _, template, item, _, flags = _COLD_CLIENT.unpack(cold)
    return FirstRequest(first_s, 0 if flags & _FEED else template ^ item, bool(flags & _PAGE))


def _warm(cold: bytes) -> ClientProfile:
    first_s, time_ms, id_bits, template, item, number, flags = _COLD_CLIENT.unpack(cold)
    client = ClientProfile(first_s)
    client.requests = 1
    if flags & _SUB:
        client.subresource_s = first_s
    if flags & _COUNTED:
        route = Route(b"", b"x" if item else b"", number, bool(flags & _LIST))
        _count(client, template, item, route, time_ms, id_bits, first_s)
    return client


def _count(client: ClientProfile, template: int, item: int, route: Route, time_ms: int, id_bits: int, now_s: float) -> Track:
    track = client.tracks.get(template) or client.track(template)
    track.count += 1
    track.last_s = now_s
    track.beats.add(time_ms, id_bits, KEEP_BEATS, WINDOW_MS)
    if item:
        track.is_list = route.is_list
        client.cost += ITEM_BYTES * track.take(item, route.number, now_s, WINDOW_S)
    lead = client.lead
    if lead is not track:
        if lead is not None:
            client.forget_lead(now_s - WINDOW_S)
        if item and (lead is None or len(lead.items.seen) < len(track.items.seen)):
            client.lead = track
    return track
