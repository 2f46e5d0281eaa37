"""What every kind of event is: a class with what it claims, and the only maker of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from umnist_core.labeling.log import Claims, Draft


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What an event says happened.

    Attributes
    ----------
    event_kind
        What its kind is called in the log.
    quiet
        Fields that are left out of the payload where they have their default: those that came
        later than the kind, so that what has none of them is logged as it was before.
    """

    event_kind: ClassVar[str]
    quiet: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def read(cls, payload: Mapping[str, Any] | None) -> Self:
        """Return what a payload says; nothing where it is erased.

        A field that it lacks has its default, or raises `AttributeError` when it is asked for:
        whoever verifies or saves a damaged log reads what is there.
        """
        fact = cls.__new__(cls)
        stored = payload or {}
        fields = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        vars(fact).update(fields)
        return fact

    def payload(self) -> dict[str, Any]:
        """Return what is logged; of a fact that was read, what was there."""
        values = dict(vars(self))
        for name in self.quiet:
            if name in values and values[name] == self.__dataclass_fields__[name].default:
                del values[name]
        return values

    def draft(self, subject: str | None = None, attachment: str | None = None) -> Draft:
        """Return it as an event without a place; for parameters see `Draft`."""
        return Draft(self.event_kind, self.payload(), subject, attachment)

    def claims(self) -> Claims:
        """Return what it lays claim to; the store refuses what is taken already."""
        return Claims()
