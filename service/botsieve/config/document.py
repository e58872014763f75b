"""Writes docs/settings.md from the models: every key, default, what is accepted, meaning and source.

`python -m botsieve.config.document > docs/settings.md`.

Law of the file: nothing is described here; the words stand at the keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from botsieve.config.detector_models import Detectors
from botsieve.config.effective import plan_of, thresholds_of
from botsieve.config.kinds import Kind
from botsieve.config.models import Configuration
from botsieve.config.section import Section, inner_section, keys_of
from botsieve.config.service_models import Sees

_OPENING = """\
# Settings

Generated from the models (`python -m botsieve.config.document`); `docs/botsieve.yaml` shows the same as a file. Nothing has
to be written: every key has a default. A complete file of a shop that protects its API:

    policies:
      - name: api
        paths: [/api/]
        audience: api
        mode: enforce
      - name: site

Units stand in the names (`_s` seconds, `_ms`, `_mib`, `_bits`, `_percent`; `points` add to a score of 0 to 100, high = bot).
Unknown keys are refused with the nearest known one, and so is a key that does nothing in this version. All mistakes are
reported together. A file that is refused changes nothing: the running service keeps the last good one, and a start with a
refused file uses the last good text kept in `state.dir`. `botsieve check-config FILE` says what would happen; `kill -HUP` or
saving the file applies it.

A value may be `${ENV_NAME}` or `${file:/path}` (`$${` stands for the two characters `${`); what is put in is never shown. The
file is YAML 1.2 in UTF-8, at most 1 MiB: only `true` and `false` are booleans, `on`, `off`, `yes` and `no` are text, a key
written twice is a mistake.

Sources: [S1-n] and [S2-n] are items of the two mission documents (docs/mission.md), [own] is ours.

These cannot change while the service runs; a reload applies the rest and names them: `edges.*.listen`, `socket_group`,
`max_in_flight`, `reflection`, section `state`, `journal.decisions.to` and `queue`, `web.listen`, `challenge.keys_file`.
"""


def document() -> str:
    """The whole page."""
    plan = plan_of(Configuration())
    packaged = plan.detectors | thresholds_of(Configuration()) | {"family_max": dict(plan.policies[0].family_max)}
    lines = [_OPENING, "## The top of the file", "", *_table(Configuration, {})]
    for key, info in keys_of(Configuration).items():
        section = inner_section(info)
        if section is not None:
            lines += _section(section, key, packaged if key == "detectors" else _values(info))
    return "\n".join(lines) + "\n"


def _section(section: type[Section], path: str, defaults: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## `{path}`", "")
    if section.meaning:
        yield from (section.meaning, "")
    yield from _table(section, defaults)
    for key, info in keys_of(section).items():
        inner = inner_section(info)
        # A policy's own `detectors` have the keys of the section of that name.
        if inner is not None and inner is not Detectors:
            given = defaults.get(key)
            yield from _section(inner, f"{path}.{key}", given if isinstance(given, dict) else _values(info))


def _values(info: FieldInfo) -> dict[str, Any]:
    """The defaults of the section that a key holds."""
    return info.default.model_dump() if isinstance(info.default, Section) else {}


def _table(section: type[Section], defaults: Mapping[str, Any]) -> Iterator[str]:
    rows = [(key, info) for key, info in keys_of(section).items() if inner_section(info) is None or info.description]
    if rows:
        yield "| key | default | accepted | meaning |"
        yield "|---|---|---|---|"
    for key, info in rows:
        default = _default(info, defaults.get(key, info.default))
        yield f"| `{key}` | {default} | {_accepted(info)} | {_cell(info.description or '')} |"
    if section.later:
        if rows:
            yield ""
        yield "Refused in this version: " + ", ".join(f"`{key}`" for key in section.later) + "."


def _default(info: FieldInfo, value: Any) -> str:
    kind = _kind(info)
    if value is PydanticUndefined or (value is None and kind is not None and not kind.null and not isinstance(kind, Sees)):
        return "none"
    if isinstance(kind, Sees) and value is None:
        return '`"auto"`'
    if isinstance(value, Section):
        return "see below"
    return f"`{json.dumps(value)}`"


def _kind(info: FieldInfo) -> Kind | None:
    kinds = [one for one in (*info.metadata, *get_args(info.annotation)) if isinstance(one, Kind)]
    return kinds[0] if kinds else None


def _accepted(info: FieldInfo) -> str:
    kind = _kind(info)
    if kind is not None:
        return _cell(kind.told)
    return "a list, see below" if "tuple" in str(info.annotation) else "keys, see below"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(document(), end="")
