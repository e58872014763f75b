"""The events beside decisions: their names, their levels, and how often each may be said.

Law of the file: an event is said at once, then at most once in 10 s; what was held back is said then, with its `count` and the sum
of what it passed.
The number of different events remembered is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping

# Name: (level, the keys that make two of them different things).  docs/decision-log.md.
EVENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "service_ready": ("info", ()),
    "service_stopped": ("info", ()),
    "config_applied": ("info", ("config",)),
    "config_refused": ("error", ("file",)),
    "data_applied": ("info", ("file",)),
    "data_refused": ("error", ("file",)),
    "paused": ("warning", ()),
    "resumed": ("warning", ()),
    "detector_failed": ("error", ("signal",)),
    "service_failed": ("error", ("edge", "where")),
    "edge_fault": ("warning", ("edge", "header")),
    "unjudged": ("warning", ("edge",)),
    "overloaded": ("warning", ()),
    "log_dropped": ("warning", ()),
    "dns_missing": ("warning", ()),
    "lookup_failed": ("error", ("error",)),
    "log_reopen_failed": ("error", ()),
    "keys_rotated": ("info", ()),
    "keys_refused": ("error", ()),
    "session_shared": ("warning", ("policy",)),
    "incident_opened": ("warning", ("attack_type", "policy")),
    "incident_closed": ("info", ("attack_type", "policy")),
    "prevention_released": ("warning", ("attack_type", "policy")),
    "preventions_not_kept": ("error", ()),
    "preventions_strange": ("warning", ()),
    "store_failed": ("error", ()),
    "store_back": ("info", ()),
}

# Keys that say how much: what is held back adds up, like `count`.
_ADDED = frozenset({"passed"})

EVERY_S = 10.0
_MAX_KINDS = 256
_MAX_TEXT, _MAX_ITEMS = 1024, 100

Event = dict[str, object]


class Repeats:
    """Decides which event is said now.  All times are `now_s`, handed in."""

    __slots__ = ("_kinds",)

    def __init__(self) -> None:
        self._kinds: dict[tuple[object, ...], _Kind] = {}

    def admit(self, name: str, keys: Mapping[str, object], now_s: float) -> Event | None:
        """The event to write now, or None: it is held back.  `count` among the keys adds up; without it an event counts 1.

        Errors: ValueError for a name that is not in EVENTS.
        """
        if name not in EVENTS:
            raise ValueError(f"{name!r} is no event; accepted: {', '.join(EVENTS)}")
        level, different = EVENTS[name]
        kind_key = (name, *(str(keys.get(key, ""))[:_MAX_TEXT] for key in different))
        kind = self._kinds.get(kind_key)
        if kind is None:
            if len(self._kinds) >= _MAX_KINDS:
                kind_key = (name, "other")
            kind = self._kinds.setdefault(kind_key, _Kind())
        event: Event = {"level": level, "event": name} | {key: _bounded(value) for key, value in keys.items()}
        kind.hold(event)
        return kind.release(now_s)

    def due(self, now_s: float, *, everything: bool = False) -> list[Event]:
        """The events held back whose time has come (or all of them, at the end)."""
        found = [kind.release(now_s, anyway=everything) for kind in self._kinds.values()]
        quiet = [key for key, kind in self._kinds.items() if kind.is_over(now_s)]
        for key in quiet:
            del self._kinds[key]
        return [event for event in found if event is not None]


class _Kind:
    """One kind of event: when it was last said, and what was held back since."""

    __slots__ = ("_count", "_has_count", "_held", "_said_s")

    def __init__(self) -> None:
        self._said_s = float("-inf")
        self._held: Event | None = None
        self._count = 0
        self._has_count = False

    def hold(self, event: Event) -> None:
        given = event.get("count", 1)
        self._count += given if isinstance(given, int) else 1
        self._has_count = self._has_count or "count" in event
        before = self._held or {}
        for key in _ADDED & event.keys() & before.keys():
            event[key] = _sum(before[key], event[key])
        self._held = event

    def release(self, now_s: float, *, anyway: bool = False) -> Event | None:
        if self._held is None or (now_s - self._said_s < EVERY_S and not anyway):
            return None
        event = self._held
        if self._has_count or self._count > 1:
            event["count"] = self._count
        self._held, self._count, self._has_count, self._said_s = None, 0, False, now_s
        return event

    def is_over(self, now_s: float) -> bool:
        return self._held is None and now_s - self._said_s >= EVERY_S


def _sum(one: object, other: object) -> object:
    return one + other if isinstance(one, int) and isinstance(other, int) else other


def _bounded(value: object) -> object:
    """Numbers and truth as they are, text cut, lists cut, anything else as its text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and len(value) <= _MAX_TEXT and value.isascii():
        return value  # as it would be below: most are
    if isinstance(value, list | tuple):
        return [_bounded(item) for item in value[:_MAX_ITEMS]]
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return text[:_MAX_TEXT].encode("utf-8", "backslashreplace").decode()
