"""Where a person stands in a study, worked out from its state.

A person's part ends in one of five ways (`OUTCOMES`), whatever the page or the table that
says so; until then the outcome is None.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from umnist_core.labeling.asked import is_break_due, is_gated, open_page, rest_left_s
from umnist_core.labeling.events import LABEL, REPEAT
from umnist_core.labeling.recruiting import redirect_of
from umnist_core.labeling.state import (
    QUOTA_FULL,
    SCREENED_OUT,
    WITHDRAWN,
    Annotator,
    Assignment,
    StudyState,
)
from umnist_core.labeling.views import (
    AnnotatorView,
    AskedView,
    GivenView,
    Held,
    Progress,
    TrialView,
)

COMPLETE = "complete"
ENDED_EARLY = "ended_early"

OUTCOMES = (COMPLETE, QUOTA_FULL, SCREENED_OUT, ENDED_EARLY, WITHDRAWN)
"""Every image answered; no place left for this person; not let in; ended by the study; by the
person."""

CHANGES_MAX = 5
"""Times that one answer can be changed: enough to mend a slip, too few to fill the store."""


def outcome_of(state: StudyState, person: Annotator) -> str | None:
    """Return how a person's part in the study ended, one of `OUTCOMES`; None if it goes on."""
    if person.outcome == WITHDRAWN:  # also by somebody who had answered every image
        return WITHDRAWN
    if person.done >= total_of(state, person):
        return COMPLETE
    if person.outcome is not None:
        return person.outcome
    if person.is_revoked:
        return ENDED_EARLY
    if _is_quota_full(state, person):
        return QUOTA_FULL
    return ENDED_EARLY if state.status == "closed" else None


def is_over(state: StudyState, person: Annotator) -> bool:
    """Whether nothing more is asked of a person."""
    return outcome_of(state, person) is not None


def has_code(state: StudyState, person: Annotator) -> bool:
    """Whether a person gets a completion code: their part is over and they answered an image.

    Or it ended in a way for which the study has a code of its own, whatever they answered. While
    questions are to be answered behind the last image, it is not over. This is the one rule, for
    what the person reads and for what researchers do.
    """
    if phase_of(state, person) != "done":
        return False
    return bool(person.labelled) or outcome_of(state, person) in _codes(state)


def code_of(state: StudyState, person: Annotator, own: str) -> str | None:
    """Return the completion code that a person gets; None for none.

    Parameters
    ----------
    own
        The person's, where the study has none for all who ended so.
    """
    if not has_code(state, person):
        return None
    return _codes(state).get(outcome_of(state, person) or "", own)


def _codes(state: StudyState) -> Mapping[str, str]:
    return {} if state.spec.recruiting is None else state.spec.recruiting.codes


def _is_quota_full(state: StudyState, person: Annotator) -> bool:
    """Whether every image is filled, but for those that the person has answered."""
    unfilled = state.unfilled[person.pool]
    if len(unfilled) > len(person.labelled) and not state.groups:
        return False
    if len(person.labelled) >= state.spec.images_per_annotator:
        return False  # what is left are repetitions, which need no place
    if any(one.kind == REPEAT and one.is_open for one in person.assignments):
        return False
    return next(images_left(state, person), None) is None


def images_left(state: StudyState, person: Annotator) -> Iterator[str]:
    """Yield the images with places that nobody has filled, and that a person could be given.

    With factors, of those cells alone of which the person has not had all.
    """
    unfilled = state.unfilled[person.pool]
    groups: Iterable[Collection[str]] = (unfilled,)
    if state.groups:
        each = state.spec.images_per_annotator // len(state.groups)
        groups = (names for names in state.groups if len(names & person.labelled) < each)
    for names in groups:
        yield from (one for one in names if one in unfilled and one not in person.labelled)


def phase_of(state: StudyState, person: Annotator) -> str:
    """Return the phase that `AnnotatorView` names."""
    if is_over(state, person):
        return _phase_behind(state, person)
    if not state.spec.is_self and (ahead := _phase_ahead(state, person)):
        return ahead  # whoever made it need not be asked
    if len(person.practised) < len(state.practice):
        return "practice"
    if state.status == "paused":
        return "paused"
    if is_break_due(state, person, total_of(state, person)):
        return "break"
    return "trial" if any(one.is_open for one in person.assignments) else "held"


def _phase_ahead(state: StudyState, person: Annotator) -> str | None:
    """Return the phase of somebody who may not see an image yet; None for others."""
    if not person.is_consented:
        return "consent"
    if open_page(state, person, "before"):
        return "questions"
    if not person.has_begun:
        return "instructions"
    return "gate" if is_gated(state, person) else None


def _phase_behind(state: StudyState, person: Annotator) -> str:
    """Return the phase of somebody who is asked for no image any more."""
    if state.status == "closed" or person.is_revoked or not person.labelled:
        return "done"
    is_asked = outcome_of(state, person) in (COMPLETE, QUOTA_FULL)
    if not is_asked or open_page(state, person, "after") is None:
        return "done"
    return "questions" if person.is_consented else "consent"


def page_of(state: StudyState, person: Annotator) -> str | None:
    """Return the id of the page of questions that is open for a person; None if none is."""
    if phase_of(state, person) != "questions":
        return None
    return open_page(state, person, "after" if is_over(state, person) else "before")


def total_of(state: StudyState, person: Annotator) -> int:
    """Return how many images a person is to answer."""
    return state.spec.images_per_annotator + state.spec.repeats


def annotator_view(
    state: StudyState,
    study: str,
    person: Annotator,
    now_utc: str,
    *,
    link_token: str,
    code: str,
    ids: Mapping[str, str] = MappingProxyType({}),
) -> AnnotatorView:
    """Return where a person stands.

    Parameters
    ----------
    now_utc
        Reservations that end before hold nothing any more.
    link_token, code
        The person's own, which the state does not hold.
    ids
        Those of the person's link.
    """
    phase = phase_of(state, person)
    open_now = [one for one in person.assignments if one.is_open]
    is_working = phase == "trial"
    done = person.done
    given = code_of(state, person, code)
    practice = [image.id for image in state.practice if image.id not in person.practised]
    view = AnnotatorView(
        study=study,
        annotator=person.id,
        pool=person.pool,
        phase=phase,
        outcome=outcome_of(state, person),
        spec=state.spec,
        progress=Progress(
            done=done,
            total=total_of(state, person),
            practice_done=len(person.practised),
            practice_total=len(state.practice),
        ),
        practice=TrialView(practice[0], len(person.practised) + 1) if phase == "practice" else None,
        trial=_trial(open_now, 0, done) if is_working else None,
        next=_trial(open_now, 1, done) if is_working else None,
        previous=_previous(state, person, phase),
        held=_held(state, person, now_utc) if phase == "held" else None,
        asked=_asked(state, person, phase, now_utc),
        origin=person.origin,
        code=given,
        redirect=(
            redirect_of(state.spec.recruiting, outcome_of(state, person), given, ids)
            if phase == "done"
            else None
        ),
        link_token=link_token,
        sizes={},
        sides_px=state.sides_px,
    )
    view.sizes.update(_sizes(state, view))
    return view


def _asked(state: StudyState, person: Annotator, phase: str, now_utc: str) -> AskedView:
    can_leave = not state.spec.is_self and person.outcome not in (WITHDRAWN, SCREENED_OUT)
    return AskedView(
        page=page_of(state, person),
        consent_version=state.consents[-1].version,
        agreed_version=person.asked.consent_version,
        gate_tries=person.asked.gate_tries,
        gate_wrong=person.asked.gate_wrong,
        rest_left_s=rest_left_s(state, person, now_utc) if phase == "break" else 0,
        can_withdraw=can_leave and state.status != "closed" and not person.is_revoked,
        can_erase=not state.spec.is_self,
    )


def _held(state: StudyState, person: Annotator, now_utc: str) -> Held:
    """Return what is left for somebody who waits, all of it with or for others."""
    slots = [
        slot
        for stimulus in images_left(state, person)
        for slot in state.slots[person.pool][stimulus]
        if not slot.is_filled
    ]
    open_now = sum(not slot.is_free(now_utc) for slot in slots)
    return Held(places=len(slots), open=open_now)


def _trial(open_now: list[Assignment], place: int, done: int) -> TrialView | None:
    if len(open_now) <= place:
        return None
    return TrialView(open_now[place].id, done + place + 1)


def _previous(state: StudyState, person: Annotator, phase: str) -> GivenView | None:
    if not state.spec.allow_change or not person.answered or phase not in ("trial", "held", "done"):
        return None
    if state.status == "closed" or outcome_of(state, person) in (ENDED_EARLY, WITHDRAWN):
        return None
    if is_debriefed(state, person):
        return None
    one = person.answered[-1]
    last = one.given[-1]
    number = person.done
    left = changes_left(one)
    return GivenView(one.id, number, last.answer, last.confidence, last.digits, left, last.boxes)


def is_debriefed(state: StudyState, person: Annotator) -> bool:
    """Whether somebody has been told what the study was about, so that no answer may follow."""
    return phase_of(state, person) == "done" and bool(state.spec.asking.debriefing.strip())


def changes_left(one: Assignment) -> int:
    """Return how many times an answer can still be changed, where changes are allowed."""
    return max(CHANGES_MAX + 1 - len(one.given), 0)


def _sizes(state: StudyState, view: AnnotatorView) -> dict[str, tuple[int, int]]:
    named = (view.practice, view.trial, view.next, view.previous)
    keys = [one.key for one in named if one is not None]
    stimuli = {
        key: state.assignments[key].stimulus if key in state.assignments else key for key in keys
    }
    return {key: state.sizes[stimulus] for key, stimulus in stimuli.items()}


def is_labelled(one: Assignment) -> bool:
    """Whether an assignment is an answer that counts as a label of the study."""
    return one.kind == LABEL and one.is_counted
