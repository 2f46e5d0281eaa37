"""What is said of an image file where it is opened: everything that was chosen for it."""

from __future__ import annotations

from umnist_core.pyramid.appearance import WHITE, Appearance
from umnist_core.pyramid.files import ImageHeader, image_appearance
from umnist_core.pyramid.orientation import ORIENTATION_WORDS, UPRIGHT


def image_notes(header: ImageHeader) -> tuple[str, ...]:
    """Return a sentence for each choice that stands between a file and what is shown of it.

    Parameters
    ----------
    header
        Of the file; it is read once where ground or range have to be found.

    Returns
    -------
    tuple of str
        Nothing for a file that is shown as it is stored.

    Raises
    ------
    DamagedFileError
        If the file cannot be decoded.
    """
    notes = []
    if len(header.pages) > 1:
        place = header.pages.index(header.page) + 1
        notes.append(f"Page {header.page + 1} is shown, number {place} of {len(header.pages)}.")
    if header.orientation != UPRIGHT:
        words = ORIENTATION_WORDS[header.orientation]
        notes.append(f"Shown {words}, as the file's orientation tag ({header.orientation}) says.")
    return (*notes, *_appearance_notes(header, image_appearance(header)))


def _appearance_notes(header: ImageHeader, appearance: Appearance) -> list[str]:
    notes = []
    if appearance.ground is not None:
        notes.append(
            "Transparent parts are drawn on white."
            if appearance.ground == WHITE
            else "Transparent parts are drawn on black, since what is drawn is light."
        )
    kind = header.kind
    if kind.names[0] == "L*":
        notes.append("CIELAB values are converted to sRGB.")
    elif kind.names[0] == "C":
        notes.append("CMYK values are converted to sRGB.")
    elif appearance.low is not None and appearance.high is not None:
        notes.append(
            f"Values from {appearance.low:g} to {appearance.high:g} ({kind.depth}) are drawn from "
            "black to white."
        )
    elif kind.bits > 8:
        notes.append(f"Of {kind.depth} a channel the upper 8 are drawn.")
    return notes
