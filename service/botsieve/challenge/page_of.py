"""Which page a call of our script is about: the request of the call, at the address of the page.

Law of the file: the client's word, so it chooses a policy of this host and nothing else; what is no address of this host leaves the
request as it is.
"""

from __future__ import annotations

from botsieve.challenge.solution import host_of
from botsieve.observation import Observation, canonical_path
from botsieve.values import replace

MAX_REFERER = 2048


def page_of(o: Observation) -> Observation:
    """The same request with the path that its Referer names, which browsers send whole within one origin unless told otherwise."""
    referer = o.header(b"referer")
    if not referer or len(referer) > MAX_REFERER:
        return o
    _, mark, rest = referer.partition(b"://")
    authority, slash, target = rest.partition(b"/")
    if not mark or not slash or host_of(authority).lower() != o.host:
        return o
    return replace(o, path=canonical_path(b"/" + target))
