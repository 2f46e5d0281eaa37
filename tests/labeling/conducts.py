"""People of known conduct, honest or not, as the events and traces that they leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from umnist_core.digits.stand_in import load_stand_in
from umnist_core.labeling import StudySpec
from umnist_core.labeling.conduct import Conduct, ConductFold, Look, Showing
from umnist_core.labeling.events import LABEL, Answered, StudyCreated
from umnist_core.labeling.log import Event
from umnist_core.scenes.ref import SceneRef
from umnist_core.simulation.people import Crowd, Person, Skill, draw_people, reply_to
from umnist_core.simulation.truth import DigitTruth, ImageTruth

EACH = 10
"""Images that each person answers."""

IMAGES = 60

Deed = Callable[[dict[str, Any], np.random.Generator], dict[str, Any]]
"""From an honest answer, ``answer`` and ``response``, to what somebody sends instead."""


@cache
def images() -> Mapping[str, ImageTruth]:
    """Return images as the preset of the paper's study draws them, planned and not painted."""
    glyphs = load_stand_in()
    found = {}
    for index in range(IMAGES):
        scene = SceneRef.of("released", seed=5, index=index).plan(glyphs)
        digits = tuple(DigitTruth(one.label, one.row, one.col, one.side_px) for one in scene.digits)
        found[f"image{index}"] = ImageTruth(scene.label, digits, scene.height, scene.width)
    return found


def honest(body: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Send what was seen."""
    return body


def conducts(people: int, deed: Deed = honest, *, seed: int = 1) -> list[Conduct]:
    """Return how people work of whom all do one thing, `EACH` images a person."""
    crowd, known = Crowd(), images()
    skill = Skill(crowd, known)
    found = []
    for person in draw_people(people, crowd, seed):
        found.append(_conduct(person, skill, known, deed))
    return found


def _conduct(person: Person, skill: Skill, known: Mapping[str, ImageTruth], deed: Deed) -> Conduct:
    fold = ConductFold([_created(known)])
    traces: dict[int, Any] = {}
    order = person.rng(0).permutation(len(known))[:EACH]
    for place, name in enumerate([f"image{index}" for index in order], 1):
        rng = person.rng(1, place)
        chance = skill.probability(person.ability, "unguided", name)
        reply = reply_to(person, known[name], chance, skill.crowd, rng=rng)
        body = deed({"answer": reply.answer, "response": reply.response}, rng)
        traces[place + 1] = body["response"].pop("parts")
        fold.take([_answered(place, name, body)])
    return fold.conduct("p", lambda one: _look(fold, one, traces[one.seqs[0]]))


def _look(fold: ConductFold, showing: Showing, parts: Any) -> Look:
    return fold.look(showing, parts)


def _created(known: Mapping[str, ImageTruth]) -> Event:
    fact = StudyCreated(
        spec=StudySpec(name="Conduct", stimuli=IMAGES, images_per_annotator=EACH).to_dict(),
        stimuli=list(known),
        practice=[],
        sizes={name: (one.height, one.width) for name, one in known.items()},
        suffixes={},
        manifest={},
        versions={},
        glyphs={},
    )
    return _event(1, fact.event_kind, fact.payload())


def _answered(place: int, name: str, body: Mapping[str, Any]) -> Event:
    fact = Answered(
        key=f"key-{place:05}",
        assignment=f"a{place}",
        annotator="p",
        pool="unguided",
        stimulus=name,
        position=place,
        kind=LABEL,
        slot=0,
        counted=True,
        answer=body["answer"],
        confidence=None,
        digits=None,
        response=body["response"],
        app="test",
    )
    return _event(place + 1, fact.event_kind, fact.payload())


def _event(seq: int, kind: str, payload: Mapping[str, Any]) -> Event:
    return Event(
        study="s",
        seq=seq,
        time_utc="2026-01-01T00:00:00+00:00",
        kind=kind,
        subject=None if seq == 1 else "p",
        payload=payload,
        payload_hash="",
        attachment_hash=None,
        previous_hash="",
        hash="",
    )
