"""What a file of ours says of itself, in an attribute that other loaders do not ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from umnist_core import __version__
from umnist_core.datasets.large_scale.rescaling import RESCALING_VERSION
from umnist_core.datasets.large_scale.sets import LARGE_SCALE, LargeScaleSet, digits_of, draw_scale
from umnist_core.errors import DamagedFileError
from umnist_core.parsing import parse_json
from umnist_core.seeds import FOLDER_SPLITS

ORIGIN = "umnist"
"""The attribute of the file's root."""


@dataclass(frozen=True)
class Origin:
    """Everything that the pixels of a file follow from.

    Attributes
    ----------
    low, high
        Least and largest scale.
    counts
        Images of each partition that is to be used.
    seed
        Of mixed scales.
    digits
        Sha256 of each partition's glyph set.
    first
        Index in it of each partition's first digit.
    stand_in
        Whether those are the bundled stand-in and not MNIST.
    rescaling
        Version of the recipe.
    command
        What makes the file, with ``OUT`` for the folder.
    umnist
        Version of what made it; pixels do not follow from it.
    """

    low: float
    high: float
    counts: Mapping[str, int]
    seed: int
    digits: Mapping[str, str]
    first: Mapping[str, int]
    stand_in: bool
    rescaling: int
    command: str
    umnist: str

    @classmethod
    def of(cls, made: LargeScaleSet) -> Origin:
        """Return the origin of a set that is about to be written."""
        digits = {split: digits_of(split) for split in FOLDER_SPLITS}
        return cls(
            low=made.low,
            high=made.high,
            counts=made.counts,
            seed=made.seed,
            digits={split: one.glyphs.checksum for split, one in digits.items()},
            first={split: one.first for split, one in digits.items()},
            stand_in=any(one.glyphs.is_stand_in for one in digits.values()),
            rescaling=RESCALING_VERSION,
            command=command_of(made),
            umnist=__version__,
        )

    def to_json(self) -> str:
        """Return it as a text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str, name: str) -> Origin:
        """Read it from a text.

        Raises
        ------
        DamagedFileError
            If it is none; ``name`` is the file's, for the message.
        """
        try:
            origin = cls(**parse_json(text))
            numbers = [origin.low, origin.high, origin.seed]
            numbers += [origin.first[split] for split in FOLDER_SPLITS]
            if not (all(one >= 0 for one in numbers) and 0 < origin.low <= origin.high):
                raise ValueError
            if not set(origin.counts) <= set(FOLDER_SPLITS):
                raise ValueError
        except (TypeError, KeyError, ValueError) as error:
            raise DamagedFileError(
                f"Expected in {name} the attribute {ORIGIN} as `umnist generate` writes it, found "
                "another; make the file again, or remove the attribute."
            ) from error
        return origin

    def makes_the_same(self, other: Origin) -> bool:
        """Return whether two files have the same pixels in the same places."""
        return self._pixels() == other._pixels()

    def scale_of(self, split: str, number: int) -> float:
        """Return the scale of an image of a partition."""
        index = self.first[split] + number
        return draw_scale(self.low, self.high, seed=self.seed, split=split, index=index)

    def _pixels(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.to_json())
        return {name: each for name, each in fields.items() if name not in ("umnist", "command")}


def command_of(made: LargeScaleSet) -> str:
    """Return the command that writes a set, with ``OUT`` for the folder."""
    split = "test" if made.is_test_only else "train"
    scale = f"{made.low!r}" if made.low == made.high else f"{made.low!r}..{made.high!r}"
    words = [f"--preset {LARGE_SCALE} --split {split} --count {made.counts[split]}"]
    words += [f"--seed {made.seed}"] if made.low != made.high else []
    words += [f"--set scale={scale}"]
    if not made.is_test_only:
        words += [f"--set {name}={made.counts[name]}" for name in ("val", "test")]
    return " ".join(["umnist generate OUT", *words])
