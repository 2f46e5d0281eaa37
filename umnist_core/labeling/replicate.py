"""A new study from an exported one: the very same images, the same texts, the same settings.

The images are those of the export where it has them, each compared with the checksum in the
original's first event. Else they are made anew from the key that the export of a closed study
holds, and compared by the hashes of their pixels. They keep their names, so that answers of both
studies can be joined image by image. The replication has a key of its own, from which the order
of images is drawn.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from umnist_core import __version__
from umnist_core.digits import load_glyphs
from umnist_core.errors import DamagedFileError, GlyphMismatchError, InvalidValueError
from umnist_core.labeling.archive import extract_images, said_as_write_error
from umnist_core.labeling.claims import claims_of, merged
from umnist_core.labeling.events import StudyCreated
from umnist_core.labeling.export import LOG
from umnist_core.labeling.freeze import Progress, freeze_samples, write_manifest
from umnist_core.labeling.importing import check_export, open_export, read_export
from umnist_core.labeling.log import StudyCopy, canonical_json, chain, sha256
from umnist_core.labeling.original import Original, check_bounds
from umnist_core.labeling.preregistration import TEXT_MAX, Preregistration
from umnist_core.labeling.private import make_private_folder
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.results import FoldedStudy, answers_of
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.study_key import KEY_SEQ, StudyKey, is_guessable
from umnist_core.labeling.times import text_of_time
from umnist_core.labeling.zip_checks import said_as_damage
from umnist_core.scoring.replication import BOUNDS, Compared, compare_studies, measure


@dataclass(frozen=True)
class Replication:
    """A study that was made from an export.

    Attributes
    ----------
    study
        Its id.
    original
        What it repeats.
    images
        How many it has, those to practise on included.
    are_remade
        Whether they were made anew from the key, and not taken from the export.
    """

    study: str
    original: Original
    images: int
    are_remade: bool


def replicate_study(
    service: StudyService,
    source: Path,
    name: str | None = None,
    *,
    bounds: float = BOUNDS,
    progress: Progress | None = None,
    jobs: int = -1,
) -> Replication:
    """Make a study that repeats an exported one.

    Parameters
    ----------
    service
        Where the new study goes.
    source
        The zip file of `umnist_core.labeling.export.export_study`.
    name
        Of the new study; "Replication of" the original's unless given.
    bounds
        Least difference of accuracies that matters for the verdict, above 0 and below 1. It is
        logged with the study.
    progress
        Told of every image that is copied or made anew.
    jobs
        Processes; -1 for one a core.

    Raises
    ------
    MissingFileError, DamagedFileError, TooLargeError
        As of `umnist_core.labeling.importing.import_study`; DamagedFileError also where an image
        comes out as another.
    InvalidValueError
        If it is a study of oneself, if the export has neither the images nor the key to make
        them of, or if the name or the bounds cannot be.
    GlyphMismatchError
        If the images have to be made anew and these are not the digits for it.
    WriteError, StoreError
        If something cannot be written; no study is there then.
    """
    check_bounds(bounds)
    with said_as_damage(source), open_export(source) as archive:
        header, copy = read_export(archive, source)
        check_export(archive, copy)
        folded = _folded(copy)
        original = _original_of(folded, bounds)
        spec = _spec_of(folded, name, original)
        study = f"s{secrets.token_hex(6)}"
        final = service.study_folder(study)
        making = final.with_name(f".making-{study}")
        try:
            with said_as_write_error(final.parent):
                make_private_folder(making)
            if header.has_images:
                extract_images(archive, LOG, copy.events[0], making, progress)
                files = dict(folded.created.manifest)
            else:
                key = _key_for_images(copy, folded)
                files = _remake(folded, key, making, progress=progress, jobs=jobs)
            with said_as_write_error(final.parent):
                making.rename(final)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        try:
            _log(service, study, _first_event(folded, spec, copy.truth, files), copy.truth)
        except BaseException:
            shutil.rmtree(final, ignore_errors=True)
            raise
    return Replication(study, original, len(files), not header.has_images)


def find_verdict(service: StudyService, study: str) -> tuple[Original, tuple[Compared, ...]] | None:
    """Return what a study replicates and how its figures stand to those; None if it is none.

    Raises
    ------
    NotFoundError, DamagedFileError, StoreError
        As of `umnist_core.labeling.results.load_answers`.
    """
    folded = FoldedStudy.of(service.log, study)
    if folded.state.spec.replicates is None:
        return None
    original = Original.from_dict(folded.state.spec.replicates)
    measured = measure(answers_of(folded))
    return original, compare_studies(original.figures, measured, original.bounds)


def _folded(copy: StudyCopy) -> FoldedStudy:
    return FoldedStudy(copy.events, {name: json.loads(text) for name, text in copy.truth.items()})


def _original_of(folded: FoldedStudy, bounds: float) -> Original:
    state = folded.state
    assert state.head is not None
    if not state.spec.has_truth:
        raise InvalidValueError(
            f"Study {folded.study} has images without truth, so that it has no accuracy that could "
            "be found again; make a study of the same folder instead."
        )
    return Original(
        study=folded.study,
        name=state.spec.name,
        head_hash=state.head.hash,
        is_closed=state.status == "closed",
        figures=measure(answers_of(folded)),
        bounds=bounds,
    )


def _spec_of(folded: FoldedStudy, name: str | None, original: Original) -> StudySpec:
    spec = folded.state.spec
    if spec.is_self:
        raise InvalidValueError(
            f"Study {folded.study} is one of oneself, which has no consent and one person; "
            "replicate a study for others."
        )
    title = f"Replication of {original.name}"[:120] if name is None else name
    return dataclasses.replace(
        spec,
        name=title,
        seed=None,  # it tells how images were drawn before there were keys; these are there
        recruiting=None,  # addresses, codes and pay are those of whoever recruits
        replicates=original.to_dict(),
        preregistration=_promise_of(spec, original),
    )


def _promise_of(spec: StudySpec, original: Original) -> dict[str, Any]:
    """Return what a replication promises: what the original did, said to be the original's.

    Its last day is over, or is another's.
    """
    if not spec.preregistration:
        return {}
    promise = Preregistration.read(spec.preregistration)
    head = (
        f"# Replication of {original.name}\n\nThis study repeats study {original.study}, whose log "
        f"ends with the hash {original.head_hash}: the same images, texts and settings. It is "
        "judged by what the original found, as written into the first event, and by a least "
        f"difference of {original.bounds:g} in accuracy.\n\nThe preregistration of the original, "
        f"SHA-256 {promise.sha256}, "
    )
    text = f"{head}follows.\n\n{promise.text}"
    if len(text) > TEXT_MAX:
        text = f"{head}is preregistration.md of its export.\n"
    return dataclasses.replace(promise, text=text, closes="").to_dict()


# -- images -----------------------------------------------------------------------------


def _key_for_images(copy: StudyCopy, folded: FoldedStudy) -> StudyKey:
    spec = folded.state.spec
    text = next((text for seq, text in copy.attachments if seq == KEY_SEQ), None)
    if spec.folder is not None or spec.replicates is not None or text is None:
        raise InvalidValueError(
            f"This export has neither the images of study {folded.study} nor a key that they can "
            "be made of; have it exported again with its images (--with-images), or, if they were "
            "generated, after it is closed."
        )
    return StudyKey.from_text(text)


def _remake(
    folded: FoldedStudy,
    key: StudyKey,
    folder: Path,
    *,
    progress: Progress | None,
    jobs: int,
) -> dict[str, str]:
    """Make the images anew, and return the checksum of each file."""
    created, state = folded.created, folded.state
    glyphs = load_glyphs()
    if glyphs.checksum != state.glyphs["checksum"]:
        raise GlyphMismatchError(
            f"Expected the digits that the study was made of ({state.glyphs['name']}), found "
            f"{glyphs.name}; set UMNIST_DIGITS to their folder, or have the study exported with "
            "its images."
        )
    frozen = freeze_samples(state.spec, key, folder, glyphs.checksum, progress=progress, jobs=jobs)
    for one in frozen:
        known = folded.truth.get(one.id, {}).get("pixels_sha256")
        is_same_file = created.manifest.get(one.id) == one.sha256
        # Another version of the library that packs PNG files gives other bytes of the same pixels.
        if not is_same_file and (known is None or known != one.truth["pixels_sha256"]):
            raise DamagedFileError(
                f"Expected image {one.id} as people saw it, found that this version of umnist or "
                "its libraries makes another of the key; have the study exported with its images."
            )
    manifest = {one.id: one.sha256 for one in frozen}
    write_manifest(folder, manifest)
    return manifest


# -- the log ----------------------------------------------------------------------------


def _first_event(
    folded: FoldedStudy, spec: StudySpec, truth: Mapping[str, str], files: Mapping[str, str]
) -> StudyCreated:
    """Return what is logged first: the original's, with settings and files of the new study."""
    before = folded.events[0].payload or {}
    # Whatever else the original says of its images is said of the same images.
    changed = {
        "spec": spec.to_dict(),
        "manifest": dict(files),
        "truth_sha256": sha256(canonical_json(dict(truth))),
        "versions": {**before.get("versions", {}), "app": __version__},
        # One of before there were keys has images of one seed, and so has its replication.
        **({"is_generated_folder": True} if is_guessable(folded.events[0]) else {}),
    }
    return StudyCreated.read({**before, **changed})


def _log(
    service: StudyService, study: str, created: StudyCreated, truth: Mapping[str, str]
) -> None:
    key = StudyKey.new()
    draft = created.draft(attachment=key.to_text())
    events = chain(study, [draft], None, text_of_time(service.now()))
    claims = merged(map(claims_of, events))
    service.log.create(events, claims, dict(truth), {KEY_SEQ: key.to_text()})
