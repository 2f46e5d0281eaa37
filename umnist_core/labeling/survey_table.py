"""Answers to questions as a table, a row for each person and question, and what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from umnist_core.labeling import codebook
from umnist_core.labeling.asking import Asking, Question, Value
from umnist_core.labeling.columns import table_of
from umnist_core.labeling.state import StudyState


def questions_of(study: str, state: StudyState) -> pd.DataFrame:
    """Return the answers to questions, columns ``codebook.TABLES["questions"]``.

    A question of a page that was sent has a row, also where nobody answered it.
    """
    return table_of(codebook.TABLES["questions"], _rows(study, state))


def asked_rows(asking: Asking) -> list[dict[str, Any]]:
    """Return what is asked, a row for each question, for the codebook."""
    return [
        {"page": name, "title": page.title, "name": one.name, "kind": one.kind, **_said(one)}
        for name, page in asking.pages
        for one in page.questions
    ]


def asked_text(asking: Asking) -> str:
    """Return what is asked as Markdown; nothing where nothing is."""
    rows = asked_rows(asking)
    if not rows:
        return ""
    lines = [
        "",
        "## What was asked",
        "",
        "The values of `question` in the table questions.",
        "",
        "| question | page | kind | required | asked | answers |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (row["name"], row["page"], row["kind"], "yes" if row["required"] else "no")
        words = (row["text"], row["answers"])
        lines.append(f"| {' | '.join((*cells, *map(_cell, words)))} |")
    return "\n".join(lines) + "\n"


def _rows(study: str, state: StudyState) -> Iterator[dict[str, Any]]:
    pages = dict(state.spec.asking.pages)
    for person in state.annotators.values():
        for name, sent in person.asked.pages.items():
            for one in pages[name].questions:
                value: Value | None = sent.answers.get(one.name)
                yield {
                    "study": study,
                    "annotator": person.id,
                    "pool": person.pool,
                    "origin": person.origin,
                    "page": name,
                    "question": one.name,
                    "question_kind": one.kind,
                    "answer": _text(value),
                    "value": float(value) if isinstance(value, int | float) else None,
                    "sent_utc": sent.time_utc,
                    "seq": sent.seq,
                }


def _text(value: Value | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:.12g}"


def _said(one: Question) -> dict[str, Any]:
    answers = {
        "choice": " / ".join(one.options),
        "many": "any of " + " / ".join(one.options),
        "number": one.said_range if one.kind == "number" else "",
        "scale": _scale_words(one) if one.kind == "scale" else "",
        "text": "words",
    }
    return {"text": one.text, "required": one.required, "answers": answers[one.kind]}


def _scale_words(one: Question) -> str:
    ends = ((one.steps[0], one.low_label), (one.steps[-1], one.high_label))
    return " to ".join(f"{step}{f' ({label})' if label else ''}" for step, label in ends)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
