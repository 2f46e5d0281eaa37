"""Browsers that refuse cookies, storage or locks: what works goes on, and the rest is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.label_page import LabelLab
from tests.browser.refusing import refusing_browser
from tests.labeling.making import SMALL

OpenStudy = Callable[..., LabelLab]

NO_LOCKS = """
LockManager.prototype.request = () => Promise.reject(new DOMException("refused", "SecurityError"));
"""

NO_CHANNELS = """
globalThis.BroadcastChannel = class {
  constructor() { throw new DOMException("refused", "SecurityError"); }
};
"""

NO_STORAGE = """
for (const name of ["localStorage", "indexedDB"]) {
  Object.defineProperty(globalThis, name, {
    get() { throw new DOMException("refused", "SecurityError"); },
  });
}
"""


def test_browser_without_cookies_says_so_before_anybody_agrees(
    browser: Browser, open_study: OpenStudy, tmp_path: Path
) -> None:
    """And not that the link is wrong, or that another tab has the study."""
    lab = open_study(practice=0, overrides=SMALL)
    with refusing_browser(browser, tmp_path) as page:
        page.goto(f"{lab.url}/join/{lab.service.open_link(lab.study).token}")
        page.get_by_role("button", name="Take part").click()
        said = page.get_by_text("This browser refused the cookie")
        expect(said).to_contain_text("open your link in another browser")
        assert lab.service.state(lab.study).annotators == {}
        page.goto(f"{lab.url}/label/{lab.study}")  # by hand, as somebody may
        expect(page.get_by_text("This browser is not known in this study")).to_be_visible()
        assert not page.get_by_text("another tab").is_visible()


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (NO_LOCKS, ""),
        (NO_LOCKS + NO_CHANNELS, "have this study open in one tab alone"),
        (NO_STORAGE, "This browser refuses to keep anything for this page"),
    ],
    ids=["locks", "locks and channels", "storage"],
)
def test_answers_are_given_whatever_the_browser_refuses(
    open_study: OpenStudy, refused: str, said: str
) -> None:
    """With a sentence where something follows for the person, and none where nothing does."""
    lab = open_study(practice=0, overrides=SMALL)
    person = lab.person(before=refused)
    person.come_to_trials()
    assert (said in person.notices()) if said else (person.notices() == "")
    person.answer(7)
    person.wait_for_image(2)
    assert lab.given() == [7]


def test_tabs_tell_each_other_where_locks_are_refused(open_study: OpenStudy) -> None:
    """One works, the other offers to take over."""
    lab = open_study(practice=0, overrides=SMALL)
    person = lab.person(before=NO_LOCKS)
    person.come_to_trials()
    other = person.new_tab()
    other.goto(person.page.url)
    other.get_by_text("open in another tab").wait_for()
    other.get_by_role("button", name="Go on here").click()
    person.page.get_by_text("continued in another tab").wait_for()
    other.wait_for_selector("[data-drawn=true]")
