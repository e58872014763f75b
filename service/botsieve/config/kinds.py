"""The kinds of value that a setting can have.  Each checks, says what it accepts, and words its own mistake.

Law of the file: a kind accepts a value of the right YAML type, or text that came from `${...}` and reads as one; everything
else is a mistake that ends with `accepted: ...`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from botsieve.config.mistakes import Expanded, nearest, shown
from botsieve.config.patterns import LONGEST, compile_pattern


def refuse(what: str, accepted: str) -> PydanticCustomError:
    """The error of a kind: `what` is wrong, `accepted` would be right."""
    return PydanticCustomError("botsieve", "{said}", {"said": f"{what}; accepted: {accepted}"})


class Kind:
    """What all kinds share.  `null`: the value may be null."""

    accepted = ""

    def __init__(self, *, null: bool = False) -> None:
        self.null = null

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.take)

    def take(self, value: object) -> object:
        """The checked value.  Errors: PydanticCustomError."""
        if self.null and (value is None or (isinstance(value, Expanded) and value in ("", "null"))):
            return None
        return self.check(value)

    def check(self, value: object) -> object:
        """The checked value of one that is not null.  Errors: PydanticCustomError."""
        raise NotImplementedError

    def refusal(self, what: str) -> PydanticCustomError:
        """The error that names what is accepted."""
        return refuse(what, self.told)

    @property
    def told(self) -> str:
        """What is accepted, for messages and for docs/settings.md."""
        return f"{self.accepted}, or null" if self.null else self.accepted


def _number_text(value: object) -> object:
    """What `${...}` gave, as a number if it reads as one."""
    if not isinstance(value, Expanded):
        return value
    text = value.strip()
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?[0-9]{1,30}\.[0-9]{1,30}", text):
        return float(text)
    return value


_WITH_UNIT = re.compile(r"[-+]?[0-9.]+\s*(ms|s|sec|m|min|h|d|k|kb|kib|mb|mib|gb|gib|%|percent|bits?)", re.IGNORECASE)


def _not_number(value: object) -> str:
    if isinstance(value, str) and not isinstance(value, Expanded) and _WITH_UNIT.fullmatch(value.strip()):
        return f"{shown(value)} has a unit (the unit stands in the key's name)"
    if isinstance(value, str) and not isinstance(value, Expanded) and re.fullmatch(r"[-+]?[0-9.]+", value):
        return f"{shown(value)} is text, because of its quotes"
    return f"{shown(value)} is no number"


class Whole(Kind):
    """A whole number from `low` to `high`, both included."""

    def __init__(self, low: int, high: int, *, null: bool = False) -> None:
        super().__init__(null=null)
        self.low, self.high = low, high
        self.accepted = f"a whole number from {low} to {high}"

    def check(self, value: object) -> int:
        number = _number_text(value)
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            is_fraction = isinstance(number, float)
            raise self.refusal(f"{shown(value)} is no whole number" if is_fraction else _not_number(value))
        if not self.low <= number <= self.high:
            raise self.refusal(f"{shown(value)} is too {'small' if number < self.low else 'large'}")
        return number


class Number(Kind):
    """A number from `low` to `high`, both included; fractions allowed."""

    def __init__(self, low: float, high: float, *, null: bool = False) -> None:
        super().__init__(null=null)
        self.low, self.high = low, high
        self.accepted = f"a number from {low:g} to {high:g}"

    def check(self, value: object) -> float:
        number = _number_text(value)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            raise self.refusal(_not_number(value))
        if not self.low <= number <= self.high:
            raise self.refusal(f"{shown(value)} is too {'small' if number < self.low else 'large'}")
        return float(number)


class Flag(Kind):
    """true or false."""

    accepted = "true or false"

    def check(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, Expanded) and value.strip() in ("true", "false"):
            return value.strip() == "true"
        raise self.refusal(f"{shown(value)} is no boolean")


class Word(Kind):
    """One of a few words.  `later`: words of later versions, told apart from unknown ones."""

    def __init__(self, *words: str, later: tuple[str, ...] = (), null: bool = False) -> None:
        super().__init__(null=null)
        self.words, self.later = words, later
        self.accepted = ", ".join(words)

    def check(self, value: object) -> str:
        if isinstance(value, str):
            if value in self.words:
                return str(value)
            if value in self.later:
                raise self.refusal(f"{shown(value)} is not available in this version")
            near = "" if isinstance(value, Expanded) else nearest(value, self.words)
            raise self.refusal(f"{shown(value)} is not known" + (f" (did you mean {near}?)" if near else ""))
        raise self.refusal(f"{shown(value)} is no word")


class OneOf(Kind):
    """One of a few whole numbers."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self.numbers = numbers
        self.accepted = ", ".join(map(str, numbers))

    def check(self, value: object) -> int:
        number = _number_text(value)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number not in self.numbers:
            what = "is not possible" if len(self.numbers) == 1 else "is none of these"
            raise self.refusal(f"{shown(value)} {what}")
        return int(number)


class Text(Kind):
    """Printable text of 1 to `longest` characters, matched whole by `form` if there is one."""

    def __init__(self, accepted: str, *, longest: int = 200, form: str = "", null: bool = False) -> None:
        super().__init__(null=null)
        self.longest = longest
        self.form = re.compile(form) if form else None
        self.accepted = accepted

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.refusal(f"{shown(value)} is no text")
        if not value:
            raise self.refusal("the text is empty")
        if len(value) > self.longest:
            raise self.refusal(f"the text has {len(value)} characters, at most {self.longest} are possible")
        if not value.isprintable() or (self.form and not self.form.fullmatch(value)):
            raise self.refusal(f"{shown(value)} has not the right form")
        return self.normal(str(value))

    def normal(self, text: str) -> str:
        """The one spelling of an accepted text."""
        return text


class Secret(Kind):
    """Text that is compared and never shown."""

    accepted = "a text of 8 to 4096 characters without control characters"

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.refusal("the value is no text (numbers need quotes)")
        if not 8 <= len(value) <= 4096:
            raise self.refusal(f"the text has {len(value)} characters")
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise self.refusal("the text holds a control character")
        return str(value)


class PatternText(Kind):
    """A regular expression that RE2 accepts."""

    accepted = f"an RE2 pattern of at most {LONGEST} characters (no back references, no look-around)"

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.refusal(f"{shown(value)} is no text")
        if len(value) > LONGEST:
            raise self.refusal(f"the pattern has {len(value)} characters")
        try:
            compile_pattern(value)
        except ValueError as error:
            why = "" if isinstance(value, Expanded) else f" ({error})"
            raise self.refusal(f"{shown(value)} is no RE2 pattern{why}") from None
        return str(value)


class Many(Kind):
    """A list of 0 (or `least`) to `most` values of one kind.  `lone`: a single value stands for a list of one."""

    def __init__(self, kind: Kind, most: int, *, least: int = 0, lone: bool = False, null: bool = False) -> None:
        super().__init__(null=null)
        self.kind, self.most, self.least, self.lone = kind, most, least, lone
        self.accepted = f"{kind.accepted}; one or a list" if lone else f"a list of: {kind.accepted}"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        items = core_schema.tuple_variable_schema(core_schema.no_info_plain_validator_function(self.kind.take))
        return core_schema.no_info_wrap_validator_function(self._wrap, items)

    def _wrap(self, value: object, inner: Callable[[object], object]) -> object:
        if self.null and value is None:
            return None
        if self.lone and not isinstance(value, list):
            value = [value]
        if not isinstance(value, list):
            # Never shown: a secret written where a list of secrets belongs is a likely mistake.
            raise self.refusal("this is no list")
        if not self.least <= len(value) <= self.most:
            raise self.refusal(f"the list has {len(value)} entries, possible are {self.least} to {self.most}")
        return inner(value)


class Table(Kind):
    """A mapping of names to values."""

    def __init__(self, names: Kind, values: Kind, most: int) -> None:
        super().__init__()
        self.names, self.values, self.most = names, values, most
        self.accepted = f"a mapping of {names.accepted} to {values.accepted}"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        values = self.values.__get_pydantic_core_schema__(source, handler)
        names = core_schema.no_info_plain_validator_function(self.names.take)
        return core_schema.no_info_wrap_validator_function(self._wrap, core_schema.dict_schema(names, values))

    def _wrap(self, value: object, inner: Callable[[object], object]) -> object:
        if not isinstance(value, dict):
            raise self.refusal("this is no mapping")
        if len(value) > self.most:
            raise self.refusal(f"the mapping has {len(value)} entries, possible are at most {self.most}")
        taken = inner(value)
        if isinstance(taken, dict) and len(taken) < len(value):
            raise self.refusal("two names differ in case only")
        return taken
