"""Images of a study: frozen without loss, under names that say nothing, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.datasets.exports import cvat_coco, image_bytes, write_shard
from tests.labeling.making import SMALL, open_small, small_spec
from tests.pyramid.making import write_oriented
from umnist_core.datasets import Recipe
from umnist_core.datasets.scan import IMAGE_SUFFIXES
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, MissingFileError, StoreError
from umnist_core.labeling import StudyService
from umnist_core.labeling.freeze import create_study, find_damaged
from umnist_core.labeling.memory import MemoryLog
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene


def test_frozen_image_is_the_rendered_scene(tmp_path: Path) -> None:
    """Pixel for pixel, for every image; the truth says which sample it is."""
    service, study = open_small(tmp_path)
    truth = {name: json.loads(text) for name, text in service.log.read_truth(study).items()}
    glyphs = load_glyphs()
    assert len(truth) == 6
    for name, one in truth.items():
        seed, index = one["source"]["seed"], one["source"]["index"]
        scene = plan_scene("released", seed, "test", index, glyphs=glyphs, overrides=SMALL)
        image = cv2.imread(str(service.stimulus_file(study, name)), cv2.IMREAD_UNCHANGED)
        assert image is not None
        assert np.array_equal(image, render(scene, glyphs))
        assert one["label"] == scene.label == sum(digit["label"] for digit in one["digits"])


def test_practice_images_are_none_of_the_study(tmp_path: Path) -> None:
    """Their answers are told to annotators, so they must not be asked for."""
    service, study = open_small(tmp_path, practice=3)
    state = service.state(study)
    assert len(state.practice) == 3
    assert not {image.id for image in state.practice} & set(state.stimuli)
    assert not {image.id for image in state.practice} & set(service.log.read_truth(study))


def test_names_and_order_say_nothing_of_the_samples(tmp_path: Path) -> None:
    """The events hold no label, index or digit of an image of the study."""
    service, study = open_small(tmp_path, stimuli=30, practice=0)
    created = service.log.read(study)[0].payload
    assert created is not None
    truth = {name: json.loads(text) for name, text in service.log.read_truth(study).items()}
    order = [truth[name]["source"]["index"] for name in created["stimuli"]]
    assert order != sorted(order)
    assert not any(word in json.dumps(created["sizes"]) for word in ("label", "index"))


def test_kaggle_folder_is_copied_byte_for_byte(tmp_path: Path) -> None:
    """With the sums of its table; images without one are left out."""
    folder = tmp_path / "kaggle"
    (folder / "train").mkdir(parents=True)
    rng = np.random.default_rng(3)
    lines = ["id,digit_sum"]
    for number in range(5):
        image = rng.integers(0, 256, (90, 120), np.uint8)
        cv2.imwrite(str(folder / "train" / f"image{number}.jpeg"), image)
        lines.append(f"image{number},{number + 3}")
    (folder / "train.csv").write_text("\n".join(lines))
    service, study = open_small(
        tmp_path / "lab", folder=str(folder), stimuli=4, images_per_annotator=4
    )
    for name, text in service.log.read_truth(study).items():
        one = json.loads(text)
        original = folder / "train" / f"{one['source']['image']}.jpeg"
        assert service.stimulus_file(study, name).read_bytes() == original.read_bytes()
        assert one["label"] == int(original.stem[-1]) + 3
    assert set(service.state(study).sizes.values()) == {(90, 120)}
    with pytest.raises(InvalidValueError, match="needs 7 images with their sums"):
        create_study(
            service, small_spec(folder=str(folder), stimuli=6, images_per_annotator=4), jobs=1
        )


def test_equal_file_names_in_train_and_test_freeze_with_their_own_sums(tmp_path: Path) -> None:
    """What is stored as the truth is each image's own, and names its split and path."""
    named = {
        subset: {f"{letter}.png": (number, number, step) for number, letter in enumerate("abcd")}
        for step, subset in enumerate(("train", "test"))
    }
    cvat_coco(tmp_path / "set", named)
    service, study = open_small(
        tmp_path / "lab", folder=str(tmp_path / "set"), stimuli=7, images_per_annotator=4
    )
    truth = [json.loads(text) for text in service.log.read_truth(study).values()]
    assert len({one["source"]["path"] for one in truth}) == len(truth) == 7
    for one in truth:
        split, name = one["source"]["split"], Path(one["source"]["path"]).name
        assert one["source"]["path"] == f"images/{split}/{name}"
        assert one["label"] == sum(named[split][name])


def test_frozen_image_has_the_suffix_of_its_own_file(tmp_path: Path) -> None:
    """Of every kind that is read, and also where it lay in a shard."""
    suffixes = [one for one in IMAGE_SUFFIXES for _ in range(2)]
    members = {
        f"{number}{suffix}": image_bytes(9, suffix) for number, suffix in enumerate(suffixes)
    }
    classes = {f"{number}.cls": b"%d" % number for number in range(len(suffixes))}
    write_shard(tmp_path / "set" / "s.tar", {**members, **classes})
    service, study = open_small(
        tmp_path / "lab",
        folder=str(tmp_path / "set"),
        stimuli=len(suffixes) - 2,
        practice=2,
        images_per_annotator=4,
    )
    truth = service.log.read_truth(study)
    assert len(truth) == len(suffixes) - 2
    for name, text in truth.items():
        one = json.loads(text)
        frozen = service.stimulus_file(study, name)
        assert frozen.suffix == suffixes[one["label"]]
        assert frozen.read_bytes() == members[one["source"]["path"].removeprefix("s.tar/")]


def test_majorities_are_no_sums(tmp_path: Path) -> None:
    """A folder of Megapixel MNIST has labels, and none that people are asked for."""
    overrides = {"canvas": "100", "noise_count": "1"}
    write_dataset(Recipe(9, "megapixel", overrides=overrides), tmp_path / "set")
    with pytest.raises(InvalidValueError, match=r"needs 7 images with their sums.* has 0"):
        open_small(tmp_path / "lab", folder=str(tmp_path / "set"), overrides={})


def test_damaged_or_missing_image_is_found(tmp_path: Path) -> None:
    """A sentence for each."""
    service, study = open_small(tmp_path)
    folder = service.study_folder(study)
    assert find_damaged(folder) == []
    first, second, *_ = service.state(study).stimuli
    service.stimulus_file(study, first).unlink()
    path = service.stimulus_file(study, second)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    assert sorted(find_damaged(folder)) == sorted(
        [
            f"Image {first} is missing.",
            f"Image {second} is not what it was when the study was made.",
        ]
    )


def test_creation_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Whether the images cannot be made or the study cannot be logged."""
    service = StudyService(MemoryLog(), tmp_path)
    with pytest.raises(InvalidValueError, match="asks for the sum"):
        create_study(
            service,
            small_spec(preset="megapixel", overrides={"canvas": "1500"}, stimuli=3),
            jobs=1,
        )
    with pytest.raises(MissingFileError, match="found no folder"):
        create_study(service, small_spec(folder="/nowhere"), jobs=1)
    service.log.close()
    with pytest.raises(StoreError):
        create_study(service, small_spec(), jobs=1)
    studies = tmp_path / "studies"
    assert not studies.exists() or list(studies.iterdir()) == []


def test_progress_counts_every_image(tmp_path: Path) -> None:
    """Up to all of them, practice included."""
    told: list[tuple[int, int]] = []
    service = StudyService(MemoryLog(), tmp_path)
    create_study(service, small_spec(), progress=lambda done, of: told.append((done, of)), jobs=1)
    assert told[-1] == (7, 7)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_frozen_photo_is_upright_for_good(tmp_path: Path) -> None:
    """What people see of a turned or transparent file is in the frozen pixels themselves."""
    folder = tmp_path / "photos"
    (folder / "train").mkdir(parents=True)
    pixels = np.random.default_rng(3).integers(0, 256, (90, 120), np.uint8)
    write_oriented(folder / "train" / "turned.png", pixels, 6)
    clear = np.zeros((120, 90, 4), np.uint8)
    clear[10:40, 10:40, 3] = 255
    Image.fromarray(clear, "RGBA").save(folder / "train" / "clear.png")
    (folder / "train.csv").write_text("id,digit_sum\nturned,3\nclear,4\n")
    service, study = open_small(
        tmp_path / "lab", folder=str(folder), stimuli=2, practice=0, images_per_annotator=2
    )
    assert set(service.state(study).sizes.values()) == {(120, 90)}
    for name, text in service.log.read_truth(study).items():
        path = service.stimulus_file(study, name)
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert image is not None
        if json.loads(text)["source"]["image"] == "turned":
            assert np.array_equal(image, np.rot90(pixels, -1))
        else:
            assert image.ndim == 2 or image.shape[2] == 3
            assert (image[0, 0].max(), image[20, 20].max()) == (255, 0)
    assert find_damaged(service.study_folder(study)) == []
