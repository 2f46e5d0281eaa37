"""The form of model-vs-human: read, written, and back again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.experiments.people.making import IMAGES, model_of, small_study
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.experiments.people import (
    Trial,
    people_of_tables,
    read_trials,
    trial_files,
    trials_of_models,
    trials_of_people,
    trials_text,
)
from umnist_core.experiments.people.trials import COLUMNS, marks_of_trials
from umnist_core.scoring.agreement import kappa_matrix

PEOPLE = {"ann": [8, 7, 8, 8], "ben": [8, 8, 7, 8]}

THEIRS = """subj,session,trial,rt,object_response,category,condition,imagename
subject-01,1,1,0.796405076980591,oven,oven,cr,0001_cl_s01_cr_oven_40_n04111531_14126.png
subject-01,1,2,NaN,na,bear,cr,0002_cl_s01_cr_bear_40_n02134084_5274.png
"""
"""In the form of their files; made up."""


def test_people_and_models_come_back_as_they_were_written(tmp_path: Path) -> None:
    """To the last digit of a time, a file for each."""
    people = small_study(PEOPLE, response_ms=1234.5)
    model = model_of("some-model", {**dict.fromkeys(IMAGES[:3], 8), IMAGES[3]: None})
    trials = trials_of_people(people) + trials_of_models([model], people)
    files = trial_files(trials, "a study")
    assert sorted(files) == [
        "a-study_some-model_session_1.csv",
        "a-study_subject-ann_session_1.csv",
        "a-study_subject-ben_session_1.csv",
    ]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    back = read_trials(tmp_path)
    assert sorted(back, key=str) == sorted(trials, key=str)
    assert {one.seconds for one in back if one.is_person} == {1.2345}
    assert [one.response for one in back if not one.is_person] == ["8", "8", "8", None]


def test_every_subject_has_a_file_of_its_own() -> None:
    """Also where letters that no file can have told them apart, and where a name is long."""
    names = ("my net", "my-net", "My/net", "net" * 100, "net" * 100 + "2", "\u6a21" * 300)
    trials = [Trial(name, 1, 1, None, "8", "8", "0", "x.png") for name in names]
    files = trial_files(trials, "s" * 300)
    assert len({name.lower() for name in files}) == len(names)
    assert all(len(name.encode()) <= 255 for name in files)
    assert sorted(text.splitlines()[1].split(",")[0] for text in files.values()) == sorted(names)


def test_marks_are_those_of_the_study() -> None:
    """Images pair by the hash in their name, and no answer is a wrong one."""
    people = small_study(PEOPLE)
    model = model_of("m", {IMAGES[0]: 8, IMAGES[1]: None})
    marks = marks_of_trials(
        trials_of_people(people, "none") + trials_of_models([model], people, "none")
    )
    assert marks.raters == ("subject-ann", "subject-ben", "m")
    assert marks.right.tolist()[:2] == [[1, 0, 1, 1], [1, 1, 0, 1]]
    assert marks.right[2, :2].tolist() == [1, 0]


def test_their_files_are_read_with_either_spelling_of_session(tmp_path: Path) -> None:
    """Names of images lose what tells the trial; na and NaN are no answer and no time."""
    for name, text in (("a.csv", THEIRS), ("b.csv", THEIRS.replace("session", "Session"))):
        (tmp_path / name).write_text(text)
        first, second = read_trials(tmp_path / name)
        assert first.image_id == "n04111531_14126.png"
        assert first.is_right
        assert (second.response, second.seconds) == (None, None)
        assert read_trials(tmp_path / name) == [first, second]
    plain = Trial("subject-01", 1, 1, 1.0, "bird", "bird", "0", "0001_s5n_s01_0_bird_00_bird3.png")
    assert plain.image_id == "bird3.png"


def test_their_kappa_is_ours(tmp_path: Path) -> None:
    """Observed and expected agreement, as their analysis has it, of two subjects."""
    rng = np.random.default_rng(0)
    rows = [
        Trial(f"subject-{who}", 1, at + 1, 1.0, str(rng.choice(["a", "b"])), "a", "0", f"{at}.png")
        for who in (1, 2)
        for at in range(40)
    ]
    (tmp_path / "a.csv").write_text(trials_text(rows))
    marks = marks_of_trials(read_trials(tmp_path))
    one, two = (row > 0 for row in marks.right)
    expected = one.mean() * two.mean() + (1 - one.mean()) * (1 - two.mean())
    due = ((one == two).mean() - expected) / (1 - expected)
    assert kappa_matrix(marks)[0, 1] == pytest.approx(due)


def test_conditions_say_what_is_asked_for() -> None:
    """The lower edge of the smallest digit's bin, the number of digits, or the pool."""
    people = small_study({"ann": [8, 8, 8, 8]})
    sides = [one.condition for one in trials_of_people(people)]
    assert sides == ["0", "28", "28", "56"]
    assert {one.condition for one in trials_of_people(people, "n_digits")} == {"3"}
    assert {one.condition for one in trials_of_people(people, "pool")} == {"unguided"}


def test_what_is_no_such_table_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A column that is missing, a time that is none, no file."""
    path = tmp_path / "a.csv"
    path.write_text("subj,trial\na,1\n")
    with pytest.raises(DamagedFileError, match="found no Session"):
        read_trials(path)
    path.write_text(",".join(COLUMNS) + "\nsubject-1,1,one,1.0,a,a,0,x.png\n")
    with pytest.raises(DamagedFileError, match="line 2"):
        read_trials(path)
    path.write_text(",".join(COLUMNS) + "\nsubject-1,1,1,1.0,a\n")
    with pytest.raises(DamagedFileError, match=r"line 2.*fewer cells than columns"):
        read_trials(path)
    path.write_text(THEIRS + "a" * 200_000)
    with pytest.raises(DamagedFileError, match="field larger than"):
        read_trials(path)
    with pytest.raises(MissingFileError, match="Expected trials"):
        read_trials(tmp_path / "none.csv")


def test_images_without_a_hash_and_models_named_as_people_are_refused() -> None:
    """Nobody could pair them."""
    people = small_study(PEOPLE)
    with pytest.raises(InvalidValueError, match="does not begin with"):
        trials_of_models([model_of("subject-x", {IMAGES[0]: 8})], people)
    bare = people_of_tables(
        people.answers,
        people.digits,
        people.answers.assign(truth=8)[["stimulus", "truth"]].drop_duplicates(),
    )
    with pytest.raises(InvalidValueError, match="hash of the pixels"):
        trials_of_people(bare)
    with pytest.raises(InvalidValueError, match="condition"):
        trials_of_people(people, "mood")
