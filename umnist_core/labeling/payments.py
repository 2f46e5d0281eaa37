"""Who is paid what, and whose id is whose: tables that are written when they are asked for alone.

No table of answers has an id of a site; these have, and are for whoever pays. Amounts are exact
decimals, in the currency that the study names.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from umnist_core.errors import InvalidValueError
from umnist_core.labeling.events import INVITED_PERSON, Answered
from umnist_core.labeling.people import code_of, outcome_of
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.state import Annotator, StudyState
from umnist_core.spreadsheets import csv_text

_CENT = Decimal("0.01")

PAY_COLUMNS = (
    *("person", "annotator", "outcome", "code", "answered", "minutes", "minutes_active"),
    *("currency", "base_pay", "bonus", "total"),
)


@dataclass(frozen=True)
class Payment:
    """What somebody is to be paid.

    Attributes
    ----------
    annotator, person
        Who it is here, and by the id of the site that sent them; empty for none.
    outcome, code
        How their part ended and the code that they were given; empty where it goes on.
    answered
        Images that have an answer, repetitions included.
    minutes, minutes_active
        From joining to the last answer; at work on images, pauses left out.
    base_pay, bonus
        Amounts; both 0 for somebody whose part goes on.
    """

    annotator: str
    person: str
    outcome: str
    code: str
    answered: int
    minutes: float
    minutes_active: float
    base_pay: Decimal
    bonus: Decimal


def payments_of(service: StudyService, study: str) -> list[Payment]:
    """Return what the invited people of a study are to be paid, in the order of their joining.

    Somebody whose part goes on is paid nothing yet, and nothing is said of their answers.

    Raises
    ------
    NotFoundError, StoreError
        As of `umnist_core.labeling.service.StudyService.state`.
    """
    state = service.state(study)
    people = tuple(state.annotators.values())
    recruiting = state.spec.recruiting or Recruiting()
    active_ms = _active_ms(service, study)
    truth = service.log.read_truth(study) if recruiting.bonus_rule == "each_right" else {}
    sums = {stimulus: json.loads(text)["label"] for stimulus, text in truth.items()}
    codes = {row.annotator: row.code for row in service.annotators(study)}
    return [
        Payment(
            annotator=one.id,
            person=service.ids(study, one.id).get(recruiting.person_id, ""),
            outcome=outcome_of(state, one) or "",
            code=code_of(state, one, codes.get(one.id) or "") or "",
            answered=one.done,
            minutes=_minutes(one),
            minutes_active=round(active_ms[one.id] / 60_000, 1),
            base_pay=_money(recruiting.pay.get(outcome_of(state, one) or "", 0)),
            bonus=_bonus(state, one, recruiting, sums),
        )
        for one in people
        if one.origin == INVITED_PERSON
    ]


def pay_table(service: StudyService, study: str, payments: Sequence[Payment] | None = None) -> str:
    """Return everybody's payment as CSV; errors as `payments_of`.

    Parameters
    ----------
    payments
        As `payments_of` returned them; read now when None.
    """
    recruiting = service.state(study).spec.recruiting or Recruiting()
    payments = payments_of(service, study) if payments is None else payments
    rows = [
        {
            **vars(one),
            "currency": recruiting.currency,
            "total": one.base_pay + one.bonus,
        }
        for one in payments
    ]
    return csv_text(PAY_COLUMNS, rows)


def bonus_lines(
    service: StudyService, study: str, payments: Sequence[Payment] | None = None
) -> str:
    """Return the bonuses as Prolific takes them: a line for each person, id and amount.

    Parameters
    ----------
    payments
        As of `pay_table`.

    Raises
    ------
    InvalidValueError
        If the study pays no bonus, or asks for no id by which somebody could be paid.
    NotFoundError, StoreError
        As `payments_of`.
    """
    recruiting = service.state(study).spec.recruiting or Recruiting()
    if recruiting.bonus_rule == "none" or not recruiting.person_id:
        raise InvalidValueError(
            "This study has no bonus, or takes no id by which people could be paid; the table of "
            "payments has everybody."
        )
    payments = payments_of(service, study) if payments is None else payments
    paid = [one for one in payments if one.person and one.bonus]
    return "".join(f"{one.person},{one.bonus}\n" for one in paid)


def id_table(service: StudyService, study: str) -> str:
    """Return as CSV what each person's link carried; those whose link carried nothing are not in.

    Raises
    ------
    NotFoundError, StoreError
        As `payments_of`.
    """
    state = service.state(study)
    names = () if state.spec.recruiting is None else state.spec.recruiting.ids
    rows = [
        {"annotator": one, **service.ids(study, one)}
        for one in tuple(state.annotators)
        if one in state.recruits.people
    ]
    return csv_text(("annotator", *names), rows)


def _active_ms(service: StudyService, study: str) -> Counter[str]:
    active: Counter[str] = Counter()
    for event in service.log.read(study):
        if event.kind == Answered.event_kind and event.payload is not None:
            response: Mapping[str, Any] = event.payload["response"]
            active[event.payload["annotator"]] += round(response.get("active_ms") or 0)
    return active


def _minutes(person: Annotator) -> float:
    times = [given.time_utc for one in person.assignments for given in one.given]
    if not times:
        return 0.0
    began, ended = (datetime.fromisoformat(one) for one in (person.joined_utc, max(times)))
    return round((ended - began).total_seconds() / 60, 1)


def _bonus(
    state: StudyState, person: Annotator, recruiting: Recruiting, sums: Mapping[str, int]
) -> Decimal:
    if recruiting.bonus_rule == "none" or outcome_of(state, person) is None:
        return _money(0)
    answered = person.answered
    if recruiting.bonus_rule == "each_right":
        answered = [one for one in answered if one.given[-1].answer == sums[one.stimulus]]
    bonus = _money(recruiting.bonus) * len(answered)
    return min(bonus, _money(recruiting.bonus_max)) if recruiting.bonus_max else bonus


def _money(amount: float) -> Decimal:
    # Through its text: 0.1 is meant to be a tenth.
    return Decimal(str(amount)).quantize(_CENT)


def totals_of(payments: Sequence[Payment]) -> tuple[Decimal, Decimal]:
    """Return all base pay and all bonuses."""
    base = sum((one.base_pay for one in payments), Decimal(0))
    return base, sum((one.bonus for one in payments), Decimal(0))
