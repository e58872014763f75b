"""The form "I am human" in a real browser: without script, by keyboard alone."""

from __future__ import annotations

from typing import Any

from tests.servers import Site


def test_a_person_says_so_by_keyboard_and_without_script(shop: Site, visit: Any) -> None:
    """Tab, Enter: the button is the first thing that can be reached; the answer thanks; nothing is blocked by the page's own policy."""
    one = visit(java_script_enabled=False)
    one.page.goto(f"https://127.0.0.1:{shop.https_port}/closed/x")
    assert "Access refused" in one.text()
    reference = one.page.inner_text("code")
    one.page.keyboard.press("Tab")
    one.page.keyboard.press("Enter")
    one.wait_for("Thank you")
    assert one.page.inner_text("code") == reference
    assert one.page.url.endswith("/.botsieve/feedback")
    assert one.complaints == []


def test_the_button_has_a_name_and_a_language(shop: Site, visit: Any) -> None:
    """As assistive technology finds it, in the visitor's language."""
    one = visit(locale="fr-FR")
    one.page.goto(f"https://127.0.0.1:{shop.https_port}/closed/x")
    one.page.get_by_role("button", name="Je suis une personne").click()
    one.wait_for("Merci")
    assert one.complaints == []
