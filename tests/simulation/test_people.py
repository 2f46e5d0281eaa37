"""What simulated people are like: as able as asked, and wrong for the reasons that they give."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.recorded import AnswerPost, answer_schema
from umnist_core.scoring.clustering import measure_clustering
from umnist_core.simulation.people import (
    MISADDED,
    MISREAD,
    MISSED,
    RIGHT,
    Crowd,
    Person,
    Reply,
    Skill,
    draw_people,
    reply_to,
)
from umnist_core.simulation.traces import (
    Pane,
    Shown,
    View,
    is_on_screen,
    overview,
    tiles_of_view,
    warm_tiles,
)
from umnist_core.simulation.truth import DigitTruth, ImageTruth

SIDE_PX = 4000


def make_image(seed: int) -> ImageTruth:
    """Return an image with three to five digits of 14 to 1400 px."""
    rng = np.random.default_rng(seed)
    digits = []
    for _ in range(int(rng.integers(3, 6))):
        side = float(np.exp(rng.uniform(np.log(14), np.log(1400))))
        row, col = rng.uniform(0, SIDE_PX - side, 2)
        digits.append(DigitTruth(int(rng.integers(0, 6)), float(row), float(col), side))
    return ImageTruth(sum(one.label for one in digits), tuple(digits), SIDE_PX, SIDE_PX)


IMAGES = {f"image{seed}": make_image(seed) for seed in range(100)}


def replies(crowd: Crowd, probability: float, count: int = 300) -> list[tuple[ImageTruth, Reply]]:
    """Return answers of one person to many images."""
    person = Person(0, 0.0, Pane(), 4)
    return [
        (image, reply_to(person, image, probability, crowd, rng=person.rng(number)))
        for number, image in enumerate(make_image(seed) for seed in range(count))
    ]


@pytest.mark.parametrize("accuracy", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("annotator_sd", [0.0, 0.8])
def test_crowd_is_as_often_right_as_asked(accuracy: float, annotator_sd: float) -> None:
    """Over its people and the images of the study, in either pool."""
    crowd = Crowd(accuracy=accuracy, guided_gain=0.05, annotator_sd=annotator_sd)
    skill = Skill(crowd, IMAGES)
    people = draw_people(800, crowd, seed=1)
    for pool, wanted in (("unguided", accuracy), ("guided", accuracy + 0.05)):
        shares = [skill.probability(one.ability, pool, name) for one in people for name in IMAGES]
        assert np.mean(shares) == pytest.approx(wanted, abs=0.02)


def test_intended_clustering_is_that_of_the_answers() -> None:
    """The correlation that is told is the one that answers drawn so have."""
    crowd = Crowd(annotator_sd=0.9)
    skill = Skill(crowd, IMAGES)
    rng = np.random.default_rng(2)
    names = list(IMAGES)
    marks, who = [], []
    for person in draw_people(1500, crowd, seed=3):
        for name in rng.choice(names, 30, replace=False):
            marks.append(rng.random() < skill.probability(person.ability, "unguided", str(name)))
            who.append(person.number)
    measured = measure_clustering(np.array(marks), np.array(who))
    assert measured.icc_low < skill.icc("unguided") < measured.icc_high
    assert skill.icc("unguided") > 0.05


def test_small_digits_make_an_image_hard() -> None:
    """The smaller the smallest digit, the less often anybody is right."""
    skill = Skill(Crowd(), IMAGES)
    order = sorted(IMAGES, key=lambda name: min(one.side_px for one in IMAGES[name].digits))
    shares = [skill.probability(0.0, "unguided", name) for name in order]
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert shares[-1] > 0.8


def test_first_people_are_the_same_however_many_are_drawn() -> None:
    """So a larger simulation contains the smaller one's people."""
    crowd = Crowd()
    assert draw_people(50, crowd, seed=9)[:5] == draw_people(5, crowd, seed=9)
    assert draw_people(5, crowd, seed=9) != draw_people(5, crowd, seed=10)


def test_answer_follows_from_its_reason() -> None:
    """Right, or wrong by a digit not seen, one misread, or a sum that does not add up."""
    reasons: Counter[str] = Counter()
    for probability in (0.0, 1.0):
        for image, reply in replies(Crowd(), probability):
            labels = Counter(one.label for one in image.digits)
            assert reply.digits is not None
            reported = Counter(reply.digits)
            assert (reply.answer == image.label) == (reply.reason == RIGHT)
            assert 0 <= reply.answer <= 27
            if reply.reason == MISSED:
                assert reported < labels
                assert reply.answer == sum(reply.digits)
            elif reply.reason == MISREAD:
                assert len(reported - labels) == len(labels - reported) == 1
                assert reply.answer == sum(reply.digits)
            else:
                assert reported == labels
            reasons[reply.reason] += 1
    assert set(reasons) == {RIGHT, MISSED, MISREAD, MISADDED}


def test_missed_digit_is_in_no_view() -> None:
    """All others are; so the trace tells the reason as a person's would."""
    pane = Pane()
    for image, reply in replies(Crowd(missed=1.0, misread=0.0), 0.0):
        hidden = [
            one
            for one in image.digits
            if not any(is_on_screen(view, one, pane) for view in reply.views)
        ]
        assert len(hidden) == (reply.reason == MISSED)


def test_response_is_one_that_the_interface_takes() -> None:
    """Every field that a browser sends; parts that add up, samples in order and within its time."""
    sent = answer_schema()["properties"]["response"]["required"]
    for _, reply in replies(Crowd(), 0.5, 50):
        body = {"key": "key-0000", "assignment": "a", "answer": 3, "response": reply.response}
        post = AnswerPost.from_dict(body)
        response = post.response
        assert sorted(reply.response) == sorted(sent)
        assert response.response_ms == pytest.approx(
            response.active_ms + response.idle_ms + response.hidden_ms, abs=0.2
        )
        times = [sample["t"] for sample in post.parts[0]["samples"]]
        assert times == sorted(times)
        assert times[0] == 0
        assert times[-1] <= post.parts[0]["end_ms"] == response.response_ms


def test_response_times_have_a_long_tail() -> None:
    """As people's: the mean lies clearly above the median."""
    times = [reply.response["response_ms"] for _, reply in replies(Crowd(), 0.5)]
    assert 10_000 < np.median(times) < 40_000
    assert np.mean(times) > 1.05 * np.median(times)


def test_view_is_drawn_from_the_tiles_that_cover_it() -> None:
    """Of the level that the viewer takes, and of the next coarser one before it."""
    image, pane = Shown("", 1, SIDE_PX, SIDE_PX), Pane(1000, 500)
    assert list(tiles_of_view(View(2000, 2000, 1.0), image, pane)) == [
        *((11, col, row) for row in (1, 2) for col in (1, 2)),
        *((12, col, row) for row in (3, 4) for col in (2, 3, 4)),
    ]
    whole = list(tiles_of_view(overview(image, pane), image, pane))
    assert whole == [(8, 0, 0), (9, 0, 0)]


def test_whole_next_image_is_warmed() -> None:
    """First view, minimap, and all that is finer: as the page does."""
    tiles = list(warm_tiles(Shown("", 1, SIDE_PX, SIDE_PX), Pane()))
    assert len(tiles) == len(set(tiles)) == 4 + 1 + 16 + 64
    assert {level for level, _, _ in tiles} == {8, 10, 11, 12}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"accuracy": 1.0}, "accuracy is a share"),
        ({"accuracy": 0.9, "guided_gain": 0.2}, "accuracy of the guided pool"),
        ({"annotator_sd": -1}, "annotator_sd is from 0 to 10"),
        ({"missed": 0.8, "misread": 0.3}, "together at most 1"),
    ],
)
def test_impossible_crowd_gets_one_sentence(values: dict[str, float], said: str) -> None:
    """Which says what is allowed."""
    with pytest.raises(InvalidValueError, match=said):
        Crowd(**values)
