"""People against models: only the same images, and every figure as it was put in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.experiments.people.making import (
    IMAGES,
    cell_of,
    hash_of,
    model_of,
    small_study,
)
from umnist_core.bench.recovery import KnownRules, simulate_marks
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.experiments.people import (
    ModelAnswer,
    ModelAnswers,
    compare_people,
    predictions_of,
    report_html,
    report_tables,
)
from umnist_core.experiments.people.breakdowns import find_reason
from umnist_core.experiments.people.pairing import pair

PEOPLE = {"ann": [8, 8, 7, 8, 8, 7], "ben": [8, 7, 7, 8, 8, 8], "cyd": [8, 8, 7, 7, 8, 8]}
"""Right in 4, 4 and 4 of 6; the third image misleads all."""


def test_only_images_with_the_same_pixels_are_compared() -> None:
    """Neither the id nor the order of a table pairs anything."""
    people = small_study(PEOPLE)
    answers = [
        ModelAnswer("image-0", "f" * 64, 8),  # the id of an image of the study, other pixels
        ModelAnswer("elsewhere", hash_of("image-1"), 8),
        ModelAnswer("image-5", hash_of("image-2"), 7),
    ]
    paired = pair(people, [ModelAnswers("m", tuple(answers))])
    assert list(paired.images) == ["image-1", "image-2"]
    assert paired.models["m"]["image-2"].said == 7
    said = " ".join(paired.left_out)
    assert "4 of 6 images" in said
    assert "1 of 3 predictions" in said


def test_every_model_must_have_answered_an_image() -> None:
    """What one of them lacks is left out for all."""
    people = small_study(PEOPLE)
    first, second = model_of("a", dict.fromkeys(IMAGES[:4], 8)), model_of("b", {IMAGES[3]: 8})
    assert list(pair(people, [first, second]).images) == [IMAGES[3]]


def test_figures_are_those_of_the_answers() -> None:
    """Accuracy, discordant images, and who is named."""
    people = small_study(PEOPLE)
    model = model_of("m", dict(zip(IMAGES, [8, 8, 8, 8, 8, 1], strict=False)), margin=0.5)
    found = compare_people(people, [model], draws=100).to_dict()
    assert found["images"] == 6
    whole = {row["group"]: row for row in found["accuracy"] if row["by"] == "all"}
    assert whole["people"]["accuracy"] == pytest.approx(12 / 18)
    assert whole["people"]["spread"]["median"] == pytest.approx(4 / 6)
    assert whole["m"]["correct"] == 5
    tests = {(row["a"], row["b"]): row for row in found["paired_tests"]}
    assert (tests["ann", "m"]["a_only"], tests["ann", "m"]["b_only"]) == (0, 1)
    assert [row["name"] for row in found["raters"]] == ["ann", "ben", "cyd", "m"]
    cells = {row["name"]: row["cells"] for row in found["confusion"]}
    assert cells["people"] == [[8, 7, 6], [8, 8, 12]]
    assert cells["m"] == [[8, 1, 1], [8, 8, 5]]
    assert {row["by"] for row in found["accuracy"]} >= {"truth", "digit", "cells", "circles"}
    assert found["gaze"][0]["name"] == "people"
    assert found["gaze"][0]["similarity"] == pytest.approx(1)


def test_the_same_seed_gives_the_same_figures_and_json_any_parser_reads() -> None:
    """NaN and infinity become null."""
    people, model = small_study(PEOPLE), model_of("m", dict.fromkeys(IMAGES, 8))
    first, second = (compare_people(people, [model], draws=60, seed=4) for _ in range(2))
    assert first.to_json() == second.to_json()
    json.loads(first.to_json(), parse_constant=pytest.fail)


def test_who_is_always_right_or_wrong_is_said_to_tell_nothing_of_shared_errors() -> None:
    """Kappa is 0 then whatever the answers are; and few images tell as little."""
    always = small_study({"ann": [8] * 6, "ben": [8] * 6})
    model = model_of("m", dict.fromkeys(IMAGES[:6], 1))
    told = compare_people(always, [model], draws=50).to_dict()["sentences"]
    assert any(one.startswith("Whether m and a person err on the same") for one in told)
    some = small_study({"ann": [8, 7, 8], "ben": [8, 8, 7]})
    told = compare_people(some, [], draws=50).to_dict()["sentences"]
    assert any("too few images or errors in common" in one for one in told)


def test_people_are_compared_without_any_model_too() -> None:
    """With each other."""
    found = compare_people(small_study(PEOPLE), [], draws=50).to_dict()
    assert [row["kind"] for row in found["consistency"]["groups"]] == ["person-person"]
    assert found["mixed"]["effects"] == []


def test_a_person_alone_and_one_answer_are_no_error() -> None:
    """What cannot be said is None."""
    found = compare_people(small_study({"ann": [8]}), [], draws=50).to_dict()
    assert found["scale"] is None
    assert found["mixed"] is None
    assert found["consistency"] == {"pairs": [], "groups": []}


def test_what_cannot_be_compared_is_said_in_a_sentence() -> None:
    """No common image, and one name for two."""
    people = small_study(PEOPLE)
    with pytest.raises(InvalidValueError, match="none with the same pixels"):
        compare_people(people, [ModelAnswers("m", (ModelAnswer("x", "e" * 64, 8),))])
    with pytest.raises(InvalidValueError, match="'ann' twice"):
        compare_people(people, [model_of("ann", {IMAGES[0]: 8})])


@pytest.mark.parametrize(
    ("said", "found", "reason"),
    [
        (8, cell_of((3, 1000), (0, 1500), (5, 2000)), None),
        (9, cell_of((3, 1000), (0, 1500), (5, 2000)), "misadded"),
        (3, cell_of((3, 1000), (0, 1500)), "not_looked_at"),
        (9, cell_of((3, 1000), (0, 1500), (6, 2000)), "misread"),
        (9, cell_of((3, 1000), (0, 1500), (5, 2000), (1, 100)), "misread"),
        (9, "", "unknown"),
        (None, cell_of(), "not_looked_at"),
    ],
)
def test_reasons_of_models_follow_from_the_digits_that_they_found(
    said: int | None, found: str, reason: str | None
) -> None:
    """As people's follow from those that they named: added wrongly, missed, or misread."""
    image = small_study(PEOPLE).images["image-0"]
    text = f'id,said_sum,pixels_sha256,found\nx,{said or ""},{image.pixels},"{found}"\n'
    doubled = text.replace(f'"{found}"', '"' + found.replace('"', '""') + '"')
    (answer,) = predictions_of(doubled.encode(), "a.csv").answers
    assert find_reason(answer, image) == reason


def test_viewing_budget_compares_the_same_persons_and_images() -> None:
    """The model with the whole, with what they saw, and the people, in one row."""
    people = small_study(PEOPLE)
    whole = model_of("m", dict.fromkeys(IMAGES[:6], 8))
    through = [
        ModelAnswer(image, hash_of(image), 8 if at < 2 else 1, seen_by=person)
        for person in ("ann", "ben")
        for at, image in enumerate(IMAGES[:4])
    ]
    stranger = ModelAnswer(IMAGES[0], hash_of(IMAGES[0]), 8, seen_by="nobody")
    both = ModelAnswers("m", (*whole.answers, *through, stranger))
    (row,) = compare_people(people, [both], draws=50).to_dict()["viewing_budget"]
    assert row["answers"] == 8
    assert row["people"]["accuracy"] == pytest.approx(5 / 8)
    assert row["as_seen"]["accuracy"] == pytest.approx(4 / 8)
    assert row["whole"]["accuracy"] == 1
    assert row["difference"]["estimate"] == pytest.approx(-1 / 8)


def test_simulated_effect_and_times_are_found_in_a_whole_report() -> None:
    """People by the rules of a known scale; who is unsure takes longer, as the model is."""
    rules = KnownRules(people=12, images=12, person_mean=0.0, model_ability=3.0)
    marks, _, hard = simulate_marks(rules, np.random.default_rng(3))
    people = small_study(
        {
            f"person-{at}": [8 if one else 7 for one in row]
            for at, row in enumerate(marks.right[:-1])
        }
    )
    frame = people.answers
    places = [IMAGES.index(image) for image in frame["stimulus"]]
    frame["active_ms"] = 20_000 * np.exp(hard[places] / 5)
    said = {image: 8 if right else 1 for image, right in zip(IMAGES, marks.right[-1], strict=True)}
    answers = [
        ModelAnswer(image, hash_of(image), given, margin=float(1 / (1 + np.exp(hard[at]))))
        for at, (image, given) in enumerate(said.items())
    ]
    found = compare_people(people, [ModelAnswers("m", tuple(answers))], draws=100).to_dict()
    assert found["mixed"]["effects"][0]["log_odds"] > 1
    assert found["times"][0]["spearman"] == pytest.approx(-1)
    names = [row["name"] for row in found["psychometric"]]
    assert names[0] == "people"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,said_sum\na,8\n", "a column pixels_sha256"),
        ("id,pixels_sha256\na,00\n", "a column said_sum"),
        ("id,said_sum,pixels_sha256\n", "found no row"),
        ("id,said_sum,pixels_sha256\na,eight,00\n", "line 2"),
        ('id,said_sum,pixels_sha256,found\na,8,00,"[[1]]"\n', "line 2"),
        ('id,said_sum,pixels_sha256,found\na,8,00,"{"\n', "line 2"),
        ('id,said_sum,pixels_sha256,found\na,8,00,"[[Infinity,1,2,3,4,5]]"\n', "line 2"),
    ],
)
def test_table_that_is_no_prediction_is_refused_in_a_sentence(text: str, words: str) -> None:
    """What was expected, what was found, what to do."""
    with pytest.raises(DamagedFileError, match=words):
        predictions_of(text.encode(), "a.csv")


def test_rows_that_failed_count_as_wrong_and_rows_without_pixels_are_said() -> None:
    """A file that could not be opened has no pixels to pair by."""
    text = f"id,said_sum,pixels_sha256,error\na,,{hash_of(IMAGES[0])},no\nb,,,gone\n"
    text += f"a,8.0,{hash_of(IMAGES[0])},\n"
    model = predictions_of(text.encode(), "m.csv", fallback="m")
    assert model.answers[0].said is None
    paired = pair(small_study(PEOPLE), [model])
    assert not paired.is_right("m", IMAGES[0])
    assert any("1 rows have no hash" in one for one in paired.left_out)
    assert any("1 predictions are of an image that it has" in one for one in paired.left_out)


def test_report_is_one_page_that_loads_nothing_and_escapes_what_it_shows() -> None:
    """With figures inside; a name of a model is no markup."""
    model = model_of("<b>m</b>", dict.fromkeys(IMAGES[:6], 8), margin=0.4)
    report = compare_people(small_study(PEOPLE), [model], draws=50)
    page = report_html(report)
    assert page.count("<svg") >= 5
    assert "<b>m" not in page
    for word in ("<script", "src=", "@import", "url("):
        assert word not in page
    assert page.count("http") == page.count("http://www.w3.org/2000/svg")


def test_tables_hold_the_figures() -> None:
    """A file for each part, a row for each figure."""
    model = model_of("m", dict.fromkeys(IMAGES[:6], 8))
    report = compare_people(small_study(PEOPLE), [model], draws=50)
    tables = report_tables(report)
    assert tables["raters.csv"].count("\n") == 5
    assert tables["kappa_pairs.csv"].startswith("a,b,kind,")
    assert "spread_median" in tables["accuracy.csv"].splitlines()[0]
