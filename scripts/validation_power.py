"""Count how often ``umnist validate`` is wrong, on images that are measured for it.

Run by hand, some minutes; docs/validation.md has the figures. Measured images are kept in the
folder that is given, so that a second run takes seconds.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from umnist_core.digits import load_glyphs
from umnist_core.experiments.validation import Measured, measure_preset
from umnist_core.experiments.validation.calibrate import count_false_alarms, count_found

SETS = {"released": {}, "released-clean": {"digit_jpeg": "0"}}
SIDES = (10, 25, 50, 100)


def load_or_measure(folder: Path, name: str, images: int, seed: int) -> Measured:
    """Return the figures of a set, from the folder if they are there."""
    path = folder / f"{name}-{images}-{seed}.json"
    if not path.is_file():
        glyphs = load_glyphs()
        found = measure_preset(
            "released", images, seed, glyphs=glyphs, overrides=SETS[name], progress=True
        )
        figures = {key: values.tolist() for key, values in found.figures.items()}
        path.write_text(json.dumps([figures, found.labels, dict(found.sizes), found.of]))
    figures, labels, sizes, of = json.loads(path.read_text())
    return Measured(
        {key: np.array(values) for key, values in figures.items()}, tuple(labels), sizes, of
    )


def main() -> None:
    """Measure, compare subsets, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="Where measured images are kept; it exists.")
    parser.add_argument("--images", type=int, default=400, help="Measured of each set.")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    sets = {
        name: load_or_measure(arguments.folder, name, arguments.images, seed)
        for seed, name in enumerate(SETS)
    }
    for side in SIDES:
        for name, measured in sets.items():
            print(
                f"{side} a side, {name} with itself:",
                asdict(count_false_alarms(measured, side, seed=side)),
            )
        found = count_found(sets["released"], sets["released-clean"], side, seed=side)
        print(f"{side} a side, {' with '.join(SETS)}:", asdict(found))


if __name__ == "__main__":
    main()
