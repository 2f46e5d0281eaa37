"""Rules of exclusion: what they read, refuse, and say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.exclusions import ExclusionRules
from umnist_core.labeling.records import StudySpec


def test_rules_come_back_from_json_as_they_went() -> None:
    """Writing and reading change no threshold, on or off."""
    rules = ExclusionRules(too_fast_s=3.5, same_answer=None, least_answers=8)
    assert ExclusionRules.from_dict(rules.to_dict()) == rules
    assert ExclusionRules.from_dict({"same_answer": False}).same_answer is None


def test_a_rule_says_its_threshold_and_why() -> None:
    """Each rule that is on has a sentence with its threshold, and a reason."""
    rules = ExclusionRules(too_fast_s=7.25, little_seen=0.031, mostly_hidden=None)
    by_name = {rule.name: rule for rule in rules.rules}
    assert "7.25 s" in by_name["too_fast_s"].sentence
    assert "3.1 %" in by_name["little_seen"].sentence
    assert "mostly_hidden" not in by_name
    assert all(rule.reason for rule in rules.rules)
    assert len(rules.sentences) == 1 + len(rules.rules) > 5
    assert ExclusionRules.none().sentences == ("Nobody is excluded.",)


@pytest.mark.parametrize(
    "values",
    [
        {"too_fast_s": -1},
        {"too_fast_s": True},
        {"same_answer": float("nan")},
        {"little_seen": "half"},
        {"same_in_a_row": 1},
        {"least_answers": 0},
        {"least_answers": 2.5},
        {"wrong_answers": 0.5},
    ],
)
def test_a_rule_that_cannot_be_is_refused(values: dict[str, object]) -> None:
    """A threshold out of range, of another kind, or of a rule that is none is refused by name."""
    with pytest.raises(InvalidValueError, match=next(iter(values))):
        ExclusionRules.from_dict(values)


def test_rules_are_a_setting_only_where_they_were_fixed() -> None:
    """A study without them is written as before; one with them reads back the same."""
    plain = StudySpec(name="Plain")
    assert "exclusions" not in plain.to_dict()
    fixed = StudySpec(name="Fixed", exclusions=ExclusionRules(too_fast_s=9))
    assert StudySpec.from_log(fixed.to_dict()) == fixed
    assert StudySpec.from_dict(fixed.to_dict()) == fixed


def test_a_rule_that_came_later_than_a_study_is_none_of_its_rules() -> None:
    """What a log does not name stays off, while a file of settings gets the default."""
    spec = {**StudySpec(name="Old").to_dict(), "exclusions": {"too_fast_s": 4}}
    assert StudySpec.from_log(spec).exclusions == replace(ExclusionRules.none(), too_fast_s=4)
    assert StudySpec.from_dict(spec).exclusions == ExclusionRules(too_fast_s=4)


def test_a_study_of_oneself_excludes_nobody() -> None:
    """Its one person can be left out by no rule."""
    with pytest.raises(InvalidValueError, match="exclusions"):
        StudySpec(
            name="Me",
            is_self=True,
            pools=("guided",),
            practice=0,
            stimuli=20,
            images_per_annotator=20,
            exclusions=ExclusionRules(),
        )
