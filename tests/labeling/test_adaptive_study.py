"""Adaptive studies: each person's sizes follow from their answers, and thresholds come out."""

from __future__ import annotations

import json
from math import exp, log
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from tests.labeling.making import come_in, open_small, post, small_spec
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.adaptive import QUEST_PLUS, STAIRCASE, Adaptive, read_levels
from umnist_core.labeling.adaptive_choice import (
    Told,
    level_asked,
    posterior_of,
    sizes_of,
    told_by,
)
from umnist_core.labeling.export import export_study
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.preregistered import compare_with_plan
from umnist_core.labeling.results import FoldedStudy, load_report
from umnist_core.labeling.state import StudyState
from umnist_core.labeling.threshold_table import pool_thresholds, thresholds_of, track_of

LEVELS = (14, 28, 56, 84)

SMALL: dict[str, Any] = {
    "overrides": {"canvas": "512", "digits": "3"},
    "stimuli": 40,
    "images_per_annotator": 10,
    "labels_per_image": 4,
    "pools": ("guided",),
    "practice": 0,
}


def _open(lab: Path, **adaptive: Any) -> tuple[StudyService, str]:
    design = Adaptive(**{"levels_px": LEVELS, **adaptive})
    return open_small(lab, adaptive=design, **SMALL)


def _take_part(service: StudyService, study: str, seed: int = 0, threshold: float = 40.0) -> str:
    """Answer every image as somebody of a known threshold does, whose slope is 10."""
    me, rng = come_in(service, study, "guided"), np.random.default_rng(seed)
    state = service.state(study)
    adaptive = state.spec.adaptive
    assert adaptive is not None
    truth = {name: json.loads(one) for name, one in service.log.read_truth(study).items()}
    while (trial := service.annotator_view(study, me).trial) is not None:
        image = truth[service.state(study).assignments[trial.key].stimulus]
        side_px = image["digits"][0]["side_px"]
        sees = rng.random() < sizes_of(adaptive).chance(side_px, threshold, 10.0)
        service.answer(
            study, me, post(trial.key, image["label"] if sees else (image["label"] + 1) % 28)
        )
    return me


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyService, str, list[str]]:
    """Return an adaptive study by QUEST+ and two people who have answered all."""
    service, study = _open(tmp_path_factory.mktemp("lab"))
    return service, study, [_take_part(service, study, seed) for seed in range(2)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "guess"}, "quest_plus or staircase; got 'guess'"),
        ({"levels_px": (14,)}, "2 to 40 sizes"),
        ({"levels_px": (28, 14)}, "that ascend"),
        ({"levels_px": (14, 20)}, "14 or a multiple of 28 px"),
        ({"levels_px": (0, 28)}, "14 or a multiple of 28 px"),
        ({"down": 0}, "down is a whole number from 1 to 4"),
        ({"tracks": 3}, "tracks is a whole number from 1 to 2"),
        ({"tracks": True}, "tracks is a whole number from 1 to 2"),
        ({"guess": 0.7}, "guess is a share from 0 to 0.5"),
        ({"lapse": float("nan")}, "lapse is a share from 0 to 0.5"),
    ],
)
def test_design_that_cannot_be_gets_one_sentence(changes: dict[str, Any], said: str) -> None:
    """Which says what was expected and what was found."""
    with pytest.raises(InvalidValueError, match=said):
        Adaptive(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stimuli": 39}, "Take 40"),
        ({"stimuli": 36}, "Take 40"),
        ({"repeats": 2}, "has no repeats"),
        ({"allow_change": True}, "has no allow_change"),
        ({"factors": {"zoom": ["1", "2"]}}, "has no factors"),
        ({"folder": "x", "overrides": {}}, "has no folder"),
        ({"overrides": {"factor": "2"}}, "has no factor of its own"),
    ],
)
def test_study_that_does_not_go_with_it_is_refused(changes: dict[str, Any], said: str) -> None:
    """Answers that change, and images of other kinds, would leave the method without a rule."""
    with pytest.raises(InvalidValueError, match=said):
        small_spec(**{**SMALL, "adaptive": Adaptive(levels_px=LEVELS), **changes})


def test_settings_are_read_as_they_are_written() -> None:
    """Of a file, of a log, and by a name that is unknown; other studies do not name them."""
    spec = small_spec(**SMALL, adaptive=Adaptive(STAIRCASE, LEVELS, down=2))
    assert StudySpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert "adaptive" not in small_spec().to_dict()
    assert Adaptive.from_dict({"levels_px": [14, 28]}).method == QUEST_PLUS
    assert read_levels("14,28,56") == (14, 28, 56)
    for bad in ({"level": 3}, "quest_plus"):
        with pytest.raises(InvalidValueError, match="levels_px"):
            Adaptive.from_dict(bad)
    with pytest.raises(InvalidValueError, match="14,28,56"):
        read_levels("14 28")


@pytest.mark.parametrize("method", [QUEST_PLUS, STAIRCASE])
def test_threshold_is_recovered_within_a_tenth(method: str) -> None:
    """In 40 answers, 95 % of 200 runs, by the sizes of studies, one image ahead.

    Where sizes lie close, from 84 to 280 px, of people whose slope is 10.
    """
    adaptive, within, held = Adaptive(method), [], []
    sizes = sizes_of(adaptive)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        true = exp(rng.uniform(log(84), log(280)))
        told: list[Told] = []
        for position in range(1, 41):
            level = level_asked(adaptive, told[: position - adaptive.tracks], position)
            chance = sizes.chance(adaptive.levels_px[level], true, 10.0)
            told.append(Told(position, level, bool(rng.random() < chance)))
        found = posterior_of(adaptive, told).threshold()
        within.append(abs(found.px / true - 1) < 0.1)
        held.append(found.low <= true <= found.high)
    assert np.mean(within) >= 0.95
    assert np.mean(held) >= 0.93


@pytest.mark.parametrize("method", [QUEST_PLUS, STAIRCASE])
@pytest.mark.parametrize("tracks", [1, 2])
def test_every_image_is_of_the_size_that_the_method_asks_for(
    tmp_path: Path, method: str, tracks: int
) -> None:
    """From the answers that were there when it was reserved, as the log alone tells it."""
    service, study = _open(tmp_path, method=method, tracks=tracks)
    me = _take_part(service, study)
    events = service.log.read(study)
    folded = FoldedStudy.of(service.log, study)
    sums = {name: truth["label"] for name, truth in folded.truth.items()}
    adaptive = folded.state.spec.adaptive
    assert adaptive is not None
    checked = 0
    for number, event in enumerate(events):
        if event.kind != "assigned" or event.payload is None:
            continue
        before = StudyState(events[:number])
        told = told_by(before, before.annotators[me], sums)
        position = event.payload["position"]
        assert len(told) == max(0, position - tracks)
        asked = level_asked(adaptive, told, position)
        assert event.payload["stimulus"] in before.levels[asked]
        checked += 1
    assert checked == 10


def test_every_image_has_digits_of_its_size_alone(
    answered: tuple[StudyService, str, list[str]],
) -> None:
    """And each size as many images; nobody sees one twice."""
    service, study, people = answered
    folded = FoldedStudy.of(service.log, study)
    assert [len(names) for names in folded.state.levels] == [10] * 4
    for level, names in zip(LEVELS, folded.state.levels, strict=True):
        assert {d["side_px"] for name in names for d in folded.truth[name]["digits"]} == {level}
    for me in people:
        shown = [one.stimulus for one in folded.state.annotators[me].assignments]
        assert len(shown) == len(set(shown)) == 10


def test_size_that_ran_out_gives_the_nearest(tmp_path: Path) -> None:
    """Everybody wants the largest; the one place of each of its images goes to the first."""
    changes = {**SMALL, "labels_per_image": 1}
    service, study = open_small(tmp_path, adaptive=Adaptive(STAIRCASE, LEVELS, guess=0), **changes)
    for expected in ({84}, {56}):
        me = _take_part(service, study, threshold=10_000)
        track = track_of(FoldedStudy.of(service.log, study), me)
        assert {px for _, px, _ in track} == expected


def test_thresholds_are_in_results_and_export(
    answered: tuple[StudyService, str, list[str]], tmp_path: Path
) -> None:
    """A row a person, the same as the pure method has of the same answers, and the pool's mean."""
    service, study, people = answered
    folded = FoldedStudy.of(service.log, study)
    table = thresholds_of(folded)
    assert table["annotator"].tolist() == people
    assert table["trials"].tolist() == [10, 10]
    adaptive = folded.state.spec.adaptive
    assert adaptive is not None
    for row in table.to_dict("records"):
        track = track_of(folded, row["annotator"])
        told = [Told(at, LEVELS.index(px), right) for at, px, right in track]
        found = posterior_of(adaptive, told).threshold()
        assert (found.px, found.low, found.high) == pytest.approx(
            (row["threshold_px"], row["threshold_low_px"], row["threshold_high_px"])
        )
        assert row["threshold_low_px"] < 40 < row["threshold_high_px"]
    assert pool_thresholds(table, people[:1])["guided"].px == table["threshold_px"].iloc[1]
    mean = pool_thresholds(table)["guided"]
    assert log(mean.px) == pytest.approx(np.log(table["threshold_px"]).mean())
    assert mean.low < mean.px < mean.high
    export_study(service, study, tmp_path / "x.zip")
    with ZipFile(tmp_path / "x.zip") as archive:
        exported = pd.read_csv(archive.open("tables/thresholds.csv"))
    assert exported["threshold_px"].tolist() == pytest.approx(table["threshold_px"].tolist())


def test_choices_follow_from_an_export_alone(
    answered: tuple[StudyService, str, list[str]], tmp_path: Path
) -> None:
    """Another store that imported it has the same thresholds, and asks for the sizes shown."""
    service, study, people = answered
    export_study(service, study, tmp_path / "x.zip")
    other = StudyService(MemoryLog(), tmp_path / "other")
    assert import_study(other, tmp_path / "x.zip") == study
    folded = FoldedStudy.of(other.log, study)
    assert thresholds_of(folded).equals(thresholds_of(FoldedStudy.of(service.log, study)))
    adaptive = folded.state.spec.adaptive
    assert adaptive is not None
    for me in people:
        told = [Told(at, LEVELS.index(px), right) for at, px, right in track_of(folded, me)]
        for one in told:
            assert level_asked(
                adaptive, told[: max(0, one.position - adaptive.tracks)], one.position
            ) == (one.level)


def test_erased_person_has_no_threshold(tmp_path: Path) -> None:
    """The others keep theirs."""
    service, study = _open(tmp_path)
    people = [_take_part(service, study, seed) for seed in range(2)]
    service.erase(study, people[0])
    assert thresholds_of(FoldedStudy.of(service.log, study))["annotator"].tolist() == people[1:]


def test_thresholds_can_be_promised_of_an_adaptive_study_alone(tmp_path: Path) -> None:
    """And accuracies cannot; what was found stands beside the promise."""
    said = {"text": "We measure thresholds.", "people": 2}
    with pytest.raises(InvalidValueError, match="is threshold; got paired"):
        small_spec(**SMALL, adaptive=Adaptive(levels_px=LEVELS), preregistration=said)
    said["analysis"] = "threshold"
    with pytest.raises(InvalidValueError, match="Only an adaptive study has thresholds"):
        small_spec(preregistration=said)
    design = Adaptive(levels_px=LEVELS)
    service, study = open_small(tmp_path, adaptive=design, preregistration=said, **SMALL)
    for seed in range(2):
        _take_part(service, study, seed)
    service.close(study)
    folded = FoldedStudy.of(service.log, study)
    row = compare_with_plan(folded, load_report(service, study))[-1]
    mean = pool_thresholds(thresholds_of(folded))["guided"]
    assert (row.what, row.verdict) == ("Primary analysis", "as planned")
    assert row.done == f"guided: {mean.px:.1f} px ({mean.low:.1f} to {mean.high:.1f})"


def test_target_is_of_people_and_not_of_images(
    answered: tuple[StudyService, str, list[str]],
) -> None:
    """Nobody knows which images are needed: four people of ten images are 40 labels."""
    service, study, _ = answered
    pool = service.overview(study).pools[0]
    assert (pool.labels, pool.target) == (20, 40)


def test_another_study_has_no_thresholds(tmp_path: Path) -> None:
    """The table is there and empty."""
    service, study = open_small(tmp_path)
    assert thresholds_of(FoldedStudy.of(service.log, study)).empty
