"""In which language a page speaks.

Law of the file: any Accept-Language gives a table of texts; English where nothing fits.
"""

from __future__ import annotations

from collections.abc import Mapping

from botsieve.challenge.assets import TEXTS

DEFAULT = "en"
# Browsers send about 60 bytes and six ranges; what lies beyond these bounds is not looked at.
MAX_HEADER, MAX_RANGES = 200, 12


def language_of(accept_language: bytes) -> str:
    """The best supported language of an Accept-Language header (RFC 9110, 12.5.4), `en` when none fits.

    Regions are ignored (`de-AT` is `de`); `*`, `und` and malformed ranges count for nothing; `q=0` refuses a language.
    """
    best, best_weight = DEFAULT, 0.0
    for part in accept_language[:MAX_HEADER].split(b",", MAX_RANGES)[:MAX_RANGES]:
        language_range, _, parameter = part.partition(b";")
        language = language_range.strip().split(b"-", 1)[0].lower().decode("ascii", "replace")
        weight = _weight(parameter.strip())
        if language in TEXTS and weight > best_weight:
            best, best_weight = language, weight
    return best


def texts_of(accept_language: bytes) -> Mapping[str, str]:
    """The texts of the language that fits best; the key `lang` holds its name."""
    return TEXTS[language_of(accept_language)]


def _weight(parameter: bytes) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition(b"=")
    digits = value.strip()[:5]
    if name.strip().lower() != b"q" or not digits.replace(b".", b"", 1).isdigit():
        return 0.0
    return min(float(digits), 1.0)
