"""What every data set is to those who read it: images by id, and what is known of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.identity import ImageIdentity
from umnist_core.datasets.known import Known
from umnist_core.datasets.manifest import Manifest
from umnist_core.scenes import Scene, Tasks


@dataclass(frozen=True, eq=False)
class DatasetReader(ABC):
    """The images of a data set, by id.

    Attributes
    ----------
    root
        The folder.
    kind
        ``kaggle``, ``classes`` for class folders, ``voc``, ``coco``, ``webdataset``,
        ``megapixel`` for the original files, ``images`` for a plain folder, or the name of
        one of the other data systems, such as ``MetH-Medium`` or ``signs``.
    manifest
        What `umnist generate` says of it; None for the data sets of others.
    """

    root: Path
    kind: str
    manifest: Manifest | None

    @property
    @abstractmethod
    def ids(self) -> tuple[str, ...]:
        """All ids in order, train before val before test; see `short_names`."""

    @abstractmethod
    def get_identity(self, image_id: str) -> ImageIdentity:
        """Return which image an id is: split and path.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """

    def get_split(self, image_id: str) -> str | None:
        """Return ``train``, ``val`` or ``test``; None where the layout does not say.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        return self.get_identity(image_id).split

    @abstractmethod
    def read_size(self, image_id: str) -> tuple[int, int]:
        """Return height and width of an image in px, having seen that it is not cut short.

        Raises
        ------
        NotFoundError
            If there is no such image.
        MissingFileError, DamagedFileError, TooLargeError
            If it cannot be read, its header or its end is damaged, or it is too large.
        """

    @abstractmethod
    def read_image(self, image_id: str) -> NDArray[np.uint8]:
        """Return the pixels of an image, uint8 (H, W).

        Raises
        ------
        NotFoundError, MissingFileError, DamagedFileError, TooLargeError
            As `read_size`, and if any part of it is missing or garbled.
        """

    def read_colour(self, image_id: str) -> NDArray[np.uint8]:
        """Return the pixels of an image, uint8 (H, W, 3) in RGB; equal channels where it is grey.

        Models of digits read `read_image`, which stays grey; this is for pictures in colour.
        Tiles go through `find_path`, since a viewer needs no decoded array of 83 million px.

        Raises
        ------
        NotFoundError, MissingFileError, DamagedFileError, TooLargeError
            As `read_image`.
        """
        return np.repeat(self.read_image(image_id)[..., None], 3, axis=2)

    def find_path(self, image_id: str) -> Path | None:
        """Return the file of an image, which a viewer opens as any other; None where it has none.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        self.get_identity(image_id)
        return None

    def find_choices(self, image_id: str, *, quick: bool = False) -> tuple[str, ...]:
        """Return what was chosen to read an image, of `umnist_core.datasets.decode`.

        Parameters
        ----------
        image_id
            Of the image.
        quick
            Whether to decode nothing, so that transparency is not looked for.

        Raises
        ------
        NotFoundError, MissingFileError, DamagedFileError, TooLargeError
            As `read_image`.
        """
        return ()

    def find_change(self, image_id: str) -> str | None:
        """Return a sentence if an image's bytes are not those that were written.

        None where they are, or where no checksum says what was written.

        Raises
        ------
        NotFoundError, MissingFileError, DamagedFileError, TooLargeError
            As `read_size`, and if what says it is damaged.
        """
        return None

    @abstractmethod
    def label(self, image_id: str) -> int | None:
        """Return the label of an image; None where nothing says it.

        It is the sum of the digits, the majority in Megapixel MNIST, or the place of the class
        in `class_names` where there are such.

        Raises
        ------
        NotFoundError
            If there is no such image.
        DamagedFileError
            If what says it is damaged.
        """

    @abstractmethod
    def tasks(self, image_id: str) -> Tasks | None:
        """Return the answers of an image of Megapixel or Needle MNIST; None of any other.

        Raises
        ------
        NotFoundError, DamagedFileError
            As `label`.
        """

    def digit_sum(self, image_id: str) -> int | None:
        """Return the sum of the digits; None where nothing says it, or labels are no sums.

        Raises
        ------
        NotFoundError, DamagedFileError
            As `label`.
        """
        if self.class_names or self.tasks(image_id) is not None:
            return None
        return self.label(image_id)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their labels; none where labels are numbers."""
        return ()

    def known(self, image_id: str) -> Known:
        """Return what the data set says of an image besides its scene, cheaply; see `truth`.

        Raises
        ------
        NotFoundError, DamagedFileError
            As `label`.
        """
        label = self.label(image_id)
        names = self.class_names
        return Known(label, names[label] if names and label is not None else None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the whole data set, a sentence each; it is not damage."""
        return ()

    @property
    def damage(self) -> tuple[str, ...]:
        """What of its tables could not be read while the rest was kept, a sentence each."""
        return ()

    def truth(self, image_id: str) -> Scene | None:
        """Return what is in an image; None for the data sets of others.

        Raises
        ------
        NotFoundError, DamagedFileError
            As `label`.
        """
        return None

    def boxes(self, image_id: str) -> tuple[DrawnBox, ...] | None:
        """Return the boxes that people or tools drew in an image, as it is shown.

        Returns
        -------
        tuple
            None where no annotation speaks of the image; nothing where one says that there is none.

        Raises
        ------
        NotFoundError, DamagedFileError
            As `label`.
        """
        return None

    def iter_missing(self) -> Iterator[str]:
        """Yield the names of images that the data set promises and does not have."""
        return iter(())
