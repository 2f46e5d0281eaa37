"""Exports taken back: the same study, or one sentence and nothing kept."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from tests.labeling.exporting import filled
from tests.labeling.making import answer_all, come_in, new_key, open_small
from umnist_core.errors import (
    ConflictError,
    DamagedFileError,
    MissingFileError,
    RefusedError,
    TooLargeError,
    UmnistError,
)
from umnist_core.labeling import StudyService
from umnist_core.labeling.codebook import TABLES
from umnist_core.labeling.export import export_study, read_tables
from umnist_core.labeling.freeze import find_damaged
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.log import Claims, Draft, canonical_json, chain
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.results import load_report
from umnist_core.labeling.verify import verify_log


def _other(lab: Path) -> StudyService:
    return StudyService(MemoryLog(), lab)


@pytest.mark.parametrize("with_images", [True, False])
def test_import_gives_the_same_study(tmp_path: Path, with_images: bool) -> None:
    """Same log, same tables, same figures, same images; and it verifies."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip", with_images=with_images)
    other = _other(tmp_path / "other")
    assert import_study(other, tmp_path / "x.zip") == study
    assert other.log.read(study) == service.log.read(study)
    assert verify_log(other.log, study) == verify_log(service.log, study)
    assert asdict(other.overview(study)) == asdict(service.overview(study))
    assert load_report(other, study).to_json() == load_report(service, study).to_json()
    with service.log.snapshot() as one, other.log.snapshot() as two:
        before, after = read_tables(one, study), read_tables(two, study)
    assert all(before[name].equals(after[name]) for name in TABLES)
    folder = other.study_folder(study)
    assert folder.is_dir() == with_images
    if with_images:
        assert find_damaged(folder) == []


def test_imported_study_is_read_only_only_if_it_was_closed(tmp_path: Path) -> None:
    """An open one goes on, by the links that people have."""
    for is_closed in (True, False):
        service, study = open_small(tmp_path / f"lab{is_closed}")
        token = service.invite(study)[0].token
        if is_closed:
            service.close(study)
        path = tmp_path / f"{is_closed}.zip"
        export_study(service, study, path, with_images=True)
        other = _other(tmp_path / f"other{is_closed}")
        import_study(other, path)
        assert token is not None
        if is_closed:
            with pytest.raises(RefusedError, match="closed"):
                other.join(token)
        else:
            me = other.join(token).annotator
            other.consent(study, me, new_key())
            assert len(answer_all(other, study, come_in(other, study))) == 3


def test_study_that_is_there_is_refused(tmp_path: Path) -> None:
    """And a folder in the place of its images; nothing is changed."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip", with_images=True)
    before = service.overview(study)
    with pytest.raises(ConflictError, match="has study"):
        import_study(service, tmp_path / "x.zip")
    assert service.overview(study) == before
    other = _other(tmp_path / "other")
    other.study_folder(study).mkdir(parents=True)
    (other.study_folder(study) / "mine").touch()
    with pytest.raises(ConflictError, match="there is a folder"):
        import_study(other, tmp_path / "x.zip")
    assert other.studies() == []
    assert [path.name for path in other.study_folder(study).iterdir()] == ["mine"]


Entries = dict[str, bytes]


def _without(name: str) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        del entries[name]

    return change


def _with(**changes: object) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        header = json.loads(entries["study.json"])
        entries["study.json"] = json.dumps({**header, **changes}).encode()

    return change


def _replaced(name: str, old: bytes, new: bytes, times: int = 1) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        assert old in entries[name]
        entries[name] = entries[name].replace(old, new, times)

    return change


def _last_event_dropped(entries: Entries) -> None:
    lines = entries["log/events.jsonl"].splitlines(keepends=True)
    entries["log/events.jsonl"] = b"".join(lines[:-1])


def _bomb(entries: Entries) -> None:
    entries["tables/big.csv"] = b"0" * (200 << 20)


def _one_image_changed(entries: Entries) -> None:
    name = next(name for name in entries if name.startswith("log/images/"))
    entries[name] = entries[name][:-1] + b"!"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (_without("study.json"), DamagedFileError, "without study.json"),
        (_without("log/events.jsonl"), DamagedFileError, "damaged or something else"),
        (_without("log/truth.json"), DamagedFileError, "damaged or something else"),
        (_without("checksums.json"), DamagedFileError, "damaged or something else"),
        (_without("tables/digits.csv"), DamagedFileError, "tables/digits.csv as it was exported"),
        (_with(version=2), DamagedFileError, "update umnist"),
        (_with(version="1"), DamagedFileError, "found 'umnist-study'"),
        (_with(format="other"), DamagedFileError, "found 'other'"),
        (_with(study="s000000000000"), DamagedFileError, "Expected"),
        (_with(head_hash="0" * 64), DamagedFileError, "use another copy"),
        (_replaced("log/events.jsonl", b'"answer":', b'"answer":1'), DamagedFileError, "faults"),
        (_replaced("log/truth.json", b'label\\":', b'label\\":1'), DamagedFileError, "truth"),
        (_replaced("log/attachments.jsonl", b"5000", b"5001"), DamagedFileError, "attachment"),
        # All of them: the pool of the person who was erased stands nowhere else.
        (_replaced("log/claims.json", b"unguided", b"guided", -1), DamagedFileError, "guard"),
        (_replaced("figures.json", b"1", b"2"), DamagedFileError, "figures.json"),
        (_replaced("log/events.jsonl", b"{", b"["), DamagedFileError, "damaged"),
        (_last_event_dropped, DamagedFileError, "with the last hash that study.json names"),
        (_one_image_changed, DamagedFileError, "is not what it was"),
        (_bomb, TooLargeError, "not made by umnist"),
    ],
)
def test_bad_export_is_refused_in_one_sentence(
    tmp_path: Path, change: Callable[[Entries], None], error: type[UmnistError], said: str
) -> None:
    """Damaged, foreign, newer or made to do harm: nothing of it is kept."""
    service, study = filled(tmp_path / "lab")
    service.pause(study)  # an event that nothing else in the store would miss
    export_study(service, study, tmp_path / "x.zip", with_images=True)
    with ZipFile(tmp_path / "x.zip") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with ZipFile(tmp_path / "y.zip", "w", ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    _assert_refused(tmp_path, error, said)


def _assert_refused(tmp_path: Path, error: type[UmnistError], said: str) -> None:
    other = _other(tmp_path / "other")
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    with pytest.raises(error, match=said) as refused:
        import_study(other, tmp_path / "y.zip")
    assert "\n" not in str(refused.value)
    assert other.studies() == []
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 but no zip", b"\x00" * 1000])
def test_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    """In one sentence, as is a file that is not there."""
    (tmp_path / "y.zip").write_bytes(content)
    _assert_refused(tmp_path, DamagedFileError, "damaged or something else")
    with pytest.raises(MissingFileError, match="Expected an exported study"):
        import_study(_other(tmp_path / "other"), tmp_path / "nothing.zip")


def test_truncated_export_is_refused(tmp_path: Path) -> None:
    """Wherever it was cut off."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip", with_images=True)
    data = (tmp_path / "x.zip").read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        (tmp_path / "y.zip").write_bytes(data[: int(share * len(data))])
        _assert_refused(tmp_path, DamagedFileError, "damaged or something else")


def _forge(service: StudyService, study: str, change: Callable[[dict[str, object]], None]) -> None:
    """Replace a study by one whose first event somebody made up; every hash is right."""
    first = service.log.read(study)[0]
    payload = json.loads(canonical_json(first.payload))
    change(payload)
    events = chain(study, [Draft(first.kind, payload)], None, first.time_utc)
    truth = service.log.read_truth(study)
    service.log = MemoryLog()
    service.log.create(events, Claims(), truth)


def _add_stimulus_outside(payload: dict[str, object]) -> None:
    name = "../../secret"
    sizes, suffixes, stimuli = payload["sizes"], payload["suffixes"], payload["stimuli"]
    assert isinstance(sizes, dict)
    assert isinstance(suffixes, dict)
    assert isinstance(stimuli, list)
    sizes[name], suffixes[name] = [10, 10], ".key"
    stimuli.append(name)


def _rename_outside(payload: dict[str, object]) -> None:
    for key in ("manifest", "suffixes", "sizes"):
        table = payload[key]
        assert isinstance(table, dict)
        name = next(iter(sorted(table)))
        table["../../secret"] = table.pop(name)


def _hide_path_in_suffix(payload: dict[str, object]) -> None:
    suffixes = payload["suffixes"]
    assert isinstance(suffixes, dict)
    suffixes[next(iter(suffixes))] = "/../../../secret.key"


@pytest.mark.parametrize("change", [_add_stimulus_outside, _rename_outside, _hide_path_in_suffix])
def test_forged_names_of_images_lead_nowhere(
    tmp_path: Path, change: Callable[[dict[str, object]], None]
) -> None:
    """A log whose hashes are all right may still name files of this machine."""
    service, study = open_small(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip")
    _forge(service, study, change)
    with ZipFile(tmp_path / "x.zip") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    events = service.log.read(study)
    header = {**json.loads(entries["study.json"]), "events": 1, "head_hash": events[0].hash}
    entries["log/events.jsonl"] = f"{canonical_json(asdict(events[0]))}\n".encode()
    entries["study.json"] = json.dumps(header).encode()
    entries["checksums.json"] = b"{}"
    with ZipFile(tmp_path / "y.zip", "w", ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    _assert_refused(tmp_path, DamagedFileError, "(Expected study|Expected names of images)")


def test_entries_that_lead_outside_are_never_written(tmp_path: Path) -> None:
    """What else a zip holds is left in it."""
    service, study = open_small(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip", with_images=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        with ZipFile(tmp_path / "x.zip", "a") as archive:
            for name in ("../../evil", "/evil", "log/images/../../evil", "log/images/evil.png"):
                archive.writestr(name, b"evil")
    other = _other(tmp_path / "deep" / "other")
    import_study(other, tmp_path / "x.zip")
    assert list(tmp_path.rglob("*evil*")) == []


def test_import_that_the_store_refuses_leaves_no_images(tmp_path: Path) -> None:
    """All or nothing, also where the last step fails."""
    service, study = filled(tmp_path / "lab")
    export_study(service, study, tmp_path / "x.zip", with_images=True)
    other = _other(tmp_path / "other")
    token = service.log.read_claims(study).invites[0]
    _, twin_study = open_small(tmp_path / "twin", other.log)
    last = other.log.read(twin_study)[-1]
    events = chain(twin_study, [Draft("study_paused", {})], last, last.time_utc)
    other.log.append(events, Claims(invites=(token,)), {})
    with pytest.raises(UmnistError, match="in use"):
        import_study(other, tmp_path / "x.zip")
    assert other.studies() == [twin_study]
    assert not other.study_folder(study).exists()
