"""detectors/view.py: what a detector sees is the state after the request, and cannot be added to."""

from __future__ import annotations

import pytest

from tests.evidence import view_of
from tests.unit.rig import request


def test_a_view_holds_what_it_says_and_nothing_else() -> None:
    """No detector can hand something to the next by hanging it on the view."""
    view = view_of(request(), cleared=True)
    assert view.cleared is True
    assert view.has_session is False
    assert view.agent.claims_browser
    with pytest.raises(AttributeError):
        view.note = 1  # type: ignore[attr-defined]
