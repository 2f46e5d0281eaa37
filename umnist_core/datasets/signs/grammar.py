"""The annotations of the Swedish traffic signs: a line for each image, a sign for each ``;``.

Format, as the files of Larsson and Felsberg ("Using Fourier Descriptors and Spatial Models for
Traffic Sign Recognition", SCIA 2011) have it::

    FILE:MISC_SIGNS;VISIBLE, 616.95, 718.30, 580.95, 679.30, INFORMATION, PRIORITY_ROAD;

Of a sign's four coordinates the lower right corner comes first; x is the column. ``MISC_SIGNS``
says that there are signs that nobody drew. A few numbers have letters in them (``478.4376a0``,
``123.5l``): what follows the number is left out, as every public reader does. Some lie outside of
the image, and are clipped.

A line is never given up for one sign: what can be read of it is kept, and every sign that was not
is told in a sentence. An image that lost a sign has no class any more, since the sign that was
lost may be the one that decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.texts import read_text
from umnist_core.errors import DamagedFileError

HEIGHT_PX, WIDTH_PX = 960, 1280
"""Size of every image."""

VISIBILITIES = ("VISIBLE", "BLURRED", "SIDE_ROAD", "OCCLUDED")
"""From the best seen to the worst."""

TYPES = ("PROHIBITORY", "WARNING", "OTHER", "INFORMATION", "MANDATORY")

SIGN_NAMES = (
    *(f"{limit}_SIGN" for limit in (30, 50, 60, 70, 80, 90, 100, 110, 120)),
    "GIVE_WAY",
    "NO_PARKING",
    "NO_STOPPING_NO_STANDING",
    "OTHER",
    "PASS_EITHER_SIDE",
    "PASS_LEFT_SIDE",
    "PASS_RIGHT_SIDE",
    "PEDESTRIAN_CROSSING",
    "PRIORITY_ROAD",
    "STOP",
    "URDBL",
)
"""The twenty classes of signs; ``URDBL`` is one that cannot be read."""

MISC = "MISC_SIGNS"

WHAT, MOST_MIB = "annotations", 64
"""What a file is, for messages, and its largest size; the real ones have some 300 KB."""

_LINE = re.compile(
    rf"[^:;,\n]+\.(?:jpe?g|png|bmp|tiff?)\s*:\s*(?:$|(?:{MISC}|{'|'.join(VISIBILITIES)})\b)", re.I
)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_PARTS = 7
_LOOKED_AT = 20


@dataclass(frozen=True)
class Sign:
    """A sign that somebody drew a box around.

    Attributes
    ----------
    visibility
        One of `VISIBILITIES`.
    type
        One of `TYPES`, or another word.
    name
        One of `SIGN_NAMES`, or another word.
    x0, y0, x1, y1
        Upper left and lower right corner as they are written, in px of the image; x is the column.
    """

    visibility: str
    type: str
    name: str
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        """Of the box as it is written, in px², by which ATS tells the largest."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    @property
    def box(self) -> DrawnBox | None:
        """The part of the box that lies in the image, whichever corner is written first."""
        x0, x1 = sorted(min(max(x, 0.0), WIDTH_PX) for x in (self.x0, self.x1))
        y0, y1 = sorted(min(max(y, 0.0), HEIGHT_PX) for y in (self.y0, self.y1))
        if x0 == x1 or y0 == y1:
            return None
        return DrawnBox(self.name, x0, y0, x1 - x0, y1 - y0, self.visibility)


@dataclass(frozen=True)
class SignedImage:
    """What a line says of an image.

    Attributes
    ----------
    name
        Of its file, with folders where the line has them.
    signs
        In the order of the line.
    misc
        How often the line says that there are signs that nobody drew.
    is_whole
        Whether every sign of the line could be read.
    """

    name: str
    signs: tuple[Sign, ...] = ()
    misc: int = 0
    is_whole: bool = True

    @property
    def boxes(self) -> tuple[DrawnBox, ...]:
        """Those of its signs that lie in the image."""
        return tuple(box for one in self.signs if (box := one.box) is not None)


@dataclass(frozen=True)
class Annotations:
    """What an annotation file says.

    Attributes
    ----------
    images
        In the order of the file, by which the published subsets are cut.
    damage
        A sentence for each line, or sign, that could not be read.
    """

    images: tuple[SignedImage, ...]
    damage: tuple[str, ...] = ()


def is_annotation_text(text: str) -> bool:
    """Return whether a text begins as an annotation file does."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    return any(_LINE.match(line) for line in [line for line in lines if line][:_LOOKED_AT])


def read_annotations(path: Path, shown: str) -> Annotations:
    """Read an annotation file.

    Parameters
    ----------
    path
        The file.
    shown
        What it is called in messages.

    Raises
    ------
    DamagedFileError
        If it cannot be read, is too large, or no line of it speaks of an image.
    """
    found = parse_annotations(read_text(path, shown, WHAT, MOST_MIB), shown)
    if not found.images:
        raise DamagedFileError(
            f"{shown}: expected lines FILE:VISIBILITY, X1, Y1, X0, Y0, TYPE, NAME;, found none; "
            "use the file as it is downloaded."
        )
    return found


def parse_annotations(text: str, shown: str) -> Annotations:
    """Read the text of an annotation file; ``shown`` is what it is called in messages."""
    images: dict[str, SignedImage] = {}
    lines: dict[str, int] = {}
    damage: list[str] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if not line.strip():
            continue
        where = f"{shown}, line {number}"
        image, wrong = _parse_line(line)
        if image is None:
            damage.append(f"{where}: {wrong[0]}")
        elif image.name in images:
            damage.append(
                f"{where}: expected one line for each image, found {image.name!r:.80} that line "
                f"{lines[image.name]} has, too; the first is kept."
            )
        else:
            images[image.name], lines[image.name] = image, number
            damage += [f"{where}: {sentence}" for sentence in wrong]
    return Annotations(tuple(images.values()), tuple(damage))


def _parse_line(line: str) -> tuple[SignedImage | None, list[str]]:
    """Return what a line says, and what is wrong with it; None where it names no image."""
    file, colon, said = line.partition(":")
    name = PureWindowsPath(file.strip()).as_posix()
    if not colon or name in ("", ".") or "\0" in name:
        return None, [
            f"expected FILE:SIGN;SIGN;, found {line.strip()!r:.80}; the line is left out."
        ]
    signs: list[Sign] = []
    misc = 0
    wrong: list[str] = []
    entries = [entry for one in said.split(";") if (entry := one.strip())]
    for entry in entries:
        parts = [part.strip() for part in entry.split(",")]
        if parts[0].upper() == MISC:
            misc += 1
            continue
        sign, reason = _parse_sign(parts)
        if sign is None:
            wrong.append(f"{reason}, found {entry!r:.80}; ")
        else:
            signs.append(sign)
    kept = f"{name} is kept with {len(signs)} of {len(entries) - misc} signs and has no class."
    image = SignedImage(name, tuple(signs), misc, is_whole=not wrong)
    return image, [sentence + kept for sentence in wrong] + [
        f"expected a box that lies in {WIDTH_PX} x {HEIGHT_PX} px, found {sign.name} at x "
        f"{sign.x0:g} to {sign.x1:g}, y {sign.y0:g} to {sign.y1:g}; the sign is kept without one."
        for sign in signs
        if sign.box is None
    ]


def _parse_sign(parts: Sequence[str]) -> tuple[Sign | None, str]:
    """Return a sign, or why there is none."""
    if len(parts) < _PARTS or any(parts[_PARTS:]):
        return None, f"expected VISIBILITY, four numbers, TYPE and NAME, {_PARTS} parts"
    visibility, *corners = parts[:5]
    sort, name = parts[5:_PARTS]
    if visibility.upper() not in VISIBILITIES:
        return None, f"expected {', '.join(VISIBILITIES)} or {MISC} as the first word"
    numbers = [parse_number(corner) for corner in corners]
    if None in numbers:
        return None, "expected four numbers as corners"
    if not name or not sort:
        return None, "expected TYPE and NAME behind the corners"
    x1, y1, x0, y0 = (number for number in numbers if number is not None)
    return Sign(visibility.upper(), sort.upper(), name.upper(), x0, y0, x1, y1), ""


def parse_number(text: str) -> float | None:
    """Return the number that a text begins with, whatever follows it; None where there is none."""
    found = _NUMBER.match(text.strip())
    if found is None:
        return None
    number = float(found[0])
    return number if math.isfinite(number) else None
