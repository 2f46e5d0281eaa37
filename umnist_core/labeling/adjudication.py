"""What the owners of a study settle of its labels, as an event and what follows from it.

A decision is the lab's own and says whose answers it took; the last one of an image counts, and
all are in the log.
"""

from __future__ import annotations

from collections.abc import Sequence

from umnist_core.errors import InvalidValueError, NotFoundError, RefusedError
from umnist_core.labeling import decisions
from umnist_core.labeling.boxes import (
    check_sum_of_boxes,
    check_within,
    read_boxes,
    sum_of_boxes,
)
from umnist_core.labeling.events import Adjudicated, Answered
from umnist_core.labeling.ledger import Ledger
from umnist_core.labeling.log import Draft
from umnist_core.labeling.people import is_labelled
from umnist_core.labeling.recorded import check_sum
from umnist_core.labeling.state import Assignment, StudyState


class Adjudicating(Ledger):
    """The part of `umnist_core.labeling.service.StudyService` that settles labels."""

    def adjudicate(
        self,
        study: str,
        stimulus: str,
        answer: int | None = None,
        *,
        boxes: object = None,
        took: Sequence[str] = (),
    ) -> None:
        """Settle what an image's label is; it is on disk when this returns.

        Parameters
        ----------
        study, stimulus
            Which image.
        answer
            The sum; counted where boxes are given.
        boxes
            Of its digits, as an answer has them; of a study that asks for boxes.
        took
            People whose answer it is; nobody where it is another.

        Raises
        ------
        InvalidValueError
            If the answer is no sum, boxes are missing, given in vain, none or outside of the
            image, or somebody whose answer it took gave another.
        NotFoundError
            If there is no such study, image or person.
        RefusedError
            ``closed``, or ``truth`` if the truth of the images is known.
        StoreError
            If the store cannot be written.
        """
        drawn = read_boxes("boxes", boxes)
        if drawn is None:
            total = check_sum(answer)
        else:
            total = sum_of_boxes(drawn) if answer is None else answer
            check_sum_of_boxes(total, drawn)
        kept = None if drawn is None else list(drawn)
        people = sorted(set(took))
        self._settle(study, Adjudicated(stimulus=stimulus, answer=total, took=people, boxes=kept))

    def take_label(self, study: str, stimulus: str, person: str) -> None:
        """Settle that an image's label is what one person said; errors as `adjudicate`."""
        state = self.state(study)
        one = find_said(state, stimulus, person)
        seq = one.given[-1].seq
        event = next(event for event in self.log.read(study, seq - 1) if event.seq == seq)
        fact = Answered.read(event.payload)
        self.adjudicate(study, stimulus, fact.answer, boxes=fact.boxes, took=[person])

    def reopen(self, study: str, stimulus: str) -> None:
        """Take back what was settled of an image; errors as `adjudicate`."""
        self._settle(study, Adjudicated(stimulus=stimulus, answer=None, took=[]))

    def _settle(self, study: str, fact: Adjudicated) -> None:
        def decide(state: StudyState, now: str) -> Sequence[Draft]:
            decisions.check_not_closed(state)
            _check_is_for_data(state)
            if fact.stimulus not in state.slots[state.spec.pools[0]]:
                raise NotFoundError(f"Study {study} has no image {fact.stimulus[:40]!r}.")
            if fact.answer is not None:
                decisions.check_asked(state, fact.boxes)
                check_within(fact.boxes or (), state.sizes[fact.stimulus])
            _check_took(state, fact)
            before = state.rulings.get(fact.stimulus)
            is_same = before is None if fact.answer is None else before == fact
            return [] if is_same else [fact.draft()]

        self._change(study, decide)


def _check_is_for_data(state: StudyState) -> None:
    if state.spec.has_truth:
        raise RefusedError(
            "The truth of this study's images is known, so there is nothing to settle; labels are "
            "settled of a study of images without truth.",
            "truth",
        )


def _check_took(state: StudyState, fact: Adjudicated) -> None:
    for person in fact.took:
        said = find_said(state, fact.stimulus, person).given[-1].answer
        if said != fact.answer:
            raise InvalidValueError(
                f"{person} said {said} of {fact.stimulus}, not {fact.answer}; take what was said, "
                "or name nobody."
            )


def find_said(state: StudyState, stimulus: str, person: str) -> Assignment:
    """Return a person's label of an image.

    Raises
    ------
    NotFoundError
        If there is none that counts.
    """
    known = state.annotators.get(person)
    for one in known.assignments if known else ():
        if one.stimulus == stimulus and is_labelled(one):
            return one
    raise NotFoundError(f"No person {person[:40]!r} has labelled the image {stimulus[:40]!r}.")
