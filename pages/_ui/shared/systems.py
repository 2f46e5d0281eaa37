"""The data systems that pages open by name: where their files come from, and what goes where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from umnist_core.datasets.large_scale.sets import LARGE_SCALE
from umnist_core.settings import load_settings

ANY = "any"
"""Key of what is no system: whatever folder is named."""

_PLACE = "datasets"
"""Folder of the user's data folder in which a system is found by its name."""


@dataclass(frozen=True)
class System:
    """A data set, or a family of them, with a name.

    Attributes
    ----------
    title
        Its name for people.
    origin
        Where its files come from, in Markdown.
    expected
        Which files are looked for, in Markdown.
    folder
        Name of its folder where nobody says another place.
    kinds
        How the kinds of its readers begin; none where any may be of it.
    preset
        Of images of its kind that are generated here; None without.
    """

    title: str
    origin: str
    expected: str
    folder: str
    kinds: tuple[str, ...] = ()
    preset: str | None = None

    @property
    def place(self) -> Path:
        """Where its files are looked for when no folder is named."""
        return load_settings().data_dir / _PLACE / self.folder

    @property
    def where(self) -> str:
        """Where its files come from and what to put where: a short paragraph of Markdown."""
        return (
            f"{self.origin} Expected: {self.expected}. Name their folder above, or put them into "
            f"`{self.place}`, where they are found by name."
        )

    def has(self, kind: str) -> bool:
        """Return whether a reader's kind is of this system."""
        return not self.kinds or kind.startswith(self.kinds)


SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        "ultramnist": System(
            "UltraMNIST",
            "Its images are those of the Kaggle competition of the same name; "
            "`umnist generate FOLDER` writes such of your own.",
            "`train.csv` and `train/*.jpeg`",
            "ultramnist",
            preset="released",
        ),
        "patchgd": System(
            "PatchGD's reduced UltraMNIST",
            "It was never released; its generator was, and "
            "`umnist generate FOLDER --preset patchgd` writes images by it.",
            "`train.csv` and `train/*.jpeg`",
            "patchgd",
            preset="patchgd",
        ),
        "megapixel": System(
            "Megapixel MNIST",
            "Its files are made by `make_mnist.py` of attention sampling or IPS; "
            "`umnist generate FOLDER --preset megapixel` writes images by the same rules.",
            "`parameters.json` with `train.npy` or `test.npy`",
            "megapixel",
            preset="megapixel",
        ),
        "needle": System(
            "Needle MNIST",
            "Its files are made by the published generator, facebookresearch/Needles-in-Haystacks; "
            "`umnist datasets write-needle FOLDER --canvas 512` writes the same layout.",
            "`train.csv` with `train_0.npz`, `train_1.npz` …, likewise `val` and `test`",
            "needle",
            ("needle",),
            "needle",
        ),
        LARGE_SCALE: System(
            "MNIST Large Scale",
            "Its files are given out on request (doi 10.5281/zenodo.3820247); "
            f"`umnist generate FOLDER --preset {LARGE_SCALE}` writes such from MNIST.",
            "`mnist_large_scale_….h5`, any number of them",
            LARGE_SCALE,
            (LARGE_SCALE,),
            LARGE_SCALE,
        ),
        "meth": System(
            "MetH",
            "Medium, Cultures, Period and SR come from `storage.hpai.bsc.es` (docs/meth.md): of "
            "each a table and an archive of images.",
            "`MetH-Medium/MetH-Medium.csv` and the images in `MetH-Medium/data`, likewise the "
            "others; of a folder with several one is chosen",
            "MetH",
            ("MetH",),
        ),
        "mame": System(
            "MAMe",
            "It comes from `storage.hpai.bsc.es` (docs/meth.md): `MAMe_metadata.zip`, and "
            "`MAMe_data.zip` or `MAMe_data_256.zip`.",
            "`MAMe_metadata/MAMe_dataset.csv` and the images in `data` or `data_256`",
            "MAMe",
            ("MAMe",),
        ),
        "signs": System(
            "Swedish traffic signs",
            "They come from Linköping University, `www.isy.liu.se` (docs/signs.md): of each set "
            "`annotations.txt` and an archive of images.",
            "`Set1/annotations.txt` and the images in `Set1/Set1Part0`, likewise `Set2`",
            "signs",
            ("signs",),
        ),
    }
)
"""By key, in the order in which people are shown them."""


def preset_of(kind: str) -> str | None:
    """Return the preset of the images that a kind of reader has; None where there is none."""
    fitting = (one.preset for one in SYSTEMS.values() if kind and one.kinds and one.has(kind))
    return next(fitting, None)
