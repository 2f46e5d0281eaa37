"""What the browser is told of what is asked beside images, as JSON.

The right answers to questions on the instructions are never among it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from umnist_core.labeling.asking import Page
from umnist_core.labeling.state import SCREENED_OUT
from umnist_core.labeling.views import AnnotatorView


def asked_json(view: AnnotatorView) -> dict[str, Any]:
    """Return ``asked`` of the interface's ``State``."""
    asked = view.asked
    return {
        "page": _open_page(view),
        "gate": _gate(view),
        "rest": {"every": view.spec.asking.break_every, "left_s": asked.rest_left_s},
        "consent": {"version": asked.consent_version, "is_amended": asked.agreed_version > 0},
        "leave": {"withdraw": asked.can_withdraw, "erase": asked.can_erase},
        "debriefing": debriefing_of(view),
    }


def debriefing_of(view: AnnotatorView) -> str | None:
    """Return what people read at the end; None before, and for somebody who was not let in."""
    if view.phase != "done" or view.outcome == SCREENED_OUT:
        return None
    return view.spec.asking.debriefing.strip() or None


def _open_page(view: AnnotatorView) -> dict[str, Any] | None:
    if view.asked.page is None:
        return None
    pages = dict(view.spec.asking.pages)
    part = view.asked.page.partition("-")[0]
    of_part = [name for name in pages if name.startswith(part)]
    return {
        "id": view.asked.page,
        "number": of_part.index(view.asked.page) + 1,
        "total": len(of_part),
        **_page_json(pages[view.asked.page]),
    }


def _page_json(page: Page) -> dict[str, Any]:
    questions = []
    for one in page.questions:
        is_scale = one.kind == "scale"
        bounds = {"low": one.steps[0], "high": one.steps[-1]} if is_scale else {}
        questions.append({**asdict(one), "options": list(one.options), **bounds})
    return {"title": page.title, "text": page.text, "questions": questions}


def _gate(view: AnnotatorView) -> dict[str, Any] | None:
    gate = view.spec.asking.gate
    if gate is None or view.phase not in ("instructions", "gate"):
        return None
    return {
        "questions": [{"text": one.text, "options": list(one.options)} for one in gate.questions],
        "tries_left": gate.tries - view.asked.gate_tries,
        "wrong": [gate.questions[place].text for place in view.asked.gate_wrong],
    }
