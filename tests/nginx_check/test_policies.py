"""edge/check/policies.py: which Content-Security-Policy of the server's keeps people from solving a challenge."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.edge.check.policies import missing
from hypothesis import given
from hypothesis import strategies as st

from tests.nginx.conftest import StandIn
from tests.nginx_check.live import BLOCK, both, visit

NAMES = frozenset({"www.shop.example"})


@pytest.mark.parametrize(
    ("policy", "lacks"),
    [
        ("", ""),
        ("frame-ancestors 'none'; upgrade-insecure-requests", ""),
        ("default-src 'self'", ""),
        ("default-src *", ""),
        ("default-src https: 'unsafe-inline'", ""),
        ("script-src https://www.shop.example:443/js/", ""),
        ("script-src *.shop.example", ""),
        ("script-src https://$host", ""),
        ("default-src 'none'; script-src 'self'; connect-src 'self'", ""),
        ("sandbox allow-scripts allow-same-origin allow-forms", ""),
        ("script-src 'self'; script-src 'none'", ""),
        ("default-src 'none'", "default-src"),
        ("script-src 'nonce-$request_id'", "script-src"),
        ("SCRIPT-SRC 'Self' 'Strict-Dynamic' 'nonce-x'", "script-src"),
        ("default-src 'self'; script-src https://cdn.example", "script-src"),
        ("script-src 'self'; script-src-elem 'sha256-abc'", "script-src-elem"),
        ("script-src 'self'; worker-src blob:", "worker-src"),
        ("default-src 'self'; connect-src https://api.example", "connect-src"),
        ("script-src 'self', script-src 'none'", "script-src"),
        ("require-trusted-types-for 'script'", "require-trusted-types-for"),
        ("sandbox allow-scripts", "sandbox"),
    ],
)
def test_what_a_policy_lacks(policy: str, lacks: str) -> None:
    """The directive by which our script, its worker or its answer is refused; a browser is asked in tests/browser."""
    assert missing(policy, NAMES) == lacks


@given(st.text(max_size=300))
def test_any_text_is_read(policy: str) -> None:
    """Whatever an operator writes: a directive's name, or nothing."""
    assert missing(policy) in {
        "",
        "default-src",
        *("script-src-elem", "script-src", "worker-src", "child-src", "connect-src"),
        *("require-trusted-types-for", "sandbox"),
    }


@both
def test_our_page_has_the_lines_of_the_server(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """With `always` also on our 403; a policy that is empty for our verdicts is not sent with it, but with what is allowed."""
    wants = (BLOCK, "X-Want: allow")
    page, app = visit(kind, "csp_locks_out", standin, tmp_path, *[(8080, "/", (want,)) for want in wants])
    assert (page.status, app.status) == (403, 200)
    assert len(page.all("Content-Security-Policy")) == (1 if kind == "bad" else 0)
    assert len(app.all("Content-Security-Policy")) == 1
