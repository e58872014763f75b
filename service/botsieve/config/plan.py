"""The effective configuration as plain values: every default filled in, every network packed.  It travels as bytes.

A file is parsed and validated in a child process, which is slow and may be hostile; what comes back is this, from which the
service builds its rulebook in small steps (compile.py).

Law of the file: nothing here needs checking again; decoding what `encode` gave never fails.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec


class RulePlan(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One when-then line.  `networks`: packed (`RangeSet.pack`).  What is None is not asked."""

    name: str
    then: str = ""
    points: int = 0
    networks: bytes | None = None
    paths: tuple[str, ...] | None = None
    methods: tuple[str, ...] | None = None
    headers: dict[str, str] = {}
    signal: str = ""
    score_from: int | None = None
    asns: tuple[int, ...] | None = None
    countries: tuple[str, ...] | None = None


class PolicyPlan(msgspec.Struct, kw_only=True):
    """One policy, thresholds filled in.  `detectors`: by finding id, all settings of those that differ from everybody's.

    `thresholds`: by id, all settings of all of them, `action` filled in.
    """

    name: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    mode: str
    audience: str
    challenge_at: int
    block_at: int
    challenge_first: bool
    challenge: str
    never_challenge: tuple[str, ...]
    entry_pages: tuple[str, ...]
    detectors: dict[str, dict[str, Any]]
    thresholds: dict[str, dict[str, Any]]
    family_max: dict[str, int]
    rules: tuple[RulePlan, ...]


class EdgePlan(msgspec.Struct, kw_only=True):
    """One edge; `trusted` is packed."""

    name: str
    listen: str | None
    socket_group: str | None
    trusted: bytes
    sees: tuple[str, ...] | None
    deadline_ms: int
    on_late: str
    max_in_flight: int
    reflection: bool
    ja3_header: str | None
    ja4_header: str | None


class Plan(msgspec.Struct, kw_only=True):
    """Everything.  `detectors`: by finding id, all settings.  `service`: the sections that are taken over as they are."""

    policies: tuple[PolicyPlan, ...]
    detectors: dict[str, dict[str, Any]]
    bot_at: int
    allow_networks: bytes
    allow_headers: dict[str, tuple[str, ...]]
    edges: tuple[EdgePlan, ...]
    service: dict[str, Any]


class Answer(msgspec.Struct, kw_only=True):
    """What the child says: a plan with its id, or mistakes, or that the file cannot be read."""

    plan: Plan | None = None
    config: str = ""
    mistakes: list[str] = []
    warnings: list[str] = []
    unreadable: str = ""
    files: list[str] = []
    text: bytes = b""
    state_dir: str = ""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Answer)


def encode(answer: Answer) -> bytes:
    """The bytes that a child writes."""
    return _ENCODER.encode(answer)


def decode(raw: bytes) -> Answer:
    """What a child wrote.  Errors: ValueError for anything else (a child that died half-way)."""
    try:
        return _DECODER.decode(raw)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not an answer: {error}") from None


def config_id(plan: Plan) -> str:
    """The first 12 hex digits of the SHA-256 of the effective configuration; secrets go in as their own hashes."""
    plain = msgspec.to_builtins(plan, builtin_types=(bytes,))
    plain["allow_headers"] = {
        name: [hashlib.sha256(secret.encode()).hexdigest() for secret in secrets]
        for name, secrets in plan.allow_headers.items()
    }
    canonical = msgspec.json.encode(plain, order="deterministic")
    return hashlib.sha256(canonical).hexdigest()[:12]
