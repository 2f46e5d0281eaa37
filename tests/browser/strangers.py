"""Many people with real browsers of their own at once, who do at each screen what it asks for."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.async_api import Browser, Page, async_playwright

from tests.browser.conftest import DESK, PATIENCE_S, PHONE
from umnist_core.bench.browser import CHROMIUM_ARGUMENTS
from umnist_core.labeling import StudyService
from umnist_core.simulation.people import Person
from umnist_core.simulation.run import Knowing
from umnist_core.simulation.traces import Shown

if TYPE_CHECKING:
    from umnist_core.labeling.state import Assignment

LOOKS = 5
"""Times that somebody presses + before they answer."""


@dataclass(frozen=True)
class Stranger:
    """Somebody with a browser.

    Attributes
    ----------
    person
        What they know.
    pid
        The id that their link carries.
    look_s
        How long they look at each image, once it is drawn.
    always
        The answer to every image; what they know when None. Who answers so never zooms.
    stops_after
        Images after which they stop taking part.
    has_phone
        Whether their screen is a phone's.
    """

    person: Person
    pid: str
    look_s: float
    always: int | None = None
    stops_after: int | None = None
    has_phone: bool = False


@dataclass
class Crowded:
    """Strangers in one study, and what they did.

    Attributes
    ----------
    link
        The open link of the study.
    service, study
        The same store as the server's, in which it is looked up what somebody is shown.
    mind
        Where answers come from.
    gate
        What is chosen of each question on the instructions.
    expected
        People who have joined before anybody stops, so that all had the same pools to come to. Who
        cannot take part comes last of them, and leaves no pool uneven.
    gap_s
        Time from one coming to the next.
    patience_s
        How long anything may take with so many browsers on one machine.
    given
        Assignment -> answer that was typed.
    screens
        Id -> screens, each time one was there.
    complaints
        Of all consoles.
    """

    link: str
    service: StudyService
    study: str
    mind: Knowing
    gate: Sequence[str]
    expected: int
    gap_s: float = 0.0
    patience_s: float = PATIENCE_S
    given: dict[str, int] = field(default_factory=dict)
    screens: dict[str, list[str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def run(self, strangers: Sequence[Stranger]) -> None:
        """Let all take part at once, each in a context of their own."""
        asyncio.run(self._all(strangers))

    async def _all(self, strangers: Sequence[Stranger]) -> None:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
            )
            async with asyncio.TaskGroup() as group:
                for place, one in enumerate(strangers):
                    if place:
                        await asyncio.sleep(self.gap_s)
                    group.create_task(self._somebody(chromium, one))
            await chromium.close()

    async def _somebody(self, chromium: Browser, one: Stranger) -> None:
        width, height = PHONE if one.has_phone else DESK
        size: Any = {"width": width, "height": height}
        context = await chromium.new_context(
            viewport=size, screen=size, has_touch=one.has_phone, is_mobile=one.has_phone
        )
        context.set_default_timeout(1000 * self.patience_s)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{one.pid}: {error}"))
        await page.goto(f"{self.link}?PROLIFIC_PID={one.pid}&STUDY_ID=st&SESSION_ID=se-{one.pid}")
        assert "PROLIFIC" not in page.url, "No id stays in the address."
        if one.has_phone:
            await self._until_joined(self.expected - 1)
        await _press(page, "Take part")
        seen = self.screens.setdefault(one.pid, [])
        while not seen or seen[-1] != "done":
            screen = await _screen(page)
            if await self._do(page, one, screen):
                seen.append(screen)
        await _press(page, re.compile("^Back to "))
        await page.get_by_text("Thank you for coming back").wait_for()
        await context.close()

    async def _do(self, page: Page, one: Stranger, screen: str) -> bool:
        """Do what a screen asks for, wait until another has come, and return whether it was done.

        An image is left undone that goes before it is answered: a break may be due before it, and
        where the answer before was long on its way, the page hears of that late.
        """
        match screen:
            case "device":
                await _press(page, "I have no such device: end here")
            case "consent":
                await _press(page, "I agree and take part")
            case "questions":
                await page.get_by_label("left", exact=True).check()
                await _press(page, "Send and go on")
            case "instructions":
                await _press(page, re.compile("^(Begin|Go on to)"))
            case "gate":
                for chosen in self.gate:
                    await page.get_by_label(chosen, exact=True).check()
                await _press(page, "Check my answers")
            case "practice":
                await _drawn(page)
                await _type(page, 9)
                await _press(page, "Next")
            case "trial":
                return await self._answer(page, one)
            case "break":
                await _press(page, "Go on")
            case _:
                assert screen == "done", f"{one.pid} came to {screen}."
                return True
        if screen == "practice":
            await page.locator(".feedback").wait_for(state="hidden")
        else:
            await page.wait_for_selector(f"#app:not([data-screen={screen}])")
        return True

    async def _answer(self, page: Page, one: Stranger) -> bool:
        await page.wait_for_selector(f"{_DRAWN}, #app:not([data-screen=trial])")
        if await _screen(page) != "trial":
            return False
        said = await page.locator(".count").inner_text()
        open_now = self._open_image(one.pid)
        if one.stops_after == len(self._mine(one.pid)):
            await self._stop(page)
            return True
        if one.always is None:
            for _ in range(LOOKS):
                await page.keyboard.press("+")
            await asyncio.sleep(one.look_s)
        answer = await self._answer_to(one, open_now)
        if await _screen(page) != "trial" or await page.locator(".count").inner_text() != said:
            return False
        await _type(page, answer)
        while not self.service.state(self.study).assignments[open_now.id].given:
            await asyncio.sleep(0.2)
        await page.wait_for_function(
            "(said) => document.getElementById('app').dataset.screen !== 'trial' ||"
            " document.querySelector('.count')?.innerText !== said",
            arg=said,
        )
        self.given[open_now.id] = answer
        return True

    async def _answer_to(self, one: Stranger, image: Assignment) -> int:
        if one.always is not None:
            return one.always
        state = self.service.state(self.study)
        height, width = state.sizes[image.stimulus]
        pool = state.annotators[image.annotator].pool
        shown = Shown(image.id, image.position, height, width)
        return (await self.mind.reply(one.person, pool, shown)).answer

    async def _until_joined(self, people: int) -> None:
        while len(self.service.state(self.study).annotators) < people:
            await asyncio.sleep(0.2)

    async def _stop(self, page: Page) -> None:
        await self._until_joined(self.expected)
        await page.keyboard.press("p")
        await _press(page, "Stop taking part")
        await _press(page, "Stop for good")
        await page.wait_for_selector("#app[data-screen=done]")

    def _mine(self, pid: str) -> list[Assignment]:
        people = people_by_id(self.service, self.study)
        return self.service.state(self.study).annotators[people[pid]].answered

    def _open_image(self, pid: str) -> Assignment:
        """Return the first image that is open at somebody, which is the one that is shown."""
        me = self.service.state(self.study).annotators[people_by_id(self.service, self.study)[pid]]
        return min((one for one in me.assignments if one.is_open), key=lambda one: one.position)


def people_by_id(service: StudyService, study: str) -> Mapping[str, str]:
    """Return id of the site -> person."""
    people = tuple(service.state(study).annotators)  # others join meanwhile
    return {service.ids(study, one).get("PROLIFIC_PID", ""): one for one in people}


async def _press(page: Page, name: str | re.Pattern[str]) -> None:
    await page.get_by_role("button", name=name, exact=isinstance(name, str)).click()


async def _type(page: Page, answer: int) -> None:
    for key in str(answer):
        await page.keyboard.press(key)
    await page.keyboard.press("Enter")


_DRAWN = "[data-drawn=true] .umnist-viewer.ready"


async def _drawn(page: Page) -> None:
    await page.wait_for_selector(_DRAWN)


async def _screen(page: Page) -> str:
    # An answer that is long on its way, or an image that somebody else has, is waited for.
    others = "".join(f":not([data-screen={one}])" for one in ("join", "waiting", "held"))
    await page.wait_for_selector(f"#app[data-screen]{others}")
    return str(await page.locator("#app").get_attribute("data-screen"))
