"""Making a study: its images frozen without loss under names that say nothing.

Which images they are, and what their files are called, is drawn from a key that is the
study's own (`umnist_core.labeling.study_key`). Images are made, or copied, into a hidden
folder that gets its name only when all are there; then the study is logged in one transaction
with the truth and the key. A creation that is stopped leaves no study, and nothing that a
later one could mistake for one.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import joblib

from umnist_core import __version__
from umnist_core.datasets import FileReader, open_files
from umnist_core.datasets.decode import choice_sentences
from umnist_core.datasets.manifest import read_manifest
from umnist_core.datasets.samples import one_thread
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.errors import GlyphMismatchError, InvalidValueError, MissingFileError, WriteError
from umnist_core.files import write_whole
from umnist_core.labeling.claims import claims_of, merged
from umnist_core.labeling.events import StudyCreated
from umnist_core.labeling.ledger import Ledger
from umnist_core.labeling.log import canonical_json, chain, sha256
from umnist_core.labeling.private import make_private_folder
from umnist_core.labeling.recorded import SUM_MAX
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.study_key import KEY_SEQ, KeyedImage, StudyKey, overrides_of
from umnist_core.labeling.times import text_of_time
from umnist_core.paths import expand_home
from umnist_core.pyramid.encode import encode_png
from umnist_core.pyramid.files import open_source, read_image_header
from umnist_core.pyramid.frozen import freeze_shown
from umnist_core.pyramid.pixel_hash import find_pixel_hash, hash_pixels
from umnist_core.rendering import render
from umnist_core.rendering.figures import scene_figures
from umnist_core.rendering.render import RENDERER_VERSION
from umnist_core.scenes import Scene, plan_scene

MANIFEST = "manifest.json"

Progress = Callable[[int, int], None]
"""Called with images made and images in all."""


@dataclass(frozen=True)
class Frozen:
    """An image that lies in the study's folder.

    Attributes
    ----------
    id
        Random; names the file and says nothing.
    suffix
        Of the file, with its dot.
    height, width
        Canvas, px.
    sha256
        Of the file.
    truth
        What is in it: ``label``, ``digits`` (None where only the sum is known), ``figures``,
        ``source`` and ``pixels_sha256``, by which models' answers to it are found.
    choices
        What was chosen to read its file, of `umnist_core.datasets.decode`.
    cell
        Number of its cell; None without factors.
    """

    id: str
    suffix: str
    height: int
    width: int
    sha256: str
    truth: Mapping[str, Any]
    choices: tuple[str, ...] = ()
    cell: int | None = None


@dataclass(frozen=True)
class _Planned:
    """One image to freeze: a sample of the preset, or a file of the folder."""

    id: str
    sample: KeyedImage | None = None
    image_id: str | None = None


def create_study(
    ledger: Ledger,
    spec: StudySpec,
    *,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
    jobs: int = -1,
) -> str:
    """Freeze a study's images and log it.

    Parameters
    ----------
    ledger
        Where the study goes.
    spec
        Its settings.
    progress
        Told of every image that is made.
    say
        Told, in sentences, what was chosen to read the files of a folder.
    jobs
        Processes; -1 for one a core.

    Returns
    -------
    str
        Id of the study.

    Raises
    ------
    InvalidValueError
        If the images' answer is not a sum from 0 to 27, the folder has too few with one, or a
        seed is given.
    MissingFileError, DamagedFileError, PlacementError, GlyphMismatchError
        As of the digits and images.
    WriteError, StoreError
        If something cannot be written; no study is there then.
    """
    if spec.seed is not None:
        raise InvalidValueError(
            f"A study's images are drawn from a secret key of its own, found seed {spec.seed}; "
            "leave seed out."
        )
    study = f"s{secrets.token_hex(6)}"
    key = StudyKey.new()
    glyphs = load_glyphs()
    planned = _plan_images(spec, key)
    final = ledger.study_folder(study)
    making = final.with_name(f".making-{study}")
    try:
        make_private_folder(making)
        frozen = list(
            _freeze_all(spec, planned, making, glyphs.checksum, progress=progress, jobs=jobs)
        )
        write_manifest(making, {one.id: one.sha256 for one in frozen})
        making.rename(final)
    except OSError as error:
        raise WriteError(
            f"The images of the study could not be written to {final.parent} "
            f"({error.strerror or error}); choose another folder with UMNIST_LABELING."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    try:
        _log_study(ledger, study, spec, key, frozen=frozen, glyphs=glyphs)
    except BaseException:
        shutil.rmtree(final, ignore_errors=True)
        raise
    if say is not None:
        choices = Counter(kind for one in frozen for kind in one.choices)
        for sentence in choice_sentences(choices, len(frozen)):
            say(sentence)
    return study


def find_damaged(folder: Path) -> list[str]:
    """Return a sentence for every frozen image that is missing or not what it was.

    Parameters
    ----------
    folder
        Of one study.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        return [f"The list of images {folder / MANIFEST} cannot be read: {error}"]
    files = {path.stem: path for path in folder.iterdir() if path.name != MANIFEST}
    found = []
    for name, checksum in manifest.items():
        if name not in files:
            found.append(f"Image {name} is missing.")
        elif hashlib.sha256(files[name].read_bytes()).hexdigest() != checksum:
            found.append(f"Image {name} is not what it was when the study was made.")
    return found


def write_manifest(folder: Path, checksums: Mapping[str, str]) -> None:
    """Write the list of a study's images, once all are there, in an order that tells nothing."""
    manifest = dict(sorted(checksums.items()))
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=1).encode(), private=True)
    _forget_order(folder)


def freeze_samples(
    spec: StudySpec,
    key: StudyKey,
    folder: Path,
    checksum: str,
    *,
    progress: Progress | None,
    jobs: int,
) -> list[Frozen]:
    """Make the generated images of a study by its key, those to practise on last.

    Parameters
    ----------
    checksum
        Of the digits.

    Raises
    ------
    GlyphMismatchError, InvalidValueError, PlacementError, WriteError
        As `create_study`.
    """
    planned = [_Planned(one.id, one) for one in key.images(spec)]
    return list(_freeze_all(spec, planned, folder, checksum, progress=progress, jobs=jobs))


def _forget_order(folder: Path) -> None:
    """Give all files one time, so that none says in which order they were made."""
    moment = time.time_ns()
    for path in folder.iterdir():
        os.utime(path, ns=(moment, moment))


def _plan_images(spec: StudySpec, key: StudyKey) -> list[_Planned]:
    """Return every image of the study, then every practice image."""
    if spec.folder is not None:
        return _plan_files(spec, key)
    return [_Planned(one.id, one) for one in key.images(spec)]


def _plan_files(spec: StudySpec, key: StudyKey) -> list[_Planned]:
    reader = _open_folder(spec)
    needed = spec.stimuli + spec.practice
    if not spec.has_truth:
        return _plan_unlabelled(reader, key, spec)
    labelled = [name for name in reader.ids if reader.digit_sum(name) is not None]
    if len(labelled) < needed:
        raise InvalidValueError(
            f"The study needs {needed} images with their sums, {spec.practice} of them to practise "
            f"on; {spec.folder} has {len(labelled)}. Ask for fewer, or add a table such as "
            "train.csv."
        )
    return _named_files(key, labelled, needed)


def _plan_unlabelled(reader: FileReader, key: StudyKey, spec: StudySpec) -> list[_Planned]:
    if len(reader.ids) < spec.stimuli:
        raise InvalidValueError(
            f"The study needs {spec.stimuli} images; {spec.folder} has {len(reader.ids)}. Ask for "
            "fewer."
        )
    return _named_files(key, list(reader.ids), spec.stimuli)


def _named_files(key: StudyKey, names: list[str], needed: int) -> list[_Planned]:
    """Return as many files as are needed, drawn by the key, under names of its own."""
    order = key.order_of_files(names)[:needed]
    return [_Planned(key.name("file", place), image_id=name) for place, name in enumerate(order)]


def _open_folder(spec: StudySpec) -> FileReader:
    root = expand_home(spec.folder or "")
    if not root.is_dir():
        raise MissingFileError(f"Expected a folder of images, found no folder {root}; check it.")
    return open_files(root)


def _is_generated_folder(spec: StudySpec) -> bool:
    """Whether the images are those of a data set of ours, whose seed stands beside them."""
    return spec.folder is not None and read_manifest(expand_home(spec.folder)) is not None


def _freeze_all(
    spec: StudySpec,
    planned: Sequence[_Planned],
    folder: Path,
    checksum: str,
    *,
    progress: Progress | None,
    jobs: int,
) -> Iterable[Frozen]:
    """Freeze the images that are planned, on several processes; in their order."""
    size = max(1, min(16, len(planned) // 8))
    batches = [planned[first : first + size] for first in range(0, len(planned), size)]
    workers = 1 if len(planned) <= 8 else jobs
    pool = joblib.Parallel(n_jobs=workers, return_as="generator", batch_size=1)
    results: Generator[list[Frozen], None, None] = pool(
        joblib.delayed(freeze_batch)(spec, batch, folder, checksum) for batch in batches
    )
    done = 0
    try:
        for batch in results:
            done += len(batch)
            if progress is not None:
                progress(done, len(planned))
            yield from batch
    finally:
        with warnings.catch_warnings():
            # Joblib warns of results that nobody took, as when someone cancels.
            warnings.simplefilter("ignore", UserWarning)
            results.close()


def freeze_batch(
    spec: StudySpec, planned: Sequence[_Planned], folder: Path, checksum: str
) -> list[Frozen]:
    """Freeze some images; runs in a process of its own.

    Raises
    ------
    GlyphMismatchError
        If this process has other digits than the one that makes the study.
    InvalidValueError
        If an image's answer is not a sum from 0 to 27.
    WriteError
        If a file cannot be written.
    """
    if spec.folder is not None:
        reader = _open_folder(spec)
        return [_freeze_file(reader, one, folder, has_truth=spec.has_truth) for one in planned]
    glyphs = load_glyphs()
    if glyphs.checksum != checksum:
        raise GlyphMismatchError(
            "The digits changed while the study was made; make it again with the digits that are "
            "here now."
        )
    with one_thread():
        return [_freeze_scene(spec, one, folder, glyphs) for one in planned]


def plan_image(spec: StudySpec, image: KeyedImage, glyphs: GlyphSet) -> Scene:
    """Plan an image of a study; errors as `umnist_core.scenes.plan_scene`."""
    return plan_scene(
        spec.preset,
        image.seed,
        image.split,
        image.index,
        glyphs=glyphs,
        overrides=overrides_of(spec, image.cell),
    )


def _freeze_scene(spec: StudySpec, one: _Planned, folder: Path, glyphs: GlyphSet) -> Frozen:
    assert one.sample is not None
    scene = plan_image(spec, one.sample, glyphs)
    if not scene.asks_sum:
        raise InvalidValueError(
            f"A study asks for the sum of the digits; the preset {spec.preset} has other answers. "
            "Choose released or paper."
        )
    _check_label(scene.label, f"{one.id} of preset {spec.preset}")
    pixels = render(scene, glyphs)
    data = encode_png(pixels)
    write_whole(folder / f"{one.id}.png", data, private=True)
    truth = {**_scene_truth(scene, glyphs), "pixels_sha256": hash_pixels(pixels)}
    checksum = hashlib.sha256(data).hexdigest()
    cell = one.sample.cell if spec.has_cells else None
    return Frozen(one.id, ".png", scene.height, scene.width, checksum, truth, cell=cell)


def _scene_truth(scene: Scene, glyphs: GlyphSet) -> dict[str, Any]:
    figures = scene_figures(scene, glyphs)
    provenance = scene.provenance
    return {
        "label": scene.label,
        "digits": [
            {
                "label": one.label,
                "glyph": one.glyph,
                "row": one.row,
                "col": one.col,
                "side_px": one.side_px,
            }
            for one in scene.digits
        ],
        "figures": {
            "ink_share": figures.ink_share,
            "cells": figures.cells,
            **figures.shapes,
        },
        "source": None if provenance is None else asdict(provenance),
    }


def _freeze_file(reader: FileReader, one: _Planned, folder: Path, *, has_truth: bool) -> Frozen:
    name = one.image_id or ""
    # A sum that stands in the folder all the same is not looked at: it would be taken for truth.
    label = reader.digit_sum(name) if has_truth else None
    if has_truth:
        _check_label(label, name)
    data = reader.read_bytes(name)
    reader.read_image(name)  # a damaged image is told now, not to the first person who opens it
    image = reader.get_identity(name)
    path = folder / f"{one.id}{PurePosixPath(image.path).suffix.lower()}"
    write_whole(path, data, private=True)
    path = freeze_shown(path)
    header = read_image_header(path, frozen=True)
    origin = {"image": name, "split": image.split, "path": image.path}
    truth = {
        "label": label,
        "digits": None,
        "figures": {},
        "source": origin,
        "pixels_sha256": find_pixel_hash(open_source(header)),
    }
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    choices = reader.find_choices(name)
    return Frozen(one.id, path.suffix, header.height, header.width, checksum, truth, choices)


def _check_label(label: int | None, name: str) -> None:
    if label is None or not 0 <= label <= SUM_MAX:
        raise InvalidValueError(
            f"Expected a sum of digits from 0 to {SUM_MAX}, found {label} for image {name}; choose "
            "UltraMNIST images."
        )


def _log_study(
    ledger: Ledger,
    study: str,
    spec: StudySpec,
    key: StudyKey,
    *,
    frozen: Sequence[Frozen],
    glyphs: GlyphSet,
) -> None:
    images, practice = frozen[: spec.stimuli], frozen[spec.stimuli :]
    truth = {one.id: canonical_json(one.truth) for one in images}
    # The folder's name alone: an export tells no path of this machine, and a log cannot be changed.
    folder = None if spec.folder is None else expand_home(spec.folder).resolve().name
    created = StudyCreated(
        spec={**spec.to_dict(), "folder": folder},
        # Sorted by their random names, so that the order tells nothing of the samples' numbers.
        stimuli=sorted(one.id for one in images),
        practice=[_practice(one) for one in practice],
        sizes={one.id: (one.height, one.width) for one in frozen},
        suffixes={one.id: one.suffix for one in frozen},
        manifest={one.id: one.sha256 for one in frozen},
        truth_sha256=sha256(canonical_json(truth)),
        versions={"app": __version__, "renderer": RENDERER_VERSION},
        glyphs={
            "name": glyphs.name,
            "checksum": glyphs.checksum,
            "is_stand_in": glyphs.is_stand_in,
        },
        is_generated_folder=_is_generated_folder(spec),
        cells={one.id: one.cell for one in images if one.cell is not None} or None,
    )
    drafts = [created.draft(attachment=key.to_text())]
    if spec.is_self:
        drafts.append(ledger.self_link_draft(study, spec.pools[0]))
    events = chain(study, drafts, None, text_of_time(ledger.now()))
    claims = merged(map(claims_of, events))
    ledger.log.create(events, claims, truth, {KEY_SEQ: key.to_text()})


def _practice(one: Frozen) -> dict[str, Any]:
    names = ("label", "row", "col", "side_px")
    digits = one.truth["digits"] or []
    return {
        "id": one.id,
        "label": one.truth["label"],
        "digits": [{name: digit[name] for name in names} for digit in digits],
    }
