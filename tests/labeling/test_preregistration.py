"""What a study promises: sealed first, and what was done laid beside it."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.labeling.making import Clock, answer_all, come_in, open_small, post, small_spec
from umnist_core.errors import InvalidValueError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.asking import Asking, Page, Question
from umnist_core.labeling.events import OWN, ResultsSeen
from umnist_core.labeling.exclusions import ExclusionRules
from umnist_core.labeling.export import export_study, export_tables
from umnist_core.labeling.log import sha256
from umnist_core.labeling.preregistered import compare_with_plan, seal_of
from umnist_core.labeling.preregistration import Preregistration
from umnist_core.labeling.preregistration_draft import draft_preregistration
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.results import FoldedStudy, load_report
from umnist_core.scoring.study_report import WithoutExcluded

TEXT = "# What we promise\n\nTwo people a pool, and no look (naïve or not).\n"


PROLIFIC = Recruiting.from_dict(
    {
        "site": "prolific",
        "currency": "GBP",
        "pay": {"complete": 6},
        "bonus_rule": "each_right",
        "bonus": 0.1,
        "bonus_max": 2,
        "smallest_side_px": 600,
        "touch": "required",
    }
)


def promise(**changes: Any) -> dict[str, Any]:
    """Return a preregistration of two people in each pool, who fill a small study."""
    return {"text": TEXT, "people": 2, "analysis": "paired", "closes": "", **changes}


def verdicts(service: StudyService, study: str) -> dict[str, str]:
    """Return what each thing that was promised came to."""
    rows = compare_with_plan(FoldedStudy.of(service.log, study))
    return {row.what: row.verdict for row in rows}


def filled(
    lab: Path, rules: ExclusionRules | None = None, **promised: Any
) -> tuple[StudyService, str, Clock]:
    """Return an open study that promises something, with every place filled."""
    clock = Clock()
    more: dict[str, Any] = {"preregistration": promise(**promised), "exclusions": rules}
    service, study = open_small(lab, now=clock, **more)
    truth = {name: json.loads(text) for name, text in service.log.read_truth(study).items()}
    for number in range(4):
        me = come_in(service, study, ("unguided", "guided")[number % 2])
        while (trial := service.annotator_view(study, me).trial) is not None:
            right = truth[service.state(study).assignments[trial.key].stimulus]["label"]
            is_right = len(service.state(study).annotators[me].answered) <= number // 2
            service.answer(study, me, post(trial.key, right if is_right else (right + 1) % 28))
    return service, study, clock


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": " "}, "a text of 1 to 50,000 characters"),
        ({"people": 0}, "people of the preregistration is a whole number from 1 to 20000"),
        ({"analysis": "best"}, "paired, mixed, accuracy, threshold; got 'best'"),
        ({"closes": "soon"}, "written as 2026-12-31; got 'soon'"),
        ({"hopes": 1}, "has text and people, and may have analysis and closes; got .text"),
    ],
)
def test_wrong_promise_gets_one_sentence(changes: dict[str, Any], said: str) -> None:
    """Which says what is allowed and what was found."""
    with pytest.raises(InvalidValueError, match=said):
        small_spec(preregistration=promise(**changes))


def test_one_pool_is_compared_with_none() -> None:
    """Its primary analysis is its accuracy, and nothing else is taken."""
    with pytest.raises(InvalidValueError, match="compares none"):
        small_spec(pools=("guided",), preregistration=promise())
    small_spec(pools=("guided",), preregistration=promise(analysis="accuracy"))


def test_study_without_a_promise_is_written_as_before() -> None:
    """Its settings do not name one, so old logs and golden studies stay the same bytes."""
    assert "preregistration" not in small_spec().to_dict()
    spec = small_spec(preregistration=promise())
    assert StudySpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_promise_is_sealed_by_the_first_event(tmp_path: Path) -> None:
    """Its text is in that event's payload, which the event's hash is over."""
    service, study = open_small(tmp_path, preregistration=promise())
    folded = FoldedStudy.of(service.log, study)
    seal, first = seal_of(folded), folded.events[0]
    assert seal is not None
    assert first.payload is not None
    assert first.payload["spec"]["preregistration"]["text"] == TEXT
    assert (seal.sha256, seal.event_hash) == (sha256(TEXT), first.hash)
    assert seal.sealed_utc == first.time_utc


def test_study_that_kept_to_its_promise_is_said_to_have(tmp_path: Path) -> None:
    """Nothing is judged before the study is closed; then everything is as planned."""
    service, study, _ = filled(tmp_path)
    assert set(verdicts(service, study).values()) == {"under way"}
    service.close(study)
    assert set(verdicts(service, study).values()) == {"as planned"}
    rows = compare_with_plan(FoldedStudy.of(service.log, study), load_report(service, study))
    assert [row.what for row in rows[-2:]] == ["Exclusions", "Primary analysis"]
    assert "points" in rows[-1].done


def test_what_differs_is_named(tmp_path: Path) -> None:
    """Other people than invited ones, one too many, places left free, an early end."""
    clock = Clock()
    service, study = open_small(tmp_path, now=clock, preregistration=promise(closes="2026-01-03"))
    for _ in range(2):
        answer_all(service, study, come_in(service, study, "guided"))
    token = service.invite(study, pool="unguided", origin=OWN)[0].token
    assert token is not None
    maker = service.join(token).annotator
    assert maker
    clock.pass_(days=1)
    service.close(study)
    found = verdicts(service, study)
    same = {name for name, verdict in found.items() if verdict == "as planned"}
    assert same == {
        "People, guided",
        "Images for each person, guided",
        "Labels, guided",
        "Looks at accuracies before the end",
        "Versions of the consent",
    }
    rows = {row.what: row for row in compare_with_plan(FoldedStudy.of(service.log, study))}
    assert (rows["People, unguided"].planned, rows["People, unguided"].done) == ("2", "0")
    assert rows["Images for each person, unguided"].done == "none"
    assert "with 6 labels missing" in rows["End"].done


@pytest.mark.parametrize(
    ("day", "verdict"), [("2026-01-01", "as planned"), ("2025-12-31", "different")]
)
def test_full_study_may_close_before_its_day_and_not_after(
    tmp_path: Path, day: str, verdict: str
) -> None:
    """The tests' clock stands at the first of January 2026."""
    service, study, _ = filled(tmp_path, closes=day)
    service.close(study)
    assert verdicts(service, study)["End"] == verdict


def test_look_before_the_end_is_logged_and_cannot_be_taken_back(tmp_path: Path) -> None:
    """An export of an open study, as a zip or as tables, is one; after closing none is."""
    service, study, _ = filled(tmp_path)
    export_tables(service, study, tmp_path / "tables")
    assert verdicts(service, study)["Looks at accuracies before the end"] == "different"
    export_study(service, study, tmp_path / "x.zip")
    service.close(study)
    export_study(service, study, tmp_path / "y.zip")
    kinds = [one.kind for one in service.log.read(study)]
    assert kinds.count(ResultsSeen.event_kind) == 2
    assert verdicts(service, study)["Looks at accuracies before the end"] == "different"


def test_look_at_a_study_without_a_promise_is_not_logged(tmp_path: Path) -> None:
    """Nothing is kept that nobody asked to be kept."""
    service, study = open_small(tmp_path)
    before = service.overview(study).events
    service.note_seen(study, "page")
    assert service.overview(study).events == before


def test_export_has_the_sealed_text_and_the_comparison(tmp_path: Path) -> None:
    """Byte by byte, so that its SHA-256 is the one that was sealed."""
    service, study, _ = filled(tmp_path)
    service.close(study)
    export_study(service, study, tmp_path / "x.zip")
    with ZipFile(tmp_path / "x.zip") as archive:
        text = archive.read("preregistration.md")
        whole = json.loads(archive.read("planned_and_done.json"))
        rows = list(csv.DictReader(archive.read("planned_and_done.csv").decode().splitlines()))
        sums = json.loads(archive.read("checksums.json"))
    assert hashlib.sha256(text).hexdigest() == whole["seal"]["sha256"] == sha256(TEXT)
    assert rows == whole["rows"]
    assert rows[-1]["what"] == "Primary analysis"
    assert {"preregistration.md", "planned_and_done.json"} <= set(sums)
    plain, other = open_small(tmp_path / "other")
    export_study(plain, other, tmp_path / "z.zip")
    with ZipFile(tmp_path / "z.zip") as archive:
        assert "preregistration.md" not in archive.namelist()


def test_draft_says_what_the_settings_fix() -> None:
    """Numbers, pools, measures, rules of exclusion, power and the end, in sections."""
    spec = small_spec(
        name="Pilot",
        stimuli=1000,
        images_per_annotator=25,
        ask_confidence=True,
        exclusions=ExclusionRules(),
        asking=Asking(before=(Page("You", (Question("age", "number", "How old are you?"),)),)),
    )
    text = draft_preregistration(spec, Preregistration("-", 40, closes="2026-12-31"))
    assert text.startswith("# Preregistration: Pilot\n")
    for said in (
        "40 unguided and 40 guided people",
        "40 people with 25 images each give 1,000 labels in a pool, of 1,000 that are wanted",
        "| 0.02 | 21 % | 6.9 points |",
        "confidence in percent",
        'People are asked before the images: "How old are you?".',
        *ExclusionRules().sentences,
        "paired by image",
        "and on 2026-12-31 at the latest",
    ):
        assert said in text
    other = draft_preregistration(small_spec(pools=("guided",)), Preregistration("-", 2))
    assert "None is planned" in other
    assert "ICC" not in other


def test_draft_says_how_people_are_recruited_and_what_factors_there_are() -> None:
    """Site, pay, bonus and device stand there; only what settings do not say is left to fill in."""
    spec = small_spec(
        stimuli=4,
        images_per_annotator=2,
        repeats=1,
        factors={"shape_pairs": ["0", "5"]},
        recruiting=PROLIFIC,
    )
    text = draft_preregistration(spec, Preregistration("-", 2))
    for said in (
        "[Who they are.] They are recruited at Prolific. They are paid, in GBP: 6.00 (complete).",
        "For each right answer there is a bonus of 0.10 GBP, at most 2.00.",
        "a screen whose shorter side has 600 CSS px or more and a touch screen",
        "1 of them is shown a second time",
        "there is 1 image to practise on",
        "Accuracy by level of each factor is described beside it.",
    ):
        assert said in text
    bare = draft_preregistration(small_spec(), Preregistration("-", 2))
    assert "[Who they are, how they are recruited, what they are paid.]" in bare
    assert "each factor" not in bare


def test_consent_that_changed_later_is_named(tmp_path: Path) -> None:
    """The text that people agreed to is a part of what was sealed."""
    service, study = open_small(tmp_path, preregistration=promise())
    service.amend_consent(study, {"consent": "Another text."})
    service.close(study)
    rows = compare_with_plan(FoldedStudy.of(service.log, study))
    found = next(row for row in rows if row.what == "Versions of the consent")
    assert (found.verdict, found.done[:7]) == ("different", "1 later")


@pytest.mark.parametrize(
    ("rules", "planned", "done"),
    [
        (None, "No rule", "usual rules, chosen later, would catch 1 person with 3 labels"),
        (
            ExclusionRules.none(),
            "0 rules, fixed in the first event",
            "Nobody left out of the second reading",
        ),
        (
            ExclusionRules.from_dict(
                {**dict.fromkeys(ExclusionRules.NAMES), "too_fast_s": 3600, "least_answers": 1}
            ),
            "1 rule, fixed in the first event",
            "4 people with 12 labels left out of the second reading",
        ),
    ],
)
def test_rules_that_were_not_fixed_before_are_told_from_those_that_were(
    tmp_path: Path, rules: ExclusionRules | None, planned: str, done: str
) -> None:
    """Without any, everybody counts; whom the usual ones would catch is said beside it."""
    service, study, _ = filled(tmp_path, rules)
    service.close(study)
    report = load_report(service, study)
    if rules is None:
        out = WithoutExcluded(1, 3, report.pools, report.clustering, report.difference)
        report = replace(report, without_excluded=out)
    rows = compare_with_plan(FoldedStudy.of(service.log, study), report)
    found = next(row for row in rows if row.what == "Exclusions")
    assert (found.planned, found.verdict) == (planned, "as planned")
    assert found.done.endswith(done)
