"""What operators ask about preventions on the control socket: which are in force, and to end some.

Law of the file: one answer looks at a bounded number of them, however many there are; who wants more asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from botsieve.attacks.preventions import Prevention
from botsieve.engine import Engine
from botsieve.errors import InvalidObservation
from botsieve.journal.http_server import Answer, Routes, as_json
from botsieve.observation import network_of, pack_address
from botsieve.policy import Policy

MAX_LISTED = 1_000
MAX_LOOKED_AT = 5_000  # about 3 ms


class PreventionPages:
    """`show`: how an address may be shown.  `tell(event, **keys)`: an event for the log."""

    def __init__(
        self, engine: Engine, now_s: Callable[[], float], show: Callable[[bytes], str], tell: Callable[..., None]
    ) -> None:
        self._engine = engine
        self._now_s = now_s
        self._show = show
        self._tell = tell

    def routes(self) -> Routes:
        """By key of the subject (16 hex digits), by address of the client, or all of them."""
        return {
            ("GET", "/v1/preventions"): lambda _rest: self._list(self._some()),
            ("GET", "/v1/preventions/client/"): lambda text: self._of_client(text, self._list),
            ("POST", "/v1/preventions/release/key/"): self._release_key,
            ("POST", "/v1/preventions/release/client/"): lambda text: self._of_client(text, self._release),
            ("POST", "/v1/preventions/release/all"): lambda _rest: self._release(self._some()),
        }

    def _some(self) -> list[Prevention]:
        now_s = self._now_s()
        some = islice(self._engine.attacks.preventions.everything(), MAX_LOOKED_AT)
        return list(islice((one for one in some if one.runs(now_s)), MAX_LISTED))

    def _of_client(self, text: str, then: Callable[[list[Prevention]], Answer]) -> Answer:
        try:
            client = pack_address(text)
        except InvalidObservation as error:
            return as_json({"error": str(error)}, 400)
        now_s = self._now_s()
        found: list[Prevention] = []
        for policy in (*self._engine.rulebook.policies, Policy()):
            key = self._engine.world.hasher.key(self._engine.world.site(policy.name).tag + network_of(client))
            members = islice(self._engine.attacks.preventions.of_network(key), MAX_LOOKED_AT)
            found += [one for one in members if one.whom.client == client and one.runs(now_s) and one not in found]
        return then(found[:MAX_LISTED])

    def _release_key(self, text: str) -> Answer:
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) != 8:
            return as_json({"error": f"{text[:40]!r} is no key; accepted: 16 hex digits, as the list shows them"}, 400)
        now_s = self._now_s()
        held = self._engine.attacks.preventions.of(key) or {}
        return self._release([one for one in held.values() if one.runs(now_s)])

    def _list(self, chosen: list[Prevention]) -> Answer:
        held = len(self._engine.attacks.preventions)
        return as_json({"preventions": [self._row(one) for one in chosen], "held": held})

    def _release(self, chosen: Iterable[Prevention]) -> Answer:
        now_s = self._now_s()
        rows = []
        for one in chosen:
            rows.append(self._row(one))
            self._engine.attacks.release(one, now_s)
            self._tell(
                "prevention_released", attack_type=one.attack_type, policy=one.whom.policy, client=self._show(one.whom.client)
            )
        return as_json({"released": rows, "more": bool(self._some())})

    def _row(self, one: Prevention) -> dict[str, object]:
        settings = next(
            (p.thresholds.get(one.detector) for p in self._engine.rulebook.policies if p.name == one.whom.policy), None
        )
        return {
            "key": one.whom.key.hex(),
            "policy": one.whom.policy,
            "attack_type": one.attack_type,
            "detector": one.detector,
            "action": settings.action if settings is not None else "ignore",
            "subject": one.whom.subject,
            "client": self._show(one.whom.client),
            "started_s": one.latch.start_ms / 1000.0,
            "until_s": round(one.until_s, 3),
            "at_most_until_s": round(one.latch.end_s, 3),
            "measures": {m.name: [m.value, m.limit] for m in one.measures},
        }
