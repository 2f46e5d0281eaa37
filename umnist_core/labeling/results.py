"""What a study has found, as tidy tables: the input of `umnist_core.scoring`.

Everything here reads the truth, so it is for researchers alone; no route that an annotator
reaches may import it, but for the end of a study of oneself
(`umnist_core.labeling.self_study`). All of it is read from the log, of which people who were
erased are no part any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from umnist_core.labeling import codebook, recompute
from umnist_core.labeling import told_by_browser as browser
from umnist_core.labeling.columns import Column, table_of
from umnist_core.labeling.events import LABEL, REPEAT, Answered, Changed, StudyCreated
from umnist_core.labeling.factors import cell_text
from umnist_core.labeling.judging import Judgement, judge, person_columns, with_judgement
from umnist_core.labeling.log import Event, LogReader
from umnist_core.labeling.people import has_code, is_labelled, outcome_of, phase_of
from umnist_core.labeling.recorded import Response, fields_of
from umnist_core.labeling.refusals import unknown
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.state import Annotator, Assignment, StudyState
from umnist_core.labeling.study_key import KEY_SEQ
from umnist_core.scenes import count_shapes
from umnist_core.scoring import StudyReport, TracePart, add_looks, report
from umnist_core.scoring.effort import digit_efforts

REPORT_SEED = recompute.SEED
"""Seed of the permutations of every report, so that all who compute one get the same."""


def load_answers(service: StudyService, study: str, *, with_surplus: bool = False) -> pd.DataFrame:
    """Return the answers of a study, one row for each image that a person has answered.

    Parameters
    ----------
    service, study
        Where the study is, and its id.
    with_surplus
        Also answers that came late and found no place free; their ``counted`` is False. Scoring
        must not see them.

    Returns
    -------
    DataFrame
        Columns `codebook.ANSWERS`, by person in the order of joining, then by position. Of a
        changed answer the last is ``answer``, and all are in ``answers``.

    Raises
    ------
    NotFoundError
        If there is no such study.
    DamagedFileError
        If the log cannot be folded; `umnist study verify` says more.
    StoreError
        If the store cannot be read.
    """
    return answers_of(FoldedStudy.of(service.log, study), with_surplus=with_surplus)


def load_digits(service: StudyService, study: str, answers: pd.DataFrame) -> pd.DataFrame:
    """Return the digits of answered images, with how large and how long each was on screen.

    Where an answer was changed, the looks before and after count together.

    Parameters
    ----------
    service, study
        As for `load_answers`.
    answers
        Of `load_answers`.

    Returns
    -------
    DataFrame
        Columns of ``codebook.TABLES["digits"]``; no rows where only sums are known.

    Raises
    ------
    NotFoundError, StoreError
        As `load_answers`.
    """
    return digits_of(_truth_of(service.log, study), answers, load_traces(service, study))


def load_traces(service: StudyService, study: str) -> dict[int, list[TracePart]]:
    """Return the viewport trace of every answer.

    Returns
    -------
    dict
        ``seq`` of the answer's event -> parts, as `umnist_core.scoring.looking` has them.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    return traces_of(service.log, study)


def load_report(service: StudyService, study: str) -> StudyReport:
    """Return every figure of a study, as the results page and the export show it.

    Raises
    ------
    NotFoundError, DamagedFileError, StoreError
        As `load_answers`.
    """
    folded = FoldedStudy.of(service.log, study)
    traces = load_traces(service, study)
    answers = answers_of(folded)
    digits = digits_of(folded.truth, answers, traces)
    return report_of(with_judgement(answers, digits, judge(folded, traces)), digits)


def report_of(answers: pd.DataFrame, digits: pd.DataFrame) -> StudyReport:
    """Return every figure of answers and digits, with the permutations that all reports have.

    Answers whose truth is not known have no part in it.
    """
    return report(recompute.scored(answers), digits, rng=np.random.default_rng(REPORT_SEED))


# -- reading ----------------------------------------------------------------------


class FoldedStudy:
    """A study's log, read and folded once, with what is in its images; all tables are of one.

    Parameters
    ----------
    events
        All of them, from the first.
    truth
        Image -> what is in it.

    Attributes
    ----------
    study
        Its id.
    state
        The fold of its events.
    created
        The first event.
    answers
        ``seq`` -> answer, of those that are not erased.

    Raises
    ------
    DamagedFileError
        As `load_answers`.
    """

    def __init__(self, events: Sequence[Event], truth: Mapping[str, Mapping[str, Any]]) -> None:
        self.events = events
        self.truth = truth
        self.study = events[0].study
        self.state = StudyState(events)
        self.created = StudyCreated.read(events[0].payload)
        self.answers: Mapping[int, Answered] = {
            one.seq: Answered.read(one.payload)
            for one in events
            if one.kind in (Answered.event_kind, Changed.event_kind) and one.payload is not None
        }

    @classmethod
    def of(cls, log: LogReader, study: str) -> FoldedStudy:
        """Read a study.

        Raises
        ------
        NotFoundError, DamagedFileError, StoreError
            As `load_answers`.
        """
        events = log.read(study)
        if not events:
            raise unknown(study[:40])
        return cls(events, _truth_of(log, study))


def _truth_of(log: LogReader, study: str) -> dict[str, Mapping[str, Any]]:
    return {name: json.loads(text) for name, text in log.read_truth(study).items()}


def traces_of(log: LogReader, study: str) -> dict[int, list[TracePart]]:
    """Return what `load_traces` returns, of any reader."""
    attachments = ((seq, text) for seq, text in log.iter_attachments(study) if seq != KEY_SEQ)
    return {
        # What a link carried is an object, and no trace.
        seq: json.loads(text)
        for seq, text in attachments
        if text.startswith("[")
    }


def traces_by_label(
    answers: pd.DataFrame, traces: Mapping[int, Sequence[TracePart]]
) -> dict[str, list[TracePart]]:
    """Return ``label_key`` -> parts of all its answers, in order."""
    pairs = zip(answers["label_key"], answers["seqs"], strict=True)
    return {
        key: [part for seq in seqs for part in traces.get(seq, ())]
        for key, seqs in pairs
        if any(traces.get(seq) for seq in seqs)
    }


# -- answers ----------------------------------------------------------------------


def answers_of(folded: FoldedStudy, *, with_surplus: bool = False) -> pd.DataFrame:
    """Return what `load_answers` returns, of a folded study."""
    rows = (
        row
        for person in folded.state.annotators.values()
        for row in _answers_of_person(folded, person)
    )
    kept = (row for row in rows if with_surplus or row["counted"])
    return table_of(_known(folded, codebook.ANSWERS), kept)


def _known(folded: FoldedStudy, columns: Iterable[Column]) -> list[Column]:
    """Return columns of which those may be empty that a study without truth has nothing in."""
    unknown = () if folded.state.spec.has_truth else recompute.UNKNOWN
    return [replace(one, kind=f"{one.kind}?") if one.name in unknown else one for one in columns]


def _answers_of_person(folded: FoldedStudy, person: Annotator) -> Iterator[dict[str, Any]]:
    counted = {one.stimulus for one in person.assignments if is_labelled(one)}
    for one in sorted(person.answered, key=lambda one: one.position):
        is_counted = one.is_counted if one.kind == LABEL else one.stimulus in counted
        first, last = one.given[0], one.given[-1]
        taken = folded.answers[last.seq]
        truth = folded.truth[one.stimulus]
        yield {
            "study": folded.study,
            "label_key": one.id,
            "pool": person.pool,
            "annotator": person.id,
            "origin": person.origin,
            "stimulus": one.stimulus,
            "position": one.position,
            "kind": one.kind,
            "counted": is_counted,
            "answer": last.answer,
            "truth": truth["label"],
            "correct": None if truth["label"] is None else last.answer == truth["label"],
            "first_answer": first.answer,
            "changes": len(one.given) - 1,
            "answers": [given.answer for given in one.given],
            "confidence": last.confidence,
            "digits_reported": None if last.digits is None else list(last.digits),
            "first_response_ms": folded.answers[first.seq].response["response_ms"],
            "assigned_utc": one.assigned_utc,
            "received_utc": last.time_utc,
            "seq": last.seq,
            "seqs": [given.seq for given in one.given],
            "app": taken.app,
            **_response_columns(taken.response),
            **_truth_columns(truth),
            **_canvas_columns(folded, one.stimulus),
        }


def _response_columns(response: Mapping[str, Any]) -> dict[str, Any]:
    values = ((one, response.get(one.name)) for one in fields_of(Response) if one.kind.column)
    device = response["device"]
    return {
        # Of a browser's own words, times alone come into tables: a spreadsheet runs what begins
        # like a formula.
        **{
            one.name: browser.time_at(value) if one.kind.column == "text" else value
            for one, value in values
        },
        "screen_width_px": browser.number_at(device.get("screen"), 0),
        "screen_height_px": browser.number_at(device.get("screen"), 1),
        "window_width_px": browser.number_at(device.get("window"), 0),
        "window_height_px": browser.number_at(device.get("window"), 1),
        "device_px_per_css_px": browser.number_at([device.get("dpr")], 0),
        "touch": browser.yes_or_no(device.get("touch")),
        "theme": browser.word(device.get("theme")),
        "reduced_motion": browser.yes_or_no(device.get("reduced_motion")),
        "drawer": browser.word(device.get("drawer")),
        "user_agent": browser.plain_text(device.get("user_agent")),
    }


def _truth_columns(truth: Mapping[str, Any]) -> dict[str, float | None]:
    digits = truth["digits"]
    return {
        "n_digits": None if digits is None else len(digits),
        "smallest_side_px": None
        if digits is None
        else min((one["side_px"] for one in digits), default=None),
        "ink_share": truth["figures"].get("ink_share"),
    }


def _canvas_columns(folded: FoldedStudy, stimulus: str) -> dict[str, Any]:
    height, width = folded.state.sizes[stimulus]
    cells = folded.created.cells or {}
    spec = folded.state.spec
    cell = cell_text(spec.cells[cells[stimulus]]) if stimulus in cells else None
    return {"cell": cell, "canvas_height_px": height, "canvas_width_px": width}


# -- digits -----------------------------------------------------------------------


def digits_of(
    truth: Mapping[str, Mapping[str, Any]],
    answers: pd.DataFrame,
    traces: Mapping[int, Sequence[TracePart]],
) -> pd.DataFrame:
    """Return what `load_digits` returns, of what is in the images and the traces."""
    names = ["label_key", "pool", "annotator", "stimulus", "kind"]
    rows = (
        {**dict(zip(names, label, strict=True)), **digit}
        for label in answers[names].itertuples(index=False, name=None)
        for digit in _digit_rows(truth[label[3]])
    )
    plain = table_of(codebook.DIGITS, rows)
    looks = add_looks(plain, traces_by_label(answers, traces))
    return looks.assign(effort=digit_efforts(answers, looks))


def _digit_rows(truth: Mapping[str, Any]) -> Iterator[dict[str, float]]:
    for index, one in enumerate(truth["digits"] or ()):
        yield {
            "digit_index": index,
            "digit_class": one["label"],
            "side_px": one["side_px"],
            "row0": one["row"],
            "col0": one["col"],
            "row1": one["row"] + one["side_px"],
            "col1": one["col"] + one["side_px"],
        }


# -- people, images, views --------------------------------------------------------


def annotators_of(folded: FoldedStudy, judgement: Judgement) -> pd.DataFrame:
    """Return the people of a study, columns ``codebook.TABLES["annotators"]``."""
    rows = (
        {**_person_row(folded, one), **person_columns(judgement, one.id)}
        for one in folded.state.annotators.values()
    )
    return table_of(codebook.TABLES["annotators"], rows)


def _person_row(folded: FoldedStudy, person: Annotator) -> dict[str, Any]:
    right = {image.id: image.label for image in folded.state.practice}
    answered = person.answered
    labels = sum(map(is_labelled, answered))
    repeats = sum(one.kind == REPEAT for one in answered)
    times = [given.time_utc for one in answered for given in one.given]
    return {
        "study": folded.study,
        "annotator": person.id,
        "pool": person.pool,
        "joined_utc": person.joined_utc,
        "last_utc": max(times, default=person.joined_utc),
        "origin": person.origin,
        "phase": phase_of(folded.state, person),
        "outcome": outcome_of(folded.state, person),
        "has_code": has_code(folded.state, person),
        "answered": len(answered),
        "labels": labels,
        "repeats": repeats,
        "surplus": len(answered) - labels - repeats,
        "practised": len(person.practised),
        "consent_version": person.asked.consent_version,
        "consent_sha256": _consent_sha256(folded, person),
        "gate_tries": person.asked.gate_tries,
        "breaks": len(person.asked.rests),
        "practised_right": sum(right.get(key) == sum_ for key, sum_ in person.practised.items()),
        "revoked": person.is_revoked,
    }


def _consent_sha256(folded: FoldedStudy, person: Annotator) -> str | None:
    version = person.asked.consent_version
    return folded.state.consents[version - 1].sha256 if version else None


def stimuli_of(folded: FoldedStudy) -> pd.DataFrame:
    """Return the images of a study, columns `codebook.STIMULI`."""
    labels: dict[tuple[str, str], int] = {}
    for one in filter(is_labelled, folded.state.assignments.values()):
        place = (_pool_of(folded, one), one.stimulus)
        labels[place] = labels.get(place, 0) + 1
    rows = (_stimulus_row(folded, name, labels) for name in folded.state.stimuli)
    return table_of(_known(folded, codebook.STIMULI), rows)


def _pool_of(folded: FoldedStudy, one: Assignment) -> str:
    return folded.state.annotators[one.annotator].pool


def _stimulus_row(
    folded: FoldedStudy, name: str, labels: Mapping[tuple[str, str], int]
) -> dict[str, Any]:
    truth = folded.truth[name]
    digits = truth["digits"]
    return {
        "study": folded.study,
        "stimulus": name,
        "truth": truth["label"],
        "digits": None if digits is None else [one["label"] for one in digits],
        **{key: truth["figures"].get(key) for key in ("cells", *count_shapes(()))},
        "file": f"{name}{folded.state.suffixes[name]}",
        "sha256": folded.created.manifest[name],
        "pixels_sha256": truth.get("pixels_sha256"),
        "source": json.dumps(truth["source"]),
        "labels_unguided": labels.get(("unguided", name), 0),
        "labels_guided": labels.get(("guided", name), 0),
        **_truth_columns(truth),
        **_canvas_columns(folded, name),
    }


def views_of(answers: pd.DataFrame, traces: Mapping[int, Sequence[TracePart]]) -> pd.DataFrame:
    """Return the traces of answers with a row for each view, columns `codebook.TRACES`."""
    pairs = zip(answers["label_key"], answers["seqs"], strict=True)
    # Hundreds of views an answer: a table for each part takes far less memory than a row each.
    tables = [
        _views_of_part(key, seq, number, part)
        for key, seqs in pairs
        for seq in seqs
        for number, part in enumerate(traces.get(seq, ()))
        if part["samples"]
    ]
    if not tables:
        return table_of(codebook.TRACES, ())
    return pd.DataFrame(
        {
            one.name: np.concatenate([columns[one.name] for columns in tables])
            for one in codebook.TRACES
        }
    )


def _views_of_part(
    key: str, seq: int, number: int, part: TracePart
) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    names = ("t", "x", "y", "zoom", "w", "h")
    rows = [[sample[name] for name in names] for sample in part["samples"]]  # type: ignore[literal-required]
    t, x, y, zoom, width, height = np.array(rows, dtype=float).T
    count = len(rows)
    return {
        "label_key": np.full(count, key, dtype=object),
        "seq": np.full(count, seq, dtype=np.int64),
        "part": np.full(count, number, dtype=np.int64),
        "t_ms": t,
        "end_ms": np.append(t[1:], float(part["end_ms"])),
        "x_px": x,
        "y_px": y,
        "zoom": zoom,
        "pane_width_px": width,
        "pane_height_px": height,
        "visible": np.array([sample["visible"] for sample in part["samples"]], dtype=bool),
    }
