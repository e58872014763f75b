"""What every section of the configuration is: named keys, each with a kind, a default and a sentence that explains it.

Law of the file: unknown keys and keys of later versions are refused before values are looked at, with their place.
"""

from __future__ import annotations

from typing import Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from botsieve.config.mistakes import Mistakes, Path, nearest, shown_key


class Section(BaseModel):
    """One mapping of the file.  `later`: keys that a later version will know; `meaning`: what the section is about."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    later: ClassVar[tuple[str, ...]] = ()
    meaning: ClassVar[str] = ""


def keys_of(section: type[Section]) -> dict[str, FieldInfo]:
    """The keys of a section as they are written."""
    return {info.alias or name: info for name, info in section.model_fields.items()}


def inner_section(info: FieldInfo) -> type[Section] | None:
    """The section that a key's value is, or that the entries of its list are."""
    for kind in (info.annotation, *get_args(info.annotation)):
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def known_only(section: type[Section], data: dict[str, Any], path: Path, mistakes: Mistakes) -> dict[str, Any]:
    """The same data without the keys that are refused; each of these becomes a mistake."""
    known = keys_of(section)
    kept: dict[str, Any] = {}
    for key, value in data.items():
        here = (*path, key)
        if key in known:
            kept[key] = _inside(inner_section(known[key]), value, here, mistakes)
        elif key in section.later:
            mistakes.add(here, "this is not available in this version; accepted: leave it out")
        else:
            near = "" if mistakes.is_full else _further_in(section, key) or nearest(key, [*known, *section.later])
            hint = f" (did you mean {near}?)" if near else ""
            mistakes.add(here, f"there is no key {shown_key(key)}{hint}; accepted: {_listed(known)}")
    return kept


def _inside(section: type[Section] | None, value: Any, path: Path, mistakes: Mistakes) -> Any:
    if section is None:
        return value
    if isinstance(value, dict):
        return known_only(section, value, path, mistakes)
    if isinstance(value, list):
        return [_inside(section, entry, (*path, at), mistakes) for at, entry in enumerate(value)]
    return value


def _further_in(section: type[Section], key: str) -> str:
    """Where a key of this very name, or with this end, stands: `mode` in policies, `volume` as traversal.volume.  "": nowhere."""
    found = []
    for name, info in keys_of(section).items():
        if name.endswith(f".{key}"):
            return name
        inner = inner_section(info)
        if inner is not None and key in keys_of(inner):
            found.append(f"{name}[].{key}" if get_origin(info.annotation) is tuple else f"{name}.{key}")
    return found[0] if len(found) == 1 else ""


def _listed(known: dict[str, FieldInfo]) -> str:
    return ", ".join(known)
