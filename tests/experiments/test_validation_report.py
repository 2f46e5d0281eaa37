"""What a validation says: its sentences are true of what was compared, and JSON has it all."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from umnist_core.experiments.validation import (
    FIGURE_NAMES,
    Measured,
    Validation,
    compare_measured,
    report_lines,
    to_json,
)
from umnist_core.experiments.validation.calibrate import STEP_FOUND


def side(seed: int, shift: float = 0, count: int = 30) -> Measured:
    """Return a side with normal figures; ``shift`` is added to its specks."""
    rng = np.random.default_rng(seed)
    figures = {name: rng.normal(5, 1, count) for name in FIGURE_NAMES}
    figures["specks"] += shift
    return Measured(figures, tuple(range(28)) + (0,) * (count - 28), {"4000x4000": count}, 500)


def validation(shift: float = 0) -> Validation:
    """Return a validation of 30 images a side."""
    ours, theirs = side(1), side(2, shift)
    comparison = compare_measured(ours, theirs)
    return Validation("released", {}, 0, "folder", ours, theirs, comparison, stand_in=False)


def test_verdict_names_what_differs_and_nothing_else() -> None:
    """Or says that nothing does, with the number of tests."""
    assert validation().verdict.startswith("No difference found by 10 tests")
    assert validation(9).verdict == "Differs in: specks in 2048 x 2048 px."


def test_table_has_quartiles_effect_and_corrected_p() -> None:
    """A row for each figure and one for the labels."""
    lines = report_lines(validation(9))
    assert lines[:2] == ["released, seed 0: 30 images", "folder: 30 of 500 images"]
    (specks,) = [line for line in lines if line.startswith("specks")]
    assert specks.split()[-3:] == ["1.00", "+1.00", "<0.001"]
    assert sum(line.startswith(tuple(FIGURE_NAMES.values())) for line in lines) == 9
    assert any(line.startswith("labels") and "28 labels, 1-3 each" in line for line in lines)


@pytest.mark.parametrize(
    ("changes", "is_said"),
    [
        ({}, True),
        ({"preset": "released-clean"}, True),
        ({"overrides": {"digit_jpeg": "0"}}, True),
        ({"overrides": {"canvas": "8000"}}, False),
        ({"preset": "paper"}, False),
        ({"stand_in": True}, False),
    ],
)
def test_power_is_said_of_such_images_as_it_was_counted_on(
    changes: dict[str, object], is_said: bool
) -> None:
    """With the largest number of images that was tried and is not above those compared."""
    notes = " ".join(replace(validation(), **changes).notes)  # type: ignore[arg-type]
    sentence = "With 25 images a side the missing JPEG step of the digits is found in "
    assert (sentence + f"{STEP_FOUND[25]} of 200 cases." in notes) == is_said


def test_notes_say_sizes_labels_and_stand_in_where_there_is_something_to_say() -> None:
    """And nothing of them else."""
    plain = " ".join(validation().notes)
    for words in ("Sizes differ", "labels were not compared", "STAND-IN"):
        assert words not in plain
    ours = side(1)
    theirs = replace(side(2), labels=(None,) * 30, sizes={"900x600": 20, "60x60": 10})
    found = replace(
        validation(), theirs=theirs, comparison=compare_measured(ours, theirs), stand_in=True
    )
    notes = " ".join(found.notes)
    assert "ours are 4000x4000 px, theirs 900x600, 60x60 px" in notes
    for words in ("labels were not compared", "STAND-IN"):
        assert words in notes


def test_json_holds_every_figure_and_can_be_read_back() -> None:
    """With its meaning, both sides, effect and p-values."""
    data = json.loads(json.dumps(to_json(validation(9))))
    assert [figure["name"] for figure in data["figures"]] == list(FIGURE_NAMES)
    assert data["differing"] == ["specks"]
    assert data["labels"]["counts"]["0"] == [3, 3]
    assert data["theirs"] == {"images": 30, "of": 500, "sizes": {"4000x4000": 30}}
    assert data["notes"]
