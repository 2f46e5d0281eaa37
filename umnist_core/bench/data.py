"""How fast the other data systems are read in batches, and how much memory that takes.

Beside each reader stands the loop that somebody writes without one, with h5py, NumPy, Pillow and
torchvision, over the same files; both give the same batches, which is checked. Rounds of the two
take turns in one process with one thread, so a disturbance of the machine touches both.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from umnist_core.bench.machine import peak_mib
from umnist_core.bench.spread import median_of, range_of
from umnist_core.datasets.needle.write import write_needle
from umnist_core.datasets.read import open_dataset
from umnist_core.datasets.samples import one_thread
from umnist_core.errors import UmnistError
from umnist_core.models.forms import Squared
from umnist_core.training.large_scale_files import LargeScaleFiles
from umnist_core.training.pictures import PictureFolder

Batches = Iterator[Tensor]

BATCH = 8
CLOSE = 1e-3
"""Most that two batches may differ in a value; Needle's greys are rounded to whole ones here."""


@dataclass(frozen=True)
class DataFigures:
    """Medians over the rounds, with the smallest and the largest; memory of a process for each.

    Attributes
    ----------
    rounds
        Of each loop.
    ratio_needle, ratio_large_scale, ratio_meth, ratio_signs
        Images a second here over those of the plain loop.
    range_needle, range_large_scale, range_meth, range_signs
        The smallest and the largest ratio of a round.
    per_s_needle, per_s_large_scale, per_s_meth, per_s_signs
        Images a second here: of 1024 x 1024 px, 112 x 112, 2000 x 1500 to 224 x 224, and
        1280 x 960 to 1600 x 1200.
    peak_mib_needle, peak_mib_large_scale, peak_mib_meth, peak_mib_signs
        Largest memory of a process once it has read a data set, and once it has read another,
        four times as large, after it.
    """

    rounds: int
    ratio_needle: float
    ratio_large_scale: float
    ratio_meth: float
    ratio_signs: float
    range_needle: tuple[float, float]
    range_large_scale: tuple[float, float]
    range_meth: tuple[float, float]
    range_signs: tuple[float, float]
    per_s_needle: float
    per_s_large_scale: float
    per_s_meth: float
    per_s_signs: float
    peak_mib_needle: tuple[float, float]
    peak_mib_large_scale: tuple[float, float]
    peak_mib_meth: tuple[float, float]
    peak_mib_signs: tuple[float, float]


@dataclass(frozen=True)
class _System:
    """Files of one data system, and the two ways to read them.

    Attributes
    ----------
    count
        Images that are read in a round; of each split, for Needle MNIST.
    write
        Makes so many in a folder.
    ours, plain
        Read a folder in batches of `BATCH`, float32 (B, C, H, W).
    """

    count: int
    write: Callable[[Path, int], object]
    ours: Callable[[Path], Batches]
    plain: Callable[[Path], Batches]


def bench_data(*, rounds: int = 7, share: float = 1.0, folder: Path | None = None) -> DataFigures:
    """Write files of each system into a temporary folder and measure.

    Parameters
    ----------
    rounds
        Of each loop; one more of each goes before and is not counted.
    share
        Of the usual number of images.
    folder
        Where to write; the system's folder for temporary files when None.

    Raises
    ------
    UmnistError
        If the two ways do not give the same values.
    """
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="umnist-bench-", dir=folder) as name:
        for system, one in SYSTEMS.items():
            small, large = (Path(name) / f"{system}-{times}" for times in (1, 4))
            count = max(1, round(one.count * share))
            one.write(small, count)
            one.write(large, 4 * count)
            number = _compare(system, small)
            times = np.array([_time_round(one, small) for _ in range(rounds + 1)][1:])
            ratios = times[:, 1] / times[:, 0]
            figures[f"ratio_{system}"] = median_of(ratios)
            figures[f"range_{system}"] = range_of(ratios)
            figures[f"per_s_{system}"] = median_of(number / times[:, 0], 1)
            figures[f"peak_mib_{system}"] = _weigh(system, small, large)
    return DataFigures(rounds=rounds, **figures)


def _compare(name: str, folder: Path) -> int:
    """See that both ways give the same values, and return how many images there are."""
    system = SYSTEMS[name]
    count = 0
    for ours, plain in zip(system.ours(folder), system.plain(folder), strict=True):
        if ours.shape != plain.shape or float((ours - plain).abs().max()) > CLOSE:
            raise UmnistError(f"Expected the same values of {name} both ways, found others.")
        count += len(ours)
    return count


def _time_round(system: _System, folder: Path) -> tuple[float, float]:
    """Return the seconds that reading takes here and in the plain loop."""
    spent = []
    with one_thread():
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        for read in (system.ours, system.plain):
            start = time.perf_counter()
            for _ in read(folder):
                pass
            spent.append(time.perf_counter() - start)
        torch.set_num_threads(threads)
    return spent[0], spent[1]


def _weigh(system: str, small: Path, large: Path) -> tuple[float, float]:
    # A process of its own, started afresh: memory once taken is never given back.
    code = (
        "import sys, umnist_core.bench.data as bench\n"
        "print(*(bench.read_and_weigh(sys.argv[1], one) for one in sys.argv[2:]))"
    )
    command = [sys.executable, "-c", code, system, str(small), str(large)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    first, then = done.stdout.split()
    return float(first), float(then)


def read_and_weigh(system: str, folder: str) -> float:
    """Read a data set of a system and return the largest memory of this process so far, in MiB."""
    for _ in SYSTEMS[system].ours(Path(folder)):
        pass
    return peak_mib()


def _batches(items: Iterator[Tensor]) -> Batches:
    while batch := [*islice(items, BATCH)]:
        yield torch.stack(batch)


def _items(images: Dataset[Any], count: int) -> Iterator[Any]:
    return (images[place] for place in range(count))


# -- Needle MNIST -----------------------------------------------------------------


def _write_needle(folder: Path, count: int) -> None:
    write_needle(folder, canvas=1024, count=count)


def _read_needle(folder: Path) -> Batches:
    reader = open_dataset(folder)
    images = (torch.from_numpy(reader.read_image(one)[None]) for one in reader.ids)
    return (batch.float().div_(255) for batch in _batches(images))


def _loop_needle(folder: Path) -> Batches:
    def items() -> Iterator[Tensor]:
        for split in ("train", "val", "test"):
            paths = folder.glob(f"{split}_*.npz")
            for path in sorted(paths, key=lambda one: int(one.stem.partition("_")[2])):
                yield torch.from_numpy(np.load(path)["arr_0"]).float()[None]

    return _batches(items())


# -- MNIST Large Scale ------------------------------------------------------------


def _write_large_scale(folder: Path, count: int) -> None:
    """Write one file by h5py, as others do."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    name = "mnist_large_scale_tr50000_vl10000_te10000_outsize112-112_sctr1p000_scte1p000.h5"
    with h5py.File(folder / name, "w") as file:
        for split, several in (("train", count), ("val", 1), ("test", 1)):
            images = file.create_dataset(f"x_{split}", (several, 112, 112, 1), np.float32)
            for first in range(0, several, BATCH):
                last = min(first + BATCH, several)
                shape = (last - first, 112, 112, 1)
                images[first:last] = rng.uniform(-0.76, 0.76, shape)
            file[f"y_{split}"] = rng.integers(0, 10, several)


def _read_large_scale(folder: Path) -> Batches:
    files = LargeScaleFiles(folder, "train")
    return _batches(image for image, _ in _items(files, len(files)))


def _loop_large_scale(folder: Path) -> Batches:
    def items() -> Iterator[Tensor]:
        with h5py.File(next(folder.glob("*.h5"))) as file:
            for number in range(len(file["x_train"])):
                yield torch.from_numpy(file["x_train"][number].transpose(2, 0, 1))

    return _batches(items())


# -- MetH and signs ---------------------------------------------------------------


def _write_photograph(path: Path, width: int, height: int, seed: int) -> None:
    """Write a JPEG whose detail is that of a photograph, about: most of it coarse."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3), np.float32)
    for side in (8, 64, 512):
        coarse = rng.uniform(0, 255, (side, side, 3)).astype(np.uint8)
        image += np.asarray(Image.fromarray(coarse).resize((width, height))) / 3
    Image.fromarray(image.astype(np.uint8)).save(path, quality=90)


def _write_meth(folder: Path, count: int) -> None:
    data = folder / "MetH-Medium" / "data"
    data.mkdir(parents=True)
    rows = ["ID,Label,Image file,Width,Height,Product size,Aspect ratio,Split"]
    for number in range(count):
        _write_photograph(data / f"{number}.jpg", 2000, 1500, number)
        rows.append(f"{number},Bronze,{number}.jpg,2000,1500,3000000,1.3333,train")
    (folder / "MetH-Medium" / "MetH-Medium.csv").write_text("\n".join(rows) + "\n")


def _write_signs(folder: Path, count: int) -> None:
    (folder / "Set1").mkdir(parents=True)
    lines = []
    for number in range(count):
        _write_photograph(folder / "Set1" / f"{number:05}.jpg", 1280, 960, number)
        place = "616.957210, 718.303048, 580.957210, 679.303048"
        lines.append(f"{number:05}.jpg:VISIBLE, {place}, PROHIBITORY, 50_SIGN;")
    (folder / "Set1" / "annotations.txt").write_text("\n".join(lines) + "\n")


_BASELINE = Squared()
_WHOLE = Squared(resized_px=(1200, 1600), crop_px=None)


def _read_photographs(form: Squared, root: str, folder: Path) -> Batches:
    reader = open_dataset(folder / root)
    images = PictureFolder(reader, reader.ids, form)
    return _batches(item.image for item in _items(images, len(images)))


def _loop_photographs(form: Squared, images: str, folder: Path) -> Batches:
    from torchvision import transforms

    steps = [transforms.Resize(form.resized_px)]
    if form.crop_px is not None:
        steps.append(transforms.CenterCrop(form.crop_px))
    normalise = transforms.Normalize(form.mean, form.std)
    change = transforms.Compose([*steps, transforms.ToTensor(), normalise])
    paths = sorted((folder / images).glob("*.jpg"), key=lambda path: int(path.stem))
    return _batches(change(Image.open(path).convert("RGB")) for path in paths)


SYSTEMS = {
    "needle": _System(16, _write_needle, _read_needle, _loop_needle),
    "large_scale": _System(2000, _write_large_scale, _read_large_scale, _loop_large_scale),
    "meth": _System(
        24,
        _write_meth,
        partial(_read_photographs, _BASELINE, "MetH-Medium"),
        partial(_loop_photographs, _BASELINE, "MetH-Medium/data"),
    ),
    "signs": _System(
        24,
        _write_signs,
        partial(_read_photographs, _WHOLE, ""),
        partial(_loop_photographs, _WHOLE, "Set1"),
    ),
}
