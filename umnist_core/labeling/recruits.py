"""Where people of a study came from, as its log has it: ids of a site, and names of links.

The ids themselves are an attachment, which an export leaves out; the payload has keyed hashes of
them, which tell whoever lacks the server's secret nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from umnist_core.labeling.fact import Fact
from umnist_core.labeling.log import Claims, Event


@dataclass(frozen=True, kw_only=True)
class Recruited(Fact):
    """Somebody's link carried ids; the attachment has them, and takes the place of one before.

    Attributes
    ----------
    annotator
        Whose they are.
    person_hash
        Keyed hash of the id that says who it is; None where none does.
    ids_hash
        Keyed hash of all of them.
    """

    event_kind = "recruited"
    annotator: str
    person_hash: str | None
    ids_hash: str


@dataclass(frozen=True, kw_only=True)
class LinkNamed(Fact):
    """A link got a name, by which it can be opened too.

    Attributes
    ----------
    alias
        Id of the name.
    invite
        The link's.
    name
        As it was chosen; of a personal link, what is opened has an ending that is secret.
    token_hash
        SHA-256 of what stands in the address.
    """

    event_kind = "link_named"
    alias: str
    invite: str
    name: str
    token_hash: str

    def claims(self) -> Claims:
        """Return the name, which is a token like any other."""
        return Claims(invites=((self.token_hash, self.alias),))


@dataclass
class Recruit:
    """Somebody who brought ids: the number of the last event that has them, and of how many."""

    seq: int
    person_hash: str | None
    ids_hash: str
    times: int = 1


@dataclass
class Recruits:
    """Where the people of a study came from.

    Attributes
    ----------
    people
        Annotator -> what they brought.
    annotators
        Keyed hash of a person's id -> annotator.
    aliases
        Id of a name -> its link and the name.
    """

    people: dict[str, Recruit] = field(default_factory=dict)
    annotators: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, tuple[str, str]] = field(default_factory=dict)

    def take(self, event: Event, fact: Recruited) -> None:
        """Take in that somebody brought ids."""
        before = self.people.get(fact.annotator)
        times = before.times + 1 if before else 1
        self.people[fact.annotator] = Recruit(event.seq, fact.person_hash, fact.ids_hash, times)
        if fact.person_hash is not None:
            self.annotators.setdefault(fact.person_hash, fact.annotator)

    def name(self, fact: LinkNamed) -> None:
        """Take in that a link got a name."""
        self.aliases[fact.alias] = (fact.invite, fact.name)

    def link_of(self, invite_or_alias: str) -> str:
        """Return the link that is meant, by its own id or by that of a name."""
        return self.aliases.get(invite_or_alias, (invite_or_alias, ""))[0]

    def name_of(self, invite: str) -> tuple[str, str] | None:
        """Return id and name of the last name that a link got; None if it has none."""
        names = [(alias, name) for alias, (of, name) in self.aliases.items() if of == invite]
        return names[-1] if names else None


def is_ids(event: Event) -> bool:
    """Whether the attachment of an event is ids, which an export leaves out."""
    return event.kind == Recruited.event_kind


def ids_of_text(text: str | None) -> Mapping[str, str]:
    """Return the ids of an attachment; none where it came from elsewhere without."""
    ids: dict[str, str] = {} if text is None else json.loads(text)["ids"]
    return ids
