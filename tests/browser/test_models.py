"""Models in a real browser: cards fit any screen, and lead to the model at work."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE

PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)


def open_models(page: Page, app: str) -> None:
    """Open the page and wait until its last model has been drawn."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{app}/models")
    page.get_by_role("heading", name="ResNet-50").wait_for()


def test_nothing_is_wider_than_a_desk_or_a_phone(browser: Browser, app: str) -> None:
    """Neither bars nor commands have to be scrolled sideways."""
    for width, height in (DESK, PHONE):
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        open_models(page, app)
        assert (
            page.evaluate(
                "[...document.querySelectorAll('.st-key-models *')]"
                ".filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length"
            )
            == 0
        )
        context.close()


def test_card_leads_to_its_model_at_work(page: Page, app: str) -> None:
    """Also when another model was looked at before."""
    for name in ("digit-finder", "additive-pyramid"):
        open_models(page, app) if name == "digit-finder" else page.get_by_role(
            "link", name="Models", exact=True
        ).click()
        card = page.locator(f".st-key-card_{name}")
        card.get_by_role("link", name="Watch it look").click()
        page.wait_for_url(f"**/inference?*model={name}*")
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value(name)
