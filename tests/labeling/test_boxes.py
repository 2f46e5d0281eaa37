"""Boxes that people draw around digits: what is taken, what is kept, and what comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.labeling.making import come_in, new_key, open_small, post, small_spec
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.boxes import MOST_BOXES
from umnist_core.labeling.events import Answered, Practised
from umnist_core.labeling.export import read_tables
from umnist_core.labeling.language import shipped
from umnist_core.labeling.results import load_report

Box = dict[str, Any]
ALL: dict[str, Any] = {"ask_boxes": True, "allow_change": True, "practice": 1}


def box(label: int = 7, **sides: float) -> Box:
    """Return a box as the page sends it."""
    return {"label": label, **{"x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0, **sides}}


def practised(service: StudyService, study: str, boxes: list[Box]) -> str:
    """Let somebody join and practise with boxes; return who it is."""
    token = service.invite(study)[0].token
    assert token is not None
    me = service.join(token).annotator
    service.consent(study, me, new_key())
    service.begin(study, me, new_key())
    (image,) = service.state(study).practice
    answer = sum(one["label"] for one in boxes)
    service.practise(study, me, new_key(), image.id, answer, boxes=boxes)
    return me


def trial_of(service: StudyService, study: str, me: str) -> str:
    """Return the key of somebody's open image."""
    trial = service.annotator_view(study, me).trial
    assert trial is not None
    return trial.key


def payloads(service: StudyService, study: str, kind: str) -> list[Any]:
    """Return what was logged of a kind of event."""
    return [one.payload for one in service.log.read(study) if one.kind == kind]


def test_boxes_are_logged_to_a_tenth_and_shown_for_a_change(tmp_path: Path) -> None:
    """Their labels are the digits that were seen; the last answer opens with its boxes."""
    service, study = open_small(tmp_path, **ALL)
    me = practised(service, study, [box(3)])
    assert payloads(service, study, Practised.event_kind)[0]["boxes"] == [box(3)]
    drawn = [box(9, x=1.234567), box(9), box(9), box(9)]
    service.answer(study, me, post(trial_of(service, study, me), 36, boxes=drawn))
    (kept,) = payloads(service, study, Answered.event_kind)
    assert kept["boxes"] == [box(9, x=1.2), box(9), box(9), box(9)]
    assert (kept["answer"], kept["digits"]) == (36, [9, 9, 9, 9])
    previous = service.annotator_view(study, me).previous
    assert previous is not None
    assert previous.boxes is not None
    assert [dict(one) for one in previous.boxes] == kept["boxes"]


def test_no_box_says_that_there_is_no_digit(tmp_path: Path) -> None:
    """An empty list is an answer, 0; none at all is refused."""
    service, study = open_small(tmp_path, **ALL)
    me = practised(service, study, [])
    key = trial_of(service, study, me)
    with pytest.raises(InvalidValueError, match="asks for a box around each digit"):
        service.answer(study, me, post(key, 0))
    service.answer(study, me, post(key, 0, boxes=[]))
    (kept,) = payloads(service, study, Answered.event_kind)
    assert (kept["answer"], kept["boxes"], kept["digits"]) == (0, [], [])


@pytest.mark.parametrize(
    ("boxes", "answer", "said"),
    [
        ("none", 0, "at most 100 boxes"),
        ([box()] * (MOST_BOXES + 1), 707, "at most 100 boxes"),
        (["a box"], 0, "Box 1 is label, x, y, width and height"),
        ([box(), {**box(), "label": None}], 7, "label of box 2 is a digit"),
        ([{**box(), "label": True}], 1, "label of box 1 is a digit"),
        ([box(10)], 10, "label of box 1 is a digit"),
        ([{**box(), "x": "1"}], 7, "x of box 1 is a number"),
        ([{**box(), "y": float("nan")}], 7, "y of box 1 is a number"),
        ([box(width=0.9)], 7, "at least 1 px wide and high"),
        ([box(x=-0.1)], 7, "within its image of 512 by 512"),
        ([box(x=482.1)], 7, "within its image of 512 by 512"),
        ([box(y=472.1)], 7, "within its image of 512 by 512"),
        ([box(), box(2)], 8, "sum of the boxes' labels, 9; got 8"),
    ],
)
def test_what_is_no_box_is_refused_in_a_sentence(
    tmp_path: Path, boxes: Any, answer: int, said: str
) -> None:
    """Nothing of it is kept, of a trial or of practice."""
    service, study = open_small(tmp_path, **ALL)
    me = practised(service, study, [])
    before = len(service.log.read(study))
    with pytest.raises(InvalidValueError, match=said):
        service.answer(study, me, post(trial_of(service, study, me), answer, boxes=boxes))
    assert not payloads(service, study, Answered.event_kind)
    assert len(service.log.read(study)) - before <= 2  # images were reserved


def test_box_may_be_the_whole_image(tmp_path: Path) -> None:
    """Its edges are the image's own."""
    service, study = open_small(tmp_path, **ALL)
    me = practised(service, study, [])
    whole = box(5, x=0, y=0, width=512, height=512)
    service.answer(study, me, post(trial_of(service, study, me), 5, boxes=[whole]))
    assert payloads(service, study, Answered.event_kind)[0]["boxes"] == [whole]


def test_study_without_boxes_is_logged_as_before(tmp_path: Path) -> None:
    """No field more, in settings or events; boxes that come all the same are refused."""
    service, study = open_small(tmp_path)
    me = come_in(service, study)
    key = trial_of(service, study, me)
    with pytest.raises(InvalidValueError, match="asks for no boxes"):
        service.answer(study, me, post(key, 7, boxes=[box()]))
    with pytest.raises(InvalidValueError, match="from 0 to 27"):
        service.answer(study, me, post(key, 28))
    service.answer(study, me, post(key, 7))
    assert "boxes" not in json.dumps([one.payload for one in service.log.read(study)])
    say = shipped("en").say
    assert small_spec().question == say("text.question")
    assert small_spec(ask_boxes=True).question == say("text.box_question")


def test_settings_say_it_in_the_instructions(tmp_path: Path) -> None:
    """People are told how their sum comes about; digits are not asked for twice."""
    spec = small_spec(ask_boxes=True)
    assert spec.instructions_text("guided").endswith(shipped("en").say("text.box_instructions"))
    assert StudySpec.from_dict(spec.to_dict()) == spec
    for changes, said in (
        ({"ask_boxes": "yes"}, "true or false"),
        ({"ask_boxes": True, "ask_digits": True}, "not both set"),
    ):
        with pytest.raises(InvalidValueError, match=said):
            small_spec(**changes)


def test_boxes_are_a_table_and_sums_beyond_27_break_no_figure(tmp_path: Path) -> None:
    """A row for each box of the last answer, edges as of digits."""
    service, study = open_small(tmp_path, **ALL)
    me = practised(service, study, [])
    key = trial_of(service, study, me)
    service.answer(study, me, post(key, 7, boxes=[box()]))
    service.answer(study, me, post(key, 36, boxes=[box(9, x=0.1, width=2.2)] * 4))
    tables = read_tables(service.log, study)
    rows = tables["boxes"]
    assert list(rows["box_index"]) == [0, 1, 2, 3]
    assert set(rows["label_key"]) == {key}
    edges = [0, 9, 20.0, 0.1, 60.0, 2.3]
    assert (
        rows.iloc[0][["box_index", "box_label", "row0", "col0", "row1", "col1"]].to_list() == edges
    )
    assert tables["answers"].iloc[0]["digits_reported"] == [9, 9, 9, 9]
    assert load_report(service, study).to_dict()["tables"] is not None
