"""``00_ReadMe.txt`` of a written data set: its files and columns, how it was made, whose it is."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from umnist_core import __version__
from umnist_core.datasets.manifest import Manifest
from umnist_core.scenes import get_preset

READ_ME = "00_ReadMe.txt"
"""As the released data set names its own."""

TRUTH_COLUMNS: Mapping[str, str] = {
    "id, split, index, seed, preset": "which image",
    "parameters": "JSON, every parameter in its text form",
    "label": "sum of the digits; in Megapixel MNIST the majority, in Needle MNIST the needle",
    "height, width": "of the image, px",
    "digits": "list of label, glyph (index in the glyph set), row and col (first px of its "
    "square), side_px, ink_row0, ink_col0, ink_row1, ink_col1 (half-open box, tight around "
    "what is drawn), factor (side over 28 px)",
    "checkerboard, rotation_deg, shear_deg, zoom": "cells a side (0 without one) and its drawn map",
    "circles, triangles, strokes, distractors": "how many",
    "majority, max, top, multi": "tasks of Megapixel MNIST; null in others",
    "needle": "task of Needle MNIST, 1 or 0; null in others",
    "glyph_set, glyph_checksum, stand_in": "which digits; stand_in where they are not MNIST",
    "scene": "JSON from which umnist draws the image again",
    "sha256": "of the image's file, in hex",
}
"""Columns of the table of truth, those that are told together in one line, and their meaning."""

MNIST_LICENCE = (
    "The images are adaptations of MNIST (Yann LeCun and Corinna Cortes) and so under CC BY-SA "
    "3.0: name them, and share under the same or a compatible licence."
)
STAND_IN_LICENCE = (
    "The digits are NOT MNIST: results on these images say nothing about it. They are those of the "
    "Optical Recognition of Handwritten Digits (Ethem Alpaydin and Cenk Kaynak, UCI Machine "
    "Learning Repository, doi 10.24432/C50P49) under CC BY 4.0: name them."
)
_MNIST = (
    "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
    "recognition. Proceedings of the IEEE 86(11), 1998 (MNIST)."
)
_ULTRAMNIST = (
    "D. K. Gupta, U. Bamba, A. Thakur, A. Gupta, R. Agarwal, S. Sharan, E. Demir, K. Agarwal, D. "
    "K. Prasad: An UltraMNIST classification benchmark to train CNNs for very large images. "
    "Scientific Data 11, 771, 2024, doi 10.1038/s41597-024-03587-4."
)
_MEGAPIXEL = (
    "A. Katharopoulos, F. Fleuret: Processing Megapixel Images with Deep Attention-Sampling "
    "Models. ICML 2019, arXiv 1905.03711 (Megapixel MNIST).",
    "M. Riffi-Aslett, C. Fell: On the Generalizability of Iterative Patch Selection for "
    "Memory-Efficient High-Resolution Image Classification. 2024, arXiv 2412.11237 (its variants).",
)
_NEEDLE = (
    "N. Pawlowski and others: Needles in Haystacks: On Classifying Tiny Objects in Large Images. "
    "2019, arXiv 1908.06037 (Needle MNIST)."
)
_PATCHGD = "PatchGD's reduced UltraMNIST: 2023, arXiv 2301.13817."
_BY_PLANNER: Mapping[str, tuple[str, ...]] = {
    "ultramnist": (_ULTRAMNIST,),
    "megapixel": _MEGAPIXEL,
    "needle": (_NEEDLE,),
    "reduced": (_ULTRAMNIST, _PATCHGD),
}
_WIDTH = 96


def read_me(manifest: Manifest, sides_px: Sequence[int] = ()) -> str:
    """Return the text of a data set.

    Parameters
    ----------
    manifest
        Of the data set.
    sides_px
        Sizes of its reduced copies.
    """
    kind = get_preset(manifest.preset)
    stand_in = any(record.stand_in for record in manifest.splits.values())
    cited = [*_BY_PLANNER.get(kind.planner, ()), *([] if stand_in else [_MNIST])]
    tables = "train.csv and sample_submission.csv"
    titles = "id, " + ", ".join(kind.asks.names() if kind.asks else ("digit_sum",))
    made = "".join(f" --side {side_px}" for side_px in sides_px)
    parts = [
        f"Images with digits, preset {manifest.preset}, made by umnist {manifest.umnist}",
        _section("Files", _files(manifest, sides_px)),
        _section(f"Columns of {tables}", [titles, "In sample_submission.csv answers are 0."]),
        _section(
            "Columns of truth-SPLIT.parquet; rows before columns, boxes half-open, px of the image",
            [f"{names}: {meaning}" for names, meaning in TRUTH_COLUMNS.items()],
        ),
        _section("Made by", [record.command + made for record in manifest.splits.values()], None),
        _section("Licence", [STAND_IN_LICENCE if stand_in else MNIST_LICENCE]),
        _section("To cite, with umnist itself", cited),
    ]
    return "\n\n".join(parts) + "\n"


def _files(manifest: Manifest, sides_px: Sequence[int]) -> list[str]:
    images = {
        "kaggle": "SPLIT/ID.*: the images",
        "voc": "SPLIT/ID.*: the images, and SPLIT/ID.xml: their boxes in the format of Pascal VOC",
        "coco": "SPLIT/ID.*: the images, and annotations-SPLIT.json: their boxes in COCO's format",
        "webdataset": "SPLIT-NUMBER.tar: the images (ID.*), labels (ID.cls) and scenes (ID.json)",
    }
    counts = ", ".join(f"{record.count} of {name}" for name, record in manifest.splits.items())
    copies = [
        f"side-{side_px}/: the same images, reduced by area to {side_px} px"
        + (", by way of 512 px" if side_px < 512 else "")
        + "; a data set by itself"
        for side_px in sides_px
    ]
    return [
        f"{images[manifest.layout]}; {counts}",
        *copies,
        "train.csv: answers; sample_submission.csv: the ids to answer for, of the test split",
        "truth-SPLIT.parquet: all that is known of each image",
        "dataset.json: every parameter and every version that the bytes follow from",
    ]


def _section(title: str, lines: Sequence[str], width: int | None = _WIDTH) -> str:
    def filled(line: str) -> str:
        at = width or len(line)
        return textwrap.fill(line, at, subsequent_indent="  ", break_on_hyphens=False)

    return "\n".join([title, "-" * len(title), *map(filled, lines)])


def needle_read_me(sets: str, command: str, *, stand_in: bool) -> str:
    """Return the text of Needle MNIST in its original layout.

    Parameters
    ----------
    sets
        How many images there are of which split.
    command
        What makes them.
    stand_in
        Whether the digits are not MNIST's.
    """
    parts = [
        f"Needle MNIST in its original layout, made by umnist {__version__}",
        _section(
            "Files",
            [
                f"SPLIT_NUMBER.npz: the images, with their map of patches; {sets}",
                "SPLIT.csv: the file of each image, and its label: 1 where there is a 3, else 0",
            ],
        ),
        _section("Made by", [command], None),
        _section("Licence", [STAND_IN_LICENCE if stand_in else MNIST_LICENCE]),
        _section("To cite, with umnist itself", [_NEEDLE, *([] if stand_in else [_MNIST])]),
    ]
    return "\n\n".join(parts) + "\n"
