"""The files that the pages are made of: script, worker, style, templates, texts.  Read once, when this module is imported.

Law of the file: what a browser fetches has a name that changes with its content, so it can be kept for a year; an old name
still gets the present file, which is then not kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from string import Template

from botsieve.challenge.answer import LOADED, Answer

_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
_NAMES = ("c.js", "w.js", "c.css")
# Stem, hash, level (the page script is named with it, so that loading it can be counted by level), ending.
_REQUESTED = re.compile(rb"([cw])(?:\.([0-9a-f]{1,64}))?(?:\.(light|normal|hard))?\.(js|css)")
_KEPT, _NOT_KEPT = "public, max-age=31536000, immutable", "no-cache"


def _read(name: str) -> str:
    return (files("botsieve") / "web" / name).read_text("utf-8")


def stripped(text: str) -> bytes:
    """Without indentation, empty lines and lines that are only a comment: half the size, still readable."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//")).encode()


def _hashed(name: str, content: bytes) -> str:
    stem, _, ending = name.partition(".")
    return f"{stem}.{sha256(content).hexdigest()[:12]}.{ending}"


CONTENT: Mapping[str, bytes] = {name: stripped(_read(name)) for name in _NAMES}
# What pages link to, by the plain name.
HASHED_NAME: Mapping[str, str] = {name: _hashed(name, content) for name, content in CONTENT.items()}
PAGE, CHECK, FEEDBACK = (Template(_read(name)) for name in ("page.html", "check.html", "feedback.html"))
TEXTS: Mapping[str, Mapping[str, str]] = {
    language: {**texts, "lang": language} for language, texts in json.loads(_read("texts.json")).items()
}


def asset_answer(name: bytes) -> Answer | None:
    """The file of that name (without the prefix), plain or hashed, None if it is none of ours."""
    match = _REQUESTED.fullmatch(name)
    if match is None:
        return None
    stem, named_hash, level, ending = (part.decode() if part else "" for part in match.groups())
    plain = f"{stem}.{ending}"
    if plain not in CONTENT:
        return None
    is_current = f"{stem}.{named_hash}.{ending}" == HASHED_NAME[plain]
    headers = (
        ("Content-Type", _TYPES[plain.partition(".")[2]]),
        ("Cache-Control", _KEPT if is_current else _NOT_KEPT),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Answer(200, headers, CONTENT[plain], event=LOADED if level and plain == "c.js" else "", level=level)


def script_name(level: str) -> str:
    """The page script under a name that says which level it is loaded for."""
    return HASHED_NAME["c.js"].removesuffix("js") + f"{level}.js"
