"""Watching: rules catch whom they are for and spare the honest, and nothing tells of the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.labeling.conducts import conducts, honest
from tests.labeling.making import Clock, answer_all, come_in, open_small, post
from umnist_core.labeling.conduct import flags_of
from umnist_core.labeling.exclusions import ExclusionRules
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.watching import Watcher

PEOPLE, SOME = 500, 8
MOST_HONEST = 0.01
"""Share of honest people that docs/studies.md says are caught at most."""


def caught(deed: Any, people: int = SOME) -> list[set[str]]:
    """Return the rules that catch each of the people who do one thing."""
    return [
        {flag.rule.name for flag in flags_of(one, ExclusionRules())}
        for one in conducts(people, deed)
    ]


def click_at_random(body: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Answer anything after a glance at the whole image."""
    response = body["response"]
    first = response["parts"][0]["samples"][:1]
    end_ms = float(rng.uniform(700, 2500))
    response.update(response_ms=end_ms, parts=[{"samples": first, "end_ms": end_ms}])
    return {**body, "answer": int(rng.integers(28))}


def always_answer_nine(body: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Look as others do, and answer 9."""
    return {**body, "answer": 9}


def never_zoom(body: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Look at the whole image for as long as others look closer."""
    part = body["response"]["parts"][0]
    part["samples"] = part["samples"][:1]
    return body


def hide_the_page(body: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Be elsewhere for four fifths of the time."""
    response = body["response"]
    response["hidden_ms"] = 4 * response["response_ms"]
    response["response_ms"] *= 5
    return body


def send_no_view(body: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Answer by a program that knows the address and no page."""
    body["response"]["parts"] = []
    return body


def use_a_watch(body: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Work on a screen of 198 CSS px."""
    body["response"]["device"]["screen"] = [198, 242]
    return body


@pytest.mark.parametrize(
    ("deed", "rule"),
    [
        (click_at_random, "too_fast_s"),
        (never_zoom, "never_close"),
        (always_answer_nine, "same_answer"),
        (always_answer_nine, "same_in_a_row"),
        (hide_the_page, "mostly_hidden"),
        (send_no_view, "no_view"),
        (use_a_watch, "small_screen_px"),
    ],
)
def test_each_rule_catches_whom_it_is_for(deed: Any, rule: str) -> None:
    """All people who do it, and for nothing else than what they do."""
    expected = {rule}
    if deed is click_at_random:
        expected = {"too_fast_s", "never_close"}
    if deed is always_answer_nine:
        expected = {"same_answer", "same_in_a_row"}
    assert caught(deed) == [expected] * SOME


def test_little_seen_catches_who_sees_too_few_pixels_once_it_is_set() -> None:
    """Off unless set; set, it catches people who never come to a legible zoom."""
    rules = ExclusionRules(little_seen=0.02)
    for one in conducts(5, never_zoom):
        assert "little_seen" in {flag.rule.name for flag in flags_of(one, rules)}


def test_hardly_any_honest_person_is_caught() -> None:
    """Of 500 simulated people, desks and phones, at most the share that the documents state."""
    flagged = sum(bool(found) for found in caught(honest, PEOPLE))
    assert flagged <= MOST_HONEST * PEOPLE


def test_nobody_is_judged_by_few_answers() -> None:
    """With one answer less than the rules ask for there is no flag."""
    (one,) = conducts(1, always_answer_nine)
    rules = ExclusionRules(least_answers=one.answers)
    assert flags_of(one, rules)
    assert not flags_of(one, ExclusionRules(least_answers=one.answers + 1))


def _watched_study(folder: Path, clock: Clock) -> tuple[Any, str]:
    service, study = open_small(folder, MemoryLog(), now=clock, allow_change=True)
    for _ in range(2):
        answer_all(service, study, come_in(service, study))
    return service, study


def test_watching_cannot_tell_the_truth(tmp_path: Path) -> None:
    """With the truths of all images exchanged, everything that is watched stays the same."""
    service, study = _watched_study(tmp_path, Clock())
    before = Watcher(service).watch(study)
    truth = service.log.read_truth(study)
    shuffled = dict(zip(truth, [*truth.values()][1:] + [*truth.values()][:1], strict=True))
    assert shuffled != truth
    service.log._studies[study].truth = shuffled
    assert Watcher(service).watch(study) == before
    service.log._studies[study].truth = {}
    assert Watcher(service).watch(study) == before


def test_watching_follows_answers_changes_and_erasures(tmp_path: Path) -> None:
    """What is watched after each equals what a new watcher sees; of the erased nothing is kept."""
    clock = Clock()
    service, study = _watched_study(tmp_path, clock)
    watcher = Watcher(service)
    assert [one.conduct.answers for one in watcher.watch(study).people] == [3, 3]
    me = come_in(service, study)
    clock.pass_(minutes=3)
    answer_all(service, study, me)
    last = service.state(study).annotators[me].answered[-1].id
    service.answer(study, me, post(last, 20))
    found = watcher.watch(study)
    assert found == Watcher(service).watch(study)
    mine = watcher.person(study, me)
    assert [shown.answer for shown, _ in mine.conduct.images] == [9, 9, 20]
    assert mine.last_utc == clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    service.erase(study, me)
    assert len(watcher.watch(study).people) == 2
    assert me not in str(vars(watcher))


def test_figures_of_one_person_are_those_of_their_answers(tmp_path: Path) -> None:
    """Median time, run, share, zoom and area, worked out by hand."""
    service, study = _watched_study(tmp_path, Clock())
    one = Watcher(service).watch(study).people[0].conduct
    # 5 s each at zoom 1.5 in a pane of 700 x 500, which holds 467 x 333 of 512 x 512 px.
    assert (one.answers, one.median_s, one.longest_run, one.most_common_share) == (3, 5.0, 3, 1.0)
    assert (one.entropy_bits, one.deepest_zoom, one.untraced) == (0.0, 1.5, 0.0)
    assert one.median_seen == pytest.approx(467 / 512 * 333 / 512, abs=0.02)
    assert (one.device.shorter_px, one.device.touch) == (900.0, "no")
