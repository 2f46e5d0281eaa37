"""A Python as a bare image of PyTorch has it: beside its own library little more than PyTorch.

It is an environment of links to the packages of this one, so it is made in no time, and the
processes that it starts see no more than it does.
"""

from __future__ import annotations

import sys
import sysconfig
import venv
from pathlib import Path

from tests.digits.idx_files import TRAIN_NAMES, write_idx
from umnist_core.digits import GlyphSet, load_glyphs

IMAGE = ("cv2", "numpy", "opencv_python_headless", "torch", "torchvision")
"""What such images have."""

_NEEDED = (
    *("PIL", "pillow"),  # by torchvision
    *("cuda", "filelock", "fsspec", "functorch", "jinja2", "markupsafe", "mpmath", "networkx"),
    *("nvidia", "sympy", "torchgen", "triton", "typing_extensions"),  # by torch
)


def make_bare_python(folder: Path) -> Path:
    """Make the environment in a folder; return the folder of its programs."""
    venv.EnvBuilder(symlinks=True).create(folder)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = folder / "lib" / version / "site-packages"
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name.split("-")[0].split(".")[0] in (*IMAGE, *_NEEDED):
            (target / entry.name).symlink_to(entry)
    return folder / "bin"


def write_digits(folder: Path, count: int = 2000) -> Path:
    """Write some of the digits of these tests into a folder, as MNIST's files."""
    folder.mkdir()
    glyphs: GlyphSet = load_glyphs()
    for name, array in zip(TRAIN_NAMES, (glyphs.images, glyphs.labels), strict=True):
        write_idx(folder / name, array[:count])
    return folder
