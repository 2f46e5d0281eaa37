"""What systems leave in folders and archives is never data, wherever data are read."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.datasets.making import SMALL_OPTIONS, run, small_recipe
from umnist_core.datasets import open_image_folder
from umnist_core.datasets.read import find_datasets, open_dataset
from umnist_core.datasets.write import write_dataset
from umnist_core.models.cards import find_own_checkpoints

FILES = ("._{}", ".DS_Store", "Thumbs.db", "desktop.ini", ".{}.swp")
FOLDERS = ("__MACOSX", "lost+found", "$RECYCLE.BIN", ".Trash-1000", "System Volume Information")


def litter(root: Path) -> None:
    """Put debris into every folder below a root: beside each file, and as folders like it."""
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    for folder in folders:
        files = sorted(path for path in folder.iterdir() if path.is_file())
        for name in FILES:
            for file in files[:2]:
                (folder / name.format(file.name)).write_bytes(b"\0\5\x16\7debris")
    before = root.with_name(f"{root.name}-before")
    shutil.copytree(root, before)
    for name in FOLDERS:
        shutil.copytree(before, root / name)
    shutil.rmtree(before)


@pytest.mark.parametrize("layout", ["kaggle", "coco", "voc", "webdataset"])
def test_data_set_with_debris_is_the_same(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids, labels and what is missing, of our data sets in every layout."""
    folder = tmp_path / "a"
    write_dataset(small_recipe(3, layout=layout), folder)
    expected = open_dataset(folder)
    litter(folder)
    found = open_dataset(folder)
    assert found.ids == expected.ids
    assert [found.label(one) for one in found.ids] == [expected.label(one) for one in expected.ids]
    assert list(found.iter_missing()) == []
    assert find_datasets(folder) == []
    assert run(["datasets", "inspect", str(folder), "--jobs", "1"], monkeypatch) == 0


@pytest.mark.parametrize("layout", ["coco", "voc"])
def test_annotations_of_others_are_read_without_debris(layout: str, tmp_path: Path) -> None:
    """Without a manifest, as other programs write them."""
    folder = tmp_path / "a"
    write_dataset(small_recipe(3, layout=layout), folder)
    (folder / "dataset.json").unlink()
    expected = open_image_folder(folder)
    litter(folder)
    found = open_image_folder(folder)
    assert (found.kind, found.ids, found.labels) == (expected.kind, expected.ids, expected.labels)
    assert {one: found.find_label(one) for one in found.ids} == {
        one: expected.find_label(one) for one in expected.ids
    }


def test_debris_in_shards_is_no_sample(tmp_path: Path) -> None:
    """As tar files of macOS hold it, beside each member."""
    write_dataset(small_recipe(2, layout="webdataset"), tmp_path)
    (tmp_path / "dataset.json").unlink()
    shard = next(tmp_path.glob("*.tar"))
    expected = open_dataset(tmp_path)
    with tarfile.open(shard) as old:
        members = {one.name: old.extractfile(one).read() for one in old}  # type: ignore[union-attr]
    with tarfile.open(shard, "w") as new:
        for name, data in members.items():
            for path in (name, f"._{name}", f"__MACOSX/{name}", f"a/.x/{name}"):
                member = tarfile.TarInfo(path)
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    assert open_dataset(tmp_path).ids == expected.ids


def test_folder_with_debris_alone_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new disc, or a folder that somebody looked into, takes a data set."""
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / name).write_bytes(b"debris")
    (tmp_path / "lost+found").mkdir()
    command = ["generate", str(tmp_path), "--count", "1", "--jobs", "1", *SMALL_OPTIONS]
    assert run(command, monkeypatch) == 0


def test_debris_is_no_checkpoint(tmp_path: Path) -> None:
    """Beside weights, and folders of runs that a system has put away."""
    for name in ("mine.safetensors", "._mine.safetensors", ".Trash/best.safetensors"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert set(find_own_checkpoints(tmp_path)) == {"mine"}
