"""How tests take part in a study: a real server that can be made to fail, and a browser."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.browser.conftest import DESK, PATIENCE_S, PHONE, wait_until
from tests.labeling.making import TOLD
from tests.server.serving import serve
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.server.labeling import create_label_app

SIDE_PX = 2048
"""Side of the images: large enough to be zoomed into, small enough to be made quickly."""

POOLS = ("unguided", "guided")

TOUCH: dict[str, Any] = {"size": PHONE, "has_touch": True, "is_mobile": True}
"""A phone, as settings of `LabelLab.person`."""

ASK_ALL = {"ask_confidence": True, "ask_digits": True, "allow_change": True}


def label_spec(**changes: Any) -> StudySpec:
    """Return the settings of a study of few images of `SIDE_PX`."""
    few: dict[str, Any] = {
        "name": "Digits in large images",
        "overrides": {"canvas": str(SIDE_PX), "factor": "0.5..16"},
        "stimuli": 4,
        "images_per_annotator": 3,
        "practice": 1,
        "labels_per_image": 2,
        **TOLD,
    }
    return StudySpec(**{**few, **changes})


@dataclass
class Trouble:
    """What the server does badly, by how an address ends; and what was posted to it.

    Attributes
    ----------
    refused
        Answered with this status and body, and never looked at.
    unheard
        Done as asked, but the reply is lost and 500 comes instead.
    portals
        Answered with a page of somebody else's, as a network does that wants a login.
    delays_s
        Late by this.
    posts
        (path, body) of every post, in order.
    """

    refused: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    unheard: set[str] = field(default_factory=set)
    portals: set[str] = field(default_factory=set)
    delays_s: dict[str, float] = field(default_factory=dict)
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answers(self) -> list[dict[str, Any]]:
        """Return the bodies of all answers that were posted."""
        return [body for path, body in self.posts if path.endswith("/answers")]


class Troubled:
    """An ASGI application around another, which does what `Trouble` says."""

    def __init__(self, app: ASGIApp, trouble: Trouble) -> None:
        self.app = app
        self.trouble = trouble

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = str(scope.get("path", ""))
        trouble = self.trouble
        if scope.get("method") == "POST":
            receive = await self._heard(path, receive)
        for end, delay_s in tuple(trouble.delays_s.items()):
            if path.endswith(end):
                await asyncio.sleep(delay_s)
        if found := _ending(path, trouble.refused):
            status, body = trouble.refused[found]
            await JSONResponse(body, status)(scope, receive, send)
        elif _ending(path, trouble.portals):
            await HTMLResponse("<h1>Welcome to the hotel</h1>")(scope, receive, send)
        elif _ending(path, trouble.unheard):
            await self.app(scope, receive, _nowhere)
            await JSONResponse({"error": "The reply was lost."}, 500)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _heard(self, path: str, receive: Receive) -> Receive:
        """Keep the body of a post, and return what gives it to the application again."""
        parts = [await receive()]
        while parts[-1].get("more_body"):
            parts.append(await receive())
        body = b"".join(part.get("body", b"") for part in parts)
        self.trouble.posts.append((path, json.loads(body)))
        left = iter(parts)

        async def again() -> Message:
            return next(left, None) or await receive()

        return again


def _ending(path: str, ends: Any) -> str | None:
    return next((end for end in tuple(ends) if path.endswith(end)), None)


async def _nowhere(_message: Message) -> None:
    pass


@dataclass
class LabelLab:
    """A running label server with one study, and the people in it.

    Attributes
    ----------
    service, study
        The study behind it.
    url
        Of the server.
    trouble
        What it does badly.
    """

    browser: Browser
    service: StudyService
    study: str
    url: str
    trouble: Trouble
    people: ExitStack

    def token(self, pool: str = "unguided") -> str:
        """Return a new personal link's token; in a study of oneself, that of its one link."""
        is_self = self.service.state(self.study).spec.is_self
        rows = self.service.invites(self.study) if is_self else []
        token = (rows or self.service.invite(self.study, pool=pool))[0].token
        assert token is not None
        return token

    def person(
        self,
        pool: str = "unguided",
        *,
        size: tuple[int, int] = DESK,
        before: str | None = None,
        **context: Any,
    ) -> Annotator:
        """Return somebody with a browser of their own and a personal link.

        ``before`` is a script that runs before the page's own.
        """
        return self.people.enter_context(_annotator(self, self.token(pool), size, before, context))

    def given(self) -> list[int]:
        """Return the answers that count, in the order in which they were given."""
        state = self.service.state(self.study)
        answers = [one for assignment in state.assignments.values() for one in assignment.given]
        return [one.answer for one in sorted(answers, key=lambda one: one.seq)]


@contextmanager
def label_lab(browser: Browser, folder: Path, /, **changes: Any) -> Iterator[LabelLab]:
    """Yield a running label server with a new study."""
    service = StudyService(MemoryLog(), folder)
    study = create_study(service, label_spec(**changes), jobs=1)
    trouble = Trouble()
    with serve(Troubled(create_label_app(service), trouble)) as url, ExitStack() as people:
        yield LabelLab(browser, service, study, url, trouble, people)


@contextmanager
def _annotator(
    lab: LabelLab, token: str, size: tuple[int, int], before: str | None, context: dict[str, Any]
) -> Iterator[Annotator]:
    opened = lab.browser.new_context(
        **{"viewport": {"width": size[0], "height": size[1]}, **context}
    )
    opened.set_default_timeout(1000 * PATIENCE_S)
    if before:
        opened.add_init_script(before)
    person = Annotator(lab, token, opened)
    yield person
    opened.close()
    foreign = [url for url in person.requests if not url.startswith((lab.url, "data:", "blob:"))]
    assert foreign == [], "Everything comes from the study's own server."
    assert person.complaints == []


class Annotator:
    """Somebody who takes part, with a browser of their own.

    When the test ends, nothing may have been complained of in the console, but that a
    request failed, which the page itself tells of.
    """

    def __init__(self, lab: LabelLab, token: str, context: BrowserContext) -> None:
        self.lab = lab
        self.token = token
        self.context = context
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = self.new_tab()

    def new_tab(self) -> Page:
        """Open another tab of the same browser."""
        page = self.context.new_page()
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    # -- the way ------------------------------------------------------------------------

    def open_link(self) -> None:
        """Open the invite link and take part."""
        self.page.goto(f"{self.lab.url}/join/{self.token}")
        self.press_button("Take part")

    def come_to_trials(self, page: Page | None = None) -> None:
        """Join, agree, and skip what the study has of practice."""
        self.open_link()
        self.press_button("I agree and take part")
        self.press_button(re.compile("^Begin"))
        while self.screen_after("instructions") == "practice":
            self.wait_for_drawing()
            self.type("9")
            self.page.keyboard.press("Enter")
            self.press_button("Next")
            self.page.wait_for_selector(".feedback", state="hidden")
        self.wait_for_image(1)

    def press_button(self, name: str | re.Pattern[str]) -> None:
        """Click a button by its name."""
        exact = isinstance(name, str)
        self.page.get_by_role("button", name=name, exact=exact).click()

    def send_now(self, *troubles: dict[str, Any] | set[str]) -> None:
        """End some troubles and click "Send now", which is offered as long as they last.

        What waits is tried again by itself too, and the button may be gone by then.
        """
        button = self.page.get_by_role("button", name="Send now", exact=True)
        button.wait_for()
        for trouble in troubles:
            trouble.clear()
        button.evaluate_all("(found) => found.forEach((one) => one.click())")

    def answer(self, number: int) -> None:
        """Type a number and submit it."""
        self.type(str(number))
        self.page.keyboard.press("Enter")

    def type(self, text: str) -> None:
        """Press keys one after another, wherever the focus is."""
        for key in text:
            self.page.keyboard.press(key)

    # -- what is seen -------------------------------------------------------------------

    @property
    def screen(self) -> str:
        """Name of the screen that is shown."""
        return str(self.page.locator("#app").get_attribute("data-screen"))

    def screen_after(self, name: str) -> str:
        """Return the screen that follows another, once it is there."""
        wait_until(lambda: self.screen != name, f"The screen is still {name}.")
        return self.screen

    def wait_for_screen(self, name: str) -> None:
        """Wait for a screen."""
        self.page.wait_for_selector(f"#app[data-screen={name}]")

    def wait_for_image(self, number: int) -> None:
        """Wait until a trial's image is fully drawn and its answer empty."""
        self.wait_for_screen("trial")
        self.page.locator(".count", has_text=re.compile(f"^{number} of ")).wait_for()
        self.wait_for_drawing()

    def wait_for_drawing(self) -> None:
        """Wait until the image that is named is the one that is drawn, and can be answered."""
        self.page.wait_for_selector("[data-drawn=true] .umnist-viewer.ready")

    def chosen(self) -> str:
        """Return the number that stands beside Submit."""
        return self.page.locator(".chosen").inner_text()

    def saving(self) -> str:
        """Return what the header says of the answer."""
        return self.page.locator(".saving").inner_text()

    def notices(self) -> str:
        """Return what is said above the image."""
        return self.page.locator(".notices").inner_text()

    def wait_for_notice(self, text: str) -> None:
        """Wait until something is said above the image."""
        self.page.locator(".notices", has_text=text).wait_for()

    def wait_until_sent(self) -> None:
        """Wait until it is no longer said above the image that an answer waits."""
        told = "An answer is still not sent."
        wait_until(lambda: "not sent yet" not in self.notices(), told)

    def button(self, name: str) -> Locator:
        """Return a button by its name."""
        return self.page.get_by_role("button", name=name, exact=True)
