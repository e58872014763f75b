"""From the bytes of a file to an answer: a plan, or every mistake at once.

Law of the file: any bytes give an answer.  It reads no clock and opens nothing but what `${file:...}` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from botsieve.config.checks import check_together
from botsieve.config.effective import plan_of
from botsieve.config.expand import Expander
from botsieve.config.mistakes import Mistakes, Path, shown
from botsieve.config.models import Configuration
from botsieve.config.plan import Answer, config_id
from botsieve.config.section import known_only
from botsieve.config.yaml_tree import read_tree

MAX_WARNINGS = 50


def read(raw: bytes, name: str, environment: Mapping[str, str]) -> Answer:
    """What a file says.  `name`: the file as the operator calls it, for messages."""
    mistakes, warnings = Mistakes(name), Mistakes(name)
    tree = read_tree(raw, mistakes)
    if mistakes.is_broken:
        # What follows the break is unknown, so nothing about missing or incomplete settings would be true.
        return Answer(mistakes=mistakes.render(), text=raw, state_dir=_state_dir(tree))
    warnings.lines = mistakes.lines
    expander = Expander(environment, mistakes)
    data = known_only(Configuration, expander.expand(tree), (), mistakes)
    configuration, complete = _validate(data, mistakes)
    wrong = mistakes.paths
    for strange in check_together(configuration):
        # What was left out because it is wrong must not cause a second mistake.
        if not any(_touches(place, needed) for needed in (strange.path, *strange.needs) for place in wrong):
            (mistakes if strange.is_mistake else warnings).add(strange.path, strange.message)
    answer = Answer(
        files=expander.files, text=raw, state_dir=configuration.state.dir, warnings=warnings.render()[:MAX_WARNINGS]
    )
    if mistakes or not complete:
        answer.mistakes = mistakes.render()
    else:
        answer.plan = plan_of(configuration)
        answer.config = config_id(answer.plan)
    return answer


def packaged() -> Answer:
    """The answer for no file at all: every default."""
    plan = plan_of(Configuration())
    return Answer(plan=plan, config=config_id(plan), state_dir=plan.service["state"]["dir"])


def _state_dir(tree: dict[str, Any]) -> str:
    """`state.dir` of a file that could be read in part only, "" if it did not get that far."""
    section = tree.get("state")
    folder = section.get("dir") if isinstance(section, dict) else None
    return folder if isinstance(folder, str) and folder.startswith("/") else ""


def _touches(one: Path, other: Path) -> bool:
    """Whether one of two places is the other or lies inside it."""
    return bool(one) and (one[: len(other)] == other or other[: len(one)] == one)


def _validate(data: dict[str, Any], mistakes: Mistakes) -> tuple[Configuration, bool]:
    """The configuration, without what is wrong in it; whether that is all of it."""
    complete = True
    while True:
        try:
            return Configuration.model_validate(data), complete
        except ValidationError as error:
            complete = False
            found = error.errors(include_url=False)
            for details in found:
                path = _path(details)
                if not mistakes.at(path):
                    mistakes.add(path, _message(details))
            if not _drop(data, [_path(details) for details in found]):
                return Configuration(), False


def _path(details: ErrorDetails) -> Path:
    return tuple(part for part in details["loc"] if part != "[key]")


def _drop(data: dict[str, Any], paths: list[Path]) -> bool:
    """Takes out what is wrong; from a list, the first key above the list.  False if nothing was left to take out."""
    dropped = False
    for path in paths:
        holder: Any = data
        target: tuple[dict[str, Any], str] | None = None
        for part in path:
            if isinstance(holder, dict) and isinstance(part, str) and part in holder:
                target = (holder, part)
                holder = holder[part]
            elif isinstance(holder, list) and isinstance(part, int) and part < len(holder):
                if not isinstance(holder[part], dict):
                    break
                holder = holder[part]
            else:
                break
        if target is not None:
            target[0].pop(target[1], None)
            dropped = True
    return dropped


def _message(details: ErrorDetails) -> str:
    """A mistake of a section's form in our words; a kind has worded its own."""
    kind, given = details["type"], details.get("input")
    context = details.get("ctx") or {}
    if kind == "botsieve":
        return str(context["said"])
    if kind == "missing":
        return "this key is missing; accepted: a value for it"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        what = "nothing stands here" if given is None else f"{shown(given)} is no section"
        return f"{what}; accepted: keys with values, indented, or the key left out"
    if kind in ("tuple_type", "list_type"):
        what = "nothing stands here" if given is None else f"{shown(given)} is no list"
        return f"{what}; accepted: a list, each entry beginning with -"
    if kind == "too_short":
        return f"the list is empty; accepted: at least {context.get('min_length')} entry, or the key left out"
    if kind == "too_long":
        return f"the list has {context.get('actual_length', 'too many')} entries; accepted: at most {context.get('max_length')}"
    return f"{shown(given)} is not accepted here ({kind})"
