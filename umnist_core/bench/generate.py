"""How fast whole data sets are written, on one core and on two, and how much memory it takes.

The clock runs from the call until every file and table is there. Processes of the pool
are started before, as in a long run they are once. Rounds of one core and of two take
turns, with JPEG encoding alone in between, so that a disturbance of the machine touches
all of them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from umnist_core.bench.machine import peak_mib
from umnist_core.bench.spread import median_of, range_of
from umnist_core.datasets.recipe import Recipe
from umnist_core.datasets.samples import one_thread
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.pyramid.encode import encode_jpeg
from umnist_core.rendering import render

_ENCODED = 24
"""Images that are encoded alone in each round."""

PEAK_COUNTS = (500, 4000)
_SMALL = {"canvas": "512", "factor": "0.5..4"}
"""Small images, so that what grows with their number would show beside them."""


@dataclass(frozen=True)
class GenerateFigures:
    """Medians over the rounds, and the smallest and largest round of each.

    Attributes
    ----------
    count, rounds
        Images of 4000 x 4000 px in each run, and runs.
    per_s_1, per_s_2
        Images a second with one process and with two.
    encode_ms
        JPEG encoding alone, for one image.
    over_encode
        Time for one image with one process over that.
    efficiency_2
        Speed of two processes over twice the speed of one.
    peak_mib
        Largest memory of one process that writes as many small images as `peak_counts` says.
    """

    count: int
    rounds: int
    per_s_1: float
    per_s_1_range: tuple[float, float]
    per_s_2: float
    per_s_2_range: tuple[float, float]
    encode_ms: float
    over_encode: float
    over_encode_range: tuple[float, float]
    efficiency_2: float
    efficiency_2_range: tuple[float, float]
    peak_mib: tuple[float, float]
    peak_counts: tuple[int, int]


def bench_generate(
    *,
    count: int = 200,
    rounds: int = 5,
    preset: str = "released",
    peak_counts: tuple[int, int] = PEAK_COUNTS,
    folder: Path | None = None,
) -> GenerateFigures:
    """Write data sets into a temporary folder and measure.

    Parameters
    ----------
    count
        Images in each run.
    rounds
        Runs on one core, and as many on two.
    preset
        Name in `umnist_core.scenes.PRESETS`.
    peak_counts
        Images in the two runs whose memory is taken.
    folder
        Where to write; the system's folder for temporary files when None.
    """
    with tempfile.TemporaryDirectory(prefix="umnist-bench-", dir=folder) as name:
        root = Path(name)
        warm_up = Recipe(count=16, preset=preset)
        for jobs in (1, 2):
            write_dataset(warm_up, root / f"warm-up-{jobs}", jobs=jobs)
        # (rounds, 3): seconds for an image with one process, with two, and of encoding alone
        times = np.array([_time_round(root, count, preset, seed) for seed in range(rounds)])
        peaks = [_peak_mib(root / f"peak-{number}", number) for number in peak_counts]
    one, two, encode = times.T
    return GenerateFigures(
        count=count,
        rounds=rounds,
        per_s_1=median_of(1 / one),
        per_s_1_range=range_of(1 / one),
        per_s_2=median_of(1 / two),
        per_s_2_range=range_of(1 / two),
        encode_ms=median_of(encode * 1e3),
        over_encode=median_of(one / encode),
        over_encode_range=range_of(one / encode),
        efficiency_2=median_of(one / two / 2),
        efficiency_2_range=range_of(one / two / 2),
        peak_mib=(peaks[0], peaks[1]),
        peak_counts=peak_counts,
    )


def _time_round(root: Path, count: int, preset: str, seed: int) -> tuple[float, float, float]:
    recipe = Recipe(count=count, preset=preset, seed=seed)
    before = _time_encoding(recipe)
    one = write_dataset(recipe, root / f"{seed}-1", jobs=1).seconds / count
    after = _time_encoding(recipe)
    two = write_dataset(recipe, root / f"{seed}-2", jobs=2).seconds / count
    return one, two, (before + after) / 2


def _time_encoding(recipe: Recipe) -> float:
    """Return the seconds that encoding one image of a recipe takes."""
    glyphs = load_glyphs(recipe.digits_subset)
    spent = 0.0
    number = min(recipe.count, _ENCODED)
    with one_thread():
        for index in range(number):
            image = render(recipe.plan(index, glyphs), glyphs)
            start = time.perf_counter()
            encode_jpeg(image)
            spent += time.perf_counter() - start
    return spent / number


def _peak_mib(folder: Path, count: int) -> float:
    # A process of its own, started afresh: memory once taken is never given back.
    code = (
        "import sys, pathlib, umnist_core.bench.generate as bench\n"
        "print(bench.write_and_weigh(pathlib.Path(sys.argv[1]), int(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(folder), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def write_and_weigh(folder: Path, count: int) -> float:
    """Write small images and return the largest memory that this process has had, in MiB."""
    write_dataset(Recipe(count=count, overrides=_SMALL), folder, jobs=1)
    return peak_mib()
