"""A preregistration laid beside what was done: what was planned, what came, and whether it fits.

Everything is read from the log, of which the promise is the first event, so nobody has to keep a
list. What no log can know, such as a look into the database itself, is said to be unknown.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

from umnist_core.labeling.asking_events import ConsentAmended
from umnist_core.labeling.events import INVITED_PERSON, ResultsSeen, StudyClosed
from umnist_core.labeling.people import is_labelled
from umnist_core.labeling.preregistration import (
    ACCURACY,
    ANALYSES,
    PAIRED,
    THRESHOLD,
    Preregistration,
)
from umnist_core.labeling.results import FoldedStudy
from umnist_core.labeling.state import Annotator
from umnist_core.labeling.threshold_table import pool_thresholds, thresholds_of
from umnist_core.scoring import StudyReport
from umnist_core.scoring.intervals import Interval
from umnist_core.spreadsheets import csv_text

AS_PLANNED, DIFFERENT, UNDER_WAY = "as planned", "different", "under way"


@dataclass(frozen=True)
class PlannedAndDone:
    """One thing that was promised.

    Attributes
    ----------
    what
        It is about.
    planned, done
        A sentence each, or a number.
    verdict
        ``"as planned"``, ``"different"``, or ``"under way"`` while the study is not closed.
    """

    what: str
    planned: str
    done: str
    verdict: str


@dataclass(frozen=True)
class Seal:
    """What names a preregistration.

    Attributes
    ----------
    sha256
        Of its text.
    sealed_utc
        When the first event of the study was logged, which has it; ISO 8601 in UTC.
    event_hash
        Of that event; everything that came later is chained to it.
    """

    sha256: str
    sealed_utc: str
    event_hash: str


def seal_of(folded: FoldedStudy) -> Seal | None:
    """Return what names a study's preregistration; None where it has none."""
    promised = folded.state.spec.promised
    if promised is None:
        return None
    first = folded.events[0]
    return Seal(promised.sha256, first.time_utc, first.hash)


def compare_with_plan(
    folded: FoldedStudy, report: StudyReport | None = None
) -> list[PlannedAndDone]:
    """Return what was planned beside what was done; nothing for a study without promises.

    Parameters
    ----------
    folded
        The study.
    report
        Its figures; without them the result of the analysis is left out.
    """
    promised = folded.state.spec.promised
    if promised is None:
        return []
    rows = [
        *(_people(folded, promised, pool) for pool in folded.state.spec.pools),
        *(_images(folded, pool) for pool in folded.state.spec.pools),
        *(_labels(folded, pool) for pool in folded.state.spec.pools),
        _consent(folded),
        _looks(folded),
        _end(folded, promised),
    ]
    if report is None:
        return rows
    return [*rows, _exclusions(folded, report), _analysis(folded, promised, report)]


def comparison_csv(rows: list[PlannedAndDone]) -> str:
    """Return the comparison as a table."""
    return csv_text(("what", "planned", "done", "verdict"), [asdict(row) for row in rows])


def preregistration_files(folded: FoldedStudy, report: StudyReport) -> dict[str, bytes]:
    """Return what an export has of a preregistration: its text, and planned beside done."""
    promised, seal = folded.state.spec.promised, seal_of(folded)
    if promised is None or seal is None:
        return {}
    rows = compare_with_plan(folded, report)
    whole = {"seal": asdict(seal), "rows": [asdict(row) for row in rows]}
    return {
        "preregistration.md": promised.text.encode(),
        "planned_and_done.json": f"{json.dumps(whole, indent=1)}\n".encode(),
        "planned_and_done.csv": comparison_csv(rows).encode(),
    }


def _verdict(folded: FoldedStudy, *, is_kept: bool) -> str:
    if folded.state.status != "closed":
        return UNDER_WAY
    return AS_PLANNED if is_kept else DIFFERENT


def _given(folded: FoldedStudy, pool: str) -> dict[str, int]:
    """Return person -> labels, of those in a pool who gave any."""
    people = (one for one in folded.state.annotators.values() if one.pool == pool)
    labels = {one.id: _labels_of(one) for one in people}
    return {name: number for name, number in labels.items() if number}


def _labels_of(person: Annotator) -> int:
    return sum(map(is_labelled, person.assignments))


def _people(folded: FoldedStudy, promised: Preregistration, pool: str) -> PlannedAndDone:
    given = _given(folded, pool)
    origins = Counter(folded.state.annotators[name].origin for name in given)
    others = [f"{n} {name}" for name, n in sorted(origins.items()) if name != INVITED_PERSON]
    done = f"{len(given)}" + (f", of them {', '.join(others)}" if others else "")
    is_kept = len(given) == promised.people and not others
    return PlannedAndDone(
        f"People, {pool}", str(promised.people), done, _verdict(folded, is_kept=is_kept)
    )


def _images(folded: FoldedStudy, pool: str) -> PlannedAndDone:
    each = folded.state.spec.images_per_annotator
    given = _given(folded, pool)
    fewer = sorted(number for number in given.values() if number != each)
    done = f"{each} from {len(given) - len(fewer)} of {len(given)} people" if given else "none"
    if fewer:
        done += f"; {fewer[0]} to {fewer[-1]} from {len(fewer)}"
    verdict = _verdict(folded, is_kept=bool(given) and not fewer)
    return PlannedAndDone(f"Images for each person, {pool}", str(each), done, verdict)


def _labels(folded: FoldedStudy, pool: str) -> PlannedAndDone:
    target, labels = folded.state.spec.target_per_pool, folded.state.labels_in(pool)
    verdict = _verdict(folded, is_kept=target == labels)
    return PlannedAndDone(f"Labels, {pool}", f"{target:,}", f"{labels:,}", verdict)


def _consent(folded: FoldedStudy) -> PlannedAndDone:
    times = [one.time_utc for one in folded.events if one.kind == ConsentAmended.event_kind]
    done = f"{len(times)} later, the first at {times[0]}" if times else "That version alone"
    verdict = _verdict(folded, is_kept=not times)
    return PlannedAndDone("Versions of the consent", "The sealed one", done, verdict)


def _looks(folded: FoldedStudy) -> PlannedAndDone:
    times = [one.time_utc for one in folded.events if one.kind == ResultsSeen.event_kind]
    done = "None is logged"
    if times:
        done = f"{len(times)}, the first at {times[0]}"
    # A look cannot be taken back, so it is told at once and not at the end.
    verdict = DIFFERENT if times else _verdict(folded, is_kept=True)
    return PlannedAndDone("Looks at accuracies before the end", "None", done, verdict)


def _end(folded: FoldedStudy, promised: Preregistration) -> PlannedAndDone:
    times = [one.time_utc for one in folded.events if one.kind == StudyClosed.event_kind]
    state = folded.state
    is_full = not any(state.unfilled[pool] for pool in state.spec.pools)
    missing = sum(sum(state.unfilled[pool].values()) for pool in state.spec.pools)
    done = f"Closed at {times[-1]}" if times else "Not closed"
    done += ", every pool being full" if is_full else f", with {missing:,} labels missing"
    day = times[-1][:10] if times else ""
    is_kept = is_full if not promised.closes else _is_due(day, promised.closes, is_full=is_full)
    return PlannedAndDone("End", promised.stopping, done, _verdict(folded, is_kept=is_kept))


def _is_due(day: str, closes: str, *, is_full: bool) -> bool:
    return day <= closes if is_full else day == closes


def _exclusions(folded: FoldedStudy, report: StudyReport) -> PlannedAndDone:
    """Return whom the rules catch; figures are given with and without these people either way."""
    rules, out = folded.state.spec.exclusions, report.without_excluded
    caught = "Nobody"
    if out is not None:
        people = "1 person" if out.people == 1 else f"{out.people} people"
        caught = f"{people} with {out.labels} labels"
    if rules is None:  # everybody counts, and the reading by the usual rules is no plan's
        planned, done = "No rule", "Nobody is left out"
        if out is not None:
            done += f"; the usual rules, chosen later, would catch {caught}"
    else:
        number = len(rules.rules)
        planned = f"{number} rule{'' if number == 1 else 's'}, fixed in the first event"
        done = f"{caught} left out of the second reading"
    return PlannedAndDone("Exclusions", planned, done, _verdict(folded, is_kept=True))


def _analysis(
    folded: FoldedStudy, promised: Preregistration, report: StudyReport
) -> PlannedAndDone:
    done, is_known = (
        _thresholds(folded)
        if promised.analysis == THRESHOLD
        else _result(promised.analysis, report)
    )
    verdict = _verdict(folded, is_kept=is_known)
    return PlannedAndDone("Primary analysis", ANALYSES[promised.analysis], done, verdict)


def _thresholds(folded: FoldedStudy) -> tuple[str, bool]:
    """Return the mean threshold of each pool, and whether there is one."""
    found = [
        f"{pool}: {one.px:.1f} px ({one.low:.1f} to {one.high:.1f})"
        for pool, one in pool_thresholds(thresholds_of(folded)).items()
        if not isnan(one.low)
    ]
    return "; ".join(found) or "It could not be computed", bool(found)


def _result(analysis: str, report: StudyReport) -> tuple[str, bool]:
    """Return what the analysis found, and whether it could be computed."""
    if analysis == ACCURACY:
        found = [f"{one.pool}: {_points(one.reported)}" for one in report.pools if one.labels]
        return "; ".join(found) or "No answers", bool(found)
    if analysis == PAIRED:
        interval = report.difference.paired
        low, high = 100 * interval.low, 100 * interval.high
        told = f"{100 * interval.estimate:.1f} points ({low:.1f} to {high:.1f})"
    else:
        effect = report.mixed.effect("guided")
        if effect is None:
            return "It could not be computed", False
        low, high = effect.low, effect.high
        told = f"{effect.log_odds:.2f} logits ({low:.2f} to {high:.2f})"
    if isnan(low) or isnan(high):
        return "It could not be computed", False
    return f"{told}: {'found' if low > 0 or high < 0 else 'not found'}", True


def _points(interval: Interval) -> str:
    low, high = 100 * interval.low, 100 * interval.high
    return f"{100 * interval.estimate:.1f} % ({low:.1f} to {high:.1f})"


def about_preregistration(
    folded: FoldedStudy, report: StudyReport | None = None
) -> dict[str, Any] | None:
    """Return all of a study's preregistration for JSON; parameters as of `compare_with_plan`."""
    promised, seal = folded.state.spec.promised, seal_of(folded)
    if promised is None or seal is None:
        return None
    rows = [asdict(row) for row in compare_with_plan(folded, report)]
    return {**promised.to_dict(), **asdict(seal), "rows": rows}
