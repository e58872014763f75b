"""What visitors see: the challenge, the block, the explanation of a loop, the path without script.

Law of the file: every value is escaped; no inline script or style; nothing of another host; no reason is told; the reference
and the contact are on every page.  The page stands at the address that was asked for, so that loading it again keeps query,
fragment and history.
"""

from __future__ import annotations

import json
from html import escape

import msgspec

from botsieve.challenge.answer import Answer
from botsieve.challenge.assets import CHECK, FEEDBACK, HASHED_NAME, PAGE, script_name
from botsieve.challenge.framing import framing_origin
from botsieve.challenge.languages import texts_of
from botsieve.challenge.settings import ChallengeSettings
from botsieve.observation import Observation

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# The block page has a form (challenge/feedback.py), which posts to us.
_CSP_FORM = CSP.replace("form-action 'none'", "form-action 'self'")
_NEVER_KEPT = (("Cache-Control", "no-store"), ("X-Robots-Tag", "noindex"), ("Vary", "*"))
# What the script says by itself.
_SCRIPT_TEXTS = (
    "working",
    "done",
    "file",
    "queue",
    "resend",
    "back",
    "again",
    "start",
    "cookies",
    "worker",
    "slow",
    "network",
    "refused",
    "reference",
)


class Puzzle(msgspec.Struct, frozen=True):
    """What a challenge page hands to its script.  `wait`: the token of the path without script, "" if it is not offered.

    `form`: the request was no GET.  `loop`: challenges did not help: explain, and start only when told to.
    """

    level: str
    token: str
    puzzles: int
    bits: int
    wait: str = ""
    form: bool = False
    loop: bool = False


def never_kept(settings: ChallengeSettings, decision_id: str) -> tuple[tuple[str, str], ...]:
    """The headers of every answer that depends on who asks."""
    return (*_NEVER_KEPT, ("X-Botsieve-Id", decision_id)) if settings.show_id and decision_id else _NEVER_KEPT


def challenge_page(o: Observation, settings: ChallengeSettings, puzzle: Puzzle, decision_id: str) -> Answer:
    """The page that lets a browser show that it is one.  Status `page_status`."""
    texts = texts_of(o.header(b"accept-language"))
    # What the check takes is true with script only: without, the page would contradict itself.
    title, text = ("explain_title", "explain") if puzzle.loop else ("title", "resend_text" if puzzle.form else "")
    data = {
        "token": puzzle.token,
        "puzzles": puzzle.puzzles,
        "bits": puzzle.bits,
        "solve": settings.prefix + "solve",
        "worker": settings.prefix + HASHED_NAME["w.js"],
        "id": decision_id,
        "form": puzzle.form,
        "manual": puzzle.loop,
        "texts": {key: texts[key] for key in _SCRIPT_TEXTS},
    }
    told = escape(json.dumps(data, ensure_ascii=False))
    script = f'<script src="{escape(settings.prefix + script_name(puzzle.level))}" defer data-check="{told}"></script>'
    check = CHECK.substitute(
        text="" if text else _paragraph(texts["text"]),
        puzzles=puzzle.puzzles,
        progress=escape(texts["progress"]),
        stuck=escape(texts["stuck"]),
    )
    link = escape(f"{settings.prefix}wait?t={puzzle.wait}")
    wait_s = settings.no_js.wait_s
    # After a loop the wait is a link to follow, not a refresh that goes round by itself.
    head = _refresh(wait_s, link, no_script_only=True) if puzzle.wait and not puzzle.loop else ""
    return _page(
        o,
        settings,
        title,
        text,
        decision_id,
        content=check + _without_script(puzzle, link, wait_s, o),
        head=head,
        script=script,
        csp=f"{CSP} {framed_by}" if (framed_by := framing_origin(o)) else CSP,
    )


def block_page(o: Observation, settings: ChallengeSettings, decision_id: str, retry_after_s: int = 0) -> Answer:
    """The page of a refusal.  Status 403."""
    texts = texts_of(o.header(b"accept-language"))
    action, name = escape(settings.prefix + "feedback"), escape(decision_id)
    form = FEEDBACK.substitute(action=action, id=name, human=escape(texts["human"])) if decision_id else ""
    answer = _page(o, settings, "block_title", "block", decision_id, status=403, content=form, csp=_CSP_FORM if form else CSP)
    return _with_retry(answer, retry_after_s)


def thanks_page(o: Observation, settings: ChallengeSettings, decision_id: str) -> Answer:
    """Somebody said that they are a person: it was passed on.  Status 200."""
    return _page(o, settings, "thanks_title", "thanks", decision_id, status=200)


def early_page(o: Observation, settings: ChallengeSettings, token: str, left_s: int) -> Answer:
    """The wait is not over: the page asks again by itself.  Status 403."""
    link = escape(f"{settings.prefix}wait?t={token}")
    return _page(o, settings, "early_title", "early", "", status=403, head=_refresh(left_s, link), seconds=left_s)


def late_page(o: Observation, settings: ChallengeSettings, target: bytes) -> Answer:
    """The link was used, ran out, or is none of ours.  Status 403.  `target`: where "continue" leads, safe (`safe_target`)."""
    return _page(o, settings, "late_title", "late", "", status=403, content=_continue(o, target or b"/"))


def busy_page(o: Observation, settings: ChallengeSettings) -> Answer:
    """Too many solutions from one network.  Status 429."""
    return _with_retry(_page(o, settings, "busy_title", "busy", "", status=429), 60)


def resend_page(o: Observation, settings: ChallengeSettings, cookie: str) -> Answer:
    """Waited, and it was a form: it has to be sent again by hand.  Status 200, with the clearance."""
    answer = _page(o, settings, "title", "resend", "", status=200)
    return msgspec.structs.replace(answer, headers=(*answer.headers, ("Set-Cookie", cookie)))


def problem(
    settings: ChallengeSettings,
    *,
    status: int,
    title: str,
    code: str,
    decision_id: str = "",
    more: dict[str, object] | None = None,
) -> Answer:
    """A problem document (RFC 9457) for whoever shows no pages.  `code`: `botsieve_...` (docs/headers.md)."""
    document: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "code": code}
    if decision_id:
        document["id"] = decision_id
    document.update(more or {})
    headers = (
        ("Content-Type", "application/problem+json"),
        *never_kept(settings, decision_id),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Answer(status, headers, json.dumps(document).encode())


def _page(
    o: Observation,
    settings: ChallengeSettings,
    title: str,
    text: str,
    decision_id: str,
    *,
    status: int = 0,
    content: str = "",
    head: str = "",
    script: str = "",
    seconds: int = 0,
    csp: str = CSP,
) -> Answer:
    texts = texts_of(o.header(b"accept-language"))
    html = PAGE.substitute(
        lang=texts["lang"],
        title=escape(texts[title]),
        text=_paragraph(texts[text].replace("{seconds}", str(seconds))) if text else "",
        css=_file(settings, "c.css"),
        head=head,
        content=content,
        footer=_footer(settings, texts["reference"], texts["contact"], decision_id),
        script=script,
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        *never_kept(settings, decision_id),
        ("Content-Language", texts["lang"]),
        ("Content-Security-Policy", csp),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Answer(status or settings.page_status, headers, html.encode())


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _file(settings: ChallengeSettings, name: str) -> str:
    return escape(settings.prefix + HASHED_NAME[name])


def _refresh(seconds: int, link: str, *, no_script_only: bool = False) -> str:
    tag = f'<meta http-equiv="refresh" content="{seconds}; url={link}">'
    return f"<noscript>{tag}</noscript>" if no_script_only else tag


def _without_script(puzzle: Puzzle, link: str, wait_s: int, o: Observation) -> str:
    texts = texts_of(o.header(b"accept-language"))
    if not puzzle.wait:
        return f"<noscript><p>{escape(texts['no_js_off'])}</p></noscript>"
    said = escape(texts["no_js_wait"].replace("{seconds}", str(wait_s)))
    linked = escape(texts["no_js_link"].replace("{seconds}", str(wait_s)))
    return f'<noscript>{"" if puzzle.loop else f"<p>{said}</p>"}<p><a href="{link}">{linked}</a></p></noscript>'


def _continue(o: Observation, target: bytes) -> str:
    return f'<p><a href="{escape(target.decode("ascii"))}">{escape(texts_of(o.header(b"accept-language"))["continue"])}</a></p>'


def _footer(settings: ChallengeSettings, reference: str, contact: str, decision_id: str) -> str:
    parts = []
    if decision_id:
        parts.append(f"<p>{escape(reference)}: <code>{escape(decision_id)}</code></p>")
    if settings.contact_link:
        parts.append(f'<p><a href="{escape(settings.contact_link)}">{escape(contact)}</a></p>')
    return "".join(parts)


def _with_retry(answer: Answer, retry_after_s: int) -> Answer:
    if retry_after_s <= 0:
        return answer
    return msgspec.structs.replace(answer, headers=(*answer.headers, ("Retry-After", str(retry_after_s))))
