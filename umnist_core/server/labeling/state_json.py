"""What the browser is told, as JSON: where a person stands, and feedback.

Only fields that are named here are ever sent. None of them follows from what is in an
image that still counts; feedback is of practice images alone, and in a study of oneself of
those that have their answer.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from umnist_core import __version__
from umnist_core.labeling.digit_ranges import digit_ranges
from umnist_core.labeling.recorded import SUM_MAX
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.recruiting import site_name
from umnist_core.labeling.self_study import Summary
from umnist_core.labeling.views import AnnotatorView, Feedback, GivenView, TrialView
from umnist_core.pyramid.grid import DEFAULT_OVERLAP_PX, DEFAULT_TILE_PX
from umnist_core.rendering import RENDERER_VERSION
from umnist_core.server.labeling.asked_json import asked_json, debriefing_of
from umnist_core.server.labeling.sessions import Signer
from umnist_core.server.labeling.tiles import GUIDED, SHEET_KEY

IMAGE_PURPOSE = "image address"
"""What `Signer` signs addresses of images for."""


def state_json(
    view: AnnotatorView,
    signer: Signer,
    sheet_size: tuple[int, int] | None,
    summary: Summary | None = None,
) -> dict[str, Any]:
    """Return ``State`` of the interface.

    Parameters
    ----------
    view
        Where the person stands.
    signer
        Signs the addresses of images.
    sheet_size
        (height, width) of the guide's sheet, px; None for people without a guide.
    summary
        What came out of a study of oneself that is over; None of any other.
    """
    spec, progress = view.spec, view.progress
    return {
        "study": {"id": view.study, "name": spec.name},
        "phase": view.phase,
        "outcome": view.outcome,
        "origin": view.origin,
        "self": _self(spec, summary),
        "texts": {
            "consent": spec.consent_text,
            "instructions": spec.instructions_text(view.pool),
            "question": spec.question,
        },
        "guide": _guide(view, signer, sheet_size),
        "ask": _ask(spec),
        "asked": asked_json(view),
        "progress": {
            "done": progress.done,
            "total": progress.total,
            "practice_done": progress.practice_done,
            "practice_total": progress.practice_total,
        },
        "practice": _practice(view, signer),
        "trial": _trial(view, view.trial, signer),
        "next": _trial(view, view.next, signer),
        "previous": _previous(view, view.previous, signer),
        "held": None if view.held is None else asdict(view.held),
        "code": view.code,
        "leave": _leave(view),
        "gate": _gate(spec),
        "link": f"/join/{view.link_token}" if view.link_token else None,
        "pyramid_filter": spec.pyramid_filter,
        "versions": {"app": __version__, "study": view.study, "renderer": RENDERER_VERSION},
    }


def _ask(spec: StudySpec) -> dict[str, Any]:
    return {
        "confidence": spec.ask_confidence,
        "digits": spec.ask_digits,
        "boxes": spec.ask_boxes,
        "change": spec.allow_change,
        "required": {
            "confidence": spec.asking.require_confidence,
            "digits": spec.asking.require_digits,
        },
        "practised": spec.asking.practise_asked,
        "min": 0,
        "max": SUM_MAX,
    }


def feedback_json(feedback: Feedback) -> dict[str, Any]:
    """Return what is told of an answer; boxes in canvas px, x to the right, y down.

    Where the pool is told no more than whether it is right, nothing else is in it.
    """
    if feedback.image is None:
        return {"correct": feedback.is_correct}
    return {
        "answer": feedback.answer,
        "sum": feedback.image.label,
        "correct": feedback.is_correct,
        "digits": [
            {
                "label": digit["label"],
                "box": {
                    "x": digit["col"],
                    "y": digit["row"],
                    "width": digit["side_px"],
                    "height": digit["side_px"],
                },
                "side": digit["side_px"],
            }
            for digit in feedback.image.digits
        ],
    }


def warm_keys(view: AnnotatorView) -> list[str]:
    """Return the keys of the images that will be asked for next, soonest first."""
    named = (view.trial, view.practice, view.next)
    return [one.key for one in named if one is not None]


def _self(spec: StudySpec, summary: Summary | None) -> dict[str, Any] | None:
    if not spec.is_self:
        return None
    return {"feedback": spec.trial_feedback, "summary": summary and asdict(summary)}


def _leave(view: AnnotatorView) -> dict[str, Any] | None:
    """Return where somebody is sent whose part is over; None for nowhere."""
    recruiting = view.spec.recruiting
    if recruiting is None or view.redirect is None:
        return None
    site = site_name(view.redirect)
    # Whoever is sent away by itself would not have read what the study was about.
    countdown_s = 0 if debriefing_of(view) else recruiting.countdown_s
    return {"to": view.redirect, "site": site, "countdown_s": countdown_s}


def _gate(spec: StudySpec) -> dict[str, Any] | None:
    gate = None if spec.recruiting is None else spec.recruiting.gate
    return None if gate is None else asdict(gate)


def _guide(
    view: AnnotatorView, signer: Signer, sheet_size: tuple[int, int] | None
) -> dict[str, Any] | None:
    if view.pool != GUIDED or sheet_size is None:
        return None
    sizes_px, counts = digit_ranges(view.spec, view.sides_px) or (None, None)
    return {
        "sizes_px": sizes_px,
        "image_px": view.sides_px[1],
        "digit_counts": counts,
        "sheet": _image(view, SHEET_KEY, sheet_size, signer),
    }


def _practice(view: AnnotatorView, signer: Signer) -> dict[str, Any] | None:
    one = view.practice
    if one is None:
        return None
    image = _image(view, one.key, view.sizes[one.key], signer)
    return {"id": one.key, "number": one.number, "image": image}


def _trial(view: AnnotatorView, one: TrialView | None, signer: Signer) -> dict[str, Any] | None:
    if one is None:
        return None
    image = _image(view, one.key, view.sizes[one.key], signer)
    return {"assignment": one.key, "number": one.number, "image": image}


def _previous(view: AnnotatorView, one: GivenView | None, signer: Signer) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "assignment": one.key,
        "number": one.number,
        "answer": one.answer,
        "confidence": one.confidence,
        "digits": None if one.digits is None else list(one.digits),
        "boxes": None if one.boxes is None else list(one.boxes),
        "changes_left": one.changes_left,
        "image": _image(view, one.key, view.sizes[one.key], signer),
    }


def _image(view: AnnotatorView, key: str, size: tuple[int, int], signer: Signer) -> dict[str, Any]:
    signature = signer.sign(IMAGE_PURPOSE, view.study, view.annotator, key)
    height, width = size
    return {
        "dzi": f"/label/{view.study}/tiles/{key}.{signature}.dzi",
        "width": width,
        "height": height,
        "tiles": {"tileSize": DEFAULT_TILE_PX, "overlap": DEFAULT_OVERLAP_PX, "format": "png"},
    }
