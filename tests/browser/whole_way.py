"""A study on its way from plan to replication: what its steps are handed, and how they ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.strangers import people_by_id
from umnist_core.cli.study import study_group
from umnist_core.labeling import StudyService
from umnist_core.simulation.people import Crowd, Person, Reply
from umnist_core.simulation.run import Knowing
from umnist_core.simulation.traces import Shown

CROWD = Crowd(accuracy=0.6, phones=0)
CODES = {"complete": "C1DONE", "quota_full": "Q1FULL", "screened_out": "S0RRY", "withdrawn": "W1"}
GATE = ("the sum", "no")
NINE = 9


@dataclass(frozen=True)
class Size:
    """How large the study is; half of the people come by browser.

    Attributes
    ----------
    people, images
        People of both pools together, and images for each of them.
    look_s
        How long honest people in browsers look; a person is too fast below nine tenths of it.
    again
        People of the replication.
    gap_s, think_s, patience_s
        Time between two people with browsers who come, time at an image of people without, and
        how long a browser may take: 20 of them share few cores.
    options
        Of `umnist study create`.
    """

    people: int
    images: int
    look_s: float
    again: int
    options: tuple[str, ...] = ()
    gap_s: float = 0.0
    think_s: float = 0.0
    patience_s: float = 120.0

    @property
    def labels(self) -> int:
        """Answers that the study wants."""
        return self.people * self.images


SMALL = Size(8, 6, 1.5, 4, ("--set", "canvas=1024", "--set", "factor=0.5..4"))
FULL = Size(40, 25, 5.6, 8, gap_s=4.0, think_s=12.0, patience_s=400.0)


@dataclass
class Site:
    """Where people are sent back to, and the codes and ids with which they came."""

    came: list[tuple[str, str]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        """What serves it."""

        def complete(request: Request) -> HTMLResponse:
            self.came.append((request.query_params["cc"], request.query_params["who"]))
            return HTMLResponse("<!doctype html><title>Site</title><p>Thank you for coming back")

        return Starlette(routes=[Route("/complete", complete)])


class Knows(Knowing):
    """As people in browsers do, whose agent is a browser; the careless do not look."""

    hurry_ms: float = 0.0
    hurried: frozenset[int] = frozenset()
    constant: frozenset[int] = frozenset()

    async def reply(self, person: Person, pool: str, shown: Shown) -> Reply:
        """Return what a person answers; some always the same, some after a glance."""
        reply = await super().reply(person, pool, shown)
        device = {**reply.response["device"], "user_agent": "Mozilla/5.0"}
        response = {**reply.response, "device": device}
        if person.number in self.constant:
            return replace(reply, answer=NINE, response=response)
        if person.number in self.hurried:
            end_ms = float(person.rng(9, shown.number).uniform(0.3, 0.9)) * self.hurry_ms
            first = response["parts"][0]["samples"][:1]
            response |= {"response_ms": end_ms, "active_ms": end_ms, "idle_ms": 0}
            response |= {"parts": [{"samples": first, "end_ms": end_ms}]}
        return replace(reply, response=response)


@dataclass
class Way:
    """What is handed from step to step.

    Attributes
    ----------
    size, folder, service, address, site, came
        Of the study, its store, the app, and whom it sends people back to.
    study
        Its id.
    given
        Assignment -> the answer that somebody was told is saved.
    screens
        Id -> screens that somebody in a browser saw.
    careless
        Ids of people who do not work as they should.
    erased
        Id of the site and person, of who was erased.
    """

    size: Size
    folder: Path
    service: StudyService
    address: str
    site: str
    came: Site
    study: str = ""
    given: dict[str, int] = field(default_factory=dict)
    screens: dict[str, list[str]] = field(default_factory=dict)
    careless: set[str] = field(default_factory=set)
    erased: tuple[str, str] = ("", "")

    def umnist(self, *words: str) -> str:
        """Run ``umnist study`` and return what it says."""
        found = CliRunner().invoke(study_group, words)
        assert found.exit_code == 0, f"{words}: {found.output}{found.exception}"
        return found.stdout

    def says(self, *words: str) -> Any:
        """Run ``umnist study`` and return the JSON that it says."""
        return json.loads(self.umnist(*words, "--json").strip().splitlines()[-1])

    def mind(self) -> Knows:
        """Return where answers come from; it is for one thread alone."""
        return Knows(self.service, self.study, CROWD)

    @property
    def people(self) -> Mapping[str, str]:
        """Id of the site -> person."""
        return people_by_id(self.service, self.study)

    def truth(self) -> dict[str, int]:
        """Return image -> sum."""
        rows = self.service.log.read_truth(self.study)
        return {name: json.loads(text)["label"] for name, text in rows.items()}

    def right_of(self) -> dict[str, list[bool]]:
        """Return person -> whether each label is right, counted from what they were told."""
        state, truth = self.service.state(self.study), self.truth()
        found: dict[str, list[bool]] = {one: [] for one in state.annotators}
        for key, answer in self.given.items():
            if key in state.assignments:
                one = state.assignments[key]
                found[one.annotator].append(answer == truth[one.stimulus])
        return found
