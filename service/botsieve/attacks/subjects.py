"""What is remembered of a narrow subject: a device, else a session whose cookie came back, else a client.

Law of the file: a cookie gets state only when it came back, a client only at its second request; everything is bounded by the
table's bytes, and nothing here knows a limit of a policy.  Keys hold the policy: what is counted on one site counts there.
"""

from __future__ import annotations

from botsieve.state.profiles import Site
from botsieve.state.table import Table
from botsieve.state.world import World

DEVICE, SESSION, CLIENT = "device", "session", "client"

# By sys.getsizeof and the dict entry that holds it; tests/unit/attacks/test_subjects.py keeps them honest.
SUBJECT_BYTES = 420
PAGE_BYTES = 130
STAMP_BYTES = 32


class Subject:
    """One narrow subject on one site.

    `pages`: page to last view; `refreshes`: times of views of pages already seen.  `transactions`: of its session; `calls`: the URLs
    asked for last.  `slice`, `counted`: where and as how many the site's mean holds it (transactions.py).  `unproven`: requests since
    the last regular human report, `human`: there was one, `irregular`: an irregular one came since.  `script_s`: when it last had a
    page with our script, 0.0 for never.  `rush_s`, `tabs`: when its page loads were last too many, and for how many more they are taken
    for tabs that were opened together (surfing.py).  `sprouted_s`: when sessions began that had this client as their first name, the
    last few.
    """

    __slots__ = (
        "calls",
        "cost",
        "counted",
        "first_s",
        "human",
        "irregular",
        "last_s",
        "left_out",
        "pages",
        "refreshes",
        "rush_s",
        "script_s",
        "slice",
        "sprouted_s",
        "tabs",
        "transactions",
        "unproven",
    )

    def __init__(self, now_s: float) -> None:
        self.first_s = now_s
        self.last_s = now_s
        self.pages: dict[int, float] = {}
        self.refreshes: list[float] | None = None
        self.transactions = 0
        self.calls: tuple[int, ...] = ()
        self.slice = 0
        self.counted = 0
        self.left_out = False
        self.unproven = 0
        self.human = False
        self.irregular = False
        self.script_s = 0.0
        self.rush_s = 0.0
        self.tabs = 0
        self.sprouted_s: tuple[float, ...] = ()
        self.cost = SUBJECT_BYTES


# A name is shared when so many sessions, besides the first, began under it within so many seconds (docs/preventions.md).
SHARED_BY = 2
SHARED_S = 1800.0


def is_shared(subject: Subject, now_s: float) -> bool:
    """Several sessions began lately under this client's name: it is the door of several people."""
    sprouted = subject.sprouted_s
    return len(sprouted) >= SHARED_BY and now_s - sprouted[-SHARED_BY] < SHARED_S


def sprout(client: Subject, session: Subject, now_s: float) -> None:
    """A session came back for the first time: its first page load, which was counted on its client, moves over."""
    client.sprouted_s = (*client.sprouted_s[1 - SHARED_BY :], now_s)
    session.transactions = session.unproven = 1
    session.script_s = client.script_s
    if client.transactions:
        client.transactions -= 1
    if client.unproven:
        client.unproven -= 1
    if not client.pages:
        return
    page = next(reversed(client.pages))
    seen_s = client.pages[page]
    session.pages[page] = seen_s
    if client.refreshes and client.refreshes[-1] == seen_s:
        client.refreshes.pop()
    else:
        del client.pages[page]


def begin_again(subject: Subject) -> None:
    """A long silence: who comes now is new."""
    subject.pages = {}
    subject.refreshes = None
    subject.transactions = subject.counted = subject.unproven = 0
    subject.left_out = subject.human = subject.irregular = False
    subject.script_s = 0.0


def client_name(world: World, site: Site, client_key: bytes) -> bytes:
    """The 8 bytes of a client on a site.  `client_key`: the World's."""
    return world.name_on(site, client_key)


class Subjects:
    """All narrow subjects, within `max_bytes`."""

    __slots__ = ("table",)

    def __init__(self, max_bytes: int, idle_s: float) -> None:
        self.table: Table[Subject] = Table(max_bytes, idle_s)

    def use(self, key: bytes, now_s: float) -> Subject | None:
        """The subject, marked used; None for one that is not remembered."""
        subject = self.table.settled[key[0]].young.get(key)
        if subject is not None:
            return subject
        subject = self.table.get_elsewhere(key)
        if subject is not None:
            self.table.put(key, subject, subject.cost, 0, now_s, settle=int(subject.first_s) != int(now_s))
        return subject

    def make(self, key: bytes, now_s: float, *, settle: bool = False) -> Subject:
        """A new subject: `use` has just not found it.

        `settle`: it was there before, in another second, though nothing was counted on it.
        """
        subject = Subject(now_s)
        self.table.enter(key, subject, SUBJECT_BYTES, now_s, settle=settle)
        return subject

    def grown(self, key: bytes, subject: Subject, now_s: float) -> None:
        """Tells the table what the subject weighs now."""
        cost = SUBJECT_BYTES + PAGE_BYTES * len(subject.pages)
        if subject.refreshes is not None:
            cost += STAMP_BYTES * len(subject.refreshes)
        if cost != subject.cost:
            before, subject.cost = subject.cost, cost
            if key in self.table.settled[key[0]].young:
                self.table.grow(key[0], cost - before, now_s)
            else:
                self.table.put(key, subject, cost, cost - before, now_s, settle=False)
