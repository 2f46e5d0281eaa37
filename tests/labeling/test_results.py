"""The tidy tables: each answer once, with what is true, what was measured and what was seen."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.labeling.making import Clock, answer_all, come_in, new_key, open_small, post
from umnist_core.errors import NotFoundError
from umnist_core.labeling import AnswerPost, StudyService, recorded
from umnist_core.labeling.codebook import ANSWERS, TABLES, codebook, codebook_text
from umnist_core.labeling.export import read_tables
from umnist_core.labeling.results import (
    load_answers,
    load_digits,
    load_report,
    load_traces,
)


def _truths(service: StudyService, study: str) -> dict[str, dict[str, object]]:
    return {name: json.loads(text) for name, text in service.log.read_truth(study).items()}


def test_each_answer_is_one_row_with_its_truth(tmp_path: Path) -> None:
    """Pool, person, image, place and sum are those of the log; correct is answer equals truth."""
    service, study = open_small(tmp_path)
    people = [come_in(service, study, pool) for pool in ("unguided", "guided")]
    truth = _truths(service, study)
    sent = []
    for place, me in enumerate(people):
        while (trial := service.annotator_view(study, me).trial) is not None:
            one = service.state(study).assignments[trial.key]
            right = int(str(truth[one.stimulus]["label"]))
            answer = right if place else (right + 1) % 28
            service.answer(study, me, post(trial.key, answer))
            sent.append((one.id, me, one.stimulus, one.position, answer, right, place == 1))
    found = load_answers(service, study)
    names = ["label_key", "annotator", "stimulus", "position", "answer", "truth", "correct"]
    assert [tuple(row) for row in found[names].itertuples(index=False)] == sent
    assert dict(zip(found["annotator"], found["pool"], strict=True)) == {
        people[0]: "unguided",
        people[1]: "guided",
    }
    assert found["counted"].all()
    assert found["kind"].eq("label").all()


def test_what_the_browser_measured_is_kept(tmp_path: Path) -> None:
    """Times, confidence, digits and device, in the columns that the codebook explains."""
    service, study = open_small(tmp_path, ask_confidence=True, ask_digits=True)
    me = come_in(service, study)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    body = {
        "key": new_key(),
        "assignment": trial.key,
        "answer": 12,
        "confidence": 70,
        "digits": [9, 3],
        "response": {
            "response_ms": 900.5,
            "active_ms": 700,
            "idle_ms": 150.5,
            "hidden_ms": 50,
            "first_drawn_ms": 80,
            "edits": 2,
            "queued_ms": 30,
            "submitted_utc": "2026-01-01T00:00:01.000Z",
            "device": {
                "screen": [1400, 900],
                "window": [1200, 800],
                "dpr": 2,
                "touch": True,
                "theme": "dark",
                "user_agent": "=HYPERLINK(1)\tBrowser",
            },
        },
    }
    service.answer(study, me, AnswerPost.from_dict(body))
    row = load_answers(service, study).iloc[0]
    due = {
        **{"response_ms": 900.5, "active_ms": 700, "idle_ms": 150.5, "hidden_ms": 50},
        **{"first_drawn_ms": 80, "edits": 2, "queued_ms": 30, "confidence": 70},
        **{"screen_width_px": 1400, "screen_height_px": 900, "window_width_px": 1200},
        **{"device_px_per_css_px": 2, "touch": "yes", "theme": "dark", "digits_reported": [9, 3]},
        "submitted_utc": "2026-01-01T00:00:01.000Z",
        "user_agent": "HYPERLINK(1) Browser",
    }
    assert {name: row[name] for name in due} == due


@pytest.mark.parametrize(
    "device",
    [
        {"screen": ["=1+1", 10**400], "window": "wide", "dpr": 1e300, "touch": "=1"},
        {"theme": "=cmd()", "drawer": "@SUM(1)", "user_agent": "@\t=+", "reduced_motion": []},
    ],
)
def test_a_device_that_is_nonsense_leaves_cells_empty(
    tmp_path: Path, device: dict[str, object]
) -> None:
    """A browser may send anything; nothing breaks, and no cell begins like a formula."""
    service, study = open_small(tmp_path)
    me = come_in(service, study)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    body = {"key": new_key(), "assignment": trial.key, "answer": 1}
    response = {"device": device, "submitted_utc": "=1+1"}
    service.answer(study, me, AnswerPost.from_dict({**body, "response": response}))
    row = load_answers(service, study).iloc[0]
    names = ["screen_width_px", "screen_height_px", "window_width_px", "device_px_per_css_px"]
    names += ["touch", "theme", "drawer", "user_agent", "submitted_utc"]
    assert row[names].isna().all()


def test_of_a_changed_answer_the_last_counts_and_all_are_kept(tmp_path: Path) -> None:
    """And what was on screen before the change counts as seen too."""
    service, study = open_small(tmp_path, allow_change=True)
    me = come_in(service, study)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    service.answer(study, me, post(trial.key, 5))
    once = load_digits(service, study, load_answers(service, study))
    view = {"t": 0, "x": 256, "y": 256, "zoom": 1.5, "w": 700, "h": 500}
    later = {"parts": [{"samples": [view], "end_ms": 1000}]}
    service.answer(study, me, post(trial.key, 6, response=later))
    found = load_answers(service, study)
    row = found.iloc[0]
    assert (len(found), row["answer"], row["first_answer"], row["changes"]) == (1, 6, 5, 1)
    assert row["answers"] == [5, 6]
    assert sorted(load_traces(service, study)) == row["seqs"]
    twice = load_digits(service, study, found)
    assert once["dwell_ms"].max() == 5000
    assert twice["dwell_ms"].tolist() == (once["dwell_ms"] * 1.2).tolist()


def test_surplus_answers_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    """One that came after its place had gone to somebody else is kept, and not counted."""
    clock = Clock()
    service, study = open_small(
        tmp_path,
        now=clock,
        stimuli=1,
        images_per_annotator=1,
        pools=("unguided",),
        lease_minutes=10,
    )
    slow, quick = come_in(service, study), come_in(service, study)
    trial = service.annotator_view(study, slow).trial
    assert trial is not None
    clock.pass_(minutes=11)
    answer_all(service, study, quick)
    service.answer(study, slow, post(trial.key, 4))
    assert load_answers(service, study)["annotator"].tolist() == [quick]
    whole = load_answers(service, study, with_surplus=True)
    assert dict(zip(whole["annotator"], whole["counted"], strict=True)) == {
        slow: False,
        quick: True,
    }
    assert load_report(service, study).pools[0].labels == 1


def test_repeats_are_marked_and_are_no_labels(tmp_path: Path) -> None:
    """They serve self-consistency alone."""
    service, study = open_small(tmp_path, images_per_annotator=3, repeats=2)
    answer_all(service, study, come_in(service, study, "guided"))
    found = load_answers(service, study)
    assert Counter(found["kind"]) == {"label": 3, "repeat": 2}
    assert found["counted"].all()
    figures = load_report(service, study)
    assert figures.pools[1].labels == 3
    assert figures.tables["self_consistency"].query("pool == 'guided'")["pairs"].item() == 2


def test_erased_person_is_in_no_table(tmp_path: Path) -> None:
    """Nothing of the person is left but the tombstone in the log."""
    service, study = open_small(tmp_path)
    gone, stays = come_in(service, study), come_in(service, study)
    for one in (gone, stays):
        answer_all(service, study, one)
    service.erase(study, gone)
    with service.log.snapshot() as log:
        tables = read_tables(log, study)
    assert set(tables["answers"]["annotator"]) == {stays}
    assert tables["annotators"]["annotator"].tolist() == [stays]
    assert not any(gone in frame.to_csv() for frame in tables.values())


def test_digits_are_those_of_the_truth_with_their_boxes(tmp_path: Path) -> None:
    """And their size on screen is side times zoom, for those in view."""
    service, study = open_small(tmp_path)
    answer_all(service, study, come_in(service, study))
    answers = load_answers(service, study)
    digits = load_digits(service, study, answers)
    truth = _truths(service, study)
    for answer in answers.itertuples():
        own = digits[digits["label_key"] == answer.label_key]
        due = truth[str(answer.stimulus)]["digits"]
        assert isinstance(due, list)
        assert own["digit_class"].tolist() == [one["label"] for one in due]
        boxes = own[["row0", "col0", "row1", "col1"]].to_numpy().tolist()
        assert boxes == [
            [one["row"], one["col"], one["row"] + one["side_px"], one["col"] + one["side_px"]]
            for one in due
        ]
        assert answer.n_digits == len(due)
        assert answer.smallest_side_px == min(one["side_px"] for one in due)
    seen = digits[digits["largest_screen_px"] > 0]
    assert len(seen) > 0
    assert seen["largest_screen_px"].tolist() == (1.5 * seen["side_px"]).tolist()


def test_study_of_a_folder_has_no_digits_and_the_rest_works(tmp_path: Path) -> None:
    """Only sums are known: no boxes, no reasons, but accuracy."""
    folder = tmp_path / "kaggle"
    (folder / "train").mkdir(parents=True)
    rng = np.random.default_rng(3)
    lines = ["id,digit_sum"]
    for number in range(4):
        image = rng.integers(0, 256, (90, 120), np.uint8)
        cv2.imwrite(str(folder / "train" / f"image{number}.jpeg"), image)
        lines.append(f"image{number},9")
    (folder / "train.csv").write_text("\n".join(lines))
    service, study = open_small(
        tmp_path / "lab", folder=str(folder), stimuli=3, images_per_annotator=3
    )
    answer_all(service, study, come_in(service, study, "unguided"))
    answers = load_answers(service, study)
    assert answers["correct"].all()
    assert answers[["n_digits", "smallest_side_px", "ink_share"]].isna().all(axis=None)
    digits = load_digits(service, study, answers)
    assert (len(digits), list(digits)) == (0, [one.name for one in TABLES["digits"]])
    assert load_report(service, study).pools[0].accuracy.estimate == 1


def test_empty_study_has_empty_tables_of_the_right_kinds(tmp_path: Path) -> None:
    """So that nothing has to ask whether there are answers yet."""
    service, study = open_small(tmp_path)
    answers = load_answers(service, study)
    assert (len(answers), list(answers)) == (0, [one.name for one in ANSWERS])
    kinds = {name: str(answers[name].dtype) for name in ("response_ms", "counted", "seq", "pool")}
    assert list(kinds.values()) == ["float64", "bool", "int64", "object"]
    assert load_report(service, study).pools[0].labels == 0


def test_report_is_the_same_each_time(tmp_path: Path) -> None:
    """The permutations are drawn from one seed."""
    service, study = open_small(tmp_path, images_per_annotator=2)
    for number in range(6):
        me = come_in(service, study)
        while (trial := service.annotator_view(study, me).trial) is not None:
            service.answer(study, me, post(trial.key, number))
    assert load_report(service, study).to_json() == load_report(service, study).to_json()


def test_unknown_study_is_said(tmp_path: Path) -> None:
    """In one sentence."""
    service, _ = open_small(tmp_path)
    with pytest.raises(NotFoundError, match="no study nowhere"):
        load_answers(service, "nowhere")


def test_codebook_explains_every_column_of_every_table(tmp_path: Path) -> None:
    """Each column has an entry, in order, and no entry lacks its column."""
    service, study = open_small(tmp_path)
    answer_all(service, study, come_in(service, study))
    with service.log.snapshot() as log:
        tables = read_tables(log, study)
    book = codebook()
    assert {name: list(frame) for name, frame in tables.items()} == {
        name: [one["name"] for one in entry["columns"]] for name, entry in book.items()
    }
    for name, entry in book.items():
        for one in entry["columns"]:
            assert len(one["meaning"]) > 10, (name, one["name"])
            assert f"| {one['name']} | {one['kind']} | {one['meaning']} |" in codebook_text()
            if one["name"].endswith("_ms"):
                assert "ms" in one["meaning"]
            if one["name"].endswith("_px"):
                assert "px" in one["meaning"]


def test_codebook_says_what_the_records_say() -> None:
    """A field that the browser measures is described once, where it is recorded."""
    explained = recorded.explained()
    meanings = {one.name: one.meaning for one in ANSWERS}
    names = {"response_ms", "active_ms", "idle_ms", "hidden_ms", "first_drawn_ms", "queued_ms"}
    for name in names | {"edits", "submitted_utc", "confidence"}:
        assert meanings[name] == explained[name]


def test_views_hold_the_trace(tmp_path: Path) -> None:
    """One row for each sample, that ends where the next begins, or with its part."""
    service, study = open_small(tmp_path)
    me = come_in(service, study)
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    view = {"x": 1, "y": 2, "zoom": 0.5, "w": 700, "h": 500}
    parts = [
        {"samples": [{"t": 0, **view}, {"t": 40, **view, "visible": False}], "end_ms": 100},
        {"samples": [{"t": 0, **view}], "end_ms": 7},
    ]
    body = {"key": new_key(), "assignment": trial.key, "answer": 1, "response": {"parts": parts}}
    service.answer(study, me, AnswerPost.from_dict(body))
    with service.log.snapshot() as log:
        views: pd.DataFrame = read_tables(log, study)["traces"]
    assert views[["part", "t_ms", "end_ms", "visible"]].to_numpy().tolist() == [
        [0, 0.0, 40.0, True],
        [0, 40.0, 100.0, False],
        [1, 0.0, 7.0, True],
    ]
