"""The leak test in a real browser: every byte of a whole session, searched for the truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route

from tests.browser.label_page import ASK_ALL, POOLS, LabelLab
from tests.server.leaks import Received, is_in, secrets_of, texts_of

OpenStudy = Callable[..., LabelLab]


@pytest.mark.parametrize("pool", POOLS)
def test_browser_receives_nothing_of_what_is_in_the_images(
    open_study: OpenStudy, pool: str
) -> None:
    """From the link to the code, zooming in on the way: no seed, glyph, box or id of an image."""
    lab = open_study(repeats=1, **ASK_ALL)
    person = lab.person(pool)
    received: list[Received] = []

    def keep(route: Route) -> None:
        answer = route.fetch()
        received.append(Received(route.request.url, answer.headers, answer.body()))
        route.fulfill(response=answer)

    person.context.route("**/*", keep)
    person.come_to_trials()
    for number in range(1, 5):
        person.wait_for_image(number)
        for _ in range(4):
            person.page.keyboard.press("+")
        person.page.keyboard.press("ArrowRight")
        person.wait_for_drawing()
        person.answer(9)
    person.wait_for_screen("done")
    # What is still being fetched ahead may end after the session, unheard.
    person.context.unroute_all(behavior="ignoreErrors")

    annotator = next(iter(lab.service.state(lab.study).annotators.values()))
    seen = [one.stimulus for one in annotator.answered]
    assert len(set(seen)) == 3
    secrets = secrets_of(lab.service, lab.study, seen)
    kinds = {one.headers.get("content-type", "").split(";")[0] for one in received}
    assert {"image/png", "text/html", "text/javascript", "application/json"} <= kinds
    texts = list(texts_of(one for one in received if not one.address.endswith("/api/practice")))
    assert len(texts) > 300
    for secret in secrets:
        assert not [text for text in texts if is_in(secret, text)], secret
