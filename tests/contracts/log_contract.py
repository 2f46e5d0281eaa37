"""What every store of studies promises (`umnist_core.labeling.log.EventLog`)."""

from __future__ import annotations

import dataclasses
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.creation_contract import CreationContract
from tests.contracts.log_events import (
    TIME,
    TRUTH,
    add,
    answered,
    append,
    assigned,
    chained,
    contents,
    create,
    created,
    erase,
    invited,
    joined,
)
from umnist_core.errors import (
    ClaimError,
    InvalidValueError,
    NotFoundError,
    SequenceError,
    StoreError,
)
from umnist_core.labeling.log import (
    FIRST_PREVIOUS,
    Claims,
    Draft,
    EventLog,
    StudyCopy,
    chain,
    sha256,
)
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.verify import verify_log

_numbers = itertools.count()

FIVE = (joined("ann"), joined("bob", "unguided"), assigned("a1", "ann"), assigned("b1", "bob"))

TAKEN: dict[str, Draft] = {
    "a person's other pool": joined("ann", "unguided"),
    "a person twice": joined("ann", "guided"),
    "an invitation's id": invited("i1", "another token"),
    "an invitation's token": invited("i2", "a token"),
    "an assignment": assigned("a1", "ann", 9),
    "a position": assigned("a9", "ann", 0),
    "an assignment for somebody who is not there": assigned("c1", "cleo"),
    "a key": answered("k1", "a1", "ann", slot=None),
    "an answer to an assignment that is not there": answered("k9", "c9", "ann", slot=None),
    "a filled place": answered("k9", "a1", "ann", slot=0),
    "a place of the other pool": answered("k9", "b1", "bob", slot=1, pool="guided"),
    "a place for somebody who is not there": answered("k9", "a1", "cleo", slot=1),
}
"""What is refused -> an event that claims it, after `populate`."""


def populate(log: EventLog, study: str) -> None:
    """Make a study with two people, an invitation and an answer."""
    create(log, study, *FIVE, invited("i1", "a token"), answered("k1", "a1", "ann"))


class LogContract(CreationContract, ABC):
    """The promises; a subclass says which store is meant."""

    @pytest.fixture
    @abstractmethod
    def log(self, *needs: Any) -> Any:
        """Give a new, empty store."""

    @abstractmethod
    def other(self, log: EventLog) -> EventLog:
        """Return a second way to the same store, as another server would have it."""

    # -- order ------------------------------------------------------------------------

    def test_log_gives_back_what_was_appended(self, log: EventLog) -> None:
        """Events come back equal and in order, whole or behind a number."""
        events = chain("s", [created(text="é\x00\ud7ff", number=0.1, big=2**60)], None, TIME)
        log.create(events, Claims(), TRUTH)
        more = chained(log, "s", joined("ann"), Draft("began", {"nothing": None}))
        append(log, more, (joined("ann"), Draft("began", {})))
        assert log.read("s") == events + more
        assert log.read("s", 1) == more
        assert log.read("s", 2) == more[1:]
        assert log.read("s", 3) == []

    def test_log_does_not_share_payloads_with_its_callers(self, log: EventLog) -> None:
        """A payload that is changed after it was appended is not changed in the log."""
        payload: dict[str, Any] = {"spec": {"name": "before"}}
        (event,) = chain("s", [Draft("study_created", payload)], None, TIME)
        log.create([event], Claims(), {})
        payload["spec"]["name"] = "after"
        found = log.read("s")[0].payload
        assert found is not None
        assert found["spec"] == {"name": "before"}

    def test_studies_are_apart_and_oldest_first(self, log: EventLog) -> None:
        """Each study has its own numbers, claims and truth."""
        for name in ("zeta", "alpha", "midway"):
            create(log, name, joined("ann"), assigned("a1", "ann"))
        add(log, "alpha", answered("k", "a1", "ann"))
        assert log.studies() == ["zeta", "alpha", "midway"]
        assert [event.study for event in log.read("zeta")] == ["zeta"] * 3
        assert log.read_claims("zeta").answers == ()
        assert log.read_claims("alpha").answers == (("k", "a1"),)

    def test_unknown_study_has_no_events(self, log: EventLog) -> None:
        """Reading an unknown study gives nothing, and its truth and changes are refused."""
        assert log.read("none") == []
        assert list(log.iter_attachments("none")) == []
        assert log.read_attachment("none", 1) is None
        assert log.read_claims("none") == Claims()
        assert log.erasure_count("none") == 0
        with pytest.raises(NotFoundError, match="no study none"):
            log.read_truth("none")
        (event,) = chain("none", [joined("ann")], None, TIME)
        with pytest.raises(NotFoundError, match="no study none"):
            log.append([event], Claims(), {})
        with pytest.raises(NotFoundError, match="no study none"):
            log.erase(event, "ann")

    def test_study_cannot_be_made_twice(self, log: EventLog) -> None:
        """The second is refused, and the first is as it was."""
        populate(log, "s")
        before = contents(log)
        with pytest.raises(SequenceError, match="study s already"):
            create(log, "s")
        assert contents(log) == before

    @pytest.mark.parametrize("fault", ["old", "gap", "hash"])
    def test_event_that_is_not_chained_to_the_last_is_refused(
        self, log: EventLog, fault: str
    ) -> None:
        """Not an event seen before, not one behind a gap, not one with another hash before it."""
        create(log, "s", joined("ann"))
        last = log.read("s")[-1]
        head = {
            "old": log.read("s")[0],
            "gap": dataclasses.replace(last, seq=last.seq + 1),
            "hash": dataclasses.replace(last, hash=FIRST_PREVIOUS),
        }[fault]
        events = chain("s", [joined("bob")], head, TIME)
        before = contents(log)
        with pytest.raises(SequenceError, match="event"):
            log.append(events, Claims(annotators=(("bob", "guided"),)), {})
        with pytest.raises(SequenceError, match="event"):
            log.erase(events[0], "ann")
        assert contents(log) == before

    def test_first_event_of_a_study_has_number_1(self, log: EventLog) -> None:
        """A study that does not begin at its beginning is refused."""
        events = chain("s", [created(), joined("ann")], None, TIME)
        with pytest.raises(SequenceError):
            log.create(events[1:], Claims(), {})
        assert log.studies() == []

    def test_batch_out_of_order_is_refused(self, log: EventLog) -> None:
        """Events of a batch are chained to each other, and are of one study."""
        create(log, "s")
        create(log, "t")
        one, two = chained(log, "s", Draft("study_paused", {}), Draft("study_resumed", {}))
        (foreign,) = chained(log, "t", Draft("study_paused", {}))
        before = contents(log)
        for batch in ([two, one], [one, foreign], [one, one]):
            with pytest.raises(SequenceError):
                log.append(batch, Claims(), {})
        with pytest.raises(InvalidValueError, match="at least one"):
            log.append([], Claims(), {})
        assert contents(log) == before

    # -- claims -----------------------------------------------------------------------

    @pytest.mark.parametrize("what", TAKEN)
    def test_claim_that_is_taken_is_refused(self, log: EventLog, what: str) -> None:
        """Nothing of the batch is kept, and the sentence says so."""
        populate(log, "s")
        before = contents(log)
        # A claim of its own in front: it must not stay either.
        drafts = (joined("dora"), TAKEN[what])
        with pytest.raises(ClaimError, match=r"; nothing of the change was kept\.$") as caught:
            append(log, chained(log, "s", *drafts), drafts)
        assert sha256("a token") not in str(caught.value)
        assert contents(log) == before
        add(log, "s", joined("dora"))

    def test_claims_of_one_batch_can_build_on_each_other(self, log: EventLog) -> None:
        """A person, an assignment and its answer may come together."""
        create(log, "s", joined("ann"), assigned("a1", "ann"), answered("k1", "a1", "ann"))
        assert log.read_claims("s").labels == (("image-a", "guided", 0, "ann"),)

    def test_claims_of_one_batch_cannot_contradict_each_other(self, log: EventLog) -> None:
        """The same position twice is refused within a batch too."""
        create(log, "s", joined("ann"))
        with pytest.raises(ClaimError, match="a2"):
            add(log, "s", assigned("a1", "ann", 0), assigned("a2", "ann", 0))
        assert log.read_claims("s").assignments == ()

    def test_token_is_one_study_s_alone(self, log: EventLog) -> None:
        """An invitation's token leads to one study, and is refused for any other."""
        create(log, "s", invited("i1", "a token"))
        create(log, "t")
        with pytest.raises(ClaimError, match="i7"):
            add(log, "t", invited("i7", "a token"))
        assert log.find_invite(sha256("a token")) == ("s", "i1")
        assert log.find_invite(sha256("another")) is None

    def test_claims_are_told_sorted(self, log: EventLog) -> None:
        """Every claim comes back, in an order that no database's language changes."""
        create(
            log,
            "s",
            *(joined(name) for name in ("b", "B", "a-1", "a1")),
            *(assigned(f"x{number}", "b", number) for number in (10, 9)),
        )
        claims = log.read_claims("s")
        assert [name for name, _ in claims.annotators] == ["B", "a-1", "a1", "b"]
        assert claims.assignments == (("x10", "b", "image-a", 10), ("x9", "b", "image-a", 9))

    @pytest.mark.parametrize("what", ["append", "erase"])
    def test_of_many_that_write_at_once_one_comes_first(self, log: EventLog, what: str) -> None:
        """Of events chained to the same last one, exactly one is taken, whoever writes it."""
        create(log, "s", joined("ann"))
        ways = [log, self.other(log)]

        def write(number: int) -> bool:
            way = ways[number % 2]
            draft = Draft("person_erased", {"annotator": "ann", "number": number})
            events = chain("s", [draft], head, TIME)
            try:
                if what == "append":
                    way.append(events, Claims(), {})
                else:
                    way.erase(events[0], "ann")
            except SequenceError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            for _ in range(5):
                head = log.read("s")[-1]
                assert sum(pool.map(write, range(8))) == 1
        assert [event.seq for event in log.read("s")] == list(range(1, 8))

    def test_of_many_that_claim_the_same_one_gets_it(self, log: EventLog) -> None:
        """Writers that read again and again until they are let in cannot fill a place twice."""
        people = [f"p{number}" for number in range(8)]
        create(
            log,
            "s",
            *(joined(one) for one in people),
            *(assigned(f"a-{one}", one) for one in people),
        )
        ways = [log, self.other(log)]

        def fill(number: int) -> str:
            way, person = ways[number % 2], people[number]
            draft = answered(f"key-{person}", f"a-{person}", person)
            while True:
                try:
                    add(way, "s", draft)
                except SequenceError:
                    continue
                except ClaimError:
                    return "refused"
                return "filled"

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(fill, range(8)))
        assert sorted(outcomes) == ["filled"] + ["refused"] * 7
        assert len(log.read_claims("s").labels) == 1
        assert verify_log(log, "s").faults == ()

    # -- what people gave -------------------------------------------------------------

    def test_attachments_are_kept_apart(self, log: EventLog) -> None:
        """An attachment comes back letter for letter, and no event carries it."""
        text = '{"note": "\u00e9\u4e2d\U0001f600 \\u0000", "n": 1.50}'
        populate(log, "s")
        last = add(log, "s", answered("k2", "a1", "ann", slot=1, trace=text))
        assert log.read_attachment("s", last.seq) == text
        assert log.read_attachment("s", 1) is None
        assert list(log.iter_attachments("s")) == [
            (last.seq - 1, '{"parts": []}'),
            (last.seq, text),
        ]

    def test_attachments_belong_to_their_events(self, log: EventLog) -> None:
        """One too few, or one of an event that names none, is refused."""
        create(log, "s", joined("ann"), assigned("a1", "ann"))
        (event,) = chained(log, "s", answered("k1", "a1", "ann"))
        for attachments in ({}, {event.seq: "{}", 1: "{}"}, {1: "{}"}):
            with pytest.raises(InvalidValueError, match="attachments"):
                log.append([event], Claims(), attachments)
        assert len(log.read("s")) == 3

    def test_truth_is_in_no_event(self, log: EventLog) -> None:
        """The truth comes back from `read_truth`, and from nothing else."""
        populate(log, "s")
        assert log.read_truth("s") == TRUTH
        rest = [log.read("s"), log.read_claims("s"), list(log.iter_attachments("s"))]
        assert not any(text in repr(rest) for text in TRUTH.values())

    def test_erasing_empties_a_person_and_nobody_else(self, log: EventLog) -> None:
        """Payloads, traces and claims go; hashes, the others' and the pool stay."""
        populate(log, "s")
        add(log, "s", invited("i2", "ann's", "ann"), answered("k2", "b1", "bob", pool="unguided"))
        before = log.read("s")
        assert erase(log, "s", "ann") == 4
        events = log.read("s")
        for old, new in zip(before, events, strict=False):
            is_ann = old.subject == "ann"
            assert new == (dataclasses.replace(old, payload=None) if is_ann else old)
            assert is_ann or new.payload is not None
        assert list(log.iter_attachments("s")) == [(len(before), '{"parts": []}')]
        assert log.read_attachment("s", 7) is None
        claims = log.read_claims("s")
        assert claims.annotators == (("ann", "guided"), ("bob", "unguided"))
        assert claims.assignments == (("b1", "bob", "image-a", 0),)
        assert claims.answers == (("k2", "b1"),)
        assert claims.labels == (("image-a", "unguided", 0, "bob"),)
        assert claims.invites == ((sha256("a token"), "i1"),)
        assert log.find_invite(sha256("ann's")) is None
        assert verify_log(log, "s").faults == ()

    def test_erased_person_cannot_come_back_in_the_other_pool(self, log: EventLog) -> None:
        """The place that was given up can be filled by somebody else, not by the same person."""
        populate(log, "s")
        erase(log, "s", "ann")
        with pytest.raises(ClaimError, match="ann"):
            add(log, "s", joined("ann", "unguided"))
        add(log, "s", joined("eve"), assigned("e1", "eve"), answered("k1", "e1", "eve"))
        assert log.read_claims("s").labels == (("image-a", "guided", 0, "eve"),)

    def test_erasures_are_counted(self, log: EventLog) -> None:
        """A second erasure of a person finds nothing, is counted, and leaves the tombstone."""
        populate(log, "s")
        assert log.erasure_count("s") == 0
        erase(log, "s", "ann")
        assert erase(log, "s", "ann") == 0
        erase(log, "s", "bob")
        assert log.erasure_count("s") == 3
        tombstones = [event for event in log.read("s") if event.kind == "person_erased"]
        assert all(event.payload for event in tombstones)

    # -- whole studies ----------------------------------------------------------------

    def test_snapshot_stays_at_its_moment(self, log: EventLog) -> None:
        """What is written, erased or made meanwhile is not in it."""
        populate(log, "s")
        before = contents(log)
        with log.snapshot() as snapshot:
            add(self.other(log), "s", joined("zoe"))
            erase(log, "s", "ann")
            create(log, "t")
            assert contents(snapshot) == before
        assert log.studies() == ["s", "t"]

    def test_restored_studies_are_what_they_were(self, log: EventLog) -> None:
        """Whole studies, with erased people, can be put into a store, and used there."""
        source = MemoryLog()
        populate(source, "s")
        erase(source, "s", "ann")
        create(source, "t")
        log.restore(_copies(source))
        assert contents(log) == contents(source)
        add(log, "s", joined("eve"))
        assert verify_log(log, "s").faults == ()

    def test_restoring_is_all_or_nothing(self, log: EventLog) -> None:
        """A study that is there already, or a token that is taken, keeps all others out."""
        source = MemoryLog()
        create(source, "new")
        create(source, "old", invited("i1", "a token"))
        create(log, "old")
        before = contents(log)
        with pytest.raises(SequenceError, match="study old already"):
            log.restore(_copies(source))
        create(source, "third", invited("i2", "another"))
        create(log, "fourth", invited("i3", "another"))
        with pytest.raises(ClaimError, match="i2"):
            log.restore(copy for copy in _copies(source) if copy.study != "old")
        assert contents(log)[: len(before)] == before
        assert log.studies() == ["old", "fourth"]

    def test_restoring_that_is_stopped_leaves_nothing(self, log: EventLog) -> None:
        """An error of whatever the copies are read from undoes what was written."""
        source = MemoryLog()
        populate(source, "s")

        def torn() -> Iterator[StudyCopy]:
            yield from _copies(source)
            raise ValueError("torn")

        with pytest.raises(ValueError, match="torn"):
            log.restore(torn())
        assert log.studies() == []
        log.restore(_copies(source))

    # -- use --------------------------------------------------------------------------

    def test_closed_log_says_so(self, log: EventLog) -> None:
        """A closed store answers with a sentence."""
        log.close()
        for call in (log.studies, lambda: create(log, "s"), lambda: log.read_claims("s")):
            with pytest.raises(StoreError, match="closed"):
                call()

    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,  # every example has a study of its own
            HealthCheck.differing_executors,  # every store runs it, without a database of examples
            HealthCheck.too_slow,
        ],
    )
    @given(steps=st.lists(st.tuples(st.integers(0, 5), *[st.integers(0, 2)] * 4), max_size=25))
    def test_log_does_what_the_log_in_memory_does(
        self, log: EventLog, steps: list[tuple[int, ...]]
    ) -> None:
        """Whatever is asked of them, both refuse the same and hold the same."""
        study = f"s{next(_numbers)}"
        model = MemoryLog()
        for each in (model, log):
            each.create(chain(study, [created()], None, TIME), Claims(), TRUTH)
        for step in steps:
            assert _outcome(model, study, step) == _outcome(log, study, step)
        assert _told(log, study) == _told(model, study)
        for each in (model, log):
            assert verify_log(each, study).faults == ()


def _outcome(log: EventLog, study: str, step: tuple[int, ...]) -> object:
    """Do what a step says; return what came of it."""
    kind, one, two, three, four = step
    person = f"p{one}"
    pool = ("guided", "unguided")[two % 2]
    drafts = (
        (joined(person, pool),),
        (assigned(f"a{two}", person, three, f"image-{four}"),),
        (answered(f"k{two}", f"a{three}", person, slot=four or None, pool=pool),),
        # Two at once: both or neither.
        (joined(f"p{two}"), assigned(f"a{three}", person, four)),
        (invited(f"i{two}", f"{study} {three}", person if four else None),),
        (Draft("person_erased", {"annotator": person}),),
    )[kind]
    events = chained(log, study, *drafts)
    try:
        if kind == 5:
            return log.erase(events[0], person)
        append(log, events, drafts)
    except StoreError as error:
        return type(error), str(error)
    return "kept"


def _copies(source: EventLog) -> Iterator[StudyCopy]:
    for study in source.studies():
        yield StudyCopy(
            study=study,
            events=tuple(source.read(study)),
            claims=source.read_claims(study),
            attachments=source.iter_attachments(study),
            truth=source.read_truth(study),
            erasures=source.erasure_count(study),
        )


def _told(log: EventLog, study: str) -> list[object]:
    """Return what a log holds of a study, without salts and hashes."""
    events = [
        (event.seq, event.kind, event.subject, _unsalted(event.payload))
        for event in log.read(study)
    ]
    return [
        events,
        log.read_claims(study),
        list(log.iter_attachments(study)),
        log.erasure_count(study),
    ]


def _unsalted(payload: Any) -> object:
    return None if payload is None else {k: v for k, v in payload.items() if k != "salt"}
