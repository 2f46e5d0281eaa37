"""A backup is of one moment and restores anywhere; a bad one is refused."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.log_events import (
    TIME,
    TRUTH,
    add,
    answered,
    assigned,
    contents,
    create,
    created,
    erase,
    joined,
)
from tests.labeling.making import answer_all, come_in, open_small
from umnist_core.errors import (
    ClaimError,
    ConflictError,
    DamagedFileError,
    MissingFileError,
    StoreError,
    TooLargeError,
    UmnistError,
    WriteError,
)
from umnist_core.labeling.backup import restore_backup, write_backup
from umnist_core.labeling.log import Claims, EventLog, canonical_json, chain, sha256
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.sql import open_log

Entries = dict[str, bytes]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLog]:
    """Give a new store of each kind."""
    if request.param == "memory":
        yield MemoryLog()
        return
    sqlite = f"sqlite:///{tmp_path / 'store' / 'studies.sqlite'}"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with closing(open_log(url)) as log:
        yield log


@pytest.fixture
def source() -> MemoryLog:
    """Give a log with two studies, one person of which is erased."""
    log = MemoryLog()
    create(log, "s", joined("ann"), joined("bob"), assigned("a", "ann"), assigned("b", "bob"))
    add(
        log,
        "s",
        answered("k1", "a", "ann", trace='{"é": "\\ud83d"}'),
        answered("k2", "b", "bob", slot=1),
    )
    erase(log, "s", "bob")
    create(log, "t")
    return log


@pytest.fixture
def backup(source: MemoryLog, tmp_path: Path) -> Path:
    """Give a backup of them, without images."""
    write_backup(source, None, tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def files_in(folder: Path) -> dict[str, bytes]:
    """Return what lies in a folder, by path below it; JSON in one order."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    for name, data in found.items():
        if name.endswith(".json"):
            found[name] = canonical_json(json.loads(data)).encode()
    return found


# -- a good one ----------------------------------------------------------------------


def test_backup_restores_a_study_that_was_answered(store: EventLog, tmp_path: Path) -> None:
    """Events, traces, truth, claims and images are what they were, and the study goes on."""
    service, study = open_small(tmp_path / "lab")
    people = [come_in(service, study) for _ in range(3)]
    for person in people:
        answer_all(service, study, person)
    service.erase(study, people[0])
    report = write_backup(service.log, tmp_path / "lab" / "studies", tmp_path / "b.zip")
    assert report.has_images
    assert [one.faults for one in report.studies] == [()]
    assert restore_backup(tmp_path / "b.zip", store, tmp_path / "new" / "studies") == [study]
    assert contents(store) == contents(service.log)
    assert files_in(tmp_path / "new") == {
        name: data
        for name, data in files_in(tmp_path / "lab").items()
        if name.startswith("studies/")
    }
    again, _ = open_small(tmp_path / "new", store)
    newcomer = come_in(again, study)
    assert answer_all(again, study, newcomer)


def test_backup_holds_no_secret(tmp_path: Path) -> None:
    """The key from which links and cookies are made stays where it is."""
    service, _ = open_small(tmp_path / "lab")
    write_backup(service.log, tmp_path / "lab" / "studies", tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        entries = [archive.read(name) for name in archive.namelist()]
    assert not any(
        service.secret in data or service.secret.hex().encode() in data for data in entries
    )


def test_backup_is_of_one_moment(store: EventLog, tmp_path: Path) -> None:
    """While people answer, every backup is whole: no claim without its event, no gap."""
    create(store, "s", joined("ann"))
    stop = threading.Event()

    def answer() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            name = f"a{number}"
            add(
                store,
                "s",
                assigned(name, "ann", number, name),
                answered(name, name, "ann", stimulus=name),
            )
            time.sleep(0.001)  # else it takes every turn of the one lock that threads share

    writer = threading.Thread(target=answer)
    writer.start()
    try:
        for number in range(5):
            while len(store.read("s")) < 20 * number:
                time.sleep(0.001)
            report = write_backup(store, None, tmp_path / f"{number}.zip")
            assert report.studies[0].faults == ()
    finally:
        stop.set()
        writer.join()
    for number in range(5):
        other = MemoryLog()
        restore_backup(tmp_path / f"{number}.zip", other, None)
        found = other.read("s")
        assert found == store.read("s")[: len(found)]


def test_backup_never_replaces_a_file(source: MemoryLog, backup: Path) -> None:
    """Yesterday's backup is not overwritten by today's."""
    before = backup.read_bytes()
    with pytest.raises(ConflictError, match="already"):
        write_backup(source, None, backup)
    assert backup.read_bytes() == before


def test_backup_that_cannot_be_written_leaves_nothing(source: MemoryLog, tmp_path: Path) -> None:
    """No half a file, under any name."""
    with pytest.raises(WriteError):
        write_backup(source, None, tmp_path / "nowhere" / "backup.zip")
    service, study = open_small(tmp_path / "lab")
    image = next((tmp_path / "lab" / "studies" / study).glob("*.png"))
    data = image.read_bytes()
    image.write_bytes(data[:-1] + b"x")
    with pytest.raises(DamagedFileError, match="not what it was"):
        write_backup(service.log, tmp_path / "lab" / "studies", tmp_path / "backup.zip")
    image.unlink()
    with pytest.raises(MissingFileError, match="leave the images out"):
        write_backup(service.log, tmp_path / "lab" / "studies", tmp_path / "backup.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["lab"]
    write_backup(service.log, None, tmp_path / "backup.zip")


def test_faulty_store_is_backed_up_as_it_is_and_said(source: MemoryLog, tmp_path: Path) -> None:
    """What is left of a damaged store is saved, with the faults in the report."""
    source._studies["s"].truth["image-a"] = "{}"
    report = write_backup(source, None, tmp_path / "backup.zip")
    assert [len(one.faults) for one in report.studies] == [1, 0]
    with pytest.raises(DamagedFileError, match="1 faults, the first of them: The truth"):
        restore_backup(tmp_path / "backup.zip", MemoryLog(), None)


# -- where it cannot go --------------------------------------------------------------


def test_store_that_has_a_study_refuses_all(
    store: EventLog, source: MemoryLog, backup: Path
) -> None:
    """Nothing is mixed into a study that is there."""
    create(store, "t")
    before = contents(store)
    with pytest.raises(ConflictError, match="study t already"):
        restore_backup(backup, store, None)
    assert contents(store) == before


def test_refused_restoring_takes_its_images_away(tmp_path: Path) -> None:
    """A store that refuses, or a folder that is in the way: all is as it was."""
    service, study = open_small(tmp_path / "lab")
    token = service.invite(study)[0].token
    write_backup(service.log, tmp_path / "lab" / "studies", tmp_path / "b.zip")

    class RefusingLog(MemoryLog):
        def restore(self, copies: object) -> None:
            raise StoreError("The disk is full.")

    with pytest.raises(StoreError, match="full"):
        restore_backup(tmp_path / "b.zip", RefusingLog(), tmp_path / "new")
    assert files_in(tmp_path / "new") == {}
    assert token
    (tmp_path / "new" / study).mkdir()
    (tmp_path / "new" / study / "mine.txt").write_text("mine")
    log = MemoryLog()
    with pytest.raises(ConflictError, match="look at it and move it away"):
        restore_backup(tmp_path / "b.zip", log, tmp_path / "new")
    assert list(files_in(tmp_path / "new")) == [f"{study}/mine.txt"]
    assert log.studies() == []


# -- bad ones ------------------------------------------------------------------------


def rewrite(path: Path, change: Callable[[Entries], object]) -> None:
    """Write a zip file again with other entries; a packer of ours, not the code under test."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def refuse(path: Path, folder: Path, *kinds: type[UmnistError]) -> str:
    """Restore a file that must be refused, and return what was said."""
    log = MemoryLog()
    with pytest.raises(kinds or (DamagedFileError,)) as caught:
        restore_backup(path, log, folder)
    assert log.studies() == []
    assert not folder.exists() or files_in(folder) == {}
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    """No file, a text, an empty file, and a zip file of something else."""
    refuse(tmp_path / "nowhere.zip", tmp_path / "images", MissingFileError)
    path = tmp_path / "other.zip"
    for data in (b"", b"text", b"PK\x03\x04" + b"\0" * 100):
        path.write_bytes(data)
        refuse(path, tmp_path / "images")
    for entries in ({}, {"notes.txt": "notes"}, {"backup.json": "[]"}, {"backup.json": "{"}):
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in entries.items():
                archive.writestr(name, text)
        refuse(path, tmp_path / "images")


def test_entry_that_begins_before_its_file_is_refused(backup: Path, tmp_path: Path) -> None:
    """Where the list of entries is said to lie much later, each of them lies as much earlier."""
    data = bytearray(backup.read_bytes())
    place = data.rindex(b"PK\x05\x06") + 16  # the list's offset in the record that ends a zip
    said = int.from_bytes(data[place : place + 4], "little") + len(data)
    data[place : place + 4] = said.to_bytes(4, "little")
    (tmp_path / "bad.zip").write_bytes(data)
    refuse(tmp_path / "bad.zip", tmp_path / "images")


def test_truncated_or_changed_bytes_are_refused(tmp_path: Path) -> None:
    """Wherever a backup is cut or a bit is turned, it is refused, or restores what it held."""
    source = MemoryLog()
    service, _ = open_small(tmp_path / "lab", source, stimuli=1, images_per_annotator=1)
    answer_all(service, source.studies()[0], come_in(service, source.studies()[0]))
    path = tmp_path / "b.zip"
    write_backup(source, tmp_path / "lab" / "studies", path)
    data = path.read_bytes()
    rng = random.Random(11)
    for _ in range(60):
        path.write_bytes(data[: rng.randrange(len(data))])
        refuse(path, tmp_path / "images")
    good = 0
    for number in range(150):
        bad = bytearray(data)
        bad[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        log = MemoryLog()
        folder = tmp_path / f"images-{number}"
        try:
            restore_backup(path, log, folder)
        except (DamagedFileError, TooLargeError):
            assert log.studies() == []
            assert not folder.exists() or files_in(folder) == {}
        else:  # a bit of a time stamp, or of a name that nobody reads
            assert contents(log) == contents(source)
            good += 1
    assert good < 50


BAD_EVENTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a number as text": lambda event: event.update(seq="1"),
    "a number below 1": lambda event: event.update(seq=0),
    "no kind": lambda event: event.pop("kind"),
    "one field more": lambda event: event.update(more=1),
    "a list as payload": lambda event: event.update(payload=[]),
    "a study that is a path": lambda event: event.update(study="../s"),
    "another study": lambda event: event.update(study="other"),
    "a kind of two lines": lambda event: event.update(kind="study\ncreated"),
    "another payload": lambda event: event.update(payload={"salt": "x"}),
    "a number that JSON has not": lambda event: event.update(payload={"a": float("nan")}),
    "a hash that is a number": lambda event: event.update(hash=1),
    "an empty event": lambda event: event.update(payload=None),
}


@pytest.mark.parametrize("what", BAD_EVENTS)
def test_bad_event_is_refused(backup: Path, tmp_path: Path, what: str) -> None:
    """Whatever a line of events is instead of an event."""

    def change(entries: Entries) -> None:
        lines = entries["studies/s/events.jsonl"].splitlines()
        event = json.loads(lines[0])
        BAD_EVENTS[what](event)
        lines[0] = json.dumps(event).encode()
        entries["studies/s/events.jsonl"] = b"\n".join(lines)

    rewrite(backup, change)
    refuse(backup, tmp_path / "images")


def _cut(entries: Entries) -> None:
    """Take the last event and all that it did away, as nobody would see from the log alone."""
    lines = entries["studies/t/events.jsonl"].splitlines()
    log = MemoryLog()
    create(log, "t")
    assert len(lines) == 1
    event = canonical_json(dataclasses.asdict(log.read("t")[0]))  # another salt, so another hash
    entries["studies/t/events.jsonl"] = event.encode()


BAD_ENTRIES: dict[str, Callable[[Entries], object]] = {
    "no events": lambda entries: entries.update({"studies/s/events.jsonl": b""}),
    "events that are missing": lambda entries: entries.pop("studies/s/events.jsonl"),
    "an event too few": lambda entries: entries.update(
        {"studies/s/events.jsonl": b"\n".join(entries["studies/s/events.jsonl"].splitlines()[:-1])}
    ),
    "events of another log": _cut,
    "attachments that are missing": lambda entries: entries.pop("studies/s/attachments.jsonl"),
    "no attachments": lambda entries: entries.update({"studies/s/attachments.jsonl": b""}),
    "attachments of another kind": lambda entries: entries.update(
        {"studies/s/attachments.jsonl": b'{"seq": "6", "attachment": 1}\n'}
    ),
    "half a character": lambda entries: entries.update(
        {"studies/s/attachments.jsonl": b'{"seq": 6, "attachment": "\\ud800"}\n'}
    ),
    "brackets without end": lambda entries: entries.update(
        {"studies/s/attachments.jsonl": b"[" * 100_000}
    ),
    "another truth": lambda entries: entries.update({"studies/s/truth.json": b"{}"}),
    "a truth that is a list": lambda entries: entries.update({"studies/s/truth.json": b"[]"}),
    "claims that nobody made": lambda entries: entries.update(
        {"studies/s/claims.json": entries["studies/s/claims.json"].replace(b'"k1"', b'"k9"')}
    ),
    "claims of another kind": lambda entries: entries.update(
        {"studies/s/claims.json": b'{"wishes": []}'}
    ),
    "lists as claims": lambda entries: entries.update(
        {"studies/s/claims.json": b'{"annotators": [[["ann"], {}]]}'}
    ),
    "a newer version": lambda entries: entries.update(
        {"backup.json": entries["backup.json"].replace(b'"version": 1', b'"version": 2')}
    ),
    "another format": lambda entries: entries.update(
        {"backup.json": entries["backup.json"].replace(b"umnist-backup", b"other-backup!")}
    ),
    "a study that is not there": lambda entries: entries.update(
        {"backup.json": entries["backup.json"].replace(b'"study": "t"', b'"study": "u"')}
    ),
    "a study that is elsewhere": lambda entries: entries.update(
        {"backup.json": entries["backup.json"].replace(b'"study": "t"', b'"study": "../t"')}
    ),
}


@pytest.mark.parametrize("what", BAD_ENTRIES)
def test_bad_entry_is_refused(backup: Path, tmp_path: Path, what: str) -> None:
    """Whatever is missing, too much or of another kind."""
    rewrite(backup, BAD_ENTRIES[what])
    said = refuse(backup, tmp_path / "images")
    assert ("update umnist" in said) == (what == "a newer version")


@pytest.mark.parametrize(
    ("name", "suffix"), [("../evil", ".png"), ("a/../../evil", ".png"), ("/evil", ""), ("x", "/..")]
)
def test_image_is_never_written_outside_its_folder(tmp_path: Path, name: str, suffix: str) -> None:
    """A log whose hashes are right, but whose images have names that are paths, is refused."""
    log = MemoryLog()
    more: Mapping[str, Any] = {"manifest": {name: "0" * 64}, "suffixes": {name: suffix}}
    (event,) = chain("s", [created(**more)], None, TIME)
    log.create([event], Claims(), TRUTH)
    write_backup(log, None, tmp_path / "b.zip")

    def change(entries: Entries) -> None:
        entries["studies/s/images/" + name + suffix] = b"evil"
        entries["backup.json"] = entries["backup.json"].replace(b"false", b"true")

    rewrite(tmp_path / "b.zip", change)
    before = sorted(tmp_path.rglob("*"))
    refuse(tmp_path / "b.zip", tmp_path / "images" / "here")
    assert {*tmp_path.rglob("*")} - {*before} <= {tmp_path / "images", tmp_path / "images" / "here"}


@pytest.mark.parametrize("suffix", [".png", "/../../secret"])
def test_image_that_would_be_read_from_elsewhere_is_refused(tmp_path: Path, suffix: str) -> None:
    """Also in a backup without images, whose names would become paths later."""
    name = "x" if suffix != ".png" else "../../secret"
    log = MemoryLog()
    names: Mapping[str, Any] = {
        "stimuli": [name],
        "manifest": {name: ""},
        "sizes": {name: [8, 8]},
        "suffixes": {name: suffix},
        "truth_sha256": sha256(canonical_json({name: "{}"})),
    }
    (event,) = chain("s", [created(**names)], None, TIME)
    log.create([event], Claims(), {name: "{}"})
    write_backup(log, None, tmp_path / "b.zip")
    assert "names of images" in refuse(tmp_path / "b.zip", tmp_path / "images")


def test_entry_that_nobody_names_is_not_unpacked(backup: Path, tmp_path: Path) -> None:
    """What else is in the file stays in it."""
    rewrite(backup, lambda entries: entries.update({"../evil": b"x", "studies/s/images/e": b"x"}))
    restore_backup(backup, MemoryLog(), tmp_path / "images")
    assert not (tmp_path / "images").exists()
    assert not (tmp_path.parent / "evil").exists()


def test_file_that_unpacks_to_far_too_much_is_refused(backup: Path, tmp_path: Path) -> None:
    """A short file of many zeros is refused before it is unpacked."""
    rewrite(backup, lambda entries: entries.update({"studies/s/truth.json": b" " * (30 << 20)}))
    assert "200 times" in refuse(backup, tmp_path / "images", TooLargeError)


def test_contradicting_log_is_refused_by_the_store(store: EventLog, tmp_path: Path) -> None:
    """A place that two people fill keeps the study out, even if all hashes are right."""
    log = MemoryLog()
    create(log, "s", joined("ann"), joined("bob"), assigned("a", "ann"), assigned("b", "bob"))
    drafts = [answered("k1", "a", "ann", trace=None), answered("k2", "b", "bob", trace=None)]
    log._studies["s"].events += chain("s", drafts, log.read("s")[-1], TIME)
    log._studies["s"].taken.answers.update({"k1": "a", "k2": "b"})
    claims = log.read_claims("s")
    place = ("image-a", "guided", 0)
    both = dataclasses.replace(claims, labels=((*place, "ann"), (*place, "bob")))
    write_backup(log, None, tmp_path / "b.zip")

    def change(entries: Entries) -> None:
        entries["studies/s/claims.json"] = canonical_json(dataclasses.asdict(both)).encode()

    rewrite(tmp_path / "b.zip", change)
    with pytest.raises(ClaimError, match="Place 0"):
        restore_backup(tmp_path / "b.zip", store, None)
    assert store.studies() == []
