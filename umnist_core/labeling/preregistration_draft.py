"""A first text of a preregistration, written from a study's settings and from its plan.

Each section says what the settings fix, in words that can be published as they are. What settings
cannot say, why the question is asked, stands in square brackets for people to write.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np

from umnist_core.labeling.adaptive import Adaptive
from umnist_core.labeling.preregistration import ANALYSES, Preregistration
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.recruiting import SITES, Recruiting
from umnist_core.scoring.errors import ScoringInputError
from umnist_core.scoring.planning import Assumptions, Effort, PlannedStudy, plan_people

ICCS = (0.0, 0.02, 0.05)


def people_needed(spec: StudySpec) -> int:
    """Return how many people of a pool give all its labels."""
    return ceil(spec.target_per_pool / spec.images_per_annotator)


def draft_preregistration(
    spec: StudySpec,
    promised: Preregistration,
    assumed: Assumptions | None = None,
) -> str:
    """Return the text as Markdown.

    Parameters
    ----------
    spec
        Settings of the study.
    promised
        What is promised besides a text, which is not read.
    assumed
        What the sample size rests on; what the paper's people did unless given.
    """
    expected = replace(assumed or Assumptions(), labels_an_image=spec.labels_per_image)
    sections = (
        ("Question", _question(spec)),
        ("Hypothesis", _hypothesis(spec, expected)),
        ("Design", _design(spec)),
        ("People", _people(spec, promised)),
        ("Sample size and its reason", _size(spec, promised, expected)),
        ("Measures", _measures(spec)),
        ("Exclusions", _exclusions(spec)),
        ("Primary analysis", f"{ANALYSES[promised.analysis]}{_by_level(spec)}"),
        ("End of the study", f"{promised.stopping} {_LOOKS}"),
    )
    parts = [f"# Preregistration: {spec.name}"]
    parts += [f"## {title}\n\n{text}" for title, text in sections]
    return "\n\n".join(parts) + "\n"


_LOOKS = (
    "Accuracies are not looked at before. The results page hides them until then, and showing them "
    "all the same, or exporting the open study, is written into its log."
)


def _by_level(spec: StudySpec) -> str:
    return " Accuracy by level of each factor is described beside it." if spec.factors else ""


def _question(spec: StudySpec) -> str:
    if spec.adaptive:
        return (
            "How large do digits in very large images have to be for people to sum half of the "
            "images right? [Why this is asked, and what is known.]"
        )
    what = (
        "What share of very large images do people sum right, and does it help to be told which "
        "digits there are and how large?"
        if len(spec.pools) > 1
        else f"What share of very large images do {spec.pools[0]} people sum right?"
    )
    return f"{what} [Why this is asked, and what is known.]"


def _hypothesis(spec: StudySpec, assumed: Assumptions) -> str:
    if spec.adaptive:
        return "None is tested; thresholds are estimated. We expect about [size] px."
    low, high = 100 * assumed.unguided, 100 * (assumed.unguided + assumed.difference)
    if len(spec.pools) > 1:
        more = "more" if assumed.difference > 0 else "fewer"
        return (
            f"Guided people sum {more} images right than unguided ones. We expect {low:.1f} % for "
            f"unguided and {high:.1f} % for guided people. The test is two-sided."
        )
    return f"None is tested; the accuracy is estimated. We expect about {low:.1f} %."


def _design(spec: StudySpec) -> str:
    pools = (
        "Two pools, unguided and guided; a person is in one of them. Guided people are told which "
        "digits there are and how large, unguided ones the task alone. Both see the same images."
        if len(spec.pools) > 1
        else f"One pool, {spec.pools[0]}."
    )
    crossed = ""
    if spec.factors:
        levels = "; ".join(f"{name} at {', '.join(one)}" for name, one in spec.factors.items())
        crossed = (
            f" Images are of {len(spec.cells)} cells, {levels}, crossed; each person answers "
            f"{spec.images_per_annotator // len(spec.cells)} of each, in an order of blocks after "
            "a Williams design."
        )
    if spec.adaptive:
        return f"{pools} {_adaptive_design(spec, spec.adaptive)} {_practice(spec)}"
    are = "is" if spec.repeats == 1 else "are"
    repeats = f" {spec.repeats} of them {are} shown a second time." if spec.repeats else ""
    times = "once" if spec.labels_per_image == 1 else f"{spec.labels_per_image} times"
    return (
        f"{pools} {spec.stimuli:,} images{_source(spec)}; each is answered {times} in each pool. "
        f"Each person answers {spec.images_per_annotator} different ones, in an order of their own "
        f"that a secret key draws.{crossed}{repeats} {_practice(spec)}"
    )


def _adaptive_design(spec: StudySpec, adaptive: Adaptive) -> str:
    return (
        f"{spec.stimuli:,} images{_source(spec)}, {spec.stimuli // len(adaptive.levels_px)} of "
        "each size of digits; all digits of an image are of one size. Each person answers "
        f"{spec.images_per_annotator} different ones, whose sizes follow from that person's "
        f"answers: {adaptive.sentence}. Which image of a size it is, a secret key draws. A "
        "threshold is the size at which half of what lies between guessing "
        f"({100 * adaptive.guess:.1f} %) and {100 * (1 - adaptive.lapse):.0f} % is right, by the "
        "mean of what all answers of a person leave possible under a logistic function of the "
        "size's logarithm."
    )


def _source(spec: StudySpec) -> str:
    if spec.folder is not None:
        return ", drawn from a folder by a secret key"
    changes = " ".join(f"{name}={value}" for name, value in spec.overrides.items())
    told = f" with {changes}" if changes else ""
    return f" of the preset {spec.preset}{told}, drawn by a secret key"


def _practice(spec: StudySpec) -> str:
    if not spec.practice:
        return "There is no practice."
    told = {"correctness": "whether they were right", "full": "the sum and every digit"}
    each = "; ".join(f"{p} people are told {told[spec.practice_feedback[p]]}" for p in spec.pools)
    images = "is 1 image" if spec.practice == 1 else f"are {spec.practice} images"
    return f"Before, there {images} to practise on, after which {each}."


def _people(spec: StudySpec, promised: Preregistration) -> str:
    pools = " and ".join(f"{promised.people} {pool}" for pool in spec.pools)
    drawn = (
        " Whoever joins by an open link gets the pool that lacks more labels."
        if len(spec.pools) > 1
        else ""
    )
    return f"{pools} people. {_recruited(spec.recruiting)}{drawn}"


def _recruited(recruiting: Recruiting | None) -> str:
    """Return where people come from and what they are paid, as far as settings say it."""
    one = recruiting or Recruiting()
    pay = [f"{amount:.2f} ({name.replace('_', ' ')})" for name, amount in one.pay.items()]
    unsaid = ["who they are"]
    unsaid += [] if one.site else ["how they are recruited"]
    unsaid += [] if pay else ["what they are paid"]
    told = [f"[{', '.join(unsaid).capitalize()}.]"]
    told += [f"They are recruited at {SITES[one.site].title}."] if one.site else []
    told += [f"They are paid, in {one.currency}: {', '.join(pay)}."] if pay else []
    if one.bonus_rule != "none":
        most = f", at most {one.bonus_max:.2f}" if one.bonus_max else ""
        rule = one.bonus_rule.replace("each_right", "right answer").replace("each_", "")
        told += [f"For each {rule} there is a bonus of {one.bonus:.2f} {one.currency}{most}."]
    return " ".join([*told, *_devices(one)])


def _devices(recruiting: Recruiting) -> list[str]:
    side_px, touch = recruiting.smallest_side_px, recruiting.touch
    needs = [f"a screen whose shorter side has {side_px} CSS px or more"] if side_px else []
    needs += {"required": ["a touch screen"], "refused": ["a mouse or touchpad"]}.get(touch, [])
    if not needs:
        return []
    return [f"It takes {' and '.join(needs)}; who has no such device is screened out."]


def _size(spec: StudySpec, promised: Preregistration, assumed: Assumptions) -> str:
    labels = promised.people * spec.images_per_annotator
    begin = (
        f"{promised.people} people with {spec.images_per_annotator} images each give {labels:,} "
        f"labels in a pool, of {spec.target_per_pool:,} that are wanted."
    )
    if spec.adaptive:
        return f"{begin} [Why so many people, and why so many images each.]"
    try:
        rows = _planned(spec, promised, assumed)
    except ScoringInputError:
        return f"{begin} [Why so many.]"
    table = [
        "| ICC of one person's answers | power | found in four of five studies |",
        "|---|---|---|",
        *(
            f"| {row.icc:g} | {100 * row.power:.0f} % | {100 * row.detectable:.1f} points |"
            for row in rows
        ),
    ]
    gap = 100 * assumed.difference
    reason = (
        f"With {100 * assumed.unguided:.1f} % right in the unguided pool and a difference of "
        f"{gap:.1f} points, the paired comparison has this power:"
    )
    return f"{begin} {reason}\n\n" + "\n".join(table) + "\n\n[Why this is enough.]"


def _planned(
    spec: StudySpec, promised: Preregistration, assumed: Assumptions
) -> list[PlannedStudy]:
    if len(spec.pools) == 1:
        raise ScoringInputError("One pool is compared with none.")
    return plan_people(
        2 * promised.people,
        spec.images_per_annotator,
        assumed,
        Effort(),
        rng=np.random.default_rng(0),
        iccs=ICCS,
        studies=0,
    )


def _exclusions(spec: StudySpec) -> str:
    if spec.exclusions is None:
        return "None is planned: every answer that fills a place of the study counts."
    rules = "\n".join(f"- {sentence}" for sentence in spec.exclusions.sentences)
    return (
        f"{rules}\n\nNo rule looks at whether an answer is right. Results are given with and "
        "without these people."
    )


def _measures(spec: StudySpec) -> str:
    asked = [f"The sum of the digits ({spec.question.removesuffix('.')})"]
    asked += ["confidence in percent"] if spec.ask_confidence else []
    asked += ["the digits that were seen"] if spec.ask_digits else []
    asked += ["a box around each digit that was seen"] if spec.ask_boxes else []
    last = "the last one counts and all are kept" if spec.allow_change else "it is final"
    return (
        f"{', '.join(asked)}. An answer is right if it is the true sum; {last}. Besides: the time "
        f"for each answer, and which part of the image was on the screen when.{_questions(spec)}"
    )


def _questions(spec: StudySpec) -> str:
    """Return what is asked on pages of questions, as sentences; nothing where there are none."""
    told = ""
    for when, pages in (("before the images", spec.asking.before), ("after", spec.asking.after)):
        asked = [f'"{one.text}"' for page in pages for one in page.questions]
        if asked:
            told += f" People are asked {when}: {'; '.join(asked)}."
    if spec.asking.gate is not None:
        told += " Whoever fails the questions on the instructions takes no part."
    return told
