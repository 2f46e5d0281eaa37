"""Many simulated people at once, each on the way that a person takes through a study."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from umnist_core.errors import RefusedError
from umnist_core.labeling.events import SIMULATED
from umnist_core.labeling.service import StudyService
from umnist_core.simulation.asking import device_for, step_beside
from umnist_core.simulation.client import Client, Tally
from umnist_core.simulation.people import (
    GUIDED,
    Crowd,
    Person,
    Reply,
    Skill,
    draw_people,
    reply_to,
)
from umnist_core.simulation.traces import Shown, tiles_of_view, warm_tiles
from umnist_core.simulation.truth import DigitTruth, ImageTruth, read_images

_LAST_PHASE = "done"
_PAUSED_S = 1.0
_HELD_S = 0.1
_GUESS_SIDE_PX = (14.0, 600.0)


class Mind(Protocol):
    """Where answers come from.

    Attributes
    ----------
    gate
        What is chosen of each question on the instructions; the first option where it is empty.
    """

    gate: Sequence[str]

    async def reply(self, person: Person, pool: str, shown: Shown) -> Reply:
        """Return what a person answers to an image."""


class Knowing:
    """Answers of known skill, from the truth that the store keeps.

    Parameters
    ----------
    service
        The same store as the server's; which image an assignment shows is read there.
    study
        Id of the study.
    crowd
        What people are like.

    Raises
    ------
    NotFoundError
        If there is no such study.
    """

    def __init__(self, service: StudyService, study: str, crowd: Crowd) -> None:
        self._service = service
        self._study = study
        self.images = read_images(service, study)
        counted = {name: self.images[name] for name in service.state(study).stimuli}
        self.skill = Skill(crowd, counted)
        gate = service.state(study).spec.asking.gate
        self.gate: Sequence[str] = [one.right for one in gate.questions] if gate else []
        self._threads = ThreadPoolExecutor(1, "umnist-simulation")

    async def reply(self, person: Person, pool: str, shown: Shown) -> Reply:
        """Return what a person answers to an image."""
        name = shown.key
        if name not in self.images:
            loop = asyncio.get_running_loop()
            name = await loop.run_in_executor(self._threads, self._image_of, shown.key)
        probability = self.skill.probability(person.ability, pool, name)
        rng = person.rng(int(name != shown.key), shown.number)
        return reply_to(person, self.images[name], probability, self.skill.crowd, rng=rng)

    def _image_of(self, assignment: str) -> str:
        return self._service.state(self._study).assignments[assignment].stimulus


class Guessing:
    """Answers to images that nobody knows; for load, where only the way of answering matters."""

    def __init__(self, crowd: Crowd | None = None) -> None:
        self._crowd = crowd or Crowd()
        self.gate: Sequence[str] = ()

    async def reply(self, person: Person, pool: str, shown: Shown) -> Reply:
        """Return an answer for digits at random places."""
        rng = person.rng(2, shown.number)
        digits = []
        for _ in range(int(rng.integers(3, 6))):
            side = float(np.exp(rng.uniform(*np.log(_GUESS_SIDE_PX))))
            row, col = rng.uniform(0, max(1.0, min(shown.height, shown.width) - side), 2)
            digits.append(DigitTruth(int(rng.integers(0, 6)), float(row), float(col), side))
        label = sum(one.label for one in digits)
        image = ImageTruth(label, tuple(digits), shown.height, shown.width)
        return reply_to(person, image, self._crowd.accuracy, self._crowd, rng=rng)


@dataclass(frozen=True)
class Pace:
    """How fast people are.

    Attributes
    ----------
    think_s
        Mean time that a person takes for an image; each draws about as much. What is reported
        as response time is drawn from people's and not from this.
    start_s
        People come in one by one over this time.
    fetches_tiles
        Whether to fetch what a viewer would.
    images_max
        A person who has answered so many leaves, with the next image open; None for nobody.
    """

    think_s: float = 0.0
    start_s: float = 0.0
    fetches_tiles: bool = True
    images_max: int | None = None


@dataclass
class Run:
    """One run of many people.

    Attributes
    ----------
    origin
        Of the server.
    mind
        Where answers come from.
    pace
        How fast people are.
    ids
        Parameters that a recruiting site puts into the link; each person has values of their own.
    tally
        What it has come to; may be read while it runs.
    is_over
        Once it is set, everybody leaves after the answer that they are at.
    at_work
        People who are on their way and do not wait for an image. Once there are none, nobody
        who waits can get one, and all leave.
    """

    origin: str
    mind: Mind
    pace: Pace = field(default_factory=Pace)
    ids: Sequence[str] = ()
    tally: Tally = field(default_factory=Tally)
    is_over: bool = False
    at_work: int = 0

    async def everybody(self, people: Sequence[Person], tokens: Sequence[str]) -> None:
        """Let everybody take part, each by a link, until all are done.

        Raises
        ------
        NetworkError
            If the server does not answer for long.
        RefusedError
            If it will not have what the interface allows.
        """
        certificates = ssl.create_default_context()
        self.at_work = len(people)
        async with asyncio.TaskGroup() as group:
            for person, token in zip(people, tokens, strict=True):
                client = Client(self.origin, person.number, self.tally, certificates)
                late_s = self.pace.start_s * person.number / max(1, len(people))
                group.create_task(self._somebody(client, person, token, late_s))

    async def _somebody(self, client: Client, person: Person, token: str, late_s: float) -> None:
        try:
            await asyncio.sleep(late_s)
            async with client:
                ids = {name: f"simulated-{person.number}-{name}" for name in self.ids}
                state = await client.join(token, ids)
                answered = 0
                while state["phase"] != _LAST_PHASE and not self.is_over:
                    if answered == self.pace.images_max:
                        return
                    if state["phase"] == "held":
                        state = await self._wait(client)
                        if state["phase"] == "held":
                            return
                        continue
                    answered += state["phase"] == "trial"
                    state = await self._step(client, person, state)
        finally:
            self.at_work -= 1

    async def _wait(self, client: Client) -> dict[str, Any]:
        """Look again until there is an image, or nobody is at work who could leave one."""
        self.at_work -= 1
        try:
            while True:
                is_last = self.at_work == 0 or self.is_over
                await asyncio.sleep(_HELD_S)
                state = await client.state()
                if is_last or state["phase"] != "held":
                    return state
        finally:
            self.at_work += 1

    async def _step(self, client: Client, person: Person, state: dict[str, Any]) -> dict[str, Any]:
        """Do what the page asks for and return the state after it."""
        match state["phase"]:
            case "consent":
                device = device_for(state["gate"], is_touch=person.pane.is_touch)
                return await client.consent(state["asked"]["consent"]["version"], device)
            case "instructions":
                return await client.begin()
            case "questions" | "gate" | "break":
                return await step_beside(client, state, self.mind.gate, person.rng(4, 0))
            case "practice":
                one = state["practice"]
                reply = await self._look(client, person, state, one["id"], one)
                return _state_after(await client.practise(one["id"], reply, state["ask"]))
            case "trial":
                return await self._trial(client, person, state)
            case _:  # paused
                await asyncio.sleep(_PAUSED_S)
                return await client.state()

    async def _trial(self, client: Client, person: Person, state: dict[str, Any]) -> dict[str, Any]:
        one = state["trial"]
        reply = await self._look(client, person, state, one["assignment"], one)
        try:
            return await client.answer(one["assignment"], reply, ask=state["ask"])
        except RefusedError as error:
            if error.code != "already_answered":
                raise
            return await client.state()

    async def _look(
        self, client: Client, person: Person, state: dict[str, Any], key: str, one: dict[str, Any]
    ) -> Reply:
        """Look at an image as a person does: view after view, with the next image warmed."""
        image = one["image"]
        shown = _shown(key, one)
        pool = GUIDED if state["guide"] else "unguided"
        reply = await self.mind.reply(person, pool, shown)
        pause_s = self._pause_s(person, shown.number) / len(reply.views)
        for number, view in enumerate(reply.views):
            if self.pace.fetches_tiles:
                await client.fetch(image, tiles_of_view(view, shown, person.pane))
                if number == 0 and (ahead := state["next"]):
                    client.warm(ahead["image"], warm_tiles(_shown("", ahead), person.pane))
            await asyncio.sleep(pause_s)
        return reply

    def _pause_s(self, person: Person, number: int) -> float:
        return self.pace.think_s * float(person.rng(3, number).gamma(4, 0.25))


def run_people(
    run: Run,
    people: Sequence[Person],
    tokens: Sequence[str],
    on_progress: Callable[[Tally], None] | None = None,
) -> Tally:
    """Let people take part; returns when all are done.

    Runs in a thread of its own, as its caller may have an event loop.

    Raises
    ------
    NetworkError, RefusedError
        As `Run.everybody`; the first of several.
    """

    async def watched() -> None:
        async def watch() -> None:
            while on_progress is not None:
                on_progress(run.tally)
                await asyncio.sleep(0.25)

        watching = asyncio.create_task(watch())
        try:
            await run.everybody(people, tokens)
        except* Exception as group:
            raise _first(group) from None
        finally:
            watching.cancel()

    with ThreadPoolExecutor(1, "umnist-people") as thread:
        thread.submit(asyncio.run, watched()).result()
    return run.tally


def invite_people(
    service: StudyService, study: str, count: int, crowd: Crowd, seed: int
) -> tuple[list[Person], list[str]]:
    """Draw people and make a link for each, by which their data are marked as simulated.

    Raises
    ------
    NotFoundError, RefusedError, StoreError
        As `StudyService.invite`.
    """
    rows = service.invite(study, count, origin=SIMULATED)
    tokens = [row.token for row in rows if row.token is not None]
    return draw_people(count, crowd, seed), tokens


def _shown(key: str, one: dict[str, Any]) -> Shown:
    return Shown(key, one["number"], one["image"]["height"], one["image"]["width"])


def _state_after(said: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = said["state"]
    return state


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Exception)
    return error
