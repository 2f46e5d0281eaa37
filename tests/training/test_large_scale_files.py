"""A torch Dataset over files of MNIST Large Scale, and training from them as from any folder."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from tests.datasets.large_scale_files import COUNTS, NAME, images_of, labels_of, write_file
from umnist_core.errors import InvalidValueError, MissingFileError
from umnist_core.training.config import DataPart
from umnist_core.training.data import open_samples
from umnist_core.training.large_scale_files import LargeScaleFiles


@pytest.mark.parametrize("packing", [{}, {"compression": "gzip"}])
@pytest.mark.parametrize("workers", [0, 2])
def test_loader_gives_the_files_own_numbers_whatever_its_workers(
    tmp_path: Path, packing: dict[str, Any], workers: int
) -> None:
    """With a channel, and as often as it is asked; a file that was read before the fork, too."""
    data = LargeScaleFiles(write_file(tmp_path / NAME, **packing), "test")
    data[0]
    data = pickle.loads(pickle.dumps(data)) if workers else data  # as to a spawned worker
    data[0]
    batches: Any = list(DataLoader(data, 3, num_workers=workers))
    images, labels = (torch.cat([batch[place] for batch in batches]) for place in (0, 1))
    assert images.dtype == torch.float32
    np.testing.assert_array_equal(images[:, 0].numpy(), images_of("test"))
    np.testing.assert_array_equal(labels.numpy(), labels_of("test"))


def test_numbers_of_other_types_become_float32(tmp_path: Path) -> None:
    """As the description's loader casts them."""
    data = LargeScaleFiles(write_file(tmp_path / NAME, image_type=np.float64), "val")
    np.testing.assert_array_equal(data[2][0][0].numpy(), images_of("val")[2])


def test_folder_gives_the_partition_of_all_its_files_in_their_order(tmp_path: Path) -> None:
    """The first n of them, or all."""
    for name in (NAME, NAME.replace("2p000", "4p000")):
        write_file(tmp_path / name)
    data = LargeScaleFiles(tmp_path)
    assert len(data) == 10
    expected = [*labels_of("train").tolist()] * 2
    assert [data[place][1] for place in range(10)] == expected
    few = LargeScaleFiles(tmp_path, count=7)
    assert len(few) == 7
    with pytest.raises(IndexError, match="7 images; got 7"):
        few[7]


def test_what_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Files, splits and images."""
    with pytest.raises(MissingFileError, match="found none"):
        LargeScaleFiles(tmp_path)
    path = write_file(tmp_path / NAME)
    with pytest.raises(InvalidValueError, match="A split is one of"):
        LargeScaleFiles(path, "all")
    with pytest.raises(InvalidValueError, match="has 5 images; got count=6"):
        LargeScaleFiles(path, count=6)


def test_training_opens_a_file_as_any_folder(tmp_path: Path) -> None:
    """As pixels, with labels, of the split that is asked for."""
    path = write_file(tmp_path / NAME)
    samples = open_samples(DataPart(folder=str(path), split="val"))
    assert len(samples) == COUNTS["val"]
    assert [samples.get(place).label for place in range(3)] == labels_of("val").tolist()
    assert (samples.get(0).source.height, samples.get(0).source.width) == (112, 112)
