"""What CVAT and Label Studio export as COCO and Pascal VOC opens, with the right sums."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.exports import coco, cvat_coco, cvat_voc, voc, write_image
from umnist_core.datasets import open_dataset, open_image_folder
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.errors import DamagedFileError, MissingFileError

ONE = {"default": {"a.png": (1, 2, 3), "sub/a.png": (4, 5, 6), "sub dir/b c.JPG": (7, 8, 9)}}
THREE = {
    "Train": {"a.png": (1, 2, 3)},
    "Validation": {"b.png": (0, 0, 1)},
    "Test": {"t/a.png": (9, 9, 9)},
}
WRITERS = {"coco": cvat_coco, "voc": cvat_voc}


def labels_by_path(root: Path) -> dict[str, int | None]:
    """Return what a data set says of each image, by the path below its folder."""
    data = open_dataset(root)
    return {data.get_identity(one).path: data.label(one) for one in data.ids}


@pytest.mark.parametrize("kind", WRITERS)
def test_cvats_task_opens_with_names_in_folders_and_with_spaces(tmp_path: Path, kind: str) -> None:
    """One subset, equal file names in two folders, a suffix in capitals."""
    WRITERS[kind](tmp_path, ONE)
    data = open_dataset(tmp_path)
    inside = "images/default" if kind == "coco" else "JPEGImages"
    assert data.kind == kind
    assert labels_by_path(tmp_path) == {
        f"{inside}/a.png": 6,
        f"{inside}/sub/a.png": 15,
        f"{inside}/sub dir/b c.JPG": 24,
    }
    assert inspect_dataset(tmp_path).is_sound
    assert [data.read_image(one)[0, 0] for one in data.ids if "b c" not in one] == [6, 15]


@pytest.mark.parametrize("kind", WRITERS)
def test_cvats_project_opens_with_its_subsets(tmp_path: Path, kind: str) -> None:
    """``Validation`` is val; each subset's file or list says its images' split."""
    WRITERS[kind](tmp_path, THREE)
    data = open_dataset(tmp_path)
    found = {one: (data.get_split(one), data.label(one)) for one in data.ids}
    assert found == {"a": ("train", 6), "val/b": ("val", 1), "test/a": ("test", 27)}
    assert inspect_dataset(tmp_path).counts == {"train": 1, "val": 1, "test": 1}


def test_cvats_older_coco_opens_with_all_images_in_one_folder(tmp_path: Path) -> None:
    """There the file alone says which subset an image is of."""
    cvat_coco(tmp_path, THREE, images=False)
    for name, digits in ((n, d) for named in THREE.values() for n, d in named.items()):
        write_image(tmp_path / "images" / name, sum(digits))
    data = open_dataset(tmp_path)
    found = {one: (data.get_split(one), data.label(one)) for one in data.ids}
    assert found == {"a": ("train", 6), "val/b": ("val", 1), "test/a": ("test", 27)}


@pytest.mark.parametrize("kind", WRITERS)
def test_labels_without_images_open_and_list_what_is_missing(tmp_path: Path, kind: str) -> None:
    """CVAT leaves images out unless asked; what reads images says so in one sentence."""
    WRITERS[kind](tmp_path, THREE, images=False)
    found = inspect_dataset(tmp_path)
    assert (found.kind, found.counts, found.is_sound) == (kind, {}, False)
    assert len(found.missing) == 3
    with pytest.raises(MissingFileError, match=r"3 images that annotations .* name, found none"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("kind", WRITERS)
def test_labels_without_images_take_the_images_that_are_put_beside_them(
    tmp_path: Path, kind: str
) -> None:
    """In the folders that they were uploaded from."""
    WRITERS[kind](tmp_path, ONE, images=False)
    for name in ONE["default"]:
        write_image(tmp_path / name)
    assert labels_by_path(tmp_path) == {"a.png": 6, "sub/a.png": 15, "sub dir/b c.JPG": 24}


@pytest.mark.parametrize(
    ("kind", "part", "count"),
    [
        ("coco", "images", 3),
        ("coco", "images/Test", 1),
        ("coco", "annotations", 3),
        ("voc", "JPEGImages", 3),
        ("voc", "Annotations", 3),
    ],
)
def test_each_folder_of_an_export_opens_with_its_sums(
    tmp_path: Path, kind: str, part: str, count: int
) -> None:
    """Its folders of images alone, or its folder of labels."""
    WRITERS[kind](tmp_path, THREE)
    data = open_dataset(tmp_path / part)
    labels = [data.label(one) for one in data.ids]
    assert labels == ([27] if count == 1 else [6, 1, 27])
    assert data.get_split(data.ids[-1]) == "test"
    assert list(data.iter_missing()) == []


@pytest.mark.parametrize("kind", WRITERS)
def test_missing_image_does_not_give_its_sum_to_a_namesake(tmp_path: Path, kind: str) -> None:
    """Its name is the end of another's path, in a folder or in another subset."""
    subsets = {"one": {"a.png": (1, 2, 3)}, "two": {"sub/b.png": (4, 5, 6)}}
    WRITERS[kind](tmp_path, subsets)
    first, second = sorted(path for path in tmp_path.rglob("*.png"))
    first.unlink()
    second.rename(second.with_name("a.png"))
    assert list(labels_by_path(tmp_path).values()) == [None]
    assert len(inspect_dataset(tmp_path).missing) == 2


def test_lists_that_put_an_image_into_two_splits_are_refused(tmp_path: Path) -> None:
    """With both lists; CVAT writes such where two subsets share a name."""
    cvat_voc(tmp_path, THREE)
    (tmp_path / "ImageSets" / "Main" / "Test.txt").write_text("a\n")
    with pytest.raises(DamagedFileError, match=r"Main/Test\.txt and train by .*Main/Train\.txt"):
        open_dataset(tmp_path)


# -- Label Studio -----------------------------------------------------------------

NAMES = {
    "images/cb0618f6-a.png": "images/cb0618f6-a.png",
    "images\\90fbb0c7-b.png": "images/90fbb0c7-b.png",
    "images\\1/33fbb0c7-b.png": "images/33fbb0c7-b.png",
    "../../label-studio/media/upload/4/11223344-c d.png": "images/11223344-c d.png",
    "..\\..\\media\\upload\\4\\99223344-c.png": "images/99223344-c.png",
    "/data/upload/4/55667788-%C3%BC%20e.png": "images/55667788-ü e.png",
    "/data/local-files/?d=one/x.png": "one/x.png",
    "/data/local-files/?d=two%2Fx.png": "two/x.png",
    "images/72de642c__y.png": "images/y.png",
    "s3://bucket/deep/z.png": "deep/z.png",
    "https://example.org/deep/w.png?X-Sig=1": "images/w.png",
    "C:\\data\\v.png": "v.png",
}
"""File names that Label Studio's COCO has, and where the image lies for those who open it."""


@pytest.mark.parametrize("name", NAMES)
def test_label_studios_file_names_mean_the_image_of_that_name(tmp_path: Path, name: str) -> None:
    """Relative, with backslashes, on the server, encoded, in a bucket; with an upload's number."""
    coco(tmp_path / "result.json", {name.replace("\\", "\\"): (3, 4, 5)}, first=0)
    write_image(tmp_path / NAMES[name])
    write_image(tmp_path / "images" / "other.png")
    found = labels_by_path(tmp_path)
    assert found == {NAMES[name]: 12, "images/other.png": None}
    assert inspect_dataset(tmp_path).missing == ()


def test_label_studios_uploads_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    """Two uploads of x.png and one file x.png: whose sum it is cannot be told."""
    named = {"images/11111111__x.png": (1, 1, 1), "images/22222222__x.png": (2, 2, 2)}
    coco(tmp_path / "result.json", named, first=0)
    write_image(tmp_path / "x.png")
    with pytest.raises(DamagedFileError, match=r"found 3 by image 0 of .* and 6 by image 1 of"):
        open_dataset(tmp_path)
    for name in named:
        write_image(tmp_path / name)
    assert labels_by_path(tmp_path) == {**{n: sum(d) for n, d in named.items()}, "x.png": None}


def test_label_studios_voc_opens(tmp_path: Path) -> None:
    """``Annotations`` beside ``images``; a name that was not fetched stays encoded."""
    for stem, digits in (("cb0618f6-a", (1, 2, 3)), ("55667788-%C3%BC%20e", (7, 8, 9))):
        voc(tmp_path / "Annotations" / f"{stem}.xml", f"{stem}.png", digits)
    write_image(tmp_path / "images" / "cb0618f6-a.png")
    write_image(tmp_path / "images" / "ü e.png")
    assert labels_by_path(tmp_path) == {"images/cb0618f6-a.png": 6, "images/ü e.png": 24}
    assert open_dataset(tmp_path).kind == "voc"


def test_other_json_beside_images_is_no_export(tmp_path: Path) -> None:
    """Answers of a program may be called result.json too."""
    write_image(tmp_path / "a.png")
    (tmp_path / "result.json").write_text('[{"image": "a.png", "sum": 3}]')
    folder = open_image_folder(tmp_path)
    assert (folder.kind, folder.labels) == ("images", {})
