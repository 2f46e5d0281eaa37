"""Encoding of tiles and descriptors."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from umnist_core.errors import InvalidValueError
from umnist_core.pyramid import PyramidGrid, dzi_xml, encode_jpeg, encode_png

shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))
binary = arrays(np.uint8, shapes, elements=st.sampled_from([0, 255]))
grey = arrays(np.uint8, shapes)
colour = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)))


@settings(deadline=None)
@given(st.one_of(binary, grey, colour))
def test_png_gives_the_same_pixels_back_in_three_decoders(image: NDArray[np.uint8]) -> None:
    """OpenCV, Pillow and libvips agree, whatever the number of bits inside."""
    data = encode_png(image)
    by_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert by_opencv is not None
    by_opencv = by_opencv[:, :, ::-1] if image.ndim == 3 else by_opencv
    assert np.array_equal(by_opencv, image)
    with Image.open(io.BytesIO(data)) as opened:
        assert np.array_equal(np.asarray(opened.convert("RGB" if image.ndim == 3 else "L")), image)
    by_vips = pyvips.Image.new_from_buffer(data, "").numpy()
    assert np.array_equal(by_vips.reshape(image.shape), image)


@pytest.mark.parametrize(("other", "bits"), [(255, 1), (254, 8), (1, 8), (128, 8)])
def test_png_has_one_bit_only_where_that_loses_nothing(other: int, bits: int) -> None:
    """A single pixel that is neither 0 nor 255 makes it an 8-bit file."""
    image = np.zeros((9, 9), np.uint8)
    image[4, 4] = other
    assert encode_png(image)[24] == bits


def test_jpeg_is_grey_and_of_quality_75() -> None:
    """Its quantisation table is that of the released images: 8 for the mean of a block."""
    with Image.open(io.BytesIO(encode_jpeg(np.zeros((64, 64), np.uint8)))) as opened:
        assert opened.mode == "L"
        assert opened.quantization[0][0] == 8  # type: ignore[attr-defined]


def test_what_cannot_be_encoded_is_an_error() -> None:
    """An empty array names what was expected and found."""
    with pytest.raises(InvalidValueError, match=r"got uint8 \(0, 5\)"):
        encode_png(np.zeros((0, 5), np.uint8))


def test_descriptor_says_everything_a_client_needs() -> None:
    """Format, overlap, tile size, width and height, under Deep Zoom's namespace."""
    root = ET.fromstring(dzi_xml(PyramidGrid(300, 700, 256, 2), "jpeg"))
    space = "{http://schemas.microsoft.com/deepzoom/2008}"
    assert root.tag == f"{space}Image"
    assert root.attrib == {"Format": "jpeg", "Overlap": "2", "TileSize": "256"}
    size = root.find(f"{space}Size")
    assert size is not None
    assert size.attrib == {"Height": "300", "Width": "700"}
