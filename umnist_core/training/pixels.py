"""The hash of an evaluated image's pixels, by which people's answers to it are found."""

from __future__ import annotations

from umnist_core.pyramid import TileSource
from umnist_core.pyramid.pixel_hash import find_pixel_hash
from umnist_core.training.data import FolderSamples, Samples


def find_pixels(samples: Samples, place: int, source: TileSource) -> str | None:
    """Return the hash of an image; None for one that is too large.

    An image file has that of what a viewer shows of it, as studies record it: a colour's grey is
    rounded otherwise where a data set reads it.

    Parameters
    ----------
    samples, place
        Which image.
    source
        Its pixels, as ``samples`` gave them.
    """
    path = None
    if isinstance(samples, FolderSamples):
        path = samples.reader.find_path(samples.ids[place])
    if path is None:
        return find_pixel_hash(source)
    from umnist_core.pyramid.files import file_source  # libvips, which bare images lack

    return find_pixel_hash(file_source(path))
