"""A study's key: all that is secret about its images is drawn from it, and nobody is shown it."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import logging
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from sqlalchemy.exc import SQLAlchemyError

from tests.labeling.making import answer_all, come_in, old_study, open_small, small_spec
from tests.segment_glyphs import segment_glyphs
from umnist_core.digits import load_glyphs
from umnist_core.errors import GlyphMismatchError, InvalidValueError, RefusedError, StoreError
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.backup import restore_backup, write_backup
from umnist_core.labeling.export import export_study, export_tables
from umnist_core.labeling.freeze import create_study, plan_image
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.recompute import find_log_faults
from umnist_core.labeling.remake import remake_images
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.study_key import StudyKey
from umnist_core.labeling.verify import verify_log

KNOWN = StudyKey(bytes(range(32)))
FIRST_ID, FIRST_SEED = "15abfd62ff658de0", 710196242188355
"""Of the first image of that key."""

CLEAN = {"canvas": "512", "factor": "0.5..4", "digit_jpeg": "0"}


def key_of(service: StudyService, study: str) -> str:
    """Return the key as the store has it, hexadecimal."""
    return str(json.loads(service.log.read_attachment(study, 1) or "")["key"])


def sources(service: StudyService, study: str) -> dict[str, dict[str, int]]:
    """Return image -> preset, seed, split and index."""
    truth = service.log.read_truth(study)
    return {name: json.loads(text)["source"] for name, text in truth.items()}


# -- what is drawn ------------------------------------------------------------------


def test_every_study_draws_a_key_of_256_bits(tmp_path: Path) -> None:
    """Two studies of the same settings share neither the key nor any image."""
    service, one = open_small(tmp_path)
    other = create_study(service, small_spec(), jobs=1)
    keys = {key_of(service, one), key_of(service, other)}
    assert len(keys) == 2
    assert {len(bytes.fromhex(key)) for key in keys} == {32}
    pairs = [
        (source["seed"], source["index"])
        for study in (one, other)
        for source in sources(service, study).values()
    ]
    assert len(set(pairs)) == len(pairs) == 12
    assert len({seed for seed, _ in pairs}) == 12


def test_numbers_are_hmac_sha256_in_streams_of_their_own() -> None:
    """As anybody computes them who has the key; the same for ever, so that images can be remade."""

    def derive(stream: str, item: object) -> bytes:
        message = json.dumps(["umnist study", stream, item], separators=(",", ":"))
        return hmac.new(bytes(range(32)), message.encode(), hashlib.sha256).digest()

    spec = StudySpec("Known", preset="paper", stimuli=3, images_per_annotator=3, practice=2)
    images = KNOWN.images(spec)
    for place, image in enumerate(images):
        stream, number = ("image", place) if place < 3 else ("practice", place - 3)
        drawn = derive(stream, number)
        assert image.seed == int.from_bytes(drawn[:8], "big") >> 12
        assert image.index == int.from_bytes(drawn[8:16], "big") >> 12
        assert image.id == derive("name", f"{stream}/{number}")[:8].hex()
        assert image.split == ("test" if place < 3 else "train")
    assert KNOWN.order_seed("p1") == int.from_bytes(derive("order", "p1")[:8], "big") >> 1
    assert KNOWN.order_of_files(["a", "b", "c"]) == sorted(
        "abc", key=lambda name: derive("file", name)
    )
    assert (images[0].id, images[0].seed) == (FIRST_ID, FIRST_SEED)


def test_sums_stay_balanced_though_every_image_has_a_seed_of_its_own() -> None:
    """Each run of 28 images has each sum once, in an order that the key alone knows."""
    spec = StudySpec("Known", stimuli=56, images_per_annotator=3, practice=0, overrides=CLEAN)
    glyphs = load_glyphs()
    runs = []
    for key in (KNOWN, StudyKey(bytes(32))):
        labels = [plan_image(spec, one, glyphs).label for one in key.images(spec)]
        runs += [labels[:28], labels[28:]]
    assert all(sorted(run) == list(range(28)) for run in runs)
    assert len(set(map(tuple, runs))) == 4


def test_order_of_a_person_is_drawn_from_the_key(tmp_path: Path) -> None:
    """And not from anything that can be had without it."""
    service, study = open_small(tmp_path)
    key = StudyKey(bytes.fromhex(key_of(service, study)))
    people = [come_in(service, study) for _ in range(2)]
    seeds = [service.state(study).annotators[one].seed for one in people]
    assert seeds == [key.order_seed(one) for one in people]


def test_images_of_a_folder_are_chosen_by_the_key(tmp_path: Path) -> None:
    """Which files, and which of them to practise on: two studies of a folder choose otherwise."""
    folder = tmp_path / "kaggle"
    (folder / "train").mkdir(parents=True)
    lines = ["id,digit_sum"]
    for number in range(12):
        image = np.full((20, 20), 10 * number, np.uint8)
        cv2.imwrite(str(folder / "train" / f"i{number}.png"), image)
        lines.append(f"i{number},{number}")
    (folder / "train.csv").write_text("\n".join(lines))
    changes: dict[str, Any] = {"folder": str(folder), "overrides": {}, "practice": 3}
    service, first = open_small(tmp_path / "lab", **changes)
    chosen = []
    for study in (first, *(create_study(service, small_spec(**changes), jobs=1) for _ in "abc")):
        images = {str(one["image"]) for one in sources(service, study).values()}
        practised = {one.label for one in service.state(study).practice}
        chosen.append((frozenset(images), frozenset(practised)))
        assert not service.state(study).is_guessable
    assert len(set(chosen)) > 1


def test_seed_is_refused(tmp_path: Path) -> None:
    """Settings of before are not followed in silence: their seed would be no secret."""
    service = StudyService(MemoryLog(), tmp_path)
    with pytest.raises(InvalidValueError, match="found seed 0; leave seed out"):
        create_study(service, small_spec(seed=0), jobs=1)
    assert service.studies() == []


def test_files_do_not_say_in_which_order_they_were_made(tmp_path: Path) -> None:
    """All have one time, and names that the key alone gives."""
    service, study = open_small(tmp_path)
    times = {path.stat().st_mtime_ns for path in service.study_folder(study).iterdir()}
    assert len(times) == 1


# -- who is shown it ----------------------------------------------------------------


def test_key_is_given_out_by_nothing_before_the_study_is_closed(tmp_path: Path) -> None:
    """Not by exports and tables, views, representations or the service itself."""
    service, study = open_small(tmp_path / "lab")
    answer_all(service, study, come_in(service, study))
    key = key_of(service, study)
    export_study(service, study, tmp_path / "open.zip", with_images=True)
    export_tables(service, study, tmp_path / "tables")
    with ZipFile(tmp_path / "open.zip") as archive:
        texts = [archive.read(name) for name in archive.namelist()]
    texts += [path.read_bytes() for path in (tmp_path / "tables").iterdir()]
    shown = (service.overview(study), service.annotators(study), service.invites(study))
    texts += [repr((*shown, vars(service.state(study)))).encode()]
    texts += [repr(StudyKey(bytes.fromhex(key))).encode()]
    assert not [text for text in texts if key.encode() in text or bytes.fromhex(key) in text]
    with pytest.raises(RefusedError, match="before it is closed"):
        service.key(study)
    service.close(study)
    assert service.key(study) == StudyKey(bytes.fromhex(key))


def test_store_that_cannot_be_written_does_not_log_the_key(tmp_path: Path) -> None:
    """Errors of the database repeat no row: neither key nor truth comes into a log."""
    service = StudyService(open_log(f"sqlite:///{tmp_path / 'umnist.sqlite'}"), tmp_path)
    engine = service.log._engine  # type: ignore[attr-defined]
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE attachments")
        connection.commit()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    with pytest.raises(StoreError) as caught:
        create_study(service, small_spec(), jobs=1)
    assert isinstance(caught.value.__cause__, SQLAlchemyError)
    logging.getLogger("test").error("It failed", exc_info=caught.value)
    logging.getLogger().removeHandler(handler)
    assert "no such table: attachments" in stream.getvalue()
    assert '"key"' not in stream.getvalue()
    assert "INSERT" in stream.getvalue()


def test_backup_keeps_the_key_for_the_day_of_closing(tmp_path: Path) -> None:
    """A backup is as secret as the store, and what is restored from it can be remade."""
    service, study = open_small(tmp_path / "lab")
    write_backup(service.log, tmp_path / "lab" / "studies", tmp_path / "b.zip")
    other = StudyService(MemoryLog(), tmp_path / "other")
    restore_backup(tmp_path / "b.zip", other.log, tmp_path / "other" / "studies")
    assert key_of(other, study) == key_of(service, study)


# -- after closing ------------------------------------------------------------------


@pytest.mark.parametrize("with_images", [True, False])
def test_anybody_makes_the_very_pixels_from_the_sealed_export(
    tmp_path: Path, with_images: bool
) -> None:
    """Of every image, practice included, byte for byte under its name, from the zip alone."""
    service, study = open_small(tmp_path / "lab")
    service.close(study)
    export_study(service, study, tmp_path / "x.zip", with_images=with_images)
    shown = {path.name: path.read_bytes() for path in service.study_folder(study).glob("*.png")}
    told: list[tuple[int, int]] = []
    found = remake_images(
        tmp_path / "x.zip",
        tmp_path / "made",
        progress=lambda done, of: told.append((done, of)),
    )
    assert (found.study, found.images, found.others) == (study, 7, ())
    assert {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()} == shown
    assert told[-1] == (7, 7)


def test_image_that_is_not_of_the_key_is_named(tmp_path: Path) -> None:
    """Whoever put an image of choice among the others is found out by the key."""
    service = StudyService(MemoryLog(), tmp_path / "lab")
    drawn = StudyKey.images

    def forged(self: StudyKey, spec: StudySpec) -> list[object]:
        images = drawn(self, spec)
        return [type(images[0])(images[0].id, "test", 1, 1), *images[1:]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StudyKey, "images", forged)
        study = create_study(service, small_spec(), jobs=1)
    service.close(study)
    export_study(service, study, tmp_path / "x.zip", with_images=True)
    found = remake_images(tmp_path / "x.zip", tmp_path / "made")
    key = StudyKey(bytes.fromhex(key_of(service, study)))
    assert found.others == (key.name("image", 0),)


def test_open_or_other_digits_cannot_be_remade(tmp_path: Path) -> None:
    """One sentence for each, and nothing is written."""
    service, study = open_small(tmp_path / "lab")
    export_study(service, study, tmp_path / "open.zip")
    with pytest.raises(InvalidValueError, match="was not closed when it was exported"):
        remake_images(tmp_path / "open.zip", tmp_path / "made")
    service.close(study)
    export_study(service, study, tmp_path / "x.zip")
    with pytest.raises(GlyphMismatchError, match="set UMNIST_DIGITS"):
        remake_images(tmp_path / "x.zip", tmp_path / "made", glyphs=segment_glyphs)
    assert not (tmp_path / "made").exists()


def test_key_that_was_lost_or_changed_is_found(tmp_path: Path) -> None:
    """The first event commits the study to its key, and closing says that it was there."""
    service, study = open_small(tmp_path)
    service.close(study)
    attachments = service.log._studies[study].attachments  # type: ignore[attr-defined]
    key = attachments.pop(1)
    assert verify_log(service.log, study).faults == ("Event 1 has lost its attachment.",)
    attachments[1] = StudyKey.new().to_text()
    (fault,) = verify_log(service.log, study).faults
    assert fault == "Event 1 is not what was logged: its attachment is another."
    attachments[1] = key
    assert verify_log(service.log, study).faults == ()


def test_study_goes_on_elsewhere_without_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the export of an open one: it verifies, fills, closes, is exported and read again."""
    service, study = open_small(tmp_path / "lab")
    export_study(service, study, tmp_path / "open.zip", with_images=True)
    other = StudyService(MemoryLog(), tmp_path / "other")
    import_study(other, tmp_path / "open.zip")
    answer_all(other, study, come_in(other, study))
    other.close(study)
    assert other.key(study) is None
    assert verify_log(other.log, study).faults == ()
    export_study(other, study, tmp_path / "closed.zip")
    third = StudyService(MemoryLog(), tmp_path / "third")
    import_study(third, tmp_path / "closed.zip")
    with pytest.raises(InvalidValueError, match="without its key"):
        remake_images(tmp_path / "closed.zip", tmp_path / "made")
    for name in ("open.zip", "closed.zip"):
        with ZipFile(tmp_path / name) as archive:
            archive.extractall(tmp_path / f"{name}.d")
        monkeypatch.setattr("umnist_core.labeling.recompute.HERE", tmp_path / f"{name}.d")
        header = json.loads((tmp_path / f"{name}.d" / "study.json").read_text())
        assert list(find_log_faults(study, header["head_hash"])) == []


# -- studies of before --------------------------------------------------------------


def test_study_of_before_runs_on_and_says_that_it_can_be_guessed(tmp_path: Path) -> None:
    """It is read, joined, answered, closed, exported and read again; new ones are not guessable."""
    service = StudyService(MemoryLog(), tmp_path / "lab")
    study = old_study(service)
    assert service.state(study).spec.seed == 0
    assert service.overview(study).is_guessable
    assert len(answer_all(service, study, come_in(service, study))) == 3
    service.close(study)
    assert service.key(study) is None
    assert verify_log(service.log, study).faults == ()
    export_study(service, study, tmp_path / "x.zip")
    with pytest.raises(InvalidValueError, match="before studies had keys"):
        remake_images(tmp_path / "x.zip", tmp_path / "made")
    other = StudyService(MemoryLog(), tmp_path / "other")
    assert other.overview(import_study(other, tmp_path / "x.zip")).is_guessable
    assert not service.overview(create_study(service, small_spec(), jobs=1)).is_guessable
