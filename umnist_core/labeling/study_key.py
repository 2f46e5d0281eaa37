"""The secret key of a study, and everything that is drawn from it.

A study's images come from a generator that everybody has, so what is secret about them is
which of its samples they are. Each study draws a key of 256 random bits when it is made, and
every image has a seed and an index of its own: HMAC-SHA256 over the name of a stream and the
item's number or name, under the key. One that is known tells nothing of another, and a stream
nothing of another stream. Seed and index have more than 110 random bits together, so trying
them finds no image either.

The key is the attachment of the study's first event, whose hash commits the study to it from
the start. It is given out by nothing before the study is closed; a new thing that is drawn
gets a stream of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice

from umnist_core.errors import DamagedFileError
from umnist_core.labeling.events import StudyCreated
from umnist_core.labeling.factors import share_out
from umnist_core.labeling.log import Event, canonical_json
from umnist_core.labeling.records import StudySpec
from umnist_core.scenes import UltraMnistParameters, get_preset
from umnist_core.scenes.ultramnist import balanced_labels

GUESSABLE = (
    "Its images can be guessed: a public generator made them from one seed, so who has this "
    "program can work out every sum. The images that a study draws itself come from a secret key."
)
"""What the owner is told of a study made before studies had keys, or of a folder of our images."""

KEY_BYTES = 32
KEY_SEQ = 1
"""Number of the event whose attachment the key is: the first."""

SPLIT = "test"
PRACTICE_SPLIT = "train"

_DRAWN_BITS = 52
"""Of a seed and of an index, so that a step to the image with the right sum stays below
`umnist_core.seeds.MAX_SEED`."""


@dataclass(frozen=True)
class KeyedImage:
    """An image of a study as its key has it.

    Attributes
    ----------
    id
        16 hexadecimal digits; names the file and says nothing without the key.
    split, seed, index
        Which sample of the preset it is (`umnist_core.scenes.plan_scene`).
    cell
        Number of its cell among those of the study; 0 without factors.
    """

    id: str
    split: str
    seed: int
    index: int
    cell: int = 0


@dataclass(frozen=True)
class StudyKey:
    """A study's key.

    Attributes
    ----------
    secret
        32 random bytes; never shown by ``repr``.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> StudyKey:
        """Draw a key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> StudyKey:
        """Read what `to_text` returned.

        Raises
        ------
        DamagedFileError
            If it is no key; what stands there is not repeated.
        """
        try:
            secret = bytes.fromhex(json.loads(text)["key"])
        except (ValueError, TypeError, KeyError) as error:
            raise DamagedFileError(
                "Expected the key of a study, found something else; run `umnist study verify`."
            ) from error
        if len(secret) != KEY_BYTES:
            raise DamagedFileError(
                f"Expected a key of {KEY_BYTES} bytes, found {len(secret)}; run `umnist study "
                "verify`."
            )
        return cls(secret)

    def to_text(self) -> str:
        """Return the key as the log keeps it: JSON with 64 hexadecimal digits as ``key``."""
        return canonical_json({"key": self.secret.hex()})

    def derive(self, stream: str, item: int | str) -> bytes:
        """Return 32 bytes of a stream that only the holder of the key can compute.

        The message is the canonical JSON of ``["umnist study", stream, item]``.
        """
        message = canonical_json(["umnist study", stream, item])
        return hmac.new(self.secret, message.encode(), hashlib.sha256).digest()

    def order_seed(self, annotator: str) -> int:
        """Return the seed of the order in which a person is shown images, below 2^63."""
        return int.from_bytes(self.derive("order", annotator)[:8], "big") >> 1

    def images(self, spec: StudySpec) -> list[KeyedImage]:
        """Return the images of a study of generated images, then those to practise on.

        Where the preset balances sums, every 28 images have each sum once, as its own samples
        in a row have; which has which is drawn from the key too. With factors, so has each cell.

        Raises
        ------
        InvalidValueError
            If a level of a factor is not allowed.
        """
        uses = (("image", SPLIT, spec.stimuli), ("practice", PRACTICE_SPLIT, spec.practice))
        return [
            image
            for stream, split, total in uses
            for cell, number in enumerate(share_out(total, len(spec.cells)))
            for image in islice(self._images(spec, stream, split, cell), number)
        ]

    def _images(
        self, spec: StudySpec, stream: str, split: str, cell: int = 0
    ) -> Iterator[KeyedImage]:
        if spec.has_cells:
            stream = f"{stream} of cell {cell}"
        parameters = get_preset(spec.preset).with_overrides(overrides_of(spec, cell))
        for number in count():
            drawn = self.derive(stream, number)
            seed, index = _drawn(drawn[:8]), _drawn(drawn[8:16])
            if isinstance(parameters, UltraMnistParameters) and parameters.label == "balanced":
                labels = balanced_labels(parameters, seed, split, index)
                block, place = divmod(number, len(labels))
                label = self._shuffled(f"{stream} sums", block, len(labels))[place]
                index += labels.index(label) - index % len(labels)
            yield KeyedImage(self.name(stream, number), split, seed, index, cell)

    def _shuffled(self, stream: str, block: int, count: int) -> list[int]:
        return sorted(range(count), key=lambda one: self.derive(stream, f"{block}/{one}"))

    def name(self, stream: str, number: int) -> str:
        """Return the name of an image's file: 16 hexadecimal digits."""
        return self.derive("name", f"{stream}/{number}")[:8].hex()

    def order_of_files(self, names: list[str]) -> list[str]:
        """Return files of a folder in the order in which a study takes them."""
        return sorted(names, key=lambda name: self.derive("file", name))


def overrides_of(spec: StudySpec, cell: int) -> dict[str, str]:
    """Return the parameters that replace the preset's in a cell."""
    fixed = {"scale_distribution": "fixed"} if spec.adaptive else {}
    return {**spec.overrides, **fixed, **spec.cells[cell]}


def _drawn(data: bytes) -> int:
    return int.from_bytes(data, "big") >> (64 - _DRAWN_BITS)


def is_guessable(created: Event) -> bool:
    """Whether anybody can work out what the images are: a generator's, of a seed such as 0.

    Studies were made so before they had keys, and are where they take a folder that ``umnist
    generate`` wrote. A copy of such a folder without its ``dataset.json`` is not recognised.

    Parameters
    ----------
    created
        First event of the study.
    """
    fact = StudyCreated.read(created.payload)
    return fact.is_generated_folder or (created.attachment_hash is None and fact.folder is None)
