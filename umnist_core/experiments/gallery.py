"""Examples that show what each model that comes with umnist can do and what it cannot.

``gallery.json`` has them, with the answers that were given when it was made. The sentences hold for
MNIST's digits. ``python -m tests.golden.remake_gallery`` asks the models anew, and a test asks them
whether they still answer so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from umnist_core.datasets.large_scale.ref import AnyRef, any_ref

FILE = "gallery.json"

RIGHT, WRONG, PARTLY, WARNED = "right", "wrong", "partly", "warned"
KINDS = {RIGHT: "Right", WRONG: "Wrong", PARTLY: "Partly right", WARNED: "Warned"}
"""What an example shows: all answers right, the first wrong, others wrong, or a warning."""


@dataclass(frozen=True)
class Example:
    """An image, and what a model makes of it.

    Attributes
    ----------
    model
        Name of its checkpoint.
    ref
        The image.
    kind
        One of `KINDS`.
    sentence
        What it shows, for people, with names of ``facts`` in braces.
    facts
        What was found when it was asked: ``answers`` and ``truth`` by task, ``doubts``, and what
        the sentence tells.
    """

    model: str
    ref: AnyRef
    kind: str
    sentence: str
    facts: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The sentence with its facts."""
        return self.sentence.format(**self.facts)

    @property
    def query(self) -> dict[str, str]:
        """The address of Inference that shows the image, and lets the model answer."""
        return {**self.ref.to_query(), "model": self.model}


def kind_of(facts: Mapping[str, Any]) -> str:
    """Return what answers and warnings show."""
    answers, truth = facts["answers"], facts["truth"]
    rights = [answers[task] == truth[task] for task in answers]
    if not rights[0]:
        return WARNED if facts["doubts"] else WRONG
    if facts["doubts"]:
        return WARNED
    return RIGHT if all(rights) else PARTLY


def describe(task_answers: list[dict[str, Any]], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a prediction; ``result`` is its ``to_dict``."""
    first = task_answers[0]
    found = result.get("found")
    return {
        "answers": {one["name"]: one["answer"] for one in task_answers},
        "truth": {one["name"]: one["truth"] for one in task_answers},
        "doubts": [one["kind"] for one in result.get("doubts") or ()],
        "said": " ".join(map(str, first["answer"])),
        "true": " ".join(map(str, first["truth"] or ())),
        "found": None if found is None else len(found),
    }


@cache
def load_gallery() -> tuple[Example, ...]:
    """Return the examples, in the order in which they are shown."""
    text = files("umnist_core.experiments").joinpath(FILE).read_text("utf-8")
    return tuple(_example(one) for one in json.loads(text)["examples"])


def _example(data: Mapping[str, Any]) -> Example:
    image = data["image"]
    sample = {name: image[name] for name in ("seed", "split", "index")}
    ref = any_ref(image["preset"], image.get("overrides", {}), **sample)
    return Example(data["model"], ref, data["kind"], data["sentence"], data["facts"])
