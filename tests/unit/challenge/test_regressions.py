"""Faults that other products had, each as a test that we do not have it (docs/challenge.md, "What went wrong elsewhere").

Law of the file: one test a fault, named in the first line of its docstring.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from botsieve.challenge import desk as desk_module
from botsieve.challenge import pow
from botsieve.challenge.assets import CONTENT
from botsieve.challenge.settings import LevelSettings
from botsieve.challenge.spent import SpentNonces
from botsieve.challenge.tokens import CHALLENGE, open_token, seal

from .builders import (
    KEYS,
    LEVELS,
    NOW_S,
    body_of,
    challenged,
    cleared,
    code_of,
    cookie_of,
    desk,
    nonce,
    page_data,
    post,
    request,
    wait_query,
)


def _post(at: Any, data: dict[str, Any], answers: object = None, **facts: Any) -> Any:
    return at.solve(post(**facts), body_of(data, answers), NOW_S + 1)


def test_a_hash_without_leading_zeros_is_no_work() -> None:
    """Anubis CVE-2025-24369: any SHA-256 hash minted a token because the difficulty compared with had become 0."""
    at = desk()
    data = page_data(challenged(at))
    seed = sha256(data["token"].encode()).digest()
    worthless = [
        next(n for n in range(999) if sha256(seed + i.to_bytes(4, "big") + n.to_bytes(4, "big")).digest()[0] != 0)
        for i in range(4)
    ]
    assert code_of(_post(at, data, worthless)) == "botsieve_work"


def test_a_difficulty_of_zero_cannot_be_set_or_signed() -> None:
    """Anubis CVE-2025-24369, its return in 1.15.0: difficulty 0 from the configuration."""
    with pytest.raises(ValueError, match="bits"):
        desk(levels={**LEVELS, "light": LevelSettings(16, 0)})
    at = desk()
    real = open_token(KEYS, CHALLENGE, page_data(challenged(at))["token"].encode(), (b"shop.example", request().user_agent))
    assert real is not None
    zero = seal(KEYS, CHALLENGE, (real[0][:-1] + b"\0", *real[1:]), (b"shop.example", request().user_agent))
    assert code_of(_post(at, {"token": zero}, [0, 0, 0, 0])) == "botsieve_work"


def test_a_lowered_difficulty_breaks_the_token() -> None:
    """Anubis CVE-2025-24369: the difficulty is what was signed, not what is sent."""
    at = desk()
    data = page_data(challenged(at, level="hard"))
    raw = bytearray(urlsafe_b64decode(data["token"] + "=" * (-len(data["token"]) % 4)))
    at_bits = raw.index(bytes([LEVELS["hard"].puzzles, LEVELS["hard"].bits]))
    for puzzles, bits in ((1, 8), (8, 1), (0, 0)):
        raw[at_bits : at_bits + 2] = bytes([puzzles, bits])
        lowered = urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
        assert code_of(_post(at, {"token": lowered}, [0] * max(1, puzzles))) == "botsieve_invalid"
    assert at.solve(post(), json.dumps({"token": data["token"], "answers": [0], "bits": 0}).encode(), NOW_S).status == 400


def test_the_prefix_of_the_hash_is_checked_by_us() -> None:
    """altcha (PyPI) 2.0.0 to 2.0.2: counter 0 with its own derived key verified, whatever prefix was asked for."""
    at = desk()
    data = page_data(challenged(at))
    assert code_of(_post(at, data, [0] * 4)) == "botsieve_work"


def test_digits_do_not_move_between_fields() -> None:
    """ALTCHA CVE-2025-68113, haproxy-protection: a MAC over joined fields let digits move from the expiry to the nonce."""
    one = seal(KEYS, CHALLENGE, (b"1700000000", b"5abc"))
    two = seal(KEYS, CHALLENGE, (b"17000000005", b"abc"))
    assert one[-20:] != two[-20:]


def test_sixty_four_redemptions_mint_one_clearance() -> None:
    """Anubis "double spend" (1.22): one solution minted many tokens, as the flag was set after the cookie was sent."""
    at = desk()
    body = body_of(page_data(challenged(at)))
    answers = [at.solve(post(), body, NOW_S) for _ in range(64)]
    assert sorted(answer.status for answer in answers) == [204] + [409] * 63
    assert len([answer for answer in answers if answer.header("Set-Cookie")]) == 1


def test_it_is_spent_before_it_is_minted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anubis "double spend" (1.22): when making the clearance fails, the solution is gone, not free for another try."""
    at = desk()
    body = body_of(page_data(challenged(at)))

    def fails(*_: object, **__: object) -> str:
        raise RuntimeError("the machine stopped here")

    with monkeypatch.context() as broken:
        broken.setattr(type(at.clearances), "mint", fails)
        with pytest.raises(RuntimeError):
            at.solve(post(), body, NOW_S)
    assert code_of(at.solve(post(), body, NOW_S)) == "botsieve_spent"


def test_a_full_table_mints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minting fails closed: what cannot be recorded as spent earns nothing, while clearances already given go on."""
    monkeypatch.setattr(desk_module, "SpentNonces", lambda: SpentNonces(limit=1))
    at = desk()
    cookie = cleared(at, number=1)
    refused = _post(at, page_data(challenged(at, number=2)))
    assert (refused.status, refused.header("Set-Cookie")) == (409, "")
    assert at.clearances.standing(request(headers={b"cookie": cookie}), NOW_S) is not None


def test_every_refusal_is_closed() -> None:
    """Anubis PassChallenge: an error of an unforeseen kind fell through and the cookie was set."""
    at = desk()
    data = page_data(challenged(at))
    bodies = [b"", b"null", b"{", b"\xff", b"[]", b'{"token":"","answers":[0]}', body_of(data, [0]), body_of(data, [2**31] * 4)]
    for body in bodies:
        answer = at.solve(post(), body, NOW_S)
        assert (answer.status >= 400, answer.header("Set-Cookie")) == (True, "")


def test_challenge_and_clearance_are_bound() -> None:
    """Anubis: User-Agent and address were stored with a challenge and never compared: a solving farm, a token for 7 days."""
    at = desk(roam=0)
    data = page_data(challenged(at))
    assert _post(at, data, headers={b"user-agent": b"farm"}).status == 403
    cookie = {b"cookie": cleared(at, number=2)}
    assert at.clearances.standing(request(headers={**cookie, b"user-agent": b"farm"}), NOW_S) is None
    assert at.clearances.standing(request(headers=cookie, address="198.51.100.1"), NOW_S) is None
    assert at.clearances.standing(request(headers=cookie), NOW_S + 1800) is None


def test_no_page_takes_or_holds_a_redirect() -> None:
    """Anubis GHSA-jhjj-2g64-px7c: `redir=javascript:` ran on "Try again".  The page stands in place and loads itself again."""
    at = desk()
    hostile = request(uri=b"/x?redir=javascript:alert(1)&next=//evil.example")
    page = challenged(at, hostile).body.decode()
    assert "evil.example" not in page
    assert "javascript:" not in page
    script = CONTENT["c.js"].decode()
    assert "location.reload()" in script
    assert not re.search(r"location\s*=|location\.(href|assign|replace|search)", script)


@pytest.mark.parametrize("uri", [b"//evil.example/x", b"/\\evil.example/x", b"https://evil.example/x", b"/\t/evil.example"])
def test_waiting_leads_nowhere_else(uri: bytes) -> None:
    """Anubis GHSA-cf57-c578-7jvv, AWOO-009: open redirects by `//evil` and opaque addresses."""
    at = desk()
    query = wait_query(challenged(at, request(uri=uri)))
    location = at.wait(request(uri=b"/.botsieve/wait?" + query), NOW_S + 5).header("Location")
    assert re.fullmatch(r"/(?:[^/\\][!-~]*)?", location)


def test_the_target_of_a_wait_cannot_be_named_by_the_client() -> None:
    """Anubis GHSA-cf57-c578-7jvv: the page to land on is in the signed token, other parameters are not read."""
    at = desk()
    query = wait_query(challenged(at)) + b"&redir=//evil.example&t=x"
    answer = at.wait(request(uri=b"/.botsieve/wait?" + query), NOW_S + 5)
    assert answer.header("Location") == "/items/17?ref=a"


def test_no_answer_deletes_a_cookie() -> None:
    """Anubis #1314: a late answer to a sub-resource cleared the cookie that had just been set."""
    at = desk()
    answers = [
        challenged(at),
        challenged(at, request(headers={b"sec-fetch-dest": b"image"})),
        at.solve(post(), b"{}", NOW_S),
        at.wait(request(uri=b"/.botsieve/wait?t=x"), NOW_S),
        at.answer(request(), verdict="block", decision_id="x", score=99, now_s=NOW_S, random16=nonce(3)),
    ]
    assert [answer.header("Set-Cookie") for answer in answers] == [""] * 5


def test_sub_resources_get_no_page() -> None:
    """Anubis #1036: challenged style sheets broke pages.  What is no document gets a small problem document."""
    for dest in (b"style", b"script", b"image", b"font", b"empty"):
        answer = challenged(desk(), request(headers={b"sec-fetch-dest": dest}))
        assert answer.header("Content-Type") == "application/problem+json"


def test_two_cookies_of_one_name_do_not_loop() -> None:
    """Anubis 1.27: changed attributes made a second cookie, the first one was read, and the visitor went round for ever."""
    at = desk()
    good = cleared(at)
    for cookies in (b"__Host-botsieve_c=stale; " + good, good + b"; __Host-botsieve_c=stale"):
        assert at.clearances.standing(request(headers={b"cookie": cookies}), NOW_S) is not None


def test_assets_are_kept_and_failures_are_said() -> None:
    """Anubis 1.27: assets were fetched once per worker, and a failure left a bare "Loading"."""
    at = desk()
    page = challenged(at)
    worker = at.asset(page_data(page)["worker"].encode())
    assert worker is not None
    assert "immutable" in worker.header("Cache-Control")
    assert CONTENT["c.js"].count(b"new Worker(") == 1
    assert {"cookies", "worker", "slow", "network", "refused"} <= set(page_data(page)["texts"])
    assert b'id="stuck"' in page.body


def test_a_form_leads_nowhere_by_its_referer() -> None:
    """lua-cs-bouncer captcha.lua: for a POST the Referer became the redirect target, also a cross-site one."""
    at = desk()
    referer = {b"referer": b"https://evil.example/"}
    o = request(method=b"POST", headers=referer)
    page = challenged(at, o)
    assert b"evil.example" not in page.body
    answer = at.wait(request(uri=b"/.botsieve/wait?" + wait_query(page), headers=referer), NOW_S + 5)
    assert (answer.status, answer.header("Location")) == (200, "")


def test_a_clearance_is_not_bound_to_the_address_alone() -> None:
    """lua-cs-bouncer captcha.lua: one solved CAPTCHA let everybody behind the address pass."""
    at = desk()
    cleared(at)
    assert at.clearances.standing(request(), NOW_S) is None


def test_booleans_are_no_numbers() -> None:
    """In Python `True` is an int: the types of the answers are asked for, also by the verifier alone."""
    at = desk()
    data = page_data(challenged(at))
    for wrong in (True, 1.5, -1, 2**60, "0", None):
        assert code_of(_post(at, data, [wrong] * 4)) == "botsieve_malformed"


def test_other_purposes_are_refused() -> None:
    """A clearance, a session or a wait posted as a challenge, and a challenge used as a clearance, are nothing."""
    at = desk()
    page = challenged(at, number=2)
    clearance = cleared(at).partition(b"=")[2].decode()
    session = at.sessions.issue(request(), NOW_S, b"12345678").partition(";")[0].partition("=")[2]
    wait = wait_query(page).partition(b"=")[2].decode()
    for token in (clearance, session, wait):
        assert code_of(_post(at, {"token": token}, [0] * 4)) == "botsieve_invalid"
    challenge = page_data(page)["token"].encode()
    assert at.clearances.standing(request(headers={b"cookie": b"__Host-botsieve_c=" + challenge}), NOW_S) is None
    assert at.wait(request(uri=b"/.botsieve/wait?t=" + challenge), NOW_S + 5).header("Set-Cookie") == ""


def test_the_solution_of_another_challenge_is_refused() -> None:
    """Work is bound to its token: precomputed or shared answers do not fit."""
    at = desk()
    first, second = page_data(challenged(at, number=1)), page_data(challenged(at, number=2))
    answers = pow.solve(first["token"].encode(), first["puzzles"], first["bits"])
    assert code_of(_post(at, second, answers)) == "botsieve_work"
    assert cookie_of(_post(at, first, answers))
