"""Where a person stands in a study, worked out from its state."""

from __future__ import annotations

from umnist_core.labeling.state import LABEL, Annotator, Assignment, StudyState
from umnist_core.labeling.views import AnnotatorView, GivenView, Progress, TrialView


def phase_of(state: StudyState, person: Annotator) -> str:
    """Return the phase that `AnnotatorView` names."""
    if person.answered and len(person.answered) >= total_of(state, person):
        return "done"
    if state.status == "closed":
        return "closed"
    if not person.is_consented:
        return "consent"
    if not person.has_begun:
        return "instructions"
    if len(person.practised) < len(state.practice):
        return "practice"
    return "paused" if state.status == "paused" else "trial"


def total_of(state: StudyState, person: Annotator) -> int:
    """Return how many images a person is to answer."""
    return state.spec.images_per_annotator + state.spec.repeats


def annotator_view(
    state: StudyState, study: str, person: Annotator, link_token: str, code: str
) -> AnnotatorView:
    """Return where a person stands.

    Parameters
    ----------
    link_token, code
        The person's own, which the state does not hold.
    """
    phase = phase_of(state, person)
    open_now = [one for one in person.assignments if one.is_open]
    if phase == "trial" and not open_now:
        # Every image has its answers, or somebody at work on the last of them.
        phase = "done"
    is_working = phase == "trial"
    done = len(person.answered)
    practice = [image.id for image in state.practice if image.id not in person.practised]
    view = AnnotatorView(
        study=study,
        annotator=person.id,
        pool=person.pool,
        phase=phase,
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
        code=code if phase == "done" else None,
        link_token=link_token,
        sizes={},
    )
    view.sizes.update(_sizes(state, view))
    return view


def _trial(open_now: list[Assignment], place: int, done: int) -> TrialView | None:
    if len(open_now) <= place:
        return None
    return TrialView(open_now[place].id, done + place + 1)


def _previous(state: StudyState, person: Annotator, phase: str) -> GivenView | None:
    if not state.spec.allow_change or not person.answered or phase not in ("trial", "done"):
        return None
    if state.status == "closed":
        return None
    one = person.answered[-1]
    last = one.given[-1]
    return GivenView(one.id, len(person.answered), last.answer, last.confidence, last.digits)


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
