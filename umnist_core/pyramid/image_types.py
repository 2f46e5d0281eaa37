"""The files that images are written as, by the name that ``--image`` takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from umnist_core.pyramid.comment import add_comment
from umnist_core.pyramid.encode import encode_jpeg, encode_png


@dataclass(frozen=True)
class ImageType:
    """One of them.

    Attributes
    ----------
    suffix
        Of the files, without its dot.
    quality
        Of a JPEG, 1 to 100; None for a PNG, which loses nothing.
    has_comment
        Whether a file says of itself which image it is.
    """

    suffix: str
    quality: int | None
    has_comment: bool

    def encode(self, image: NDArray[np.uint8], comment: str | None) -> bytes:
        """Return the file of an image, uint8 (H, W), with the comment if it has one.

        None is for copies, of which the comment would not be true.

        Raises
        ------
        InvalidValueError
            If the array cannot be encoded.
        """
        data = encode_png(image) if self.quality is None else encode_jpeg(image, self.quality)
        return add_comment(data, comment) if self.has_comment and comment is not None else data


IMAGE_TYPES: Mapping[str, ImageType] = MappingProxyType(
    {
        "jpeg": ImageType("jpeg", 75, has_comment=True),
        "jpeg-kaggle": ImageType("jpeg", 75, has_comment=False),
        "jpeg-released": ImageType("jpeg", 95, has_comment=False),
        "png": ImageType("png", None, has_comment=True),
    }
)
"""``jpeg-kaggle`` is what Pillow writes by default, as in the released data set;
``jpeg-released`` what OpenCV does, as in the released code's own last step."""
