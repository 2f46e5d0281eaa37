"""Studies with answers, made by driving the service as people do, at random."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.labeling.making import new_key, small_spec
from umnist_core.labeling import AnswerPost, StudyService
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.sql import open_log

PATIENCE_S = 120


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def open_lab(folder: Path) -> StudyService:
    """Return the service that an app with ``UMNIST_LABELING`` at a folder has too."""
    folder.mkdir(parents=True, exist_ok=True)
    return StudyService(open_log(f"sqlite:///{folder.absolute() / 'umnist.sqlite'}"), folder)


def make_study(service: StudyService, people: int = 0, *, seed: int = 3, **changes: Any) -> str:
    """Make a small study and let people answer all their images, about a third of them right."""
    study = create_study(service, small_spec(**changes), jobs=1)
    drive(service, study, people, np.random.default_rng(seed))
    return study


def drive(service: StudyService, study: str, people: int, rng: np.random.Generator) -> None:
    """Let people join by one open link, practise, and answer what they are shown."""
    if not people:
        return
    token = service.open_link(study).token
    assert token is not None
    truth = {name: json.loads(text) for name, text in service.log.read_truth(study).items()}
    for _ in range(people):
        annotator = service.join(token).annotator
        service.consent(study, annotator, new_key())
        service.begin(study, annotator, new_key())
        for image in service.state(study).practice:
            service.practise(study, annotator, new_key(), image.id, image.label)
        skill = rng.normal(0.35, 0.1)
        while (view := service.annotator_view(study, annotator)).trial is not None:
            image_id = service.state(study).assignments[view.trial.key].stimulus
            height, width = view.sizes[view.trial.key]
            is_right = rng.random() < skill
            body = _answer(truth[image_id], (height, width), is_right, rng)
            post = {"key": new_key(), "assignment": view.trial.key, **body}
            service.answer(study, annotator, AnswerPost.from_dict(post))


def _answer(
    truth: dict[str, Any], size: tuple[int, int], is_right: bool, rng: np.random.Generator
) -> dict[str, Any]:
    answer = truth["label"] if is_right else (truth["label"] + 1 + int(rng.integers(26))) % 28
    digits = truth["digits"] or []
    # Who is wrong has missed the first digit, and never had it on screen.
    seen = digits if is_right else digits[1:]
    whole = {"x": size[1] / 2, "y": size[0] / 2, "zoom": 0.05, "w": 900, "h": 700}
    views = [whole, *(_close_view(digit) for digit in seen)]
    samples = [{**view, "t": 800.0 * place, "visible": True} for place, view in enumerate(views)]
    end_ms = 800.0 * len(views)
    response = {
        "response_ms": end_ms,
        "active_ms": 0.8 * end_ms,
        "idle_ms": 0.2 * end_ms,
        "hidden_ms": 0,
        "first_drawn_ms": 200,
        "parts": [{"samples": samples, "end_ms": end_ms}],
        "device": {"screen": [1400, 900], "dpr": 1, "touch": False},
    }
    return {"answer": int(answer), "confidence": int(rng.integers(101)), "response": response}


def _close_view(digit: dict[str, Any]) -> dict[str, float]:
    side = digit["side_px"]
    zoom = 40 / side
    # A pane so small that no other digit is half in view.
    middle = {"x": digit["col"] + side / 2, "y": digit["row"] + side / 2}
    return {**middle, "zoom": zoom, "w": 50, "h": 50}


def values_of(figure: Any) -> Sequence[Any]:
    """Return the values of all traces of a plotly figure, as lists."""
    return [list(trace.y if trace.y is not None else trace.x) for trace in figure.data]
