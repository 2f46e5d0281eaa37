"""Whom the rules of exclusion catch in a study that is read, and which answers lack effort.

`umnist_core.labeling.watching` looks at a study while it runs; this is for its tables and results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from umnist_core.labeling.conduct import Conduct, ConductFold, Flag, Look, Showing, flags_of
from umnist_core.labeling.exclusions import ExclusionRules
from umnist_core.labeling.records import StudySpec
from umnist_core.scoring.effort import label_efforts
from umnist_core.scoring.looking import TracePart

if TYPE_CHECKING:
    from umnist_core.labeling.results import FoldedStudy

FIXED_BEFORE, CHOSEN_AFTER = "fixed_before", "chosen_after"
"""When the rules of exclusion were chosen: in the study's first event, or not at all, so that the
defaults are taken."""


@dataclass(frozen=True)
class JudgedPerson:
    """One person with the rules that catch them."""

    conduct: Conduct
    flags: tuple[Flag, ...]

    @property
    def names(self) -> str | None:
        """Names of the rules, with a space between; None if there are none."""
        return " ".join(flag.rule.name for flag in self.flags) or None


@dataclass(frozen=True)
class Judgement:
    """People of a study, and by which rules they were judged.

    Attributes
    ----------
    rules, chosen
        The rules, and `FIXED_BEFORE` or `CHOSEN_AFTER`.
    people
        Person -> conduct and flags.
    """

    rules: ExclusionRules
    chosen: str
    people: Mapping[str, JudgedPerson]

    @property
    def excluded(self) -> frozenset[str]:
        """People whom a rule catches."""
        return frozenset(name for name, one in self.people.items() if one.flags)


def rules_of(spec: StudySpec) -> tuple[ExclusionRules, str]:
    """Return the rules that a study is judged by, and when they were chosen.

    A study of oneself is judged by none.
    """
    if spec.is_self:
        return ExclusionRules.none(), CHOSEN_AFTER
    if spec.exclusions is not None:
        return spec.exclusions, FIXED_BEFORE
    return ExclusionRules(), CHOSEN_AFTER


def rules_words(spec: StudySpec) -> str:
    """Return when the rules by which people are excluded were chosen, in words."""
    if rules_of(spec)[1] == FIXED_BEFORE:
        return "fixed in the first event, before anybody came"
    return "none fixed; excluded is by umnist's defaults, chosen after"


def judge(folded: FoldedStudy, traces: Mapping[int, Sequence[TracePart]]) -> Judgement:
    """Return whom the rules catch.

    Parameters
    ----------
    folded
        A study.
    traces
        ``seq`` of an answer's event -> its trace.
    """
    rules, chosen = rules_of(folded.state.spec)
    fold = ConductFold(folded.events)

    def look(one: Showing) -> Look:
        return fold.look(one, [part for seq in one.seqs for part in traces.get(seq, ())])

    people = {}
    for name in folded.state.annotators:
        conduct = fold.conduct(name, look)
        people[name] = JudgedPerson(conduct, flags_of(conduct, rules))
    return Judgement(rules, chosen, people)


def with_judgement(
    answers: pd.DataFrame, digits: pd.DataFrame, judgement: Judgement
) -> pd.DataFrame:
    """Return answers with the columns ``effort`` and ``excluded``.

    Parameters
    ----------
    answers, digits
        Of `umnist_core.labeling.results`.
    """
    excluded = answers["annotator"].isin(judgement.excluded).astype(bool)
    return answers.assign(effort=label_efforts(answers, digits), excluded=excluded)


def person_columns(judgement: Judgement, annotator: str) -> dict[str, Any]:
    """Return the columns of one person that follow from how they work."""
    one = judgement.people[annotator]
    conduct = one.conduct
    return {
        "median_s": conduct.median_s,
        "deepest_zoom": conduct.deepest_zoom,
        "median_closer": conduct.median_closer,
        "median_seen": conduct.median_seen,
        "untraced": conduct.untraced,
        "most_common_share": conduct.most_common_share,
        "longest_run": conduct.longest_run,
        "entropy_bits": conduct.entropy_bits,
        "median_hidden": conduct.median_hidden,
        "screen_px": conduct.screen_px,
        "flags": one.names,
        "excluded": bool(one.flags),
        "exclusion_rules": judgement.chosen,
    }
