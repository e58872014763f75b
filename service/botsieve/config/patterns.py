"""Patterns of operators: what they may be, and how much of a text each of them sees.

RE2 takes time in proportion to the text, but where its automaton must be built anew at every byte (a repetition or many wildcards
after a loose beginning) each byte costs each of the pattern's steps about 10 to 20 ns, and a visitor chooses the text: 2,700 steps
were 129 ms on 8 KiB.  So a pattern whose automaton cannot be large sees everything; another one sees so much that steps times bytes
stay below a bound; and one that would see too little is refused.

Law of the file: what is accepted takes at most about 1 ms, whatever text it is given (docs/decisions/0006).
"""

from __future__ import annotations

import re
from typing import Any

import re2

LONGEST = 1000
MEMORY = 8 * 1024 * 1024  # of one pattern; used only as far as texts drive it
# A list of words is a long text: it has two steps a character at most, and its automaton as many states.
MAX_STEPS, STEPS_PER_CHARACTER = 400, 2
# States that the automaton of a pattern can have, so that it is built once and kept.
MAX_STATES = 2_048
# Steps times bytes that take about 1 ms where every byte leads to another state.
BUDGET = 35_000
LEAST_SEEN = 500

_CLASS = r"\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]"
_TOKEN = re.compile(rf"(?P<quoted>\\Q.*?(?:\\E|$))|(?P<wide>{_CLASS}|\\[pP](?:\{{[^}}]*\}}|.)|\\[dDsSwWCX]|\.)"
                    r"|(?P<plain>\(\?[a-zA-Z-]+\)|\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\.)|(?P<counted>\{[0-9]+(?:,[0-9]*)?\})"
                    r"|(?P<loop>[*+?])|(?P<open>\((?:\?P?<[^>]*>|\?[a-zA-Z-]*:)?)|(?P<close>\))|(?P<either>\|)", re.DOTALL)  # fmt: skip


class Bounded:
    """A compiled pattern that sees the first `most` bytes of a text."""

    __slots__ = ("_search", "most")

    def __init__(self, compiled: Any, most: int) -> None:
        self._search = compiled.search
        self.most = most

    def search(self, text: bytes) -> object | None:
        """As RE2's."""
        return self._search(text[: self.most])  # type: ignore[no-any-return]


def compile_pattern(text: str) -> Any:
    """A compiled pattern that searches bytes of any encoding.  Errors: ValueError with what is wrong."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = MEMORY
    options.log_errors = False
    options.never_capture = True  # groups would be filled by another, slower automaton, and nobody reads them
    try:
        compiled = re2.compile(text.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0] if error.args else b""
        raise ValueError(ascii(said.decode("latin-1") if isinstance(said, bytes) else said)[1:-1][:100]) from None
    steps = max(1, compiled.programsize)
    if steps > max(MAX_STEPS, STEPS_PER_CHARACTER * len(text)):
        raise ValueError(f"its repetitions make it {steps} steps long, at most {MAX_STEPS} are possible")
    if is_tame(text, steps):
        return compiled
    most = BUDGET // steps
    if most < LEAST_SEEN:
        raise ValueError(
            f"it has {steps} steps with repetitions or many wildcards, possible are {BUDGET // LEAST_SEEN}; "
            f"fewer of them, words instead, or ^ before and no * or + make it cheap"
        )
    return Bounded(compiled, most)


def is_tame(text: str, steps: int) -> bool:
    """Whether the automaton of a pattern has few states whatever the text: `steps` for its words, times two for each thing that
    makes the words before it overlap in another way (wildcard, class, loop, group of alternatives); repetitions count without end.

    A pattern that begins with `^` and holds no loop ends at its own length.
    """
    wide = 0
    has_loop = counted = loose = False
    groups: list[bool] = []
    after_wide = False
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        was_wide, after_wide = after_wide, False
        if kind == "wide":
            wide += 1
            after_wide = True
        elif kind == "loop":
            has_loop = has_loop or token[0] != "?"
            wide += not was_wide
        elif kind == "counted":
            counted = True
            has_loop = has_loop or token[0].endswith(",}")
        elif kind == "open":
            groups.append(False)
        elif kind == "close":
            wide += bool(groups) and groups.pop()
        elif kind == "either":
            if groups:
                groups[-1] = True
            else:
                loose = True
    if steps > MAX_STEPS and (wide or counted):
        return False
    if text.startswith("^") and not loose and not has_loop:
        return True
    return not counted and (not wide or steps << min(wide, 20) <= MAX_STATES)
