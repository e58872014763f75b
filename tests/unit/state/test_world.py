"""state/world.py: one request is counted on every subject that it belongs to, and on no other."""

from __future__ import annotations

from typing import Any

from botsieve.observation import Observation
from botsieve.state.profiles import COLD_CLIENT_BYTES, ClientProfile, Profiles
from botsieve.state.routes import route_of
from botsieve.state.world import WARM_NETWORK, World, first_request

from tests.unit.rig import CALL, PAGE, START_S, TOOL, request

SECRET = b"0123456789abcdef"


def observe(
    world: World, o: Observation, at_s: float, *, policy: str = "shop", vouched: bool = False, is_tool: bool = False
) -> Profiles:
    site = world.site(policy)
    key = world.client_key(o)
    route = route_of(o.path, o.query)
    return world.observe(o, route, key, site, START_S + at_s, counted=o.is_counted, vouched=vouched, is_tool=is_tool)


def tour(world: World, uris: list[str], **facts: Any) -> list[Profiles]:
    return [observe(world, request(uri, at_s=at_s, **facts), at_s) for at_s, uri in enumerate(uris)]


def test_the_first_request_is_a_packed_record_and_counts_later() -> None:
    """A client seen once has no profile and costs one record; from the second request on both count."""
    world = World(SECRET)
    first, second = tour(world, ["/items/1", "/items/2"], headers=CALL)
    assert first.client is None
    assert first.previous_s == 0.0
    assert isinstance(second.client, ClientProfile)
    assert second.client.requests == 2
    assert second.previous_s == START_S
    assert second.track is not None
    assert (second.track.count, len(second.track.beats), len(second.track.items)) == (2, 2, 2)
    assert [taken.step for taken in second.track.steps] == [1]


def test_one_client_seen_once_costs_what_it_says() -> None:
    """The packed record, whatever the request holds."""
    world = World(SECRET)
    observe(world, request("/items/" + "9" * 15_000, headers=CALL), 0)
    assert world.clients.bytes_used == COLD_CLIENT_BYTES


def test_behaviour_looks_at_page_views_and_data_calls_only() -> None:
    """Images, media, prefetches and preflights are on no track; a feed's items are."""
    world = World(SECRET)
    tour(world, ["/", "/"], headers=TOOL)
    uris = ["/items/1.png", "/seg/1.ts", "/tiles/3/4/5.png"]
    assert all(found.track is None for found in tour(world, uris, headers=TOOL))
    prefetch = observe(world, request("/items/3", plus={b"sec-purpose": b"prefetch;prerender"}, headers=TOOL), 9)
    preflight = request("/items/4", headers=TOOL, method=b"OPTIONS", plus={b"access-control-request-method": b"GET"})
    assert prefetch.track is None
    assert observe(world, preflight, 9).track is None
    assert observe(world, request("/feed/4.rss", headers=TOOL), 9).track is not None


def test_what_another_site_makes_a_browser_send_is_on_the_network_only() -> None:
    """A cross-site call or frame is no behaviour of the client; a link that was followed is."""
    world = World(SECRET)
    cross = {b"sec-fetch-site": b"cross-site"}
    tour(world, ["/items/1"] * WARM_NETWORK)
    call = observe(world, request("/items/2", headers=CALL, plus=cross), 9)
    frame = observe(world, request("/items/3", plus={**cross, b"sec-fetch-dest": b"iframe"}), 9)
    link = observe(world, request("/items/4", plus=cross), 9)
    for foreign in (call, frame):
        assert foreign.track is None
        assert foreign.item == 0
        assert foreign.network is not None
        assert foreign.network_track is None
    assert link.track is not None
    assert link.network is not None
    assert link.network.requests.read(int((START_S + 9) / 10)) == WARM_NETWORK + 3


def test_who_is_one_client() -> None:
    """Address, hello and User-Agent together, or the name that a cookie gives; IPv6 by its /64."""
    world = World(SECRET)

    def key(name: bytes = b"", **facts: Any) -> bytes:
        return world.client_key(request(**facts), name)

    assert key() == key(uri="/other")
    assert len({key(), key(client="203.0.113.8"), key(headers=TOOL), key(tls_sig=b"t13"), key(b"s12345678")}) == 5
    assert key(client="2001:db8::1") == key(client="2001:db8::ffff:1")
    assert key(client="2001:db8::1") != key(client="2001:db8:0:1::1")
    assert key(b"s1", client="203.0.113.8") == key(b"s1")
    assert key(tls_sig=b"t13", peer=b"\1" * 16) == key(peer=b"\1" * 16)  # the balancer's hello is nobody's


def test_a_network_is_known_by_what_it_did_on_this_site() -> None:
    """Requests to one policy are not counted against another, nor do they multiply the active networks."""
    world = World(SECRET)
    for at in range(300):
        for policy in ("api", "shop"):
            observe(world, request(f"/{policy}", headers=TOOL, at_s=at), at, policy=policy)
    found = observe(world, request("/shop", headers=TOOL), 300)
    assert found.network is not None
    assert found.network.requests.total <= 301
    assert world.site("shop").networks_within(START_S + 300) == 1
    assert world.site("api").networks_within(START_S + 300) == 1


def test_a_network_gets_a_profile_when_it_sends_more_than_a_few() -> None:
    """Fewer than WARM_NETWORK requests in 300 s are one packed record; then all of them count."""
    world = World(SECRET)
    found = tour(world, ["/"] * WARM_NETWORK)
    assert [profiles.network is None for profiles in found] == [True] * (WARM_NETWORK - 1) + [False]
    group = found[-1].network
    assert group is not None
    assert group.requests.total == WARM_NETWORK
    slow = World(SECRET)
    assert all(observe(slow, request(at_s=at), at).network is None for at in range(0, 400 * 20, 400))


def test_who_has_proven_to_be_a_person_takes_no_part() -> None:
    """Vouched clients, and those that load parts of pages, add no item to what their neighbours take together."""
    world = World(SECRET)
    tour(world, ["/"] * WARM_NETWORK)
    track = observe(world, request("/items/1", headers=TOOL), 10).network_track
    assert track is not None
    assert observe(world, request("/items/2", headers=TOOL), 11, vouched=True).network_track is None
    neighbour: dict[str, Any] = {"client": "203.0.113.9", "headers": TOOL}
    observe(world, request("/a.css", **neighbour), 12)
    observe(world, request("/b.css", **neighbour), 12)
    assert observe(world, request("/items/3", **neighbour), 13).network_track is None
    assert len(track.items) == 1


def test_a_tools_hello_is_a_subject_across_networks() -> None:
    """Items that clients of many networks take with one tool's hello come together; other hellos stay apart."""
    world = World(SECRET)
    for number in range(6):
        o = request(f"/items/{number}", headers=TOOL, client=f"198.51.{number}.7", tls_sig=b"t13tool", ja4=b"t13tool")
        found = observe(world, o, number, is_tool=True)
    assert found.fingerprint_track is not None
    assert (len(found.fingerprint_track.items), len(found.fingerprint_track.addresses)) == (6, 6)
    other = request("/items/7", headers=TOOL, tls_sig=b"t13other", ja4=b"t13other")
    track = observe(world, other, 9, is_tool=True).fingerprint_track
    assert track is not None
    assert len(track.items) == 1


def test_memory_stays_within_its_bound_when_everybody_is_hot() -> None:
    """Clients that keep growing in place, and networks that their members fill, turn the table like newcomers do."""
    bound = 6 * 1024 * 1024
    world = World(SECRET, max_bytes=bound)

    def ask(number: int, item: int, at_s: float) -> None:
        client = f"10.0.{number // 250}.{number % 250}"
        observe(world, request(f"/items/{item}", headers=TOOL, client=client, at_s=at_s), at_s)

    for item in (0, 1):  # in two seconds: all are settled
        for number in range(500):
            ask(number, item, float(item))
    for number in range(500):
        for item in range(2, 130):
            ask(number, item, 2.0 + number / 10)
    used = world.clients.bytes_used + world.networks.bytes_used + world.fingerprints.bytes_used
    # A shard may be over by the one subject that was put last: 130 items are 19 KB.
    assert world.clients.bytes_used > bound / 4
    assert used <= bound + 20 * 20_000
    held = [value for part in world.clients.parts for value in (*part.young.values(), *part.old.values())]
    assert sum(value.cost for value in held if isinstance(value, ClientProfile)) <= world.clients.bytes_used


def test_the_most_used_route_leads_until_its_items_are_old() -> None:
    """A client is judged by the template of which it took most, wherever it goes, for as long as the window."""
    world = World(SECRET)
    tour(world, [f"/items/{n}" for n in range(10)], headers=TOOL)
    elsewhere = observe(world, request("/about", headers=TOOL), 20).client
    assert elsewhere is not None
    assert elsewhere.lead is not None
    assert len(elsewhere.lead.items) == 10
    cost = elsewhere.cost
    later = observe(world, request("/blog/7", headers=TOOL), 400).client
    assert later is elsewhere
    assert later.lead is later.tracks[world.hasher.thing(b"/blog/{n}")]
    assert later.cost < cost + 1700


def test_when_a_client_was_last_seen() -> None:
    """Known from the first request on, 0 for a stranger."""
    world = World(SECRET)
    key = world.client_key(request())
    assert world.last_seen_s(key) == 0.0
    observe(world, request(), 5)
    assert world.last_seen_s(key) == START_S + 5
    observe(world, request(), 9)
    assert world.last_seen_s(key) == START_S + 9


def test_at_the_second_request_the_first_is_told() -> None:
    """Its time and page, and whether it was a page load: who counts from the second on loses nothing; a third tells nothing."""
    for kind, expected in ((PAGE, True), (CALL, False)):
        world = World(b"0123456789abcdef")
        site = world.site("shop")
        found = []
        for at_s in range(3):
            o = request("/items/7", headers=kind)
            route = route_of(o.path, o.query)
            key = world.client_key(o)
            found.append(world.observe(o, route, key, site, START_S + at_s, counted=True, vouched=False, is_tool=False))
        assert [bool(profiles.cold) for profiles in found] == [False, True, False]
        assert first_request(found[1].cold) == (START_S, found[1].template ^ found[1].item, expected)


def test_a_client_has_a_name_on_each_site() -> None:
    """Asked in turn for several clients and sites, each is told its own, and the same each time."""
    world = World(b"secret")
    shop, blog = world.site("shop"), world.site("blog")
    keys = [world.client_key(request(client=client)) for client in ("203.0.113.7", "203.0.113.8")]
    asked = [(site, key) for site in (shop, blog) for key in keys]
    names = [world.name_on(site, key) for site, key in asked]
    assert len(set(names)) == 4
    assert [world.name_on(site, key) for site, key in reversed(asked)] == names[::-1]
    assert names == [world.hasher.key(site.tag + key) for site, key in asked]
